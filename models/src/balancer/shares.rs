//! What share of the traffic each endpoint is due, as Envoy's hashing balancers normalize weights.
//!
//! `normalizeWeights` in source/extensions/load_balancing_policies/common/thread_aware_lb_impl.cc, with its order of
//! multiplying and dividing: rings are equal to the entry only if shares are equal to the last bit.

use std::collections::BTreeMap;

use schism_core::ZoneId;

use crate::listing::View;
use crate::state::State;

/// An endpoint and what counts for its share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Host {
    /// Its place in the view.
    pub(super) place: u32,
    /// Its weight.
    pub(super) weight: u64,
    /// Its zone and that zone's weight, where localities are weighted.
    pub(super) locality: Option<(ZoneId, u32)>,
}

/// The part of all traffic that an endpoint is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    /// The endpoint's place in the view.
    pub(super) place: u32,
    /// Of 1.
    pub(super) part: f64,
}

/// All endpoints of a view, with their zones' weights where the balancer is to heed those.
pub(super) fn hosts(view: View<'_>) -> Vec<Host> {
    let host = |place| Host {
        place,
        weight: u64::from(view.listed_weight(place)),
        locality: view.zone_weight(place).map(|weight| (view.endpoint(place).zone, weight)),
    };
    (0..view.len()).map(host).collect()
}

/// The endpoints of a view that are to get anything, with one weight each: the endpoint's times its zone's, as gRFC A42
/// has it. If that leaves nobody, all count alike.
pub(super) fn flat(view: View<'_>) -> Vec<Host> {
    let all = hosts(view);
    let weight = |host: &Host| host.weight * host.locality.map_or(1, |(_, weight)| u64::from(weight));
    let host = |host: &Host| Host { weight: weight(host), locality: None, ..*host };
    let some: Vec<Host> = all.iter().map(host).filter(|host| host.weight > 0).collect();
    if some.is_empty() {
        return all.iter().map(|host| Host { weight: 1, locality: None, ..*host }).collect();
    }
    some
}

/// The shares of these hosts, zone by zone where localities are weighted. A zone whose weight is 0 is left out, as in
/// Envoy, and so is a host whose own is: Envoy refuses such a weight. If that leaves nobody, all hosts count alike, since
/// a view has someone to pick: Envoy would fail the request.
pub(super) fn shares(hosts: &[Host]) -> Vec<Share> {
    let weighted = match zones(hosts) {
        Some(zones) => of_zones(hosts, &zones),
        None => of_hosts(hosts, 1.0),
    };
    if weighted.is_empty() { even(hosts) } else { weighted }
}

/// The least part that anybody has: above 0.
pub(super) fn least(shares: &[Share]) -> f64 {
    shares.iter().fold(1.0, |least: f64, share| least.min(share.part))
}

/// The greatest part that anybody has.
pub(super) fn greatest(shares: &[Share]) -> f64 {
    shares.iter().fold(0.0, |greatest: f64, share| greatest.max(share.part))
}

/// The fewest and the most entries that one of those has who have any.
pub(super) fn extremes(counts: &[u32]) -> [(&'static str, State); 2] {
    let there = || counts.iter().copied().filter(|&count| count > 0);
    let (fewest, most) = (there().min().unwrap_or(0), there().max().unwrap_or(0));
    [("fewest-entries", fewest.into()), ("most-entries", most.into())]
}

/// The weights of the hosts' zones, if each has one.
fn zones(hosts: &[Host]) -> Option<BTreeMap<ZoneId, u32>> {
    hosts.iter().map(|host| host.locality).collect()
}

/// Envoy's `normalizeLocalityWeights`: in the order of the zones.
fn of_zones(hosts: &[Host], zones: &BTreeMap<ZoneId, u32>) -> Vec<Share> {
    let sum: u64 = zones.values().map(|&weight| u64::from(weight)).sum();
    let mut shares = Vec::with_capacity(hosts.len());
    for (&zone, &weight) in zones.iter().filter(|&(_, &weight)| weight > 0) {
        let is_there = |host: &&Host| host.locality.is_some_and(|(other, _)| other == zone);
        let there: Vec<Host> = hosts.iter().filter(is_there).copied().collect();
        shares.extend(of_hosts(&there, f64::from(weight) / sum as f64));
    }
    shares
}

/// Envoy's `normalizeHostWeights`: of the part of their locality.
fn of_hosts(hosts: &[Host], part: f64) -> Vec<Share> {
    let sum: u64 = hosts.iter().map(|host| host.weight).sum();
    let share = |host: &Host| Share { place: host.place, part: host.weight as f64 * part / sum as f64 };
    hosts.iter().filter(|host| host.weight > 0).map(share).collect()
}

fn even(hosts: &[Host]) -> Vec<Share> {
    let part = 1.0 / hosts.len() as f64;
    hosts.iter().map(|host| Share { place: host.place, part }).collect()
}
