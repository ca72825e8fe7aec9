//! Single leader: never two registry leaders in one term.

use std::collections::BTreeMap;

use schism_core::NodeId;

use super::{Cast, Moment, Oracle, Shown, Sighting};
use crate::observation::Observation;

/// Remembers who led each term, and sees a second one.
#[derive(Clone)]
pub struct SingleLeader {
    leaders: BTreeMap<u64, NodeId>,
}

impl Oracle for SingleLeader {
    const SHOWN: Shown = Shown::Beliefs;

    fn new(_: &Cast) -> Self {
        SingleLeader { leaders: BTreeMap::new() }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let Observation::Leads { term } = seen else { return None };
        let first = *self.leaders.entry(*term).or_insert(by);
        let name = |node| moment.scene.name(node);
        let why = || format!("two leaders in term {term}: {} and {}", name(first), name(by));
        (first != by).then(|| Sighting::of(why(), [first, by]))
    }
}
