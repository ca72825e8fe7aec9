//! A client's connection to a registry of several members: one at a time, and the next when that one fails.

use std::sync::Arc;

use schism_core::{Duration, NodeId, ZoneId};

use super::Config;
use super::api::{Answer, Ask, Failure, Msg};
use crate::node::{Ctx, Timer as NodeTimer};

/// How long a client waits before it tries again: 500 ms (client/v3/lease.go, `retryConnWait`).
pub const RETRY: Duration = Duration::from_millis(500);

/// Where the registry is, as an instance or client is configured.
#[derive(Clone, Debug)]
pub struct Address {
    /// The registry's constants.
    pub config: Arc<Config>,
    /// The members and their zones.
    pub members: Arc<[(NodeId, ZoneId)]>,
}

/// The connection.
#[derive(Clone, Debug)]
pub struct Session {
    config: Arc<Config>,
    /// The members in this client's order: those of its own zone first, each part shuffled.
    members: Vec<NodeId>,
    at: usize,
    last_call: u32,
    /// Calls that are not answered, with what they asked.
    open: Vec<(u32, Ask)>,
}

impl Session {
    /// A client in `zone`, connected to nobody yet.
    pub fn new(address: &Address, zone: ZoneId, ctx: &Ctx<'_>) -> Session {
        let mut luck = ctx.luck("registry members");
        let (mut near, mut far): (Vec<_>, Vec<_>) =
            address.members.iter().partition(|member| member.1 == zone);
        luck.shuffle(&mut near);
        luck.shuffle(&mut far);
        let members = near.into_iter().chain(far).map(|&(node, _)| node).collect();
        Session { config: address.config.clone(), members, at: 0, last_call: 0, open: Vec::new() }
    }

    /// The registry's constants.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The member it is connected to.
    pub fn member(&self) -> NodeId {
        self.members[self.at]
    }

    /// Sends a message to that member.
    pub fn send(&self, ctx: &mut Ctx<'_>, msg: Msg) {
        ctx.stream(self.member(), msg.into());
    }

    /// Asks that member; the answer is waited for no longer than `timeout`.
    pub fn ask(&mut self, ctx: &mut Ctx<'_>, ask: Ask, timeout: Duration) -> u32 {
        self.last_call += 1;
        let call = self.last_call;
        self.open.push((call, ask));
        self.send(ctx, Msg::Ask { call, ask });
        ctx.after(timeout, NodeTimer::Unanswered { call });
        call
    }

    /// An answer has come. `None` if nobody waits for it any more; a read that met a change of leader is asked again,
    /// as the client library does with what it may safely repeat (client/v3/retry.go).
    pub fn on_answer<'a>(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &'a Answer) -> Option<&'a Answer> {
        let at = self.open.iter().position(|open| open.0 == call)?;
        let ask = self.open[at].1;
        if let (Answer::Failed(Failure::LeaderChanged), Ask::List { .. } | Ask::Get { .. }) = (answer, ask) {
            self.send(ctx, Msg::Ask { call, ask });
            return None;
        }
        self.open.swap_remove(at);
        Some(answer)
    }

    /// Time is up for a call: whether it was still open.
    pub fn on_unanswered(&mut self, call: u32) -> bool {
        let before = self.open.len();
        self.open.retain(|open| open.0 != call);
        self.open.len() < before
    }

    /// Sends what follows to the next member; what is open stays so.
    pub fn look_elsewhere(&mut self) {
        self.at = (self.at + 1) % self.members.len();
    }

    /// Leaves the member for the next; no call is open any more.
    pub fn turn_to_next(&mut self, ctx: &mut Ctx<'_>) {
        ctx.hang_up(self.member());
        self.look_elsewhere();
        self.open.clear();
    }
}
