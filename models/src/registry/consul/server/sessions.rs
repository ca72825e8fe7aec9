//! Sessions at a server: the leader says when their time is up, and every server for how long their keys are nobody's.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Duration, NodeId, Time};

use super::super::Mode;
use super::super::api::{Answer, Timer};
use super::super::catalog::Command;
use super::super::keys::{self, SessionId};
use super::super::stagger::stagger;
use super::route::{Held, JITTER};
use super::{Asker, Member};
use crate::node::Ctx;
use crate::observation::{Cause, Observation};

/// The leader waits for twice the time to live, since what renews it may be late (agent/structs/structs.go,
/// `SessionTTLMultiplier`).
const TTLS: u64 = 2;
/// For how long nobody can have a key whose holder's session has ended: 15 s unless the session says otherwise
/// (agent/consul/session_endpoint.go; `LockDelay`, agent/structs/structs.go).
const LOCK_DELAY: Duration = Duration::from_secs(15);
/// When the leader could not end a session it tries again after 10 s, and after twice as long each time, six times in all
/// (agent/consul/session_ttl.go, `invalidateRetryBase`, `maxInvalidateAttempts`). Here it is always after 10 s.
const AGAIN: Duration = Duration::from_secs(10);

/// What a server knows of sessions besides the log.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    /// When each ends unless it is renewed; known to the leader alone.
    ends: BTreeMap<SessionId, Time>,
    due: BTreeSet<(Time, SessionId)>,
    /// The moment that a timer is set for.
    reminded: Option<Time>,
    /// Until when nobody can have a key, by this server's own clock.
    delays: BTreeMap<u32, Time>,
    /// Who waits for a key to change, by number.
    waits: BTreeMap<u32, (u32, Held)>,
    last: u32,
}

impl Sessions {
    fn end_at(&mut self, session: SessionId, at: Time) {
        self.forget(session);
        self.ends.insert(session, at);
        self.due.insert((at, session));
    }

    fn forget(&mut self, session: SessionId) {
        if let Some(before) = self.ends.remove(&session) {
            self.due.remove(&(before, session));
        }
    }

    /// A client has gone: what it waits for is nobody's.
    pub(super) fn forget_client(&mut self, node: NodeId) {
        self.waits.retain(|_, (_, held)| !held.asker.is(node));
    }

    /// This server does not lead any more.
    pub(super) fn stop(&mut self) {
        self.ends.clear();
        self.due.clear();
    }
}

impl Member {
    /// A new leader knows of no renewal: every session begins anew (`initializeSessionTimers`).
    pub(super) fn begin_sessions(&mut self, ctx: &mut Ctx<'_>) {
        let all: Vec<(SessionId, Duration)> = self.catalog.keys().sessions().collect();
        for (session, ttl) in all {
            self.sessions.end_at(session, ctx.now() + ttl * TTLS);
        }
        self.mind_sessions(ctx);
    }

    /// The time of some sessions may be up.
    pub(super) fn on_session_due(&mut self, ctx: &mut Ctx<'_>) {
        // A timer that was set before a sooner one was needed leaves that of the next in force.
        self.sessions.reminded = self.sessions.reminded.filter(|at| *at > ctx.now());
        let now = ctx.now();
        while let Some(&(at, session)) = self.sessions.due.first()
            && at <= now
        {
            self.sessions.end_at(session, now + AGAIN);
            let command = keys::Command::Destroy { session, cause: Cause::Expired };
            self.propose(ctx, Asker::Nobody, Command::Key(command));
        }
        self.mind_sessions(ctx);
        self.settle(ctx);
    }

    fn mind_sessions(&mut self, ctx: &mut Ctx<'_>) {
        let Some(&(first, _)) = self.sessions.due.first() else { return };
        if self.sessions.reminded.is_none_or(|reminded| first < reminded) {
            self.sessions.reminded = Some(first);
            ctx.at(first, Timer::Session.into());
        }
    }

    /// What was applied of sessions and keys.
    pub(super) fn follow_keys(&mut self, ctx: &mut Ctx<'_>, command: keys::Command, done: &keys::Done) {
        for &lock in &done.freed {
            self.sessions.delays.insert(lock, ctx.now() + LOCK_DELAY);
        }
        match command {
            keys::Command::Create { session, ttl, .. } if self.established => {
                self.sessions.end_at(session, ctx.now() + ttl * TTLS);
                self.mind_sessions(ctx);
            }
            keys::Command::Destroy { session, .. } => self.sessions.forget(session),
            keys::Command::Create { .. } | keys::Command::Acquire(..) | keys::Command::Release(..) => {}
        }
    }

    /// The leader serves what is asked of sessions and locks; what only reads is served as any read is.
    pub(super) fn serve_key(&mut self, ctx: &mut Ctx<'_>, held: Held, ask: keys::Ask) {
        let command = match ask {
            keys::Ask::Look { .. } => return self.read(ctx, held),
            keys::Ask::Renew(session) => return self.renew(ctx, held.asker, session),
            // Nobody has it for a while (agent/consul/kvs_endpoint.go, `kvsPreApply`).
            keys::Ask::Acquire(lock, _)
                if self.sessions.delays.get(&lock).is_some_and(|&until| ctx.now() < until) =>
            {
                return self.answer(ctx, held.asker, Answer::Key(keys::Answer::Acquired(None)));
            }
            keys::Ask::Acquire(lock, session) => keys::Command::Acquire(lock, session),
            keys::Ask::Release(lock, session) => keys::Command::Release(lock, session),
            keys::Ask::Destroy(session) => keys::Command::Destroy { session, cause: Cause::Revoked },
            keys::Ask::Create { ttl, by } => {
                let session = SessionId((self.me as u64) << 56 | (self.last + 1));
                keys::Command::Create { session, ttl, by }
            }
        };
        self.propose(ctx, held.asker, Command::Key(command));
        self.settle(ctx);
    }

    /// Only the leader knows when sessions end, so it renews them, and nothing is written (`session_endpoint.go`, `Renew`).
    fn renew(&mut self, ctx: &mut Ctx<'_>, asker: Asker, session: SessionId) {
        let ttl = self.catalog.keys().ttl(session);
        if let Some(ttl) = ttl {
            self.sessions.end_at(session, ctx.now() + ttl * TTLS);
            self.mind_sessions(ctx);
        }
        self.answer(ctx, asker, Answer::Key(keys::Answer::Renewed(ttl.is_some())));
    }

    /// What has become of a write.
    pub(super) fn key_answer(&self, command: keys::Command) -> Answer {
        Answer::Key(match command {
            keys::Command::Create { session, .. } => keys::Answer::Created(session),
            keys::Command::Destroy { .. } | keys::Command::Release(..) => keys::Answer::Done,
            keys::Command::Acquire(lock, session) => {
                keys::Answer::Acquired(self.catalog.keys().acquired(lock, session))
            }
        })
    }

    /// Looks who has a key, or waits until that is another's than at the index that was asked with.
    pub(super) fn look_at_lock(&mut self, ctx: &mut Ctx<'_>, held: Held, ask: keys::Ask) {
        let keys::Ask::Look { lock, index, wait, .. } = ask else { return };
        let (_, now) = self.shown().keys().holder(lock);
        if index == 0 || now > index {
            return self.tell_holder(ctx, held, lock);
        }
        let ends = wait + stagger(wait / JITTER, self.luck.draw());
        self.sessions.last = self.sessions.last.wrapping_add(1);
        let number = self.sessions.last;
        self.sessions.waits.insert(number, (lock, held));
        ctx.after(ends, Timer::Look(number).into());
    }

    /// Someone has waited for long enough for a key to change.
    pub(super) fn on_look(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        if let Some((lock, held)) = self.sessions.waits.remove(&number) {
            self.tell_holder(ctx, held, lock);
        }
    }

    /// Keys have changed: those who wait for that are woken. One that is to be consistent asks a quorum once more.
    pub(super) fn wake_locks(&mut self, ctx: &mut Ctx<'_>, locks: &BTreeSet<u32>) {
        let waits = std::mem::take(&mut self.sessions.waits);
        let (woken, waits): (BTreeMap<_, _>, _) =
            waits.into_iter().partition(|(_, (lock, _))| locks.contains(lock));
        self.sessions.waits = waits;
        for (lock, held) in woken.into_values() {
            if held.ask.mode() == Some(Mode::Consistent) {
                self.read(ctx, held);
            } else {
                self.tell_holder(ctx, held, lock);
            }
        }
    }

    /// The state that they waited at is no more.
    pub(super) fn wake_all_locks(&mut self, ctx: &mut Ctx<'_>) {
        let all = self.sessions.waits.values().map(|(lock, _)| *lock).collect();
        self.wake_locks(ctx, &all);
    }

    fn tell_holder(&mut self, ctx: &mut Ctx<'_>, held: Held, lock: u32) {
        ctx.observe(Observation::Read);
        let (session, index) = self.shown().keys().holder(lock);
        self.answer(ctx, held.asker, Answer::Key(keys::Answer::Holder { index, session }));
    }
}
