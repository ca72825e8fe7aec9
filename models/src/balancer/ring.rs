//! Rings of hashes: how each real one is built, and who is found on it.

use std::fmt::Write as _;

use super::shares::{self, Share};
use crate::hash::{Hash, full_hash};

/// Hashes in ascending order, each with the place of its endpoint in the view. It has one entry at least.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    hashes: Vec<u64>,
    places: Vec<u32>,
}

/// An endpoint with so many entries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    /// What is hashed of it.
    pub(super) name: &'a str,
    /// Its place in the view.
    pub(super) place: u32,
    /// How many entries it has.
    pub(super) entries: u64,
}

impl Ring {
    /// Envoy's and gRPC's ring: a whole number of entries for the least endpoint, so that there are `min` in all, and for
    /// the others what is in proportion, but no more than `max`. An entry's hash is that of the endpoint's name, an
    /// underscore and the entry's number.
    ///
    /// Envoy's `Ring` in source/extensions/load_balancing_policies/ring_hash/ring_hash_lb.cc; grpc-go's `newRing` in
    /// balancer/ringhash/ring.go, which sorts the endpoints by name first.
    pub(super) fn proportional<'a>(
        shares: &[Share],
        name: impl Fn(u32) -> &'a str,
        sizes: (u32, u32),
        hash: Hash,
    ) -> Ring {
        let scale = scale(shares::least(shares), sizes);
        let mut builder = Builder::new(hash, "_", libm::ceil(scale) as usize);
        // The two are running sums over all endpoints: who comes first of those whose count is not whole gets the entry.
        let (mut current, mut target) = (0.0, 0.0);
        for share in shares {
            target += scale * share.part;
            let mut entries = 0;
            while current < target {
                current += 1.0;
                entries += 1;
            }
            builder.add(Node { name: name(share.place), place: share.place, entries });
        }
        builder.finish()
    }

    /// A ring of so many virtual nodes for each endpoint, hashed of its name, a separator and their number. Of entries
    /// with the same hash the first endpoint's comes first.
    pub(super) fn of_virtual_nodes(nodes: &[Node<'_>], separator: &str, hash: Hash) -> Ring {
        let mut builder = Builder::new(hash, separator, 0);
        nodes.iter().for_each(|&node| builder.add(node));
        builder.finish()
    }

    /// HAProxy's tree, with [`HAPROXY_NODES`] for each unit of weight: `chash_init_server_tree` in src/lb_chash.c. A
    /// node's key is of the server's number and its own, and not of any name.
    pub(super) fn haproxy(servers: impl Iterator<Item = Server>) -> Ring {
        let node = |server: Server, index| (haproxy_key(server.id, index), server.place);
        let entries = servers.flat_map(|server| (0..server.nodes()).map(move |index| node(server, index)));
        Ring::sorted(entries.collect())
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> u32 {
        self.hashes.len() as u32
    }

    /// The entries: their hashes and the places of their endpoints.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.hashes.iter().copied().zip(self.places.iter().copied())
    }

    /// How many entries each place has, of so many places.
    pub(super) fn counts(&self, places: u32) -> Vec<u32> {
        let mut counts = vec![0; places as usize];
        self.places.iter().for_each(|&place| counts[place as usize] += 1);
        counts
    }

    /// The hash of an entry.
    #[inline]
    pub(super) fn hash(&self, index: u32) -> u64 {
        self.hashes[index as usize]
    }

    /// The index of the first entry that is not before a hash; that of the first entry behind the last.
    #[inline]
    pub(super) fn successor(&self, hash: u64) -> u32 {
        let at = self.hashes.partition_point(|&entry| entry < hash);
        if at == self.hashes.len() { 0 } else { at as u32 }
    }

    /// The index of the entry that is nearest to a hash of 32 bits, around the ring; of two, the one before:
    /// `chash_get_server_hash` in HAProxy's src/lb_chash.c.
    #[inline]
    pub(super) fn nearest(&self, hash: u32) -> u32 {
        let next = self.successor(u64::from(hash));
        let previous = self.before(next);
        let (behind, ahead) = (self.hashes[previous as usize] as u32, self.hashes[next as usize] as u32);
        if hash.wrapping_sub(behind) <= ahead.wrapping_sub(hash) { previous } else { next }
    }

    /// The place of the endpoint that has an entry.
    #[inline]
    pub(super) fn place(&self, index: u32) -> u32 {
        self.places[index as usize]
    }

    /// The index so many entries on, around the ring.
    #[inline]
    pub(super) fn ahead(&self, index: u32, by: u32) -> u32 {
        ((u64::from(index) + u64::from(by)) % u64::from(self.len())) as u32
    }

    /// The index of the entry after one, around the ring.
    #[inline]
    pub(super) fn after(&self, index: u32) -> u32 {
        if index + 1 == self.len() { 0 } else { index + 1 }
    }

    #[inline]
    fn before(&self, index: u32) -> u32 {
        if index == 0 { self.len() - 1 } else { index - 1 }
    }

    fn sorted(mut entries: Vec<(u64, u32)>) -> Ring {
        // The sort is stable: entries with one hash stay in the order in which they were made.
        entries.sort_by_key(|&(hash, _)| hash);
        let (hashes, places) = entries.into_iter().unzip();
        Ring { hashes, places }
    }
}

/// How many entries there are for all of the traffic: so many that the least endpoint has a whole number.
fn scale(least: f64, (min, max): (u32, u32)) -> f64 {
    (libm::ceil(least * f64::from(min)) / least).min(f64::from(max))
}

/// Entries on their way to a ring.
struct Builder<'a> {
    hash: Hash,
    separator: &'a str,
    entries: Vec<(u64, u32)>,
    key: String,
}

impl<'a> Builder<'a> {
    fn new(hash: Hash, separator: &'a str, size: usize) -> Builder<'a> {
        Builder { hash, separator, entries: Vec::with_capacity(size), key: String::new() }
    }

    fn add(&mut self, node: Node<'_>) {
        self.key.clear();
        self.key.push_str(node.name);
        self.key.push_str(self.separator);
        let stem = self.key.len();
        for index in 0..node.entries {
            self.key.truncate(stem);
            write!(self.key, "{index}").expect("writing to a text does not fail");
            self.entries.push((self.hash.of(self.key.as_bytes()), node.place));
        }
    }

    fn finish(self) -> Ring {
        Ring::sorted(self.entries)
    }
}

/// A server of HAProxy's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    /// `puid`: which it is in its backend, from 1.
    pub(super) id: u32,
    /// Its place in the view.
    pub(super) place: u32,
    /// `weight`: at most 256.
    pub(super) weight: u32,
}

impl Server {
    /// The most weight that a server can have: `SRV_UWGHT_MAX` in include/haproxy/server-t.h.
    pub(super) const MOST_WEIGHT: u32 = 256;

    fn nodes(self) -> u32 {
        self.weight.min(Server::MOST_WEIGHT) * HAPROXY_NODES
    }
}

/// Nodes in the tree for each unit of weight: `BE_WEIGHT_SCALE` in HAProxy's include/haproxy/backend-t.h.
pub(super) const HAPROXY_NODES: u32 = 16;

/// `SRV_EWGHT_RANGE` in HAProxy's include/haproxy/server-t.h: how far apart the keys of two servers begin.
const HAPROXY_RANGE: u32 = Server::MOST_WEIGHT * HAPROXY_NODES;

fn haproxy_key(id: u32, index: u32) -> u64 {
    u64::from(full_hash(id.wrapping_mul(HAPROXY_RANGE).wrapping_add(index)))
}

#[cfg(test)]
mod tests;
