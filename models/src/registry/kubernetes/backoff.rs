//! Back-offs: how long a container waits to be started anew, and a client before it asks again.

use schism_core::{Draw, Duration, Luck, Time};

/// A container that ends again and again waits longer each time: 10 s, doubled up to 5 min (pkg/kubelet/kubelet.go,
/// v1.28, `backOffPeriod` and `MaxContainerBackOff`). The first restart waits for nothing.
const CONTAINER: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(300));

/// What has restarted a container, as client-go's `flowcontrol.Backoff` counts it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Restarts {
    /// How long the next restart waits after the container has ended, and when that was last said.
    wait: Option<(Duration, Time)>,
}

impl Restarts {
    /// The container has ended now: how long it waits to be started anew (pkg/kubelet/kuberuntime, `doBackOff`).
    pub fn end(&mut self, now: Time) -> Duration {
        let (initial, most) = CONTAINER;
        // Who has run for twice the longest wait begins anew (client-go, util/flowcontrol/backoff.go, `hasExpired`).
        let recent = self.wait.filter(|&(_, said)| now.since(said) <= most * 2);
        let (waits, next) = match recent {
            None => (Duration::ZERO, initial),
            Some((wait, _)) => (wait, (wait * 2).min(most)),
        };
        self.wait = Some((next, now));
        waits
    }
}

/// What a reflector waits before it lists or watches again: 0.8 s, doubled up to 30 s, each with up to as much again by
/// chance; after 2 min without need, from the start (client-go, tools/cache/reflector.go, v1.28: "0.22 QPS").
const REFLECTOR: (Duration, Duration, Duration) =
    (Duration::from_millis(800), Duration::from_secs(30), Duration::from_secs(120));

/// How long a reflector waits, as apimachinery's `wait.NewExponentialBackoffManager` counts it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retries {
    wait: Option<(Duration, Time)>,
}

impl Retries {
    /// It has failed now: how long it waits.
    pub fn fail(&mut self, now: Time, luck: Draw) -> Duration {
        let (initial, most, reset) = REFLECTOR;
        let recent = self.wait.filter(|&(_, said)| now.since(said) <= reset);
        let wait = recent.map_or(initial, |(wait, _)| (wait * 2).min(most));
        self.wait = Some((wait, now));
        wait + share(wait, luck.unit())
    }
}

/// Draws of one purpose, one after another: as good as a stream of luck, and as small as a number.
#[derive(Clone, Debug)]
pub struct Draws(schism_core::Draws);

impl Draws {
    /// The draws that a stream of luck begins with.
    pub fn new(mut luck: Luck) -> Draws {
        let mut draws = luck.draw().many();
        // They are counted from one.
        draws.draw();
        Draws(draws)
    }

    /// The next.
    pub fn draw(&mut self) -> Draw {
        self.0.draw()
    }
}

/// A share of a duration.
pub fn share(whole: Duration, share: f64) -> Duration {
    Duration::from_secs_f64(whole.as_secs_f64() * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Time {
        Time::START + Duration::from_secs(secs)
    }

    #[test]
    fn restarts_wait_longer_each_time_up_to_five_minutes() {
        let mut restarts = Restarts::default();
        let waits: Vec<u64> = (0..8).map(|at_| restarts.end(at(at_)).as_nanos() / 1_000_000_000).collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn who_has_run_for_more_than_ten_minutes_is_forgiven() {
        let mut restarts = Restarts::default();
        restarts.end(at(0));
        assert_eq!(restarts.end(at(600)), Duration::from_secs(10));
        let mut restarts = Restarts::default();
        restarts.end(at(0));
        assert_eq!(restarts.end(at(601)), Duration::ZERO);
    }

    #[test]
    fn a_reflector_waits_up_to_a_minute() {
        let mut retries = Retries::default();
        let none = Draw::new(0);
        let least = none.unit();
        let waits: Vec<f64> =
            (0..7).map(|_| retries.fail(at(0), none).as_secs_f64() / (1.0 + least)).collect();
        let expected = [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0];
        assert!(
            waits.iter().zip(expected).all(|(wait, expected)| (wait - expected).abs() < 1e-6),
            "{waits:?}"
        );
        assert!(retries.fail(at(200), none) < Duration::from_millis(1601));
    }
}
