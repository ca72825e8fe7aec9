//! The endpoint of the request's hash, on a ring of hashes: Envoy's, gRPC's, HAProxy's, or the article's of claim B4.
//!
//! Karger et al., "Consistent hashing and random trees", STOC 1997. How each ring is built is in `ring.rs`; here is who
//! is found on it, and where a later attempt goes.

mod haproxy;
mod spill;

use self::haproxy::Tree;
use self::spill::Spill;
use super::bounded::Bounds;
use super::hash_policy::{self, Policy};
use super::ring::{Node, Ring};
use super::shares::{self, Host};
use super::{Balancer, Call, Scope, Seat, Update};
use crate::dice::Dice;
use crate::hash::Hash;
use crate::listing::View;
use crate::options::{Clash, options, words};
use crate::state::State;

words! {
    /// Whose ring it is.
    pub enum Flavour {
        /// Envoy's `ring_hash`: source/extensions/load_balancing_policies/ring_hash/ring_hash_lb.cc.
        Envoy = "envoy",
        /// gRPC's `ring_hash_experimental`: gRFC A42, A61 and A76, and balancer/ringhash of grpc-go.
        Grpc = "grpc",
        /// HAProxy's `hash-type consistent`: src/lb_chash.c.
        Haproxy = "haproxy",
        /// Virtual nodes hashed from an endpoint's name and their number, and nothing else.
        Article = "article",
    }
}

words! {
    /// Which hash function.
    pub enum Function {
        /// The flavour's own.
        Auto = "auto",
        /// [`Hash::Xxh64`].
        Xxh64 = "xxh64",
        /// [`Hash::Murmur`], but of `article` [`Hash::Murmur3`].
        Murmur = "murmur",
        /// [`Hash::Murmur3`].
        Murmur3 = "murmur3",
        /// [`Hash::Fnv1a`].
        Fnv1a = "fnv1a",
        /// [`Hash::Crc32`].
        Crc32 = "crc32",
    }
}

options! {
    /// The options of `ring-hash`. Envoy's sizes are those of `RingHashLbConfig` (api/envoy/config/cluster/v3/cluster.proto).
    pub struct Config {
        flavour: Flavour = Flavour::Envoy, "flavour", Word(Flavour::WORDS), "Whose ring it is";
        min_ring_size: u32 = MIN_RING_SIZE, "min-ring-size", Count(1, MOST_ENTRIES as u64),
            "The fewest entries that a ring of `envoy` or `grpc` has, where that leaves each endpoint a whole number";
        max_ring_size: Option<u32> = None, "max-ring-size", CountOr(1, MOST_ENTRIES as u64, "auto"),
            "The most entries that such a ring has: 8388608 and 4096 unless told otherwise";
        hash: Function = Function::Auto, "hash", Word(Function::WORDS),
            "What hashes keys and entries: of `haproxy`, whose entries have no names, keys alone";
        virtual_nodes: u32 = VIRTUAL_NODES, "virtual-nodes", Count(1, 100_000),
            "How many entries an endpoint has on the ring of `article` for each unit of weight";
        separator: String = String::new(), "separator", Text,
            "What stands between the name and the number that an entry of `article` is hashed from";
        bounded_load: Option<u32> = None, "bounded-load", PercentOr(100, 65_535, "none"),
            "How many requests an endpoint may have, of its share of all, before others get its keys";
        hash_policy: Vec<Policy> = vec![Policy::Key], "hash-policy", Words(Policy::WORDS),
            "What of a request is hashed, in this order";
    }
}

/// Envoy's and gRPC's default: `DefaultMinRingSize`, and `defaultMinSize` in grpc-go's balancer/ringhash/config.go.
const MIN_RING_SIZE: u32 = 1_024;

/// Envoy's `DefaultMaxRingSize`, and the most that it and gRPC accept.
const MOST_ENTRIES: u32 = 8_388_608;

/// `defaultMaxSize` of grpc-go, and gRFC A42's cap on both sizes unless a client raises it.
const GRPC_CAP: u32 = 4_096;

/// Claim B4, and go-zero's `minReplicas` (core/hash/consistenthash.go).
const VIRTUAL_NODES: u32 = 100;

impl Config {
    /// The least and the most entries of a ring that is in proportion.
    fn sizes(&self) -> (u32, u32) {
        match self.flavour {
            Flavour::Envoy | Flavour::Haproxy | Flavour::Article => {
                (self.min_ring_size, self.max_ring_size.unwrap_or(MOST_ENTRIES))
            }
            Flavour::Grpc => (
                self.min_ring_size.min(GRPC_CAP),
                self.max_ring_size.map_or(GRPC_CAP, |size| size.min(GRPC_CAP)),
            ),
        }
    }

    /// An option that a flavour does not have is a mistake, and not silently nothing.
    fn check_that_all_options_mean_something(&self) -> Result<(), Clash> {
        let (is_article, default) = (self.flavour == Flavour::Article, Config::default());
        let strangers = [
            ("min-ring-size", !self.is_proportional() && self.min_ring_size != default.min_ring_size),
            ("max-ring-size", !self.is_proportional() && self.max_ring_size.is_some()),
            ("virtual-nodes", !is_article && self.virtual_nodes != default.virtual_nodes),
            ("separator", !is_article && self.separator != default.separator),
            ("bounded-load", self.flavour == Flavour::Grpc && self.bounded_load.is_some()),
        ];
        let stranger = strangers.into_iter().find(|(_, is_strange)| *is_strange);
        stranger.map_or(Ok(()), |(option, _)| {
            Err(Clash {
                option,
                message: format!("`{option}` means nothing to the flavour `{}`", self.flavour.word()),
                help: format!("leave `{option}` out, or take another flavour"),
            })
        })
    }

    /// Envoy and gRPC refuse a ring whose least size is above its most, before any cap.
    fn check_sizes(&self) -> Result<(), Clash> {
        let min = self.min_ring_size;
        let max = self.max_ring_size.unwrap_or_else(|| self.sizes().1);
        if self.is_proportional() && min > max {
            return Err(Clash {
                option: "min-ring-size",
                message: format!("min-ring-size ({min}) is more than max-ring-size ({max})"),
                help: format!("write at most {max}, or a larger `max-ring-size`"),
            });
        }
        Ok(())
    }

    fn is_proportional(&self) -> bool {
        match self.flavour {
            Flavour::Envoy | Flavour::Grpc => true,
            Flavour::Haproxy | Flavour::Article => false,
        }
    }

    fn hash(&self) -> Hash {
        match (self.hash, self.flavour) {
            (Function::Auto, Flavour::Haproxy) => Hash::Sdbm,
            (Function::Auto, Flavour::Envoy | Flavour::Grpc | Flavour::Article) | (Function::Xxh64, _) => {
                Hash::Xxh64
            }
            // go-zero's rings, which are like this one, know MurmurHash3 alone.
            (Function::Murmur, Flavour::Article) => Hash::Murmur3,
            (Function::Murmur, Flavour::Envoy | Flavour::Grpc | Flavour::Haproxy) => Hash::Murmur,
            (Function::Murmur3, _) => Hash::Murmur3,
            (Function::Fnv1a, _) => Hash::Fnv1a,
            (Function::Crc32, _) => Hash::Crc32,
        }
    }
}

/// A ring of the view as it was at the last update, once somebody has asked for it.
#[derive(Clone, Debug)]
pub struct RingHash {
    config: Config,
    hash: Hash,
    built: Option<Built>,
    /// The key of the node that HAProxy's last request without a hash got.
    last: Option<u32>,
}

#[derive(Clone, Debug)]
struct Built {
    ring: Ring,
    walk: Walk,
}

/// How each flavour goes on from the entry that a hash finds.
#[derive(Clone, Debug)]
enum Walk {
    /// By entries, one for each attempt; whoever has too many requests is passed over at random.
    Envoy { bounds: Option<Bounds> },
    /// To the next endpoint for each attempt. There are so many; the list is for those that a walk has passed.
    Grpc { owners: u32, passed: Vec<u32> },
    /// To the next server that is not the one before.
    Haproxy(Tree),
    /// Not at all, but from whoever has too many.
    Article(Option<Spill>),
}

impl Balancer for RingHash {
    type Config = Config;

    const SCOPE: Scope = Scope::Level;

    fn new(config: &Config, _: &Seat, _: &mut Dice<'_>) -> RingHash {
        RingHash { config: config.clone(), hash: config.hash(), built: None, last: None }
    }

    fn check(config: &Config) -> Result<(), Clash> {
        config.check_that_all_options_mean_something()?;
        config.check_sizes()?;
        // cfgparse-listen.c: "must be 0 or greater than 100".
        if config.flavour == Flavour::Haproxy && config.bounded_load == Some(100) {
            return Err(Clash {
                option: "bounded-load",
                message: "HAProxy's `hash-balance-factor` is more than 100".to_owned(),
                help: "write at least \"101%\"".to_owned(),
            });
        }
        Ok(())
    }

    /// A proportional ring has a whole number of entries for the lightest, and as many more for the others.
    fn entries(config: &Config, endpoints: u64, weight: u64) -> u64 {
        match config.flavour {
            Flavour::Envoy | Flavour::Grpc => {
                let (least, most) = config.sizes();
                (u64::from(least) + endpoints).max(weight).min(u64::from(most))
            }
            Flavour::Haproxy => weight.saturating_mul(u64::from(super::ring::HAPROXY_NODES)),
            Flavour::Article => weight.saturating_mul(u64::from(config.virtual_nodes)),
        }
    }

    /// The real ones build their ring at once; who looks at it only now and then need not.
    fn on_update(&mut self, _: View<'_>, _: Update, _: &mut Dice<'_>) {
        self.built = None;
    }

    fn pick(&mut self, view: View<'_>, call: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        let built = self.built.get_or_insert_with(|| Built::new(&self.config, self.hash, view));
        let Built { ring, walk } = built;
        let hash = hash_policy::hash_of(call, &self.config.hash_policy, self.hash);
        let attempt = call.attempt();
        // Envoy and, since gRFC A76, gRPC draw a hash for a request that has none.
        let mut some_hash = || hash.unwrap_or_else(|| dice.word());
        match walk {
            Walk::Envoy { bounds } => {
                let hash = some_hash();
                let hashed = ring.place(ring.ahead(ring.successor(hash), attempt));
                let in_flight = |place| view.in_flight(place);
                let all = view.total_in_flight();
                bounds.as_mut().map_or(hashed, |bounds| bounds.pick(all, in_flight, hash, hashed))
            }
            Walk::Grpc { owners, passed } => {
                distinct(ring, ring.successor(some_hash()), attempt % *owners, passed)
            }
            Walk::Haproxy(tree) => match hash {
                Some(hash) => tree.find(ring, view, hash as u32, attempt),
                None => haproxy::next(ring, &mut self.last),
            },
            Walk::Article(spill) => {
                let at = ring.successor(some_hash());
                spill.as_ref().map_or_else(|| ring.place(at), |spill| spill.find(ring, view, at))
            }
        }
    }

    fn state(&self, view: View<'_>) -> State {
        let built = self.built.clone().unwrap_or_else(|| Built::new(&self.config, self.hash, view));
        let entry = |(hash, place)| State::List(vec![State::Whole(hash), view.name(place).into()]);
        let counts: Vec<u32> = built.ring.counts(view.len());
        let [fewest, most] = shares::extremes(&counts);
        let slots = |place| Some((view.name(place), State::from(built.walk.slots(view, place)?)));
        let there = (0..view.len()).filter(|&place| counts[place as usize] > 0);
        let slots: Vec<(&str, State)> = there.filter_map(slots).collect();
        let shown = [
            ("size", State::from(built.ring.len())),
            fewest,
            most,
            ("ring", State::List(built.ring.entries().map(entry).collect())),
        ];
        let bounds = (!slots.is_empty()).then(|| ("slots", State::table(slots)));
        State::table(shown.into_iter().chain(bounds))
    }
}

impl Walk {
    /// How many requests the endpoint at a place may have now, where Envoy's or HAProxy's bound is set.
    fn slots(&self, view: View<'_>, place: u32) -> Option<u32> {
        match self {
            Walk::Envoy { bounds } => {
                bounds.as_ref().map(|bounds| bounds.slots(view.total_in_flight(), place))
            }
            Walk::Haproxy(tree) => tree.slots(view, place),
            Walk::Grpc { .. } | Walk::Article(_) => None,
        }
    }
}

impl Built {
    fn new(config: &Config, hash: Hash, view: View<'_>) -> Built {
        let name = |place| view.name(place);
        match config.flavour {
            Flavour::Envoy => {
                let shares = shares::shares(&shares::hosts(view));
                let ring = Ring::proportional(&shares, name, config.sizes(), hash);
                let bounds = config.bounded_load.map(|factor| Bounds::new(factor, shares));
                Built { ring, walk: Walk::Envoy { bounds } }
            }
            Flavour::Grpc => {
                let mut hosts = shares::flat(view);
                hosts.sort_by_key(|host| view.name(host.place));
                let ring = Ring::proportional(&shares::shares(&hosts), name, config.sizes(), hash);
                let owners = ring.counts(view.len()).iter().filter(|&&count| count > 0).count() as u32;
                Built { ring, walk: Walk::Grpc { owners, passed: Vec::with_capacity(owners as usize) } }
            }
            Flavour::Haproxy => {
                let hosts = shares::flat(view);
                Built {
                    ring: haproxy::ring(view, &hosts),
                    walk: Walk::Haproxy(Tree::new(config.bounded_load, &hosts)),
                }
            }
            Flavour::Article => {
                let mut hosts = shares::flat(view);
                hosts.sort_by_key(|host| view.name(host.place));
                let entries = |host: &Host| host.weight.saturating_mul(u64::from(config.virtual_nodes));
                let node =
                    |host: &Host| Node { name: name(host.place), place: host.place, entries: entries(host) };
                let nodes: Vec<Node<'_>> = hosts.iter().map(node).collect();
                let ring = Ring::of_virtual_nodes(&nodes, &config.separator, hash);
                let spill = config.bounded_load.map(|factor| Spill::new(factor, &hosts));
                Built { ring, walk: Walk::Article(spill) }
            }
        }
    }
}

/// The endpoint that so many others come before, from an entry on.
fn distinct(ring: &Ring, start: u32, others: u32, passed: &mut Vec<u32>) -> u32 {
    passed.clear();
    let mut at = start;
    loop {
        let place = ring.place(at);
        if !passed.contains(&place) {
            if passed.len() == others as usize {
                return place;
            }
            passed.push(place);
        }
        at = ring.after(at);
    }
}

#[cfg(test)]
mod tests;
