//! Watches: one event for each, and nothing until the client has read again (server/WatchManager.java, 3.8.0).

use std::collections::BTreeSet;

use schism_core::NodeId;

use super::super::api::Server;
use super::super::zxid::Zxid;
use super::Member;
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::registry::ail::{is_gap, stalled_by};

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

    /// Tells a watcher. If the event is lost, the watch is gone with it: the client hears of nothing until it reads for
    /// another reason, or comes back to another server.
    fn tell_watcher(&mut self, ctx: &mut Ctx<'_>, client: NodeId, service: ServiceId) {
        if let Some(by) = stalled_by(ctx) {
            ctx.touch(by);
            self.held_back.insert((service, client));
        } else if !is_gap(ctx, self.shown().list(service).revision, client) {
            self.reply(ctx, client, Server::Event { service });
        }
    }
}
