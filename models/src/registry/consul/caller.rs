//! A client that uses Consul as a key-value store.

use schism_core::{Duration, NodeId, ZoneId};

use super::api::{Answer, Ask, Msg, Timer};
use super::link::Link;
use super::{Config, Mode};
use crate::client::Operation;
use crate::node::Ctx;
use crate::observation::Outcome;
use crate::registry::{self, Address, Ending, Learnt, Pair, Told};
use crate::waits::Wait;

/// A client's connection, over which it calls.
#[derive(Clone, Debug)]
pub struct Caller {
    link: Link,
}

impl Caller {
    /// A client in `zone`, connected to nobody yet.
    pub fn new(address: &Address<Config>, zone: ZoneId, ctx: &Ctx<'_>) -> Caller {
        Caller { link: Link::new(address, zone, ctx) }
    }

    fn leave(&mut self, ctx: &mut Ctx<'_>) -> Ending {
        let server = self.link.server();
        self.link.turn_to_next(ctx);
        Ending::Connection(server)
    }
}

impl registry::Caller for Caller {
    type Msg = Msg;
    type Timer = Timer;

    fn waits(&self) -> Vec<Wait> {
        self.link.waits("call")
    }

    fn call(&mut self, ctx: &mut Ctx<'_>, operation: Operation, key: Option<Pair>, timeout: Duration) -> u32 {
        let ask = match operation {
            Operation::Put => Ask::Put(key),
            Operation::Get => Ask::Get(self.link.config().reads, key.map(|pair| pair.key)),
            Operation::GetSerializable => Ask::Get(Mode::Stale, key.map(|pair| pair.key)),
        };
        self.link.ask(ctx, ask, timeout)
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> Option<Ending> {
        let (call, answer) = self.link.on_message(ctx, from, msg)?;
        let told = match *answer {
            Answer::Put { index } => Some(Told::Written(index)),
            Answer::Value(value) => Some(Told::Holds(value)),
            Answer::Failed(_) => None,
            Answer::Done | Answer::Found(_) | Answer::Host(_) | Answer::Key(_) => {
                unreachable!("a caller asks for no {answer:?}")
            }
        };
        let outcome = if told.is_some() { Outcome::Success } else { Outcome::Rejected };
        // `X-Consul-Index` is that of the key, and says nothing of the others.
        Some(Ending::Call { call, outcome, learnt: told.map(|told| Learnt { state: None, key: Some(told) }) })
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) -> Option<Ending> {
        match timer {
            Timer::Call(call) => self.link.on_unanswered(call).then(|| {
                self.link.look_elsewhere();
                Ending::Call { call, outcome: Outcome::Timeout, learnt: None }
            }),
            Timer::Pulse(number) => self.link.on_pulse(ctx, number).then(|| self.leave(ctx)),
            Timer::Raft(_)
            | Timer::Gossip(_)
            | Timer::Entropy(_)
            | Timer::Retry(_)
            | Timer::Synced
            | Timer::Wake
            | Timer::Reconcile(_)
            | Timer::Lag
            | Timer::Ttl
            | Timer::Reap
            | Timer::Tell(_)
            | Timer::Pass(_)
            | Timer::Session
            | Timer::Look(_)
            | Timer::Renew(_)
            | Timer::Late(_) => unreachable!("a caller has no {timer:?}"),
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        if peer == self.link.server() {
            self.link.turn_to_next(ctx);
        }
    }

    fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        self.link.turn_to_next(ctx);
    }

    fn member(&self) -> NodeId {
        self.link.server()
    }
}
