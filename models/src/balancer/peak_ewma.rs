//! Of two endpoints drawn at random, the one whose round trips, requests in flight counted, promise the shorter wait.
//!
//! Three systems' rules, which differ in what they take for an endpoint that has not answered yet, in when they look, and
//! in how a peak is kept: tower's and Linkerd's, Finagle's, and Envoy's. The averages are in `peak_ewma/estimate.rs`.

mod estimate;

use schism_core::{Duration, Time};

use super::members::Members;
use super::p2c::two_distinct;
use super::{Balancer, Call, PerHost, Seat, Update};
use crate::dice::Dice;
use crate::listing::View;
use crate::load::Feedback;
use crate::options::{Clash, options, words};
use crate::state::State;

pub(super) use self::estimate::Peak;
use self::estimate::Sampled;

words! {
    /// Whose rules.
    pub enum Flavour {
        /// tower's, which Linkerd's proxy uses.
        Tower = "tower",
        /// Finagle's.
        Finagle = "finagle",
        /// Envoy's.
        Envoy = "envoy",
    }
}

/// Envoy's penalty: `penalty_value` of `envoy.extensions.load_balancing_policies.peak_ewma.v3.PeakEwma`.
const PENALTY: f64 = 1e6;
/// Envoy's `aggregation_interval`.
const AGGREGATION: Duration = Duration::from_millis(100);

options! {
    /// The options of `peak-ewma`. The decay is 10 s everywhere: Finagle's default, Linkerd's `ServiceProfile`, and
    /// `kDefaultDecayTimeSeconds` of Envoy.
    pub struct Config {
        flavour: Flavour = Flavour::Tower, "flavour", Word(Flavour::WORDS), "Whose rules";
        decay: Duration = Duration::from_secs(10), "decay", Time,
            "After how long a round trip counts 1/e of what it did";
        default_rtt: Option<Duration> = None, "default-rtt", TimeOr("own"),
            "What is taken for the round trip to an endpoint that has not answered: 30ms with tower, 10ms with envoy";
        penalty: f64 = PENALTY, "penalty", Number(0.0, 1e15),
            "With envoy, the cost of an endpoint that has requests in flight and has never answered";
        aggregation: Duration = AGGREGATION, "aggregation-interval", Time,
            "With envoy, how often round trips become visible to picks";
    }
}

/// What is taken for an endpoint's round trip with tower: Linkerd's `DEFAULT_RTT`, linkerd2-proxy at 29637b6.
const TOWER_RTT: Duration = Duration::from_millis(30);
/// The same with Envoy: `kDefaultRttMilliseconds`.
const ENVOY_RTT: Duration = Duration::from_millis(10);

/// What one client remembers of the endpoints it has compared.
#[derive(Clone, Debug)]
pub struct PeakEwma {
    config: Config,
    members: Members,
    memory: Memory,
}

#[derive(Clone, Debug)]
enum Memory {
    Tower {
        peaks: PerHost<Peak>,
        /// Since when those are known that are in the view and not here.
        since: Option<Time>,
    },
    Finagle(PerHost<Peak>),
    Envoy {
        hosts: PerHost<Sampled>,
        /// How often round trips have been aggregated, and when last.
        rounds: u64,
        aggregated: Option<Time>,
    },
}

impl Balancer for PeakEwma {
    type Config = Config;

    fn new(config: &Config, _: &Seat, _: &mut Dice<'_>) -> PeakEwma {
        let memory = match config.flavour {
            Flavour::Tower => Memory::Tower { peaks: PerHost::default(), since: None },
            Flavour::Finagle => Memory::Finagle(PerHost::default()),
            Flavour::Envoy => Memory::Envoy { hosts: PerHost::default(), rounds: 0, aggregated: None },
        };
        PeakEwma { config: config.clone(), members: Members::default(), memory }
    }

    fn check(config: &Config) -> Result<(), Clash> {
        let clash = |option, message: &str, help: &str| {
            Err(Clash { option, message: message.to_owned(), help: help.to_owned() })
        };
        match config.flavour {
            Flavour::Finagle if config.default_rtt.is_some() => clash(
                "default-rtt",
                "Finagle takes nothing for an endpoint that has not answered: it sends one request to find out",
                "leave it out, or take the flavour \"tower\" or \"envoy\"",
            ),
            Flavour::Tower | Flavour::Finagle if config.penalty.to_bits() != PENALTY.to_bits() => clash(
                "penalty",
                "only Envoy's penalty can be set",
                "leave it out, or take the flavour \"envoy\"",
            ),
            Flavour::Tower | Flavour::Finagle if config.aggregation != AGGREGATION => clash(
                "aggregation-interval",
                "only Envoy aggregates; the others see each round trip at once",
                "leave it out, or take the flavour \"envoy\"",
            ),
            Flavour::Tower | Flavour::Finagle | Flavour::Envoy => Ok(()),
        }
    }

    fn on_update(&mut self, view: View<'_>, what: Update, _: &mut Dice<'_>) {
        if what == Update::Weights {
            return;
        }
        let (now, rtt) = (view.now(), self.default_rtt());
        match &mut self.memory {
            Memory::Tower { peaks, since } => {
                peaks.retain(view);
                let first = since.is_none();
                since.get_or_insert(now);
                // All that were there from the start share one moment; of later ones each has its own.
                self.members.update(view, |ordinal| {
                    if !first {
                        *peaks.touch(ordinal, || Peak::new(rtt, now)) = Peak::new(rtt, now);
                    }
                });
            }
            Memory::Finagle(peaks) => {
                peaks.retain(view);
                self.members.update(view, |_| {});
            }
            Memory::Envoy { hosts, aggregated, .. } => {
                hosts.retain(view);
                self.members.update(view, |_| {});
                aggregated.get_or_insert(now);
            }
        }
    }

    fn pick(&mut self, view: View<'_>, _: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        match self.config.flavour {
            Flavour::Tower | Flavour::Finagle => self.pick_lower(view, dice),
            Flavour::Envoy => self.pick_as_envoy(view, dice),
        }
    }

    fn on_reply(&mut self, now: Time, ordinal: u32, reply: &Feedback<'_>) {
        // Of an endpoint that has left the view nothing is kept.
        if !self.members.has(ordinal) {
            return;
        }
        let (decay, latency, rtt) = (self.config.decay, reply.latency, self.default_rtt());
        match &mut self.memory {
            Memory::Tower { peaks, since } => {
                let since = since.unwrap_or(now);
                peaks.touch(ordinal, || Peak::new(rtt, since)).observe(now, latency, decay);
            }
            Memory::Finagle(peaks) => {
                peaks.touch(ordinal, || Peak::new(Duration::ZERO, now)).observe(now, latency, decay);
            }
            // The filter takes the time from the answer's headers: what never answered has none.
            Memory::Envoy { hosts, rounds, .. } if reply.is_answer() => {
                hosts.touch(ordinal, Sampled::default).observe(now, *rounds, latency, decay);
            }
            Memory::Envoy { .. } => {}
        }
    }

    fn state(&self, view: View<'_>) -> State {
        let mut shown = self.clone();
        let endpoint = |place| {
            State::table([
                ("name", State::from(view.name(place))),
                ("rtt_ms", State::Number(shown.rtt(view, place))),
                ("cost", State::Number(shown.load(view, place))),
            ])
        };
        State::table([("endpoints", State::List((0..view.len()).map(endpoint).collect()))])
    }
}

impl PeakEwma {
    /// tower's and Finagle's rule: the first of two stays unless the second has less. The pair is drawn as Finagle's
    /// `P2CPick` and Linkerd's `P2cPool` draw it; tower's own `sample_floyd2` gives the two in another order.
    fn pick_lower(&mut self, view: View<'_>, dice: &mut Dice<'_>) -> u32 {
        let Some((first, second)) = two_distinct(view.len(), dice) else { return 0 };
        if self.load(view, first) <= self.load(view, second) { first } else { second }
    }

    /// `selectFromTwoCandidates`: one word gives both, and decides between equals.
    fn pick_as_envoy(&mut self, view: View<'_>, dice: &mut Dice<'_>) -> u32 {
        self.aggregate(view.now());
        let hosts = u64::from(view.len());
        if hosts == 1 {
            return 0;
        }
        let word = dice.word();
        let first = word % hosts;
        let second = match (word >> 16) % hosts {
            same if same == first => (same + 1) % hosts,
            other => other,
        };
        let (first, second) = (first as u32, second as u32);
        let costs = [first, second].map(|place| self.load(view, place));
        let takes_first = match costs[0].total_cmp(&costs[1]) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => word & 1 != 0,
            std::cmp::Ordering::Greater => false,
        };
        if takes_first { first } else { second }
    }

    /// `maybeAggregate`: a pick that finds the last aggregation an interval ago makes another.
    fn aggregate(&mut self, now: Time) {
        if let Memory::Envoy { rounds, aggregated, .. } = &mut self.memory
            && aggregated.is_none_or(|last| now.since(last) >= self.config.aggregation)
        {
            *rounds += 1;
            *aggregated = Some(now);
        }
    }

    fn load(&mut self, view: View<'_>, place: u32) -> f64 {
        let (ordinal, in_flight, now) = (view.endpoint(place).ordinal, view.in_flight(place), view.now());
        let (decay, rtt) = (self.config.decay, self.default_rtt());
        match &mut self.memory {
            Memory::Tower { peaks, since } => {
                let since = since.unwrap_or(now);
                peaks.touch(ordinal, || Peak::new(rtt, since)).tower_load(now, decay, in_flight)
            }
            Memory::Finagle(peaks) => {
                peaks.touch(ordinal, || Peak::new(Duration::ZERO, now)).finagle_load(now, decay, in_flight)
            }
            Memory::Envoy { hosts, rounds, .. } => {
                // To look at a host that never answered leaves no trace.
                let known = hosts.get_mut(ordinal).map_or(0.0, |host| host.read(*rounds));
                Sampled::cost(known, in_flight, rtt.as_millis_f64(), self.config.penalty)
            }
        }
    }

    /// The average, in milliseconds, for who looks at the state.
    fn rtt(&mut self, view: View<'_>, place: u32) -> f64 {
        let (ordinal, now, decay) = (view.endpoint(place).ordinal, view.now(), self.config.decay);
        let rtt = self.default_rtt();
        match &mut self.memory {
            Memory::Tower { peaks, since } => {
                let since = since.unwrap_or(now);
                peaks.touch(ordinal, || Peak::new(rtt, since)).read(now, decay) / 1e6
            }
            Memory::Finagle(peaks) => peaks.get_mut(ordinal).map_or(0.0, |peak| peak.read(now, decay) / 1e6),
            Memory::Envoy { hosts, rounds, .. } => {
                hosts.get_mut(ordinal).map_or(0.0, |host| host.read(*rounds))
            }
        }
    }

    fn default_rtt(&self) -> Duration {
        let own = match self.config.flavour {
            Flavour::Tower => TOWER_RTT,
            Flavour::Finagle => Duration::ZERO,
            Flavour::Envoy => ENVOY_RTT,
        };
        self.config.default_rtt.unwrap_or(own)
    }
}

#[cfg(test)]
mod tests;
