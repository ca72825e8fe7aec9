//! Failpoints that a member passes: what it refuses, and what it does later.

use schism_core::{Duration, NodeId};

use super::super::api::{Answer, Ask, Failure, Msg};
use super::super::log::Entry;
use super::super::store::LeaseId;
use super::{Caller, Member, Timer};
use crate::failpoint::{Pass, Point};
use crate::node::Ctx;

/// Something that is done later.
#[derive(Clone, Debug)]
pub(super) enum Late {
    /// A client is heard.
    Message(NodeId, Msg),
    /// A lease that has run out is revoked.
    Revoke(LeaseId),
    /// An entry is proposed.
    Entry(Entry),
}

impl Member {
    /// Whether a message is heard now. At a point that it passes it may be refused, or be heard later.
    pub(super) fn hears(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> bool {
        let Some(point) = passed(msg) else { return true };
        match self.passes.pass(ctx, point) {
            Pass::Clear => return true,
            Pass::Fails(_) => self.refuse(ctx, from, msg),
            Pass::Late(by) => self.postpone(ctx, by, Late::Message(from, msg.clone())),
            Pass::Ends => {}
        }
        false
    }

    /// Does something when so much time has passed.
    pub(super) fn postpone(&mut self, ctx: &mut Ctx<'_>, by: Duration, what: Late) {
        self.last_late += 1;
        self.late.insert(self.last_late, what);
        ctx.after(by, Timer::Late(self.last_late).into());
    }

    /// It is time to do what was put off.
    pub(super) fn on_late(&mut self, ctx: &mut Ctx<'_>, number: u64) {
        match self.late.remove(&number) {
            Some(Late::Message(from, msg)) => self.hear(ctx, from, msg),
            Some(Late::Revoke(lease)) => self.revoke_late(ctx, lease),
            Some(Late::Entry(entry)) => {
                self.put_to_raft(entry);
                self.settle(ctx);
            }
            // Whoever asked has gone meanwhile.
            None => {}
        }
    }

    /// What a client has asked for that has gone is nobody's.
    pub(super) fn forget_late(&mut self, client: NodeId) {
        self.late.retain(|_, late| !matches!(late, Late::Message(from, _) if *from == client));
    }

    fn refuse(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) {
        self.clients.insert(from);
        match *msg {
            Msg::Ask { call, .. } => {
                let caller = Caller { client: from, call };
                self.answer(ctx, caller, Answer::Failed(Failure::Internal));
            }
            Msg::KeepAlive { lease } => {
                let ttl = Err(Failure::Internal);
                ctx.stream(from, Msg::KeptAlive { lease, ttl }.into());
            }
            // A watch that fails ends its stream, and here the connection with it.
            Msg::Watch { .. } => {
                ctx.hang_up(from);
                self.forget(from);
            }
            Msg::Raft(_)
            | Msg::Forward { .. }
            | Msg::Forwarded { .. }
            | Msg::Answer { .. }
            | Msg::KeptAlive { .. }
            | Msg::Changes(_)
            | Msg::Compacted { .. }
            | Msg::NoLeader { .. }
            | Msg::WatchClaim { .. }
            | Msg::ClaimGone { .. }
            | Msg::Ping
            | Msg::Pong => unreachable!("it passes no point"),
        }
    }
}

/// The point that a client's message passes, if it passes one.
fn passed(msg: &Msg) -> Option<Point> {
    match msg {
        Msg::Ask { ask: Ask::Grant { .. }, .. } => Some(Point::RegistryGrant),
        Msg::Ask { ask: Ask::Register { .. }, .. } => Some(Point::RegistryRegister),
        Msg::Ask { ask: Ask::List { .. }, .. } => Some(Point::RegistryList),
        Msg::KeepAlive { .. } => Some(Point::RegistryRenew),
        Msg::Watch { .. } => Some(Point::RegistryWatch),
        Msg::Ask { ask: Ask::Revoke { .. } | Ask::Put(_) | Ask::Get { .. } | Ask::Claim(_), .. }
        | Msg::Raft(_)
        | Msg::Forward { .. }
        | Msg::Forwarded { .. }
        | Msg::Answer { .. }
        | Msg::KeptAlive { .. }
        | Msg::Changes(_)
        | Msg::Compacted { .. }
        | Msg::NoLeader { .. }
        | Msg::WatchClaim { .. }
        | Msg::ClaimGone { .. }
        | Msg::Ping
        | Msg::Pong => None,
    }
}
