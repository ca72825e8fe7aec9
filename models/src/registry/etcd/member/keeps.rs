//! Keepalives: the leader extends a lease, a follower passes the question on, and both may have to wait.

use schism_core::{Duration, NodeId, Time};

use super::super::Checkpoints;
use super::super::api::{Failure, Msg};
use super::super::lessor::{Keep, Lessor};
use super::super::store::{Command, LeaseId};
use super::Member;
use crate::node::Ctx;
use crate::observation::Observation;

/// A keepalive that is not answered yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeping {
    pub(super) lease: LeaseId,
    pub(super) asker: Asker,
}

/// Who asked for it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asker {
    Client(NodeId),
    /// A follower, and its number for it.
    Member(NodeId, u64),
}

impl Member {
    /// The leader extends the lease; a follower passes the question on; without a leader it waits.
    pub(super) fn keep_alive(&mut self, ctx: &mut Ctx<'_>, keeping: Keeping) {
        let number = self.take_number(ctx);
        self.keeps.insert(number, keeping);
        self.try_keep(ctx, number);
    }

    fn try_keep(&mut self, ctx: &mut Ctx<'_>, number: u64) {
        let Some(&Keeping { lease, asker }) = self.keeps.get(&number) else { return };
        // A leader that has been stuck asks itself first whether it still leads, and cannot tell while it is stuck.
        if self.disk.is_stuck() && self.seat.config.version.ensures_leadership() {
            return;
        }
        let now = self.lease_time(ctx);
        if let Lessor::Primary(primary) = &mut self.lessor {
            let ttl = self.store.ttl(lease).unwrap_or(Duration::ZERO);
            match primary.keep(lease, ttl, now) {
                Keep::Extended => {
                    ctx.observe(Observation::Extended);
                    self.begin_lease_anew(lease, now);
                    self.kept_alive(ctx, number, Ok(ttl));
                }
                Keep::NotFound => self.kept_alive(ctx, number, Ok(Duration::ZERO)),
                // Answered when the revocation has come through, or this member no longer leads.
                Keep::Expiring => {}
            }
        } else if let Asker::Client(_) = asker
            && let Some(leader) = self.raft.leader()
            && leader != self.seat.me
        {
            let leader = self.seat.members[leader as usize];
            ctx.send(leader, Msg::Forward { ticket: number, lease }.into());
        }
    }

    /// The whole time to live is left of a lease again, and so it is written down, with the next tick, if it was that there
    /// is less (lease/lessor.go, `Renew`).
    fn begin_lease_anew(&mut self, lease: LeaseId, now: Time) {
        if self.seat.config.checkpoints == Checkpoints::Off {
            return;
        }
        if let Lessor::Primary(primary) = &mut self.lessor {
            primary.plan_checkpoint(lease, now);
        }
        if self.store.is_checkpointed(lease) {
            self.decree(Command::Checkpoint { lease, left: None });
        }
    }

    pub(super) fn try_all_keeps(&mut self, ctx: &mut Ctx<'_>) {
        let numbers: Vec<u64> = self.keeps.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.try_keep(ctx, number));
    }

    pub(super) fn kept_alive(&mut self, ctx: &mut Ctx<'_>, number: u64, ttl: Result<Duration, Failure>) {
        let Some(Keeping { lease, asker }) = self.keeps.remove(&number) else { return };
        match (asker, ttl) {
            (Asker::Client(client), ttl) => {
                ctx.stream(client, Msg::KeptAlive { lease, ttl }.into());
            }
            (Asker::Member(member, ticket), Ok(ttl)) => {
                ctx.send(member, Msg::Forwarded { ticket, ttl }.into());
            }
            // The follower has its own time-out.
            (Asker::Member(..), Err(_)) => {}
        }
    }

    pub(super) fn answer_keeps_of(&mut self, ctx: &mut Ctx<'_>, lease: LeaseId) {
        let waiting: Vec<u64> = self
            .keeps
            .iter()
            .filter(|(_, keeping)| keeping.lease == lease)
            .map(|(&number, _)| number)
            .collect();
        waiting.into_iter().for_each(|number| self.try_keep(ctx, number));
    }
}
