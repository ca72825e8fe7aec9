//! A client's requests: where each stands, in a place that is used again once it is over.

use schism_core::{Draw, NodeId, Time};

use crate::listing::Endpoint;
use crate::node::Attempt;

/// A request's life: it looks for an endpoint, tries one, and is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    /// How many of its origin the client had before it.
    pub(super) number: u32,
    /// The true moment at which it was offered, for the witnesses alone.
    pub(super) offered: Time,
    /// The same by the client's own clock.
    pub(super) since: Time,
    /// When its attempt was sent, by the same.
    pub(super) sent: Time,
    pub(super) luck: Draw,
    pub(super) origin: Origin,
    pub(super) stage: Stage,
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is one of the client's own.
    Own,
    /// The surge of this number has added it.
    Surge(u32),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// No request: the place is free, and so is that.
    Over { next: u32 },
    /// It waits for a list.
    Resolving,
    /// An attempt is under way.
    Trying(Endpoint),
    /// The registry has been asked.
    Asking { member: NodeId, call: u32 },
    /// It wants a lock, or has it.
    Locking,
}

/// The places of all requests.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    places: Vec<Request>,
    /// The first free place among them.
    free: u32,
}

/// No place is free.
const NO_PLACE: u32 = u32::MAX;

impl Requests {
    pub(super) fn new() -> Requests {
        Requests { places: Vec::new(), free: NO_PLACE }
    }

    /// Takes a request in; where it is kept.
    pub(super) fn open(&mut self, request: Request) -> u32 {
        let slot = self.free;
        match self.places.get_mut(slot as usize) {
            Some(place) => {
                if let Stage::Over { next } = std::mem::replace(place, request).stage {
                    self.free = next;
                }
                slot
            }
            None => {
                self.places.push(request);
                self.places.len() as u32 - 1
            }
        }
    }

    /// The request is over, and its place free; what it was.
    pub(super) fn close(&mut self, slot: u32) -> Request {
        let place = &mut self.places[slot as usize];
        let was = *place;
        place.stage = Stage::Over { next: self.free };
        self.free = slot;
        was
    }

    /// Those that are not over, with their places.
    pub(super) fn open_ones(&self) -> impl Iterator<Item = (u32, &Request)> {
        let open = |(_, request): &(u32, &Request)| !matches!(request.stage, Stage::Over { .. });
        (0..).zip(&self.places).filter(open)
    }

    pub(super) fn get(&self, slot: u32) -> Request {
        self.places[slot as usize]
    }

    /// An attempt goes to this endpoint.
    pub(super) fn send(&mut self, slot: u32, endpoint: Endpoint, now: Time) {
        let request = &mut self.places[slot as usize];
        (request.stage, request.sent) = (Stage::Trying(endpoint), now);
    }

    pub(super) fn set_stage(&mut self, slot: u32, stage: Stage) {
        self.places[slot as usize].stage = stage;
    }

    /// Where an attempt stands; it is over if its place has gone to another request, or it is of an earlier life.
    pub(super) fn stage(&self, attempt: Attempt) -> Stage {
        match self.places.get(attempt.slot as usize) {
            Some(request) if request.number == attempt.request => request.stage,
            Some(_) | None => Stage::Over { next: NO_PLACE },
        }
    }

    /// The places of those at a stage, in order.
    pub(super) fn at(&self, is: impl Fn(Stage) -> bool) -> Vec<u32> {
        (0..).zip(&self.places).filter(|(_, request)| is(request.stage)).map(|(slot, _)| slot).collect()
    }

    /// The stages of all places, the free ones too.
    pub(super) fn stages(&self) -> impl Iterator<Item = Stage> {
        self.places.iter().map(|request| request.stage)
    }

    /// The place of the request that made this call to the registry.
    pub(super) fn asking(&self, call: u32) -> Option<u32> {
        let asked = |stage| matches!(stage, Stage::Asking { call: mine, .. } if mine == call);
        self.stages().position(asked).map(|slot| slot as u32)
    }
}
