//! Claims on locks: who has one, and who waits for one to go.

use schism_core::NodeId;

use super::super::api::Msg;
use super::super::claims::{Answer, Ask, Claim, Command};
use super::super::store::LeaseId;
use super::Member;
use crate::node::Ctx;
use crate::observation::{Cause, Observation, Write};

impl Member {
    /// What has become of a claim that was taken or dropped.
    pub(super) fn claimed(&self, command: Command) -> Answer {
        let Command::Take { lock, lease, .. } = command else { return Answer::Dropped };
        let claims = self.store.claims();
        let (mine, first) = (claims.of(lock, lease), claims.first(lock));
        let (mine, first) = mine.zip(first).expect("a claim that was taken is there");
        Answer::Taken { mine: mine.created, first: first.created }
    }

    /// What a client looks for among the claims.
    pub(super) fn find_claim(&self, ask: Ask) -> Answer {
        let claims = self.store.claims();
        let found = match ask {
            Ask::Before { lock, revision } => claims.before(lock, revision),
            Ask::Mine { lock, lease } => claims.of(lock, lease),
            Ask::Take { .. } | Ask::Drop { .. } => unreachable!("a write is no read"),
        };
        Answer::Found(self.store.header(), found.map(|claim| (claim.created, claim.lease)))
    }

    /// A client waits for a claim to go that was there at a revision. It may have gone by now.
    pub(super) fn watch_claim(
        &mut self,
        ctx: &mut Ctx<'_>,
        client: NodeId,
        lock: u32,
        lease: LeaseId,
        after: u64,
    ) {
        let is_there = self.store.claims().of(lock, lease).is_some();
        if self.store.header().revision >= after && !is_there {
            return ctx.stream(client, Msg::ClaimGone { lock, lease }.into());
        }
        self.claim_watchers.entry((lock, lease)).or_default().insert(client);
    }

    /// Tells the witnesses of claims that have gone, and those who waited for that.
    pub(super) fn tell_of_freed(&mut self, ctx: &mut Ctx<'_>, claims: &[Claim], cause: Cause) {
        let first = self.store.writes() + 1 - claims.len() as u64;
        for (at, &Claim { by, lock, lease, .. }) in (first..).zip(claims) {
            ctx.observe(Observation::Committed { at, write: Write::Release { by, lock, cause } });
            for watcher in self.claim_watchers.remove(&(lock, lease)).unwrap_or_default() {
                ctx.stream(watcher, Msg::ClaimGone { lock, lease }.into());
            }
        }
    }

    /// A client has gone: it waits no more.
    pub(super) fn forget_waits(&mut self, client: NodeId) {
        self.claim_watchers.retain(|_, watchers| {
            watchers.remove(&client);
            !watchers.is_empty()
        });
    }
}
