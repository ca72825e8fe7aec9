//! Watches: what has changed is told to whoever asked to be told.

use std::sync::Arc;

use schism_core::NodeId;

use super::super::WatchLeader;
use super::super::api::{Changes, Msg};
use super::super::store::Compacted;
use super::{Member, Timer};
use crate::listing::{Change, ServiceId};
use crate::node::Ctx;
use crate::registry::ail::is_gap;

/// After so many election time-outs without a leader in a row a member ends its watches (interceptor.go,
/// `maxNoLeaderCnt`).
const MOST_LEADERLESS: u32 = 3;

impl Member {
    /// A client watches a service's list: what it has missed is told at once.
    pub(super) fn watch(&mut self, ctx: &mut Ctx<'_>, client: NodeId, service: ServiceId, after: u64) {
        if self.seat.config.watch_leader == WatchLeader::Required && self.raft.leader().is_none() {
            return ctx.stream(client, Msg::NoLeader { service }.into());
        }
        if self.watchers.watch(ctx, client, service, after) {
            self.catch_up(ctx, client, service, after);
        }
    }

    /// Tells the watchers what has just come to be shown.
    pub(super) fn tell_watchers(&mut self, ctx: &mut Ctx<'_>) {
        for (service, mut changes) in std::mem::take(&mut self.news) {
            self.hide_ghosts(ctx, service, &mut changes);
            let Some(first) = changes.first() else { continue };
            let before = first.revision - 1;
            if self.watchers.hold_back(ctx, service, before) {
                continue;
            }
            let Some(watchers) = self.watchers.of(service) else { continue };
            let news = Arc::new(self.changes(service, changes));
            for &watcher in watchers {
                if !is_gap(ctx, before, watcher) {
                    ctx.stream(watcher, news.clone().into());
                }
            }
        }
    }

    /// Watchers that were told nothing are told everything, unless they are told nothing still.
    pub(super) fn let_go_of_watchers(&mut self, ctx: &mut Ctx<'_>) {
        for ((service, client), after) in self.watchers.let_go(ctx) {
            self.catch_up(ctx, client, service, after);
        }
    }

    /// Tells a watcher what it has missed.
    fn catch_up(&mut self, ctx: &mut Ctx<'_>, client: NodeId, service: ServiceId, after: u64) {
        let mut changes = match self.shown().changes_after(service, after) {
            Ok(changes) => changes.to_vec(),
            Err(Compacted { .. }) => return self.cancel_watch(ctx, client, service),
        };
        changes.retain(|change| change.up || !self.ghosts.contains(change.endpoint.node));
        if !changes.is_empty() {
            ctx.stream(client, self.changes(service, changes).into());
        }
    }

    fn changes(&self, service: ServiceId, changes: Vec<Change>) -> Msg {
        let store = self.shown();
        let listing = store.listing(service).clone();
        Msg::Changes(Changes { cluster: store.cluster(), changes, listing })
    }

    /// Looks every election time-out whether there is a leader, and ends all watches when it has missed one so often in a
    /// row (server/etcdserver/api/v3rpc/interceptor.go, `monitorLeader`).
    pub(super) fn look_for_leader(&mut self, ctx: &mut Ctx<'_>) {
        ctx.after(self.seat.config.election, Timer::Leader.into());
        if self.raft.leader().is_some() {
            self.leaderless_for = 0;
            return;
        }
        self.leaderless_for += 1;
        if self.leaderless_for != MOST_LEADERLESS {
            return;
        }
        for (service, watchers) in self.watchers.end_all() {
            for watcher in watchers {
                ctx.stream(watcher, Msg::NoLeader { service }.into());
            }
        }
    }

    /// The watcher asks for what has been compacted: it is told so, and is no watcher any more.
    fn cancel_watch(&mut self, ctx: &mut Ctx<'_>, client: NodeId, service: ServiceId) {
        self.watchers.cancel(client, service);
        ctx.stream(client, Msg::Compacted { service }.into());
    }
}
