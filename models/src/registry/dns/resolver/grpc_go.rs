//! grpc-go's resolver: after a success it waits for a connection to fail, after an error it backs off
//! (internal/resolver/dns/dns_resolver.go, `watcher`, v1.81).

use schism_core::{Draw, Duration, Time};

use super::{Verdict, backoff};

/// The goroutine that looks up.
#[derive(Clone, Debug)]
pub struct Watcher {
    min_interval: Duration,
    /// How many lookups have failed in a row.
    failures: u32,
    waits: Waits,
    /// Whether `ResolveNow` has been called and not been heeded yet: a channel with room for one call.
    called: bool,
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    /// For a time, or for a lookup to end.
    Busy,
    /// For `ResolveNow`, and then until this time.
    ForCall(Time),
}

impl Watcher {
    pub(super) fn new(min_interval: Duration) -> Watcher {
        Watcher { min_interval, failures: 0, waits: Waits::Busy, called: false }
    }

    /// An answer without addresses is an error to the balancer, too, and is tried again (`ErrBadResolverState`).
    pub(super) fn on_outcome(&mut self, now: Time, verdict: Verdict, luck: Draw) -> Option<Time> {
        match verdict {
            Verdict::Takes => {
                self.failures = 0;
                let next = now + self.min_interval;
                if std::mem::take(&mut self.called) {
                    self.waits = Waits::Busy;
                    return Some(next);
                }
                self.waits = Waits::ForCall(next);
                None
            }
            Verdict::Empties | Verdict::Keeps => {
                self.failures += 1;
                self.waits = Waits::Busy;
                Some(now + backoff::wait(self.failures, luck))
            }
        }
    }

    pub(super) fn on_failure(&mut self, now: Time) -> Option<Time> {
        match self.waits {
            Waits::Busy => {
                self.called = true;
                None
            }
            Waits::ForCall(next) => {
                self.waits = Waits::Busy;
                Some(next.max(now))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_secs(30);

    fn after(secs: u64) -> Time {
        Time::START + Duration::from_secs(secs)
    }

    #[test]
    fn who_is_well_never_looks_up_again() {
        let mut watcher = Watcher::new(MIN);
        assert_eq!(watcher.on_outcome(after(0), Verdict::Takes, Draw::new(1)), None);
    }

    #[test]
    fn a_failure_is_heeded_thirty_seconds_after_the_last_lookup_and_no_sooner() {
        let mut watcher = Watcher::new(MIN);
        watcher.on_outcome(after(0), Verdict::Takes, Draw::new(1));
        assert_eq!(watcher.on_failure(after(3)), Some(after(30)));
        assert_eq!(watcher.on_failure(after(4)), None, "it is on its way");
        assert_eq!(
            watcher.on_outcome(after(30), Verdict::Takes, Draw::new(1)),
            Some(after(60)),
            "one more call"
        );
        assert_eq!(watcher.on_outcome(after(60), Verdict::Takes, Draw::new(1)), None);
        assert_eq!(watcher.on_failure(after(200)), Some(after(200)));
    }

    #[test]
    fn errors_are_tried_again_ever_later() {
        let mut watcher = Watcher::new(MIN);
        let mut waits = Vec::new();
        for verdict in [Verdict::Keeps, Verdict::Empties, Verdict::Keeps] {
            let next = watcher.on_outcome(after(0), verdict, Draw::new(0)).expect("it tries again");
            waits.push(next.since(after(0)).as_nanos() / 1_000_000);
        }
        assert_eq!(waits, [1280, 2048, 3276]);
        watcher.on_outcome(after(9), Verdict::Takes, Draw::new(0));
        let next = watcher.on_outcome(after(9), Verdict::Keeps, Draw::new(0));
        assert_eq!(next, Some(after(9) + Duration::from_millis(1280)), "a success begins anew");
    }
}
