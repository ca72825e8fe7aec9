//! Expired leases: the leader proposes to revoke them, a few of each sweep at a time.

use std::collections::BTreeSet;

use super::super::lessor::Lessor;
use super::super::store::{Command, LeaseId};
use super::late::Late;
use super::{Member, Waiting};
use crate::failpoint::{Pass, Point};
use crate::node::Ctx;
use crate::observation::Cause;

/// How many revocations are under way at once (etcdserver/server.go, `maxPendingRevokes`).
const MOST_REVOKES: usize = 16;

/// The expired leases of one sweep.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    waiting: BTreeSet<LeaseId>,
    /// The requests under way, at most [`MOST_REVOKES`].
    under_way: BTreeSet<u64>,
}

impl Member {
    /// Time to look for leases that have run out.
    pub(super) fn sweep(&mut self, ctx: &mut Ctx<'_>) {
        let now = self.lease_time(ctx);
        let Lessor::Primary(primary) = &mut self.lessor else { return };
        let checkpoints = primary.checkpoint(now);
        let waiting: BTreeSet<LeaseId> = primary.sweep(now).into_iter().collect();
        if checkpoints.is_empty() && waiting.is_empty() {
            return;
        }
        for (lease, left) in checkpoints {
            self.decree(Command::Checkpoint { lease, left: Some(left) });
        }
        if !waiting.is_empty() {
            self.revoking.push(Batch { waiting, under_way: BTreeSet::new() });
        }
        self.settle(ctx);
        // The lessor is a task of its own, and goes on proposing while the one that waits for the disk is stuck: what it
        // proposes goes to whoever leads then (etcd issue 15247).
        if self.disk.is_stuck() && !self.seat.config.version.ensures_leadership() {
            self.revoke_more(ctx);
        }
    }

    /// Proposes revocations, as many of each sweep's as may be under way at once.
    pub(super) fn revoke_more(&mut self, ctx: &mut Ctx<'_>) {
        let mut batches = std::mem::take(&mut self.revoking);
        for batch in &mut batches {
            while batch.under_way.len() < MOST_REVOKES
                && let Some(lease) = batch.waiting.pop_first()
            {
                match self.passes.pass(ctx, Point::RegistryRevoke) {
                    Pass::Clear => {
                        batch.under_way.insert(self.revoke(ctx, lease));
                    }
                    Pass::Late(by) => self.postpone(ctx, by, Late::Revoke(lease)),
                    // The lessor tries again, later.
                    Pass::Fails(_) => {}
                    Pass::Ends => break,
                }
            }
        }
        batches.retain(|batch| !batch.under_way.is_empty());
        self.revoking = batches;
    }

    /// A lease is revoked that should have been before.
    pub(super) fn revoke_late(&mut self, ctx: &mut Ctx<'_>, lease: LeaseId) {
        if let Lessor::Primary(_) = self.lessor {
            self.revoke(ctx, lease);
            self.settle(ctx);
        }
    }

    fn revoke(&mut self, ctx: &mut Ctx<'_>, lease: LeaseId) -> u64 {
        self.put_forward(ctx, Waiting::Revoke, Command::Revoke { lease, cause: Cause::Expired })
    }

    pub(super) fn revoked(&mut self, number: u64) {
        self.revoking.iter_mut().for_each(|batch| {
            batch.under_way.remove(&number);
        });
    }
}
