//! Oracles: what must hold always, sometimes or eventually. The catalog.
//!
//! An oracle sees what every witness sees: observations, faults, and the truth of the moment. It never sees a model's
//! fields, so one oracle judges simulated and live runs alike.

mod cast;
mod false_eviction;
mod leader_change;
mod lease_expiry;
mod misrouted_request;
mod never_empty;
mod opinions;
mod record;
mod register;
mod single_leader;
mod stale_request;
mod views_agree;

use schism_core::{Fault, NodeId, Scene};

use crate::observation::Observation;

pub use cast::{Cast, Role};
pub use opinions::{Change, Opinion, Opinions};
pub use record::Record;
pub use register::Register;
pub use views_agree::ViewsAgree;

/// What looks for one thing and says, in a sentence and of whom, when it has seen it. It is asked until it has, and then no more.
///
/// What it means that the thing was seen is the [`Mood`]'s to say: that a hope came true, or that a law was broken.
pub trait Oracle: Clone {
    /// Which observations it is shown.
    const SHOWN: Shown;

    /// One that has seen nothing yet.
    fn new(cast: &Cast) -> Self;

    /// A node has observed something.
    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting>;

    /// A fault of the plan has begun, whatever it does: what only ails a process is no fault of the kernel's.
    fn on_begin(&mut self) {}

    /// A fault has been inflicted, or healed.
    fn on_fault(&mut self, moment: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        let _ = (moment, fault);
        None
    }
}

/// What an oracle has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// In a sentence.
    pub why: String,
    /// Whom it is about and what it rests on, the most important first.
    pub on: Vec<NodeId>,
}

impl Sighting {
    /// What was seen, of these nodes.
    pub fn of(why: String, on: impl Into<Vec<NodeId>>) -> Sighting {
        Sighting { why, on: on.into() }
    }
}

/// The moment at which an oracle is shown something, just after it.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// The truth.
    pub scene: &'a Scene<'a>,
    /// What follows from all that has been observed.
    pub record: &'a Record,
}

/// Which observations an oracle is shown. There are a thousand times as many attempts as anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// [`Observation::Attempt`] alone.
    Attempts,
    /// All but those of requests: views, leases, leaders and writes.
    Beliefs,
}

/// One line for each oracle: its kind, and the file that it is in.
macro_rules! catalog {
    ($($kind:ident = $oracle:ty;)*) => {
        /// An oracle of any kind.
        #[derive(Clone)]
        pub enum AnyOracle {
            $(#[doc = concat!("See [`Kind::", stringify!($kind), "`].")] $kind($oracle),)*
        }

        impl AnyOracle {
            /// One of this kind, that has seen nothing yet.
            pub fn new(kind: Kind, cast: &Cast) -> AnyOracle {
                match kind {
                    $(Kind::$kind => AnyOracle::$kind(<$oracle>::new(cast)),)*
                }
            }

            /// See [`Oracle::SHOWN`].
            pub fn shown(&self) -> Shown {
                match self {
                    $(AnyOracle::$kind(_) => <$oracle>::SHOWN,)*
                }
            }

            /// See [`Oracle::observe`].
            pub fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
                match self {
                    $(AnyOracle::$kind(oracle) => oracle.observe(moment, by, seen),)*
                }
            }

            /// See [`Oracle::on_begin`].
            pub fn on_begin(&mut self) {
                match self {
                    $(AnyOracle::$kind(oracle) => oracle.on_begin(),)*
                }
            }

            /// See [`Oracle::on_fault`].
            pub fn on_fault(&mut self, moment: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
                match self {
                    $(AnyOracle::$kind(oracle) => oracle.on_fault(moment, fault),)*
                }
            }
        }
    };
}

catalog! {
    SingleLeader = single_leader::SingleLeader;
    ViewsAgree = ViewsAgree;
    StaleRequest = stale_request::StaleRequest;
    MisroutedRequest = misrouted_request::MisroutedRequest;
    FalseEviction = false_eviction::FalseEviction;
    LeaderChange = leader_change::LeaderChange;
    LeaseExpiry = lease_expiry::LeaseExpiry;
    NeverEmpty = never_empty::NeverEmpty;
}

/// What an oracle looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Never two leaders of one term.
    SingleLeader,
    /// All observers' views of every service are the same.
    ViewsAgree,
    /// An attempt went to an instance that had died or had left the registry.
    StaleRequest,
    /// An attempt went to an instance that could not answer: dead, paused or cut off from the sender.
    MisroutedRequest,
    /// The registry dropped an instance that was alive.
    FalseEviction,
    /// A new leader was elected after the first fault.
    LeaderChange,
    /// A lease expired.
    LeaseExpiry,
    /// A client that had an endpoint to call always has one.
    NeverEmpty,
}

/// How an oracle can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    /// At every event.
    Always,
    /// At least once.
    Sometimes,
    /// Not once.
    Never,
    /// Within some time after the last fault has healed.
    Eventually,
}

/// The names a scenario may write, what they mean, and the moods that make sense for each.
pub const CATALOG: &[(&str, &str, Kind, &[Mood])] = {
    use Mood::{Always, Eventually, Never, Sometimes};
    &[
        ("single-leader", "never two registry leaders in one term", Kind::SingleLeader, &[Always]),
        (
            "views-agree",
            "all observers hold the same list of every service",
            Kind::ViewsAgree,
            &[Eventually, Sometimes],
        ),
        (
            "stale-request",
            "a request goes to an instance that has died or left the registry",
            Kind::StaleRequest,
            &[Sometimes, Never],
        ),
        (
            "misrouted-request",
            "a request goes to an instance that cannot answer: dead, paused or cut off",
            Kind::MisroutedRequest,
            &[Sometimes, Never],
        ),
        (
            "false-eviction",
            "the registry drops an instance that is alive",
            Kind::FalseEviction,
            &[Sometimes, Never],
        ),
        (
            "leader-change",
            "a new registry leader is elected after the first fault",
            Kind::LeaderChange,
            &[Sometimes, Never],
        ),
        ("lease-expiry", "a lease expires", Kind::LeaseExpiry, &[Sometimes, Never]),
        (
            "never-empty",
            "a client that has had an endpoint to call always has one",
            Kind::NeverEmpty,
            &[Always],
        ),
    ]
};
