//! Requests: who serves them, and how long they are held while nobody can (agent/consul/rpc.go, `ForwardRPC`).

use schism_core::{NodeId, Time};

use super::super::Version;
use super::super::api::{Answer, Ask, Failure, Msg, Timer};
use super::super::pulse::Pulse;
use super::super::stagger::stagger;
use super::super::{Mode, catalog::Command};
use super::{Asker, Member};
use crate::failpoint::{Pass, Point};
use crate::node::Ctx;
use crate::registry::raft::Peer;
use crate::registry::raft::log::{Entry, Proposal};
use crate::waits::Wait;

/// Jitters are a sixteenth of what they belong to (agent/structs/structs.go, `JitterFraction`).
pub(super) const JITTER: u64 = 16;

/// A request that is not served yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) asker: Asker,
    pub(super) ask: Ask,
    /// Since when.
    since: Time,
    /// The server that it was passed on to, if it was.
    to: Option<NodeId>,
}

impl Held {
    /// What it waits for: the server that it was passed on to, or a leader.
    pub(super) fn wait(&self) -> Wait {
        let task = match self.asker {
            Asker::Node(node, call) => format!("call {call} of {node:?}"),
            Asker::Reconciler | Asker::Nobody => "call of its own".to_owned(),
        };
        let what = if self.to.is_some() { "the leader's answer" } else { "a leader" };
        Wait::new(task, what, self.to.into_iter().collect::<Vec<NodeId>>()).since(self.since)
    }
}

impl Member {
    /// Someone asks.
    pub(super) fn on_ask(&mut self, ctx: &mut Ctx<'_>, asker: Asker, ask: Ask) {
        if self.throttles.refuse(ctx) {
            return self.answer(ctx, asker, Answer::Failed(Failure::Overloaded));
        }
        let held = Held { asker, ask, since: ctx.now(), to: None };
        match point(&ask).map_or(Pass::Clear, |point| self.passes.pass(ctx, point)) {
            Pass::Clear => self.route(ctx, held),
            Pass::Late(by) => {
                let number = self.hold(held);
                ctx.after(by, Timer::Late(number).into());
            }
            Pass::Fails(_) => self.answer(ctx, asker, Answer::Failed(Failure::Internal)),
            Pass::Ends => {}
        }
    }

    /// It is time for what a failpoint has put off.
    pub(super) fn on_late(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        self.on_held(ctx, number);
    }

    /// Serves a request, passes it on to the leader, or holds it until there is one.
    pub(super) fn route(&mut self, ctx: &mut Ctx<'_>, held: Held) {
        if self.raft.leads() || (held.ask.mode() == Some(Mode::Stale) && self.may_be_stale()) {
            return self.serve(ctx, held);
        }
        match self.leader() {
            Some(leader) => {
                let number = self.hold(Held { to: Some(leader), ..held });
                self.pulse_of(leader).listen(ctx);
                ctx.stream(leader, Msg::Ask { call: number, ask: held.ask }.into());
            }
            None => self.retry(ctx, held, Failure::NoLeader),
        }
    }

    /// Whether it may answer without the leader: once it has heard of one. Before 1.2.3 it did not look, and told that
    /// there is nobody (#4554).
    fn may_be_stale(&self) -> bool {
        self.config.version < Version::V1_10 || self.raft.contact().is_some()
    }

    /// Serves a request here.
    fn serve(&mut self, ctx: &mut Ctx<'_>, held: Held) {
        let command = match held.ask {
            Ask::Host(_) | Ask::List { .. } | Ask::Get(..) => return self.read(ctx, held),
            Ask::Key(ask) => return self.serve_key(ctx, held, ask),
            Ask::Register(registration) => Command::Register(registration),
            Ask::Remove { host, cause } => Command::RemoveService { host, cause },
            Ask::Put(pair) => Command::Put(pair),
        };
        self.propose(ctx, held.asker, command);
        self.settle(ctx);
    }

    /// Proposes a command; it is lost if this server does not lead any more.
    pub(super) fn propose(&mut self, ctx: &mut Ctx<'_>, asker: Asker, command: Command) {
        match self.passes.pass(ctx, Point::RegistryPropose) {
            Pass::Clear | Pass::Late(_) => {}
            Pass::Fails(_) => return self.answer(ctx, asker, Answer::Failed(Failure::Internal)),
            Pass::Ends => return,
        }
        self.last += 1;
        let proposal = Proposal { by: Some((self.me as Peer, self.last)), command: Some(command) };
        match self.raft.propose(Entry { term: 0, proposal }) {
            Ok(()) => {
                self.proposed.insert(self.last, asker);
            }
            Err(_) => self.answer(ctx, asker, Answer::Failed(Failure::Lost)),
        }
    }

    /// Leadership is lost, and with it what was proposed and not committed, for all that this server knows (hashicorp/raft,
    /// `ErrLeadershipLost`).
    pub(super) fn lose_proposals(&mut self, ctx: &mut Ctx<'_>) {
        for asker in std::mem::take(&mut self.proposed).into_values() {
            self.answer(ctx, asker, Answer::Failed(Failure::Lost));
        }
    }

    /// Tries a request again some time from now, unless it has been held for long enough (`canRetry`).
    fn retry(&mut self, ctx: &mut Ctx<'_>, held: Held, why: Failure) {
        if ctx.now().since(held.since) > self.config.hold + held.ask.blocks() {
            return self.answer(ctx, held.asker, Answer::Failed(why));
        }
        let wait = stagger(self.config.hold / JITTER, self.luck.draw());
        let number = self.hold(Held { to: None, ..held });
        ctx.after(wait, Timer::Call(number).into());
    }

    /// A request that was held is tried again.
    pub(super) fn on_held(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        if let Some(held) = self.held.remove(&number) {
            self.route(ctx, held);
        }
    }

    /// The leader has answered what was passed on to it. That nobody leads is no answer to a request that has time.
    pub(super) fn on_answer(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: Answer) {
        let Some(held) = self.held.remove(&call) else { return };
        match answer {
            Answer::Failed(Failure::NoLeader) => self.retry(ctx, held, Failure::NoLeader),
            Answer::Host(_)
            | Answer::Found(_)
            | Answer::Done
            | Answer::Put { .. }
            | Answer::Value(_)
            | Answer::Key(_)
            | Answer::Failed(_) => {
                self.answer(ctx, held.asker, answer);
            }
        }
    }

    /// The connection to a server broke: what only reads is tried again, and of what writes nobody knows.
    pub(super) fn fail_held(&mut self, ctx: &mut Ctx<'_>, server: NodeId) {
        self.pulse_of(server).renew();
        let calls: Vec<u32> =
            self.held.iter().filter(|(_, held)| held.to == Some(server)).map(|(&call, _)| call).collect();
        for call in calls {
            let Some(held) = self.held.remove(&call) else { continue };
            match held.ask.mode() {
                Some(_) => self.retry(ctx, held, Failure::Lost),
                None => self.answer(ctx, held.asker, Answer::Failed(Failure::Lost)),
            }
        }
    }

    /// The keepalive of the connection to a server.
    fn pulse_of(&mut self, server: NodeId) -> &mut Pulse {
        let number = self.cluster.server_at(server).expect("requests are passed on to servers");
        &mut self.pulses[number]
    }

    /// A server that requests were passed on to may have been silent for too long: the leader, or one that was it.
    pub(super) fn on_pulse(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        let which = number as usize % self.pulses.len();
        let server = self.cluster.server(which);
        let awaits = self.held.values().any(|held| held.to == Some(server));
        if self.pulses[which].on_timer(ctx, number, server, awaits) {
            ctx.hang_up(server);
            self.raft.on_reset(ctx.now(), which as Peer);
            self.fail_held(ctx, server);
            self.settle(ctx);
        }
    }

    /// Answers whoever has asked.
    pub(super) fn answer(&mut self, ctx: &mut Ctx<'_>, asker: Asker, answer: Answer) {
        match asker {
            Asker::Node(node, call) => ctx.stream(node, Msg::Answer { call, answer }.into()),
            Asker::Reconciler => self.reconciler.on_done(),
            Asker::Nobody => {}
        }
    }

    fn hold(&mut self, held: Held) -> u32 {
        self.last += 1;
        let number = self.last as u32;
        self.held.insert(number, held);
        number
    }
}

/// Which point a request passes.
fn point(ask: &Ask) -> Option<Point> {
    match ask {
        Ask::List { index: 0, .. } => Some(Point::RegistryList),
        Ask::List { .. } => Some(Point::RegistryWatch),
        Ask::Register(_) => Some(Point::RegistryRegister),
        Ask::Remove { .. } => Some(Point::RegistryRevoke),
        Ask::Host(_) | Ask::Put(_) | Ask::Get(..) | Ask::Key(_) => None,
    }
}
