//! Zone-aware routing: as much of a client's load to its own zone as the zone's hosts can bear, if all clients do so.
//!
//! Source: `ZoneAwareLoadBalancerBase` in load_balancer_impl.cc of envoyproxy/envoy at 00cf9a0; `force_local_zone` and
//! the weight as a basis are of later versions of the same file.

use crate::dice::Dice;

/// What a zone has of all clients and of all endpoints, in parts of 10,000, rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Of the clients.
    pub local: u64,
    /// Of the healthy endpoints.
    pub upstream: u64,
}

/// Where requests go. Zones are counted from the client's own, if any endpoint is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routing {
    /// All to the own zone.
    Direct,
    /// Some to the own zone, the rest to where there is room.
    Residual {
        /// How many of 10,000 go to the own zone.
        local: u64,
        /// Room beyond what each zone's own clients need, up to and with each zone, in parts of 10,000.
        residual: Vec<u64>,
    },
}

/// All of the load, all clients, or all endpoints.
const ALL: u64 = 10_000;

impl Share {
    /// The share of a zone with this much of so much, here and there. A zone without endpoints has none of either.
    pub fn new(local: (u64, u64), upstream: (u64, u64)) -> Share {
        let part = |(part, all): (u64, u64)| (ALL * part).checked_div(all).unwrap_or(0);
        if upstream.0 == 0 {
            return Share { local: 0, upstream: 0 };
        }
        Share { local: part(local), upstream: part(upstream) }
    }
}

impl Routing {
    /// Where requests go if zones have these shares, the own one first if `has_own`; all stays there if `is_forced`.
    pub fn new(shares: &[Share], has_own: bool, is_forced: bool) -> Routing {
        let own = if has_own { shares.first().copied() } else { None };
        if own.is_some_and(|own| own.upstream > 0 && own.upstream >= own.local || is_forced) {
            return Routing::Direct;
        }
        let local = own.and_then(|own| (ALL * own.upstream).checked_div(own.local)).unwrap_or(0);
        let mut sum = 0;
        let room = |(place, share): (usize, &Share)| {
            // What the own zone can bear it has been given already.
            if !(has_own && place == 0) {
                sum += share.upstream.saturating_sub(share.local);
            }
            sum
        };
        Routing::Residual { local, residual: shares.iter().enumerate().map(room).collect() }
    }

    /// The zone of the next request, by its number.
    pub fn choose(&self, dice: &mut Dice<'_>) -> usize {
        let Routing::Residual { local, residual } = self else { return 0 };
        if dice.word() % ALL < *local {
            return 0;
        }
        match residual.last() {
            // Rounding may leave no room anywhere.
            None | Some(0) => (dice.word() % residual.len().max(1) as u64) as usize,
            Some(room) => {
                let place = dice.word() % room;
                residual.partition_point(|&until| until <= place)
            }
        }
    }

    /// Whether any request may go to the zone of this number.
    pub fn may_choose(&self, zone: usize) -> bool {
        match self {
            Routing::Direct => zone == 0,
            Routing::Residual { local, residual } => {
                let before = zone.checked_sub(1).map_or(0, |before| residual[before]);
                zone == 0 && *local > 0 || residual[zone] > before || residual.last() == Some(&0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the comment of `regenerateLocalityRoutingStructures`.
    #[test]
    fn the_example_of_the_source() {
        let shares = [(4000, 2500), (4000, 5000), (2000, 2500)];
        let shares = shares.map(|(local, upstream)| Share { local, upstream });
        let expected = Routing::Residual { local: 6250, residual: vec![0, 1000, 1500] };
        assert_eq!(Routing::new(&shares, true, false), expected);
        assert_eq!(Routing::new(&shares, true, true), Routing::Direct);
    }

    #[test]
    fn a_zone_that_has_no_share_is_never_chosen() {
        let routing = Routing::Residual { local: 0, residual: vec![0, 0, 833, 833] };
        assert_eq!([0, 1, 2, 3].map(|zone| routing.may_choose(zone)), [false, false, true, false]);
        let nowhere = Routing::Residual { local: 0, residual: vec![0, 0] };
        assert!(nowhere.may_choose(0) && nowhere.may_choose(1));
    }
}
