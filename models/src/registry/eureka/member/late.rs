//! Failpoints that a server passes: what it refuses, and what it does later.

use schism_core::{Duration, NodeId};

use super::super::api::{Answer, Ask, Msg};
use super::{Member, Timer};
use crate::failpoint::{Pass, Point};
use crate::node::Ctx;
use crate::observation::Cause;

/// Something that is done later.
#[derive(Clone, Copy, Debug)]
pub(super) enum Late {
    /// A request is heard.
    Ask {
        /// Whose.
        from: NodeId,
        /// Its number.
        call: u32,
        /// What.
        ask: Ask,
    },
    /// An expired lease is evicted.
    Evict(NodeId),
}

impl Member {
    /// Whether a message is heard now. At a point that it passes it may be refused, or be heard later.
    pub(super) fn hears(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> bool {
        let Msg::Ask { call, ask } = *msg else { return true };
        let Some(point) = passed(ask) else { return true };
        match self.passes.pass(ctx, point) {
            Pass::Clear => return true,
            Pass::Fails(_) => {
                self.clients.insert(from);
                ctx.stream(from, Msg::Answer { call, answer: Answer::Unavailable }.into());
            }
            Pass::Late(by) => self.postpone(ctx, by, Late::Ask { from, call, ask }),
            Pass::Ends => {}
        }
        false
    }

    /// Does something when so much time has passed.
    pub(super) fn postpone(&mut self, ctx: &mut Ctx<'_>, by: Duration, what: Late) {
        self.last_late = self.last_late.wrapping_add(1);
        self.late.insert(self.last_late, what);
        ctx.after(by, Timer::Late { number: self.last_late }.into());
    }

    /// It is time to do what was put off.
    pub(super) fn on_late(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        match self.late.remove(&number) {
            Some(Late::Ask { from, call, ask }) => self.hear(ctx, from, Msg::Ask { call, ask }),
            Some(Late::Evict(node)) => {
                self.remove(ctx, node, Cause::Expired);
            }
            // Whoever asked has gone meanwhile.
            None => {}
        }
    }

    /// What a client has asked for that has gone is nobody's.
    pub(super) fn forget_late(&mut self, client: NodeId) {
        self.late.retain(|_, late| !matches!(late, Late::Ask { from, .. } if *from == client));
    }
}

/// The point that a request passes, if it passes one.
fn passed(ask: Ask) -> Option<Point> {
    match ask {
        Ask::Register(_) => Some(Point::RegistryRegister),
        Ask::Renew { .. } => Some(Point::RegistryRenew),
        Ask::Full | Ask::Delta => Some(Point::RegistryList),
        Ask::Cancel { .. } => None,
    }
}
