//! C3's rate control: how much a client sends an endpoint, by how much comes back from it, with CUBIC's growth.
//!
//! Section 3.2 of the paper; `RateController` of the authors' Cassandra, `org.apache.cassandra.c3`, and the settings
//! `c3_rate_interval_ms` and `c3_rate_limiter_max_tokens` of its `Config`.

use schism_core::{Duration, Time};

/// The time that rates are counted over: `c3_rate_interval_ms`.
const INTERVAL: Duration = Duration::from_millis(20);
/// How many requests may be saved up: `c3_rate_limiter_max_tokens`.
const MOST_TOKENS: f64 = 200.0;
/// What is sent at first, per interval.
const FIRST_SENT: f64 = 1.0;
/// What is thought to come back at first, per interval: `RECEIVE_RATE_INITIAL`.
const FIRST_RECEIVED: f64 = 100.0;
/// The part that is left of the rate when less comes back than is sent: `CUBIC_BETA`.
const BETA: f64 = 0.2;
/// How steep the growth is, per cubic millisecond: `CUBIC_C`.
const GAMMA: f64 = 0.000_004;
/// By how much the rate grows at once at most: `CUBIC_SMAX`.
const MOST_STEP: f64 = 10.0;
/// The least rate: below it nothing would ever come back.
const LEAST: f64 = 0.1;
/// For so long after it last grew the rate does not shrink: `CUBIC_HYSTERISIS_FACTOR` intervals.
const HYSTERESIS: Duration = Duration::from_millis(80);

/// One endpoint's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rate {
    /// Requests per interval that may be sent.
    sent: f64,
    tokens: f64,
    /// When the last request was let through.
    drawn: Time,
    /// Answers per interval, smoothed.
    received: f64,
    /// The interval in which answers are counted, and how many came in it.
    tick: u64,
    answers: u32,
    /// The rate before it last shrank.
    most: f64,
    /// When it last shrank. Until it has, the cubic is as if that were long ago, and every step the greatest.
    shrank: Option<Time>,
    grew: Option<Time>,
}

impl Rate {
    pub(super) fn new(now: Time) -> Rate {
        Rate {
            sent: FIRST_SENT,
            tokens: MOST_TOKENS,
            drawn: now,
            received: FIRST_RECEIVED,
            tick: tick(now),
            answers: 0,
            most: 0.0,
            shrank: None,
            grew: None,
        }
    }

    /// How long a request would have to wait until it may be sent.
    pub(super) fn wait(&self, now: Time) -> Duration {
        let tokens = self.saved(now);
        if tokens >= 1.0 {
            return Duration::ZERO;
        }
        Duration::from_nanos(((1.0 - tokens) * INTERVAL.as_nanos() as f64 / self.sent) as u64)
    }

    /// A request is sent. It may be one for which there was no token.
    pub(super) fn send(&mut self, now: Time) {
        self.tokens = (self.saved(now) - 1.0).max(0.0);
        self.drawn = now;
    }

    /// An answer has come: `updateCubicSendingRate`.
    pub(super) fn on_answer(&mut self, now: Time) {
        self.count(now);
        self.answers += 1;
        let rested = self.grew.is_none_or(|grew| now.since(grew) > HYSTERESIS);
        if self.sent > self.received && rested {
            self.most = self.sent;
            self.sent = (self.sent * BETA).max(LEAST);
            self.shrank = Some(now);
        } else if self.sent < self.received {
            self.grew = Some(now);
            let cubic = self.shrank.map_or(f64::INFINITY, |shrank| self.cubic(now.since(shrank)));
            self.sent = cubic.min(self.sent + MOST_STEP).max(LEAST);
        }
    }

    /// The rate so long after it shrank: at first steep, flat where it was before, and steep again beyond.
    fn cubic(&self, since: Duration) -> f64 {
        let from_saddle = since.as_millis_f64() - libm::cbrt(self.most * (BETA / GAMMA));
        GAMMA * (from_saddle * from_saddle * from_saddle) + self.most
    }

    fn saved(&self, now: Time) -> f64 {
        let since = now.since(self.drawn).as_nanos() as f64;
        (self.tokens + self.sent / INTERVAL.as_nanos() as f64 * since).min(MOST_TOKENS)
    }

    /// Takes the answers of intervals that are over into the average, as `SlottedRateTracker` does: by one twentieth each,
    /// whatever the interval. After a longer silence it forgets that much more, and at most all.
    fn count(&mut self, now: Time) {
        let passed = tick(now).saturating_sub(self.tick);
        if passed > 0 {
            let alpha = (passed as f64 / INTERVAL.as_millis_f64()).min(1.0);
            self.received = alpha * f64::from(self.answers) + (1.0 - alpha) * self.received;
            self.tick = tick(now);
            self.answers = 0;
        }
    }
}

fn tick(now: Time) -> u64 {
    now.as_nanos() / INTERVAL.as_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Time {
        Time::START + Duration::from_millis(millis)
    }

    #[test]
    fn tokens_are_saved_up_and_then_waited_for() {
        let mut rate = Rate::new(ms(0));
        for _ in 0..200 {
            assert_eq!(rate.wait(ms(0)), Duration::ZERO);
            rate.send(ms(0));
        }
        assert_eq!(rate.wait(ms(0)), INTERVAL);
        assert_eq!(rate.wait(ms(5)), Duration::from_millis(15));
        assert_eq!(rate.wait(ms(20)), Duration::ZERO);
    }

    #[test]
    fn the_rate_grows_while_more_comes_back_than_is_sent() {
        let mut rate = Rate::new(ms(0));
        rate.on_answer(ms(10));
        assert!((rate.sent - 11.0).abs() < 1e-12, "{}", rate.sent);
        rate.on_answer(ms(11));
        assert!((rate.sent - 21.0).abs() < 1e-12);
    }

    #[test]
    fn the_rate_shrinks_to_a_fifth_when_less_comes_back_and_not_at_once_again() {
        let mut rate = Rate { sent: 50.0, received: 5.0, ..Rate::new(ms(0)) };
        rate.on_answer(ms(10));
        assert!((rate.sent - 10.0).abs() < 1e-12, "{}", rate.sent);
        assert!((rate.most - 50.0).abs() < 1e-12);
        rate.grew = Some(ms(10));
        rate.on_answer(ms(15));
        assert!((rate.sent - 10.0).abs() < 1e-12, "it grew 5 ms ago");
    }

    /// Back at the rate before it shrank, the growth is flat: the saddle is at cbrt(most beta / gamma).
    #[test]
    fn growth_is_flat_around_the_rate_at_which_it_shrank() {
        let saddle = libm::cbrt(50.0 * 0.2 / 0.000_004) as u64;
        let at = |millis| {
            let mut rate = Rate { sent: 45.0, received: 100.0, most: 50.0, ..Rate::new(ms(0)) };
            rate.shrank = Some(ms(0));
            rate.tick = tick(ms(millis));
            rate.on_answer(ms(millis));
            rate.sent
        };
        assert!((at(saddle) - 50.0).abs() < 0.01);
        assert!((at(saddle + 30) - 50.0).abs() < 0.2);
        assert!(at(saddle + 100) > 53.0);
    }
}
