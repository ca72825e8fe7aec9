//! What a server answers to those who fetch the registry: out of its caches.

use std::sync::Arc;

use super::super::api::Answer;
use super::super::apps::{Full, Stamp};
use super::super::cache::{Key, Payload};
use super::super::delta::Queue;
use super::super::table::Table;
use super::Member;
use crate::node::Ctx;
use crate::observation::Observation;

impl Member {
    /// A client, or a server that starts, fetches the registry (resources/ApplicationsResource.java).
    pub(super) fn on_fetch(&mut self, ctx: &mut Ctx<'_>, key: Key) -> Answer {
        if !self.allows_fetches(ctx) {
            return Answer::Forbidden;
        }
        // Its own rate limiter, which is off by default, refuses fetches alone (RateLimitingFilter.java).
        if self.throttles.refuse(ctx) {
            return Answer::Unavailable;
        }
        ctx.observe(Observation::Read);
        let (table, queue, of) = (&self.table, &self.queue, self.stamp);
        let payload = self.cache.get(ctx.now(), key, || make(table, queue, of, key));
        self.answer(ctx, payload)
    }

    /// What clients are told is copied.
    pub(super) fn copy(&mut self, ctx: &mut Ctx<'_>) {
        if self.is_stalled(ctx) {
            return;
        }
        let (table, queue, of) = (&self.table, &self.queue, self.stamp);
        self.cache.copy(ctx.now(), |key| make(table, queue, of, key));
    }
}

fn make(table: &Table, queue: &Queue, of: Stamp, key: Key) -> Payload {
    match key {
        Key::Full => {
            let infos = table.infos().copied().collect();
            Payload::Full(Arc::new(Full { apps: table.apps().clone(), infos, of: Some(of) }))
        }
        Key::Delta => Payload::Delta(Arc::new(queue.delta(table.apps(), of))),
    }
}
