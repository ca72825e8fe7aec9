//! What a fault has a server do wrong, at each place where it can.

use std::sync::Arc;

use schism_core::{Draw, Duration, FaultId, NodeId, Ratio};

use super::super::Config;
use super::super::ail::Wrong;
use super::super::answer::{Answer, Kind, Records, Said};
use super::super::past::Past;
use super::super::zone::sample;
use crate::listing::{Listing, ServiceId};
use crate::node::Ctx;
use crate::plight::{Ailment, Plight};
use crate::registry::Seat;

/// All that is wrong, each with the ailment that it is of.
fn wrongs<'w>(ctx: &Ctx<'w>) -> impl Iterator<Item = (&'w Ailment, &'w Wrong)> + use<'w> {
    ctx.plight().into_iter().flat_map(Plight::dns)
}

/// Whether the ailment strikes one thing, whose luck this is. The ailment's own luck has a part in it, so that two of them
/// strike apart.
fn strikes(ailment: &Ailment, luck: Draw, share: Ratio) -> bool {
    ailment.luck.derive(luck.word()).chance(share)
}

/// Whether a question is not answered at all.
pub(super) fn ignores(ctx: &mut Ctx<'_>, luck: Draw) -> bool {
    let by = wrongs(ctx).find_map(|(ailment, wrong)| match wrong {
        Wrong::Timeout { share } => strikes(ailment, luck, *share).then_some(ailment.by),
        Wrong::Stale { .. } | Wrong::NxDomain { .. } | Wrong::Shuffle { .. } | Wrong::Poison { .. } => None,
    });
    by.inspect(|&by| ctx.touch(by)).is_some()
}

/// The list of so long ago, if it is answered from that; of several faults, the ages add up. It counts where it is another
/// than that of now.
pub(super) fn aged<'p>(
    ctx: &mut Ctx<'_>,
    past: &'p Past,
    listing: Option<&Arc<Listing>>,
) -> Option<&'p Arc<Listing>> {
    let ages = wrongs(ctx).filter_map(|(ailment, wrong)| match wrong {
        Wrong::Stale { age } => Some((ailment.by, *age)),
        Wrong::Timeout { .. } | Wrong::NxDomain { .. } | Wrong::Shuffle { .. } | Wrong::Poison { .. } => None,
    });
    let (by, age): (FaultId, Duration) = ages.reduce(|(by, age), (_, more)| (by, age + more))?;
    let old = past.ago(ctx.now(), age)?;
    if listing.is_some_and(|now| now != old) {
        ctx.touch(by);
    }
    Some(old)
}

/// What is made of an answer before it is remembered: that there is no such name, or other addresses.
pub(super) fn spoilt(
    ctx: &mut Ctx<'_>,
    seat: &Seat<Config>,
    service: ServiceId,
    luck: Draw,
    answer: Answer,
) -> Answer {
    let found = wrongs(ctx).find_map(|(ailment, wrong)| match wrong {
        Wrong::NxDomain { share, ttl } if strikes(ailment, luck, *share) => {
            let ttl = ttl.unwrap_or(seat.config.rules.negative_ttl);
            Some((ailment.by, Answer { said: Said::NxDomain, ttl }))
        }
        Wrong::Poison { share, to, ttl } if strikes(ailment, luck, *share) => {
            let records = poison(seat, service, to, luck, &answer)?;
            let ttl = ttl.unwrap_or(seat.config.rules.ttl);
            Some((ailment.by, Answer { said: Said::Records(records), ttl }))
        }
        Wrong::NxDomain { .. }
        | Wrong::Poison { .. }
        | Wrong::Stale { .. }
        | Wrong::Timeout { .. }
        | Wrong::Shuffle { .. } => None,
    });
    let Some((by, wrong)) = found else { return answer };
    if wrong.said != answer.said {
        ctx.touch(by);
    }
    wrong
}

/// What is left of the records of an answer, each time others.
pub(super) fn shuffled(ctx: &mut Ctx<'_>, luck: Draw, answer: Answer) -> Answer {
    let Said::Records(records) = &answer.said else { return answer };
    let found = wrongs(ctx).find_map(|(ailment, wrong)| match wrong {
        Wrong::Shuffle { share } => Some((ailment, *share)),
        Wrong::Stale { .. } | Wrong::Timeout { .. } | Wrong::NxDomain { .. } | Wrong::Poison { .. } => None,
    });
    let Some((ailment, share)) = found else { return answer };
    let all = records.listing.endpoints.len() as u64;
    let part = u128::from(all) * u128::from(share.numerator()) / u128::from(share.denominator());
    let count = (part as u32).max(1);
    if u64::from(count) >= all {
        return answer;
    }
    ctx.touch(ailment.by);
    let listing = Arc::new(sample(&records.listing, count, ailment.luck.derive(luck.word())));
    Answer { said: Said::Records(Records { listing, ..records.clone() }), ttl: answer.ttl }
}

/// Records of those instances in place of the right ones; none, if they are of another service.
fn poison(
    seat: &Seat<Config>,
    service: ServiceId,
    to: &[NodeId],
    luck: Draw,
    answer: &Answer,
) -> Option<Records> {
    let listed = &seat.layout.services[service.0 as usize].endpoints;
    let endpoints: Vec<_> = listed.iter().filter(|endpoint| to.contains(&endpoint.node)).copied().collect();
    let (revision, kind) = match &answer.said {
        Said::Records(records) => (records.listing.revision, records.kind),
        Said::NoData | Said::NxDomain | Said::ServFail => (0, Kind::Address),
    };
    let listing = Arc::new(Listing { service, revision, endpoints });
    (!listing.endpoints.is_empty()).then_some(Records { listing, order: luck, kind })
}
