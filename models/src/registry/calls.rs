//! What clients do with a registry besides looking for instances: they call it for keys, and contend for its locks.

use schism_core::{Duration, NodeId};

use crate::client::Operation;
use crate::node::Ctx;
use crate::observation::{Outcome, Value};
use crate::waits::Wait;

/// A client that uses the registry as a key-value store.
pub trait Caller {
    /// What it is told.
    type Msg;
    /// What it reminds itself of.
    type Timer;

    /// What each of its tasks waits for.
    fn waits(&self) -> Vec<Wait> {
        Vec::new()
    }
    /// Calls the member that it is connected to, and waits no longer than that: the number of the call. Without a key it
    /// is about one of the client's own, and nothing comes of it but the answer.
    fn call(&mut self, ctx: &mut Ctx<'_>, operation: Operation, key: Option<Pair>, timeout: Duration) -> u32;
    /// A message of the registry's has come: what it ends, if anything.
    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Self::Msg) -> Option<Ending>;
    /// A timer has fired: what that ends, if anything.
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Self::Timer) -> Option<Ending>;
    /// The connection to a peer is gone.
    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId);
    /// Drops its connection, and goes on with another member: what has ended by that.
    fn reconnect(&mut self, ctx: &mut Ctx<'_>);
    /// The member that it is connected to.
    fn member(&self) -> NodeId;
}

/// What is over for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// One call.
    Call {
        /// Its number.
        call: u32,
        /// How it ended.
        outcome: Outcome,
        /// What was learnt.
        learnt: Option<Learnt>,
    },
    /// The connection to a member, and with it all calls there.
    Connection(NodeId),
}

/// A key of the registry's that clients share, and what a write of it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The key.
    pub key: u32,
    /// What.
    pub value: Value,
}

/// What a client learns with the answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learnt {
    /// The revision of the state that the answer is from, if that says so.
    pub state: Option<u64>,
    /// What it says of a key that clients share.
    pub key: Option<Told>,
}

impl Learnt {
    /// An answer from a state of this revision that says this of a key.
    pub fn new(state: u64, key: Told) -> Learnt {
        Learnt { state: Some(state), key: Some(key) }
    }
}

/// What an answer says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// That it was written, at this revision.
    Written(u64),
    /// At which revision it was written last, and what; nothing, if it was not.
    Holds(Option<(u64, Value)>),
}

/// A client that contends for locks of the registry's, in the way of its client library. It wants one at a time.
pub trait Locker {
    /// What it is told.
    type Msg;
    /// What it reminds itself of.
    type Timer;

    /// What each of its tasks waits for.
    fn waits(&self) -> Vec<Wait> {
        Vec::new()
    }
    /// Begins to try for a lock, if it is [idle](Locker::is_idle).
    fn lock(&mut self, ctx: &mut Ctx<'_>, lock: u32);
    /// Gives back the lock that it holds, or gives up trying for one.
    fn unlock(&mut self, ctx: &mut Ctx<'_>);
    /// Whether it neither holds a lock nor tries for one, nor is giving one back.
    fn is_idle(&self) -> bool;
    /// A message of the registry's has come: what has changed by that.
    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Self::Msg) -> Option<Turn>;
    /// A timer has fired: what has changed by that.
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Self::Timer) -> Option<Turn>;
    /// The connection to a peer is gone.
    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) -> Option<Turn>;
    /// Drops its connection, and goes on with another member.
    fn reconnect(&mut self, ctx: &mut Ctx<'_>) -> Option<Turn>;
    /// The member that it is connected to.
    fn member(&self) -> NodeId;
}

/// What has become of a lock for who wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It believes from now on that it holds it.
    Held {
        /// A number that grows from holder to holder.
        token: u64,
    },
    /// It held it, and no longer believes so.
    Lost,
    /// It has given it back, or given up.
    Freed,
    /// It has failed to get it.
    Failed(Outcome),
}
