//! Single holder: never two that believe at once that they hold the same lock.
//!
//! What counts is what the holders believe, for it is by that that they act; the registry's log says which of them is
//! wrong. A process that is paused believes what it did, and one that has died believes nothing.

use std::collections::BTreeMap;

use schism_core::{Fault, NodeId, Time};

use super::{Cast, Moment, Mood, Need, Oracle, Shown, Sighting, Told};
use crate::observation::{Observation, Write};
use crate::options::Nothing;

/// Remembers who believes that it holds which lock, and whose claims are gone.
#[derive(Clone)]
pub struct SingleHolder {
    /// By lock, then by holder.
    beliefs: BTreeMap<u32, BTreeMap<NodeId, Belief>>,
    /// When the registry dropped a claim: whose, and on which lock.
    gone: BTreeMap<(NodeId, u32), Time>,
    /// How often a lock was acquired.
    acquired: u64,
}

/// Since when someone believes, and the number that it was given.
#[derive(Clone, Copy)]
struct Belief {
    since: Time,
    token: u64,
}

impl Oracle for SingleHolder {
    type Config = Nothing;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Breaks];
    const NEEDS: &'static [Need] = &[Need::Locks];

    fn new(_: &Nothing, _: &Cast) -> Self {
        SingleHolder { beliefs: BTreeMap::new(), gone: BTreeMap::new(), acquired: 0 }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        if let Observation::Committed { .. } | Observation::Wrote(_) = seen {
            self.follow(moment);
        }
        if let Observation::Released { lock } | Observation::LockLost { lock } = seen {
            self.beliefs.entry(*lock).or_default().remove(&by);
        }
        let Observation::Acquired { lock, token } = *seen else { return None };
        self.on_acquired(moment, by, lock, token)
    }

    fn on_fault(&mut self, _: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        if let Fault::Crash(node, _) = fault {
            self.beliefs.values_mut().for_each(|holders| {
                holders.remove(node);
            });
        }
        None
    }

    fn untested(&self, _: &Told<'_>) -> Option<String> {
        (self.acquired == 0).then(|| "nobody ever held a lock".to_owned())
    }

    fn instead(&self, _: &Told<'_>) -> String {
        format!(
            "nobody believed in a lock that another believed in; they were acquired {} times",
            self.acquired
        )
    }
}

impl SingleHolder {
    /// What the registry's members have agreed on.
    fn follow(&mut self, moment: &Moment<'_>) {
        for write in moment.record.register.fresh() {
            if let Write::Claim { by, lock } = *write {
                self.gone.remove(&(by, lock));
            }
            if let Write::Release { by, lock, .. } = *write {
                self.gone.insert((by, lock), moment.scene.now());
            }
        }
    }

    fn on_acquired(&mut self, moment: &Moment<'_>, by: NodeId, lock: u32, token: u64) -> Option<Sighting> {
        self.acquired += 1;
        let now = moment.scene.now();
        let holders = self.beliefs.entry(lock).or_default();
        let other =
            holders.iter().find(|(holder, _)| **holder != by).map(|(&holder, &belief)| (holder, belief));
        holders.insert(by, Belief { since: now, token });
        let (other, belief) = other?;
        let name = |node| moment.scene.name(node);
        let wrongly = match self.gone.get(&(other, lock)) {
            Some(&gone) => format!("wrongly for {}: the registry had taken it away", now.since(gone)),
            None => "and the registry has not taken it away".to_owned(),
        };
        let why = format!(
            "two hold lock {lock}: {} has acquired it (token {token}), and {} has believed in it since {} (token {}), {wrongly}",
            name(by),
            name(other),
            belief.since,
            belief.token,
        );
        Some(Sighting::of(why, [other, by]))
    }
}
