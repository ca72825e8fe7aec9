//! Writes: proposals, and how long whoever asked for them is kept waiting.

use schism_core::Duration;

use super::super::Config;
use super::super::api::{Answer, Failure};
use super::super::log::{Entry, Proposal};
use super::super::store::Command;
use super::late::Late;
use super::{Member, Timer, Waiting};
use crate::failpoint::{Pass, Point};
use crate::node::Ctx;

/// How long a member works on a request: 5 s and two election time-outs (etcdserver/config.go, `ReqTimeout`), which is
/// 7 s by default.
fn request_timeout(config: &Config) -> Duration {
    Duration::from_secs(5) + config.election * 2
}

impl Member {
    /// Proposes a command, and does what comes of that.
    pub(super) fn propose(&mut self, ctx: &mut Ctx<'_>, waiting: Waiting, command: Command) {
        self.put_forward(ctx, waiting, command);
        self.settle(ctx);
    }

    /// Proposes a command; without a leader it waits for one, and in any case no longer than the request time-out.
    pub(super) fn put_forward(&mut self, ctx: &mut Ctx<'_>, waiting: Waiting, command: Command) -> u64 {
        let number = self.take_number(ctx);
        self.proposed.insert(number, waiting);
        let proposal = Proposal { by: Some((self.seat.me, number)), command: Some(command) };
        let entry = Entry { term: 0, proposal };
        match self.passes.pass(ctx, Point::RegistryPropose) {
            Pass::Clear => self.put_to_raft(entry),
            Pass::Late(by) => self.postpone(ctx, by, Late::Entry(entry)),
            // It is lost, and whoever waits for it does so until the request time-out.
            Pass::Fails(_) | Pass::Ends => {}
        }
        number
    }

    /// Proposes an entry, or keeps it until there is a leader.
    pub(super) fn put_to_raft(&mut self, entry: Entry) {
        if let Err(entry) = self.raft.propose(entry) {
            self.leaderless.push(entry);
        }
    }

    /// A number for a request, which ends with the request time-out.
    pub(super) fn take_number(&mut self, ctx: &mut Ctx<'_>) -> u64 {
        self.last += 1;
        ctx.after(request_timeout(&self.seat.config), Timer::TimedOut(self.last).into());
        self.last
    }

    /// A request has taken too long: a write may still come through, and a read is over.
    pub(super) fn on_timed_out(&mut self, ctx: &mut Ctx<'_>, number: u64) {
        match self.proposed.remove(&number) {
            Some(Waiting::Write(caller)) => {
                self.leaderless.retain(|entry| entry.proposal.by != Some((self.seat.me, number)));
                self.answer(ctx, caller, Answer::Failed(Failure::TimedOut));
            }
            Some(Waiting::Revoke) => {
                self.revoked(number);
                self.settle(ctx);
            }
            None => {}
        }
        self.kept_alive(ctx, number, Err(Failure::TimedOut));
        if self.reads.current == number {
            self.fail_reads(ctx, Failure::TimedOut);
        }
    }
}
