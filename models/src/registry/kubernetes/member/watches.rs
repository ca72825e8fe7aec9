//! Watches: what has changed of slices is told to whoever asked to be told, from the API server's watch cache.

use std::sync::Arc;

use schism_core::NodeId;

use super::super::api::{Msg, Slices};
use super::{Member, Shared};
use crate::listing::{Change, ServiceId};
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::ail::is_gap;

impl Member {
    /// A client watches a service's slices: what it has missed is told at once.
    pub(super) fn watch(&mut self, ctx: &mut Ctx<'_>, client: NodeId, service: ServiceId, after: u64) {
        if self.watchers.watch(ctx, client, service, after) {
            self.catch_up(ctx, client, service, after);
        }
    }

    /// A slice has been written: the witnesses are told what this API server believes now, and the watchers.
    pub(super) fn tell_watchers(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        for change in changes {
            ctx.observe(Observation::Believes { service, subject: change.endpoint.node, up: change.up });
        }
        let listing = self.store.listing(service).clone();
        let slices = Slices { changes: changes.to_vec(), listing };
        match &mut self.lag {
            Some(lag) => lag.keep(ctx, service, slices),
            None => self.spread(ctx, service, slices),
        }
    }

    /// Tells the watchers.
    pub(super) fn spread(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, slices: Slices) {
        let before = slices.changes[0].after;
        if self.watchers.hold_back(ctx, service, before) {
            return;
        }
        let revision = slices.listing.revision;
        let Some(watchers) = self.watchers.of(service) else { return };
        let news: Shared = Arc::new(Msg::Slices(slices));
        for &watcher in watchers {
            if !is_gap(ctx, revision, watcher) {
                ctx.stream(watcher, news.clone().into());
            }
        }
    }

    /// Watchers that were told nothing are told everything, unless they are told nothing still.
    pub(super) fn let_go_of_watchers(&mut self, ctx: &mut Ctx<'_>) {
        for ((service, client), after) in self.watchers.let_go(ctx) {
            self.catch_up(ctx, client, service, after);
        }
    }

    /// Tells a watcher what it has missed, as far as that is shown; or that it must list anew.
    fn catch_up(&mut self, ctx: &mut Ctx<'_>, client: NodeId, service: ServiceId, after: u64) {
        let listing = self.shown(service).clone();
        let Some(changes) = self.store.changes_after(service, after) else {
            self.watchers.cancel(client, service);
            return ctx.stream(client, Msg::Gone { service }.into());
        };
        let changes: Vec<Change> =
            changes.iter().filter(|change| change.revision <= listing.revision).copied().collect();
        if !changes.is_empty() {
            ctx.stream(client, Msg::Slices(Slices { changes, listing }).into());
        }
    }
}
