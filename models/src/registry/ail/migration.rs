//! A table on its way: it moves bucket by bucket, and is read meanwhile.

use std::sync::Arc;

use schism_core::{Draw, Duration, FaultId, NodeId, Ratio, ratio};

use super::disfigure::leave_out;
use super::{Ill, Migration, Race, ills};
use crate::listing::Listing;
use crate::node::Ctx;
use crate::plight::Ailment;

/// What a read meets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meeting {
    /// It waits for so long.
    Lock(Duration),
    /// It fails.
    Error,
    /// The process ends, because of this fault.
    Death(FaultId),
}

/// What a list meets that is read while the table moves, if that is more than a wrong list.
pub(crate) fn meet(ctx: &mut Ctx<'_>) -> Option<Meeting> {
    for (ailment, ill) in ills(ctx) {
        let Ill::Migrates(Migration { buckets, each, race }) = *ill else { continue };
        let Some(moving) = moving(ctx, ailment, buckets, each) else { continue };
        let meeting = match race {
            Race::Torn => continue,
            Race::Guarded => Meeting::Lock(moving.left),
            Race::Error => Meeting::Error,
            Race::Fatal => Meeting::Death(ailment.by),
        };
        ctx.touch(ailment.by);
        return Some(meeting);
    }
    None
}

/// Leaves out some of the bucket that is on its way, if reads are torn; whether there were any. Which of its instances
/// have not arrived yet is the luck of the read.
pub(super) fn tear(
    ctx: &Ctx<'_>,
    ailment: &Ailment,
    migration: Migration,
    read: u64,
    listing: &mut Arc<Listing>,
) -> bool {
    let Migration { buckets, each, race } = migration;
    match race {
        Race::Guarded | Race::Error | Race::Fatal => return false,
        Race::Torn => {}
    }
    let Some(moving) = moving(ctx, ailment, buckets, each) else { return false };
    let read = ailment.luck.derive(read);
    leave_out(listing, |node| {
        bucket_of(node, buckets) == moving.bucket && read.derive(node.0.into()).chance(HALF)
    })
}

const HALF: Ratio = ratio(1, 2);

/// The bucket that is on its way, and how long it still takes.
struct Moving {
    bucket: u32,
    left: Duration,
}

/// Buckets move one after another from the beginning of the fault; none, once all have.
fn moving(ctx: &Ctx<'_>, ailment: &Ailment, buckets: u32, each: Duration) -> Option<Moving> {
    let spent = ctx.moment().since(ailment.since).as_nanos();
    let bucket = spent / each.as_nanos();
    let left = Duration::from_nanos(each.as_nanos() - spent % each.as_nanos());
    (bucket < buckets.into()).then_some(Moving { bucket: bucket as u32, left })
}

/// The bucket that an instance is in: a hash of its number, which no luck decides.
fn bucket_of(node: NodeId, buckets: u32) -> u32 {
    Draw::new(node.0.into()).derive(0).below(buckets)
}
