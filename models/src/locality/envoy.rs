//! What Envoy does between the list and the policy: priority levels, panic, and zones within a level.
//!
//! `none`, `priority`, `zone-aware` and `locality-weighted` are this with different options. Source:
//! `LoadBalancerBase`, `ZoneAwareLoadBalancerBase` and `ThreadAwareLoadBalancerBase` (load_balancer_impl.cc at 00cf9a0,
//! thread_aware_lb_impl.cc at 0336fd6) and `LocalityWrr` (locality_wrr.cc at 5622ee9) of envoyproxy/envoy.

mod hosts;

use schism_core::ZoneId;

use self::hosts::{Groups, Level, Zones};
use super::levels::{Availability, Census, Loads};
use super::zone_routing::Routing;
use super::{Board, Corner, Group, GroupKey, Members, Part, Standing};
use crate::balancer::edf::Edf;
use crate::balancer::{Call, Scope};
use crate::dice::Dice;
use crate::hash::Hash;
use crate::state::State;

/// The rules by which loads are computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// How many per cent of its healthy share a level or zone counts as.
    pub(super) overprovisioning: u32,
    /// Below how many per cent of healthy hosts a level is in panic; 0 is never.
    pub(super) panic_threshold: u32,
    pub(super) on_panic: OnPanic,
    pub(super) health: HealthBy,
    pub(super) spill: Spill,
}

/// What becomes of requests to a level in panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnPanic {
    /// They go to all of its hosts alike.
    UseAll,
    /// They fail: Envoy's `fail_traffic_on_panic`. Its hashing policies do not know of it.
    Fail,
}

/// What of a level's hosts its health is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HealthBy {
    /// How many there are.
    Count,
    /// What they weigh: Envoy's `weighted_priority_health`.
    Weight,
}

/// How load goes on to the next level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spill {
    /// As much as the level before cannot bear.
    Gradual,
    /// All or nothing, as gRPC's.
    AllOrNothing,
}

/// What is done with the zones of a level.
#[derive(Clone, Debug)]
pub(super) enum Within {
    /// Nothing.
    Nothing,
    /// Zone-aware routing, in the first level alone.
    ZoneAware(ZoneAware),
    /// Zones have these weights, sorted by zone; those left out weigh nothing.
    Weighted(Vec<(ZoneId, u32)>),
}

/// The rules of zone-aware routing.
#[derive(Clone, Copy, Debug)]
pub(super) struct ZoneAware {
    /// With fewer healthy endpoints zones do not matter.
    pub(super) min_cluster_size: u32,
    /// For how many per cent of requests zones matter.
    pub(super) routing_enabled: u32,
    /// With so many healthy endpoints in it, the own zone gets everything.
    pub(super) force_local_zone: Option<u32>,
    /// What a zone's share of endpoints is measured by.
    pub(super) share: HealthBy,
}

/// Envoy's own defaults, where nothing is configured.
pub(super) const DEFAULT: Rules = Rules {
    overprovisioning: OVERPROVISIONING,
    panic_threshold: PANIC_THRESHOLD,
    on_panic: OnPanic::UseAll,
    health: HealthBy::Count,
    spill: Spill::Gradual,
};
/// `kDefaultOverProvisioningFactor` (upstream.h).
pub(super) const OVERPROVISIONING: u32 = 140;
/// `healthy_panic_threshold` (cluster.proto).
pub(super) const PANIC_THRESHOLD: u32 = 50;
/// `min_cluster_size` of `ZoneAwareLbConfig` (cluster.proto).
pub(super) const MIN_CLUSTER_SIZE: u32 = 6;

/// What a locality does that is one of these once it is made.
macro_rules! as_envoy {
    () => {
        fn on_update(
            &mut self,
            board: &$crate::locality::Board<'_>,
            dice: &mut $crate::dice::Dice<'_>,
        ) -> Vec<$crate::locality::Group> {
            self.0.on_update(board, dice)
        }

        #[inline]
        fn route(
            &mut self,
            call: &$crate::balancer::Call<'_>,
            dice: &mut $crate::dice::Dice<'_>,
        ) -> Option<usize> {
            self.0.route(call, dice)
        }

        fn state(&self) -> $crate::state::State {
            self.0.state()
        }
    };
}

pub(super) use as_envoy;

/// One client's levels.
#[derive(Clone, Debug)]
pub(super) struct Envoy {
    rules: Rules,
    within: Within,
    scope: Scope,
    /// What the first schedule of zones begins with: it was drawn when this was made.
    first: Option<u64>,
    zones: Zones,
    /// The level of each zone, by number, where endpoints have none of their own.
    levels: Vec<u32>,
    loads: Loads,
    /// Where every request goes, if that needs no word.
    certain: Option<(usize, Availability)>,
    ways: Vec<Ways>,
}

/// How requests to one level find their group.
#[derive(Clone, Debug)]
struct Ways {
    healthy: Way,
    degraded: Way,
}

#[derive(Clone, Debug)]
enum Way {
    /// Nobody is to serve them.
    Nowhere,
    /// All to this group.
    To(usize),
    /// To these groups in turn, by the weights of their zones.
    Scheduled { edf: Edf, turns: Vec<(f64, usize)> },
    /// To the group of the zone, for so many per cent of requests; else to all of the level.
    Zoned { routing: Routing, enabled: u64, groups: Vec<Option<usize>>, whole: Option<usize> },
}

impl Envoy {
    /// All endpoints on one level but those that have one of their own; `levels` says which zone is on which otherwise.
    pub(super) fn new(
        rules: Rules,
        within: Within,
        levels: Vec<u32>,
        corner: &Corner<'_>,
        dice: &mut Dice<'_>,
    ) -> Envoy {
        let schedules = match (&within, corner.scope) {
            (Within::Weighted(weights), Scope::Locality) => !weights.is_empty(),
            (Within::Weighted(_), Scope::Level) | (Within::Nothing | Within::ZoneAware(_), _) => false,
        };
        let first = schedules.then(|| dice.word());
        let (zones, loads, certain, ways) = (Zones::of(corner), Loads::default(), None, Vec::new());
        Envoy { rules, within, scope: corner.scope, first, zones, levels, loads, certain, ways }
    }

    pub(super) fn on_update(&mut self, board: &Board<'_>, dice: &mut Dice<'_>) -> Vec<Group> {
        if self.is_plain(board) {
            return self.take_all();
        }
        let levels = self.divide(board);
        let by_count: Vec<Census> = levels.iter().map(|level| level.census(|_| 1)).collect();
        let by_weight = match self.rules.health {
            HealthBy::Count => by_count.clone(),
            HealthBy::Weight => levels.iter().map(|level| level.census(|host| host.weight)).collect(),
        };
        self.loads = match self.rules.spill {
            Spill::AllOrNothing => Loads::failover(&by_count),
            Spill::Gradual => Loads::of(
                &by_count,
                &by_weight,
                self.rules.overprovisioning.into(),
                self.rules.panic_threshold.into(),
            ),
        };
        let mut groups = Groups::of(board.endpoints);
        let mut seeds = Seeds { first: self.first.take(), dice };
        let ways = |(number, level)| self.ways(number, level, &mut groups, &mut seeds);
        self.ways = (0..).zip(&levels).map(ways).collect();
        // A word is drawn for the level where there are several, whatever their loads; where there is one, only if some
        // of its load is that of degraded hosts.
        self.certain = match (self.ways.len(), self.scope) {
            (1, Scope::Locality) => self.loads.certain(),
            (1, Scope::Level) => Some((0, Availability::Healthy)),
            (_, Scope::Locality | Scope::Level) => None,
        };
        groups.made
    }

    /// Whether there is one level, all of which is well, and zones are not looked at: nearly always so.
    fn is_plain(&self, board: &Board<'_>) -> bool {
        matches!(self.within, Within::Nothing)
            && self.levels.is_empty()
            && self.ways.len() <= 1
            && board.standings.is_empty()
            && !board.roster.has_priorities()
    }

    fn take_all(&mut self) -> Vec<Group> {
        self.loads = Loads { healthy: vec![100], degraded: vec![0], panic: vec![false] };
        self.certain = Some((0, Availability::Healthy));
        self.ways = vec![Ways { healthy: Way::To(0), degraded: Way::Nowhere }];
        let key = GroupKey { level: 0, part: Part::Healthy };
        vec![Group { key, members: Members::All, zone_weights: Vec::new() }]
    }

    /// The endpoints by level. A level that was there stays, empty if need be, as in Envoy.
    fn divide(&self, board: &Board<'_>) -> Vec<Level> {
        let mut levels: Vec<Level> = Vec::new();
        levels.resize_with(self.ways.len().max(1), Level::default);
        for endpoint in board.endpoints {
            let of_zone = || self.levels.get(usize::from(endpoint.zone.0)).copied().unwrap_or(0);
            let level = board.roster.priority(endpoint.ordinal).unwrap_or_else(of_zone) as usize;
            if level >= levels.len() {
                levels.resize_with(level + 1, Level::default);
            }
            levels[level].hosts.push((*endpoint, board.standing(endpoint)));
        }
        levels
    }

    fn ways(&self, number: u32, level: &Level, groups: &mut Groups<'_>, seeds: &mut Seeds<'_, '_>) -> Ways {
        let place = number as usize;
        if self.loads.panic[place] {
            let way = match (self.rules.on_panic, self.scope) {
                (OnPanic::Fail, Scope::Locality) => Way::Nowhere,
                (OnPanic::UseAll, _) | (OnPanic::Fail, Scope::Level) => {
                    Way::To(groups.add(number, Part::All, level.all(), self.zone_weights()))
                }
            };
            return Ways { healthy: way.clone(), degraded: way };
        }
        let mut way = |availability, load| {
            if load == 0 { Way::Nowhere } else { self.way(number, level, availability, groups, seeds) }
        };
        if self.scope == Scope::Level {
            // What hashes knows no degraded hosts: a request that is theirs goes to the healthy ones of their level.
            let healthy = way(Availability::Healthy, self.loads.healthy[place] + self.loads.degraded[place]);
            return Ways { degraded: healthy.clone(), healthy };
        }
        Ways {
            healthy: way(Availability::Healthy, self.loads.healthy[place]),
            degraded: way(Availability::Degraded, self.loads.degraded[place]),
        }
    }

    fn way(
        &self,
        number: u32,
        level: &Level,
        availability: Availability,
        groups: &mut Groups<'_>,
        seeds: &mut Seeds<'_, '_>,
    ) -> Way {
        let standing = standing_of(availability);
        let whole = |groups: &mut Groups<'_>| {
            let part = match availability {
                Availability::Healthy => Part::Healthy,
                Availability::Degraded => Part::Degraded,
            };
            groups.add(number, part, level.those(standing), self.zone_weights())
        };
        let zone = |groups: &mut Groups<'_>, zone: ZoneId| {
            let part = match availability {
                Availability::Healthy => Part::Zone(zone),
                Availability::Degraded => Part::DegradedZone(zone),
            };
            let members = level.those(standing).filter(|host| host.zone == zone).collect::<Vec<_>>();
            groups.add(number, part, members.into_iter(), Vec::new())
        };
        match (&self.within, self.scope) {
            (Within::ZoneAware(rules), Scope::Locality) if number == 0 => {
                let zones = self.zones.within(level);
                let Some(routing) = self.zones.routing(rules, level, &zones) else {
                    return Way::To(whole(groups));
                };
                let enabled = u64::from(rules.routing_enabled);
                let may = |place| enabled > 0 && routing.may_choose(place);
                let of = |(place, at)| if may(place) { Some(zone(groups, at)) } else { None };
                let to_zones = zones.iter().copied().enumerate().map(of).collect();
                let whole = if enabled < 100 { Some(whole(groups)) } else { None };
                Way::Zoned { routing, enabled, groups: to_zones, whole }
            }
            (Within::Weighted(weights), Scope::Locality) => {
                let weigh = |at| level.effective_weight(at, standing, weights, self.rules.overprovisioning);
                let zones = self.zones.within(level).into_iter().map(|at| (weigh(at), at));
                let turns: Vec<(f64, usize)> = zones
                    .filter(|(weight, _)| *weight > 0.0)
                    .map(|(weight, at)| (weight, zone(groups, at)))
                    .collect();
                // No zone weighs anything: the weights are as if there were none.
                if turns.is_empty() {
                    return Way::To(whole(groups));
                }
                let weight = |turn: u32| turns[turn as usize].0;
                Way::Scheduled { edf: Edf::ahead(seeds.word(), turns.len() as u32, weight), turns }
            }
            (Within::Nothing | Within::ZoneAware(_), _) | (Within::Weighted(_), Scope::Level) => {
                Way::To(whole(groups))
            }
        }
    }

    /// The weights of zones for a policy that heeds them itself.
    fn zone_weights(&self) -> Vec<(ZoneId, u32)> {
        match (&self.within, self.scope) {
            (Within::Weighted(weights), Scope::Level) => weights.clone(),
            (Within::Weighted(_), Scope::Locality) | (Within::Nothing | Within::ZoneAware(_), _) => {
                Vec::new()
            }
        }
    }

    /// The group of the next request.
    pub(super) fn route(&mut self, call: &Call<'_>, dice: &mut Dice<'_>) -> Option<usize> {
        let (level, availability) = match self.certain {
            Some(certain) => certain,
            None if self.ways.is_empty() => return None,
            None => self.loads.choose(self.word(call, dice)),
        };
        let ways = self.ways.get_mut(level)?;
        let way = match availability {
            Availability::Healthy => &mut ways.healthy,
            Availability::Degraded => &mut ways.degraded,
        };
        match way {
            Way::Nowhere => None,
            Way::To(group) => Some(*group),
            Way::Scheduled { edf, turns } => {
                let turn = edf.pick(|turn| turns[turn as usize].0);
                Some(turns[turn as usize].1)
            }
            Way::Zoned { routing, enabled, groups, whole } => {
                // What is certain is not drawn for (`featureEnabled` of runtime_impl.cc).
                let is_zoned = *enabled >= 100 || *enabled > 0 && dice.word() % 100 < *enabled;
                if is_zoned { groups[routing.choose(dice)] } else { *whole }
            }
        }
    }

    /// What a level is drawn by: Envoy's hashing policies take the request's hash.
    fn word(&self, call: &Call<'_>, dice: &mut Dice<'_>) -> u64 {
        match self.scope {
            Scope::Locality => dice.word(),
            Scope::Level => call.hash(Hash::Xxh64).unwrap_or_else(|| dice.word()),
        }
    }

    /// The loads of the levels, where there are several or one is not simply well.
    pub(super) fn state(&self) -> State {
        let Loads { healthy, degraded, panic } = &self.loads;
        let mut parts = Vec::new();
        if healthy.len() > 1 || degraded.iter().any(|load| *load > 0) || panic.contains(&true) {
            parts.extend([
                ("load", State::list(healthy.iter().copied())),
                ("degraded_load", State::list(degraded.iter().copied())),
                ("panic", State::list(panic.iter().copied())),
            ]);
        }
        if let Some(Ways { healthy: Way::Zoned { routing, .. }, .. }) = self.ways.first() {
            parts.push(("routing", shown(routing)));
        }
        State::table(parts)
    }
}

/// What schedules begin with.
struct Seeds<'a, 's> {
    first: Option<u64>,
    dice: &'a mut Dice<'s>,
}

impl Seeds<'_, '_> {
    fn word(&mut self) -> u64 {
        self.first.take().unwrap_or_else(|| self.dice.word())
    }
}

fn standing_of(availability: Availability) -> Standing {
    match availability {
        Availability::Healthy => Standing::Healthy,
        Availability::Degraded => Standing::Degraded,
    }
}

fn shown(routing: &Routing) -> State {
    match routing {
        Routing::Direct => State::table([("mode", State::from("direct"))]),
        Routing::Residual { local, residual } => State::table([
            ("mode", State::from("residual")),
            ("local_percent_to_route", State::from(*local)),
            ("residual_cumulative", State::list(residual.iter().copied())),
        ]),
    }
}
