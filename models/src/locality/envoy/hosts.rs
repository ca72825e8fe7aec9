//! The hosts of a priority level, and the groups and zones that they are divided into.

use schism_core::ZoneId;

use super::{HealthBy, ZoneAware};
use crate::listing::Endpoint;
use crate::locality::levels::Census;
use crate::locality::zone_routing::{Routing, Share};
use crate::locality::{Corner, Group, GroupKey, Members, Part, Standing};

/// One level's endpoints.
#[derive(Default)]
pub(super) struct Level {
    pub(super) hosts: Vec<(Endpoint, Standing)>,
}

/// The zones as one client sees them.
#[derive(Clone, Debug)]
pub(super) struct Zones {
    home: ZoneId,
    /// The own zone, then the others by name: the order of Envoy's `HostsPerLocality`.
    order: Vec<ZoneId>,
    /// How many clients are in each, by number.
    locals: Vec<u32>,
}

/// Groups as they are made.
pub(super) struct Groups<'a> {
    pub(super) made: Vec<Group>,
    /// All endpoints that are listed.
    all: &'a [Endpoint],
}

impl<'a> Groups<'a> {
    /// None yet, of these endpoints.
    pub(super) fn of(all: &'a [Endpoint]) -> Groups<'a> {
        Groups { made: Vec::new(), all }
    }

    /// One more; where it is.
    pub(super) fn add(
        &mut self,
        level: u32,
        part: Part,
        members: impl Iterator<Item = Endpoint>,
        zone_weights: Vec<(ZoneId, u32)>,
    ) -> usize {
        let members: Vec<Endpoint> = members.collect();
        let members = if members.len() == self.all.len() { Members::All } else { Members::Some(members) };
        self.made.push(Group { key: GroupKey { level, part }, members, zone_weights });
        self.made.len() - 1
    }
}

impl Level {
    pub(super) fn all(&self) -> impl Iterator<Item = Endpoint> {
        self.hosts.iter().map(|(host, _)| *host)
    }

    pub(super) fn those(&self, standing: Standing) -> impl Iterator<Item = Endpoint> {
        self.hosts.iter().filter(move |(_, is)| *is == standing).map(|(host, _)| *host)
    }

    /// How many are how, each counted as this much.
    pub(super) fn census(&self, worth: impl Fn(&Endpoint) -> u32) -> Census {
        let mut census = Census::default();
        for (host, standing) in &self.hosts {
            let worth = u64::from(worth(host));
            census.hosts += worth;
            match standing {
                Standing::Healthy => census.healthy += worth,
                Standing::Degraded => census.degraded += worth,
                Standing::Unhealthy => {}
                Standing::Excluded => census.excluded += worth,
            }
        }
        census
    }

    /// A zone's weight, less what of it is not eligible: `LocalityWrr::effectiveLocalityWeight`.
    pub(super) fn effective_weight(
        &self,
        zone: ZoneId,
        eligible: Standing,
        weights: &[(ZoneId, u32)],
        overprovisioning: u32,
    ) -> f64 {
        let Ok(at) = weights.binary_search_by_key(&zone, |(zone, _)| *zone) else { return 0.0 };
        let here = || self.hosts.iter().filter(|(host, _)| host.zone == zone);
        let counted = here().filter(|(_, standing)| *standing != Standing::Excluded).count();
        if counted == 0 {
            return 0.0;
        }
        let eligible = here().filter(|(_, standing)| *standing == eligible).count();
        let available = 1.0 * eligible as f64 / counted as f64;
        f64::from(weights[at].1) * (f64::from(overprovisioning) / 100.0 * available).min(1.0)
    }
}

impl Zones {
    /// Those of a client in this corner.
    pub(super) fn of(corner: &Corner<'_>) -> Zones {
        let home = corner.zone;
        let mut order: Vec<ZoneId> = (0..corner.zones.len() as u16).map(ZoneId).collect();
        order.sort_by_key(|zone| (*zone != home, &corner.zones[usize::from(zone.0)]));
        Zones { home, order, locals: corner.locals.to_vec() }
    }

    /// The zones in which a level has endpoints, however they are.
    pub(super) fn within(&self, level: &Level) -> Vec<ZoneId> {
        let has = |zone: &ZoneId| level.hosts.iter().any(|(host, _)| host.zone == *zone);
        self.order.iter().copied().filter(has).collect()
    }

    /// How requests to these zones are routed; `None` if zones are not to matter.
    pub(super) fn routing(&self, rules: &ZoneAware, level: &Level, zones: &[ZoneId]) -> Option<Routing> {
        let locals = |zone: ZoneId| u64::from(self.locals.get(usize::from(zone.0)).copied().unwrap_or(0));
        let with_clients = self.locals.iter().filter(|clients| **clients > 0).count();
        let healthy: Vec<Endpoint> = level.those(Standing::Healthy).collect();
        if zones.len() < 2
            || (with_clients < 2 && rules.force_local_zone.is_none())
            || locals(self.home) == 0
            || healthy.len() < rules.min_cluster_size as usize
        {
            return None;
        }
        let worth = |host: &Endpoint| match rules.share {
            HealthBy::Count => 1,
            HealthBy::Weight => u64::from(host.weight),
        };
        let in_zone = |zone: ZoneId| healthy.iter().filter(move |host| host.zone == zone);
        let (clients, all) =
            (self.locals.iter().copied().map(u64::from).sum(), healthy.iter().map(worth).sum());
        let share =
            |zone: &ZoneId| Share::new((locals(*zone), clients), (in_zone(*zone).map(worth).sum(), all));
        let shares: Vec<Share> = zones.iter().map(share).collect();
        let is_forced =
            rules.force_local_zone.is_some_and(|least| in_zone(self.home).count() >= least as usize);
        Some(Routing::new(&shares, zones.first() == Some(&self.home), is_forced))
    }
}
