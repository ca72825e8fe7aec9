//! What subscribers are told: whole lists, a while after the first of several changes, and again if they do not say that
//! they have them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schism_core::{Duration, NodeId, Time};

use super::super::Timer;
use super::super::api::Msg;
use super::super::table::ConnectionId;
use super::Member;
use crate::listing::{Listing, ServiceId};
use crate::node::Ctx;
use crate::registry::ail::{is_gap, staleness, stalled_by};
use crate::registry::nacos;
use crate::registry::nacos::delays::Delays;
use crate::registry::nacos::ills::stale_listing;

/// Pushes to come, and those under way.
#[derive(Clone, Debug)]
pub(super) struct Pushes {
    due: Delays<ServiceId, Targets>,
    /// Who has not acknowledged which.
    open: BTreeMap<u32, (ServiceId, BTreeSet<ConnectionId>)>,
    /// Who would have been told of which, but for a fault.
    held: BTreeSet<(ServiceId, ConnectionId)>,
}

/// Whom a push is for.
#[derive(Clone, Debug)]
enum Targets {
    All,
    These(BTreeSet<ConnectionId>),
}

impl Targets {
    fn and(self, other: Targets) -> Targets {
        match (self, other) {
            (Targets::These(mut these), Targets::These(those)) => {
                these.extend(those);
                Targets::These(these)
            }
            (Targets::All, _) | (_, Targets::All) => Targets::All,
        }
    }
}

impl Pushes {
    /// Nothing is to be pushed; the engine has a turn at `phase`.
    pub(super) fn new(phase: Time) -> Pushes {
        Pushes { due: Delays::new(phase), open: BTreeMap::new(), held: BTreeSet::new() }
    }
}

impl Member {
    /// A service's list has changed: its subscribers are to be told. If readers are shown old states, not before they are
    /// shown this one.
    pub(super) fn changed(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) {
        match staleness(ctx) {
            Some((_, age)) => ctx.after(age, Timer::Lag.into()),
            None => self.plan_push(ctx, service, Targets::All, self.seat.config.push_delay),
        }
    }

    /// The lists are others than they were, whatever the table says.
    pub(super) fn push_everything(&mut self, ctx: &mut Ctx<'_>) {
        for service in self.services() {
            self.plan_push(ctx, service, Targets::All, self.seat.config.push_delay);
        }
    }

    /// One subscriber is to be told.
    pub(super) fn push_to(
        &mut self,
        ctx: &mut Ctx<'_>,
        service: ServiceId,
        id: ConnectionId,
        after: Duration,
    ) {
        self.plan_push(ctx, service, Targets::These([id].into()), after);
    }

    fn plan_push(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, targets: Targets, after: Duration) {
        if let Some(wakes) = self.pushes.due.add(ctx.now(), service, after, targets, Targets::and) {
            ctx.at(wakes, Timer::Pushes.into());
        }
    }

    /// Pushes what is due.
    pub(super) fn push_due(&mut self, ctx: &mut Ctx<'_>) {
        for (service, targets) in self.pushes.due.take(ctx.now()) {
            let subscribers = &self.subscribers[service.0 as usize];
            let targets: BTreeSet<ConnectionId> = match targets {
                Targets::All => subscribers.clone(),
                Targets::These(these) => these.intersection(subscribers).copied().collect(),
            };
            self.push(ctx, service, targets);
        }
        if let Some(wakes) = self.pushes.due.wake(ctx.now()) {
            ctx.at(wakes, Timer::Pushes.into());
        }
    }

    fn push(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, targets: BTreeSet<ConnectionId>) {
        if targets.is_empty() {
            return;
        }
        if let Some(by) = stalled_by(ctx) {
            for id in targets {
                self.pushes.held.insert((service, id));
                ctx.touch(by);
            }
            return;
        }
        let number = self.number();
        let listing = self.shown(ctx, service);
        let msg = Arc::new(nacos::Msg::Grpc(Msg::Push { number, listing }));
        let told: BTreeSet<ConnectionId> =
            targets.into_iter().filter(|id| !is_gap(ctx, number.into(), id.node)).collect();
        for id in &told {
            ctx.stream(id.node, msg.clone().into());
        }
        if !told.is_empty() {
            self.pushes.open.insert(number, (service, told));
            ctx.after(self.seat.config.push_timeout, Timer::Unacknowledged(number).into());
        }
    }

    /// A subscriber has got a push.
    pub(super) fn on_pushed(&mut self, ctx: &mut Ctx<'_>, from: NodeId, number: u32) {
        for id in self.connections_of(from) {
            self.refresh(ctx, id);
        }
        if let Some((_, waiting)) = self.pushes.open.get_mut(&number) {
            waiting.retain(|id| id.node != from);
        }
    }

    /// Who has not got a push in time is pushed to again.
    pub(super) fn on_unacknowledged(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        let Some((service, waiting)) = self.pushes.open.remove(&number) else { return };
        let still: BTreeSet<ConnectionId> =
            waiting.intersection(&self.subscribers[service.0 as usize]).copied().collect();
        if !still.is_empty() {
            self.plan_push(ctx, service, Targets::These(still), self.seat.config.push_retry);
        }
    }

    /// Those who were told nothing are told now.
    pub(super) fn push_held(&mut self, ctx: &mut Ctx<'_>) {
        for (service, id) in std::mem::take(&mut self.pushes.held) {
            self.push_to(ctx, service, id, Duration::ZERO);
        }
    }

    /// What a reader or subscriber is told of a service: its list, unless something is wrong with the server.
    pub(super) fn shown(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) -> Arc<Listing> {
        let mut listing = self.table.offered(service);
        let threshold = self.seat.config.protect_threshold;
        if let Some(older) = stale_listing(ctx, self.table.book(service), threshold) {
            listing = older;
        }
        self.scars.disfigure(ctx, self.last, &mut listing);
        listing
    }
}
