//! The key-value store: keys that clients share, sessions, and the locks that sessions hold.

use std::collections::BTreeMap;

use schism_core::{Duration, NodeId};

use super::Mode;
use crate::observation::{Cause, Value, Write};
use crate::registry::Pair;

/// A session's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

/// What a client asks of sessions and locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// A session (`/v1/session/create`).
    Create {
        /// Its time to live.
        ttl: Duration,
        /// Whose it is. No real request says so; it is for the witnesses.
        by: NodeId,
    },
    /// To begin a session's time to live anew (`/v1/session/renew`).
    Renew(SessionId),
    /// To end a session (`/v1/session/destroy`).
    Destroy(SessionId),
    /// To have a key for a session (`?acquire=`).
    Acquire(u32, SessionId),
    /// To give it back (`?release=`).
    Release(u32, SessionId),
    /// Who has a key.
    Look {
        /// The key.
        lock: u32,
        /// How it is read.
        mode: Mode,
        /// Wait until there is something later than this; 0 is not to wait.
        index: u64,
        /// No longer than this.
        wait: Duration,
    },
}

/// What a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The session.
    Created(SessionId),
    /// Whether there is such a session, whose time to live has begun anew.
    Renewed(bool),
    /// The session is no more, or the key is given back.
    Done,
    /// Whether the session has the key now, and as the how manieth that has it (`LockIndex`). A real answer says the first
    /// alone; who wants the second reads the key.
    Acquired(Option<u64>),
    /// Who has the key, as of an index.
    Holder {
        /// `X-Consul-Index`.
        index: u64,
        /// The session, if one has it.
        session: Option<SessionId>,
    },
}

/// What a log entry does to sessions and locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// A session begins.
    Create {
        /// Its number.
        session: SessionId,
        /// Its time to live.
        ttl: Duration,
        /// Whose it is, for the witnesses alone.
        by: NodeId,
    },
    /// A session ends, and gives back what it has.
    Destroy {
        /// Its number.
        session: SessionId,
        /// Why.
        cause: Cause,
    },
    /// A session takes a key, if nobody has it.
    Acquire(u32, SessionId),
    /// A session gives a key back, if it has it.
    Release(u32, SessionId),
}

/// A session.
#[derive(Clone, Copy, Debug)]
struct Session {
    ttl: Duration,
    by: NodeId,
}

/// A key that is a lock.
#[derive(Clone, Copy, Debug, Default)]
struct Lock {
    session: Option<SessionId>,
    /// How often it has been acquired (`LockIndex`).
    acquired: u64,
    /// The last entry that changed it (`ModifyIndex`).
    index: u64,
}

/// All keys and sessions as of an entry of the log.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    values: BTreeMap<u32, (u64, Value)>,
    sessions: BTreeMap<SessionId, Session>,
    locks: BTreeMap<u32, Lock>,
}

/// What a command about sessions and locks has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// What the witnesses are told.
    pub writes: Vec<Write>,
    /// Keys that have changed.
    pub touched: Vec<u32>,
    /// Keys that a session has lost with its end: nobody is to have them for a while.
    pub freed: Vec<u32>,
}

impl Keys {
    /// When a key was written last, and what.
    pub fn value(&self, key: u32) -> Option<(u64, Value)> {
        self.values.get(&key).copied()
    }

    /// A key is written.
    pub fn put(&mut self, index: u64, Pair { key, value }: Pair) {
        self.values.insert(key, (index, value));
    }

    /// All sessions with their time to live.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, Duration)> + '_ {
        self.sessions.iter().map(|(&id, session)| (id, session.ttl))
    }

    /// A session's time to live, if there is such a session.
    pub fn ttl(&self, session: SessionId) -> Option<Duration> {
        self.sessions.get(&session).map(|session| session.ttl)
    }

    /// Who has a key, and the last entry that changed that; never 0.
    pub fn holder(&self, lock: u32) -> (Option<SessionId>, u64) {
        let lock = self.locks.get(&lock).copied().unwrap_or_default();
        (lock.session, lock.index.max(1))
    }

    /// As the how manieth a session has a key, if it does.
    pub fn acquired(&self, lock: u32, session: SessionId) -> Option<u64> {
        self.locks.get(&lock).filter(|lock| lock.session == Some(session)).map(|lock| lock.acquired)
    }

    /// Does what an entry of the log says (agent/consul/state/session.go and kvs.go).
    pub fn apply(&mut self, index: u64, command: Command) -> Done {
        match command {
            Command::Create { session, ttl, by } => {
                self.sessions.insert(session, Session { ttl, by });
                Done { writes: vec![Write::Grant], ..Done::default() }
            }
            Command::Destroy { session, cause } => self.destroy(index, session, cause),
            Command::Acquire(lock, session) => self.acquire(index, lock, session),
            Command::Release(lock, session) => self.release(index, lock, session),
        }
    }

    /// What another state has taken from those who had it here.
    pub fn lost_to(&self, other: &Keys) -> Vec<Write> {
        let had = self.locks.iter().filter_map(|(&lock, state)| Some((lock, state.session?)));
        had.filter(|&(lock, session)| other.holder(lock).0 != Some(session))
            .filter_map(|(lock, session)| {
                Some(Write::Release { by: self.sessions.get(&session)?.by, lock, cause: Cause::Lost })
            })
            .collect()
    }

    /// Who has it already has it again, and that is no new acquisition.
    fn acquire(&mut self, index: u64, lock: u32, session: SessionId) -> Done {
        let Some(&Session { by, .. }) = self.sessions.get(&session) else { return Done::default() };
        let state = self.locks.entry(lock).or_default();
        match state.session {
            Some(holder) if holder != session => Done::default(),
            Some(_) => {
                state.index = index;
                Done { writes: vec![Write::Put], touched: vec![lock], ..Done::default() }
            }
            None => {
                *state = Lock { session: Some(session), acquired: state.acquired + 1, index };
                Done { writes: vec![Write::Claim { by, lock }], touched: vec![lock], ..Done::default() }
            }
        }
    }

    fn release(&mut self, index: u64, lock: u32, session: SessionId) -> Done {
        let held = self.locks.get_mut(&lock).filter(|state| state.session == Some(session));
        let Some((state, &Session { by, .. })) = held.zip(self.sessions.get(&session)) else {
            return Done::default();
        };
        *state = Lock { session: None, index, ..*state };
        let write = Write::Release { by, lock, cause: Cause::Revoked };
        Done { writes: vec![write], touched: vec![lock], ..Done::default() }
    }

    /// The keys of a session stay, and are nobody's (`SessionKeysRelease`).
    fn destroy(&mut self, index: u64, session: SessionId, cause: Cause) -> Done {
        let Some(Session { by, .. }) = self.sessions.remove(&session) else { return Done::default() };
        let mut freed = Vec::new();
        for (&lock, state) in self.locks.iter_mut().filter(|(_, state)| state.session == Some(session)) {
            *state = Lock { session: None, index, ..*state };
            freed.push(lock);
        }
        let writes = if freed.is_empty() {
            vec![Write::Revoke(cause)]
        } else {
            freed.iter().map(|&lock| Write::Release { by, lock, cause }).collect()
        };
        Done { writes, touched: freed.clone(), freed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: SessionId = SessionId(1);
    const TWO: SessionId = SessionId(2);

    fn keys() -> Keys {
        let mut keys = Keys::default();
        for (session, by) in [(ONE, 1), (TWO, 2)] {
            keys.apply(1, Command::Create { session, ttl: Duration::from_secs(15), by: NodeId(by) });
        }
        keys
    }

    #[test]
    fn one_session_has_a_key_and_each_new_holder_is_counted() {
        let mut keys = keys();
        keys.apply(5, Command::Acquire(0, ONE));
        keys.apply(6, Command::Acquire(0, TWO));
        assert_eq!((keys.acquired(0, ONE), keys.acquired(0, TWO)), (Some(1), None));
        keys.apply(7, Command::Acquire(0, ONE));
        assert_eq!((keys.acquired(0, ONE), keys.holder(0)), (Some(1), (Some(ONE), 7)));
        keys.apply(8, Command::Release(0, TWO));
        assert_eq!(keys.holder(0), (Some(ONE), 7));
        keys.apply(9, Command::Release(0, ONE));
        keys.apply(10, Command::Acquire(0, TWO));
        assert_eq!((keys.acquired(0, TWO), keys.holder(0)), (Some(2), (Some(TWO), 10)));
    }

    #[test]
    fn the_end_of_a_session_gives_back_what_it_has() {
        let mut keys = keys();
        keys.apply(5, Command::Acquire(0, ONE));
        let done = keys.apply(6, Command::Destroy { session: ONE, cause: Cause::Expired });
        let write = Write::Release { by: NodeId(1), lock: 0, cause: Cause::Expired };
        assert_eq!((done.writes, done.freed), (vec![write], vec![0]));
        assert_eq!(keys.holder(0), (None, 6));
        assert_eq!(keys.apply(7, Command::Acquire(0, ONE)), Done::default());
    }
}
