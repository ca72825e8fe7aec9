//! Oracles: what must hold always, sometimes or eventually. The trait and the catalog.
//!
//! An oracle sees what every witness sees: observations, faults, and the truth of the moment. It never sees a model's
//! fields, so one oracle judges simulated and live runs alike. It is one file and one line in the catalog: its options,
//! the moods in which it can be asked for, and what is said where it saw nothing, are in its own file.

mod balanced;
mod cache_age;
mod cast;
mod false_eviction;
mod fenced;
mod herd_cap;
mod key_movement;
mod leader_change;
mod lease_expiry;
mod linearizable;
mod metastable;
mod misrouted_request;
mod monotonic_revision;
mod need;
mod never_empty;
mod no_leak;
mod no_lost_registration;
mod opinions;
mod plan;
mod record;
mod register;
mod single_holder;
mod single_leader;
mod stale_request;
mod stale_route;
mod steady;
mod views_agree;

use schism_core::{Fault, NodeId, Scene, Time};

use crate::observation::Observation;
use crate::options::{Clash, Knob, Options, named};

pub use cast::{Cast, Role};
pub use need::Need;
pub use opinions::{Change, Opinion, Opinions};
pub use plan::Plan;
pub use record::Record;
pub use register::Register;
pub use steady::Steady;
pub use views_agree::Agreement;

/// What looks for one thing and says, in a sentence, when it has seen it. It is asked until it has, and then no more,
/// unless it is asked for with [`Mood::Eventually`].
///
/// What it means that the thing was seen is the [`Mood`]'s to say: that a hope came true, or that a law was broken.
pub trait Oracle: Clone {
    /// Its options.
    type Config: Options;

    /// Which observations it is shown.
    const SHOWN: &'static [Shown];

    /// How it can be asked for.
    const MOODS: &'static [Mood];

    /// What a scenario must have, all of it, for there to be anything to see.
    const NEEDS: &'static [Need];

    /// One that has seen nothing yet.
    fn new(config: &Self::Config, cast: &Cast) -> Self;

    /// What is wrong with options that can be written, but not together.
    ///
    /// # Errors
    /// Which of them to change, and to what.
    fn check(_: &Self::Config) -> Result<(), Clash> {
        Ok(())
    }

    /// A node has observed something of a kind that it is [shown](Oracle::SHOWN).
    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting>;

    /// A primitive fault has been inflicted, or healed.
    fn on_fault(&mut self, moment: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        let _ = (moment, fault);
        None
    }

    /// A fault of the plan has begun or has healed, whatever it did: see [`Record::plan`].
    fn on_plan(&mut self, now: Time, record: &Record) {
        let _ = (now, record);
    }

    /// When it wants to be asked again though nothing may have happened: some time is then up.
    fn due(&self) -> Option<Time> {
        None
    }

    /// That time has come. Nothing that it could know has changed since the last thing it was told of, though the truth
    /// may have: it goes by what it remembers.
    fn on_due(&mut self, at: Time, record: &Record) -> Option<Sighting> {
        let _ = (at, record);
        None
    }

    /// Whether what it looks for holds now, for [`Mood::Eventually`].
    fn standing(&self, record: &Record) -> Standing {
        let _ = record;
        unreachable!("only what can last is asked for with `eventually`")
    }

    /// Why it says nothing that it saw nothing, if there was nothing to see.
    fn untested(&self, told: &Told<'_>) -> Option<String> {
        let _ = told;
        None
    }

    /// What happened instead of what it looks for, or of a breach of what it demands: half a sentence or a whole one.
    fn instead(&self, told: &Told<'_>) -> String;
}

/// What an oracle has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// In a sentence, without its full stop.
    pub why: String,
    /// Whom it is about and what it rests on, the most important first.
    pub on: Vec<NodeId>,
}

impl Sighting {
    /// What was seen, of these nodes.
    pub fn of(why: impl Into<String>, on: impl Into<Vec<NodeId>>) -> Sighting {
        Sighting { why: why.into(), on: on.into() }
    }
}

/// Whether something that can last holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does, without a break since then.
    Holds {
        /// Since when; the start of the run if it was never broken.
        since: Time,
        /// What holds, in words that a time can follow: `the views agreed`.
        what: &'static str,
    },
    /// It does not: why, in words that a time can follow.
    Broken(Sighting),
}

/// The moment at which an oracle is shown something, just after it.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// The truth.
    pub scene: &'a Scene<'a>,
    /// What follows from all that has been observed.
    pub record: &'a Record,
}

/// What a run came to, in counts.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// What follows from all that was observed.
    pub record: &'a Record,
    /// Attempts that clients sent after the warm-up.
    pub attempts: u64,
    /// Whether the registry is of a kind that elects leaders.
    pub has_leader: bool,
    /// Leaders that were elected.
    pub leaders: u64,
    /// Leases granted.
    pub granted: u64,
    /// Renewals of leases.
    pub renewed: u64,
    /// Leases that ran out.
    pub expired: u64,
    /// Whether a client ever believed that an instance was up.
    pub client_heard: bool,
    /// When the run was over.
    pub end: Time,
}

impl Told<'_> {
    /// What is said if nobody has sent anything.
    fn without_attempts(&self) -> Option<String> {
        (self.attempts == 0).then(|| "no attempt was sent after the warm-up".to_owned())
    }

    /// What is said if there is nothing to compare with: no fault, or no time before it.
    fn without_a_before(&self) -> Option<String> {
        let plan = &self.record.plan;
        match plan.first {
            None => Some("there was no fault".to_owned()),
            Some(first) if first <= plan.warmup => {
                Some("there was no time between the warm-up and the first fault".to_owned())
            }
            Some(_) => None,
        }
    }
}

/// Which observations an oracle is shown. There are a thousand times as many of the first two as of all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// [`Observation::Attempt`].
    Attempts,
    /// [`Observation::Offered`] and [`Observation::Done`].
    Requests,
    /// All that is not of requests: views, leases, leaders, reads and writes.
    Beliefs,
    /// [`Observation::Holds`]: who drives the processes looks once a second from the end of the warm-up on, if an oracle
    /// wants to be shown that.
    Holdings,
}

/// How an oracle can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    /// A law: at every event.
    Always,
    /// Something that must happen at least once.
    Sometimes,
    /// Something that must not happen once.
    Never,
    /// Within some time after the last fault has healed, and from then on.
    Eventually,
    /// A law that must be broken at least once: the run is about what that does.
    Breaks,
}

/// An oracle that a scenario can name.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it looks for, or demands.
    pub about: &'static str,
    /// How it can be asked for.
    pub moods: &'static [Mood],
    /// Its options.
    pub knobs: &'static [Knob],
}

const fn entry<T: Oracle>(name: &'static str, about: &'static str) -> Entry {
    Entry { name, about, moods: T::MOODS, knobs: <T::Config as Options>::KNOBS }
}

/// Declares every oracle once: its name in a scenario, what it is about, and its type.
macro_rules! catalog {
    ($($name:literal, $about:literal, $variant:ident = $oracle:ty;)*) => {
        named! {
            Oracle, "An oracle that an expectation asks for, with its options.", "The names that a scenario may write, with what they mean.";
            $($name, $about, $variant = $oracle;)*
        }

        impl Config {
            /// See [`Oracle::SHOWN`].
            pub fn shown(&self) -> &'static [Shown] {
                match self {
                    $(Config::$variant(_) => <$oracle as Oracle>::SHOWN,)*
                }
            }

            /// See [`Oracle::NEEDS`].
            pub fn needs(&self) -> &'static [Need] {
                match self {
                    $(Config::$variant(_) => <$oracle as Oracle>::NEEDS,)*
                }
            }
        }

        /// An oracle of the catalog.
        #[derive(Clone)]
        pub enum Any {
            $(#[doc = $about] $variant($oracle),)*
        }

        impl Any {
            /// One as configured, that has seen nothing yet.
            pub fn new(config: &Config, cast: &Cast) -> Any {
                match config {
                    $(Config::$variant(config) => Any::$variant(<$oracle>::new(config, cast)),)*
                }
            }

            /// See [`Oracle::SHOWN`].
            pub fn shown(&self) -> &'static [Shown] {
                match self {
                    $(Any::$variant(_) => <$oracle as Oracle>::SHOWN,)*
                }
            }

            /// See [`Oracle::observe`].
            pub fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
                match self {
                    $(Any::$variant(oracle) => oracle.observe(moment, by, seen),)*
                }
            }

            /// See [`Oracle::on_fault`].
            pub fn on_fault(&mut self, moment: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
                match self {
                    $(Any::$variant(oracle) => oracle.on_fault(moment, fault),)*
                }
            }

            /// See [`Oracle::on_plan`].
            pub fn on_plan(&mut self, now: Time, record: &Record) {
                match self {
                    $(Any::$variant(oracle) => oracle.on_plan(now, record),)*
                }
            }

            /// See [`Oracle::due`].
            pub fn due(&self) -> Option<Time> {
                match self {
                    $(Any::$variant(oracle) => oracle.due(),)*
                }
            }

            /// See [`Oracle::on_due`].
            pub fn on_due(&mut self, at: Time, record: &Record) -> Option<Sighting> {
                match self {
                    $(Any::$variant(oracle) => oracle.on_due(at, record),)*
                }
            }

            /// See [`Oracle::standing`].
            pub fn standing(&self, record: &Record) -> Standing {
                match self {
                    $(Any::$variant(oracle) => oracle.standing(record),)*
                }
            }

            /// See [`Oracle::untested`].
            pub fn untested(&self, told: &Told<'_>) -> Option<String> {
                match self {
                    $(Any::$variant(oracle) => oracle.untested(told),)*
                }
            }

            /// See [`Oracle::instead`].
            pub fn instead(&self, told: &Told<'_>) -> String {
                match self {
                    $(Any::$variant(oracle) => oracle.instead(told),)*
                }
            }
        }
    };
}

catalog! {
    "single-leader", "never two registry leaders in one term; if asked, none that serves reads or renews leases after the next was elected", SingleLeader = single_leader::SingleLeader;
    "views-agree", "all observers hold the same list of every service", ViewsAgree = views_agree::ViewsAgree;
    "stale-request", "a request goes to an instance that has died or left the registry", StaleRequest = stale_request::StaleRequest;
    "misrouted-request", "a request goes to an instance that cannot answer: dead, paused or cut off", MisroutedRequest = misrouted_request::MisroutedRequest;
    "false-eviction", "the registry drops an instance that is alive and was since it was last heard of", FalseEviction = false_eviction::FalseEviction;
    "leader-change", "a new registry leader is elected after the first fault", LeaderChange = leader_change::LeaderChange;
    "lease-expiry", "a lease expires", LeaseExpiry = lease_expiry::LeaseExpiry;
    "never-empty", "a client that has had an endpoint to call always has one, while an instance is up", NeverEmpty = never_empty::NeverEmpty;
    "no-lost-registration", "an instance that has registered, is alive and connected is never missing from the registry for long", NoLostRegistration = no_lost_registration::NoLostRegistration;
    "stale-route", "soon after an instance's death no request is sent to it any more", StaleRoute = stale_route::StaleRoute;
    "cache-age", "a client's list is never out of date for long", CacheAge = cache_age::CacheAge;
    "herd-cap", "after a fault the registry never serves many times as many reads as before", HerdCap = herd_cap::HerdCap;
    "metastable", "all faults have healed and the load is normal, and yet fewer requests succeed than before", Metastable = metastable::Metastable;
    "balanced", "no instance of a service gets many times as many requests as the mean", Balanced = balanced::Balanced;
    "key-movement", "when instances come or go, few keys move to another instance that do not have to", KeyMovement = key_movement::KeyMovement;
    "no-leak", "after the last heal no more is held than before the first fault: requests in flight, timers, tasks, watches, sessions, connections", NoLeak = no_leak::NoLeak;
    "single-holder", "never two that believe at once that they hold the same lock", SingleHolder = single_holder::SingleHolder;
    "fenced", "what a lock guards never accepts a write with an older token after one with a newer, nor of two holders with the same", Fenced = fenced::Fenced;
    "monotonic-revision", "no client learns anything older than what it knew when it asked, and no member goes back", MonotonicRevision = monotonic_revision::MonotonicRevision;
    "linearizable", "every operation on a registry's key seems to happen at one moment between its call and its answer", Linearizable = linearizable::Linearizable;
}

impl Config {
    /// The oracle of this name with all its defaults; None if there is none.
    pub fn named(name: &str) -> Option<Config> {
        Config::read(name, &mut |knob| (knob.default)())
    }
}
