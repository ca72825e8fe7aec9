//! A control-plane node: an API server with its etcd, and a controller manager that may be the active one.

mod ails;
mod calls;
mod lead;
mod watches;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schism_core::{Duration, NodeId};

use self::ails::Lag;
use self::calls::Late;
use super::api::{Answer, Failure, Msg};
use super::elector::Elector;
use super::etcd::{Etcd, HEARTBEAT, REQUEST_TIMEOUT, Setting};
use super::manager::Manager;
use super::store::{Command, Effect, Heard, Store};
use super::{Config, Disk};
use crate::failpoint::{Pass, Passes, Point};
use crate::holdings::Keeps;
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::{Observation, Write};
use crate::plight::Plight;
use crate::registry::ail::Throttles;
use crate::registry::raft::Peer;
use crate::registry::raft::log::{Entry, Proposal};
use crate::registry::watchers::Watchers;
use crate::registry::{Seat, Server};
use crate::waits::Wait;

/// What a member reminds itself of.
#[derive(Clone, Copy, Debug, Hash)]
pub enum Timer {
    /// A tick of its etcd.
    Tick,
    /// The disk has what it was given.
    Synced,
    /// A write has taken too long.
    TimedOut(u64),
    /// The controller manager looks at the lease of the active one.
    Elect(u32),
    /// The active one looks at all nodes.
    Monitor(u32),
    /// It works on the nodes that are to be tainted.
    Taint(u32),
    /// It deletes the pods of a tainted node.
    Evict {
        /// How many active ones there were before it.
        term: u32,
        /// The node.
        node: NodeId,
    },
    /// It works on a service that it has put off.
    Sync {
        /// How many active ones there were before it.
        term: u32,
        /// The service.
        service: ServiceId,
    },
    /// It is time to show changes of some time ago.
    Lag,
    /// It is time for something that was put off at a failpoint.
    Late(u64),
}

/// A control-plane node.
#[derive(Clone, Debug)]
pub struct Member {
    pub(super) seat: Seat<Config>,
    etcd: Box<Etcd>,
    pub(super) store: Store,
    /// The number of the last write.
    last: u64,
    /// Who waits for which.
    waiting: BTreeMap<u64, Waiting>,
    /// Those with an open connection.
    clients: BTreeSet<NodeId>,
    watchers: Watchers,
    /// The kubelets that watch the pod of a node.
    kubelets: BTreeMap<NodeId, NodeId>,
    elector: Elector,
    /// How many processes its controller manager has been.
    managers: u32,
    pub(super) manager: Option<Box<Manager>>,
    /// What readers and watchers are shown, while that is not the state as it is.
    lag: Option<Lag>,
    throttles: Throttles,
    passes: Passes,
    late: BTreeMap<u64, Late>,
}

/// A call and who made it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    client: NodeId,
    call: u32,
}

/// Who waits for a write.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waiting {
    Call(Caller),
    /// The active controller manager, which writes a service's slices.
    Slice(ServiceId),
    /// The controller manager that was so many before, for the lease.
    Lead(u32),
    Nobody,
}

impl Server for Member {
    type Msg = Msg;
    type Timer = super::Timer;

    fn keeps(&self) -> Keeps {
        Keeps { watches: self.watchers.len() + self.kubelets.len(), sessions: 0, pending: self.waiting.len() }
    }

    fn waits(&self) -> Vec<Wait> {
        let raft = self.etcd.waits();
        let commit = match (self.etcd.other_leader(), &raft) {
            (Some(leader), _) => vec![leader],
            (None, Some((_, others))) => others.clone(),
            (None, None) => Vec::new(),
        };
        let write = |(&number, waiting): (&u64, &Waiting)| {
            let task = match waiting {
                Waiting::Call(Caller { client, call }) => format!("call {call} of {client:?}"),
                Waiting::Slice(service) => format!("slice of service {}", service.0),
                Waiting::Lead(_) => "leader election".to_owned(),
                Waiting::Nobody => "write".to_owned(),
            };
            Wait::new(task, "its entry to be applied", commit.clone()).by(Timer::TimedOut(number))
        };
        let raft = raft.iter().map(|(what, on)| Wait::new("raft", *what, on.clone()));
        raft.chain(self.waiting.iter().map(write)).collect()
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        if self.hears(ctx, from, &msg) {
            self.hear(ctx, from, msg);
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) {
        let super::Timer::Member(timer) = timer else { unreachable!("a member has no {timer:?}") };
        match timer {
            Timer::Tick => {
                ctx.after(HEARTBEAT, Timer::Tick.into());
                self.etcd.tick();
                self.settle(ctx);
            }
            Timer::Synced => {
                self.etcd.on_synced(ctx);
                self.settle(ctx);
            }
            Timer::TimedOut(number) => self.on_timed_out(ctx, number),
            Timer::Elect(manager) => self.on_elect(ctx, manager),
            Timer::Monitor(term) => self.on_monitor(ctx, term),
            Timer::Taint(term) => self.on_taint(ctx, term),
            Timer::Evict { term, node } => self.on_evict(ctx, term, node),
            Timer::Sync { term, service } => self.on_sync(ctx, term, service),
            Timer::Lag => self.on_lag(ctx),
            Timer::Late(number) => self.on_late(ctx, number),
        }
    }

    /// A client has gone, and with it what it waits for and watches.
    fn on_reset(&mut self, _: &mut Ctx<'_>, peer: NodeId) {
        self.clients.remove(&peer);
        self.watchers.forget(peer);
        if let Some(host) = self.host_of(peer) {
            self.kubelets.remove(&host);
        }
    }

    fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        self.etcd.look_at_disk(ctx);
        self.mind_ails(ctx);
        self.settle(ctx);
        if let Some((by, _)) = ctx.plight().and_then(Plight::stopping) {
            ctx.exit(by);
        }
    }

    fn peers(&self) -> Vec<NodeId> {
        let me = self.seat.layout.members[self.seat.me].0;
        let members = self.seat.layout.members.iter().map(|member| member.0).filter(|&member| member != me);
        members.chain(self.clients.iter().copied()).collect()
    }

    /// The controller manager that is active leads; its term is how often the lease has changed hands, and one.
    fn leads(&self) -> Option<u64> {
        self.manager.as_ref()?;
        self.store.lead().map(|lead| lead.transitions + 1)
    }
}

impl Member {
    /// A member as it boots, with what its disk holds.
    pub fn boot(seat: &Seat<Config>, disk: &Disk, ctx: &mut Ctx<'_>) -> Member {
        let config = &seat.config;
        let setting = Setting {
            me: seat.me as Peer,
            members: seat.layout.members.iter().map(|member| member.0).collect(),
            fsync: &config.fsync,
        };
        let mut store = Store::new(seat.layout.services.len() as u16);
        for index in 1..=disk.commit {
            let entry = disk.log.get(index).expect("what is committed is in the log");
            if let Some(command) = &entry.proposal.command {
                let effect = store.apply(command);
                store.number_writes(writes(&effect).len());
            }
        }
        let tick = Duration::from_secs_f64(HEARTBEAT.as_secs_f64() * ctx.luck("phases").draw().unit());
        ctx.after(tick, Timer::Tick.into());
        for listing in store.listings() {
            ctx.observe(Observation::View(listing.clone()));
        }
        let mut member = Member {
            etcd: Box::new(Etcd::boot(setting, disk, ctx)),
            store,
            // Numbers of an earlier life must not come again; no life takes one a nanosecond.
            last: ctx.moment().as_nanos(),
            waiting: BTreeMap::new(),
            clients: BTreeSet::new(),
            watchers: Watchers::default(),
            kubelets: BTreeMap::new(),
            elector: Elector::new(0),
            managers: 0,
            manager: None,
            lag: None,
            throttles: Throttles::default(),
            passes: Passes::default(),
            late: BTreeMap::new(),
            seat: seat.clone(),
        };
        member.begin_manager(ctx);
        member.mind_ails(ctx);
        member
    }

    fn hear(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        match msg {
            Msg::Raft(message) => {
                self.etcd.step(from, message);
                self.settle(ctx);
            }
            Msg::Call { call, verb } => {
                self.clients.insert(from);
                self.on_call(ctx, Caller { client: from, call }, verb);
            }
            Msg::Watch { service, after } => {
                self.clients.insert(from);
                self.watch(ctx, from, service, after);
            }
            Msg::WatchPod { node } => {
                self.clients.insert(from);
                self.kubelets.insert(node, from);
                ctx.stream(from, Msg::Pod(self.store.pod(node)).into());
            }
            Msg::Ping => {
                self.clients.insert(from);
                ctx.stream(from, Msg::Pong.into());
            }
            // What API servers tell clients, and kubelets and containers each other.
            Msg::Answer { .. }
            | Msg::Slices(_)
            | Msg::Gone { .. }
            | Msg::Pod(_)
            | Msg::Pong
            | Msg::Running { .. }
            | Msg::Inspect
            | Msg::Terminate
            | Msg::Exited
            | Msg::Leave
            | Msg::Told(_) => {}
        }
    }

    /// Proposes a command for someone who waits for it no longer than the request timeout.
    pub(super) fn propose(&mut self, ctx: &mut Ctx<'_>, waiting: Waiting, command: Command) {
        self.last += 1;
        let number = self.last;
        self.waiting.insert(number, waiting);
        ctx.after(REQUEST_TIMEOUT, Timer::TimedOut(number).into());
        let proposal = Proposal { by: Some((self.seat.me as Peer, number)), command: Some(command) };
        let entry = Entry { term: 0, proposal };
        match self.passes.pass(ctx, Point::RegistryPropose) {
            Pass::Clear => self.etcd.propose(entry),
            Pass::Late(by) => self.postpone(ctx, by, Late::Entry(entry)),
            // It is lost, and whoever waits for it does so until the request timeout.
            Pass::Fails(_) | Pass::Ends => {}
        }
        self.settle(ctx);
    }

    /// Does all that etcd has to do, and what comes of that.
    fn settle(&mut self, ctx: &mut Ctx<'_>) {
        loop {
            let committed = self.etcd.settle(ctx, &mut self.passes);
            if committed.is_empty() {
                return;
            }
            committed.into_iter().for_each(|entry| self.apply(ctx, &entry));
        }
    }

    fn apply(&mut self, ctx: &mut Ctx<'_>, entry: &Entry<Command>) {
        let Some(command) = &entry.proposal.command else { return };
        let effect = self.store.apply(command);
        let writes = writes(&effect);
        let first = self.store.number_writes(writes.len());
        for (at, write) in (first..).zip(writes) {
            ctx.observe(Observation::Committed { at, write });
        }
        match &effect {
            Effect::Slice(service, _, changes) => self.tell_watchers(ctx, *service, changes),
            Effect::Pod(_, node) => self.tell_kubelet(ctx, *node),
            Effect::Refused
            | Effect::Beat(_)
            | Effect::Node(_)
            | Effect::Lead(_)
            | Effect::Lock(..)
            | Effect::Unseen => {}
        }
        if let Some((by, number)) = entry.proposal.by
            && by == self.seat.me as Peer
            && let Some(waiting) = self.waiting.remove(&number)
        {
            self.on_written(ctx, waiting, &effect);
        }
        self.control(ctx, &effect);
    }

    fn on_written(&mut self, ctx: &mut Ctx<'_>, waiting: Waiting, effect: &Effect) {
        match waiting {
            Waiting::Call(caller) => {
                if let Effect::Beat(_) = effect {
                    ctx.observe(Observation::Extended);
                }
                let answer = match effect {
                    Effect::Refused => Answer::Failed(Failure::NotFound),
                    Effect::Lock(record, _) => Answer::Lease(Some(*record)),
                    Effect::Beat(_)
                    | Effect::Node(_)
                    | Effect::Pod(..)
                    | Effect::Slice(..)
                    | Effect::Lead(_)
                    | Effect::Unseen => Answer::Done,
                };
                self.answer(ctx, caller, answer);
            }
            Waiting::Slice(service) => self.on_slice_written(ctx, service, true),
            Waiting::Lead(manager) => self.on_lease_written(ctx, manager, effect),
            Waiting::Nobody => {}
        }
    }

    /// A write has taken too long; it may still come through.
    fn on_timed_out(&mut self, ctx: &mut Ctx<'_>, number: u64) {
        let Some(waiting) = self.waiting.remove(&number) else { return };
        self.etcd.withdraw(number);
        match waiting {
            Waiting::Call(caller) => self.answer(ctx, caller, Answer::Failed(Failure::TimedOut)),
            Waiting::Slice(service) => self.on_slice_written(ctx, service, false),
            Waiting::Lead(_) | Waiting::Nobody => {}
        }
    }

    fn answer(&self, ctx: &mut Ctx<'_>, Caller { client, call }: Caller, answer: Answer) {
        ctx.stream(client, Msg::Answer { call, answer }.into());
    }

    fn tell_kubelet(&self, ctx: &mut Ctx<'_>, node: NodeId) {
        if let Some(&kubelet) = self.kubelets.get(&node) {
            ctx.stream(kubelet, Msg::Pod(self.store.pod(node)).into());
        }
    }

    fn host_of(&self, kubelet: NodeId) -> Option<NodeId> {
        let found = self.kubelets.iter().find(|&(_, &watcher)| watcher == kubelet);
        found.map(|(&host, _)| host)
    }
}

/// What the witnesses are told that a command has written.
fn writes(effect: &Effect) -> Vec<Write> {
    match effect {
        Effect::Beat(Heard::First) => vec![Write::Grant],
        Effect::Slice(_, writes, _) if !writes.is_empty() => writes.clone(),
        Effect::Lock(_, writes) => writes.clone(),
        Effect::Node(_) | Effect::Pod(..) | Effect::Slice(..) | Effect::Lead(_) => vec![Write::Put],
        // A renewal is told of as such, by who was asked for it.
        Effect::Beat(Heard::Again) | Effect::Refused | Effect::Unseen => Vec::new(),
    }
}

/// What everyone who has missed nothing shares.
type Shared = Arc<Msg>;
