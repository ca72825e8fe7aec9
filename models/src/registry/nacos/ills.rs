//! What faults make of a server, of either generation: what is wrong with its lists and pushes.

use std::sync::Arc;

use schism_core::{FaultId, Ratio};

use super::book::{Book, Turn};
use crate::listing::Listing;
use crate::node::Ctx;
use crate::registry::ail::{Ghosts, Ill, Throttles, ago, disfigure, ills, staleness};

/// The list of some time ago, if a fault has readers shown that, and it is another.
pub(super) fn stale_listing(ctx: &mut Ctx<'_>, book: &Book, threshold: Ratio) -> Option<Arc<Listing>> {
    let (by, age) = staleness(ctx)?;
    let then = ago(ctx.moment(), age);
    book.has_changed_since(then).then(|| {
        ctx.touch(by);
        Arc::new(book.offered_at(threshold, then))
    })
}

/// What lasts while faults do.
#[derive(Clone, Debug, Default)]
pub(super) struct Scars {
    ghosts: Ghosts,
    /// What is left of the requests that throttles let through.
    pub(super) throttles: Throttles,
    /// The faults that make lists other than they are.
    twists: Vec<FaultId>,
}

impl Scars {
    /// What ails the server has changed: whether its lists are others by that.
    pub(super) fn mind(&mut self, ctx: &Ctx<'_>) -> bool {
        self.throttles.mind(ctx);
        let twists: Vec<FaultId> =
            ills(ctx).filter(|(_, ill)| twists(ill)).map(|(ailment, _)| ailment.by).collect();
        let changed = self.ghosts.mind(ctx) || self.twists != twists;
        self.twists = twists;
        changed
    }

    /// An instance's listing has changed: whether nobody is to be told, because it has gone and stays on the lists.
    pub(super) fn on_turn(&mut self, ctx: &mut Ctx<'_>, turn: &Turn) -> bool {
        match (turn.before, turn.after) {
            (Some(before), None) => self.ghosts.hide(ctx, turn.service, before.endpoint, false),
            (_, Some(_)) => {
                self.ghosts.on_up(turn.node);
                false
            }
            (None, None) => false,
        }
    }

    /// Makes a list what the faults make of it.
    pub(super) fn disfigure(&self, ctx: &mut Ctx<'_>, read: u32, listing: &mut Arc<Listing>) {
        disfigure(ctx, &self.ghosts, read.into(), listing);
    }
}

/// Whether a fault makes lists other than they are from its beginning to its end.
fn twists(ill: &Ill) -> bool {
    match ill {
        Ill::Empty | Ill::Partial(_) | Ill::Stale(_) => true,
        Ill::Stalls | Ill::Gaps(_) | Ill::Ghosts(_) | Ill::Throttled { .. } | Ill::Migrates(_) => false,
    }
}
