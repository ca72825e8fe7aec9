//! Signals: what the director waits for.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use schism_core::Time;

use super::house::Shared;
use super::{exact, lock};

/// Waits for a moment, or until something has happened that the director must look at.
pub(super) async fn come(house: &Shared, at: Time) {
    let moment = lock(house).moment(at);
    let mut sleep = pin!(exact::sleep(moment));
    poll_fn(|context| {
        if lock(house).calls(context.waker()) {
            return Poll::Ready(());
        }
        sleep.as_mut().poll(context)
    })
    .await;
}
