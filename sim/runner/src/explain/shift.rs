//! Shifts: the same plan of faults, each of them begun a little sooner or later.
//!
//! A fault that begins at a moment finds everything periodic in one phase: keepalives, sweeps, elections. Whatever changes a
//! period then changes the phase, and may seem to help for that alone. Moved about, the faults find all phases.

use schism_core::{Duration, Seed, Time};
use schism_models::nemesis::{End, Planned, Start};
use schism_scenario::Scenario;

/// By how much a fault is moved at most, either way: half of five seconds, which is more than the period of most things.
pub(super) const REACH: Duration = Duration::from_millis(2_500);

/// The scenario with its faults moved, each by its own luck. What waits for another fault moves with that.
pub(super) fn shifted(scenario: &Scenario, seed: Seed, salt: u64) -> Scenario {
    let mut shifted = scenario.clone();
    let first = Time::START + scenario.warmup;
    for planned in &mut shifted.faults {
        // Not into the warm-up, unless it begins there anyway.
        let from = earliest(planned.start).map_or(first, |at| at.min(first));
        let reach = REACH.as_nanos() / 1_000_000;
        let ahead =
            u64::from(seed.redrawn(salt).luck(&planned.id, "explain shift", 0).below(2 * reach as u32 + 1));
        move_by(planned, from, Duration::from_millis(ahead));
    }
    shifted
}

fn earliest(start: Start) -> Option<Time> {
    match start {
        Start::At(at) | Start::Between(at, _) => Some(at),
        Start::When(..) => None,
    }
}

/// Moves a fault by so much less the reach, but not to before a moment. It lasts as long as it did.
fn move_by(planned: &mut Planned, from: Time, ahead: Duration) {
    let Some(begins) = earliest(planned.start) else { return };
    let wanted = begins.as_nanos().saturating_add(ahead.as_nanos()).saturating_sub(REACH.as_nanos());
    let begins_now = Time::from_nanos(wanted).max(from);
    let moved = |at: Time| match begins_now >= begins {
        true => at + begins_now.since(begins),
        false => Time::START + at.since(Time::START + begins.since(begins_now)),
    };
    planned.start = match planned.start {
        Start::At(at) => Start::At(moved(at)),
        Start::Between(one, other) => Start::Between(moved(one), moved(other)),
        Start::When(trigger, wait) => Start::When(trigger, wait),
    };
    planned.end = match planned.end {
        End::At(at) => End::At(moved(at)),
        End::After(for_so_long) => End::After(for_so_long),
        End::Never => End::Never,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use schism_models::nemesis::{Fault, OnMiss, OnOverlap, Pause};

    fn planned(start: Start, end: End) -> Planned {
        let fault = Fault::Pause(Pause { targets: Vec::new() });
        Planned { id: "p".to_owned(), start, end, fault, on_miss: OnMiss::Fine, on_overlap: OnOverlap::Fine }
    }

    const fn at(seconds: u64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_fault_is_moved_either_way_and_lasts_as_long_as_it_did() {
        let mut sooner = planned(Start::At(at(30)), End::At(at(40)));
        move_by(&mut sooner, at(10), Duration::from_millis(500));
        assert_eq!((sooner.start, sooner.end), (Start::At(at(28)), End::At(at(38))));
        let mut later = planned(Start::Between(at(30), at(35)), End::Never);
        move_by(&mut later, at(10), Duration::from_millis(4_500));
        assert_eq!((later.start, later.end), (Start::Between(at(32), at(37)), End::Never));
        let mut first = planned(Start::At(at(11)), End::Never);
        move_by(&mut first, at(10), Duration::ZERO);
        assert_eq!(first.start, Start::At(at(10)), "not into the warm-up");
    }
}
