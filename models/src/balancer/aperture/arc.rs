//! The part of the ring of servers that one of several clients talks to, in whole units: Finagle's deterministic aperture.
//!
//! `Ring`, `DeterministicAperture.dApertureWidth` and `ProcessCoordinate` of twitter/finagle at 4feb34c,
//! `loadbalancer/aperture`. There a ring has length 1 and all are doubles; here it has as many units as clients times
//! servers, so that a server is as wide as there are clients, and a client's share as there are servers, and nothing is
//! rounded.

/// Where a client's arc begins on the ring of servers, and how wide it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arc {
    /// How many units wide each server is: as many as there are clients.
    clients: u64,
    servers: u64,
    offset: u64,
    width: u64,
}

impl Arc {
    /// The arc of one of the clients, wide enough for `aperture` servers, and then up to a whole number of the clients'
    /// shares: so all arcs together go round the ring a whole number of times, and each server is in as much of them.
    pub(super) fn new(client: u32, clients: u32, servers: u32, aperture: u32) -> Arc {
        assert!(clients > 0 && servers > 0 && client < clients, "a client is one of those there are");
        let (clients, servers) = (u64::from(clients), u64::from(servers));
        let shares = (u64::from(aperture.max(1)) * clients).div_ceil(servers);
        Arc { clients, servers, offset: u64::from(client) * servers, width: shares.min(clients) * servers }
    }

    /// The servers in the arc, from its beginning on.
    pub(super) fn members(self) -> impl Iterator<Item = u32> {
        let first = self.offset / self.clients;
        let last = (self.offset + self.width - 1) / self.clients;
        let count = (last - first + 1).min(self.servers);
        (first..first + count).map(move |server| (server % self.servers) as u32)
    }

    /// How many units of a server are in the arc: its weight, times the number of clients.
    pub(super) fn overlap(self, server: u32) -> u64 {
        let (from, to) = self.place(server);
        let end = self.offset + self.width;
        if end > self.circle() {
            // What is not in an arc that wraps around is in one piece.
            self.clients - common(from, to, end - self.circle(), self.offset)
        } else {
            common(from, to, self.offset, end)
        }
    }

    /// The server at a point of the arc, chosen by a word of luck.
    pub(super) fn pick(self, word: u64) -> u32 {
        self.at(self.offset + share(word, self.width))
    }

    /// Another server at a point of what the first leaves of the arc, or the same if it leaves nothing. Where the arc
    /// begins and ends in the first server, only its end is left out, as in Finagle.
    pub(super) fn pick_other(self, first: u32, word: impl FnOnce() -> u64) -> u32 {
        let end = self.offset + self.width;
        let (from, to) = match self.place(first) {
            (from, to) if from + self.circle() < end => (from + self.circle(), to + self.circle()),
            once => once,
        };
        let overlap = common(from, to, self.offset, end);
        if overlap == self.width {
            return first;
        }
        let point = self.offset + share(word(), self.width - overlap);
        self.at(if point + overlap >= to { point + overlap } else { point })
    }

    /// How wide the arc is, of how much.
    pub(super) fn width(self) -> (u64, u64) {
        (self.width, self.circle())
    }

    /// Where the arc begins, of how much.
    pub(super) fn offset(self) -> (u64, u64) {
        (self.offset, self.circle())
    }

    /// How many units make a whole server.
    pub(super) fn whole(self) -> u64 {
        self.clients
    }

    fn at(self, point: u64) -> u32 {
        (point % self.circle() / self.clients) as u32
    }

    fn place(self, server: u32) -> (u64, u64) {
        let from = u64::from(server) * self.clients;
        (from, from + self.clients)
    }

    fn circle(self) -> u64 {
        self.clients * self.servers
    }
}

/// How many units two ranges have in common.
fn common(from: u64, to: u64, other_from: u64, other_to: u64) -> u64 {
    to.min(other_to).saturating_sub(from.max(other_from))
}

/// The part of a span that a word is of all words. Exact where the real one multiplies by a random double.
fn share(word: u64, span: u64) -> u64 {
    ((u128::from(word) * u128::from(span)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The servers of client 0 with their weights, over the number of clients.
    fn weights(arc: Arc) -> Vec<(u32, u64)> {
        arc.members().map(|server| (server, arc.overlap(server))).collect()
    }

    #[track_caller]
    fn check(clients: u32, servers: u32, aperture: u32, width: (u64, u64), of_first: &[(u32, u64)]) {
        let arc = Arc::new(0, clients, servers, aperture);
        let (units, all) = arc.width();
        assert_eq!(u128::from(units) * u128::from(width.1), u128::from(all) * u128::from(width.0));
        assert_eq!(weights(arc), of_first);
        let each = |client| Arc::new(client, clients, servers, aperture);
        let load = |server| (0..clients).map(|client| each(client).overlap(server)).sum::<u64>();
        assert!((0..servers).all(|server| load(server) == load(0)), "every server has the same");
        assert!((0..clients).all(|client| {
            let arc = each(client);
            arc.members().all(|server| arc.overlap(server) > 0)
                && arc.members().map(|server| arc.overlap(server)).sum::<u64>() == arc.width().0
        }));
    }

    /// Exact fractions, computed from Finagle's formulas.
    #[test]
    fn widths_and_weights_are_finagles() {
        check(3, 3, 1, (1, 3), &[(0, 3)]);
        check(4, 3, 2, (3, 4), &[(0, 4), (1, 4), (2, 1)]);
        let all: Vec<(u32, u64)> = (0..12).map(|server| (server, 10)).collect();
        check(10, 12, 12, (1, 1), &all);
        check(7, 10, 3, (3, 7), &[(0, 7), (1, 7), (2, 7), (3, 7), (4, 2)]);
    }

    #[test]
    fn load_is_even_for_any_numbers() {
        for clients in 1..=12 {
            for servers in 1..=12 {
                for aperture in 1..=servers {
                    let shares = (u64::from(aperture) * u64::from(clients)).div_ceil(u64::from(servers));
                    let arc = Arc::new(0, clients, servers, aperture);
                    check(clients, servers, aperture, (shares, u64::from(clients)), &weights(arc));
                }
            }
        }
    }

    /// `RingTest` of Finagle, in tenths: an arc from 0.75 over half of ten servers wraps around.
    #[test]
    fn an_arc_wraps_around() {
        let arc = Arc { clients: 20, servers: 10, offset: 150, width: 100 };
        assert_eq!(weights(arc), [(7, 10), (8, 20), (9, 20), (0, 20), (1, 20), (2, 10)]);
        assert_eq!(arc.pick(0), 7);
        assert_eq!(arc.pick(u64::MAX), 2);
        assert_eq!(arc.pick(1 << 63), 0);
    }

    /// Each pair of different servers comes as often as the part of the arc that is theirs.
    #[test]
    fn the_second_is_another_and_comes_by_its_weight() {
        let arc = Arc { clients: 20, servers: 10, offset: 150, width: 100 };
        let words = |units: u64| {
            (0..units).map(move |unit| ((u128::from(unit) << 64) / u128::from(units)) as u64 + 1)
        };
        for (first, overlap) in weights(arc) {
            let left = 100 - overlap;
            let picked: Vec<u32> = words(left).map(|word| arc.pick_other(first, || word)).collect();
            for (server, weight) in weights(arc) {
                let times = picked.iter().filter(|&&other| other == server).count() as u64;
                assert_eq!(times, if server == first { 0 } else { weight }, "{first} then {server}");
            }
        }
    }

    #[test]
    fn who_is_alone_in_the_arc_is_picked_twice() {
        let arc = Arc::new(1, 3, 3, 1);
        assert_eq!(arc.pick(u64::MAX / 2), 1);
        assert_eq!(arc.pick_other(1, || unreachable!("nothing is left")), 1);
    }
}
