//! Reign: for how long more than one member held itself to be the leader.

use std::collections::BTreeSet;

use schism_core::{Duration, NodeId, Time};
use schism_models::observation::Observation;

use super::rivalry::Rivalry;

/// Who leads, as each sees it: in terms of their own, so that no two lead one term, yet two may lead at one time.
#[derive(Clone, Default)]
pub(crate) struct Reign {
    leaders: BTreeSet<NodeId>,
    rivals: Rivalry,
    any: bool,
}

impl Reign {
    pub(crate) fn observe(&mut self, now: Time, by: NodeId, seen: &Observation) {
        if let Observation::Leads { .. } = seen {
            self.any = true;
            self.leaders.insert(by);
        } else if let Observation::Deposed { .. } = seen {
            self.leaders.remove(&by);
        }
        self.follow(now);
    }

    /// A member's process has died.
    pub(crate) fn on_crash(&mut self, now: Time, node: NodeId) {
        self.leaders.remove(&node);
        self.follow(now);
    }

    /// For how long, in all, there was more than one; nothing if there never was one.
    pub(crate) fn rivals(&self, end: Time) -> Option<Duration> {
        self.any.then(|| self.rivals.until(end))
    }

    fn follow(&mut self, now: Time) {
        self.rivals.follow(now, self.leaders.len() > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_leaders_count_until_one_knows_better() {
        let mut reign = Reign::default();
        let at = |secs| Time::START + Duration::from_secs(secs);
        assert_eq!(reign.rivals(at(1)), None);
        reign.observe(at(1), NodeId(0), &Observation::Leads { term: 1 });
        reign.observe(at(5), NodeId(1), &Observation::Leads { term: 2 });
        assert_eq!(reign.rivals(at(6)), Some(Duration::from_secs(1)));
        reign.observe(at(7), NodeId(0), &Observation::Deposed { term: 1 });
        reign.on_crash(at(9), NodeId(1));
        assert_eq!(reign.rivals(at(20)), Some(Duration::from_secs(2)));
    }
}
