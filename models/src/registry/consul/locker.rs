//! A lock as the Go client library has it (api/lock.go): a session with a time to live, a key that it acquires, a blocking
//! query that waits for the key to be free, and one that watches whether it still has it.
//!
//! The holder believes in its lock until that watch says otherwise or fails. Behind a silent cut it does neither, for as
//! long as TCP waits; what protects the next holder then is that nobody can have the key for a while after the session has
//! ended (`LockDelay`).

use schism_core::{Duration, NodeId, Time, ZoneId};

use super::api::{Answer, Ask, Msg, Timer};
use super::keys::{self, SessionId};
use super::link::Link;
use super::{Config, Mode};
use crate::node::Ctx;
use crate::observation::Outcome;
use crate::registry::{self, Address, Turn};

/// How long a query for the key waits at a time: 15 s (`DefaultLockWaitTime`).
const WAIT: Duration = Duration::from_secs(15);
/// How long it is left alone that could not be had though nobody had it: 5 s (`DefaultLockRetryTime`).
const RETRY: Duration = Duration::from_secs(5);
/// How soon a renewal that failed is tried again: 1 s (api/session.go, `RenewPeriodic`).
const RENEW_AGAIN: Duration = Duration::from_secs(1);

/// A client's session and its lock. Each hold has a session of its own.
#[derive(Clone, Debug)]
pub struct Locker {
    link: Link,
    ttl: Duration,
    session: Option<Session>,
    stage: Stage,
    /// The number of the last timer of each kind.
    timers: u32,
}

/// A session that is being renewed.
#[derive(Clone, Copy, Debug)]
struct Session {
    id: SessionId,
    /// The renewal that was not answered.
    call: Option<u32>,
    /// When it was renewed last, by the client's own clock.
    renewed: Time,
    timer: u32,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Idle,
    Creating {
        call: u32,
        lock: u32,
    },
    /// It waits until nobody has the key.
    Looking {
        call: u32,
        lock: u32,
        /// Whether it looks why it could not have it.
        why: bool,
    },
    Acquiring {
        call: u32,
        lock: u32,
    },
    /// It waits for a while.
    Resting {
        timer: u32,
        lock: u32,
    },
    /// It has the key, and watches that.
    Held {
        call: u32,
        lock: u32,
    },
    Releasing {
        call: u32,
    },
}

impl registry::Locker for Locker {
    type Msg = Msg;
    type Timer = Timer;

    fn lock(&mut self, ctx: &mut Ctx<'_>, lock: u32) {
        assert!(matches!(self.stage, Stage::Idle), "one thing after the other");
        let call = self.ask(ctx, keys::Ask::Create { ttl: self.ttl, by: ctx.me() });
        self.stage = Stage::Creating { call, lock };
    }

    fn unlock(&mut self, ctx: &mut Ctx<'_>) {
        match (self.stage, self.session) {
            (Stage::Held { lock, .. }, Some(session)) => {
                let call = self.ask(ctx, keys::Ask::Release(lock, session.id));
                self.stage = Stage::Releasing { call };
            }
            (Stage::Releasing { .. }, _) => {}
            (
                Stage::Idle
                | Stage::Creating { .. }
                | Stage::Looking { .. }
                | Stage::Acquiring { .. }
                | Stage::Resting { .. }
                | Stage::Held { .. },
                _,
            ) => self.close(ctx),
        }
    }

    fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> Option<Turn> {
        let (call, answer) = self.link.on_message(ctx, from, msg)?;
        if self.session.is_some_and(|session| session.call == Some(call)) {
            self.on_renewed(ctx, answer);
            return None;
        }
        self.stage.waits_for(call).then(|| self.on_answer(ctx, answer)).flatten()
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) -> Option<Turn> {
        match timer {
            Timer::Call(call) => {
                let is_open = self.link.on_unanswered(call);
                if is_open && self.session.is_some_and(|session| session.call == Some(call)) {
                    self.renew_again(ctx);
                    return None;
                }
                (is_open && self.stage.waits_for(call)).then(|| self.fail(ctx, Outcome::Timeout)).flatten()
            }
            Timer::Pulse(number) => self.link.on_pulse(ctx, number).then(|| self.leave(ctx)).flatten(),
            Timer::Retry(number) => {
                if let Stage::Resting { timer, lock } = self.stage
                    && timer == number
                {
                    self.look(ctx, lock, 0, false);
                }
                None
            }
            Timer::Renew(number) => {
                if self.session.is_some_and(|session| session.timer == number) {
                    self.renew(ctx);
                }
                None
            }
            Timer::Raft(_)
            | Timer::Gossip(_)
            | Timer::Entropy(_)
            | Timer::Synced
            | Timer::Wake
            | Timer::Reconcile(_)
            | Timer::Lag
            | Timer::Ttl
            | Timer::Reap
            | Timer::Tell(_)
            | Timer::Pass(_)
            | Timer::Session
            | Timer::Look(_)
            | Timer::Late(_) => unreachable!("a locker has no {timer:?}"),
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) -> Option<Turn> {
        (peer == self.link.server()).then(|| self.leave(ctx)).flatten()
    }

    fn reconnect(&mut self, ctx: &mut Ctx<'_>) -> Option<Turn> {
        self.leave(ctx)
    }

    fn member(&self) -> NodeId {
        self.link.server()
    }
}

impl Stage {
    fn waits_for(self, call: u32) -> bool {
        match self {
            Stage::Idle | Stage::Resting { .. } => false,
            Stage::Creating { call: mine, .. }
            | Stage::Looking { call: mine, .. }
            | Stage::Acquiring { call: mine, .. }
            | Stage::Held { call: mine, .. }
            | Stage::Releasing { call: mine } => mine == call,
        }
    }
}

impl Locker {
    /// A client in `zone` that wants no lock yet. Its sessions have this time to live.
    pub fn new(address: &Address<Config>, zone: ZoneId, ttl: Duration, ctx: &Ctx<'_>) -> Locker {
        Locker { link: Link::new(address, zone, ctx), ttl, session: None, stage: Stage::Idle, timers: 0 }
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, ask: keys::Ask) -> u32 {
        let timeout = self.link.config().request_timeout;
        self.link.ask(ctx, Ask::Key(ask), timeout)
    }

    fn look(&mut self, ctx: &mut Ctx<'_>, lock: u32, index: u64, why: bool) {
        let mode = self.link.config().reads;
        let call = self.ask(ctx, keys::Ask::Look { lock, mode, index, wait: WAIT });
        self.stage = Stage::Looking { call, lock, why };
    }

    /// Waits until the key is another's (`monitorLock`).
    fn watch(&mut self, ctx: &mut Ctx<'_>, lock: u32, index: u64) {
        let wait = self.link.config().wait;
        let call = self.ask(ctx, keys::Ask::Look { lock, mode: Mode::Consistent, index, wait });
        self.stage = Stage::Held { call, lock };
    }

    fn on_answer(&mut self, ctx: &mut Ctx<'_>, answer: &Answer) -> Option<Turn> {
        let Answer::Key(answer) = *answer else { return self.fail(ctx, Outcome::Rejected) };
        match (self.stage, answer) {
            (Stage::Creating { lock, .. }, keys::Answer::Created(id)) => {
                self.session = Some(Session { id, call: None, renewed: ctx.now(), timer: 0 });
                self.renew_after(ctx, self.ttl / 2);
                self.look(ctx, lock, 0, false);
                None
            }
            (Stage::Looking { lock, .. }, keys::Answer::Holder { index, session: Some(_) }) => {
                self.look(ctx, lock, index, false);
                None
            }
            // Nobody had it, and still it could not be had: its last holder's session has just ended.
            (Stage::Looking { lock, why: true, .. }, keys::Answer::Holder { session: None, .. }) => {
                self.timers = self.timers.wrapping_add(1);
                ctx.after(RETRY, Timer::Retry(self.timers).into());
                self.stage = Stage::Resting { timer: self.timers, lock };
                None
            }
            (Stage::Looking { lock, .. }, keys::Answer::Holder { session: None, .. }) => {
                let Some(Session { id, .. }) = self.session else { return self.fail(ctx, Outcome::Failed) };
                let call = self.ask(ctx, keys::Ask::Acquire(lock, id));
                self.stage = Stage::Acquiring { call, lock };
                None
            }
            (Stage::Acquiring { lock, .. }, keys::Answer::Acquired(Some(token))) => {
                self.watch(ctx, lock, 0);
                Some(Turn::Held { token })
            }
            (Stage::Acquiring { lock, .. }, keys::Answer::Acquired(None)) => {
                self.look(ctx, lock, 0, true);
                None
            }
            (Stage::Held { lock, .. }, keys::Answer::Holder { index, session }) => {
                if session.is_some() && session == self.session.map(|session| session.id) {
                    self.watch(ctx, lock, index);
                    return None;
                }
                self.close(ctx);
                Some(Turn::Lost)
            }
            (Stage::Releasing { .. }, keys::Answer::Done) => {
                self.close(ctx);
                Some(Turn::Freed)
            }
            (stage, answer) => unreachable!("{answer:?} is no answer to {stage:?}"),
        }
    }

    fn renew_after(&mut self, ctx: &mut Ctx<'_>, after: Duration) {
        self.timers = self.timers.wrapping_add(1);
        let Some(session) = &mut self.session else { return };
        (session.timer, session.call) = (self.timers, None);
        ctx.after(after, Timer::Renew(self.timers).into());
    }

    /// The session could not be renewed: it is tried again, unless that has failed for as long as the session lives. Then it is
    /// given up, which says nothing of the lock (api/session.go, `RenewPeriodic`).
    fn renew_again(&mut self, ctx: &mut Ctx<'_>) {
        if self.session.is_some_and(|session| ctx.now().since(session.renewed) <= self.ttl) {
            self.renew_after(ctx, RENEW_AGAIN);
        }
    }

    /// It is time to renew the session.
    fn renew(&mut self, ctx: &mut Ctx<'_>) {
        let Some(Session { id, .. }) = self.session else { return };
        let call = self.ask(ctx, keys::Ask::Renew(id));
        if let Some(session) = &mut self.session {
            session.call = Some(call);
        }
    }

    fn on_renewed(&mut self, ctx: &mut Ctx<'_>, answer: &Answer) {
        if let Answer::Key(keys::Answer::Renewed(is_there)) = *answer {
            if is_there {
                if let Some(session) = &mut self.session {
                    session.renewed = ctx.now();
                }
                self.renew_after(ctx, self.ttl / 2);
            }
        } else {
            self.renew_again(ctx);
        }
    }

    /// The session is not renewed any more, and is to end, once the key that it may have is given back; the answers are not
    /// waited for.
    fn close(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(Session { id, .. }) = self.session.take() {
            if let Stage::Held { lock, .. } = self.stage {
                self.ask(ctx, keys::Ask::Release(lock, id));
            }
            self.ask(ctx, keys::Ask::Destroy(id));
        }
        self.stage = Stage::Idle;
    }

    /// A call has failed: there is no lock, or it is lost.
    fn fail(&mut self, ctx: &mut Ctx<'_>, outcome: Outcome) -> Option<Turn> {
        let stage = self.stage;
        self.close(ctx);
        match stage {
            Stage::Idle => None,
            Stage::Held { .. } => Some(Turn::Lost),
            Stage::Releasing { .. } => Some(Turn::Freed),
            Stage::Creating { .. }
            | Stage::Looking { .. }
            | Stage::Acquiring { .. }
            | Stage::Resting { .. } => Some(Turn::Failed(outcome)),
        }
    }

    /// The connection is gone, and with it all calls.
    fn leave(&mut self, ctx: &mut Ctx<'_>) -> Option<Turn> {
        self.link.turn_to_next(ctx);
        if self.session.is_some_and(|session| session.call.is_some()) {
            self.renew_again(ctx);
        }
        match self.stage {
            Stage::Idle | Stage::Resting { .. } => None,
            Stage::Creating { .. }
            | Stage::Looking { .. }
            | Stage::Acquiring { .. }
            | Stage::Held { .. }
            | Stage::Releasing { .. } => self.fail(ctx, Outcome::Connect),
        }
    }
}
