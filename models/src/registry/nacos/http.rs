//! Nacos 1.x: one server answers for a service, instances send it beats by way of any, and clients poll and are told by
//! UDP.

pub mod agent;
pub mod api;
pub mod member;
pub mod registrar;
pub mod subscriber;
pub mod table;

pub use api::Msg;
pub use member::Member;
pub use registrar::Registrar;
pub use subscriber::Subscriber;

use crate::listing::ServiceId;
use crate::{node, registry::nacos};

/// What servers and clients remind themselves of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// A client: a request has taken too long.
    Unanswered(u32),
    /// An instance registers.
    Start,
    /// An instance sends its next beat.
    Beat,
    /// A client does what was put off at a failpoint.
    Late,
    /// A client polls.
    Poll,
    /// A server looks for instances of a service that have sent no beat.
    Check(ServiceId),
    /// A server tells a service's subscribers.
    Push(ServiceId),
    /// A server: a subscriber may not have acknowledged a push.
    Unacknowledged(u32),
    /// A server: what was passed on may not have been answered.
    Unforwarded(u32),
    /// A server: some merged changes may have to be told to the others.
    Syncs,
    /// A server: another may not have said that it has them.
    Unsynced(u32),
    /// A server tells the others the checksums of what it answers for.
    Verify,
    /// A server has waited long enough for another's data, or before it asks again.
    Load(u32),
    /// A server reports to another.
    Report,
    /// A server: a report may not have been answered.
    Unreported(u32),
    /// A server does what was put off at a failpoint.
    Deferred(u32),
    /// A server shows a change of some time ago.
    Lag,
}

impl From<Timer> for node::Timer {
    fn from(timer: Timer) -> node::Timer {
        nacos::Timer::Http(timer).into()
    }
}
