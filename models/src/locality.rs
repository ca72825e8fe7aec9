//! Localities: which endpoints of a list a balancer gets to pick from, by zone, priority and health. The trait and the
//! catalog.

mod envoy;
pub mod levels;
mod locality_weighted;
mod none;
mod priority;
mod zone_aware;
mod zone_first;
pub mod zone_routing;

use schism_core::ZoneId;

pub use self::priority::{OWN, REST};

use crate::balancer::{Call, Entry, PerHost, Scope, Seat};
use crate::dice::Dice;
use crate::listing::{Endpoint, Roster};
use crate::options::{Clash, Options, named};
use crate::state::State;

/// One client's way of choosing where to look for an endpoint.
pub trait Locality: Clone {
    /// Its options, with the real system's defaults.
    type Config: Options;

    /// A choice that knows no endpoint yet.
    fn new(config: &Self::Config, desk: &Corner<'_>, dice: &mut Dice<'_>) -> Self;

    /// What is wrong with options that can be written, but not together.
    ///
    /// # Errors
    /// Which of them to change, and to what.
    fn check(_: &Self::Config) -> Result<(), Clash> {
        Ok(())
    }

    /// The endpoints have changed, or how they are: the groups that requests may be routed to from now on. A group that
    /// has a key of before keeps its balancer, and all that that remembers.
    fn on_update(&mut self, board: &Board<'_>, dice: &mut Dice<'_>) -> Vec<Group>;

    /// The number of the group that serves a request; `None` if nobody is to serve it.
    fn route(&mut self, call: &Call<'_>, dice: &mut Dice<'_>) -> Option<usize>;

    /// What it shows of itself.
    fn state(&self) -> State {
        State::empty()
    }
}

/// Where the client is that chooses.
#[derive(Clone, Copy, Debug)]
pub struct Corner<'a> {
    /// Its number within its group, and how many there are.
    pub seat: Seat,
    /// Its zone.
    pub zone: ZoneId,
    /// The zones by number, with their names.
    pub zones: &'a [String],
    /// How many clients of its group each zone has, by number.
    pub locals: &'a [u32],
    /// What its balancer picks from, where localities have weights.
    pub scope: Scope,
}

/// All endpoints that are known, and how they are.
#[derive(Clone, Copy)]
pub struct Board<'a> {
    /// The endpoints in the order in which they are listed.
    pub endpoints: &'a [Endpoint],
    /// How those are that are not simply well, by ordinal.
    pub standings: &'a PerHost<Standing>,
    /// Who they are.
    pub roster: &'a Roster,
}

impl Board<'_> {
    /// How an endpoint is.
    pub fn standing(&self, endpoint: &Endpoint) -> Standing {
        self.standings.get(endpoint.ordinal).copied().unwrap_or(Standing::Healthy)
    }
}

/// How an endpoint is, as far as health checks and outlier detection tell: Envoy's four (`Host::Health`, and excluded
/// for one that has not passed its first check where `ignore_new_hosts_until_first_hc` is set).
/// The later ones prevail where several sources see an endpoint differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It is well.
    Healthy,
    /// It serves, but others are preferred.
    Degraded,
    /// It is not to be used, unless in panic.
    Unhealthy,
    /// It does not count at all, not even as unhealthy.
    Excluded,
}

/// Endpoints that one balancer picks from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What makes it the same group after an update.
    pub key: GroupKey,
    /// Who is in it.
    pub members: Members,
    /// The weights of zones, sorted by zone, where the balancer is to heed them; else none.
    pub zone_weights: Vec<(ZoneId, u32)>,
}

/// What makes a group the same after an update: Envoy's `HostsSource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey {
    /// The priority level, from 0.
    pub level: u32,
    /// Which of its endpoints.
    pub part: Part,
}

/// Which endpoints of a priority level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// All, however they are: what is picked from in panic.
    All,
    /// The healthy ones.
    Healthy,
    /// The degraded ones.
    Degraded,
    /// The healthy ones of a zone.
    Zone(ZoneId),
    /// The degraded ones of a zone.
    DegradedZone(ZoneId),
}

/// Who is in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// All that are listed.
    All,
    /// These, in the order of the list.
    Some(Vec<Endpoint>),
}

const fn entry<T: Locality>(name: &'static str, about: &'static str) -> Entry {
    Entry { name, about, knobs: <T::Config as Options>::KNOBS }
}

/// Declares every locality once: its name in a scenario, what it is, and its type.
macro_rules! catalog {
    ($($name:literal, $about:literal, $variant:ident = $strategy:ty;)*) => {
        named! {
            Locality, "How a client group chooses where to look, with its options.", "The names that a scenario may write after `locality`, with what they mean.";
            $($name, $about, $variant = $strategy;)*
        }

        /// A locality of the catalog.
        #[derive(Clone, Debug)]
        pub enum Any {
            $(#[doc = $about] $variant($strategy),)*
        }

        impl Any {
            /// A choice as configured, which knows no endpoint yet.
            pub fn new(config: &Config, corner: &Corner<'_>, dice: &mut Dice<'_>) -> Any {
                match config {
                    $(Config::$variant(config) => Any::$variant(<$strategy>::new(config, corner, dice)),)*
                }
            }

            /// See [`Locality::on_update`].
            pub fn on_update(&mut self, board: &Board<'_>, dice: &mut Dice<'_>) -> Vec<Group> {
                match self {
                    $(Any::$variant(strategy) => strategy.on_update(board, dice),)*
                }
            }

            /// See [`Locality::route`].
            #[inline]
            pub fn route(&mut self, call: &Call<'_>, dice: &mut Dice<'_>) -> Option<usize> {
                match self {
                    $(Any::$variant(strategy) => strategy.route(call, dice),)*
                }
            }

            /// See [`Locality::state`].
            pub fn state(&self) -> State {
                match self {
                    $(Any::$variant(strategy) => strategy.state(),)*
                }
            }
        }
    };
}

catalog! {
    "none", "any healthy endpoint, wherever it is; in panic any endpoint", None = none::Everyone;
    "priority", "levels of zones: the next one takes what too few healthy endpoints of one cannot", Priority = priority::Priority;
    "zone-aware", "the client's own zone as far as it has its share of endpoints, as Envoy's", ZoneAware = zone_aware::ZoneAware;
    "locality-weighted", "zones by weights, less what is unhealthy in them, as Envoy's", LocalityWeighted = locality_weighted::LocalityWeighted;
    "zone-first", "healthy endpoints of the client's own zone, or of any where it has too few", ZoneFirst = zone_first::ZoneFirst;
}

/// The weights of zones by number, sorted, of those that were written by name.
fn weights_of(written: &[(String, u32)], corner: &Corner<'_>) -> Vec<(ZoneId, u32)> {
    let weight = |name: &String| written.iter().find(|(zone, _)| zone == name).map(|(_, weight)| *weight);
    let named = (0..).zip(corner.zones).filter_map(|(zone, name)| Some((ZoneId(zone), weight(name)?)));
    named.collect()
}

impl Part {
    /// How it is called, with the names of the zones.
    pub fn name(self, zones: &[String]) -> String {
        let zone = |zone: ZoneId| zones.get(usize::from(zone.0)).map_or("", String::as_str);
        match self {
            Part::All => "all".to_owned(),
            Part::Healthy => "healthy".to_owned(),
            Part::Degraded => "degraded".to_owned(),
            Part::Zone(of) => format!("zone {}", zone(of)),
            Part::DegradedZone(of) => format!("degraded in zone {}", zone(of)),
        }
    }
}
