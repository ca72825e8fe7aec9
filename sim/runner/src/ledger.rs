//! The ledger: the one witness of a run. It hands what it is told to its parts, and makes the report of them.
//!
//! Requests are told of a thousand times as often as anything else, so what they touch is a few counters. Everything
//! else first goes to the record, which says what it changed: an opinion, or the registry's committed state.

#[cfg(test)]
mod belief_tests;
mod beliefs;
mod cells;
mod faults;
mod intervals;
mod latency;
mod leases;
mod locks;
mod recovery;
mod reign;
mod requests;
mod rivalry;
mod services;
#[cfg(test)]
pub(crate) mod stage;
mod tally;
mod telling;
#[cfg(test)]
mod tests;
mod timeline;
mod watch;

use schism_core::{Actor, Fault, NodeId, Scene, Status, Time, Witness};
use schism_models::client::Arrivals;
use schism_models::listing::ServiceId;
use schism_models::nemesis::{Audience, Fault as Planned, Struck};
use schism_models::observation::{Observation, Outcome};
use schism_models::oracle::{Cast, Record};
use schism_scenario::Scenario;

use beliefs::Beliefs;
use faults::Faults;
use leases::Leases;
use locks::Locks;
use recovery::Recovery;
use reign::Reign;
use requests::Requests;
use services::Services;
use timeline::Steps;
use watch::Watch;

use crate::words::Names;

pub use beliefs::Listed;
pub use faults::MOST_PHASES;
pub use intervals::MOST_BELIEFS;

pub(crate) use cells::Cell;
pub(crate) use services::peak_to_mean;
pub(crate) use tally::Sent;
pub(crate) use watch::First;

/// All that a run is judged and told by.
#[derive(Clone)]
pub struct Ledger {
    warmup: Time,
    pub(crate) record: Record,
    pub(crate) requests: Requests,
    timeline: Steps,
    services: Services,
    pub(crate) leases: Leases,
    pub(crate) beliefs: Beliefs,
    pub(crate) recovery: Recovery,
    reign: Reign,
    locks: Locks,
    pub(crate) faults: Faults,
    pub(crate) watch: Watch,
    pub(crate) false_evictions: u64,
    /// By fault of the scenario: whether it gives the addresses of those it strikes to others.
    usurps: Vec<bool>,
    pub(crate) names: Names,
}

impl Ledger {
    /// Before the first event of a run of this scenario.
    pub fn new(scenario: &Scenario) -> Ledger {
        Ledger::listing(scenario, Listed::Wrong)
    }

    /// A ledger whose report lists more beliefs than those that were wrong.
    pub fn listing(scenario: &Scenario, listed: Listed) -> Ledger {
        let cast = cast(scenario);
        let record = Record::new(cast.clone(), Time::START + scenario.warmup);
        Ledger {
            warmup: Time::START + scenario.warmup,
            requests: Requests::new(scenario, &cast),
            timeline: Steps::new(scenario.length),
            services: Services::new(cast.nodes(), Time::START + scenario.warmup),
            leases: Leases::new(cast.nodes()),
            beliefs: Beliefs::new(&cast, listed),
            recovery: Recovery::default(),
            reign: Reign::default(),
            locks: Locks::default(),
            faults: Faults::new(scenario.faults.len()),
            watch: Watch::new(scenario, &record),
            false_evictions: 0,
            usurps: scenario
                .faults
                .iter()
                .map(|planned| matches!(planned.fault, Planned::IpReuse(_)))
                .collect(),
            names: Names::new(scenario),
            record,
        }
    }

    #[inline]
    fn on_attempt(&mut self, scene: &Scene<'_>, by: NodeId, to: NodeId, seen: &Observation) {
        let now = scene.now();
        let sent = Sent {
            stale: self.record.is_stale(scene, to),
            misrouted: self.record.is_misrouted(scene, by, to),
            cross_zone: scene.zone(by) != scene.zone(to),
        };
        if sent.misrouted {
            self.recovery.on_misrouted(now);
        }
        if now >= self.warmup {
            self.services.on_attempt(to);
            self.requests.on_attempt(now, by, to, sent);
        }
        if self.watch.wants_attempts() {
            self.watch.on_attempt(scene, &self.record, by, seen);
        }
    }

    /// Another process has an instance's address: the instance is dead, whatever runs there.
    fn on_usurped(&mut self, now: Time, node: NodeId) {
        self.record.on_usurped(node);
        self.beliefs.on_status(&self.record.cast, now, node, Status::Down);
    }

    /// A request begins or ends.
    #[inline]
    fn on_request(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        if self.watch.wants_requests() {
            self.watch.on_request(scene, &self.record, by, seen);
        }
    }

    fn on_belief(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        self.watch.wake(scene.now(), &self.record);
        self.record.observe(scene.now(), by, seen);
        self.follow_changes(scene.now());
        self.watch.observe(scene, &self.record, by, seen);
    }

    fn on_registry(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        let now = scene.now();
        self.watch.wake(now, &self.record);
        self.record.observe(now, by, seen);
        self.leases.observe(now, by, seen);
        self.reign.observe(now, by, seen);
        match seen {
            Observation::Read => self.requests.on_read(now),
            Observation::Leads { .. } => self.recovery.on_leader(now),
            Observation::Committed { .. } | Observation::Wrote(_) => self.on_commit(scene),
            Observation::Offered
            | Observation::Attempt { .. }
            | Observation::Done { .. }
            | Observation::Served { .. }
            | Observation::View(_)
            | Observation::Believes { .. }
            | Observation::Blind(_)
            | Observation::Registered
            | Observation::Renewed
            | Observation::LeaseLost
            | Observation::Deposed { .. }
            | Observation::Extended
            | Observation::Deems { .. }
            | Observation::Acquired { .. }
            | Observation::Released { .. }
            | Observation::LockLost { .. }
            | Observation::GuardedWrite { .. }
            | Observation::Called { .. }
            | Observation::Written { .. }
            | Observation::Fetched { .. }
            | Observation::Unanswered { .. }
            | Observation::Saw { .. }
            | Observation::Holds { .. } => {}
        }
        self.watch.observe(scene, &self.record, by, seen);
    }

    fn on_commit(&mut self, scene: &Scene<'_>) {
        for &write in self.record.register.fresh() {
            self.leases.on_commit(scene.now(), write);
        }
        for _ in self.record.falsely_evicted(scene) {
            self.false_evictions += 1;
            self.requests.on_false_eviction(scene.now());
        }
    }

    fn follow_changes(&mut self, now: Time) {
        let changes = self.record.opinions.changes();
        for change in changes {
            self.beliefs.on_change(&self.record.cast, now, change);
            self.recovery.on_change(now, change);
        }
    }
}

impl<A: Actor<Observation = Observation>> Witness<A> for Ledger {
    #[inline]
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        match seen {
            Observation::Offered => {
                self.requests.on_offered(scene.now(), by);
                self.timeline.on_offered(scene.now());
                self.on_request(scene, by, seen);
            }
            Observation::Attempt { to, .. } => self.on_attempt(scene, by, *to, seen),
            Observation::Served { waited, took } => self.services.on_served(scene.now(), by, *waited, *took),
            Observation::Done { offered, outcome } => {
                if *outcome == Outcome::Success {
                    self.timeline.on_success(*offered);
                }
                if self.requests.on_done(scene.now(), by, *offered, *outcome) {
                    self.recovery.on_done(*offered, *outcome);
                }
                self.on_request(scene, by, seen);
            }
            Observation::View(_) | Observation::Believes { .. } | Observation::Blind(_) => {
                self.on_belief(scene, by, seen);
            }
            Observation::Holds { .. } => self.watch.on_holding(scene, &self.record, by, seen),
            Observation::Registered
            | Observation::Renewed
            | Observation::LeaseLost
            | Observation::Leads { .. }
            | Observation::Deposed { .. }
            | Observation::Read
            | Observation::Committed { .. }
            | Observation::Wrote(_)
            | Observation::Extended => self.on_registry(scene, by, seen),
            Observation::Acquired { .. } | Observation::Released { .. } | Observation::LockLost { .. } => {
                self.locks.observe(scene.now(), by, seen);
                self.record.observe(scene.now(), by, seen);
                self.watch.observe(scene, &self.record, by, seen);
            }
            Observation::GuardedWrite { .. }
            | Observation::Called { .. }
            | Observation::Written { .. }
            | Observation::Fetched { .. }
            | Observation::Unanswered { .. }
            | Observation::Saw { .. } => {
                self.record.observe(scene.now(), by, seen);
                self.watch.observe(scene, &self.record, by, seen);
            }
            // What comes of it is told when it does: for stories alone.
            Observation::Deems { .. } => {}
        }
    }

    fn on_fault(&mut self, scene: &Scene<'_>, fault: &Fault) {
        self.watch.wake(scene.now(), &self.record);
        self.record.on_fault(scene.now(), fault);
        self.on_commit(scene);
        self.follow_changes(scene.now());
        if let Fault::Crash(node, _) = fault {
            self.reign.on_crash(scene.now(), *node);
            self.locks.on_crash(scene.now(), *node);
        }
        match fault {
            Fault::Crash(node, _) | Fault::Restart(node) | Fault::Pause(node) | Fault::Resume(node) => {
                self.beliefs.on_status(&self.record.cast, scene.now(), *node, scene.status(*node));
            }
            Fault::Cut(_)
            | Fault::Mend(_)
            | Fault::Impair(_)
            | Fault::Repair(_)
            | Fault::Sever { .. }
            | Fault::FakeSyncs(_)
            | Fault::MakeSyncs(_)
            | Fault::PowerOn(_)
            | Fault::SetClock(..) => {}
        }
        self.watch.on_fault(scene, &self.record, fault);
    }
}

impl Audience for Ledger {
    fn fault_began(&mut self, scene: &Scene<'_>, fault: usize, struck: &Struck) {
        let now = scene.now();
        let each = |islands: &[Vec<NodeId>]| islands.iter().map(|nodes| self.names.of(nodes)).collect();
        let (on, islands) = match struck {
            Struck::Nodes(nodes) => (self.names.each(nodes), Vec::new()),
            Struck::Ways { sides } => (each(sides), Vec::new()),
            Struck::Parted { sides, islands } => (each(sides), each(islands)),
        };
        if let (Struck::Nodes(nodes), true) = (struck, self.usurps[fault]) {
            nodes.iter().for_each(|&node| self.on_usurped(now, node));
        }
        let has_phase = self.faults.begin(now, fault, on, islands);
        self.requests.on_fault(now, fault, has_phase);
        self.recovery.on_begin(now);
        self.watch.wake(now, &self.record);
        self.record.on_begin(now);
        self.watch.on_plan(now, &self.record);
    }

    fn fault_healed(&mut self, scene: &Scene<'_>, fault: usize, touched: u64) {
        let now = scene.now();
        let has_phase = self.faults.heal(now, fault, touched);
        self.requests.on_heal(now, fault, has_phase);
        self.recovery.on_heal();
        self.watch.wake(now, &self.record);
        self.record.on_heal(now);
        self.watch.on_plan(now, &self.record);
    }

    fn fault_lasts(&mut self, fault: usize, touched: u64) {
        self.faults.touch(fault, touched);
    }
}

/// What each node of a scenario is.
pub(crate) fn cast(scenario: &Scenario) -> Cast {
    let size = |nodes: &[schism_scenario::Node]| nodes.len() as u32;
    let services: Vec<u32> = scenario.services.iter().map(|service| size(&service.nodes)).collect();
    let clients: Vec<u32> = scenario.clients.iter().map(|group| size(&group.nodes)).collect();
    let spares: Vec<ServiceId> =
        scenario.spares.iter().map(|spare| ServiceId(spare.service as u16)).collect();
    let apart = scenario.aides.iter().filter(|aide| aide.host.is_none()).count();
    let cast = Cast::new(size(&scenario.members), &services, &clients);
    let cast = if scenario.registry.is_fixed() { cast.listed_for_good() } else { cast };
    let cast = if scenario.registry.numbers_lists() { cast } else { cast.with_unnumbered_lists() };
    let closed =
        scenario.clients.iter().map(|group| matches!(group.config.arrivals, Arrivals::Closed(_))).collect();
    cast.with_closed_loops(closed)
        .with_aides(apart as u32)
        .with_spares(&spares)
        .with_aides((scenario.aides.len() - apart) as u32)
        .with_names(scenario.nodes().map(|node| node.name.clone()).collect())
}
