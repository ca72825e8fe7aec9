//! Watches: what has changed is told to whoever asked to be told.

use std::sync::Arc;

use schism_core::NodeId;

use super::super::api::{Changes, Msg};
use super::super::store::Change;
use super::Member;
use crate::listing::ServiceId;
use crate::node::{Ctx, Message};

impl Member {
    /// Tells a watcher what it has missed.
    pub(super) fn catch_up(&mut self, ctx: &mut Ctx<'_>, client: NodeId, service: ServiceId, after: u64) {
        let changes = match self.store.changes_after(service, after) {
            Ok(changes) => changes.to_vec(),
            Err(_) => return self.cancel_watch(ctx, client, service),
        };
        if !changes.is_empty() {
            ctx.stream(client, self.changes(service, changes).into());
        }
    }

    /// Tells the watchers what has just been applied.
    pub(super) fn tell_watchers(&mut self, ctx: &mut Ctx<'_>) {
        for (service, changes) in std::mem::take(&mut self.news) {
            let Some(watchers) = self.watchers.get(&service) else { continue };
            let news = Arc::new(self.changes(service, changes));
            for &watcher in watchers {
                ctx.stream(watcher, Message::Etcd(news.clone()));
            }
        }
    }

    fn changes(&self, service: ServiceId, changes: Vec<Change>) -> Msg {
        let listing = self.store.listing(service).clone();
        Msg::Changes(Changes { cluster: self.store.header().cluster, changes, listing })
    }

    /// The watcher asks for what has been compacted: it is told so, and is no watcher any more.
    fn cancel_watch(&mut self, ctx: &mut Ctx<'_>, client: NodeId, service: ServiceId) {
        if let Some(watchers) = self.watchers.get_mut(&service) {
            watchers.remove(&client);
        }
        ctx.stream(client, Msg::Compacted { service }.into());
    }
}
