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
        let mut allocated = |key: u64| {
            let info = measure(|| {
                let picked = rig.send(key).expect("there are twenty");
                rig.end(picked, Duration::from_millis(1), Outcome::Success);
            });
            // A balancer that rebuilds its schedule when its time has come may allocate then.
            rig.wait(Duration::from_millis(1));
            info.count_total
        };
        // What is built at the first pick, and remembered of each endpoint at its first request, is there by then.
        for key in 0..ROUNDS {
            allocated(key);
        }
        let allocated: u64 = (ROUNDS..2 * ROUNDS).map(&mut allocated).sum();
        assert_eq!(allocated, 0, "{} allocates in {ROUNDS} picks", shown(&balancer));
    }
}
