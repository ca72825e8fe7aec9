//! Reads: from the store as it is, or through the leader and a quorum, in batches.

use schism_core::{Duration, NodeId};

use super::super::api::{Answer, Ask, Failure};
use super::{Caller, Member, Timer};
use crate::cache::Reads;
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::ail::{Meeting, meet};

/// How long a read waits before it asks for the read index again (v3_server.go, `readIndexRetryTime`).
const READ_AGAIN: Duration = Duration::from_millis(500);

/// Reads go through the leader in batches: one under way, the next gathering (v3_server.go, `linearizableReadLoop`).
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    /// The number of the batch under way; 0 if none is.
    pub(super) current: u64,
    batch: Vec<(Caller, Ask)>,
    /// Once known, the index that must be applied.
    pub(super) index: Option<u64>,
    next: Vec<(Caller, Ask)>,
    /// Those that wait until a bucket of the table has moved.
    locked: Vec<(Caller, Ask)>,
}

impl Reading {
    /// Whose reads wait for their index, or for the next batch.
    pub(super) fn callers(&self) -> impl Iterator<Item = Caller> {
        self.batch.iter().chain(&self.next).chain(&self.locked).map(|&(caller, _)| caller)
    }

    /// A client has gone: its reads are nobody's.
    pub(super) fn forget(&mut self, client: NodeId) {
        for reads in [&mut self.batch, &mut self.next, &mut self.locked] {
            reads.retain(|(caller, _)| caller.client != client);
        }
    }
}

impl Member {
    /// A client wants to read.
    pub(super) fn read(&mut self, ctx: &mut Ctx<'_>, caller: Caller, ask: Ask, reads: Reads) {
        match reads {
            Reads::Serializable => self.answer_read(ctx, caller, ask),
            Reads::Linearizable => {
                self.reads.next.push((caller, ask));
                if self.reads.current == 0 {
                    self.read_on(ctx);
                }
            }
        }
    }

    /// The reads under way have waited for their index for a while.
    pub(super) fn on_read_again(&mut self, ctx: &mut Ctx<'_>, number: u64) {
        if self.reads.current == number && self.reads.index.is_none() {
            self.read_again();
            ctx.after(READ_AGAIN, Timer::ReadAgain(number).into());
            self.settle(ctx);
        }
    }

    /// Begins the next batch of reads, if any wait.
    fn read_on(&mut self, ctx: &mut Ctx<'_>) {
        self.reads.current = 0;
        self.reads.index = None;
        if self.reads.next.is_empty() {
            return;
        }
        self.reads.batch = std::mem::take(&mut self.reads.next);
        let number = self.take_number(ctx);
        self.reads.current = number;
        ctx.after(READ_AGAIN, Timer::ReadAgain(number).into());
        self.raft.read_index(number);
        self.settle(ctx);
    }

    /// Asks again for the index of the reads under way, unless it is known.
    pub(super) fn read_again(&mut self) {
        if self.reads.current != 0 && self.reads.index.is_none() {
            self.raft.read_index(self.reads.current);
        }
    }

    pub(super) fn fail_reads(&mut self, ctx: &mut Ctx<'_>, why: Failure) {
        for (caller, _) in std::mem::take(&mut self.reads.batch) {
            self.answer(ctx, caller, Answer::Failed(why));
        }
        self.read_on(ctx);
    }

    pub(super) fn serve_reads(&mut self, ctx: &mut Ctx<'_>) {
        if self.reads.index.is_some_and(|index| index <= self.applied) {
            for (caller, ask) in std::mem::take(&mut self.reads.batch) {
                self.answer_read(ctx, caller, ask);
            }
            self.read_on(ctx);
        }
    }

    fn answer_read(&mut self, ctx: &mut Ctx<'_>, caller: Caller, ask: Ask) {
        let Ask::List { .. } = ask else { return self.answer_now(ctx, caller, ask) };
        match meet(ctx) {
            None => self.answer_now(ctx, caller, ask),
            Some(Meeting::Lock(left)) => {
                self.reads.locked.push((caller, ask));
                ctx.after(left, Timer::Moved.into());
            }
            Some(Meeting::Error) => self.answer(ctx, caller, Answer::Failed(Failure::Internal)),
            Some(Meeting::Death(by)) => ctx.exit(by),
        }
    }

    /// A bucket has moved: whoever waited for that reads before the next one is locked.
    pub(super) fn unlock_reads(&mut self, ctx: &mut Ctx<'_>) {
        for (caller, ask) in std::mem::take(&mut self.reads.locked) {
            self.answer_now(ctx, caller, ask);
        }
    }

    fn answer_now(&mut self, ctx: &mut Ctx<'_>, caller: Caller, ask: Ask) {
        ctx.observe(Observation::Read);
        let answer = match ask {
            Ask::List { service, .. } => self.list(ctx, service),
            Ask::Get { key: Some(key), .. } => {
                let store = self.shown();
                Answer::Value(store.header(), store.value(key))
            }
            Ask::Get { key: None, .. } => Answer::Value(self.shown().header(), None),
            Ask::Claim(ask) => Answer::Claim(self.find_claim(ask)),
            Ask::Put(_) | Ask::Grant { .. } | Ask::Register { .. } | Ask::Revoke { .. } => {
                unreachable!("a write is no read")
            }
        };
        self.answer(ctx, caller, answer);
    }
}
