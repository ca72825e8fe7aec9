//! What faults make of a server of the 1.x line, and what it refuses at failpoints.

use schism_core::NodeId;

use super::super::Timer;
use super::super::api::{Answer, Ask, Interest, Msg};
use super::Member;
use super::asks::answer;
use crate::failpoint::{Pass, Point};
use crate::node::Ctx;
use crate::plight::Plight;
use crate::registry::ail::stalled_by;

impl Member {
    /// What ails it has changed. One that is told to end does so at once: it has nothing that is its own to take off.
    pub fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        if self.scars.mind(ctx) {
            self.push_everything(ctx);
        }
        if stalled_by(ctx).is_none() {
            self.push_held(ctx);
        }
        if let Some((by, _)) = ctx.plight().and_then(Plight::stopping) {
            ctx.exit(by);
        }
    }

    /// Whether a message is heard now. At a point that it passes it may be refused, or be heard later.
    pub(super) fn hears(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> bool {
        let Some((point, call)) = passed(msg) else { return true };
        match self.passes.pass(ctx, point) {
            Pass::Clear => return true,
            Pass::Fails(_) => answer(ctx, from, call, Answer::Failed),
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

/// The point that a request passes, if it passes one, and its number.
fn passed(msg: &Msg) -> Option<(Point, u32)> {
    match *msg {
        Msg::Ask { call, ask: Ask::Register(..), .. } => Some((Point::RegistryRegister, call)),
        Msg::Ask { call, ask: Ask::Beat(..), .. } => Some((Point::RegistryRenew, call)),
        Msg::Ask { call, ask: Ask::List(_, Interest::Once), .. } => Some((Point::RegistryList, call)),
        Msg::Ask { call, ask: Ask::List(_, Interest::Pushes), .. } => Some((Point::RegistryWatch, call)),
        Msg::Ask { ask: Ask::Deregister(..), .. }
        | Msg::Answer { .. }
        | Msg::Push { .. }
        | Msg::Pushed { .. }
        | Msg::Sync { .. }
        | Msg::Synced { .. }
        | Msg::Verify { .. }
        | Msg::Fetch { .. }
        | Msg::Fetched { .. }
        | Msg::Load
        | Msg::Loaded { .. } => None,
    }
}
