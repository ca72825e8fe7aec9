//! Fenced: what a lock guards never accepts a write with an older token after one with a newer.

use std::collections::BTreeMap;

use schism_core::{NodeId, Time};

use super::{Cast, Moment, Mood, Oracle, Shown, Sighting, Told};
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

    fn new(_: &Nothing, _: &Cast) -> Self {
        Fenced { newest: BTreeMap::new() }
    }

    fn observe(&mut self, moment: &Moment<'_>, keeper: NodeId, seen: &Observation) -> Option<Sighting> {
        let Observation::GuardedWrite { lock, token, by } = *seen else { return None };
        let now = moment.scene.now();
        let newest = self.newest.entry(lock).or_insert(Accepted { by, token, at: now });
        if token >= newest.token {
            *newest = Accepted { by, token, at: now };
            return None;
        }
        let name = |node| moment.scene.name(node);
        let why = format!(
            "{} accepted a write of {} with token {token} of lock {lock}, {} after one of {} with token {}",
            name(keeper),
            name(by),
            now.since(newest.at),
            name(newest.by),
            newest.token,
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
