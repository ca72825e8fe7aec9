//! Opinions: who believes whom to be up, as bits, and what each observation changed about it.

use std::sync::Arc;

use schism_core::NodeId;

use super::Cast;
use crate::listing::{Listing, ServiceId};

/// What one observer thinks of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opinion {
    /// Nothing: it has not heard of it yet, or holds no list.
    None,
    /// That it is up.
    Up,
    /// That it is gone: it was on a list of this observer, and is no more.
    Down,
}

/// What changed with the last observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// An observer holds a list of a service for the first time, or again.
    Takes(NodeId, ServiceId),
    /// An observer has changed its mind about one instance.
    Turns {
        /// Who.
        observer: NodeId,
        /// About an instance of which service ...
        service: ServiceId,
        /// ... at which place in it.
        place: u32,
        /// What it thought.
        from: Opinion,
        /// What it thinks.
        to: Opinion,
    },
    /// An observer holds no list of a service any more; it has turned from every opinion on it to none.
    Drops(NodeId, ServiceId),
}

/// Who believes whom to be up.
///
/// An observer has an opinion on an instance from the first time it heard of it as up, so that nobody is wrong about
/// what has yet to register. It loses all opinions on a service when it goes blind, and all it has when it dies.
#[derive(Clone)]
pub struct Opinions {
    /// By observer, then by service.
    held: Vec<Vec<Option<Held>>>,
    changes: Vec<Change>,
    recent: Recent,
}

/// What one observer holds of one service.
#[derive(Clone)]
struct Held {
    /// The list that the bits come from, unless they have changed since.
    list: Option<Arc<Listing>>,
    /// By place: believed up.
    up: Vec<u64>,
    /// By place: has been believed up.
    known: Vec<u64>,
    /// How many are believed up.
    count: u32,
}

impl Opinions {
    /// Nobody has heard of anybody.
    pub fn new(cast: &Cast) -> Opinions {
        Opinions { held: vec![Vec::new(); cast.nodes()], changes: Vec::new(), recent: Recent::default() }
    }

    /// What the last observation changed, in order.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// How many instances of a service an observer believes to be up, if it holds a list of it.
    pub fn count(&self, observer: NodeId, service: ServiceId) -> Option<u32> {
        Some(self.held[observer.index()].get(service.0 as usize)?.as_ref()?.count)
    }

    /// Whether an observer believes an instance to be up, if it holds a list of its service.
    pub fn of(&self, observer: NodeId, service: ServiceId, place: u32) -> Option<bool> {
        let held = self.held[observer.index()].get(service.0 as usize)?.as_ref()?;
        Some(held.up[place as usize / 64] >> (place % 64) & 1 == 1)
    }

    pub(super) fn settle(&mut self) {
        self.changes.clear();
    }

    pub(super) fn on_view(&mut self, cast: &Cast, observer: NodeId, listing: &Arc<Listing>) {
        let service = listing.service;
        let held = take(cast, &mut self.held, &mut self.changes, observer, service);
        if held.list.as_ref().is_some_and(|list| Arc::ptr_eq(list, listing)) {
            return;
        }
        let listed = self.recent.bits(cast, listing);
        for (word, &new) in listed.iter().enumerate() {
            let mut differing = held.up[word] ^ new;
            while differing != 0 {
                let bit = differing.trailing_zeros();
                differing &= differing - 1;
                let change = held.turn(observer, service, word as u32 * 64 + bit, new >> bit & 1 == 1);
                self.changes.extend(change);
            }
        }
        held.list = Some(listing.clone());
    }

    pub(super) fn on_believes(
        &mut self,
        cast: &Cast,
        observer: NodeId,
        service: ServiceId,
        subject: NodeId,
        up: bool,
    ) {
        let (of, place) = cast.place(subject);
        assert!(of == service, "an instance is believed of its own service");
        let held = take(cast, &mut self.held, &mut self.changes, observer, service);
        held.list = None;
        if (held.up[place as usize / 64] >> (place % 64) & 1 == 1) != up {
            self.changes.extend(held.turn(observer, service, place, up));
        }
    }

    pub(super) fn on_blind(&mut self, cast: &Cast, observer: NodeId, service: ServiceId) {
        let Some(slot) = self.held[observer.index()].get_mut(service.0 as usize) else { return };
        let Some(held) = slot.take() else { return };
        for place in 0..cast.services()[service.0 as usize].len() as u32 {
            let (word, bit) = (place as usize / 64, place % 64);
            if held.known[word] >> bit & 1 == 1 {
                let from = if held.up[word] >> bit & 1 == 1 { Opinion::Up } else { Opinion::Down };
                self.changes.push(Change::Turns { observer, service, place, from, to: Opinion::None });
            }
        }
        self.changes.push(Change::Drops(observer, service));
    }

    pub(super) fn on_crash(&mut self, cast: &Cast, observer: NodeId) {
        for service in 0..self.held[observer.index()].len() as u16 {
            self.on_blind(cast, observer, ServiceId(service));
        }
    }
}

impl Held {
    /// Sets a bit that differs. An instance that was never heard of as up cannot be heard of as gone.
    fn turn(&mut self, observer: NodeId, service: ServiceId, place: u32, up: bool) -> Option<Change> {
        let (word, bit) = (place as usize / 64, 1 << (place % 64));
        let (from, to) = match (self.known[word] & bit != 0, up) {
            (false, false) => return None,
            (false, true) => (Opinion::None, Opinion::Up),
            (true, true) => (Opinion::Down, Opinion::Up),
            (true, false) => (Opinion::Up, Opinion::Down),
        };
        self.known[word] |= bit;
        self.up[word] ^= bit;
        self.count = if up { self.count + 1 } else { self.count - 1 };
        Some(Change::Turns { observer, service, place, from, to })
    }
}

/// What an observer holds of a service, from now on if it held nothing.
fn take<'a>(
    cast: &Cast,
    held: &'a mut [Vec<Option<Held>>],
    changes: &mut Vec<Change>,
    observer: NodeId,
    service: ServiceId,
) -> &'a mut Held {
    let slots = &mut held[observer.index()];
    if slots.len() <= service.0 as usize {
        slots.resize(service.0 as usize + 1, None);
    }
    slots[service.0 as usize].get_or_insert_with(|| {
        changes.push(Change::Takes(observer, service));
        let words = words(cast, service);
        Held { list: None, up: vec![0; words], known: vec![0; words], count: 0 }
    })
}

fn words(cast: &Cast, service: ServiceId) -> usize {
    cast.services()[service.0 as usize].len().div_ceil(64)
}

/// The bits of the lists seen last: one list is often held by thousands, each of whom tells of it.
#[derive(Clone, Default)]
struct Recent {
    lists: Vec<(Arc<Listing>, Vec<u64>)>,
    next: usize,
}

/// How many lists are remembered.
const REMEMBERED: usize = 8;

impl Recent {
    fn bits(&mut self, cast: &Cast, listing: &Arc<Listing>) -> &[u64] {
        let found = self.lists.iter().position(|(list, _)| Arc::ptr_eq(list, listing));
        let at = found.unwrap_or_else(|| self.remember(cast, listing));
        &self.lists[at].1
    }

    fn remember(&mut self, cast: &Cast, listing: &Arc<Listing>) -> usize {
        let mut bits = vec![0; words(cast, listing.service)];
        for endpoint in &listing.endpoints {
            let (service, place) = cast.place(endpoint.node);
            assert!(service == listing.service, "a list is of one service");
            bits[place as usize / 64] |= 1 << (place % 64);
        }
        let at = self.next;
        self.next = (at + 1) % REMEMBERED;
        if at == self.lists.len() {
            self.lists.push((listing.clone(), bits));
        } else {
            self.lists[at] = (listing.clone(), bits);
        }
        at
    }
}
