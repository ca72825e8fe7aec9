//! RFC 2782: which of the SRV records is tried first, and which after it.

use schism_core::{Draw, NodeId};

use super::answer::{Kind, Preference, Records};
use crate::listing::Endpoint;

/// The greatest weight that a record has room for.
const MOST: u32 = 65_535;

/// The records that are to be tried now: those of the lowest priority at which anyone is left whose connection has not
/// failed, without those whose has. Where nobody is left at all, it begins anew with the lowest of all.
pub fn due(endpoints: &[Endpoint], preference: Preference, failed: &[NodeId]) -> Vec<Endpoint> {
    let lowest = |of: &dyn Fn(&&Endpoint) -> bool| {
        let priority = endpoints.iter().filter(of).map(|endpoint| preference.priority(endpoint)).min()?;
        let is_due = |endpoint: &&Endpoint| preference.priority(endpoint) == priority && of(endpoint);
        Some(endpoints.iter().filter(is_due).copied().collect())
    };
    lowest(&|endpoint| !failed.contains(&endpoint.node)).or_else(|| lowest(&|_| true)).unwrap_or_default()
}

/// The one record that is tried first of those that have not failed.
pub fn first(records: &Records, failed: &[NodeId]) -> Option<Endpoint> {
    // Who has failed since shifts the draw: what is tried next does not follow from what was tried first.
    let luck = records.order.derive(failed.len() as u64);
    let endpoints = &records.listing.endpoints;
    match records.kind {
        Kind::Address if failed.is_empty() => {
            let count = u32::try_from(endpoints.len()).ok().filter(|&count| count > 0)?;
            Some(endpoints[luck.below(count) as usize])
        }
        Kind::Address => {
            let due = due(endpoints, Preference::None, failed);
            let count = u32::try_from(due.len()).ok().filter(|&count| count > 0)?;
            Some(due[luck.below(count) as usize])
        }
        Kind::Service(preference) => {
            let due = due(endpoints, preference, failed);
            let weights: Vec<u32> = due.iter().map(|endpoint| endpoint.weight).collect();
            (!due.is_empty()).then(|| due[choose(&weights, luck)])
        }
    }
}

/// The place of the record that is chosen among those of one priority (RFC 2782, "Weight"): those of weight 0 stand first,
/// a number is drawn from 0 to the sum of the weights, both included, and the first record is taken at which the running
/// sum is as great as that. So one of weight 0 has a small chance, and the last of them none.
///
/// # Panics
/// If there are none.
pub fn choose(weights: &[u32], luck: Draw) -> usize {
    assert!(!weights.is_empty(), "one of no records cannot be chosen");
    let weight = |at: usize| u64::from(weights[at].min(MOST));
    let sum: u64 = (0..weights.len()).map(weight).sum();
    // The high half of the product is uniform below `sum + 1`, but for a part in 2^40.
    let drawn = ((u128::from(luck.word()) * u128::from(sum + 1)) >> 64) as u64;
    let (without, with): (Vec<usize>, Vec<usize>) = (0..weights.len()).partition(|&at| weight(at) == 0);
    let mut running = 0;
    let reached = without.into_iter().chain(with).find(|&at| {
        running += weight(at);
        running >= drawn
    });
    reached.expect("the running sum ends at the sum, and nothing above that is drawn")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use schism_core::ZoneId;

    use super::*;
    use crate::listing::{Listing, ServiceId};

    fn endpoint(node: u32, zone: u16, weight: u32) -> Endpoint {
        Endpoint { node: NodeId(node), ordinal: node, zone: ZoneId(zone), weight }
    }

    fn nodes(endpoints: &[Endpoint]) -> Vec<u32> {
        endpoints.iter().map(|endpoint| endpoint.node.0).collect()
    }

    /// The draw whose word is the least that yields `n` of a range of `range`.
    fn draw(n: u64, range: u64) -> Draw {
        Draw::new(((u128::from(n) << 64).div_ceil(u128::from(range))) as u64)
    }

    #[test]
    fn every_number_from_nothing_to_the_sum_chooses_as_the_rfc_says() {
        // In the order of the RFC: 0, then 1, 2 and 3, with running sums 0, 1, 3 and 6.
        let weights = [1, 0, 2, 3];
        let chosen: Vec<usize> = (0..=6).map(|n| choose(&weights, draw(n, 7))).collect();
        assert_eq!(chosen, [1, 0, 2, 2, 3, 3, 3]);
    }

    #[test]
    fn without_a_weight_of_nothing_the_first_has_one_number_more() {
        let chosen: Vec<usize> = (0..=3).map(|n| choose(&[1, 2], draw(n, 4))).collect();
        assert_eq!(chosen, [0, 0, 1, 1]);
    }

    #[test]
    fn of_nothing_but_weights_of_nothing_the_first_is_chosen() {
        assert_eq!(choose(&[0, 0, 0], draw(0, 1)), 0);
    }

    #[test]
    fn the_next_priority_is_due_when_the_last_of_the_lowest_has_failed() {
        let all = [endpoint(1, 0, 1), endpoint(2, 1, 1), endpoint(3, 0, 1), endpoint(4, 1, 1)];
        let near = Preference::Near(ZoneId(0));
        assert_eq!(nodes(&due(&all, near, &[])), [1, 3]);
        assert_eq!(nodes(&due(&all, near, &[NodeId(1)])), [3]);
        assert_eq!(nodes(&due(&all, near, &[NodeId(1), NodeId(3)])), [2, 4]);
        let everyone = [1, 2, 3, 4].map(NodeId);
        assert_eq!(nodes(&due(&all, near, &everyone)), [1, 3], "nobody is left: it begins anew");
        assert_eq!(nodes(&due(&all, Preference::ZoneOrder, &[])), [1, 3]);
        assert_eq!(nodes(&due(&all, Preference::None, &[])), [1, 2, 3, 4]);
    }

    #[test]
    fn who_has_failed_is_not_the_first() {
        let listing = Arc::new(Listing {
            service: ServiceId(0),
            revision: 1,
            endpoints: vec![endpoint(1, 0, 1), endpoint(2, 0, 1)],
        });
        for word in 0..50 {
            let records = Records { listing: listing.clone(), order: Draw::new(word), kind: Kind::Address };
            assert_eq!(first(&records, &[NodeId(1)]).map(|endpoint| endpoint.node), Some(NodeId(2)));
        }
    }
}
