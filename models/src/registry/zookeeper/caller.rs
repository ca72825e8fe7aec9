//! A client that uses ZooKeeper as a store of keys and values.

use std::collections::BTreeMap;

use schism_core::{Duration, NodeId, ZoneId};

use super::Config;
use super::api::{Answer, Ask, Msg};
use super::library::{Event, Library};
use crate::client::Operation;
use crate::node::Ctx;
use crate::observation::Outcome;
use crate::registry::{self, Address, Ending, Learnt, Pair, Told};
use crate::waits::Wait;

/// What a caller reminds itself of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// It has waited long enough for a call.
    TimedOut(u32),
}

/// A client's handle, over which it calls.
#[derive(Clone, Debug)]
pub struct Caller {
    library: Library,
    last: u32,
    /// Calls that are open, by the request that ends them.
    open: BTreeMap<u32, u32>,
}

impl Caller {
    /// A client that is not connected yet.
    pub fn new(address: &Address<Config>, _zone: ZoneId, ctx: &Ctx<'_>) -> Caller {
        Caller { library: Library::new(address, ctx), last: 0, open: BTreeMap::new() }
    }

    fn on_event(&mut self, ctx: &mut Ctx<'_>, event: &Event<'_>) -> Option<Ending> {
        match *event {
            Event::Nothing
            | Event::Begun
            | Event::Resumed
            | Event::Kept
            | Event::Changed(_)
            | Event::Gone { .. } => None,
            Event::Lost(server) => {
                self.open.clear();
                Some(Ending::Connection(server))
            }
            Event::Expired(server) => {
                self.open.clear();
                self.library.open(ctx);
                Some(Ending::Connection(server))
            }
            Event::Reply(xid, answer) => {
                let call = self.open.remove(&xid)?;
                let told = match *answer {
                    Answer::Put(zxid) => Some(Told::Written(zxid)),
                    Answer::Value(value) => Some(Told::Holds(value)),
                    Answer::Refused(_) | Answer::Throttled | Answer::Failed => None,
                    Answer::Done | Answer::Children(_) | Answer::Line(_) => {
                        unreachable!("a caller asks for no {answer:?}")
                    }
                };
                let outcome = if told.is_some() { Outcome::Success } else { Outcome::Rejected };
                let seen = self.library.seen().revision();
                Some(Ending::Call { call, outcome, learnt: told.map(|told| Learnt::new(seen, told)) })
            }
        }
    }
}

impl registry::Caller for Caller {
    type Msg = Msg;
    type Timer = super::Timer;

    fn waits(&self) -> Vec<Wait> {
        let call = |&xid: &u32| {
            Wait::new(format!("call {xid}"), "the answer", [self.library.server()]).by(Timer::TimedOut(xid))
        };
        self.library.waits().into_iter().chain(self.open.keys().map(call)).collect()
    }

    /// A read of what is committed is a `sync` and a read; the library sends both at once, and they are answered in order.
    fn call(&mut self, ctx: &mut Ctx<'_>, operation: Operation, key: Option<Pair>, timeout: Duration) -> u32 {
        if self.library.is_closed() {
            self.library.open(ctx);
        }
        let ask = match operation {
            Operation::Put => Ask::Put(key),
            Operation::Get => {
                self.library.ask(ctx, Ask::Sync);
                Ask::Get(key.map(|pair| pair.key))
            }
            Operation::GetSerializable => Ask::Get(key.map(|pair| pair.key)),
        };
        let xid = self.library.ask(ctx, ask);
        self.last += 1;
        self.open.insert(xid, self.last);
        ctx.after(timeout, Timer::TimedOut(self.last).into());
        self.last
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> Option<Ending> {
        let event = self.library.on_message(ctx, from, msg);
        self.on_event(ctx, &event)
    }

    /// The library waits for an answer as long as the connection lasts, and the application no longer than it likes. The
    /// request stays where it is, and those that come later behind it.
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) -> Option<Ending> {
        match timer {
            super::Timer::Library(timer) => {
                let event = self.library.on_timer(ctx, timer);
                self.on_event(ctx, &event)
            }
            super::Timer::Caller(Timer::TimedOut(call)) => {
                let xid = self.open.iter().find(|(_, open)| **open == call).map(|(&xid, _)| xid)?;
                self.open.remove(&xid);
                Some(Ending::Call { call, outcome: Outcome::Timeout, learnt: None })
            }
            super::Timer::Member(_) | super::Timer::Registrar(_) | super::Timer::Subscriber(_) => {
                unreachable!("a caller has no {timer:?}")
            }
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        let event = self.library.on_reset(ctx, peer);
        self.on_event(ctx, &event);
    }

    fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        self.library.reconnect(ctx);
        self.open.clear();
    }

    fn member(&self) -> NodeId {
        self.library.server()
    }
}
