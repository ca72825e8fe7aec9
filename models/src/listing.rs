//! Listings: what a registry says of a service, and the view that a balancer picks from.

use std::hash::{Hash, Hasher};

use schism_core::{NodeId, Time, ZoneId};

use crate::balancer::slow_start::WarmUp;

/// A service's number in its scenario.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ServiceId(pub u16);

/// One instance as it registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Endpoint {
    /// The instance.
    pub node: NodeId,
    /// Its number within its service, from 0.
    pub ordinal: u32,
    /// Where it runs.
    pub zone: ZoneId,
    /// Its weight.
    pub weight: u32,
}

/// The instances of a service that were registered at a revision, by node number.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listing {
    /// The service.
    pub service: ServiceId,
    /// The registry's revision that this is the state of.
    pub revision: u64,
    /// The instances, sorted by node.
    pub endpoints: Vec<Endpoint>,
}

impl Listing {
    /// Whether an instance is listed.
    pub fn lists(&self, node: NodeId) -> bool {
        self.position(node).is_ok()
    }

    /// The entry of an instance, if it is listed.
    pub fn endpoint(&self, node: NodeId) -> Option<Endpoint> {
        self.position(node).ok().map(|at| self.endpoints[at])
    }

    /// Adds an instance, or takes the new entry for it.
    pub fn insert(&mut self, endpoint: Endpoint) {
        match self.position(endpoint.node) {
            Ok(at) => self.endpoints[at] = endpoint,
            Err(at) => self.endpoints.insert(at, endpoint),
        }
    }

    /// Removes an instance, if it is listed.
    pub fn remove(&mut self, node: NodeId) {
        if let Ok(at) = self.position(node) {
            self.endpoints.remove(at);
        }
    }

    fn position(&self, node: NodeId) -> Result<usize, usize> {
        self.endpoints.binary_search_by_key(&node, |endpoint| endpoint.node)
    }
}

/// One change of a service's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The revision that it made.
    pub revision: u64,
    /// The revision of the list that it changed: whoever has seen less has missed something. No real event says so; it
    /// is how the model knows that a client's own list is no longer the registry's.
    pub after: u64,
    /// The instance.
    pub endpoint: Endpoint,
    /// Whether it is there now.
    pub up: bool,
}

impl Change {
    /// Makes the change in a list.
    pub fn apply_to(&self, listing: &mut Listing) {
        if self.up {
            listing.insert(self.endpoint);
        } else {
            listing.remove(self.endpoint.node);
        }
        listing.revision = self.revision;
    }
}

/// A listing is the state at a revision, so the revision and the length stand for it in the digest.
impl Hash for Listing {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.service, self.revision, self.endpoints.len()).hash(state);
    }
}

/// A client's own requests in flight, by the instance's ordinal. Most clients have few, however many instances there
/// are, so only those are kept.
#[derive(Clone, Debug, Default)]
pub struct InFlight {
    /// Sorted by ordinal; no count is zero.
    counts: Vec<(u32, u32)>,
    total: u32,
}

impl InFlight {
    /// How many are in flight to an instance.
    #[inline]
    pub fn to(&self, ordinal: u32) -> u32 {
        self.place(ordinal).map_or(0, |at| self.counts[at].1)
    }

    /// How many are in flight to all of them.
    #[inline]
    pub fn total(&self) -> u32 {
        self.total
    }

    /// One more.
    #[inline]
    pub fn add(&mut self, ordinal: u32) {
        self.total += 1;
        match self.place(ordinal) {
            Ok(at) => self.counts[at].1 += 1,
            Err(at) => self.counts.insert(at, (ordinal, 1)),
        }
    }

    /// So many, however many there were.
    pub fn set(&mut self, ordinal: u32, count: u32) {
        let place = self.place(ordinal);
        self.total = self.total - place.map_or(0, |at| self.counts[at].1) + count;
        match (place, count) {
            (Ok(at), 0) => drop(self.counts.remove(at)),
            (Ok(at), count) => self.counts[at].1 = count,
            (Err(_), 0) => {}
            (Err(at), count) => self.counts.insert(at, (ordinal, count)),
        }
    }

    /// One less.
    ///
    /// # Panics
    /// If there was none.
    #[inline]
    pub fn remove(&mut self, ordinal: u32) {
        let at = self.place(ordinal).expect("what ends was in flight");
        self.total -= 1;
        self.counts[at].1 -= 1;
        if self.counts[at].1 == 0 {
            self.counts.remove(at);
        }
    }

    #[inline]
    fn place(&self, ordinal: u32) -> Result<usize, usize> {
        self.counts.binary_search_by_key(&ordinal, |&(ordinal, _)| ordinal)
    }
}

/// What is known of a service's instances besides who is listed, by ordinal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    names: Vec<String>,
    /// Of those that were given a priority level each; shorter where the rest were not.
    priorities: Vec<Option<u32>>,
    /// Of those that were given labels; shorter where the rest were not.
    labels: Vec<Labels>,
}

/// What an instance is labelled with: each name once, in the order of names.
pub type Labels = Vec<(String, String)>;

impl Roster {
    /// Instances of these names, in the order of their ordinals.
    pub fn new(names: Vec<String>) -> Roster {
        Roster { names, ..Roster::default() }
    }

    /// The same with a priority level, 0 the first, for each that has one.
    #[must_use]
    pub fn with_priorities(self, priorities: Vec<Option<u32>>) -> Roster {
        Roster { priorities, ..self }
    }

    /// The same with labels.
    #[must_use]
    pub fn with_labels(self, labels: Vec<Labels>) -> Roster {
        Roster { labels, ..self }
    }

    /// The priority level that an instance was given, if any.
    pub fn priority(&self, ordinal: u32) -> Option<u32> {
        self.priorities.get(ordinal as usize).copied().flatten()
    }

    /// Whether any instance was given a priority level.
    pub fn has_priorities(&self) -> bool {
        self.priorities.iter().any(Option::is_some)
    }

    /// What an instance's label of this name says, if it has one.
    pub fn label(&self, ordinal: u32, name: &str) -> Option<&str> {
        let labels = self.labels.get(ordinal as usize)?;
        labels.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// The name of an instance: what it is hashed by, as others are by their address.
    #[inline]
    pub fn name(&self, ordinal: u32) -> &str {
        &self.names[ordinal as usize]
    }
}

/// The endpoints that a balancer picks from: never none, so that a pick cannot fail.
#[derive(Clone, Copy)]
pub struct View<'a> {
    endpoints: &'a [Endpoint],
    scene: Scene<'a>,
}

/// What a balancer may look at besides the endpoints.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The client's clock.
    pub now: Time,
    /// The client's own requests in flight.
    pub in_flight: &'a InFlight,
    /// Who the instances are.
    pub roster: &'a Roster,
    /// The weights of zones, sorted by zone, where the balancer is to heed them.
    pub zone_weights: &'a [(ZoneId, u32)],
    /// Since when endpoints are well, where new ones get less than their weight at first.
    pub warm_up: Option<&'a WarmUp>,
}

impl<'a> View<'a> {
    /// A view of these endpoints; `None` of no endpoints.
    pub fn new(endpoints: &'a [Endpoint], scene: Scene<'a>) -> Option<View<'a>> {
        (!endpoints.is_empty()).then_some(View { endpoints, scene })
    }

    /// How many endpoints there are: at least one.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    #[inline]
    pub fn len(&self) -> u32 {
        self.endpoints.len() as u32
    }

    /// The endpoint at a place in the view.
    #[inline]
    pub fn endpoint(&self, place: u32) -> Endpoint {
        self.endpoints[place as usize]
    }

    /// The name of the endpoint at a place: what it is hashed by.
    #[inline]
    pub fn name(&self, place: u32) -> &'a str {
        self.scene.roster.name(self.endpoint(place).ordinal)
    }

    /// How many requests of this client are in flight to the endpoint at a place.
    #[inline]
    pub fn in_flight(&self, place: u32) -> u32 {
        self.scene.in_flight.to(self.endpoint(place).ordinal)
    }

    /// How many requests of this client are in flight, to whomever.
    #[inline]
    pub fn total_in_flight(&self) -> u32 {
        self.scene.in_flight.total()
    }

    /// The client's clock.
    #[inline]
    pub fn now(&self) -> Time {
        self.scene.now
    }

    /// The weight that the endpoint at a place is listed with.
    #[inline]
    pub fn listed_weight(&self, place: u32) -> u32 {
        self.endpoint(place).weight
    }

    /// The weight that it has now: the listed one, or less of it while the endpoint warms up.
    #[inline]
    pub fn weight(&self, place: u32) -> f64 {
        let Endpoint { ordinal, weight, .. } = self.endpoint(place);
        let factor = self.scene.warm_up.map_or(1.0, |warm_up| warm_up.factor(ordinal, self.scene.now));
        f64::from(weight) * factor
    }

    /// The weight of the zone of the endpoint at a place, where zones have weights that the balancer is to heed; 0 if
    /// the zone was given none.
    pub fn zone_weight(&self, place: u32) -> Option<u32> {
        let weights = self.scene.zone_weights;
        let of = |zone| weights.binary_search_by_key(&zone, |&(zone, _)| zone).map_or(0, |at| weights[at].1);
        (!weights.is_empty()).then(|| of(self.endpoint(place).zone))
    }
}
