//! A lock as client-go's leader election has it: a Lease object that whoever leads writes again and again, and that others
//! may take when they have not seen it change for long enough (tools/leaderelection/leaderelection.go, v1.28).
//!
//! Nobody reads another's clock: what counts is when a client first saw the record as it is. The holder believes in its lock
//! for as long as it has renewed it in time, by its own clock. With the real defaults the lease lasts 15 s, who cannot renew
//! it gives up after 10 s, and it is tried every 2 s; another length changes the other two in proportion.

use schism_core::{Duration, NodeId, ZoneId};

use super::Config;
use super::api::{Answer, Msg, Verb};
use super::backoff::{Draws, share};
use super::connection::Connection;
use super::elector::{DEADLINE, Elector, LEASE, NOBODY, RETRY, Record};
use crate::node::Ctx;
use crate::registry::{self, Address, Turn};

/// What a locker reminds itself of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// It is time to look at the lease.
    Try(u32),
    /// The answer to a call has taken too long.
    Late(u32),
    /// Whoever leads may not have renewed in time.
    Deadline(u32),
}

/// A candidate.
#[derive(Clone, Debug)]
pub struct Locker {
    connection: Connection,
    elector: Elector,
    /// How long those wait who do not lead.
    lease: Duration,
    luck: Draws,
    stage: Stage,
    /// What it waits for.
    step: Step,
    last: u32,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Idle,
    Trying(u32),
    Held {
        lock: u32,
        /// The number of its deadline.
        deadline: u32,
    },
    Releasing,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// For its next try.
    Rest(u32),
    /// For the record.
    Get(u32),
    /// For its write.
    Update(u32),
}

impl registry::Locker for Locker {
    type Msg = Msg;
    type Timer = super::Timer;

    fn lock(&mut self, ctx: &mut Ctx<'_>, lock: u32) {
        assert!(matches!(self.stage, Stage::Idle), "one thing after the other");
        self.elector = Elector::lasting(identity(ctx), self.lease);
        self.stage = Stage::Trying(lock);
        self.get(ctx, lock);
    }

    /// Whoever leads gives the lease up by writing that nobody holds it (`ReleaseOnCancel`).
    fn unlock(&mut self, ctx: &mut Ctx<'_>) {
        match (self.stage, self.elector.seen()) {
            (Stage::Held { lock, .. }, Some(Record { version, .. })) => {
                self.stage = Stage::Releasing;
                self.update(ctx, lock, version, NOBODY);
            }
            (Stage::Releasing, _) => {}
            (Stage::Idle | Stage::Trying(_) | Stage::Held { .. }, _) => self.stage = Stage::Idle,
        }
    }

    fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> Option<Turn> {
        if !self.connection.on_heard(ctx, from) {
            return None;
        }
        let Msg::Answer { call, answer } = msg else { return None };
        match self.step {
            Step::Get(mine) if mine == *call => {
                self.on_record(ctx, answer);
                None
            }
            Step::Update(mine) if mine == *call => self.on_updated(ctx, answer),
            Step::Rest(_) | Step::Get(_) | Step::Update(_) => None,
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) -> Option<Turn> {
        match timer {
            super::Timer::Locker(Timer::Try(number)) => {
                if let (Step::Rest(mine), Some(lock)) = (self.step, self.stage.lock())
                    && mine == number
                {
                    self.get(ctx, lock);
                }
                None
            }
            super::Timer::Locker(Timer::Late(number)) => match self.step {
                Step::Get(call) | Step::Update(call) if call == number => self.on_failed(ctx),
                Step::Rest(_) | Step::Get(_) | Step::Update(_) => None,
            },
            super::Timer::Locker(Timer::Deadline(number)) => match self.stage {
                Stage::Held { deadline, .. } if deadline == number => {
                    self.stage = Stage::Idle;
                    Some(Turn::Lost)
                }
                Stage::Idle | Stage::Trying(_) | Stage::Held { .. } | Stage::Releasing => None,
            },
            super::Timer::Silence(silence) => {
                self.connection.on_silence(ctx, silence).then(|| self.leave(ctx)).flatten()
            }
            super::Timer::Member(_) | super::Timer::Kubelet(_) | super::Timer::Subscriber(_) => {
                unreachable!("a locker has no {timer:?}")
            }
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) -> Option<Turn> {
        (peer == self.connection.member()).then(|| self.leave(ctx)).flatten()
    }

    fn reconnect(&mut self, ctx: &mut Ctx<'_>) -> Option<Turn> {
        self.leave(ctx)
    }

    fn member(&self) -> NodeId {
        self.connection.member()
    }
}

/// Whoever begins anew is another (`id` with a UUID, as the core components have it).
fn identity(ctx: &Ctx<'_>) -> u64 {
    ctx.moment().as_nanos() << 16 | u64::from(ctx.me().0 + 1)
}

impl Stage {
    /// The lock that it looks at.
    fn lock(self) -> Option<u32> {
        match self {
            Stage::Trying(lock) | Stage::Held { lock, .. } => Some(lock),
            Stage::Idle | Stage::Releasing => None,
        }
    }
}

impl Locker {
    /// A client that wants no lock yet. Its lease lasts so long.
    pub fn new(address: &Address<Config>, _: ZoneId, ttl: Duration, ctx: &Ctx<'_>) -> Locker {
        Locker {
            connection: Connection::new(&address.layout, ctx),
            elector: Elector::lasting(NOBODY, ttl),
            lease: ttl,
            luck: Draws::new(ctx.luck("leader election")),
            stage: Stage::Idle,
            step: Step::Rest(0),
            last: 0,
        }
    }

    /// A time of the defaults, in proportion to the lease.
    fn scaled(&self, of: Duration) -> Duration {
        let nanos = u128::from(of.as_nanos()) * u128::from(self.lease.as_nanos());
        Duration::from_nanos((nanos / u128::from(LEASE.as_nanos())) as u64)
    }

    /// A call, whose answer is waited for half as long as a leader tries to renew (`NewFromKubeconfig`: "a 1/2 renew
    /// deadline").
    fn call(&mut self, ctx: &mut Ctx<'_>, verb: Verb) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.connection.send(ctx, Msg::Call { call: self.last, verb });
        ctx.after(self.scaled(DEADLINE) / 2, Timer::Late(self.last).into());
        self.last
    }

    fn get(&mut self, ctx: &mut Ctx<'_>, lock: u32) {
        self.step = Step::Get(self.call(ctx, Verb::GetLease { lock }));
    }

    fn update(&mut self, ctx: &mut Ctx<'_>, lock: u32, version: u64, holder: u64) {
        let by = ctx.me();
        self.step = Step::Update(self.call(ctx, Verb::WriteLease { lock, holder, version, by }));
    }

    /// The record as it is: it is written, if it may be.
    fn on_record(&mut self, ctx: &mut Ctx<'_>, answer: &Answer) {
        let (Some(lock), Answer::Lease(record)) = (self.stage.lock(), answer) else { return self.rest(ctx) };
        match self.elector.try_lease(ctx.now(), *record) {
            Some(version) => self.update(ctx, lock, version, self.elector.identity()),
            None => self.rest(ctx),
        }
    }

    fn on_updated(&mut self, ctx: &mut Ctx<'_>, answer: &Answer) -> Option<Turn> {
        if let Stage::Releasing = self.stage {
            self.stage = Stage::Idle;
            return Some(Turn::Freed);
        }
        let (Some(lock), &Answer::Lease(Some(record))) = (self.stage.lock(), answer) else {
            return self.on_failed(ctx);
        };
        let is_new = self.elector.on_written(ctx.now(), record);
        // The next try is after a while, and may go on until the deadline.
        let (rest, most) = (self.scaled(RETRY), self.scaled(DEADLINE));
        self.last = self.last.wrapping_add(1);
        self.stage = Stage::Held { lock, deadline: self.last };
        ctx.after(rest + most, Timer::Deadline(self.last).into());
        self.rest(ctx);
        is_new.then_some(Turn::Held { token: record.transitions + 1 })
    }

    /// A call has failed: it is tried again. What was to be given up is left as it is.
    fn on_failed(&mut self, ctx: &mut Ctx<'_>) -> Option<Turn> {
        if let Stage::Releasing = self.stage {
            self.stage = Stage::Idle;
            return Some(Turn::Freed);
        }
        self.rest(ctx);
        None
    }

    /// Rests until the next try: those who do not lead up to 1.2 times longer (`JitterFactor`).
    fn rest(&mut self, ctx: &mut Ctx<'_>) {
        let retry = self.scaled(RETRY);
        let jitter = match self.stage {
            Stage::Held { .. } => Duration::ZERO,
            Stage::Idle | Stage::Trying(_) | Stage::Releasing => {
                share(retry * 6 / 5, self.luck.draw().unit())
            }
        };
        self.last = self.last.wrapping_add(1);
        self.step = Step::Rest(self.last);
        ctx.after(retry + jitter, Timer::Try(self.last).into());
    }

    /// The connection is gone.
    fn leave(&mut self, ctx: &mut Ctx<'_>) -> Option<Turn> {
        self.connection.turn(ctx);
        match (self.stage, self.step) {
            (Stage::Idle, _) | (_, Step::Rest(_)) => None,
            (_, Step::Get(_) | Step::Update(_)) => self.on_failed(ctx),
        }
    }
}
