//! A run: a scenario's world and its nemesis, from the start to the end.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;
use schism_core::{
    Birth, DigestValue, Event, Happening, NodeId, Part, Ran, Seed, Time, Witness, World, queue::Best,
    queue::Queue,
};
use schism_models::balancer::Seat;
use schism_models::client::{self, Callee, Desk, Directory};
use schism_models::holdings::{self, Driven};
use schism_models::listing::{self, Endpoint, Listing, Roster, ServiceId};
use schism_models::nemesis::{Audience, Ears, Nemesis, Planned, Trigger};
use schism_models::node::{Node, Process, Role};
use schism_models::observation::Observation;
use schism_models::picker::{District, Site};
use schism_models::registry::{AnyAddress, Layout, Place};
use schism_models::service::{self, Post, Reports};
use schism_scenario::{self as scenario, Scenario, Spare};

use crate::coverage::Scout;
use crate::gauge::Gauged;
use crate::ledger::Listed;
use crate::standstill::Standstill;
use crate::{Ledger, Report, Trace};

/// Runs a scenario, and tells what happened.
pub fn run(scenario: &Scenario, seed: Seed, listed: Listed) -> Report {
    run_of::<Node>(scenario, seed, listed)
}

/// The same with other processes than the models alone.
pub fn run_of<P: Process>(scenario: &Scenario, seed: Seed, listed: Listed) -> Report {
    let mut simulation: Simulation<Ledger, P> =
        Simulation::new(scenario, seed, Ledger::listing(scenario, listed));
    simulation.run_to_end();
    simulation.into_report(scenario, seed)
}

/// Runs a scenario with each of these seeds, on as many threads as the pool has; the reports are in the seeds' order,
/// whoever was done first.
pub fn run_all(scenario: &Scenario, seeds: &[Seed]) -> Vec<Report> {
    seeds.par_iter().map(|&seed| run(scenario, seed, Listed::Wrong)).collect()
}

/// A scenario on its way. A value: cloning it forks the run.
///
/// `P` is what its processes are: the models, unless someone has put a machine of their own around them.
#[derive(Clone)]
pub struct Simulation<W, P: Process = Node, Q = Best<Event<P>>> {
    world: World<P, Ears<Gauged<W>>, Q>,
    nemesis: Nemesis,
    end: Time,
    /// Where it stood still, if it did. It goes no further.
    standstill: Option<Arc<Standstill>>,
}

/// How a run differs from the plain one of its seed.
#[derive(Clone, Copy, Debug)]
pub struct Variation<'a> {
    /// Where the faults have their luck from.
    pub plan: Seed,
    /// Where everybody else has it from.
    pub luck: Seed,
    /// The faults, by number, that do nothing when their time comes.
    pub without: &'a [usize],
}

impl Variation<'static> {
    /// None: all luck is this seed's.
    pub fn of(seed: Seed) -> Variation<'static> {
        Variation { plan: seed, luck: seed, without: &[] }
    }
}

/// What a step of a simulation was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// An event happened.
    Event,
    /// The nemesis did something, or a gauge was read.
    Deed,
    /// Nothing: the run is at its end.
    End,
}

impl<W: Witness<P> + Audience, P: Process, Q: Queue<Event<P>>> Simulation<W, P, Q> {
    /// A scenario about to begin, watched by `witness`.
    pub fn new(scenario: &Scenario, seed: Seed, witness: W) -> Self {
        Simulation::with(scenario, Variation::of(seed), witness)
    }

    /// A scenario about to begin in a way that differs from its plain run.
    pub fn with(scenario: &Scenario, Variation { plan, luck, without }: Variation<'_>, witness: W) -> Self {
        let nemesis = Nemesis::new(scenario.faults.clone().into(), plan);
        let nemesis = nemesis.leaving_out(without.iter().copied());
        Simulation {
            world: World::new(
                &scenario.topology,
                cast(scenario),
                luck,
                nemesis.ears(Gauged::new(scenario, witness)),
            ),
            nemesis,
            end: Time::START + scenario.length,
            standstill: None,
        }
    }

    /// A fork whose luck is another's from here on: see [`World::redrawn`]. The plan of faults stays as it is, with what
    /// it has not drawn yet.
    pub fn redrawn(&self, salt: u64) -> Self {
        let (world, nemesis) = (self.world.redrawn(salt), self.nemesis.clone());
        Simulation { world, nemesis, end: self.end, standstill: self.standstill.clone() }
    }

    /// Everything that happens before `until`, or before the end if that is sooner.
    pub fn run_until(&mut self, until: Time) {
        let until = until.min(self.end);
        while self.standstill.is_none() {
            // What the nemesis hears on the way may have to be acted on before what it had planned.
            let goal = self.next_at().filter(|&at| at < until);
            match self.world.run_until(goal.unwrap_or(until)) {
                Ran::Called => {}
                Ran::StandsStill => return self.give_up(),
                Ran::ToEnd if goal.is_some() => self.act(),
                Ran::ToEnd => return,
            }
            self.nemesis.listen(&mut self.world);
        }
    }

    /// One event, or one deed of the nemesis: as [`run_until`](Simulation::run_until), one by one.
    pub fn step(&mut self) -> Step {
        if self.standstill.is_some() {
            return Step::End;
        }
        let goal = self.next_at().filter(|&at| at < self.end);
        if self.world.step(goal.unwrap_or(self.end)) {
            if self.world.stands_still() {
                self.give_up();
                return Step::Event;
            }
            if Witness::<P>::wants_attention(self.world.witness()) {
                self.nemesis.listen(&mut self.world);
            }
            return Step::Event;
        }
        self.world.run_until(goal.unwrap_or(self.end));
        if goal.is_none() {
            return Step::End;
        }
        self.act();
        self.nemesis.listen(&mut self.world);
        Step::Deed
    }

    /// The world stands still.
    #[cold]
    fn give_up(&mut self) {
        self.standstill = Some(Arc::new(Standstill::of(&mut self.world)));
    }

    /// Where it stood still, if it did.
    pub fn standstill(&self) -> Option<&Standstill> {
        self.standstill.as_deref()
    }

    /// When the nemesis has something to do next, or a gauge is to be read.
    fn next_at(&self) -> Option<Time> {
        let gauges = self.world.witness().audience.next_at();
        self.nemesis.next_at().into_iter().chain(gauges).min()
    }

    /// What is to be done now: gauges are read before the nemesis acts.
    fn act(&mut self) {
        let now = self.world.now();
        if self.world.witness_mut().0.audience.takes_census(now) {
            self.take_census();
        }
        for line in self.world.witness_mut().0.audience.read(now) {
            self.nemesis.hear(Trigger::Crosses(line), now);
        }
        if self.nemesis.next_at().is_some_and(|at| at <= now) {
            self.nemesis.act(&mut self.world);
        }
    }

    /// Looks how much everybody holds, and has the witness told.
    fn take_census(&mut self) {
        let mut driven = vec![Driven::default(); self.world.nodes()];
        for coming in self.world.coming().iter().filter(|coming| coming.is_for_this_life) {
            driven[coming.to.index()].timers += usize::from(matches!(coming.what, Happening::Timer(_)));
        }
        for connection in self.world.connections() {
            driven[connection.from.index()].connections += 1;
        }
        for (node, mut driven) in (0..).map(NodeId).zip(driven) {
            driven.timers += self.world.dormant(node).count();
            let held = self.world.held(node);
            driven.timers += held.iter().filter(|held| matches!(held.what, Happening::Timer(_))).count();
            let Some(actor) = self.world.actor(node) else { continue };
            let holds = holdings::of(actor.node(), driven);
            let (witness, scene) = self.world.witness_mut();
            for (what, many) in holds {
                Witness::<P>::observe(witness, &scene, node, &Observation::Holds { what, many });
            }
        }
    }

    /// Everything that is left.
    pub fn run_to_end(&mut self) {
        self.run_until(self.end);
        self.nemesis.close(&mut self.world);
    }

    /// A fault that has not begun yet never will.
    pub fn forgo(&mut self, fault: usize) {
        self.nemesis.forgo(fault);
    }

    /// A fault that has not begun yet will be another, from the same moment on.
    pub fn amend(&mut self, fault: usize, amended: Planned) {
        self.nemesis.amend(fault, amended);
    }

    /// The world as it is.
    pub fn world(&self) -> &World<P, Ears<Gauged<W>>, Q> {
        &self.world
    }

    /// What a report tells of the run beside what its ledger kept.
    pub(crate) fn outcome(&self) -> Outcome {
        let (digest, events, end) = (self.world.digest(), self.world.events(), self.end);
        Outcome { digest, events, end, standstill: self.standstill.clone() }
    }

    /// What watches.
    pub fn witness(&self) -> &W {
        &self.world.witness().audience.audience
    }

    /// What watches, to be told what it is to look at.
    pub fn witness_mut(&mut self) -> &mut W {
        &mut self.world.witness_mut().0.audience.audience
    }

    /// Of everything so far.
    pub fn digest(&self) -> DigestValue {
        self.world.digest()
    }

    /// What has watched.
    pub fn into_witness(self) -> W {
        self.world.into_witness().audience.audience
    }
}

/// What a report tells of a run beside what its ledger kept.
pub(crate) struct Outcome {
    digest: DigestValue,
    events: u64,
    end: Time,
    standstill: Option<Arc<Standstill>>,
}

impl Outcome {
    pub(crate) fn report(self, ledger: Ledger, scenario: &Scenario, seed: Seed) -> Report {
        let Outcome { digest, events, end, standstill } = self;
        let mut report = ledger.report(scenario, seed, digest, events, end);
        if let Some(standstill) = standstill {
            standstill.mar(&mut report);
        }
        report
    }
}

impl<P: Process, Q: Queue<Event<P>>> Simulation<Ledger, P, Q> {
    /// What happened, once the run has come to its end.
    pub fn into_report(self, scenario: &Scenario, seed: Seed) -> Report {
        let outcome = self.outcome();
        outcome.report(self.into_witness(), scenario, seed)
    }
}

impl<P: Process, Q: Queue<Event<P>>> Simulation<Trace<Ledger>, P, Q> {
    /// What happened, and the trace of it, once the run has come to its end.
    pub fn into_report_and_trace(self, scenario: &Scenario, seed: Seed) -> (Report, Trace<()>) {
        let outcome = self.outcome();
        let (ledger, trace) = self.into_witness().part();
        (outcome.report(ledger, scenario, seed), trace)
    }
}

impl<P: Process, Q: Queue<Event<P>>> Simulation<Scout, P, Q> {
    /// What happened, and the states that the run was in, once it has come to its end.
    pub fn into_report_and_states(self, scenario: &Scenario, seed: Seed) -> (Report, BTreeSet<u64>) {
        let outcome = self.outcome();
        let scout = self.into_witness();
        let states = scout.states().clone();
        (outcome.report(scout.ledger, scenario, seed), states)
    }
}

/// All nodes in the order of their numbers: members, instances, clients, aides that are apart, instances that only a
/// fault boots, and aides on the hosts of instances.
pub fn cast(scenario: &Scenario) -> Vec<Part<Role>> {
    let layouts = scenario.registry.layouts(layout(scenario));
    let layout = &layouts.authority;
    let registry = scenario.registry.authority().address(layout);
    let directory = scenario.registry.address(&layouts.front);
    let seats = scenario.registry.authority().seats(layout);
    let members =
        scenario.members.iter().zip(seats).map(|(node, seat)| part(node, Role::Member(Arc::new(seat))));
    let instances = scenario.services.iter().enumerate().flat_map(|(number, group)| {
        let (registry, config) = (&registry, Arc::new(group.config.clone()));
        group.nodes.iter().enumerate().map(move |(ordinal, node)| {
            let post = Post {
                config: config.clone(),
                service: ServiceId(number as u16),
                endpoint: layout.services[number].endpoints[ordinal],
                registry: registry.clone(),
                reports: reports(scenario, number),
            };
            part(node, Role::Instance(Arc::new(post)))
        })
    });
    let clients = scenario.clients.iter().flat_map(|group| {
        let config = Arc::new(group.config.clone());
        let directory = self::directory(&group.config, directory.as_ref(), layout);
        let district = Arc::new(district(scenario, group));
        let peers = group.nodes.len() as u32;
        (0..).zip(&group.nodes).map(move |(index, node)| {
            let site = Site { seat: Seat { index, peers }, zone: node.zone, district: district.clone() };
            let desk = Desk { config: config.clone(), site, directory: directory.clone() };
            part(node, Role::Client(Arc::new(desk)))
        })
    });
    let spares = scenario.spares.iter().map(|spare| {
        let post = Post {
            config: Arc::new(scenario.services[spare.service].config.clone()),
            service: ServiceId(spare.service as u16),
            endpoint: endpoint_of(scenario, spare),
            registry: registry.clone(),
            reports: reports(scenario, spare.service),
        };
        Part { birth: Birth::Later, ..part(&spare.node, Role::Instance(Arc::new(post))) }
    });
    let mut apart: Vec<Part<Role>> = scenario
        .aides
        .iter()
        .zip(scenario.registry.aide_seats(&layouts))
        .map(|(aide, seat)| Part { host: aide.host, ..part(&aide.node, Role::Aide(Arc::new(seat))) })
        .collect();
    let aboard = apart.split_off(scenario.aides.iter().filter(|aide| aide.host.is_none()).count());
    members.chain(instances).chain(clients).chain(apart).chain(spares).chain(aboard).collect()
}

fn layout(scenario: &Scenario) -> Layout {
    let place = |aide: &scenario::Aide| Place { node: aide.node.id, zone: aide.node.zone, host: aide.host };
    let listing = |(number, group): (usize, &scenario::Group<service::Config>)| {
        let endpoint = |(ordinal, node): (usize, &scenario::Node)| Endpoint {
            node: node.id,
            ordinal: ordinal as u32,
            zone: node.zone,
            weight: group.config.weight,
        };
        let endpoints = group.nodes.iter().enumerate().map(endpoint).collect();
        Arc::new(Listing { service: ServiceId(number as u16), revision: 0, endpoints })
    };
    Layout {
        members: scenario.members.iter().map(|node| (node.id, node.zone)).collect(),
        aides: scenario.aides.iter().map(place).collect(),
        services: scenario.services.iter().enumerate().map(listing).collect(),
    }
}

/// Whether a client group that calls this service wants to know how loaded its instances are.
fn reports(scenario: &Scenario, service: usize) -> Reports {
    let wants = |group: &scenario::Group<client::Config>| {
        group.config.calls == Callee::Service(service) && group.config.picker.balancer.wants_reports()
    };
    if scenario.clients.iter().any(wants) { Reports::Load } else { Reports::Nothing }
}

/// What the pickers of a client group know beforehand.
fn district(scenario: &Scenario, group: &scenario::Group<client::Config>) -> District {
    let name = |zone| scenario.topology.name(zone).to_owned();
    let zones: Vec<String> = scenario.topology.zones().map(name).collect();
    let mut locals = vec![0; zones.len()];
    group.nodes.iter().for_each(|node| locals[usize::from(node.zone.0)] += 1);
    let Callee::Service(service) = group.config.calls else {
        return District { zones, locals, ..District::default() };
    };
    let spares = scenario.spares.iter().filter(|spare| spare.service == service);
    let service = &scenario.services[service];
    let instances = service.nodes.iter().chain(spares.map(|spare| &spare.node));
    let roster = Roster::new(instances.map(|node| node.name.clone()).collect());
    District { roster: roster.with_labels(labels(service)), zones, locals }
}

/// What the instances of a service are labelled with; of those that only a fault boots, nothing.
fn labels(service: &scenario::Group<service::Config>) -> Vec<listing::Labels> {
    let labels = &service.config.labels;
    let of = |ordinal| {
        labels.iter().filter_map(move |label| Some((label.name.clone(), label.of(ordinal)?.to_owned())))
    };
    let labelled = if labels.is_empty() { 0 } else { service.nodes.len() as u32 };
    (0..labelled).map(|ordinal| of(ordinal).collect()).collect()
}

/// Where a client group learns whom to call.
fn directory(config: &client::Config, registry: Option<&AnyAddress>, layout: &Layout) -> Directory {
    match (config.calls, registry) {
        (Callee::Service(number), None) => Directory::Fixed(layout.services[number].clone()),
        (Callee::Service(number), Some(address)) => {
            Directory::Registry { address: address.clone(), service: ServiceId(number as u16) }
        }
        (Callee::Registry(_), Some(address)) => Directory::Itself(address.clone()),
        (Callee::Locks, Some(address)) => {
            let writes = config.locking.as_ref().and_then(|locking| locking.writes);
            let guarded = writes.map(|writes| layout.services[writes.service].clone());
            Directory::Locks { address: address.clone(), guarded }
        }
        (Callee::Registry(_) | Callee::Locks, None) => {
            unreachable!("a checked scenario calls a registry that is there")
        }
    }
}

fn part(node: &scenario::Node, config: Role) -> Part<Role> {
    Part { name: node.name.clone(), zone: node.zone, config, birth: Birth::AtStart, host: None }
}

/// How an instance is listed that only a fault boots.
fn endpoint_of(scenario: &Scenario, Spare { service, ordinal, node }: &Spare) -> Endpoint {
    let weight = scenario.services[*service].config.weight;
    Endpoint { node: node.id, ordinal: *ordinal, zone: node.zone, weight }
}
