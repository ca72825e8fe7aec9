//! Failpoints that a server passes: what it refuses, and what it does later.

use schism_core::{Duration, NodeId};

use super::super::api::{Answer, Ask, Client, Watch};
use super::super::tree::{SessionId, Txn};
use super::Member;
use super::Timer;
use super::proposals::By;
use crate::failpoint::{Pass, Point};
use crate::node::Ctx;

/// Something that is done later.
#[derive(Clone, Debug)]
pub(super) enum Late {
    /// A client is heard.
    Client(NodeId, Client),
    /// A session that has run out is closed.
    Expiry(SessionId),
    /// A transaction is proposed.
    Proposal(By, SessionId, Txn),
}

impl Late {
    /// Whether nobody would wait for it if clients were sent away.
    pub(super) fn is_of_a_client(&self) -> bool {
        match self {
            Late::Client(..) => true,
            Late::Expiry(_) | Late::Proposal(..) => false,
        }
    }
}

impl Member {
    /// Whether a client's message is heard now. At a point that it passes it may be refused, or be heard later.
    pub(super) fn hears(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Client) -> bool {
        let Some(point) = passed(msg) else { return true };
        match self.passes.pass(ctx, point) {
            Pass::Clear => return true,
            Pass::Fails(_) => self.refuse(ctx, from, msg),
            Pass::Late(by) => self.postpone(ctx, by, Late::Client(from, msg.clone())),
            Pass::Ends => {}
        }
        false
    }

    /// Does something when so much time has passed.
    pub(super) fn postpone(&mut self, ctx: &mut Ctx<'_>, by: Duration, what: Late) {
        let number = self.number();
        self.late.insert(number, what);
        ctx.after(by, Timer::Late(number).into());
    }

    /// It is time to do what was put off.
    pub(super) fn on_late(&mut self, ctx: &mut Ctx<'_>, number: u64) {
        match self.late.remove(&number) {
            Some(Late::Client(from, msg)) => self.hear_client(ctx, from, msg),
            Some(Late::Expiry(session)) => self.expire(ctx, session),
            Some(Late::Proposal(by, session, txn)) => self.propose(ctx, by, session, txn),
            // Whoever asked has gone meanwhile.
            None => {}
        }
    }

    /// What a client has asked for that has gone is nobody's.
    pub(super) fn forget_late(&mut self, client: NodeId) {
        self.late.retain(|_, late| !matches!(late, Late::Client(from, _) if *from == client));
    }

    fn refuse(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Client) {
        match *msg {
            Client::Ask { xid, .. } => self.answer(ctx, from, xid, Answer::Failed),
            // What cannot be answered ends the connection.
            Client::Connect { .. } | Client::Ping => {
                self.forget_client(from);
                ctx.hang_up(from);
            }
        }
    }
}

/// The point that a client's message passes, if it passes one.
fn passed(msg: &Client) -> Option<Point> {
    match msg {
        Client::Connect { session: None, .. } => Some(Point::RegistryGrant),
        Client::Ask { ask: Ask::Create { .. }, .. } => Some(Point::RegistryRegister),
        Client::Ask { ask: Ask::Children { watch: Watch::Never, .. }, .. } => Some(Point::RegistryList),
        Client::Ask { ask: Ask::Children { watch: Watch::Once, .. } | Ask::SetWatches { .. }, .. } => {
            Some(Point::RegistryWatch)
        }
        Client::Ping => Some(Point::RegistryRenew),
        Client::Connect { session: Some(_), .. }
        | Client::Ask {
            ask:
                Ask::Delete { .. }
                | Ask::SetData { .. }
                | Ask::Put(_)
                | Ask::Get(_)
                | Ask::Line(_)
                | Ask::Sync
                | Ask::Close,
            ..
        } => None,
    }
}
