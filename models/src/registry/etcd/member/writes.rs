//! Writes: proposals, and how long whoever asked for them is kept waiting.

use schism_core::Duration;

use super::super::Config;
use super::super::api::{Answer, Failure};
use super::super::log::{Entry, Proposal};
use super::super::store::Command;
use super::{Member, Timer, Waiting};
use crate::node::{Ctx, Timer as NodeTimer};

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
        if let Err(entry) = self.raft.propose(Entry { term: 0, proposal }) {
            self.leaderless.push(entry);
        }
        number
    }

    /// A number for a request, which ends with the request time-out.
    pub(super) fn take_number(&mut self, ctx: &mut Ctx<'_>) -> u64 {
        self.last += 1;
        ctx.after(request_timeout(&self.seat.config), NodeTimer::Etcd(Timer::TimedOut(self.last)));
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
