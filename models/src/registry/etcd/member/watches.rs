//! Watches: what has changed is told to whoever asked to be told.

use std::sync::Arc;

use schism_core::NodeId;

use super::super::api::{Changes, Msg};
use super::Member;
use crate::listing::{Listing, ServiceId};
use crate::node::{Ctx, Message};

impl Member {
    /// Tells a watcher what it has missed.
    pub(super) fn catch_up(&mut self, ctx: &mut Ctx<'_>, client: NodeId, service: ServiceId, after: u64) {
        let changes = self.store.changes_after(service, after).to_vec();
        if !changes.is_empty() {
            let news = Changes { changes, listing: self.listing(service) };
            ctx.stream(client, Msg::Changes(news).into());
        }
    }

    /// Tells the watchers what has just been applied.
    pub(super) fn tell_watchers(&mut self, ctx: &mut Ctx<'_>) {
        for (service, changes) in std::mem::take(&mut self.news) {
            let Some(watchers) = self.watchers.get(&service) else { continue };
            let news = Arc::new(Msg::Changes(Changes { changes, listing: self.listing(service) }));
            for &watcher in watchers {
                ctx.stream(watcher, Message::Etcd(news.clone()));
            }
        }
    }

    /// The list of a service as it is here.
    pub(super) fn listing(&self, service: ServiceId) -> Arc<Listing> {
        self.store.listing(service).clone()
    }
}
