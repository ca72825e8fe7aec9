//! What may ail a registry: what its members do wrong for as long as some fault says so, or are made to do at once.

mod disfigure;
mod ghosts;
mod lag;
mod migration;
mod throttles;

use std::sync::Arc;

use schism_core::{Duration, FaultId, NodeId, Ratio};

use crate::node::Ctx;
use crate::plight::{Ailment, Plight};

pub(crate) use self::disfigure::disfigure;
pub(crate) use self::ghosts::{Ghosts, haunters};
pub(crate) use self::lag::{Lag, Shift, ago, staleness};
pub(crate) use self::migration::{Meeting, meet};
pub(crate) use self::throttles::Throttles;

/// What ails a member, or is asked of it.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Ail {
    /// Something to do now, once.
    Order(Order),
    /// Something that is wrong until it heals.
    Ill(Ill),
}

/// What a member is made to do at once.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Order {
    /// Another member is to lead.
    HandOver,
    /// The time of this share of the leases is up.
    Expire(Ratio),
    /// All changes but those of so many of the latest revisions are forgotten.
    Compact {
        /// How many revisions can still be watched from.
        keep: u64,
    },
    /// A backup is restored: everyone is told what was true so long ago.
    Restore {
        /// How old it is.
        age: Duration,
    },
    /// The registrations of these instances are lost; they are not told.
    Lose(Arc<[NodeId]>),
}

/// What is wrong with a member until it heals.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Ill {
    /// Readers and watchers are shown the state of so long ago.
    Stale(Duration),
    /// Watchers are told nothing, and everything once it is over.
    Stalls,
    /// Watchers are never told of this share of the changes.
    Gaps(Ratio),
    /// Every list is empty.
    Empty,
    /// Every list leaves out this share of the instances, always the same ones.
    Partial(Ratio),
    /// This share of the instances that go stay on every list, and watchers are not told.
    Ghosts(Ratio),
    /// Asks beyond a rate are refused.
    Throttled {
        /// One more is taken every so often.
        gap: Duration,
        /// So many at once.
        burst: u32,
    },
    /// The table of registrations moves, bucket by bucket, while it is read.
    Migrates(Migration),
}

/// How a table moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Migration {
    /// How many buckets there are.
    pub buckets: u32,
    /// How long one of them takes.
    pub each: Duration,
    /// What a read finds that comes while one is on its way.
    pub race: Race,
}

/// What a read finds that meets a bucket on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Race {
    /// A lock: it waits until the bucket has moved.
    Guarded,
    /// Some of the bucket's instances in neither place: they are missing.
    Torn,
    /// An error, for the one who asked.
    Error,
    /// The end of the process, as when Go's runtime finds a map read and written at once: nothing can catch that
    /// (runtime/map.go, `fatal("concurrent map read and map write")`, Go 1.6 on).
    Fatal,
}

/// What ails the member that is being told, or is asked of it.
pub(crate) fn ails<'w>(ctx: &Ctx<'w>) -> impl Iterator<Item = (&'w Ailment, &'w Ail)> + use<'w> {
    ctx.plight().into_iter().flat_map(Plight::registry)
}

/// What it is told to do now.
pub(crate) fn orders<'w>(ctx: &Ctx<'w>) -> impl Iterator<Item = (&'w Ailment, &'w Order)> + use<'w> {
    ails(ctx).filter_map(|(ailment, ail)| match ail {
        Ail::Order(order) => Some((ailment, order)),
        Ail::Ill(_) => None,
    })
}

/// What is wrong with it.
pub(crate) fn ills<'w>(ctx: &Ctx<'w>) -> impl Iterator<Item = (&'w Ailment, &'w Ill)> + use<'w> {
    ails(ctx).filter_map(|(ailment, ail)| match ail {
        Ail::Ill(ill) => Some((ailment, ill)),
        Ail::Order(_) => None,
    })
}

/// The faults for which something is wrong with it.
fn lasting(ctx: &Ctx<'_>) -> Vec<FaultId> {
    ills(ctx).map(|(ailment, _)| ailment.by).collect()
}

/// The fault that keeps watchers from being told, if one does.
pub(crate) fn stalled_by(ctx: &Ctx<'_>) -> Option<FaultId> {
    ills(ctx).find(|(_, ill)| **ill == Ill::Stalls).map(|(ailment, _)| ailment.by)
}

/// Whether a watcher is never told of a change, which has a number: its revision, or that of the push. Each fault decides
/// for itself.
pub(crate) fn is_gap(ctx: &mut Ctx<'_>, number: u64, watcher: NodeId) -> bool {
    let mut gap = false;
    for (ailment, ill) in ills(ctx) {
        if let Ill::Gaps(share) = *ill
            && ailment.luck.derive(number).derive(watcher.0.into()).chance(share)
        {
            ctx.touch(ailment.by);
            gap = true;
        }
    }
    gap
}
