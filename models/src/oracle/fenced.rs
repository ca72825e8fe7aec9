//! Fenced: what a lock guards never accepts a write with an older token after one with a newer, and of nobody else with the
//! same.
//!
//! A token is one hold's. Where two holders have the same, numbers tell nobody which of them is the later, and a store that
//! turns away what is older takes the writes of both: a registry that is restored from a backup counts on from before, and
//! gives out tokens again.

use std::collections::BTreeMap;

use schism_core::{NodeId, Time};

use super::{Cast, Moment, Mood, Need, Oracle, Shown, Sighting, Told};
use crate::observation::Observation;
use crate::options::Nothing;

/// Remembers the write with the newest token that was accepted, of each lock.
#[derive(Clone)]
pub struct Fenced {
    newest: BTreeMap<u32, Accepted>,
}

/// Who wrote, with which token, and when that was accepted.
#[derive(Clone, Copy)]
struct Accepted {
    by: NodeId,
    token: u64,
    at: Time,
}

impl Oracle for Fenced {
    type Config = Nothing;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Breaks];
    const NEEDS: &'static [Need] = &[Need::Locks, Need::GuardedWrites];

    fn new(_: &Nothing, _: &Cast) -> Self {
        Fenced { newest: BTreeMap::new() }
    }

    fn observe(&mut self, moment: &Moment<'_>, keeper: NodeId, seen: &Observation) -> Option<Sighting> {
        let Observation::GuardedWrite { lock, token, by } = *seen else { return None };
        let now = moment.scene.now();
        let newest = self.newest.entry(lock).or_insert(Accepted { by, token, at: now });
        if token > newest.token || (token == newest.token && by == newest.by) {
            *newest = Accepted { by, token, at: now };
            return None;
        }
        let name = |node| moment.scene.name(node);
        let before = match newest.token == token {
            true => "the same token".to_owned(),
            false => format!("token {}", newest.token),
        };
        let why = format!(
            "{} accepted a write of {} with token {token} of lock {lock}, {} after one of {} with {before}",
            name(keeper),
            name(by),
            now.since(newest.at),
            name(newest.by),
        );
        Some(Sighting::of(why, [by, keeper, newest.by]))
    }

    fn untested(&self, _: &Told<'_>) -> Option<String> {
        self.newest.is_empty().then(|| "nothing was written to what a lock guards".to_owned())
    }

    fn instead(&self, _: &Told<'_>) -> String {
        let locks = self.newest.len();
        format!("tokens only grew: writes guarded by {locks} locks were accepted")
    }
}
