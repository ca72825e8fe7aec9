//! What subscribers are told in the 1.x line: whole lists by UDP, if they have polled lately, and once more if they do
//! not say that they have them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schism_core::{Duration, NodeId, Time};

use super::super::Timer;
use super::super::api::Msg;
use super::Member;
use crate::listing::{Listing, ServiceId};
use crate::node::Ctx;
use crate::registry::ail::{is_gap, staleness, stalled_by};
use crate::registry::nacos;
use crate::registry::nacos::ills::stale_listing;

/// How long after the first change subscribers are told: 1 s (naming/push/PushService.java, 1.4.6, `onApplicationEvent`).
const DELAY: Duration = Duration::from_secs(1);
/// How long a push waits to be acknowledged: 10 s (the same, `ACK_TIMEOUT_NANOS`).
const ACKNOWLEDGED: Duration = Duration::from_secs(10);

/// Who is told, and what is under way.
#[derive(Clone, Debug)]
pub(super) struct Pushes {
    services: Vec<Interested>,
    open: BTreeMap<u32, Open>,
    /// Who would have been told of which service, but for a fault.
    held: BTreeSet<ServiceId>,
}

#[derive(Clone, Debug, Default)]
struct Interested {
    /// When each client last polled here, by the wall clock.
    clients: BTreeMap<NodeId, Time>,
    /// Whether a push is to come.
    planned: bool,
}

/// A push that not all have acknowledged.
#[derive(Clone, Debug)]
struct Open {
    to: NodeId,
    msg: Arc<nacos::Msg>,
    tries: Tries,
}

/// How often it has been sent: it is sent again once (`MAX_RETRY_TIMES`; the same).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tries {
    Once,
    Twice,
}

impl Pushes {
    pub(super) fn new(services: usize) -> Pushes {
        Pushes {
            services: vec![Interested::default(); services],
            open: BTreeMap::new(),
            held: BTreeSet::new(),
        }
    }

    /// How many are to be told, of each service its own.
    pub(super) fn watches(&self) -> usize {
        self.services.iter().map(|service| service.clients.len()).sum()
    }

    /// How many pushes have not been acknowledged.
    pub(super) fn pending(&self) -> usize {
        self.open.len()
    }
}

impl Member {
    /// A client has polled, and listens: it is told of changes for a while.
    pub(super) fn interest(&mut self, ctx: &Ctx<'_>, client: NodeId, service: ServiceId) {
        self.pushes.services[service.0 as usize].clients.insert(client, ctx.wall());
    }

    /// A service's list has changed: those who have polled lately are to be told. If readers are shown old states, not
    /// before they are shown this one.
    pub(super) fn changed(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) {
        match staleness(ctx) {
            Some((_, age)) => ctx.after(age, Timer::Lag.into()),
            None => self.plan_push(ctx, service),
        }
    }

    /// The lists are others than they were, whatever the table says.
    pub(super) fn push_everything(&mut self, ctx: &mut Ctx<'_>) {
        self.services().for_each(|service| self.plan_push(ctx, service));
    }

    fn plan_push(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) {
        let interested = &mut self.pushes.services[service.0 as usize];
        if !std::mem::replace(&mut interested.planned, true) {
            ctx.after(DELAY, Timer::Push(service).into());
        }
    }

    /// Tells whoever has polled within the cache time: the others are zombies, and forgotten. The real server also sweeps
    /// those out every 20 s, which nobody notices.
    pub(super) fn push(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) {
        let (wall, cache) = (ctx.wall(), self.seat.config.push_cache);
        let interested = &mut self.pushes.services[service.0 as usize];
        interested.planned = false;
        if let Some(by) = stalled_by(ctx) {
            interested.clients.keys().for_each(|_| ctx.touch(by));
            self.pushes.held.insert(service);
            return;
        }
        interested.clients.retain(|_, polled| wall.since(*polled) <= cache);
        let clients: Vec<NodeId> = interested.clients.keys().copied().collect();
        if clients.is_empty() {
            return;
        }
        let listing = self.shown(ctx, service);
        for to in clients {
            let number = self.number();
            if !is_gap(ctx, number.into(), to) {
                let msg = Arc::new(nacos::Msg::Http(Msg::Push { number, listing: listing.clone() }));
                self.push_to(ctx, number, Open { to, msg, tries: Tries::Once });
            }
        }
    }

    fn push_to(&mut self, ctx: &mut Ctx<'_>, number: u32, push: Open) {
        ctx.send(push.to, push.msg.clone().into());
        self.pushes.open.insert(number, push);
        ctx.after(ACKNOWLEDGED, Timer::Unacknowledged(number).into());
    }

    /// A subscriber has got a push.
    pub(super) fn on_pushed(&mut self, number: u32) {
        self.pushes.open.remove(&number);
    }

    /// A push has not been acknowledged: it is sent again, if that has not been done.
    pub(super) fn on_unacknowledged(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        let Some(push) = self.pushes.open.remove(&number) else { return };
        if push.tries == Tries::Once {
            self.push_to(ctx, number, Open { tries: Tries::Twice, ..push });
        }
    }

    /// Those who were told nothing are told now.
    pub(super) fn push_held(&mut self, ctx: &mut Ctx<'_>) {
        for service in std::mem::take(&mut self.pushes.held) {
            self.push(ctx, service);
        }
    }

    /// What a reader or subscriber is told of a service: its list, unless something is wrong with the server.
    pub(super) fn shown(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) -> Arc<Listing> {
        let threshold = self.seat.config.protect_threshold;
        let older = stale_listing(ctx, self.table.book(service), threshold);
        let mut listing = older.unwrap_or_else(|| self.table.offered(service));
        self.scars.disfigure(ctx, self.last, &mut listing);
        listing
    }
}
