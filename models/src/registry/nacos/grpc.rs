//! Nacos from 2.0 on: instances and subscribers hold a connection to one server, and are there while it is.

pub mod api;
pub mod link;
pub mod member;
pub mod registrar;
pub mod subscriber;
pub mod table;

pub use api::Msg;
pub use member::Member;
pub use registrar::Registrar;
pub use subscriber::Subscriber;

use crate::{node, registry::nacos};

/// What servers and clients remind themselves of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// A client: the stage of its connection is over.
    Link(u32),
    /// A client: a call has taken too long.
    Unanswered(u32),
    /// A client: what the last connection had may have to be asked for again.
    Redo,
    /// A client: what was put off at a failpoint is asked now.
    Late,
    /// A client polls, if it does.
    Poll,
    /// A server looks for silent connections.
    Eject,
    /// A server: those that are still silent go.
    Judge(u32),
    /// A server: some merged pushes may be due.
    Pushes,
    /// A server: some subscriber may not have acknowledged a push.
    Unacknowledged(u32),
    /// A server: some merged changes may have to be told to the others.
    Syncs,
    /// A server: another may not have said that it has them.
    Unsynced(u32),
    /// A server has the others verify what they hold of it.
    Verify,
    /// A server removes replicas that nobody has verified for too long.
    Clean,
    /// A server has waited long enough for another's snapshot, or before it asks again.
    Load(u32),
    /// A server reports to another.
    Report,
    /// A server: a report may not have been answered.
    Unreported(u32),
    /// A server does what was put off at a failpoint.
    Deferred(u32),
    /// A server shows a change of some time ago.
    Lag,
    /// A server that is told to end has waited long enough.
    End,
    /// A server: one tick of the metadata's Raft group.
    Tick,
}

impl From<Timer> for node::Timer {
    fn from(timer: Timer) -> node::Timer {
        nacos::Timer::Grpc(timer).into()
    }
}
