//! A lock as the Go client library's recipe has it: a session, which is a lease that is kept alive, and a mutex, which is a
//! key under a prefix: the oldest there is the holder's, and each waits for the one before its own to be deleted
//! (client/v3/concurrency/session.go, mutex.go and key.go, v3.6).
//!
//! The holder believes in its lock until it gives it back or its session is done: until the channel of keepalives closes,
//! which goes by the client's own clock and by the answers that it has had. It does not ask whether its key is still there.

use schism_core::{Duration, NodeId, ZoneId};

use super::Config;
use super::api::{Answer, Ask, Failure, Msg};
use super::claims;
use super::kept::{Beat, Kept, WAKE};
use super::session::{self, Session};
use super::store::LeaseId;
use crate::node::Ctx;
use crate::observation::Outcome;
use crate::registry::{self, Address, Turn};
use crate::waits::Wait;

/// What a locker reminds itself of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// The keepalive loop of a lease wakes.
    Wake(LeaseId),
    /// A connection that was refused or reset is tried again.
    Again,
}

/// A client's session and its mutex.
#[derive(Clone, Debug)]
pub struct Locker {
    session: Session,
    ttl: Duration,
    lease: Option<Kept>,
    stage: Stage,
    /// Whether it waits to try again.
    waits: bool,
}

/// Where the mutex stands.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Nobody wants it.
    Idle,
    /// There is no session yet.
    Granting {
        call: u32,
        lock: u32,
    },
    /// Its key is being put under the prefix.
    Taking {
        call: u32,
        lock: u32,
    },
    /// It looks for the key before its own.
    Looking {
        call: u32,
        lock: u32,
        mine: u64,
    },
    /// It waits for that key to be deleted.
    Waiting {
        lock: u32,
        mine: u64,
        before: LeaseId,
        after: u64,
    },
    /// It makes sure that its own is still there.
    Checking {
        call: u32,
        lock: u32,
        mine: u64,
    },
    Held {
        lock: u32,
    },
    /// Its key is being deleted.
    Dropping {
        call: u32,
    },
}

impl registry::Locker for Locker {
    type Msg = Msg;
    type Timer = super::Timer;

    fn waits(&self) -> Vec<Wait> {
        let mut waits = self.session.waits("lock");
        if let Stage::Waiting { lock, before, .. } = self.stage {
            let what = format!("lock {lock}, which lease {before:?} is before it for");
            waits.push(Wait::new("lock", what, [self.session.member()]));
        }
        waits
    }

    fn lock(&mut self, ctx: &mut Ctx<'_>, lock: u32) {
        assert!(matches!(self.stage, Stage::Idle), "one thing after the other");
        match self.lease {
            Some(Kept { lease, .. }) => self.take(ctx, lock, lease),
            None => {
                let call = self.ask(ctx, Ask::Grant { ttl: self.ttl });
                self.stage = Stage::Granting { call, lock };
            }
        }
    }

    fn unlock(&mut self, ctx: &mut Ctx<'_>) {
        let (lock, lease) = match (self.stage, self.lease) {
            (Stage::Idle | Stage::Dropping { .. }, _) => return,
            (_, None) | (Stage::Granting { .. }, _) => {
                self.stage = Stage::Idle;
                return;
            }
            (
                Stage::Taking { lock, .. }
                | Stage::Looking { lock, .. }
                | Stage::Waiting { lock, .. }
                | Stage::Checking { lock, .. }
                | Stage::Held { lock },
                Some(Kept { lease, .. }),
            ) => (lock, lease),
        };
        let call = self.ask(ctx, Ask::Claim(claims::Ask::Drop { lock, lease }));
        self.stage = Stage::Dropping { call };
    }

    fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> Option<Turn> {
        self.session.on_heard(ctx, from);
        match *msg {
            Msg::Answer { call, ref answer } => {
                let answer = self.session.on_answer(ctx, call, answer)?;
                self.on_answer(ctx, call, answer)
            }
            Msg::KeptAlive { lease, ttl } => self.on_kept_alive(ctx, lease, ttl),
            Msg::ClaimGone { lock, lease } => {
                self.on_gone(ctx, lock, lease);
                None
            }
            // What clients and members tell members, and what watchers of lists are told.
            Msg::Raft(_)
            | Msg::Forward { .. }
            | Msg::Forwarded { .. }
            | Msg::Ask { .. }
            | Msg::KeepAlive { .. }
            | Msg::Watch { .. }
            | Msg::WatchClaim { .. }
            | Msg::Changes(_)
            | Msg::Compacted { .. }
            | Msg::NoLeader { .. }
            | Msg::Ping
            | Msg::Pong => None,
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) -> Option<Turn> {
        match timer {
            super::Timer::Locker(Timer::Wake(lease)) => self.on_wake(ctx, lease),
            super::Timer::Locker(Timer::Again) => {
                self.waits = false;
                self.ask_again(ctx);
                None
            }
            super::Timer::Session(session::Timer::Unanswered { call }) => {
                let is_open = self.session.on_unanswered(call) && self.stage.waits_for(call);
                is_open.then(|| self.fail(ctx, Outcome::Timeout)).flatten()
            }
            super::Timer::Session(session::Timer::Silence { connection }) => {
                let is_dead = self.session.on_silence(ctx, connection);
                is_dead.then(|| self.turn_to_next(ctx)).flatten()
            }
            super::Timer::Member(_) | super::Timer::Registrar(_) | super::Timer::Subscriber(_) => {
                unreachable!("a locker has no {timer:?}")
            }
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) -> Option<Turn> {
        (peer == self.session.member()).then(|| self.on_refused(ctx)).flatten()
    }

    fn reconnect(&mut self, ctx: &mut Ctx<'_>) -> Option<Turn> {
        self.turn_to_next(ctx)
    }

    fn member(&self) -> NodeId {
        self.session.member()
    }
}

impl Stage {
    /// Whether it waits for the answer to a call.
    fn waits_for(self, call: u32) -> bool {
        match self {
            Stage::Idle | Stage::Waiting { .. } | Stage::Held { .. } => false,
            Stage::Granting { call: mine, .. }
            | Stage::Taking { call: mine, .. }
            | Stage::Looking { call: mine, .. }
            | Stage::Checking { call: mine, .. }
            | Stage::Dropping { call: mine } => mine == call,
        }
    }
}

impl Locker {
    /// A client in `zone` that wants no lock yet. Its sessions ask for leases of this time to live.
    pub fn new(address: &Address<Config>, zone: ZoneId, ttl: Duration, ctx: &Ctx<'_>) -> Locker {
        Locker {
            session: Session::new(address, zone, ctx),
            ttl,
            lease: None,
            stage: Stage::Idle,
            waits: false,
        }
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, ask: Ask) -> u32 {
        let timeout = self.session.config().request_timeout;
        self.session.ask(ctx, ask, timeout)
    }

    fn take(&mut self, ctx: &mut Ctx<'_>, lock: u32, lease: LeaseId) {
        let call = self.ask(ctx, Ask::Claim(claims::Ask::Take { lock, lease }));
        self.stage = Stage::Taking { call, lock };
    }

    /// Looks for the key that was put last before its own.
    fn look(&mut self, ctx: &mut Ctx<'_>, lock: u32, mine: u64) {
        let call = self.ask(ctx, Ask::Claim(claims::Ask::Before { lock, revision: mine }));
        self.stage = Stage::Looking { call, lock, mine };
    }

    fn check(&mut self, ctx: &mut Ctx<'_>, lock: u32, mine: u64) {
        let Some(Kept { lease, .. }) = self.lease else { return };
        let call = self.ask(ctx, Ask::Claim(claims::Ask::Mine { lock, lease }));
        self.stage = Stage::Checking { call, lock, mine };
    }

    fn wait(&mut self, ctx: &mut Ctx<'_>, lock: u32, mine: u64, before: LeaseId, after: u64) {
        self.session.send(ctx, Msg::WatchClaim { lock, lease: before, after });
        self.stage = Stage::Waiting { lock, mine, before, after };
    }

    fn on_answer(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &Answer) -> Option<Turn> {
        if !self.stage.waits_for(call) {
            return None;
        }
        match (self.stage, answer) {
            (_, Answer::Failed(Failure::LeaseNotFound)) => {
                self.lease = None;
                self.fail(ctx, Outcome::Rejected)
            }
            (_, Answer::Failed(_)) => self.fail(ctx, Outcome::Rejected),
            (Stage::Granting { lock, .. }, &Answer::Granted { lease, .. }) => {
                self.lease = Some(Kept::new(lease, ctx.now()));
                self.on_wake(ctx, lease);
                self.take(ctx, lock, lease);
                None
            }
            (Stage::Taking { lock, .. }, &Answer::Claim(claims::Answer::Taken { mine, first })) => {
                if mine == first {
                    return Some(self.hold(lock, mine));
                }
                self.look(ctx, lock, mine);
                None
            }
            (Stage::Looking { lock, mine, .. }, &Answer::Claim(claims::Answer::Found(header, found))) => {
                match found {
                    Some((_, before)) => self.wait(ctx, lock, mine, before, header.revision),
                    None => self.check(ctx, lock, mine),
                }
                None
            }
            (Stage::Checking { lock, mine, .. }, Answer::Claim(claims::Answer::Found(_, Some(_)))) => {
                Some(self.hold(lock, mine))
            }
            // "mutex: session is expired"
            (Stage::Checking { .. }, Answer::Claim(claims::Answer::Found(_, None))) => {
                self.fail(ctx, Outcome::Failed)
            }
            (Stage::Dropping { .. }, Answer::Claim(claims::Answer::Dropped)) => {
                self.stage = Stage::Idle;
                Some(Turn::Freed)
            }
            (stage, answer) => unreachable!("{answer:?} is no answer to {stage:?}"),
        }
    }

    fn hold(&mut self, lock: u32, token: u64) -> Turn {
        self.stage = Stage::Held { lock };
        Turn::Held { token }
    }

    /// The key before its own is gone: there may be another now.
    fn on_gone(&mut self, ctx: &mut Ctx<'_>, gone: u32, lease: LeaseId) {
        if let Stage::Waiting { lock, mine, before, .. } = self.stage
            && (lock, before) == (gone, lease)
        {
            self.look(ctx, lock, mine);
        }
    }

    /// The keepalive loop of the session wakes; a session that was closed has none.
    fn on_wake(&mut self, ctx: &mut Ctx<'_>, lease: LeaseId) -> Option<Turn> {
        let kept = self.lease.as_mut().filter(|kept| kept.lease == lease)?;
        match kept.beat(ctx.now()) {
            Beat::Lost => return self.on_done(),
            Beat::Renew => self.session.send(ctx, Msg::KeepAlive { lease }),
            Beat::Rest => {}
        }
        ctx.after(WAKE, Timer::Wake(lease).into());
        None
    }

    fn on_kept_alive(
        &mut self,
        ctx: &mut Ctx<'_>,
        lease: LeaseId,
        ttl: Result<Duration, Failure>,
    ) -> Option<Turn> {
        let kept = self.lease.as_mut().filter(|kept| kept.lease == lease)?;
        match ttl {
            Ok(Duration::ZERO) => self.on_done(),
            Ok(ttl) => {
                kept.on_kept(ttl, ctx.now());
                None
            }
            // The member cannot reach a leader: the stream ends, and goes on with another.
            Err(_) => self.turn_to_next(ctx),
        }
    }

    /// The session is done, as far as the client knows: the lock is lost, and whoever waits for it begins anew.
    fn on_done(&mut self) -> Option<Turn> {
        self.lease = None;
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => None,
            Stage::Held { .. } => Some(Turn::Lost),
            // The key has gone with the lease, or will.
            Stage::Dropping { .. } => Some(Turn::Freed),
            Stage::Granting { .. }
            | Stage::Taking { .. }
            | Stage::Looking { .. }
            | Stage::Waiting { .. }
            | Stage::Checking { .. } => Some(Turn::Failed(Outcome::Failed)),
        }
    }

    /// A call has failed: the session is closed (`defer session.Close()` in the recipe's examples), which ends its
    /// keepalives and revokes its lease, once and without waiting for the answer. A key that may be there or not goes with it.
    fn fail(&mut self, ctx: &mut Ctx<'_>, outcome: Outcome) -> Option<Turn> {
        if let Some(Kept { lease, .. }) = self.lease.take() {
            self.ask(ctx, Ask::Revoke { lease });
        }
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => None,
            Stage::Held { .. } => Some(Turn::Lost),
            Stage::Dropping { .. } => Some(Turn::Freed),
            Stage::Granting { .. }
            | Stage::Taking { .. }
            | Stage::Looking { .. }
            | Stage::Waiting { .. }
            | Stage::Checking { .. } => Some(Turn::Failed(outcome)),
        }
    }

    /// The connection is gone. Watches and reads go on with the next member, as the library has them; a write that was under
    /// way may have happened or not, and it does not ask twice.
    fn turn_to_next(&mut self, ctx: &mut Ctx<'_>) -> Option<Turn> {
        self.session.turn_to_next(ctx);
        self.ask_again(ctx);
        self.give_up(ctx)
    }

    /// The same where the connection was refused or reset, which takes no time: the library waits before it tries another.
    fn on_refused(&mut self, ctx: &mut Ctx<'_>) -> Option<Turn> {
        self.session.turn_to_next(ctx);
        if !self.waits {
            self.waits = true;
            ctx.after(session::RETRY, Timer::Again.into());
        }
        self.give_up(ctx)
    }

    /// Whatever it watched or read before the connection was gone.
    fn ask_again(&mut self, ctx: &mut Ctx<'_>) {
        match self.stage {
            Stage::Looking { lock, mine, .. } => self.look(ctx, lock, mine),
            Stage::Waiting { lock, mine, before, after } => self.wait(ctx, lock, mine, before, after),
            Stage::Checking { lock, mine, .. } => self.check(ctx, lock, mine),
            Stage::Idle
            | Stage::Held { .. }
            | Stage::Granting { .. }
            | Stage::Taking { .. }
            | Stage::Dropping { .. } => {}
        }
    }

    /// Of what it wrote nobody will tell.
    fn give_up(&mut self, ctx: &mut Ctx<'_>) -> Option<Turn> {
        match self.stage {
            Stage::Granting { .. } | Stage::Taking { .. } | Stage::Dropping { .. } => {
                self.fail(ctx, Outcome::Connect)
            }
            Stage::Idle
            | Stage::Held { .. }
            | Stage::Looking { .. }
            | Stage::Waiting { .. }
            | Stage::Checking { .. } => None,
        }
    }
}
