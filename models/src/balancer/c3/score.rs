//! C3's score of an endpoint, lower is better: how long answers have taken, and how long its queue will.
//!
//! Suresh, Canini, Schmid and Feldmann, "C3: Cutting Tail Latency in Cloud Data Stores via Adaptive Replica Selection", NSDI
//! 2015, section 3.1; `ScoreTracker` of the authors' Cassandra, `org.apache.cassandra.c3`.

use schism_core::Duration;

/// How much a new value counts in an average: `ALPHA`.
const ALPHA: f64 = 0.9;

/// Averages of what the last answers said, in milliseconds and requests. All begin with nothing: who has never answered has
/// the best of scores.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Score {
    /// How long answers took, less the time of service.
    pub(super) response: f64,
    /// How long they were served.
    pub(super) service: f64,
    /// How many requests waited at the endpoint.
    pub(super) queue: f64,
}

impl Score {
    /// An answer has come: `updateNodeScore`.
    pub(super) fn on_answer(&mut self, latency: Duration, service: Duration, queued: u32) {
        let mix = |old: &mut f64, new: f64| *old = ALPHA * new + (1.0 - ALPHA) * *old;
        mix(&mut self.queue, f64::from(queued));
        mix(&mut self.service, service.as_millis_f64());
        mix(&mut self.response, latency.as_millis_f64() - service.as_millis_f64());
    }

    /// The score, by the requests of this client in flight there and the number of clients, each of which is thought to
    /// have as many: `getScore`. The cube of the queue weighs long queues of fast servers as those of slow ones.
    pub(super) fn of(&self, in_flight: u32, clients: u32) -> f64 {
        let queue = 1.0 + self.queue + f64::from(clients) * f64::from(in_flight);
        self.response + queue * queue * queue * self.service
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[track_caller]
    fn same(have: f64, want: f64) {
        assert!((have - want).abs() <= want.abs() * 1e-12, "{have:?} is not {want:?}");
    }

    #[test]
    fn who_never_answered_has_the_best_score() {
        same(Score::default().of(100, 100), 0.0);
    }

    /// The formula of section 3.1: R - 1/mu + q^3/mu with q = 1 + os w + qbar.
    #[test]
    fn the_score_is_the_papers() {
        let mut score = Score::default();
        score.on_answer(MS(10), MS(4), 2);
        let (response, service, queue) = (0.9 * 10.0, 0.9 * 4.0, 0.9 * 2.0);
        let estimated: f64 = 1.0 + 3.0 * 5.0 + queue;
        same(score.of(3, 5), response - service + estimated * estimated * estimated * service);
        score.on_answer(MS(20), MS(4), 0);
        same(score.response, 0.9 * 16.0 + (1.0 - 0.9) * (0.9 * 6.0));
    }

    /// Figure 5's point: at equal scores the queue of a server four times as fast is not four times as long.
    #[test]
    fn long_queues_of_fast_servers_are_shunned() {
        let served_in = |millis, queue| Score { response: 0.0, service: millis, queue }.of(0, 1);
        assert!(served_in(4.0, 19.0) > served_in(20.0, 10.0));
        assert!(served_in(4.0, 17.0) < served_in(20.0, 10.0));
    }
}
