//! What ails a member makes of a list that it tells.

use std::sync::Arc;

use schism_core::NodeId;

use super::migration::tear;
use super::{Ghosts, Ill, ills};
use crate::listing::Listing;
use crate::node::Ctx;
use crate::plight::Ailment;

/// Makes a list what the ills make of it, one after another; whether that is something else. What is missing while the
/// table moves is the luck of the read: `read` is the number of the request, or of the last that was taken before it.
pub(crate) fn disfigure(ctx: &mut Ctx<'_>, ghosts: &Ghosts, read: u64, listing: &mut Arc<Listing>) -> bool {
    let mut other = false;
    for (ailment, ill) in ills(ctx) {
        if suffers(ctx, ailment, ill, ghosts, read, listing) {
            ctx.touch(ailment.by);
            other = true;
        }
    }
    other
}

/// Makes a list what one ill makes of it; whether that is something else.
fn suffers(
    ctx: &Ctx<'_>,
    ailment: &Ailment,
    ill: &Ill,
    ghosts: &Ghosts,
    read: u64,
    listing: &mut Arc<Listing>,
) -> bool {
    match *ill {
        Ill::Empty => leave_out(listing, |_| true),
        Ill::Partial(share) => leave_out(listing, |node| ailment.luck.derive(node.0.into()).chance(share)),
        Ill::Ghosts(_) => ghosts.haunt(ailment.by, listing),
        Ill::Migrates(migration) => tear(ctx, ailment, migration, read, listing),
        Ill::Stale(_) | Ill::Stalls | Ill::Gaps(_) | Ill::Throttled { .. } => false,
    }
}

/// Takes some instances out of a list; whether there were any.
pub(super) fn leave_out(listing: &mut Arc<Listing>, gone: impl Fn(NodeId) -> bool) -> bool {
    let any = listing.endpoints.iter().any(|endpoint| gone(endpoint.node));
    if any {
        Arc::make_mut(listing).endpoints.retain(|endpoint| !gone(endpoint.node));
    }
    any
}
