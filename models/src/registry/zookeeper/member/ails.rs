//! What faults make of a server: the orders that it obeys, and what is wrong with its answers.

use std::sync::Arc;

use super::super::tree::{SessionId, Txn};
use super::super::zxid::Zxid;
use super::{Member, Role};
use crate::listing::{Listing, ServiceId};
use crate::node::Ctx;
use crate::observation::Cause;
use crate::plight::Ailment;
use crate::registry::ail::{Order, ago, disfigure, orders};

/// Nobody's session: what a fault has the leader propose.
const NOBODY: SessionId = SessionId(0);

impl Member {
    /// Obeys what is ordered, and begins or ceases to be ill.
    pub(super) fn mind_ails(&mut self, ctx: &mut Ctx<'_>) {
        for (ailment, order) in orders(ctx) {
            self.obey(ctx, ailment, order);
        }
        self.mind_lag(ctx);
        self.let_go_of_watchers(ctx);
        self.ghosts.mind(ctx);
        self.throttles.mind(ctx);
    }

    /// Whoever leads obeys; the others have nothing to do with it.
    fn obey(&mut self, ctx: &mut Ctx<'_>, ailment: &Ailment, order: &Order) {
        if !matches!(&self.role, Role::Leading(leading) if leading.is_established()) {
            return;
        }
        match order {
            // No command of ZooKeeper's does it but a reconfiguration without the leader. It gives up as it does without
            // a quorum, and stands back in the next election, in which it would win again.
            Order::HandOver => {
                self.stands_back = true;
                ctx.touch(ailment.by);
                self.look(ctx);
            }
            Order::Expire(share) => {
                let sessions: Vec<SessionId> = self.tree.sessions().map(|(session, _)| session).collect();
                for session in sessions {
                    if ailment.luck.derive(session.0).chance(*share) {
                        ctx.touch(ailment.by);
                        self.expire(ctx, session);
                    }
                }
            }
            Order::Compact { .. } => unreachable!("a checked scenario compacts only what has a history"),
            Order::Restore { age } => {
                let zxid = Zxid::of_revision(self.history.as_of(ago(ctx.moment(), *age)));
                ctx.touch(ailment.by);
                self.propose(ctx, None, NOBODY, Txn::Restore { zxid });
            }
            Order::Lose(instances) => {
                for &node in instances.iter() {
                    if self.tree.znode(node).is_some() {
                        ctx.touch(ailment.by);
                        self.propose(ctx, None, NOBODY, Txn::Delete { node, cause: Cause::Lost });
                    }
                }
            }
        }
    }

    /// What a reader is told of a service's children: as they are, unless something is wrong with the server.
    pub(super) fn list(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) -> Arc<Listing> {
        if let Some(by) = self.misled_by() {
            ctx.touch(by);
        }
        let mut list = self.shown().list(service).clone();
        disfigure(ctx, &self.ghosts, self.last, &mut list);
        list
    }
}
