//! Reconciliation: the leader sees to it that the catalog says of each host what the cluster knows of it
//! (agent/consul/leader.go, `leaderLoop`, `reconcile`). One write after another, as its one thread does it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schism_core::{Duration, NodeId};

use super::super::api::Timer;
use super::super::catalog::{Command, Registration, Status};
use super::super::cluster::Who;
use super::super::gossip::{self, Peer};
use super::{Asker, Member};
use crate::node::Ctx;

/// How often a leader compares all: 60 s (agent/consul/config.go, `ReconcileInterval`).
const INTERVAL: Duration = Duration::from_secs(60);

/// What a leader has yet to look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Reconciler {
    /// The agents, in order, with their hosts; each once.
    queue: VecDeque<Peer>,
    hosts: BTreeMap<Peer, NodeId>,
    /// Those who have left, or were given up. Memberlist forgets the dead soon; serf keeps who has failed for three days.
    gone: BTreeSet<Peer>,
    state: State,
    /// The number of the latest timer.
    reign: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    /// It does not lead, or has yet to apply what was left.
    #[default]
    Stopped,
    /// It has time.
    Ready,
    /// A write is under way.
    Busy,
}

impl Reconciler {
    /// Something has happened to a member. Who does not lead forgets that: a leader begins by comparing all.
    pub(super) fn note(&mut self, peer: Peer, host: NodeId) {
        if self.state != State::Stopped && self.hosts.insert(peer, host).is_none() {
            self.queue.push_back(peer);
        }
    }

    /// Whether someone has left, or was given up.
    pub(super) fn gone(&mut self, peer: Peer, gone: bool) {
        if gone {
            self.gone.insert(peer);
        } else {
            self.gone.remove(&peer);
        }
    }

    /// It does not lead any more.
    pub(super) fn stop(&mut self) {
        let gone = std::mem::take(&mut self.gone);
        *self = Reconciler { reign: self.reign, gone, ..Reconciler::default() };
    }

    /// The write is done, or lost.
    pub(super) fn on_done(&mut self) {
        if self.state == State::Busy {
            self.state = State::Ready;
        }
    }
}

impl Member {
    /// It leads, and begins by comparing all.
    pub(super) fn begin_reconciling(&mut self, ctx: &mut Ctx<'_>) {
        self.reconciler.state = State::Ready;
        self.reconciler.reign = self.reconciler.reign.wrapping_add(1);
        self.compare_all(ctx);
    }

    /// It is time to compare all again.
    pub(super) fn on_reconcile(&mut self, ctx: &mut Ctx<'_>, reign: u32) {
        if reign == self.reconciler.reign && self.reconciler.state != State::Stopped {
            self.compare_all(ctx);
            self.settle(ctx);
        }
    }

    fn compare_all(&mut self, ctx: &mut Ctx<'_>) {
        for peer in self.cluster.servers() as Peer..self.cluster.size() {
            if let Who::Agent(host) = self.cluster.who(peer)
                && self.correction(peer, host).is_some()
            {
                self.reconciler.note(peer, host);
            }
        }
        ctx.after(INTERVAL, Timer::Reconcile(self.reconciler.reign).into());
    }

    /// Corrects the next host that needs it, unless a correction is under way.
    pub(super) fn reconcile_on(&mut self, ctx: &mut Ctx<'_>) {
        while self.reconciler.state == State::Ready
            && let Some(peer) = self.reconciler.queue.pop_front()
        {
            let host = self.reconciler.hosts.remove(&peer).expect("who is queued has a host");
            if let Some(command) = self.correction(peer, host) {
                self.reconciler.state = State::Busy;
                self.propose(ctx, Asker::Reconciler, command);
            }
        }
    }

    /// What is to be written of a host, if the catalog does not say it (`handleAliveMember`, `handleFailedMember`,
    /// `handleLeftMember`, `handleReapMember`). Of one that fails and is not in the catalog nothing is written.
    fn correction(&self, peer: Peer, host: NodeId) -> Option<Command> {
        let known = self.catalog.host(host);
        let serf = |status| {
            let serf = Some(status);
            Command::Register(Registration { host, service: None, check: None, serf })
        };
        if self.reconciler.gone.contains(&peer) {
            return known.map(|_| Command::RemoveHost { host });
        }
        match self.gossip.status(peer) {
            gossip::Status::Alive | gossip::Status::Suspect => {
                let says = known.and_then(|known| known.serf);
                (says != Some(Status::Passing)).then(|| serf(Status::Passing))
            }
            gossip::Status::Dead => {
                let says = known?.serf;
                (says != Some(Status::Critical)).then(|| serf(Status::Critical))
            }
            // Forgotten by the gossip, or not yet known to a server that has just started.
            gossip::Status::Left | gossip::Status::Unknown => None,
        }
    }
}
