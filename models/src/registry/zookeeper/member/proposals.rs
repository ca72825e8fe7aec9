//! What a leader makes of requests: transactions that are proposed, acknowledged and committed in order; and the sessions
//! that it alone lets expire (server/PrepRequestProcessor.java, server/SessionTrackerImpl.java, 3.8.0).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use schism_core::{Duration, NodeId};

use super::super::api::Leader;
use super::super::expiry::ExpiryQueue;
use super::super::log::{Entry, Sid};
use super::super::tree::{Refusal, SessionId, Txn};
use super::super::zxid::Zxid;
use super::late::Late;
use super::{Member, Role, Timer};
use crate::failpoint::{Pass, Point};
use crate::node::Ctx;
use crate::observation::{Cause, Observation};

/// A server that waits, and its number for the request.
pub(super) type By = Option<(Sid, u64)>;

/// What has been proposed and is not committed, and what will have changed when it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Proposals {
    /// The last that was proposed.
    last: Zxid,
    outstanding: VecDeque<Outstanding>,
    /// The owners that nodes will have (`outstandingChanges`).
    ahead: BTreeMap<NodeId, (Zxid, Option<SessionId>)>,
    /// Sessions that have been told to end.
    closing: BTreeSet<SessionId>,
    /// The time-outs of sessions that are tracked.
    timeouts: BTreeMap<SessionId, Duration>,
    /// Who waits for the last proposal of its time to be committed.
    syncs: BTreeMap<Zxid, Vec<(Sid, u64)>>,
}

#[derive(Clone, Debug)]
struct Outstanding {
    zxid: Zxid,
    acks: BTreeSet<Sid>,
}

impl Proposals {
    /// An epoch begins.
    pub(super) fn begin(&mut self, zxid: Zxid) {
        self.last = zxid;
    }

    /// What has been applied is not ahead any more.
    fn forget(&mut self, applied: Zxid) {
        self.ahead.retain(|_, (zxid, _)| *zxid > applied);
    }
}

impl Member {
    /// A request has come to the leader.
    pub(super) fn submit(&mut self, ctx: &mut Ctx<'_>, by: By, session: SessionId, txn: Txn) {
        match self.passes.pass(ctx, Point::RegistryPropose) {
            Pass::Clear => self.propose(ctx, by, session, txn),
            Pass::Late(delay) => self.postpone(ctx, delay, Late::Proposal(by, session, txn)),
            // It is lost, and whoever waits for it does so until its connection ends.
            Pass::Fails(_) | Pass::Ends => {}
        }
    }

    /// Makes a transaction of a request, and proposes it.
    pub(super) fn propose(&mut self, ctx: &mut Ctx<'_>, by: By, session: SessionId, txn: Txn) {
        if !self.leading().is_some_and(|leading| leading.is_established()) {
            return;
        }
        let txn = self.prepare(ctx, session, txn);
        let Some(leading) = self.leading() else { return };
        let zxid = leading.proposals.last.next();
        leading.proposals.last = zxid;
        leading.proposals.outstanding.push_back(Outstanding { zxid, acks: BTreeSet::new() });
        let forwarding = leading.forwarding();
        for &sid in &forwarding {
            leading.note_proposal(sid, zxid, ctx.now());
        }
        self.look_ahead(zxid, session, &txn);
        let entry = Entry { zxid, txn, by };
        self.log.push(entry.clone());
        let entry = Arc::new(entry);
        for sid in forwarding {
            self.tell(ctx, sid, Leader::Propose(entry.clone()));
        }
        self.sync(ctx);
    }

    /// What a request comes to, with all that was proposed before it.
    fn prepare(&mut self, ctx: &Ctx<'_>, session: SessionId, txn: Txn) -> Txn {
        let lives = self.is_tracked(session);
        match txn {
            Txn::CreateSession { timeout, .. } => {
                self.track(ctx, session, timeout);
                txn
            }
            Txn::CloseSession { .. } | Txn::Restore { .. } | Txn::Error(_) => txn,
            // What no session asks for is a fault's.
            Txn::Delete { cause: Cause::Lost, .. } => txn,
            Txn::Create { .. }
            | Txn::SetData { .. }
            | Txn::Put(_)
            | Txn::Delete { .. }
            | Txn::Stand { .. }
            | Txn::Step { .. }
                if !lives =>
            {
                Txn::Error(Refusal::SessionExpired)
            }
            Txn::Create { endpoint, .. } if self.owner(endpoint.node).is_some() => {
                Txn::Error(Refusal::NodeExists)
            }
            Txn::SetData { endpoint } if self.owner(endpoint.node).is_none() => Txn::Error(Refusal::NoNode),
            Txn::Delete { node, .. } if self.owner(node).is_none() => Txn::Error(Refusal::NoNode),
            Txn::Create { .. }
            | Txn::SetData { .. }
            | Txn::Put(_)
            | Txn::Delete { .. }
            | Txn::Stand { .. }
            | Txn::Step { .. } => txn,
        }
    }

    /// The session that a node will belong to once all is committed, if it will be there.
    fn owner(&self, node: NodeId) -> Option<SessionId> {
        let ahead = match &self.role {
            Role::Leading(leading) => leading.proposals.ahead.get(&node),
            Role::Looking | Role::Following(_) => None,
        };
        match ahead {
            Some(&(_, owner)) => owner,
            None => self.tree.znode(node).map(|znode| znode.owner),
        }
    }

    /// Remembers what a proposal will have changed.
    fn look_ahead(&mut self, zxid: Zxid, session: SessionId, txn: &Txn) {
        let change = match *txn {
            Txn::Create { endpoint, session, .. } => Some((endpoint.node, Some(session))),
            Txn::Delete { node, .. } => Some((node, None)),
            Txn::CloseSession { session, .. } => self.owned(session).map(|node| (node, None)),
            Txn::CreateSession { .. }
            | Txn::SetData { .. }
            | Txn::Put(_)
            | Txn::Stand { .. }
            | Txn::Step { .. }
            | Txn::Error(_)
            | Txn::Restore { .. } => None,
        };
        let Some(leading) = self.leading() else { return };
        if let Some((node, owner)) = change {
            leading.proposals.ahead.insert(node, (zxid, owner));
        }
        if let Txn::CloseSession { .. } = txn {
            leading.proposals.closing.insert(session);
        }
    }

    /// The node that will belong to a session once all is committed.
    fn owned(&self, session: SessionId) -> Option<NodeId> {
        let Role::Leading(leading) = &self.role else { return None };
        let mut ahead = leading.proposals.ahead.iter();
        let coming = ahead.find(|(_, (_, owner))| *owner == Some(session)).map(|(&node, _)| node);
        coming.or_else(|| self.tree.owned(session).filter(|node| !leading.proposals.ahead.contains_key(node)))
    }

    /// A server has all proposals up to this on its disk. Those that a quorum has are committed, in order.
    pub(super) fn on_ack(&mut self, ctx: &mut Ctx<'_>, sid: Sid, zxid: Zxid) {
        let quorum = self.seat.layout.members.len() / 2;
        let Some(leading) = self.leading() else { return };
        leading.note_ack(sid, zxid);
        let outstanding = &mut leading.proposals.outstanding;
        for proposal in outstanding.iter_mut().take_while(|proposal| proposal.zxid <= zxid) {
            proposal.acks.insert(sid);
        }
        let mut committed = None;
        while outstanding.front().is_some_and(|proposal| proposal.acks.len() > quorum) {
            committed = outstanding.pop_front().map(|proposal| proposal.zxid);
        }
        if let Some(zxid) = committed {
            let forwarding = leading.forwarding();
            for sid in forwarding {
                self.tell(ctx, sid, Leader::Commit(zxid));
            }
            self.apply_up_to(ctx, zxid);
            self.answer_syncs(ctx, zxid);
        }
    }

    /// Someone would see all that is committed: once the last proposal of this moment is. Nobody asks a quorum whether the
    /// leader still leads (`processSync`).
    pub(super) fn on_sync(&mut self, ctx: &mut Ctx<'_>, sid: Sid, number: u64) {
        let Some(leading) = self.leading() else { return };
        match leading.proposals.outstanding.back() {
            Some(last) => leading.proposals.syncs.entry(last.zxid).or_default().push((sid, number)),
            None => self.answer_sync(ctx, sid, number),
        }
    }

    fn answer_syncs(&mut self, ctx: &mut Ctx<'_>, committed: Zxid) {
        let Some(leading) = self.leading() else { return };
        let waiting = std::mem::take(&mut leading.proposals.syncs);
        for (zxid, askers) in waiting {
            if zxid <= committed {
                askers.into_iter().for_each(|(sid, number)| self.answer_sync(ctx, sid, number));
            } else if let Some(leading) = self.leading() {
                leading.proposals.syncs.insert(zxid, askers);
            }
        }
    }

    fn answer_sync(&mut self, ctx: &mut Ctx<'_>, sid: Sid, number: u64) {
        if sid == self.me {
            self.on_synced_up(ctx, number);
        } else {
            self.tell(ctx, sid, Leader::Synced { number });
        }
    }

    // Sessions.

    /// All sessions have their whole time-out from now on: nobody but the last leader knew when they were heard of.
    pub(super) fn track_sessions(&mut self, ctx: &mut Ctx<'_>) {
        self.restart_sessions(ctx);
        if let Some(queue) = self.leading().and_then(|leading| leading.sessions.as_ref()) {
            let wait = queue.wait(ctx.now());
            ctx.after(wait, Timer::Expiry(self.turn).into());
        }
    }

    fn restart_sessions(&mut self, ctx: &Ctx<'_>) {
        let queue = ExpiryQueue::new(self.seat.config.tick, self.phase, ctx.now());
        let sessions: Vec<(SessionId, Duration)> = self.tree.sessions().collect();
        if let Some(leading) = self.leading() {
            leading.sessions = Some(queue);
            leading.proposals.timeouts.clear();
            leading.proposals.closing.clear();
        }
        for (session, timeout) in sessions {
            self.track(ctx, session, timeout);
        }
    }

    fn track(&mut self, ctx: &Ctx<'_>, session: SessionId, timeout: Duration) {
        if let Some(leading) = self.leading()
            && let Some(queue) = &mut leading.sessions
        {
            queue.touch(session, timeout, ctx.now());
            leading.proposals.timeouts.insert(session, timeout);
        }
    }

    fn is_tracked(&self, session: SessionId) -> bool {
        match &self.role {
            Role::Leading(leading) => {
                leading.proposals.timeouts.contains_key(&session)
                    && !leading.proposals.closing.contains(&session)
            }
            Role::Looking | Role::Following(_) => false,
        }
    }

    /// A session has been heard of: its time-out, if it lives.
    pub(super) fn touch(&mut self, ctx: &mut Ctx<'_>, session: SessionId) -> Option<Duration> {
        if !self.is_tracked(session) {
            return None;
        }
        let leading = self.leading()?;
        let timeout = *leading.proposals.timeouts.get(&session)?;
        leading.sessions.as_mut()?.touch(session, timeout, ctx.now());
        ctx.observe(Observation::Extended);
        Some(timeout)
    }

    /// A bucket ends, and all of its sessions with it.
    pub(super) fn on_expiry(&mut self, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        let Some(queue) = self.leading().and_then(|leading| leading.sessions.as_mut()) else { return };
        let due = queue.poll(now);
        ctx.after(queue.wait(now), Timer::Expiry(self.turn).into());
        for session in due {
            match self.passes.pass(ctx, Point::RegistryRevoke) {
                Pass::Clear => self.expire(ctx, session),
                Pass::Late(by) => self.postpone(ctx, by, Late::Expiry(session)),
                // It is tried again with the next bucket.
                Pass::Fails(_) => {
                    if let Some(queue) = self.leading().and_then(|leading| leading.sessions.as_mut()) {
                        queue.hasten(session);
                    }
                }
                Pass::Ends => return,
            }
        }
    }

    /// The session is told to end. From now on it is refused, and with the transaction it is gone.
    pub(super) fn expire(&mut self, ctx: &mut Ctx<'_>, session: SessionId) {
        if self.is_tracked(session) {
            self.submit(ctx, None, session, Txn::CloseSession { session, cause: Cause::Expired });
        }
    }

    /// What a transaction does to what the leader keeps besides the tree.
    pub(super) fn follow_txn(&mut self, ctx: &mut Ctx<'_>, zxid: Zxid, txn: &Txn) {
        let Some(leading) = self.leading() else { return };
        leading.proposals.forget(zxid);
        match *txn {
            Txn::CloseSession { session, .. } => {
                leading.proposals.closing.remove(&session);
                leading.proposals.timeouts.remove(&session);
                if let Some(queue) = &mut leading.sessions {
                    queue.remove(session);
                }
            }
            Txn::Restore { .. } => {
                if leading.is_established() {
                    self.restart_sessions(ctx);
                }
            }
            Txn::CreateSession { .. }
            | Txn::Create { .. }
            | Txn::SetData { .. }
            | Txn::Delete { .. }
            | Txn::Put(_)
            | Txn::Stand { .. }
            | Txn::Step { .. }
            | Txn::Error(_) => {}
        }
    }
}
