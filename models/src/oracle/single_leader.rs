//! Single leader: never two registry leaders in one term, and if asked for, none that serves reads or renews leases when a
//! newer one leads.

use std::collections::BTreeMap;

use schism_core::{Fault, NodeId};

use super::{Cast, Moment, Mood, Need, Oracle, Shown, Sighting, Told};
use crate::observation::Observation;
use crate::options::options;

options! {
    /// What two leaders may not do.
    pub struct Config {
        serving: bool = false, "serving", Flag, "Whether a leader may not serve a read either once a newer one has been elected: etcd's serializable reads, Consul's default ones and ZooKeeper's do so by design";
        renewing: bool = false, "renewing", Flag, "Whether a leader may not renew a lease either once a newer one has been elected: etcd's leader does so by design until it learns of the newer one";
    }
}

/// Remembers who led each term and who leads by its own lights, and sees a second one.
#[derive(Clone)]
pub struct SingleLeader {
    serving: bool,
    renewing: bool,
    leaders: BTreeMap<u64, NodeId>,
    /// Members that hold themselves to be leaders: of which term.
    reigns: BTreeMap<NodeId, u64>,
}

impl Oracle for SingleLeader {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Breaks];
    const NEEDS: &'static [Need] = &[Need::Leaders];

    fn new(config: &Config, _: &Cast) -> Self {
        let Config { serving, renewing } = *config;
        SingleLeader { serving, renewing, leaders: BTreeMap::new(), reigns: BTreeMap::new() }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        if let Observation::Leads { term } = seen {
            self.reigns.insert(by, *term);
            let first = *self.leaders.entry(*term).or_insert(by);
            let name = |node| moment.scene.name(node);
            let why = || format!("two leaders in term {term}: {} and {}", name(first), name(by));
            return (first != by).then(|| Sighting::of(why(), [first, by]));
        }
        if let Observation::Deposed { .. } = seen {
            self.reigns.remove(&by);
        }
        let did = if self.serving && matches!(seen, Observation::Read) {
            "served a read"
        } else if self.renewing && matches!(seen, Observation::Extended) {
            "renewed a lease"
        } else {
            return None;
        };
        let (newer, term) = self.outdone(by)?;
        let (by_name, newer_name) = (moment.scene.name(by), moment.scene.name(newer));
        let why =
            format!("{by_name} {did} as the leader, though {newer_name} had been elected in term {term}");
        Some(Sighting::of(why, [by, newer]))
    }

    /// Who dies leads no more.
    fn on_fault(&mut self, _: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        if let Fault::Crash(node, _) = fault {
            self.reigns.remove(node);
        }
        None
    }

    fn untested(&self, told: &Told<'_>) -> Option<String> {
        (told.has_leader && told.leaders == 0).then(|| "no leader was ever elected".to_owned())
    }

    fn instead(&self, told: &Told<'_>) -> String {
        let did = match (self.serving, self.renewing) {
            (false, false) => "",
            (true, false) => ", and none served a read after the next",
            (false, true) => ", and none renewed a lease after the next",
            (true, true) => ", and none served a read or renewed a lease after the next",
        };
        format!("no term had two leaders{did}; {} were elected", told.leaders)
    }
}

impl SingleLeader {
    /// The newest leader and its term, if this member holds itself to be the leader of an older one.
    fn outdone(&self, by: NodeId) -> Option<(NodeId, u64)> {
        let own = self.reigns.get(&by)?;
        let (term, newest) = self.leaders.last_key_value()?;
        (term > own).then_some((*newest, *term))
    }
}
