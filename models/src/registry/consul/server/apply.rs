//! The log applied: what committed entries do to the catalog, and who is told.

use std::collections::BTreeSet;

use super::super::api::Answer;
use super::super::catalog::{Command, Outcome};
use super::Member;
use super::replay::{blank, replay};
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::raft::log::Entry;

impl Member {
    /// Applies all that is committed.
    pub(super) fn apply(&mut self, ctx: &mut Ctx<'_>) {
        if self.applied == self.raft.commit {
            return;
        }
        let (mut touched, mut locks) = (BTreeSet::new(), BTreeSet::new());
        while self.applied < self.raft.commit {
            self.applied += 1;
            let entry = self.raft.log.get(self.applied).expect("what is committed is in the log").clone();
            self.apply_entry(ctx, entry, &mut touched, &mut locks);
            self.history.note(ctx.moment(), self.applied);
        }
        self.mind_next_change(ctx);
        if self.lag.is_none() {
            self.wake(ctx, &touched);
            self.wake_locks(ctx, &locks);
        }
    }

    fn apply_entry(
        &mut self,
        ctx: &mut Ctx<'_>,
        entry: Entry<Command>,
        touched: &mut BTreeSet<ServiceId>,
        locks: &mut BTreeSet<u32>,
    ) {
        let Entry { term, proposal } = entry;
        let Some(command) = proposal.command else {
            // The first entry of a leader's own term: all that its predecessors left is applied (`Barrier`).
            if term == self.raft.term && self.raft.leads() {
                self.established = true;
                self.on_established(ctx);
                self.begin_reconciling(ctx);
                self.begin_sessions(ctx);
            }
            return;
        };
        let (log, services, health, cluster) =
            (&self.raft.log, self.services, self.config.health, &self.cluster);
        let new = || blank(services, health, cluster);
        let snapshot = |earlier| replay(log, &new, earlier);
        let outcome = self.catalog.apply(self.applied, &command, snapshot);
        self.tell_witnesses(ctx, &outcome);
        touched.extend(outcome.touched);
        if let (Command::Key(command), Some(done)) = (&command, &outcome.key) {
            locks.extend(&done.touched);
            self.follow_keys(ctx, *command, done);
        }
        if outcome.restored {
            for listing in self.catalog.listings() {
                ctx.observe(Observation::View(listing.clone()));
            }
            self.wake_all(ctx);
            self.wake_all_locks(ctx);
        }
        if let Some((by, number)) = proposal.by
            && usize::from(by) == self.me
            && let Some(asker) = self.proposed.remove(&number)
        {
            let answer = match command {
                Command::Put(_) => Answer::Put { index: self.applied },
                Command::Key(command) => self.key_answer(command),
                Command::Register(_)
                | Command::RemoveService { .. }
                | Command::RemoveHost { .. }
                | Command::Restore { .. } => Answer::Done,
            };
            self.answer(ctx, asker, answer);
        }
    }

    fn tell_witnesses(&mut self, ctx: &mut Ctx<'_>, outcome: &Outcome) {
        let first = self.catalog.writes() + 1 - outcome.writes.len() as u64;
        for (at, &write) in (first..).zip(&outcome.writes) {
            ctx.observe(Observation::Committed { at, write });
        }
        for &(service, change) in &outcome.changes {
            // Blocking queries end all the same, and list what haunts them.
            self.ghosts.hide(ctx, service, change.endpoint, change.up);
            let (subject, up) = (change.endpoint.node, change.up);
            ctx.observe(Observation::Believes { service, subject, up });
        }
    }
}
