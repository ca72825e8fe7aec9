//! What faults make of an API server: the orders that it obeys, and what is wrong with what it shows.

use std::collections::VecDeque;
use std::sync::Arc;

use schism_core::{Duration, FaultId, Time};

use super::super::api::Slices;
use super::super::store::Command;
use super::{Member, Timer, Waiting};
use crate::listing::{Listing, ServiceId};
use crate::node::Ctx;
use crate::plight::Ailment;
use crate::registry::ail::{Ill, Order, ills, orders, staleness};

/// A watch cache that has fallen behind: it stands still until it is as old as the fault says, and follows at that
/// distance then.
#[derive(Clone, Debug)]
pub(super) struct Lag {
    by: FaultId,
    age: Duration,
    revision: u64,
    shown: Vec<Arc<Listing>>,
    /// What has happened since, and when.
    behind: VecDeque<(Time, ServiceId, Slices)>,
}

impl Lag {
    /// Something has changed, which nobody is shown yet.
    pub(super) fn keep(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, slices: Slices) {
        ctx.touch(self.by);
        let due = ctx.now() + self.age;
        self.behind.push_back((due, service, slices));
        ctx.at(due, Timer::Lag.into());
    }
}

impl Member {
    /// Obeys what is ordered, and begins or ceases to be ill.
    pub(super) fn mind_ails(&mut self, ctx: &mut Ctx<'_>) {
        for (ailment, order) in orders(ctx) {
            self.obey_order(ctx, ailment, order);
        }
        self.mind_lag(ctx);
        self.let_go_of_watchers(ctx);
        self.throttles.mind(ctx);
        self.look_for_ghosts(ctx);
    }

    fn obey_order(&mut self, ctx: &mut Ctx<'_>, ailment: &Ailment, order: &Order) {
        match order {
            Order::HandOver => {
                if self.manager.is_some() {
                    ctx.touch(ailment.by);
                    self.end_manager(ctx);
                }
            }
            Order::Compact { keep } => {
                let revision = self.store.revision().saturating_sub(*keep);
                if revision > self.store.compacted() {
                    ctx.touch(ailment.by);
                    self.propose(ctx, Waiting::Nobody, Command::Compact { revision });
                }
            }
            Order::Expire(_) | Order::Restore { .. } | Order::Lose(_) => {
                unreachable!("a checked scenario asks nothing of Kubernetes that it does not do")
            }
        }
    }

    /// Begins to lag, or ceases to, as the plight says.
    fn mind_lag(&mut self, ctx: &mut Ctx<'_>) {
        match (staleness(ctx), &mut self.lag) {
            (None, None) => {}
            (Some((by, age)), Some(lag)) => (lag.by, lag.age) = (by, age),
            (Some((by, age)), None) => {
                let shown = self.store.listings().cloned().collect();
                let revision = self.store.revision();
                self.lag = Some(Lag { by, age, revision, shown, behind: VecDeque::new() });
            }
            (None, Some(_)) => {
                let lag = self.lag.take().expect("it lags");
                for (_, service, slices) in lag.behind {
                    self.spread(ctx, service, slices);
                }
            }
        }
    }

    /// It may be time to show the next change.
    pub(super) fn on_lag(&mut self, ctx: &mut Ctx<'_>) {
        while let Some(lag) = &mut self.lag
            && lag.behind.front().is_some_and(|(due, ..)| *due <= ctx.now())
            && let Some((_, service, slices)) = lag.behind.pop_front()
        {
            lag.revision = slices.listing.revision;
            lag.shown[service.0 as usize] = slices.listing.clone();
            self.spread(ctx, service, slices);
        }
    }

    /// What readers and watchers are shown of a service.
    pub(super) fn shown(&self, service: ServiceId) -> &Arc<Listing> {
        match &self.lag {
            Some(lag) => &lag.shown[service.0 as usize],
            None => self.store.listing(service),
        }
    }

    /// The revision that they are shown.
    pub(super) fn shown_revision(&self) -> u64 {
        self.lag.as_ref().map_or(self.store.revision(), |lag| lag.revision)
    }

    /// What a reader is told of a service: as it is shown, unless lists are empty.
    pub(super) fn disfigured(&self, ctx: &mut Ctx<'_>, service: ServiceId) -> Arc<Listing> {
        let shown = self.shown(service).clone();
        if let Some(lag) = &self.lag
            && shown.revision != self.store.listing(service).revision
        {
            ctx.touch(lag.by);
        }
        let empty = ills(ctx).find(|(_, ill)| **ill == Ill::Empty);
        match empty {
            Some((ailment, _)) if !shown.endpoints.is_empty() => {
                ctx.touch(ailment.by);
                let endpoints = Vec::new();
                Arc::new(Listing { service, revision: shown.revision, endpoints })
            }
            Some(_) | None => shown,
        }
    }
}
