//! Watches: one event for each, and nothing until the client has read again (server/WatchManager.java, 3.8.0).

use std::collections::BTreeSet;

use schism_core::{FaultId, NodeId};

use super::super::api::Server;
use super::super::zxid::Zxid;
use super::Member;
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::registry::ail::Ill;
use crate::registry::ail::ills;

impl Member {
    /// A client that has come back goes on with its watch. If the children have changed since what it has seen, it is told
    /// at once (`DataTree.setWatches`).
    pub(super) fn set_watch(&mut self, ctx: &mut Ctx<'_>, client: NodeId, service: ServiceId, seen: Zxid) {
        if self.shown().list(service).revision > seen.revision() {
            self.tell_watcher(ctx, client, service);
        } else {
            self.watchers.entry(service).or_default().insert(client);
        }
    }

    /// Tells the watchers of the lists that have changed, once.
    pub(super) fn tell_watchers(&mut self, ctx: &mut Ctx<'_>) {
        for service in std::mem::take(&mut self.news) {
            let watchers: BTreeSet<NodeId> = self.watchers.remove(&service).unwrap_or_default();
            for watcher in watchers {
                self.tell_watcher(ctx, watcher, service);
            }
        }
    }

    /// Watchers that were told nothing are told, unless they are told nothing still.
    pub(super) fn let_go_of_watchers(&mut self, ctx: &mut Ctx<'_>) {
        if stalled_by(ctx).is_none() {
            for (service, client) in std::mem::take(&mut self.held_back) {
                self.tell_watcher(ctx, client, service);
            }
        }
    }

    fn tell_watcher(&mut self, ctx: &mut Ctx<'_>, client: NodeId, service: ServiceId) {
        if let Some(by) = stalled_by(ctx) {
            ctx.touch(by);
            self.held_back.insert((service, client));
        } else if !self.is_gap(ctx, client, service) {
            self.reply(ctx, client, Server::Event { service });
        }
    }

    /// Whether an event is lost. The watch is gone with it, so the client hears of nothing until it reads for another
    /// reason, or comes back to another server. Each fault decides for itself.
    fn is_gap(&self, ctx: &mut Ctx<'_>, watcher: NodeId, service: ServiceId) -> bool {
        let revision = self.shown().list(service).revision;
        let mut gap = false;
        for (ailment, ill) in ills(ctx) {
            if let Ill::Gaps(share) = *ill
                && ailment.luck.derive(revision).derive(watcher.0.into()).chance(share)
            {
                ctx.touch(ailment.by);
                gap = true;
            }
        }
        gap
    }
}

/// The fault that keeps watchers from being told, if one does.
fn stalled_by(ctx: &Ctx<'_>) -> Option<FaultId> {
    ills(ctx).find(|(_, ill)| **ill == Ill::Stalls).map(|(ailment, _)| ailment.by)
}
