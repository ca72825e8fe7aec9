//! HAProxy's walk through its tree of nodes.
//!
//! src/lb_chash.c: `chash_get_server_hash` for a request with a hash, `chash_get_next_server` for one without.

use crate::balancer::bounded::{self, Weights};
use crate::balancer::ring::{Ring, Server};
use crate::balancer::shares::Host;
use crate::listing::View;

/// The tree of these servers. Their numbers (`puid`) count from 1 in the order of the configuration, and are not given
/// again: those of instances that are not there leave a gap.
pub(super) fn ring(view: View<'_>, hosts: &[Host]) -> Ring {
    let server = |host: &Host| Server {
        id: view.endpoint(host.place).ordinal + 1,
        place: host.place,
        weight: u32::try_from(host.weight).unwrap_or(u32::MAX),
    };
    Ring::haproxy(hosts.iter().map(server))
}

/// What decides whether a server that a hash finds is taken.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// `hash-balance-factor`, in percent.
    factor: Option<u32>,
    /// By place in the view.
    weights: Vec<Weights>,
}

impl Tree {
    pub(super) fn new(factor: Option<u32>, hosts: &[Host]) -> Tree {
        let own = |host: &Host| u32::try_from(host.weight).unwrap_or(u32::MAX).min(Server::MOST_WEIGHT);
        let places = hosts.iter().map(|host| host.place as usize + 1).max().unwrap_or(0);
        let sum = hosts.iter().map(own).sum();
        let mut weights = vec![Weights { own: 0, before: 0, sum }; places];
        let mut before = 0;
        for host in hosts {
            weights[host.place as usize] = Weights { own: own(host), before, sum };
            before += own(host);
        }
        Tree { factor, weights }
    }

    /// The place of the server of a hash. Each later attempt avoids the server of the one before it, as a request that is
    /// redispatched does, and no other.
    pub(super) fn find(&self, ring: &Ring, view: View<'_>, hash: u32, attempt: u32) -> u32 {
        let nearest = ring.nearest(hash);
        let first = self.walk(ring, view, nearest, None);
        (0..attempt).fold(first, |before, _| self.walk(ring, view, nearest, Some(before)))
    }

    /// On from the nearest node to the first server that will do. After a second time around it gives up on that.
    fn walk(&self, ring: &Ring, view: View<'_>, nearest: u32, avoid: Option<u32>) -> u32 {
        let mut at = nearest;
        let mut rounds = 0;
        loop {
            let place = ring.place(at);
            if avoid != Some(place) && self.is_eligible(view, place) {
                return place;
            }
            at = ring.after(at);
            if at == 0 {
                rounds += 1;
                if rounds > 1 {
                    return place;
                }
            }
        }
    }

    fn is_eligible(&self, view: View<'_>, place: u32) -> bool {
        self.slots(view, place).is_none_or(|slots| view.in_flight(place) < slots)
    }

    /// How many requests the server at a place may have now, if that is bounded.
    pub(super) fn slots(&self, view: View<'_>, place: u32) -> Option<u32> {
        let total = bounded::total_slots(view.total_in_flight(), self.factor?);
        Some(bounded::haproxy_slots(total, self.weights[place as usize]))
    }
}

/// The place of the node behind the last one that a request without a hash got: round robin through the tree.
pub(super) fn next(ring: &Ring, last: &mut Option<u32>) -> u32 {
    let at = last.map_or(0, |key| ring.successor(u64::from(key) + 1));
    *last = Some(ring.hash(at) as u32);
    ring.place(at)
}
