//! A client's connection to the servers over HTTP: one at a time, and the next when that one fails. The real clients
//! speak to one address, behind which there is an agent or a balancer; this is what that comes to.

use std::sync::Arc;

use schism_core::{Duration, NodeId, ZoneId};

use super::Config;
use super::api::{Answer, Ask, Msg, Timer};
use super::pulse::{Pulse, TCP};
use crate::node::Ctx;
use crate::registry::Address;
use crate::waits::Wait;

/// How long a client waits before it tries again at once that failed at once: 1 s, ours.
pub const RETRY: Duration = Duration::from_secs(1);

/// The connection.
#[derive(Clone, Debug)]
pub struct Link {
    config: Arc<Config>,
    /// The servers in this client's order: those of its own zone first, each part shuffled.
    servers: Vec<NodeId>,
    at: usize,
    calls: u32,
    /// Calls that are not answered.
    open: Vec<u32>,
    pulse: Pulse,
}

impl Link {
    /// A client in `zone`, connected to nobody yet.
    pub fn new(address: &Address<Config>, zone: ZoneId, ctx: &Ctx<'_>) -> Link {
        let (mut near, mut far) = address.layout.members_near(zone);
        let mut luck = ctx.luck("registry members");
        luck.shuffle(&mut near);
        luck.shuffle(&mut far);
        near.extend(far);
        Link {
            config: address.config.clone(),
            servers: near,
            at: 0,
            calls: 0,
            open: Vec::new(),
            pulse: Pulse::new(TCP),
        }
    }

    /// The constants.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The server that it is connected to.
    pub fn server(&self) -> NodeId {
        self.servers[self.at]
    }

    /// What its calls wait for.
    pub fn waits(&self, task: &str) -> Vec<Wait> {
        let wait = |&call: &u32| {
            Wait::new(task, format!("the answer to call {call}"), [self.server()]).by(Timer::Call(call))
        };
        self.open.iter().map(wait).collect()
    }

    /// Asks that server. What does not block is waited for no longer than `timeout`.
    pub fn ask(&mut self, ctx: &mut Ctx<'_>, ask: Ask, timeout: Duration) -> u32 {
        self.calls = self.calls.wrapping_add(1);
        let call = self.calls;
        self.open.push(call);
        self.pulse.listen(ctx);
        ctx.stream(self.server(), Msg::Ask { call, ask }.into());
        if ask.blocks() == Duration::ZERO {
            ctx.after(timeout, Timer::Call(call).into());
        }
        call
    }

    /// Something has come from a server: the answer to a call that is waited for, if it is that.
    pub fn on_message<'a>(&mut self, ctx: &Ctx<'_>, from: NodeId, msg: &'a Msg) -> Option<(u32, &'a Answer)> {
        if from != self.server() {
            return None;
        }
        self.pulse.hear(ctx.now());
        let Msg::Answer { call, answer } = msg else { return None };
        let at = self.open.iter().position(|open| open == call)?;
        self.open.swap_remove(at);
        Some((*call, answer))
    }

    /// Time is up for a call: whether it was still open.
    pub fn on_unanswered(&mut self, call: u32) -> bool {
        let before = self.open.len();
        self.open.retain(|&open| open != call);
        self.open.len() < before
    }

    /// The connection may have been silent for too long: whether nobody is at the other end.
    pub fn on_pulse(&mut self, ctx: &mut Ctx<'_>, number: u32) -> bool {
        let (server, awaits) = (self.server(), !self.open.is_empty());
        self.pulse.on_timer(ctx, number, server, awaits)
    }

    /// Sends what follows to the next server; what is open stays so.
    pub fn look_elsewhere(&mut self) {
        self.at = (self.at + 1) % self.servers.len();
        self.pulse.renew();
    }

    /// Leaves the server for the next; no call is open any more.
    pub fn turn_to_next(&mut self, ctx: &mut Ctx<'_>) {
        ctx.hang_up(self.server());
        self.look_elsewhere();
        self.open.clear();
    }
}
