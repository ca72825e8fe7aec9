//! The picker: all that a client does to choose an endpoint, from the list it holds to the one that gets the request.
//!
//! The stages are those of the real systems: the cache's view, the subset that the client uses, a filter by health, the
//! choice of a priority level and a locality, and the policy that picks.

use std::sync::Arc;

use schism_core::{Time, ZoneId};

use crate::balancer::slow_start::{SlowStart, WarmUp};
use crate::balancer::{self, Call, PerHost, Seat, Update};
use crate::dice::Dice;
use crate::listing::{Endpoint, InFlight, Listing, Roster, Scene, View};
use crate::load::{Feedback, Load};
use crate::locality::{self, Board, Corner, GroupKey, Members, Standing};
use crate::options::Nothing;
use crate::state::State;
use crate::subset::{self, Subset};

/// How a client group's pickers are made.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The policy.
    pub balancer: balancer::Config,
    /// Where to look for an endpoint.
    pub locality: locality::Config,
    /// Which of the listed endpoints it uses.
    pub subset: subset::Config,
    /// How endpoints warm up that are new, or have become healthy; `None` if they get their weight at once.
    pub slow_start: Option<SlowStart>,
}

impl Config {
    /// With a policy and a locality, and nothing else.
    pub fn new(balancer: balancer::Config, locality: locality::Config) -> Config {
        Config { balancer, locality, subset: subset::Config::default(), slow_start: None }
    }
}

impl Default for Config {
    /// In turn, wherever they are: what a scenario means that says nothing of it.
    fn default() -> Config {
        Config::new(balancer::Config::RoundRobin(Nothing), locality::Config::None(Nothing))
    }
}

/// Where one client's picker is.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its client's number, and how many there are.
    pub seat: Seat,
    /// Its client's zone.
    pub zone: ZoneId,
    /// What all pickers of the group share.
    pub district: Arc<District>,
}

/// What all pickers of a client group know beforehand.
#[derive(Clone, Debug, Default)]
pub struct District {
    /// The instances of the service that they call.
    pub roster: Roster,
    /// The zones by number, with their names.
    pub zones: Vec<String>,
    /// How many clients of the group each zone has, by number.
    pub locals: Vec<u32>,
}

/// One client's picker.
#[derive(Clone, Debug)]
pub struct Picker {
    /// Whether endpoints have come, gone, or turned out otherwise since the last update.
    is_unsettled: bool,
    district: Arc<District>,
    locality: locality::Any,
    /// As made, before its first update: each group has a balancer that began like this.
    balancer: balancer::Any,
    groups: Vec<Group>,
    /// The balancers of groups that nobody is routed to now: they may come again, and go on then.
    idle: Vec<(GroupKey, balancer::Any)>,
    subset: Subset,
    listing: Option<Arc<Listing>>,
    warm_up: Option<WarmUp>,
    /// How endpoints are that are not simply healthy.
    standings: PerHost<Standing>,
}

/// Endpoints, and the balancer that picks from them.
#[derive(Clone, Debug)]
struct Group {
    key: GroupKey,
    members: Those,
    zone_weights: Vec<(ZoneId, u32)>,
    balancer: balancer::Any,
}

#[derive(Clone, Debug)]
enum Those {
    All(Arc<Listing>),
    Some(Vec<Endpoint>),
}

impl Those {
    #[inline]
    fn endpoints(&self) -> &[Endpoint] {
        match self {
            Those::All(listing) => &listing.endpoints,
            Those::Some(some) => some,
        }
    }
}

impl Picker {
    /// A picker that knows no endpoint yet. What the real one draws when it is made, it draws here.
    pub fn new(config: &Config, site: &Site, dice: &mut Dice<'_>) -> Picker {
        let District { zones, locals, .. } = &*site.district;
        let scope = config.balancer.scope();
        let corner = Corner { seat: site.seat, zone: site.zone, zones, locals, scope };
        // The order is that of the draws. gRPC's subsetting is the parent of the policy; Envoy's schedule of localities is
        // of the base class of its policies (`ZoneAwareLoadBalancerBase`).
        Picker {
            subset: Subset::new(&config.subset, dice),
            locality: locality::Any::new(&config.locality, &corner, dice),
            balancer: balancer::Any::new(&config.balancer, &site.seat, dice),
            is_unsettled: false,
            district: site.district.clone(),
            groups: Vec::new(),
            idle: Vec::new(),
            listing: None,
            warm_up: config.slow_start.map(WarmUp::new),
            standings: PerHost::default(),
        }
    }

    /// Whether it picks from this very list.
    #[inline]
    pub fn holds(&self, listing: &Arc<Listing>) -> bool {
        self.listing.as_ref().is_some_and(|held| Arc::ptr_eq(held, listing))
    }

    /// The client holds another list.
    pub fn on_listing(
        &mut self,
        now: Time,
        listing: &Arc<Listing>,
        in_flight: &InFlight,
        dice: &mut Dice<'_>,
    ) {
        let before = self.listing.replace(listing.clone());
        self.is_unsettled |= ordinals_differ(before.as_deref(), listing);
        if let Some(warm_up) = &mut self.warm_up {
            let (old, new) = (ordinals(before.as_deref()), ordinals(Some(listing)));
            let is_gone = |ordinal: &&u32| new.binary_search(ordinal).is_err();
            old.iter().filter(is_gone).for_each(|&ordinal| warm_up.end(ordinal));
            let is_added = |ordinal: &&u32| old.binary_search(ordinal).is_err();
            let is_well = |ordinal: &&u32| self.standings.get(**ordinal).is_none();
            new.iter().filter(is_added).filter(is_well).for_each(|&ordinal| warm_up.begin(now, ordinal));
        }
        self.update(now, in_flight, dice);
    }

    /// Endpoints have turned out to be like this, by ordinal.
    pub fn on_standings(
        &mut self,
        now: Time,
        standings: impl IntoIterator<Item = (u32, Standing)>,
        in_flight: &InFlight,
        dice: &mut Dice<'_>,
    ) {
        for (ordinal, standing) in standings {
            self.hear_of(now, ordinal, standing);
        }
        self.update(now, in_flight, dice);
    }

    /// An endpoint has turned out to be like this: it is heeded with the next list.
    pub fn hear_of(&mut self, now: Time, ordinal: u32, standing: Standing) {
        let before = match standing {
            Standing::Healthy => self.standings.forget(ordinal),
            Standing::Degraded | Standing::Unhealthy | Standing::Excluded => {
                Some(std::mem::replace(self.standings.touch(ordinal, || Standing::Healthy), standing))
            }
        };
        self.is_unsettled |= before.unwrap_or(Standing::Healthy) != standing;
        let Some(warm_up) = &mut self.warm_up else { return };
        match (before.unwrap_or(Standing::Healthy), standing) {
            (Standing::Unhealthy | Standing::Excluded, Standing::Healthy) => warm_up.begin(now, ordinal),
            (_, Standing::Unhealthy | Standing::Excluded) => warm_up.end(ordinal),
            (Standing::Healthy | Standing::Degraded, Standing::Healthy) | (_, Standing::Degraded) => {}
        }
    }

    /// The same list has come again: the balancers begin anew what they begin anew at every update.
    pub fn refresh(&mut self, now: Time, in_flight: &InFlight, dice: &mut Dice<'_>) {
        self.is_unsettled = true;
        self.update(now, in_flight, dice);
    }

    fn update(&mut self, now: Time, in_flight: &InFlight, dice: &mut Dice<'_>) {
        let Some(listing) = self.listing.clone() else { return };
        let district = self.district.clone();
        let roster = &district.roster;
        let subset = self.subset.of(&listing.endpoints, roster);
        let endpoints = subset.as_deref().unwrap_or(&listing.endpoints);
        let board = Board { endpoints, standings: &self.standings, roster };
        let groups = self.locality.on_update(&board, dice);
        // Whoever comes, goes or falls ill anywhere has all begin anew, as Envoy's `refresh` of a level does.
        let all = std::mem::take(&mut self.is_unsettled).then_some(Update::Members);
        let mut before = std::mem::take(&mut self.groups);
        for group in groups {
            let members = match (group.members, &subset) {
                (Members::All, None) => Those::All(listing.clone()),
                (Members::All, Some(subset)) => Those::Some(subset.clone()),
                (Members::Some(some), _) => Those::Some(some),
            };
            let old = before.iter().position(|old| old.key == group.key).map(|at| before.swap_remove(at));
            let (what, balancer) = match old {
                None => (Some(Update::Members), self.balancer_of(group.key)),
                Some(old) => (all.or_else(|| changed(&old, &members, &group.zone_weights)), old.balancer),
            };
            let mut group = Group { key: group.key, members, zone_weights: group.zone_weights, balancer };
            let (zone_weights, warm_up) = (&group.zone_weights[..], self.warm_up.as_ref());
            let scene = Scene { now, in_flight, roster, zone_weights, warm_up };
            if let (Some(what), Some(view)) = (what, View::new(group.members.endpoints(), scene)) {
                group.balancer.on_update(view, what, dice);
            }
            self.groups.push(group);
        }
        self.idle.extend(before.into_iter().map(|group| (group.key, group.balancer)));
    }

    /// The balancer of a group that comes now, or comes again.
    fn balancer_of(&mut self, key: GroupKey) -> balancer::Any {
        let idle = self.idle.iter().position(|(idle, _)| *idle == key);
        idle.map_or_else(|| self.balancer.clone(), |at| self.idle.swap_remove(at).1)
    }

    /// The endpoint that gets a request; none if nobody is to serve it.
    #[inline]
    pub fn pick(
        &mut self,
        now: Time,
        in_flight: &InFlight,
        call: &Call<'_>,
        dice: &mut Dice<'_>,
    ) -> Option<Endpoint> {
        let Group { members, zone_weights, balancer, .. } =
            &mut self.groups[self.locality.route(call, dice)?];
        let (roster, warm_up) = (&self.district.roster, self.warm_up.as_ref());
        let scene = Scene { now, in_flight, roster, zone_weights, warm_up };
        let view = View::new(members.endpoints(), scene)?;
        Some(view.endpoint(balancer.pick(view, call, dice)))
    }

    /// An attempt at the endpoint with this ordinal has ended.
    #[inline]
    pub fn on_reply(&mut self, now: Time, ordinal: u32, reply: &Feedback<'_>) {
        self.balancers().for_each(|balancer| balancer.on_reply(now, ordinal, reply));
    }

    /// All that remember endpoints: those of idle groups, too.
    fn balancers(&mut self) -> impl Iterator<Item = &mut balancer::Any> {
        let groups = self.groups.iter_mut().map(|group| &mut group.balancer);
        groups.chain(self.idle.iter_mut().map(|(_, balancer)| balancer))
    }

    /// How many balancers it keeps: one for each group that requests have ever been routed to, and no more.
    pub fn kept(&self) -> usize {
        self.groups.len() + self.idle.len()
    }

    /// When it wants to be woken, if ever. A balancer that has nobody to pick from sleeps on.
    #[inline]
    pub fn due(&self) -> Option<Time> {
        let awake = self.groups.iter().filter(|group| !group.members.endpoints().is_empty());
        awake.filter_map(|group| group.balancer.due()).min()
    }

    /// It is woken.
    pub fn on_due(&mut self, now: Time, in_flight: &InFlight, dice: &mut Dice<'_>) {
        let (roster, warm_up) = (&self.district.roster, self.warm_up.as_ref());
        for Group { members, zone_weights, balancer, .. } in &mut self.groups {
            let scene = Scene { now, in_flight, roster, zone_weights, warm_up };
            if let Some(view) = View::new(members.endpoints(), scene)
                && balancer.due().is_some_and(|due| due <= now)
            {
                balancer.on_due(view, dice);
            }
        }
    }

    /// An endpoint that it wants to ask for its load, until there is none.
    #[inline]
    pub fn next_probe(&mut self) -> Option<Endpoint> {
        let ordinal = self.groups.iter_mut().find_map(|group| group.balancer.next_probe())?;
        let endpoints = &self.listing.as_ref()?.endpoints;
        // A list is nearly always in the order of its instances' numbers; where it is not, all are looked at.
        let is_there = |endpoint: &&Endpoint| endpoint.ordinal == ordinal;
        let at = endpoints.partition_point(|endpoint| endpoint.ordinal < ordinal);
        endpoints.get(at).filter(is_there).or_else(|| endpoints.iter().find(is_there)).copied()
    }

    /// An endpoint that was asked has answered.
    pub fn on_probed(&mut self, now: Time, ordinal: u32, load: &Load) {
        self.balancers().for_each(|balancer| balancer.on_probed(now, ordinal, load));
    }

    /// What it shows of itself: the policy's own state, or that of each group where there are several.
    pub fn state(&self, now: Time, in_flight: &InFlight) -> State {
        let shown = |group: &Group| {
            let zone_weights = &group.zone_weights;
            let (roster, warm_up) = (&self.district.roster, self.warm_up.as_ref());
            let scene = Scene { now, in_flight, roster, zone_weights, warm_up };
            View::new(group.members.endpoints(), scene).map(|view| group.balancer.state(view))
        };
        let locality = self.locality.state();
        let mut state = match &self.groups[..] {
            [one] => shown(one).unwrap_or_else(State::empty),
            several => State::table([(
                "groups",
                State::List(
                    several.iter().filter_map(|group| Some(self.shown(group, shown(group)?))).collect(),
                ),
            )]),
        };
        if let (State::Table(parts), false) = (&mut state, locality.is_empty()) {
            parts.push(("locality".to_owned(), locality));
        }
        state
    }

    fn shown(&self, group: &Group, balancer: State) -> State {
        let name = |endpoint: &Endpoint| self.district.roster.name(endpoint.ordinal);
        let part = group.key.part.name(&self.district.zones);
        State::table([
            ("level", State::from(group.key.level)),
            ("part", State::from(part)),
            ("endpoints", State::list(group.members.endpoints().iter().map(name))),
            ("balancer", balancer),
        ])
    }
}

/// Who is listed, sorted by ordinal.
fn ordinals(listing: Option<&Listing>) -> Vec<u32> {
    let endpoints = listing.map_or(&[][..], |listing| &listing.endpoints);
    let mut ordinals: Vec<u32> = endpoints.iter().map(|endpoint| endpoint.ordinal).collect();
    ordinals.sort_unstable();
    ordinals
}

/// Whether a list has others than the one before, or in another order.
fn ordinals_differ(before: Option<&Listing>, after: &Listing) -> bool {
    let after = after.endpoints.iter().map(|endpoint| endpoint.ordinal);
    before.is_none_or(|before| before.endpoints.iter().map(|endpoint| endpoint.ordinal).ne(after))
}

/// What of a group has changed, if anything has.
fn changed(old: &Group, members: &Those, zone_weights: &[(ZoneId, u32)]) -> Option<Update> {
    let (before, after) = (old.members.endpoints(), members.endpoints());
    let same_place = |(old, new): (&Endpoint, &Endpoint)| old.ordinal == new.ordinal;
    if before.len() != after.len() || !before.iter().zip(after).all(same_place) {
        Some(Update::Members)
    } else if before != after || old.zone_weights != zone_weights {
        Some(Update::Weights)
    } else {
        None
    }
}
