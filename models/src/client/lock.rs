//! A client that contends for locks: it works for as long as it wants while it believes that it holds one, and writes to
//! what the lock guards.
//!
//! It believes what the registry's client library tells it. What is due while the process is paused it does when it goes
//! on, before it has heard of anything that happened meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;

use schism_core::{Distribution, Duration, NodeId, Time};

use super::Client;
use super::calls::shared_key;
use super::discovery::Source;
use super::requests::Stage;
use crate::listing::Listing;
use crate::node::{Attempt, Ctx, Message, Timer};
use crate::observation::{Observation, Outcome};
use crate::registry::{AnyLocker, Turn};
use crate::waits::Wait;

/// How a client uses locks.
#[derive(Clone, Debug, PartialEq)]
pub struct Locking {
    /// The time to live of what its hold depends on: a lease or a session.
    pub ttl: Duration,
    /// For how long it works once it has a lock.
    pub hold: Distribution,
    /// What it writes meanwhile, if it does.
    pub writes: Option<Writes>,
}

/// What a client writes to what a lock guards, while it believes that it holds that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writes {
    /// The service whose instances are what the locks guard: they take turns, by the number of the lock.
    pub service: usize,
    /// How often, and once more before it gives the lock back.
    pub every: Duration,
    /// Whether that looks at the tokens.
    pub fencing: Fencing,
}

/// Whether what a lock guards looks at the tokens of those that write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fencing {
    /// It takes every write.
    Off,
    /// It turns those away whose token is older than the newest that it has seen.
    On,
}

/// A write to what a lock guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GuardedWrite {
    /// The writer's number for it.
    pub number: u32,
    /// The lock.
    pub lock: u32,
    /// The number that came with it.
    pub token: u64,
    /// Whether it is to be looked at.
    pub fencing: Fencing,
}

/// One client's use of locks. It wants one at a time; requests that come meanwhile stand in line.
#[derive(Clone, Debug)]
pub(super) struct Contender {
    locker: AnyLocker,
    /// What the locks guard.
    guarded: Option<Arc<Listing>>,
    line: VecDeque<u32>,
    phase: Phase,
    /// The number of its last write.
    last: u32,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Idle,
    /// It waits for the lock.
    Trying {
        slot: u32,
        lock: u32,
    },
    Working(Work),
    /// It gives the lock back, or gives up. A request that was not given up ends with that.
    Leaving {
        slot: Option<u32>,
    },
}

/// What it does while it believes that it holds a lock.
#[derive(Clone, Copy, Debug)]
struct Work {
    slot: u32,
    lock: u32,
    token: u64,
    /// When it has done what it wanted the lock for.
    ends: Time,
    /// When it writes next.
    next: Time,
    /// The write that has not been answered, and until when that is waited for.
    open: Option<(u32, Time)>,
    /// Whether it has written for the last time.
    has_finished: bool,
    /// When it will be woken, if a timer is set for that.
    wakes: Option<Time>,
}

/// Label of what is derived from a request's luck.
const HOLD: u64 = 2;

impl Contender {
    /// What its side of the registry waits for.
    pub(super) fn waits(&self) -> Vec<Wait> {
        self.locker.waits()
    }

    /// What the request in this slot waits for: its turn, its lock, or, once it has that, to be done with it.
    pub(super) fn wait_of(&self, slot: u32, task: String, since: Time) -> Wait {
        match self.phase {
            Phase::Trying { slot: trying, lock } if trying == slot => {
                Wait::new(task, format!("lock {lock}"), [self.locker.member()]).since(since)
            }
            Phase::Working(work) if work.slot == slot => match work.open {
                Some((_, until)) => {
                    let keeper: Vec<NodeId> = self.keeper(work.lock).into_iter().collect();
                    let what =
                        format!("the answer to its write under lock {} (token {})", work.lock, work.token);
                    Wait::new(task, what, keeper).until(until)
                }
                None => {
                    let what = format!("the end of its work under lock {} (token {})", work.lock, work.token);
                    Wait::new(task, what, []).until(work.ends)
                }
            },
            Phase::Leaving { slot: Some(leaving) } if leaving == slot => {
                Wait::new(task, "word that its lock is given back", [self.locker.member()])
            }
            Phase::Idle | Phase::Trying { .. } | Phase::Working(_) | Phase::Leaving { .. } => {
                Wait::new(task, "its turn for a lock, of this client's own requests", []).since(since)
            }
        }
    }

    /// What it believes that it holds, in words.
    pub(super) fn stands(&self) -> String {
        match self.phase {
            Phase::Working(Work { lock, token, .. }) => {
                format!("believes that it holds lock {lock} (token {token})")
            }
            Phase::Trying { lock, .. } => format!("wants lock {lock}"),
            Phase::Leaving { .. } => "gives its lock back".to_owned(),
            Phase::Idle => "wants no lock now".to_owned(),
        }
    }
}

impl Contender {
    pub(super) fn new(locker: AnyLocker, guarded: Option<Arc<Listing>>) -> Contender {
        Contender { locker, guarded, line: VecDeque::new(), phase: Phase::Idle, last: 0 }
    }

    pub(super) fn locker(&mut self) -> &mut AnyLocker {
        &mut self.locker
    }

    pub(super) fn member(&self) -> NodeId {
        self.locker.member()
    }

    /// Who keeps what a lock guards.
    fn keeper(&self, lock: u32) -> Option<NodeId> {
        let endpoints = &self.guarded.as_ref()?.endpoints;
        endpoints.get(lock as usize % endpoints.len().max(1)).map(|endpoint| endpoint.node)
    }
}

impl Client {
    /// The request wants a lock.
    pub(super) fn contend(&mut self, ctx: &mut Ctx<'_>, slot: u32) {
        let Source::Locks(contender) = &mut self.source else { return };
        contender.line.push_back(slot);
        self.requests.set_stage(slot, Stage::Locking);
        if let Some(deadline) = self.desk.config.deadline {
            let request = self.requests.get(slot).number;
            self.wait(ctx, Attempt { slot, request }, deadline);
        }
        self.take_turn(ctx);
    }

    /// Tries for the lock of the next in line, unless something is under way.
    fn take_turn(&mut self, ctx: &mut Ctx<'_>) {
        let Source::Locks(contender) = &mut self.source else { return };
        if !matches!(contender.phase, Phase::Idle) || !contender.locker.is_idle() {
            return;
        }
        let Some(slot) = contender.line.pop_front() else { return };
        // Without a draw there is one lock, for all.
        let request = self.requests.get(slot);
        let lock = shared_key(&self.desk.config.keys, request.luck).unwrap_or(0);
        contender.phase = Phase::Trying { slot, lock };
        ctx.observe(Observation::Attempt { to: contender.member(), request: request.number, key: None });
        contender.locker.lock(ctx, lock);
    }

    /// What has become of the lock.
    pub(super) fn on_turn(&mut self, ctx: &mut Ctx<'_>, turn: Option<Turn>) {
        let Source::Locks(contender) = &mut self.source else { return };
        match (turn, contender.phase) {
            (None, _) => return,
            (Some(Turn::Held { token }), Phase::Trying { slot, lock }) => {
                return self.begin_work(ctx, slot, lock, token);
            }
            (Some(Turn::Lost), Phase::Working(Work { slot, lock, .. })) => {
                contender.phase = Phase::Idle;
                ctx.observe(Observation::LockLost { lock });
                self.finish(ctx, slot, Outcome::Failed);
            }
            (Some(Turn::Freed), Phase::Leaving { slot }) => {
                contender.phase = Phase::Idle;
                if let Some(slot) = slot {
                    self.finish(ctx, slot, Outcome::Success);
                }
            }
            (Some(Turn::Failed(outcome)), Phase::Trying { slot, .. }) => {
                contender.phase = Phase::Idle;
                self.finish(ctx, slot, outcome);
            }
            (Some(turn), phase) => unreachable!("{turn:?} for who is {phase:?}"),
        }
        self.take_turn(ctx);
    }

    fn begin_work(&mut self, ctx: &mut Ctx<'_>, slot: u32, lock: u32, token: u64) {
        let (Source::Locks(contender), Some(locking)) = (&mut self.source, &self.desk.config.locking) else {
            return;
        };
        ctx.observe(Observation::Acquired { lock, token });
        let ends = ctx.now() + locking.hold.sample(self.requests.get(slot).luck.derive(HOLD));
        let next = locking.writes.map_or(ends, |writes| ctx.now() + writes.every);
        let (open, has_finished, wakes) = (None, locking.writes.is_none(), None);
        contender.phase = Phase::Working(Work { slot, lock, token, ends, next, open, has_finished, wakes });
        self.go_on(ctx);
    }

    /// It may be time to write, or to give the lock back.
    pub fn on_work(&mut self, ctx: &mut Ctx<'_>) {
        let Source::Locks(contender) = &mut self.source else { return };
        if let Phase::Working(work) = &mut contender.phase
            && work.wakes.is_some_and(|at| at <= ctx.now())
        {
            work.wakes = None;
            self.go_on(ctx);
        }
    }

    fn go_on(&mut self, ctx: &mut Ctx<'_>) {
        let now = ctx.now();
        let Source::Locks(contender) = &mut self.source else { return };
        let Phase::Working(work) = &mut contender.phase else { return };
        work.open = work.open.filter(|&(_, until)| now < until);
        let is_over = now >= work.ends;
        if work.open.is_none() && is_over && work.has_finished {
            return self.leave(ctx);
        }
        if work.open.is_none() && !work.has_finished && (is_over || now >= work.next) {
            work.has_finished = is_over;
            self.write(ctx);
        }
        self.set_work_alarm(ctx);
    }

    /// Sees to it that it goes on in time.
    fn set_work_alarm(&mut self, ctx: &mut Ctx<'_>) {
        let Source::Locks(contender) = &mut self.source else { return };
        let Phase::Working(work) = &mut contender.phase else { return };
        let due = work.open.map_or(work.next.min(work.ends), |(_, until)| until);
        if work.wakes.is_none_or(|at| at > due) {
            work.wakes = Some(due);
            ctx.at(due, Timer::Work);
        }
    }

    /// Writes to what the lock guards, as long as it believes in it, and waits for the answer as for any attempt.
    fn write(&mut self, ctx: &mut Ctx<'_>) {
        let (Source::Locks(contender), Some(locking)) = (&mut self.source, &self.desk.config.locking) else {
            return;
        };
        let Phase::Working(work) = &mut contender.phase else { return };
        let Some(Writes { every, fencing, .. }) = locking.writes else { return };
        let (lock, token) = (work.lock, work.token);
        contender.last = contender.last.wrapping_add(1);
        let number = contender.last;
        work.next = ctx.now() + every;
        work.open = Some((number, ctx.now() + self.desk.config.timeout));
        if let Some(keeper) = contender.keeper(lock) {
            ctx.send(keeper, Message::Guarded(Box::new(GuardedWrite { number, lock, token, fencing })));
        }
    }

    /// A write to what the lock guards has been answered. One that is turned away has a newer holder to thank for it.
    pub fn on_guarded(&mut self, ctx: &mut Ctx<'_>, number: u32, is_taken: bool) {
        let Source::Locks(contender) = &mut self.source else { return };
        let Phase::Working(work) = &mut contender.phase else { return };
        if work.open.is_none_or(|(open, _)| open != number) {
            return;
        }
        work.open = None;
        if is_taken {
            return self.go_on(ctx);
        }
        let Work { slot, lock, .. } = *work;
        ctx.observe(Observation::LockLost { lock });
        self.give_back(ctx, None);
        self.finish(ctx, slot, Outcome::Failed);
        self.take_turn(ctx);
    }

    /// It has done what it wanted the lock for.
    fn leave(&mut self, ctx: &mut Ctx<'_>) {
        let Source::Locks(contender) = &mut self.source else { return };
        let Phase::Working(Work { slot, lock, .. }) = contender.phase else { return };
        ctx.observe(Observation::Released { lock });
        self.give_back(ctx, Some(slot));
    }

    fn give_back(&mut self, ctx: &mut Ctx<'_>, slot: Option<u32>) {
        let Source::Locks(contender) = &mut self.source else { return };
        contender.locker.unlock(ctx);
        contender.phase = if contender.locker.is_idle() { Phase::Idle } else { Phase::Leaving { slot } };
        if let (Phase::Idle, Some(slot)) = (contender.phase, slot) {
            self.finish(ctx, slot, Outcome::Success);
        }
    }

    /// The request's deadline has passed: unless it has the lock, it is over.
    pub(super) fn give_up_lock(&mut self, ctx: &mut Ctx<'_>, slot: u32) {
        let Source::Locks(contender) = &mut self.source else { return };
        match contender.phase {
            Phase::Trying { slot: trying, .. } if trying == slot => self.give_back(ctx, None),
            Phase::Working(Work { slot: busy, .. }) | Phase::Leaving { slot: Some(busy) } if busy == slot => {
                return;
            }
            Phase::Idle | Phase::Trying { .. } | Phase::Working(_) | Phase::Leaving { .. } => {
                contender.line.retain(|&waiting| waiting != slot);
            }
        }
        self.finish(ctx, slot, Outcome::Deadline);
        self.take_turn(ctx);
    }
}
