//! The log applied: what committed entries do to the store and the lessor, and who is told.

use schism_core::Time;

use super::super::Checkpoints;
use super::super::api::{Answer, Failure};
use super::super::lessor::{Lessor, Primary};
use super::super::log::Entry;
use super::super::replay::replay;
use super::super::store::{Command, Effect};
use super::{Member, Waiting};
use crate::node::Ctx;
use crate::observation::{Observation, Write};

impl Member {
    /// Applies all that is committed.
    pub(super) fn apply(&mut self, ctx: &mut Ctx<'_>) {
        while self.applied < self.raft.commit {
            self.applied += 1;
            let entry = self.raft.log.get(self.applied).expect("what is committed is in the log").clone();
            self.apply_entry(ctx, entry);
            self.history.note(ctx.moment(), self.applied);
        }
        self.mind_next_change(ctx);
        self.tell_watchers(ctx);
    }

    fn apply_entry(&mut self, ctx: &mut Ctx<'_>, Entry { term, proposal }: Entry) {
        let Some(command) = proposal.command else {
            // The first entry of a leader's own term: all that its predecessors left is applied, so it is primary.
            if term == self.raft.term && self.raft.leads() {
                self.take_over_leases(self.lease_time(ctx));
                self.try_all_keeps(ctx);
            }
            // The first commit of a term: what was asked of a leader that could not answer yet, or of the one before,
            // is asked again (v3_server.go, `FirstCommitInTermNotify`: since 3.5.0 and 3.4.20).
            return self.read_again();
        };
        let (log, services) = (&self.raft.log, self.seat.services);
        let effect = self.store.apply(&command, |earlier| replay(log, services, earlier));
        self.follow_lease(self.lease_time(ctx), &command);
        self.tell(ctx, &effect);
        if let Command::Revoke { lease, .. } = command {
            self.answer_keeps_of(ctx, lease);
        }
        if let Some((by, number)) = proposal.by
            && by == self.seat.me
        {
            self.on_applied(ctx, number, &command, &effect);
        }
    }

    /// Tells the witnesses what was done, and notes what watchers are to be told.
    fn tell(&mut self, ctx: &mut Ctx<'_>, effect: &Effect) {
        let at = self.store.writes();
        match *effect {
            Effect::Wrote(write) => ctx.observe(Observation::Committed { at, write }),
            Effect::Listed(write, service, change) => {
                ctx.observe(Observation::Committed { at, write });
                ctx.observe(Observation::Believes { service, subject: change.endpoint.node, up: change.up });
                if self.lag.is_none() {
                    self.news.entry(service).or_default().push(change);
                }
            }
            Effect::Freed(ref claims, cause) => self.tell_of_freed(ctx, claims, cause),
            Effect::LeaseNotFound | Effect::Unseen => {}
            Effect::Restored(ref writes) => self.begin_anew(ctx, writes),
        }
    }

    /// The members of a cluster have been stopped, and begin another with a backup: nobody's connection outlives that.
    fn begin_anew(&mut self, ctx: &mut Ctx<'_>, writes: &[Write]) {
        let first = self.store.writes() + 1 - writes.len() as u64;
        for (at, &write) in (first..).zip(writes) {
            ctx.observe(Observation::Committed { at, write });
        }
        for listing in self.store.listings() {
            ctx.observe(Observation::View(listing.clone()));
        }
        self.news.clear();
        for client in self.clients.clone() {
            ctx.hang_up(client);
            self.forget(client);
        }
    }

    fn follow_lease(&mut self, now: Time, command: &Command) {
        if let Lessor::Primary(primary) = &mut self.lessor {
            match *command {
                Command::Grant { lease, ttl } => {
                    primary.end_at(lease, now + ttl);
                    if self.seat.config.checkpoints == Checkpoints::On {
                        primary.plan_checkpoint(lease, now);
                    }
                }
                Command::Checkpoint { lease, left } => {
                    if left.is_some() {
                        primary.plan_checkpoint(lease, now);
                    }
                }
                Command::Revoke { lease, .. } => primary.forget(lease),
                Command::Restore { .. } => self.take_over_leases(now),
                Command::Register { .. }
                | Command::Put(_)
                | Command::Claim(_)
                | Command::Delete { .. }
                | Command::Compact { .. } => {}
            }
        }
    }

    /// From now on this member says when leases end.
    fn take_over_leases(&mut self, now: Time) {
        let extend = self.seat.config.election;
        let mut primary = Primary::promote(self.store.leases_left(), now, extend);
        if self.seat.config.checkpoints == Checkpoints::On {
            self.store.leases().for_each(|(lease, _)| primary.plan_checkpoint(lease, now));
        }
        self.lessor = Lessor::Primary(primary);
    }

    fn on_applied(&mut self, ctx: &mut Ctx<'_>, number: u64, command: &Command, effect: &Effect) {
        match self.proposed.remove(&number) {
            Some(Waiting::Write(caller)) => {
                let answer = match (command, effect) {
                    (_, Effect::LeaseNotFound) => Answer::Failed(Failure::LeaseNotFound),
                    (&Command::Grant { lease, ttl }, _) => Answer::Granted { lease, ttl },
                    (Command::Put(_), _) => Answer::Put(self.store.header()),
                    (&Command::Claim(command), _) => Answer::Claim(self.claimed(command)),
                    (
                        Command::Register { .. }
                        | Command::Checkpoint { .. }
                        | Command::Revoke { .. }
                        | Command::Delete { .. }
                        | Command::Compact { .. }
                        | Command::Restore { .. },
                        _,
                    ) => Answer::Done,
                };
                self.answer(ctx, caller, answer);
            }
            Some(Waiting::Revoke) => self.revoked(number),
            None => {}
        }
    }
}
