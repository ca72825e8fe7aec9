//! Coverage: in how many ways a run was out of order, as a set of states, each a hash of what an operator would say of the
//! moment: who leads, who is wrong about whom, and what is going wrong.
//!
//! It is a witness around the ledger, looks only when something changes, and is a plain function of scenario and seed.

use std::collections::BTreeSet;

use schism_core::{Actor, Digest, Fault, FaultId, NodeId, Scene, Status, Witness};
use schism_models::listing::ServiceId;
use schism_models::nemesis::{Audience, Struck};
use schism_models::observation::Observation;
use schism_models::oracle::{Cast, Change, Opinion, Role};
use schism_scenario::Scenario;
use std::hash::Hasher as _;

use crate::Ledger;

/// The ledger, and the states that the run has been in.
#[derive(Clone)]
pub struct Scout {
    pub(crate) ledger: Ledger,
    coverage: Coverage,
}

/// What makes a state, and those that there were.
#[derive(Clone)]
struct Coverage {
    members: u32,
    /// Members that hold themselves to be the leader.
    leaders: BTreeSet<NodeId>,
    /// Of each node: whether it runs.
    up: Vec<bool>,
    /// Of each service: where its first instance stands among all.
    first: Vec<usize>,
    /// Groups of observers: the members, and each client group.
    sizes: Vec<u32>,
    /// By group and instance: how many of the group believe it up, and how many believe it gone.
    minds: Vec<Vec<[u32; 2]>>,
    /// By group and service: how many wrong beliefs there are, that somebody is up, and that somebody is gone.
    wrong: Vec<Vec<[u32; 2]>>,
    /// Of each fault of the plan its kind, and how many of each kind last.
    kinds: Vec<usize>,
    active: Vec<u32>,
    state: Option<u64>,
    states: BTreeSet<u64>,
}

/// The two ways to be wrong.
const UP: usize = 0;
const GONE: usize = 1;

impl Scout {
    /// Before the first event of a run of this scenario.
    pub fn new(scenario: &Scenario) -> Scout {
        Scout { ledger: Ledger::new(scenario), coverage: Coverage::new(scenario) }
    }

    /// The states that the run has been in.
    pub fn states(&self) -> &BTreeSet<u64> {
        &self.coverage.states
    }
}

impl Coverage {
    fn new(scenario: &Scenario) -> Coverage {
        let cast = crate::ledger::cast(scenario);
        let services = cast.services();
        let instances: usize = services.iter().map(|nodes| nodes.len()).sum();
        let mut first = Vec::new();
        let mut before = 0;
        for nodes in services {
            first.push(before);
            before += nodes.len();
        }
        let mut sizes = vec![cast.members()];
        sizes.extend(scenario.clients.iter().map(|group| group.nodes.len() as u32));
        let spares: BTreeSet<NodeId> = scenario.spares.iter().map(|spare| spare.node.id).collect();
        let kind = |name: &str| {
            let known = schism_models::nemesis::Fault::CATALOG.iter().position(|(known, _)| *known == name);
            known.expect("a fault is of a kind in the catalog")
        };
        Coverage {
            members: cast.members(),
            leaders: BTreeSet::new(),
            up: (0..cast.nodes() as u32).map(|node| !spares.contains(&NodeId(node))).collect(),
            first,
            minds: vec![vec![[0; 2]; instances]; sizes.len()],
            wrong: vec![vec![[0; 2]; services.len()]; sizes.len()],
            sizes,
            kinds: scenario.faults.iter().map(|planned| kind(planned.fault.name())).collect(),
            active: vec![0; schism_models::nemesis::Fault::CATALOG.len()],
            state: None,
            states: BTreeSet::new(),
        }
    }

    fn on_observation(&mut self, by: NodeId, seen: &Observation) {
        if let Observation::Leads { .. } = seen {
            self.leaders.insert(by);
        } else if let Observation::Deposed { .. } = seen {
            self.leaders.remove(&by);
        }
    }

    /// Somebody has changed their mind, or believes nothing any more.
    fn on_change(&mut self, cast: &Cast, change: &Change) {
        let Change::Turns { observer, service, place, from, to } = *change else { return };
        let group = match cast.role(observer) {
            Role::Member => 0,
            Role::Client(group) => 1 + usize::from(group),
            Role::Instance(..) | Role::Aide => return,
        };
        let is_up = self.up[cast.instance(service, place).index()];
        let instance = self.first[usize::from(service.0)] + place as usize;
        let count = |opinion: Opinion| match opinion {
            Opinion::None => None,
            Opinion::Up => Some((UP, !is_up)),
            Opinion::Down => Some((GONE, is_up)),
        };
        let wrong = &mut self.wrong[group][usize::from(service.0)];
        if let Some((mind, is_wrong)) = count(from) {
            self.minds[group][instance][mind] -= 1;
            wrong[mind] -= u32::from(is_wrong);
        }
        if let Some((mind, is_wrong)) = count(to) {
            self.minds[group][instance][mind] += 1;
            wrong[mind] += u32::from(is_wrong);
        }
    }

    /// A process may have changed its state: who was right about it is wrong now, and the other way round.
    fn on_status(&mut self, cast: &Cast, node: NodeId, is_up: bool) {
        if self.up[node.index()] == is_up {
            return;
        }
        self.up[node.index()] = is_up;
        if !is_up {
            self.leaders.remove(&node);
        }
        let Role::Instance(ServiceId(service), place) = cast.role(node) else { return };
        let (service, instance) = (usize::from(service), self.first[usize::from(service)] + place as usize);
        for group in 0..self.sizes.len() {
            let minds = self.minds[group][instance];
            let wrong = &mut self.wrong[group][service];
            let (right, now_wrong) = if is_up { (UP, GONE) } else { (GONE, UP) };
            wrong[right] -= minds[right];
            wrong[now_wrong] += minds[now_wrong];
        }
    }

    /// Takes down the state, if it is another than before.
    fn note(&mut self, cast: &Cast) {
        let mut hash = Digest::new();
        let members = self.up[..self.members as usize].iter().filter(|up| **up).count() as u32;
        // Without a leader, with one, or with several; and whether the members that run are a majority.
        hash.fold(self.leaders.len().min(2) as u64);
        hash.fold(u64::from(2 * members > self.members));
        for (group, services) in self.wrong.iter().enumerate() {
            for (service, wrong) in services.iter().enumerate() {
                let pairs = u64::from(self.sizes[group]) * cast.services()[service].len() as u64;
                hash.fold(wrong.iter().fold(0, |all, &count| 4 * all + bucket(u64::from(count), pairs)));
            }
        }
        for (kind, _) in self.active.iter().enumerate().filter(|(_, count)| **count > 0) {
            hash.fold(kind as u64);
        }
        let state = hash.finish();
        if self.state.replace(state) != Some(state) {
            self.states.insert(state);
        }
    }
}

/// None, a few, a good part, or most of all pairs of an observer and an instance.
fn bucket(count: u64, of: u64) -> u64 {
    match count {
        0 => 0,
        few if 8 * few <= of => 1,
        some if 2 * some <= of => 2,
        _ => 3,
    }
}

impl<A: Actor<Observation = Observation>> Witness<A> for Scout {
    #[inline]
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        Witness::<A>::observe(&mut self.ledger, scene, by, seen);
        let of_belief =
            matches!(seen, Observation::View(_) | Observation::Believes { .. } | Observation::Blind(_));
        let of_reign = matches!(seen, Observation::Leads { .. } | Observation::Deposed { .. });
        if of_reign || of_belief && !self.ledger.record.opinions.changes().is_empty() {
            self.coverage.on_observation(by, seen);
            self.follow();
        }
    }

    fn on_fault(&mut self, scene: &Scene<'_>, fault: &Fault) {
        Witness::<A>::on_fault(&mut self.ledger, scene, fault);
        if let Fault::Crash(node, _) | Fault::Restart(node) | Fault::Pause(node) | Fault::Resume(node) = fault
        {
            // Who dies believes nothing any more, and is believed to be what it was.
            self.follow();
            let is_up = scene.status(*node) == Status::Up;
            self.coverage.on_status(&self.ledger.record.cast, *node, is_up);
            self.coverage.note(&self.ledger.record.cast);
        }
    }

    fn on_exit(&mut self, scene: &Scene<'_>, node: NodeId, by: FaultId) {
        Witness::<A>::on_exit(&mut self.ledger, scene, node, by);
    }
}

impl Scout {
    fn follow(&mut self) {
        let record = &self.ledger.record;
        for change in record.opinions.changes() {
            self.coverage.on_change(&record.cast, change);
        }
        self.coverage.note(&record.cast);
    }
}

impl Audience for Scout {
    fn fault_acts(&mut self, fault: usize) {
        self.ledger.fault_acts(fault);
    }

    fn fault_began(&mut self, scene: &Scene<'_>, fault: usize, struck: &Struck) {
        self.ledger.fault_began(scene, fault, struck);
        self.coverage.active[self.coverage.kinds[fault]] += 1;
        self.coverage.note(&self.ledger.record.cast);
    }

    fn fault_healed(&mut self, scene: &Scene<'_>, fault: usize, touched: u64) {
        self.ledger.fault_healed(scene, fault, touched);
        self.coverage.active[self.coverage.kinds[fault]] -= 1;
        self.coverage.note(&self.ledger.record.cast);
    }

    fn fault_lasts(&mut self, fault: usize, touched: u64) {
        self.ledger.fault_lasts(fault, touched);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_many_are_wrong_is_told_in_four_steps() {
        let steps = [0, 1, 4, 5, 16, 17, 32].map(|count| bucket(count, 32));
        assert_eq!(steps, [0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(bucket(1, 1), 3, "one of one is all");
    }
}
