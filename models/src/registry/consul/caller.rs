//! A client that uses Consul as a key-value store.

use schism_core::{Duration, NodeId, ZoneId};

use super::api::{Answer, Ask, Msg, Timer};
use super::link::Link;
use super::{Config, Mode};
use crate::client::Operation;
use crate::node::Ctx;
use crate::observation::Outcome;
use crate::registry::{self, Address, Ending, Pair};

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

    fn call(
        &mut self,
        ctx: &mut Ctx<'_>,
        operation: Operation,
        _key: Option<Pair>,
        timeout: Duration,
    ) -> u32 {
        let ask = match operation {
            Operation::Put => Ask::Put,
            Operation::Get => Ask::Get(self.link.config().reads),
            Operation::GetSerializable => Ask::Get(Mode::Stale),
        };
        self.link.ask(ctx, ask, timeout)
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> Option<Ending> {
        let (call, answer) = self.link.on_message(ctx, from, msg)?;
        let outcome = match answer {
            Answer::Done | Answer::Found(_) | Answer::Host(_) => Outcome::Success,
            Answer::Failed(_) => Outcome::Rejected,
        };
        Some(Ending::Call { call, outcome, learnt: None })
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
