//! Single leader: never two registry leaders in one term, and if asked for, none that serves when a newer one leads.

use std::collections::BTreeMap;

use schism_core::{Fault, NodeId};

use super::{Cast, Moment, Mood, Oracle, Shown, Sighting, Told};
use crate::observation::Observation;
use crate::options::options;

options! {
    /// What two leaders may not do.
    pub struct Config {
        serving: bool = false, "serving", Flag, "Whether a leader may not serve a read or renew a lease once a newer one has been elected: etcd's serializable reads, Consul's default ones and ZooKeeper's do so by design";
    }
}

/// Remembers who led each term and who leads by its own lights, and sees a second one.
#[derive(Clone)]
pub struct SingleLeader {
    serving: bool,
    leaders: BTreeMap<u64, NodeId>,
    /// Members that hold themselves to be leaders: of which term.
    reigns: BTreeMap<NodeId, u64>,
}

impl Oracle for SingleLeader {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Breaks];

    fn new(config: &Config, _: &Cast) -> Self {
        SingleLeader { serving: config.serving, leaders: BTreeMap::new(), reigns: BTreeMap::new() }
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
        let reads = matches!(seen, Observation::Read);
        if !reads && !matches!(seen, Observation::Extended) {
            return None;
        }
        let served = if reads { "served a read" } else { "renewed a lease" };
        let (newer, term) = self.outdone(by)?;
        let (by_name, newer_name) = (moment.scene.name(by), moment.scene.name(newer));
        let why =
            format!("{by_name} {served} as the leader, though {newer_name} had been elected in term {term}");
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
        let leaders = told.leaders;
        if self.serving {
            format!("no term had two leaders, and no leader served after the next; {leaders} were elected")
        } else {
            format!("no term had two leaders; {leaders} were elected")
        }
    }
}

impl SingleLeader {
    /// The newest leader and its term, if this member holds itself to be the leader of an older one.
    fn outdone(&self, by: NodeId) -> Option<(NodeId, u64)> {
        let own = self.reigns.get(&by).filter(|_| self.serving)?;
        let (term, newest) = self.leaders.last_key_value()?;
        (term > own).then_some((*newest, *term))
    }
}
