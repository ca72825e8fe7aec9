//! What faults make of a server: the orders that it obeys, what it refuses at failpoints, and how it ends.

use std::sync::Arc;

use schism_core::{Duration, NodeId};

use super::super::Timer;
use super::super::api::{Answer, Ask, Msg};
use super::{Ending, Member, send};
use crate::failpoint::{Pass, Point};
use crate::node::Ctx;
use crate::observation::Cause;
use crate::plight::Plight;
use crate::registry::ail::{Order, orders, stalled_by};
use crate::registry::nacos::delays::TURN;

/// A server that is told to end waits no longer than this for the others to have what it tells them: ours.
const MOST_ENDING: Duration = Duration::from_secs(5);

impl Member {
    /// What ails it has changed.
    pub fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        for (ailment, order) in orders(ctx) {
            match order {
                Order::HandOver => {
                    if self.metadata.hand_over() {
                        ctx.touch(ailment.by);
                        self.settle_metadata(ctx);
                    }
                }
                Order::Lose(nodes) => {
                    for _ in nodes.iter().filter(|&&node| !self.table.connections_of(node).is_empty()) {
                        ctx.touch(ailment.by);
                    }
                    for member in self.others() {
                        send(ctx, self.node(member), Msg::Lose { nodes: nodes.clone() });
                    }
                    self.lose(ctx, nodes);
                }
                Order::Expire(_) | Order::Compact { .. } | Order::Restore { .. } => {}
            }
        }
        if self.scars.mind(ctx) {
            self.push_everything(ctx);
        }
        if stalled_by(ctx).is_none() {
            self.push_held(ctx);
        }
        self.begin_to_end(ctx);
    }

    /// Registrations are gone from this server, and the connections that made them stay. Who made them believes them to
    /// be there: nobody makes them again (#15857 describes how that comes about in a race of snapshots).
    pub(super) fn lose(&mut self, ctx: &mut Ctx<'_>, nodes: &Arc<[NodeId]>) {
        for &node in nodes.iter() {
            for id in self.table.connections_of(node) {
                let turn = self.table.publish(id, None, ctx.moment());
                self.on_turn(ctx, turn, Cause::Lost);
            }
        }
    }

    /// A server that is told to end closes its connections first, and with them goes what they published, here and, by
    /// Distro, on the others (as #10209 saw it). It ends when those have been told.
    fn begin_to_end(&mut self, ctx: &mut Ctx<'_>) {
        let Some((by, _)) = ctx.plight().and_then(Plight::stopping) else { return };
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(Ending { by, deadline: ctx.now() + MOST_ENDING });
        if self.metadata.hand_over() {
            self.settle_metadata(ctx);
        }
        let clients: Vec<_> = self.connections.keys().copied().collect();
        for id in clients {
            ctx.touch(by);
            ctx.hang_up(id.node);
            self.disconnect(ctx, id);
        }
        self.end(ctx);
    }

    /// Ends, if there is nothing left to tell, or no time.
    pub(super) fn end(&mut self, ctx: &mut Ctx<'_>) {
        let Some(Ending { by, deadline }) = self.ending else { return };
        if self.distro.is_quiet() || deadline <= ctx.now() {
            ctx.exit(by);
        } else {
            ctx.after(TURN, Timer::End.into());
        }
    }

    /// Whether a message is heard now. At a point that it passes it may be refused, or be heard later.
    pub(super) fn hears(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> bool {
        let Some(point) = passed(msg) else { return true };
        match self.passes.pass(ctx, point) {
            Pass::Clear => return true,
            Pass::Fails(_) => {
                if let Msg::Ask { id, call, .. } = *msg {
                    self.answer(ctx, id, call, Answer::Failed);
                }
            }
            Pass::Late(by) => {
                let number = self.number();
                self.deferred.insert(number, (from, msg.clone()));
                ctx.after(by, Timer::Deferred(number).into());
            }
            Pass::Ends => {}
        }
        false
    }

    /// It is time for what was put off, unless whoever asked has gone.
    pub(super) fn on_deferred(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        if let Some((from, msg)) = self.deferred.remove(&number) {
            self.hear(ctx, from, msg);
        }
    }
}

/// The point that a client's message passes, if it passes one.
fn passed(msg: &Msg) -> Option<Point> {
    match msg {
        Msg::Ask { ask: Ask::Register(_), .. } => Some(Point::RegistryRegister),
        Msg::Ask { ask: Ask::Query(_), .. } => Some(Point::RegistryList),
        Msg::Ask { ask: Ask::Subscribe(_), .. } => Some(Point::RegistryWatch),
        Msg::Ask { ask: Ask::Health, .. } => Some(Point::RegistryRenew),
        Msg::Ask { ask: Ask::Deregister | Ask::Weigh { .. }, .. }
        | Msg::Check
        | Msg::Checked
        | Msg::Setup { .. }
        | Msg::Answer { .. }
        | Msg::Push { .. }
        | Msg::Pushed { .. }
        | Msg::Detect { .. }
        | Msg::Detected { .. }
        | Msg::Sync { .. }
        | Msg::Synced { .. }
        | Msg::Verify { .. }
        | Msg::Unverified { .. }
        | Msg::Load
        | Msg::Loaded { .. }
        | Msg::Lose { .. } => None,
    }
}
