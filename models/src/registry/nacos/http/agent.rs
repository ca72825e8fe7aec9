//! A client of the 1.x line as it makes requests: each to a server drawn anew, and to the next when that fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{Draws, Duration, NodeId};

use super::Timer;
use super::api::{Answer, Ask, Asker, Msg};
use crate::node::Ctx;
use crate::registry::Address;
use crate::registry::nacos::{self, Config};
use crate::waits::Wait;

/// What makes requests (client/naming/net/NamingProxy.java, 1.4.6, `reqApi`).
#[derive(Clone, Debug)]
pub struct Agent {
    config: Arc<Config>,
    members: Vec<NodeId>,
    luck: Draws,
    open: BTreeMap<u32, Request>,
    last: u32,
}

#[derive(Clone, Copy, Debug)]
struct Request {
    ask: Ask,
    /// Which server has it.
    at: usize,
    /// How many have not been tried.
    left: usize,
    /// How many have been: what comes of an earlier try means nothing.
    tries: u32,
}

impl Agent {
    /// A client that has asked nobody yet.
    pub fn new(address: &Address<Config>, ctx: &Ctx<'_>) -> Agent {
        Agent {
            config: address.config.clone(),
            members: address.layout.members.iter().map(|member| member.0).collect(),
            luck: ctx.luck("registry members").draw().many(),
            open: BTreeMap::new(),
            last: 0,
        }
    }

    /// The number of the request that a try is of.
    pub fn number(call: u32) -> u32 {
        call / TRIES
    }

    /// The registry's constants.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What its requests wait for.
    pub fn waits(&self, task: &str) -> Vec<Wait> {
        let wait = |request: &Request| {
            Wait::new(task, format!("the answer to {:?}", request.ask), [self.members[request.at]])
        };
        self.open.values().map(wait).collect()
    }

    /// Those that have a request.
    pub fn peers(&self) -> Vec<NodeId> {
        let mut peers: Vec<NodeId> = self.open.values().map(|request| self.members[request.at]).collect();
        peers.sort_unstable();
        peers.dedup();
        peers
    }

    /// Asks some server: the number of the request.
    pub fn ask(&mut self, ctx: &mut Ctx<'_>, ask: Ask) -> u32 {
        self.last += 1;
        let at = self.luck.at(self.last.into()).below(self.members.len() as u32) as usize;
        self.open.insert(self.last, Request { ask, at, left: self.members.len() - 1, tries: 0 });
        self.send(ctx, self.last);
        self.last
    }

    /// An answer has come: what it is, if it is the last word.
    pub fn on_answer<'a>(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &'a Answer) -> Option<&'a Answer> {
        let of = Agent::number(call);
        self.open.get(&of).filter(|request| request.tries == call % TRIES)?;
        if *answer == Answer::Failed {
            return self.fail(ctx, of).then_some(answer);
        }
        self.open.remove(&of);
        Some(answer)
    }

    /// A request has taken too long: its number, if no other server is left to ask. The connection is closed.
    pub fn on_unanswered(&mut self, ctx: &mut Ctx<'_>, call: u32) -> Option<u32> {
        let of = Agent::number(call);
        let at = self.open.get(&of).filter(|request| request.tries == call % TRIES)?.at;
        ctx.hang_up(self.members[at]);
        self.fail(ctx, of).then_some(of)
    }

    /// The connection to a server is gone: the numbers of the requests for which no other is left to ask.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) -> Vec<u32> {
        let lost = self.open.iter().filter(|(_, request)| self.members[request.at] == peer);
        let lost: Vec<u32> = lost.map(|(of, _)| *of).collect();
        lost.into_iter().filter(|&of| self.fail(ctx, of)).collect()
    }

    /// Turns to the next server; whether there is none.
    fn fail(&mut self, ctx: &mut Ctx<'_>, of: u32) -> bool {
        let members = self.members.len();
        let request = self.open.get_mut(&of).expect("only what is open fails");
        if request.left == 0 {
            self.open.remove(&of);
            return true;
        }
        request.left -= 1;
        request.tries += 1;
        request.at = (request.at + 1) % members;
        self.send(ctx, of);
        false
    }

    fn send(&mut self, ctx: &mut Ctx<'_>, of: u32) {
        let Request { ask, at, tries, .. } = self.open[&of];
        let call = of * TRIES + tries;
        let msg = Msg::Ask { call, ask, by: Asker::Client };
        ctx.stream(self.members[at], nacos::Msg::Http(msg).into());
        let timeout: Duration = self.config.request_timeout;
        ctx.after(timeout, Timer::Unanswered(call).into());
    }
}

/// A request has no more tries than this: there are no more members.
const TRIES: u32 = 128;
