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
    fn entries(config: &Config, _: u64, _: u64) -> u64 {
        u64::from(config.table_size)
    }

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
        let built = self.built.clone().unwrap_or_else(|| Built::new(&self.config, view));
        let slots = &built.table.slots;
        let mut counts = vec![0_u32; view.len() as usize];
        slots.iter().for_each(|&place| counts[place as usize] += 1);
        let [fewest, most] = shares::extremes(&counts);
        State::table([
            ("size", State::from(slots.len() as u32)),
            fewest,
            most,
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
mod tests;
