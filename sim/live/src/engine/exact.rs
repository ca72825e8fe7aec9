//! Exact moments. madsim's `sleep` takes a millisecond at least, as tokio's may (madsim 0.2.34, `sim/time/mod.rs`,
//! `sleep_until`); a sleep that is set anew does not (`sim/time/sleep.rs`, `reset`).

use std::pin::{Pin, pin};
use std::time::Duration;

use madsim::time::{Sleep, TimeHandle};

/// How much time madsim has simulated.
pub(super) fn elapsed() -> Duration {
    TimeHandle::current().elapsed()
}

/// A sleep until madsim has simulated so much.
pub(super) fn sleep(moment: Duration) -> Sleep {
    let time = TimeHandle::current();
    let deadline = time.now_instant() + moment.saturating_sub(time.elapsed());
    let mut sleep = time.sleep(Duration::ZERO);
    Pin::new(&mut sleep).reset(deadline);
    sleep
}

/// Waits until madsim has simulated so much.
pub(super) async fn until(moment: Duration) {
    pin!(sleep(moment)).await;
}
