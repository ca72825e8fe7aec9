//! What is allocated: a pick and its reply take nothing from the heap, whatever the balancer.

use allocation_counter::measure;
use schism_core::Duration;
use schism_models::observation::Outcome;
use schism_tests::pickers::{Rig, every_balancer, shown};

/// Enough that what grows in steps would have to grow again.
const ROUNDS: u64 = 2_000;

#[test]
fn no_pick_and_no_reply_allocates() {
    for balancer in every_balancer() {
        let mut rig = Rig::full(&balancer, 20, 1);
        let mut round = |key: u64| {
            let picked = rig.send(key).expect("there are twenty");
            rig.end(picked, Duration::from_millis(1), Outcome::Success);
            rig.wait(Duration::from_millis(1));
        };
        // What is built at the first pick, and remembered of each endpoint at its first request, is there by then.
        (0..ROUNDS).for_each(&mut round);
        let allocated = measure(|| (ROUNDS..2 * ROUNDS).for_each(&mut round));
        assert_eq!(allocated.count_total, 0, "{} in {ROUNDS} picks: {allocated:?}", shown(&balancer));
    }
}
