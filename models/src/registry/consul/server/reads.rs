//! Reads: from the catalog as it is here, at once or when there is something new, and first through a quorum if asked.

use std::sync::Arc;

use schism_core::Duration;

use super::super::Mode;
use super::super::api::{Answer, Ask, Failure, Found, Trail};
use super::Member;
use super::route::Held;
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::ail::stalled_by;

impl Member {
    /// Reads, once it is sure to lead if that is asked for.
    pub(super) fn read(&mut self, ctx: &mut Ctx<'_>, held: Held) {
        if held.ask.mode() != Some(Mode::Consistent) {
            return self.look(ctx, held);
        }
        self.last += 1;
        let id = self.last;
        self.verifying.insert(id, held);
        self.raft.verify(ctx.now(), id);
        self.settle(ctx);
    }

    /// A quorum has agreed that this server leads, or it does not lead.
    pub(super) fn on_verified(&mut self, ctx: &mut Ctx<'_>, id: u64, leads: bool) {
        let Some(held) = self.verifying.remove(&id) else { return };
        match (leads, self.established) {
            (true, true) => self.look(ctx, held),
            // It leads, and has yet to apply what its predecessors left (`consistentRead`).
            (true, false) => {
                self.verifying.insert(id, held);
            }
            (false, _) => self.answer(ctx, held.asker, Answer::Failed(Failure::Lost)),
        }
    }

    /// The leader has applied all that was left: whoever waited for that reads.
    pub(super) fn on_established(&mut self, ctx: &mut Ctx<'_>) {
        for held in std::mem::take(&mut self.verifying).into_values() {
            self.read(ctx, held);
        }
    }

    /// Looks what there is, or waits until there is something later than the index that was asked with.
    pub(super) fn look(&mut self, ctx: &mut Ctx<'_>, held: Held) {
        let answer = match held.ask {
            Ask::Host(host) => Answer::Host(self.shown().host(host).copied()),
            Ask::List { service, index, wait, .. } => {
                let stalled = stalled_by(ctx);
                let there_is = index == 0 || self.shown().index(service) > index;
                if index > 0 && (!there_is || stalled.is_some()) {
                    if let Some(by) = stalled.filter(|_| there_is) {
                        ctx.touch(by);
                    }
                    return self.block(ctx, held, service, index, wait);
                }
                self.find(ctx, service, index)
            }
            Ask::Get(_, None) => Answer::Value(None),
            Ask::Get(_, Some(key)) => Answer::Value(self.shown().keys().value(key)),
            Ask::Key(ask) => return self.look_at_lock(ctx, held, ask),
            Ask::Register(_) | Ask::Remove { .. } | Ask::Put(_) => unreachable!("a write is no read"),
        };
        if !matches!(held.ask, Ask::Host(_)) {
            ctx.observe(Observation::Read);
        }
        self.answer(ctx, held.asker, answer);
    }

    /// The instances of a service, and what has changed since an index.
    pub(super) fn find(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, since: u64) -> Answer {
        if let Some(by) = self.misled_by() {
            ctx.touch(by);
        }
        let catalog = self.shown();
        let index = catalog.index(service);
        let trail = Trail {
            generation: catalog.generation(),
            changes: if since == 0 { [].into() } else { catalog.changes_after(service, since).into() },
        };
        let whole = catalog.listing(service).clone();
        let listing = self.disfigured(ctx, whole.clone());
        let trail = Arc::ptr_eq(&listing, &whole).then_some(trail);
        let last_contact = match self.raft.contact() {
            _ if self.raft.leads() => Duration::ZERO,
            Some(contact) => ctx.now().since(contact),
            None => Duration::from_secs(u64::MAX / 1_000_000_000),
        };
        Answer::Found(Arc::new(Found { index, last_contact, listing, trail }))
    }
}
