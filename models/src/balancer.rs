//! Balancers: which endpoint of a view gets the next request. The trait and the catalog.

mod aperture;
mod bounded;
mod c3;
mod context_weighted;
pub(crate) mod edf;
mod fenwick;
mod go_zero_p2c;
mod hash_policy;
mod jsq;
mod jump;
mod least_conn;
mod least_request;
mod load_weight;
mod maglev;
mod members;
#[cfg(test)]
mod movement;
mod nginx;
mod p2c;
mod peak_ewma;
mod per_host;
mod pick_first;
mod prequal;
mod random;
mod rendezvous;
#[cfg(test)]
mod rig;
mod ring;
mod ring_hash;
mod round_robin;
mod shares;
pub mod slow_start;
#[cfg(test)]
mod stand;
mod stride;
mod weighted_round_robin;

use schism_core::{Draw, Time};

use crate::dice::Dice;
use crate::hash::Hash;
use crate::keys::{Keys, Subject};
use crate::listing::View;
use crate::load::{Feedback, Load};
use crate::options::{Clash, Knob, Options, named};
use crate::state::State;

pub use self::per_host::PerHost;

/// One client's way of choosing. It knows the endpoints by their ordinals, and their names for hashing alone.
pub trait Balancer: Clone {
    /// Its options, with the real system's defaults.
    type Config: Options;

    /// Whether it picks from all healthy endpoints of a priority level by itself where localities have weights, as the
    /// hashing policies do, or has a locality chosen for it first.
    const SCOPE: Scope = Scope::Locality;

    /// A balancer that knows no endpoint yet. What the real one draws when it is made, it draws here.
    fn new(config: &Self::Config, seat: &Seat, dice: &mut Dice<'_>) -> Self;

    /// What is wrong with options that can be written, but not together.
    ///
    /// # Errors
    /// Which of them to change, and to what.
    fn check(_: &Self::Config) -> Result<(), Clash> {
        Ok(())
    }

    /// Whether it wants instances to report their load with each reply.
    fn wants_reports(_: &Self::Config) -> bool {
        false
    }

    /// Whether it gives an endpoint less while it warms up.
    fn warms_up(_: &Self::Config) -> bool {
        false
    }

    /// How many entries the ring or the table has that it keeps for so many endpoints of so much weight in all, at most;
    /// none if it keeps nothing of the kind.
    fn entries(_: &Self::Config, _endpoints: u64, _weight: u64) -> u64 {
        0
    }

    /// The endpoints of its view have changed. There is one update before the first pick.
    fn on_update(&mut self, _: View<'_>, _: Update, _: &mut Dice<'_>) {}

    /// A place in the view. The view is never empty, so a pick cannot fail; it allocates nothing. Its luck belongs to
    /// the attempt: however many words one pick takes, the next request's are what they were.
    fn pick(&mut self, view: View<'_>, call: &Call<'_>, dice: &mut Dice<'_>) -> u32;

    /// An attempt at the endpoint with this ordinal has ended.
    fn on_reply(&mut self, _now: Time, _ordinal: u32, _: &Feedback<'_>) {}

    /// When it wants to be woken, if ever.
    fn due(&self) -> Option<Time> {
        None
    }

    /// It is woken: that may be later than it wanted.
    fn on_due(&mut self, _: View<'_>, _: &mut Dice<'_>) {}

    /// The ordinal of an endpoint that it wants to ask for its load, until there is none.
    fn next_probe(&mut self) -> Option<u32> {
        None
    }

    /// An endpoint that was asked has answered.
    fn on_probed(&mut self, _now: Time, _ordinal: u32, _: &Load) {}

    /// What it shows of itself.
    fn state(&self, _: View<'_>) -> State {
        State::empty()
    }
}

/// What a balancer's view covers where localities have weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One locality, which has been chosen.
    Locality,
    /// All of a priority level, with the localities' weights in the view.
    Level,
}

/// What of a view has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// Who is in it, or in which order.
    Members,
    /// Weights, zones or standing alone: the same endpoints are at the same places.
    Weights,
}

/// Where a balancer sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The number of its client within its group, from 0.
    pub index: u32,
    /// How many clients the group has.
    pub peers: u32,
}

/// What a balancer may know of the request that it picks for.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    subject: Subject<'a>,
    attempt: u32,
    source: u64,
}

impl<'a> Call<'a> {
    /// A request whose key is of this luck, unless a fault has given it one.
    #[inline]
    pub fn new(keys: &'a Keys, luck: Draw, hot: Option<u64>) -> Call<'a> {
        let subject = hot.map_or_else(|| Subject::of(keys, luck), Subject::Key);
        Call { subject, attempt: 0, source: 0 }
    }

    /// A request about this.
    pub fn about(subject: Subject<'a>) -> Call<'a> {
        Call { subject, attempt: 0, source: 0 }
    }

    /// The same for a later attempt; the first is 0.
    #[must_use]
    pub fn attempted(self, attempt: u32) -> Call<'a> {
        Call { attempt, ..self }
    }

    /// The same, from the client with this identity.
    #[must_use]
    pub fn from_source(self, source: u64) -> Call<'a> {
        Call { source, ..self }
    }

    /// The request's key, if it is one that other requests may have, too.
    #[inline]
    pub fn key(&self) -> Option<u64> {
        match self.subject {
            Subject::Key(key) => Some(key),
            Subject::Drawn(..) | Subject::Text(_) | Subject::Hash(_) | Subject::Nothing => None,
        }
    }

    /// The request's hash: the one it came with, or that of its key by this function. None if it is about nothing.
    #[inline]
    pub fn hash(&self, by: Hash) -> Option<u64> {
        self.subject.hash(by)
    }

    /// Which attempt of its request it is, from 0.
    #[inline]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// What identifies its client: a number of its own, as its address would be.
    #[inline]
    pub fn source(&self) -> u64 {
        self.source
    }
}

/// A strategy that a scenario can name.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its options.
    pub knobs: &'static [Knob],
}

const fn entry<T: Balancer>(name: &'static str, about: &'static str) -> Entry {
    Entry { name, about, knobs: <T::Config as Options>::KNOBS }
}

/// Declares every balancer once: its name in a scenario, what it is, and its type.
macro_rules! catalog {
    ($($name:literal, $about:literal, $variant:ident = $strategy:ty;)*) => {
        named! {
            Balancer, "The balancer that a client group uses, with its options.", "The names that a scenario may write after `balancer`, with what they mean.";
            $($name, $about, $variant = $strategy;)*
        }

        impl Config {
            /// Whether it wants instances to report their load with each reply.
            pub fn wants_reports(&self) -> bool {
                match self {
                    $(Config::$variant(config) => <$strategy as Balancer>::wants_reports(config),)*
                }
            }

            /// See [`Balancer::warms_up`].
            pub fn warms_up(&self) -> bool {
                match self {
                    $(Config::$variant(config) => <$strategy as Balancer>::warms_up(config),)*
                }
            }

            /// See [`Balancer::entries`].
            pub fn entries(&self, endpoints: u64, weight: u64) -> u64 {
                match self {
                    $(Config::$variant(config) => <$strategy as Balancer>::entries(config, endpoints, weight),)*
                }
            }

            /// What its view covers where localities have weights.
            pub fn scope(&self) -> Scope {
                match self {
                    $(Config::$variant(_) => <$strategy as Balancer>::SCOPE,)*
                }
            }
        }

        /// A balancer of the catalog.
        #[derive(Clone, Debug)]
        pub enum Any {
            $(#[doc = $about] $variant($strategy),)*
        }

        impl Any {
            /// A balancer as configured, which knows no endpoint yet.
            pub fn new(config: &Config, seat: &Seat, dice: &mut Dice<'_>) -> Any {
                match config {
                    $(Config::$variant(config) => Any::$variant(<$strategy>::new(config, seat, dice)),)*
                }
            }

            /// See [`Balancer::on_update`].
            pub fn on_update(&mut self, view: View<'_>, what: Update, dice: &mut Dice<'_>) {
                match self {
                    $(Any::$variant(strategy) => strategy.on_update(view, what, dice),)*
                }
            }

            /// See [`Balancer::pick`].
            #[inline]
            pub fn pick(&mut self, view: View<'_>, call: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
                match self {
                    $(Any::$variant(strategy) => strategy.pick(view, call, dice),)*
                }
            }

            /// See [`Balancer::on_reply`].
            #[inline]
            pub fn on_reply(&mut self, now: Time, ordinal: u32, reply: &Feedback<'_>) {
                match self {
                    $(Any::$variant(strategy) => strategy.on_reply(now, ordinal, reply),)*
                }
            }

            /// See [`Balancer::due`].
            #[inline]
            pub fn due(&self) -> Option<Time> {
                match self {
                    $(Any::$variant(strategy) => strategy.due(),)*
                }
            }

            /// See [`Balancer::on_due`].
            pub fn on_due(&mut self, view: View<'_>, dice: &mut Dice<'_>) {
                match self {
                    $(Any::$variant(strategy) => strategy.on_due(view, dice),)*
                }
            }

            /// See [`Balancer::next_probe`].
            #[inline]
            pub fn next_probe(&mut self) -> Option<u32> {
                match self {
                    $(Any::$variant(strategy) => strategy.next_probe(),)*
                }
            }

            /// See [`Balancer::on_probed`].
            pub fn on_probed(&mut self, now: Time, ordinal: u32, load: &Load) {
                match self {
                    $(Any::$variant(strategy) => strategy.on_probed(now, ordinal, load),)*
                }
            }

            /// See [`Balancer::state`].
            pub fn state(&self, view: View<'_>) -> State {
                match self {
                    $(Any::$variant(strategy) => strategy.state(view),)*
                }
            }
        }
    };
}

catalog! {
    "random", "uniformly at random", Random = random::Random;
    "round-robin", "each endpoint in turn, from a random start", RoundRobin = round_robin::RoundRobin;
    "pick-first", "the first that can be reached, and that one until it no longer can", PickFirst = pick_first::PickFirst;
    "p2c", "of two distinct endpoints drawn at random, the one with fewer requests in flight", P2c = p2c::P2c;
    "least-request", "of some that are drawn, or of all, the one with the fewest requests in flight", LeastRequest = least_request::LeastRequest;
    "least-conn", "the one with the fewest requests in flight for its weight, in turn among several", LeastConn = least_conn::LeastConn;
    "jsq", "the shortest queue of all, by one's own requests in flight or by a board that may be old", Jsq = jsq::Jsq;
    "weighted-round-robin", "in turn, by weight", WeightedRoundRobin = weighted_round_robin::WeightedRoundRobin;
    "ring-hash", "the endpoint of the request's hash, on a ring of hashes", RingHash = ring_hash::RingHash;
    "maglev", "the endpoint of the request's hash, by Maglev's table", Maglev = maglev::Maglev;
    "rendezvous", "the endpoint that scores highest with the request's hash", Rendezvous = rendezvous::Rendezvous;
    "jump", "the endpoint of the request's key, by jump consistent hash", Jump = jump::Jump;
    "peak-ewma", "of two distinct endpoints drawn at random, the one that promises the shorter wait by a peak-sensitive average of round trips", PeakEwma = peak_ewma::PeakEwma;
    "go-zero-p2c", "go-zero's: of two the less slow and busy, with a gate before who fails and a forced pick each second", GoZeroP2c = go_zero_p2c::GoZeroP2c;
    "c3", "of a replica group the one with the lowest score by the latency and cubed queue that replies report", C3 = c3::C3;
    "prequal", "the fastest of the endpoints that probes have found not to be hot", Prequal = prequal::Prequal;
    "aperture", "of two in the client's own arc of the ring of endpoints, the less loaded by its part of the arc", Aperture = aperture::Aperture;
    "context-weighted", "at random by weights of 0 to 100, without those of which too many requests failed lately", ContextWeighted = context_weighted::ContextWeighted;
}
