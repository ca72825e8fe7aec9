//! Locks: who holds which, by the registry's word and by its own belief, and who waits.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{NodeId, Time};
use schism_models::node::Process;
use schism_models::observation::Cause;
use serde::Serialize;

use super::Inspection;

/// One lock at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LockView {
    /// Its number.
    pub lock: u32,
    /// The claims that the registry has, oldest first: the first is the holder's, the others are in line.
    pub claims: Vec<ClaimView>,
    /// The clients that believe that they hold it.
    pub believers: Vec<Believer>,
    /// The clients that want it, in line or on their way there.
    pub wanted_by: Vec<String>,
}

/// A claim that the registry has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimView {
    /// Whose.
    pub by: String,
    /// Since when.
    pub since_s: f64,
}

/// Someone who believes that it holds a lock.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Believer {
    /// Who.
    pub client: String,
    /// The number that came with the lock.
    pub token: u64,
    /// Since when.
    pub since_s: f64,
    /// When the registry dropped its claim, if it has: the belief is wrong since then.
    pub dropped_s: Option<f64>,
    /// Why it did: `expired`, `revoked`, `lost`.
    pub because: Option<&'static str>,
}

impl<P: Process> Inspection<P> {
    /// The locks that anybody has ever claimed or acquired.
    pub fn locks(&self) -> Vec<LockView> {
        let locks = &self.now.witness().locks;
        locks.known().into_iter().map(|lock| self.lock(lock)).collect()
    }

    fn lock(&self, lock: u32) -> LockView {
        let kept = &self.now.witness().locks;
        let name = |node: NodeId| self.names.one(node);
        let secs = Time::as_secs_f64;
        let claims = kept.claims.iter().filter(|claim| claim.lock == lock);
        let claims = claims.map(|claim| ClaimView { by: name(claim.by), since_s: secs(claim.since) });
        let believers = kept.beliefs.iter().filter(|((of, _), _)| *of == lock).map(|(&(_, by), belief)| {
            let dropped = kept.dropped.get(&(lock, by)).filter(|(at, _)| *at >= belief.since);
            Believer {
                client: name(by),
                token: belief.token,
                since_s: secs(belief.since),
                dropped_s: dropped.map(|(at, _)| secs(*at)),
                because: dropped.map(|(_, cause)| match cause {
                    Cause::Expired => "expired",
                    Cause::Revoked => "revoked",
                    Cause::Lost => "lost",
                }),
            }
        });
        let wants = format!("lock {lock}");
        let nodes = (0..self.names.count()).map(NodeId);
        let wanted_by = nodes.filter(|node| {
            let actor = self.now.world().actor(*node);
            actor.is_some_and(|actor| actor.node().waits().iter().any(|wait| wait.what == wants))
        });
        LockView {
            lock,
            claims: claims.collect(),
            believers: believers.collect(),
            wanted_by: wanted_by.map(name).collect(),
        }
    }
}

/// What of locks has been observed so far.
#[derive(Clone, Default)]
pub(super) struct Locks {
    claims: Vec<Claim>,
    /// By lock and client.
    beliefs: BTreeMap<(u32, NodeId), Belief>,
    /// When a client's claim was dropped last, and why.
    dropped: BTreeMap<(u32, NodeId), (Time, Cause)>,
}

#[derive(Clone, Copy)]
struct Claim {
    lock: u32,
    by: NodeId,
    since: Time,
}

#[derive(Clone, Copy)]
struct Belief {
    token: u64,
    since: Time,
}

impl Locks {
    /// The registry has taken a claim.
    pub(super) fn claim(&mut self, lock: u32, by: NodeId, now: Time) {
        if !self.claims.iter().any(|claim| (claim.lock, claim.by) == (lock, by)) {
            self.claims.push(Claim { lock, by, since: now });
        }
        self.dropped.remove(&(lock, by));
    }

    /// The registry has dropped one.
    pub(super) fn drop_claim(&mut self, lock: u32, by: NodeId, cause: Cause, now: Time) {
        self.claims.retain(|claim| (claim.lock, claim.by) != (lock, by));
        self.dropped.insert((lock, by), (now, cause));
    }

    /// A client believes that it holds a lock.
    pub(super) fn acquired(&mut self, lock: u32, by: NodeId, token: u64, now: Time) {
        self.beliefs.insert((lock, by), Belief { token, since: now });
    }

    /// A client believes so no longer.
    pub(super) fn given_up(&mut self, lock: u32, by: NodeId) {
        self.beliefs.remove(&(lock, by));
    }

    /// Who is dead believes nothing.
    pub(super) fn died(&mut self, node: NodeId) {
        self.beliefs.retain(|(_, by), _| *by != node);
    }

    /// The locks that there ever were.
    fn known(&self) -> Vec<u32> {
        let claims = self.claims.iter().map(|claim| claim.lock);
        let others = self.beliefs.keys().chain(self.dropped.keys()).map(|(lock, _)| *lock);
        claims.chain(others).collect::<BTreeSet<u32>>().into_iter().collect()
    }
}
