//! What a run of Nacos has told, as far as these tests ask.

use std::sync::Arc;

use schism_core::{Fault, NodeId, Scene, Seed, Time, Witness};
use schism_models::listing::Listing;
use schism_models::nemesis::{Audience, Struck};
use schism_models::node::Node;
use schism_models::observation::{Observation, Write};
use schism_runner::Simulation;
use schism_scenario::Scenario;
use schism_tests::runs::secs;

/// What a run has told, as far as these tests ask.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// What a server has written to its table.
    pub(crate) wrote: Vec<(Time, NodeId, Write)>,
    /// When an instance was told that it is registered.
    pub(crate) registered: Vec<(Time, NodeId)>,
    /// When a server heard that an instance lives.
    pub(crate) extended: Vec<Time>,
    /// The lists that servers and clients came to hold.
    pub(crate) views: Vec<(Time, NodeId, Arc<Listing>)>,
    /// Who came to lead.
    pub(crate) leads: Vec<Time>,
    /// When the faults began.
    pub(crate) faults: Vec<Time>,
}

impl Told {
    pub(crate) fn of(scenario: &Scenario, seed: u64) -> Told {
        let mut simulation: Simulation<Told> = Simulation::new(scenario, Seed(seed), Told::default());
        simulation.run_to_end();
        simulation.into_witness()
    }

    /// When the first write of a kind was made after the first fault, by each server that made one.
    pub(crate) fn first_after_fault(&self, wanted: impl Fn(Write) -> bool) -> Vec<(Time, NodeId)> {
        let mut found: Vec<(Time, NodeId)> = Vec::new();
        for &(at, by, write) in self.wrote.iter().filter(|(at, ..)| *at >= self.faults[0]) {
            if wanted(write) && found.iter().all(|(_, known)| *known != by) {
                found.push((at, by));
            }
        }
        found
    }

    /// When an instance was last heard of before a moment.
    pub(crate) fn last_heard(&self, before: Time) -> Time {
        *self.extended.iter().rfind(|at| **at < before).expect("it was heard of")
    }

    /// The lists that came to a node from a moment on.
    pub(crate) fn views_of(&self, node: NodeId, from: Time) -> Vec<(f64, &Arc<Listing>)> {
        let views = self.views.iter().filter(|(at, by, _)| *by == node && *at >= from);
        views.map(|(at, _, listing)| (secs(*at, from), listing)).collect()
    }
}

impl Witness<Node> for Told {
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        let now = scene.now();
        match seen {
            Observation::Wrote(write) => self.wrote.push((now, by, *write)),
            Observation::Registered => self.registered.push((now, by)),
            Observation::Extended => self.extended.push(now),
            Observation::View(listing) => self.views.push((now, by, listing.clone())),
            Observation::Leads { .. } => self.leads.push(now),
            Observation::Offered
            | Observation::Attempt { .. }
            | Observation::Done { .. }
            | Observation::Served { .. }
            | Observation::Believes { .. }
            | Observation::Blind(_)
            | Observation::Renewed
            | Observation::LeaseLost
            | Observation::Deposed { .. }
            | Observation::Read
            | Observation::Committed { .. }
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
    }
    fn on_fault(&mut self, _: &Scene<'_>, _: &Fault) {}
}

impl Audience for Told {
    fn fault_began(&mut self, scene: &Scene<'_>, _: usize, _: &Struck) {
        self.faults.push(scene.now());
    }
    fn fault_healed(&mut self, _: &Scene<'_>, _: usize, _: u64) {}
    fn fault_lasts(&mut self, _: usize, _: u64) {}
}
