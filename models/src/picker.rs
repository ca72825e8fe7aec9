//! The picker: all that a client does to choose an endpoint, from the list it holds to the one that gets the request.
//!
//! The stages are those of the real systems: the cache's view, a filter by health, the choice of a priority level and a
//! locality, and the policy that picks.

use std::sync::Arc;

use schism_core::{Time, ZoneId};

use crate::balancer::{self, Call, PerHost, Seat, Update};
use crate::dice::Dice;
use crate::listing::{Endpoint, InFlight, Listing, Roster, Scene, View};
use crate::load::{Feedback, Load};
use crate::locality::{self, Board, Corner, GroupKey, Members, Standing};
use crate::options::Nothing;
use crate::state::State;

/// How a client group's pickers are made.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The policy.
    pub balancer: balancer::Config,
    /// Where to look for an endpoint.
    pub locality: locality::Config,
}

impl Default for Config {
    /// In turn, wherever they are: what a scenario means that says nothing of it.
    fn default() -> Config {
        Config { balancer: balancer::Config::RoundRobin(Nothing), locality: locality::Config::None(Nothing) }
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
    district: Arc<District>,
    locality: locality::Any,
    /// As made, before its first update: each group has a balancer that began like this.
    balancer: balancer::Any,
    groups: Vec<Group>,
    listing: Option<Arc<Listing>>,
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
        Picker {
            balancer: balancer::Any::new(&config.balancer, &site.seat, dice),
            locality: locality::Any::new(&config.locality, &corner, dice),
            district: site.district.clone(),
            groups: Vec::new(),
            listing: None,
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
        self.listing = Some(listing.clone());
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
            match standing {
                Standing::Healthy => drop(self.standings.forget(ordinal)),
                Standing::Degraded | Standing::Unhealthy | Standing::Excluded => {
                    *self.standings.touch(ordinal, || standing) = standing;
                }
            }
        }
        self.update(now, in_flight, dice);
    }

    fn update(&mut self, now: Time, in_flight: &InFlight, dice: &mut Dice<'_>) {
        let Some(listing) = self.listing.clone() else { return };
        let district = self.district.clone();
        let (endpoints, roster) = (&listing.endpoints[..], &district.roster);
        let groups = self.locality.on_update(&Board { endpoints, standings: &self.standings, roster });
        let mut before = std::mem::take(&mut self.groups);
        for group in groups {
            let members = match group.members {
                Members::All => Those::All(listing.clone()),
                Members::Some(some) => Those::Some(some),
            };
            let old = before.iter().position(|old| old.key == group.key).map(|at| before.swap_remove(at));
            let (what, balancer) = match old {
                None => (Some(Update::Members), self.balancer.clone()),
                Some(old) => (changed(&old, &members, &group.zone_weights), old.balancer),
            };
            let mut group = Group { key: group.key, members, zone_weights: group.zone_weights, balancer };
            let scene = Scene { now, in_flight, roster, zone_weights: &group.zone_weights };
            if let (Some(what), Some(view)) = (what, View::new(group.members.endpoints(), scene)) {
                group.balancer.on_update(view, what, dice);
            }
            self.groups.push(group);
        }
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
        let scene = Scene { now, in_flight, roster: &self.district.roster, zone_weights };
        let view = View::new(members.endpoints(), scene)?;
        Some(view.endpoint(balancer.pick(view, call, dice)))
    }

    /// An attempt at the endpoint with this ordinal has ended.
    #[inline]
    pub fn on_reply(&mut self, now: Time, ordinal: u32, reply: &Feedback<'_>) {
        self.groups.iter_mut().for_each(|group| group.balancer.on_reply(now, ordinal, reply));
    }

    /// When it wants to be woken, if ever. A balancer that has nobody to pick from sleeps on.
    #[inline]
    pub fn due(&self) -> Option<Time> {
        let awake = self.groups.iter().filter(|group| !group.members.endpoints().is_empty());
        awake.filter_map(|group| group.balancer.due()).min()
    }

    /// It is woken.
    pub fn on_due(&mut self, now: Time, in_flight: &InFlight, dice: &mut Dice<'_>) {
        for Group { members, zone_weights, balancer, .. } in &mut self.groups {
            let scene = Scene { now, in_flight, roster: &self.district.roster, zone_weights };
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
        let listing = self.listing.as_ref()?;
        listing.endpoints.iter().find(|endpoint| endpoint.ordinal == ordinal).copied()
    }

    /// An endpoint that was asked has answered.
    pub fn on_probed(&mut self, now: Time, ordinal: u32, load: &Load) {
        self.groups.iter_mut().for_each(|group| group.balancer.on_probed(now, ordinal, load));
    }

    /// What it shows of itself: the policy's own state, or that of each group where there are several.
    pub fn state(&self, now: Time, in_flight: &InFlight) -> State {
        let shown = |group: &Group| {
            let zone_weights = &group.zone_weights;
            let scene = Scene { now, in_flight, roster: &self.district.roster, zone_weights };
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
