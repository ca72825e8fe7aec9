//! The endpoint of the request's key, by Maglev's table.
//!
//! Eisenbud et al., "Maglev: a fast and reliable software network load balancer", NSDI 2016, section 3.4, with the weights
//! of Envoy: source/extensions/load_balancing_policies/maglev/maglev_lb.cc.

use twox_hash::XxHash64;

use super::bounded::Bounds;
use super::hash_policy::{self, Policy};
use super::shares::{self, Share};
use super::{Balancer, Call, Scope, Seat, Update};
use crate::dice::Dice;
use crate::hash::Hash;
use crate::listing::View;
use crate::options::{Clash, options};
use crate::state::State;

options! {
    /// The options of `maglev`, with the defaults of Envoy's `Maglev` (api/envoy/extensions/load_balancing_policies).
    pub struct Config {
        table_size: u32 = 65_537, "table-size", Count(2, 5_000_011), "How many slots the table has: a prime number";
        bounded_load: Option<u32> = None, "bounded-load", PercentOr(100, 65_535, "none"),
            "How many requests an endpoint may have, of its share of all, before others get its keys";
        hash_policy: Vec<Policy> = vec![Policy::Key], "hash-policy", Words(Policy::WORDS),
            "What of a request is hashed, in this order";
    }
}

/// A table of the view as it was at the last update, once somebody has asked for it.
#[derive(Clone, Debug)]
pub struct Maglev {
    config: Config,
    built: Option<Built>,
}

#[derive(Clone, Debug)]
struct Built {
    table: Table,
    bounds: Option<Bounds>,
}

impl Balancer for Maglev {
    type Config = Config;

    const SCOPE: Scope = Scope::Level;

    fn new(config: &Config, _: &Seat, _: &mut Dice<'_>) -> Maglev {
        Maglev { config: config.clone(), built: None }
    }

    fn check(config: &Config) -> Result<(), Clash> {
        let size = config.table_size;
        if is_prime(size) {
            return Ok(());
        }
        let below = (2..size).rev().find(|&size| is_prime(size));
        let above = (size..).find(|&size| is_prime(size));
        let near: Vec<String> = below.into_iter().chain(above).map(|size| size.to_string()).collect();
        Err(Clash {
            option: "table-size",
            message: format!("the size of Maglev's table is a prime number, and {size} is none"),
            help: format!("write {}", near.join(" or ")),
        })
    }

    /// Envoy builds its table at once; who looks at it only now and then need not.
    fn on_update(&mut self, _: View<'_>, _: Update, _: &mut Dice<'_>) {
        self.built = None;
    }

    fn pick(&mut self, view: View<'_>, call: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        let Built { table, bounds } = self.built.get_or_insert_with(|| Built::new(&self.config, view));
        let hash = hash_policy::hash_of(call, &self.config.hash_policy, Hash::Xxh64);
        let hash = hash.unwrap_or_else(|| dice.word());
        let hashed = table.place(of_attempt(hash, call.attempt()));
        let in_flight = |place| view.in_flight(place);
        let all = view.total_in_flight();
        bounds.as_mut().map_or(hashed, |bounds| bounds.pick(all, in_flight, hash, hashed))
    }

    fn state(&self, view: View<'_>) -> State {
        let fresh;
        let built = match &self.built {
            Some(built) => built,
            None => {
                fresh = Built::new(&self.config, view);
                &fresh
            }
        };
        let slots = &built.table.slots;
        let mut counts = vec![0_u32; view.len() as usize];
        slots.iter().for_each(|&place| counts[place as usize] += 1);
        let of_those_there = || counts.iter().copied().filter(|&count| count > 0);
        State::table([
            ("size", State::from(slots.len() as u32)),
            ("fewest-entries", of_those_there().min().unwrap_or(0).into()),
            ("most-entries", of_those_there().max().unwrap_or(0).into()),
            ("table", State::list(slots.iter().map(|&place| view.name(place)))),
        ])
    }
}

impl Built {
    fn new(config: &Config, view: View<'_>) -> Built {
        let mut shares = shares::shares(&shares::hosts(view));
        let bounds = config.bounded_load.map(|factor| Bounds::new(factor, shares.clone()));
        shares.sort_by_key(|share| view.name(share.place));
        Built { table: Table::new(&shares, |place| view.name(place), config.table_size), bounds }
    }
}

/// A table of places: every slot has one.
#[derive(Clone, Debug, Default)]
struct Table {
    slots: Vec<u32>,
}

impl Table {
    /// The table of these shares, which are in the order of the endpoints' names.
    fn new<'a>(shares: &[Share], name: impl Fn(u32) -> &'a str, size: u32) -> Table {
        assert!(!shares.is_empty(), "a table has somebody in it");
        let greatest = shares::greatest(shares);
        let mut rows: Vec<Row> =
            shares.iter().map(|share| Row::new(share, name(share.place), size)).collect();
        let mut slots = vec![NOBODY; size as usize];
        let mut free = size;
        let mut round = 0.0;
        while free > 0 {
            round += 1.0;
            for row in &mut rows {
                if free == 0 || !row.is_due(round, greatest) {
                    continue;
                }
                row.take(&mut slots);
                free -= 1;
            }
        }
        Table { slots }
    }

    /// The place of the endpoint of a hash.
    #[inline]
    fn place(&self, hash: u64) -> u32 {
        self.slots[(hash % self.slots.len() as u64) as usize]
    }
}

/// What no slot holds once the table is full.
const NOBODY: u32 = u32::MAX;

/// One endpoint's permutation of the slots, and where it stands in it.
struct Row {
    place: u32,
    part: f64,
    /// What it has to come to before its next turn: who has the greatest part has a turn in every round.
    target: f64,
    next: u64,
    skip: u64,
    size: u64,
}

impl Row {
    fn new(share: &Share, name: &str, size: u32) -> Row {
        let size = u64::from(size);
        let next = XxHash64::oneshot(0, name.as_bytes()) % size;
        let skip = XxHash64::oneshot(1, name.as_bytes()) % (size - 1) + 1;
        Row { place: share.place, part: share.part, target: 0.0, next, skip, size }
    }

    fn is_due(&mut self, round: f64, greatest: f64) -> bool {
        let is_due = round * self.part >= self.target;
        if is_due {
            self.target += greatest;
        }
        is_due
    }

    /// Takes the first slot of its permutation that is free.
    fn take(&mut self, slots: &mut [u32]) {
        loop {
            let slot = self.next as usize;
            self.next = (self.next + self.skip) % self.size;
            if slots[slot] == NOBODY {
                slots[slot] = self.place;
                return;
            }
        }
    }
}

/// The hash of a later attempt, which looks elsewhere, in Envoy's Maglev and rendezvous: `hash ^= ~0ULL - attempt + 1`.
pub(super) fn of_attempt(hash: u64, attempt: u32) -> u64 {
    hash ^ u64::from(attempt).wrapping_neg()
}

fn is_prime(number: u32) -> bool {
    let mut divisors = (2..number).take_while(|divisor| divisor * divisor <= number);
    number > 1 && !divisors.any(|divisor| number.is_multiple_of(divisor))
}

#[cfg(test)]
mod tests {
    use schism_core::ZoneId;

    use super::*;
    use crate::balancer::movement;
    use crate::balancer::shares::{Host, shares};
    use crate::balancer::stand::Stand;
    use crate::keys::Subject;

    const ADDRESSES: [&str; 6] =
        ["127.0.0.1:90", "127.0.0.1:91", "127.0.0.1:92", "127.0.0.1:93", "127.0.0.1:94", "127.0.0.1:95"];

    fn host(place: u32, weight: u64) -> Host {
        Host { place, weight, locality: None }
    }

    fn table(hosts: &[Host], size: u32) -> Table {
        Table::new(&shares(hosts), |place| ADDRESSES[place as usize], size)
    }

    fn counts(table: &Table, places: usize) -> Vec<usize> {
        (0..places).map(|place| table.slots.iter().filter(|&&slot| slot == place as u32).count()).collect()
    }

    /// maglev_lb_test.cc of envoyproxy/envoy at 08417eb.
    #[test]
    fn tables_are_envoys() {
        let basic = table(&[0, 1, 2, 3, 4, 5].map(|place| host(place, 1)), 7);
        assert_eq!(basic.slots, [2, 4, 0, 1, 5, 0, 3]);
        let weighted = table(&[host(0, 1), host(1, 2)], 17);
        assert_eq!(weighted.slots, [1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1]);
        let zoned = |place, zone, weight| Host { place, weight: 1, locality: Some((ZoneId(zone), weight)) };
        let localities = table(&[zoned(0, 0, 8), zoned(2, 1, 0), zoned(1, 2, 2)], 17);
        assert_eq!(localities.slots, [1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
    }

    /// Envoy's docs (load_balancers.rst) say so of the two weights and the default size.
    #[test]
    fn the_documented_shares_come_out() {
        let table = table(&[host(0, 1), host(1, 2)], 65_537);
        assert_eq!(counts(&table, 2), [21_846, 43_691]);
    }

    /// The whole table, as XXH64 of its places in decimal with commas between, and what changes without the last host.
    #[test]
    fn large_tables_are_the_references() {
        for (hosts, least, first, digest, changed, owned) in [
            (2, 32768, [0, 1, 0, 0, 1], 6_285_657_419_779_401_849, 32768, 32768),
            (5, 13107, [0, 3, 3, 4, 1], 3_361_903_250_121_115_530, 13152, 13107),
            (100, 655, [61, 73, 31, 22, 1], 4_109_393_005_744_326_794, 1038, 655),
        ] {
            // In the order of the names, as Envoy sorts them: "10.0.0.10:8080" comes before "10.0.0.2:8080".
            let names: Vec<String> = (0..hosts).map(|host| format!("10.0.0.{host}:8080")).collect();
            let sorted = |hosts: u32| {
                let mut of: Vec<Host> = (0..hosts).map(|place| host(place, 1)).collect();
                of.sort_by_key(|host| &names[host.place as usize]);
                Table::new(&shares(&of), |place| &names[place as usize], 65_537)
            };
            let (all, without) = (sorted(hosts), sorted(hosts - 1));
            let decimals: Vec<String> = all.slots.iter().map(u32::to_string).collect();
            assert_eq!(Hash::Xxh64.of(decimals.join(",").as_bytes()), digest);
            assert_eq!(all.slots[..5], first);
            let counts = counts(&all, hosts as usize);
            assert_eq!((counts.iter().min(), counts.iter().max()), (Some(&least), Some(&(least + 1))));
            assert_eq!(counts[hosts as usize - 1], owned);
            assert_eq!(all.slots.iter().zip(&without.slots).filter(|(old, new)| old != new).count(), changed);
        }
    }

    /// Some keys move between two that stay: fewer than one in a hundred.
    #[test]
    fn few_keys_move_but_to_the_new_server() {
        for (servers, moved, between_old, most, cv) in [
            (5, 3317, 12, 1.01025, 0.008229520034607122),
            (10, 1872, 47, 1.0475, 0.02435261792908516),
            (50, 479, 98, 1.0925, 0.046882832678924166),
        ] {
            let names: Vec<String> = (0..=servers).map(|server| format!("s{server}")).collect();
            let sorted = |hosts: u32| {
                let mut of: Vec<Host> = (0..hosts).map(|place| host(place, 1)).collect();
                of.sort_by_key(|host| &names[host.place as usize]);
                Table::new(&shares(&of), |place| &names[place as usize], 65_537)
            };
            let (old, new) = (sorted(servers), sorted(servers + 1));
            movement::check((servers, moved, between_old), (most, cv), |hash, with_new| {
                if with_new { new.place(hash) } else { old.place(hash) }
            });
        }
    }

    /// Whoever the hash finds, a later attempt looks where its changed hash leads, and a request about nothing anywhere.
    #[test]
    fn picks_are_the_tables() {
        let stand = Stand::new(&ADDRESSES.map(|name| (name, 1)));
        let mut maglev: Maglev = stand.balancer(&Config { table_size: 7, ..Config::default() });
        let mut pick = |hash, attempt| stand.pick_again(&mut maglev, Subject::Hash(hash), attempt).to_owned();
        let slots = [2, 4, 0, 1, 5, 0, 3].map(|place: usize| ADDRESSES[place]);
        for hash in 0..14 {
            assert_eq!(pick(hash, 0), slots[hash as usize % 7]);
            for attempt in 1..3 {
                let changed = hash ^ u64::MAX.wrapping_sub(attempt).wrapping_add(1);
                assert_eq!(pick(hash, attempt as u32), slots[(changed % 7) as usize]);
            }
        }
        let nothing = Call::about(Subject::Nothing);
        assert_eq!(stand.picked(&mut maglev, &nothing, &mut [8].into()), slots[1]);
    }

    #[test]
    fn an_overloaded_endpoint_gives_way() {
        let mut stand = Stand::new(&ADDRESSES.map(|name| (name, 1)));
        let config = Config { table_size: 7, bounded_load: Some(150), ..Config::default() };
        let mut maglev: Maglev = stand.balancer(&config);
        stand.load(2, 2);
        // 150% of two and the one to come are 5 slots, of which each of six has one: two are too many.
        let other = stand.pick(&mut maglev, Subject::Hash(0)).to_owned();
        assert_ne!(other, ADDRESSES[2]);
        assert_eq!(
            stand.pick(&mut maglev, Subject::Hash(1)),
            ADDRESSES[4],
            "who is not overloaded keeps its keys"
        );
    }

    #[test]
    fn a_table_is_shown_slot_by_slot() {
        let stand = Stand::new(&[(ADDRESSES[0], 1), (ADDRESSES[1], 2)]);
        let maglev: Maglev = stand.balancer(&Config { table_size: 17, ..Config::default() });
        let State::Table(parts) = maglev.state(stand.view()) else { panic!("it is a table") };
        let names = [1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1].map(|place: usize| ADDRESSES[place]);
        assert_eq!(
            parts,
            [
                ("size".to_owned(), State::Whole(17)),
                ("fewest-entries".to_owned(), State::Whole(6)),
                ("most-entries".to_owned(), State::Whole(11)),
                ("table".to_owned(), State::list(names)),
            ]
        );
    }

    /// Envoy: "The table size of maglev must be prime number".
    #[test]
    fn a_size_that_is_not_prime_is_refused() {
        let clash = Maglev::check(&Config { table_size: 8, ..Config::default() }).expect_err("8 is even");
        assert_eq!(clash.message, "the size of Maglev's table is a prime number, and 8 is none");
        assert_eq!(clash.help, "write 7 or 11");
        assert_eq!(Maglev::check(&Config::default()), Ok(()));
    }

    #[test]
    fn a_later_attempt_has_another_hash() {
        assert_eq!([0, 1, 2].map(|attempt| of_attempt(5, attempt)), [5, !5, 5 ^ (u64::MAX - 1)]);
    }

    #[test]
    fn sizes_are_prime() {
        let primes: Vec<u32> = (0..40).filter(|&number| is_prime(number)).collect();
        assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37]);
        assert!(is_prime(65_537) && is_prime(5_000_011) && !is_prime(65_536) && !is_prime(5_000_009));
    }
}
