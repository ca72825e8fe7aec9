//! What witnesses are told of a change of a server's table.

use std::sync::Arc;

use super::book::{Shown, Turn};
use crate::listing::Listing;
use crate::node::Ctx;
use crate::observation::{Cause, Observation, Write};

/// Tells them: what was written, and whom the server now offers. Where all are offered for lack of healthy ones from now
/// on, or no longer, that is the whole list.
pub(super) fn tell(ctx: &mut Ctx<'_>, turn: &Turn, cause: Cause, offered: impl FnOnce() -> Arc<Listing>) {
    for write in writes(turn, cause) {
        ctx.observe(Observation::Wrote(write));
    }
    let is_offered = |shown: Option<Shown>| shown.is_some_and(|shown| shown.healthy || turn.protected.1);
    if turn.protected.0 != turn.protected.1 {
        ctx.observe(Observation::View(offered()));
    } else if is_offered(turn.before) != is_offered(turn.after) {
        let (service, subject, up) = (turn.service, turn.node, is_offered(turn.after));
        ctx.observe(Observation::Believes { service, subject, up });
    }
}

fn writes(turn: &Turn, cause: Cause) -> Vec<Write> {
    let node = turn.node;
    match (turn.before.map(|shown| shown.healthy), turn.after.map(|shown| shown.healthy)) {
        (None, Some(true)) => vec![Write::Register(node)],
        (None, Some(false)) => vec![Write::Register(node), Write::Fail(node)],
        (Some(true), Some(false)) => vec![Write::Fail(node)],
        (Some(false), Some(true)) => vec![Write::Recover(node)],
        (Some(_), None) => vec![Write::Remove(node, cause)],
        (None, None) | (Some(true), Some(true)) | (Some(false), Some(false)) => Vec::new(),
    }
}
