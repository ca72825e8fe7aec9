//! A stage for tests: nodes that observe what a script tells them to, under faults that the test inflicts.

use std::sync::Arc;

use schism_core::{
    Actor, Birth, Ctx, Death, Digest, DigestValue, Distribution, Duration, Fault, Link, NodeId, Part, Ratio,
    Seed, Time, Topology, World, ZoneId,
};
use schism_models::client::{self, Arrivals, Callee, Connections};
use schism_models::keys::Keys;
use schism_models::listing::{Endpoint, Listing, ServiceId};
use schism_models::nemesis::{
    self, Audience, Base, Crash, End, OnMiss, OnOverlap, Planned, Start, Struck, Target,
};
use schism_models::observation::Observation;
use schism_models::options::Nothing;
use schism_models::registry::{self, etcd};
use schism_models::{balancer, cache, locality, picker, service};
use schism_scenario::{Ask, Expectation, Group, Node, Scenario};

use super::{Ledger, Listed};
use crate::report::Report;

/// A member of the registry, registry-0; registry-1 is the next node.
pub(crate) const REGISTRY: NodeId = NodeId(0);
/// An instance, orders-0, in zone a; orders-1 (zone b) and orders-2 (zone a) are the next nodes.
pub(crate) const ORDERS: NodeId = NodeId(2);
/// A client, web-0, in zone a; web-1 is the next node, in zone b.
pub(crate) const WEB: NodeId = NodeId(5);
/// The only client of the second group, batch-0, in zone a.
pub(crate) const BATCH: NodeId = NodeId(7);

/// The node so many places after one.
pub(crate) fn next(node: NodeId, by: u32) -> NodeId {
    NodeId(node.0 + by)
}

pub(crate) fn at(millis: u64) -> Time {
    Time::START + Duration::from_millis(millis)
}

/// A list of some of orders' instances, by number.
pub(crate) fn list(instances: &[u32]) -> Arc<Listing> {
    let endpoint =
        |&ordinal: &u32| Endpoint { node: next(ORDERS, ordinal), ordinal, zone: ZoneId(0), weight: 1 };
    Arc::new(Listing {
        service: ServiceId(0),
        revision: 1,
        endpoints: instances.iter().map(endpoint).collect(),
    })
}

/// What a test does from outside.
enum Act {
    Inflict(Fault),
    Begin(usize, Vec<NodeId>, Option<Vec<Vec<NodeId>>>),
    Heal(usize, u64),
    Last(usize, u64),
}

/// A scenario and a script.
pub(crate) struct Stage {
    pub(crate) scenario: Scenario,
    pub(crate) listed: Listed,
    lines: Vec<(Time, NodeId, Observation)>,
    acts: Vec<(Time, Act)>,
}

impl Stage {
    /// A scenario of ten seconds, the first a warm-up, in which nothing happens.
    pub(crate) fn new() -> Stage {
        Stage { scenario: scenario(), listed: Listed::Wrong, lines: Vec::new(), acts: Vec::new() }
    }

    pub(crate) fn with(mut self, asks: impl IntoIterator<Item = Ask>) -> Stage {
        let named = |(number, ask)| Expectation { id: format!("expectation {number}"), ask };
        self.scenario.expectations = asks.into_iter().enumerate().map(named).collect();
        self
    }

    /// Plans a fault, said to be a crash of orders-0, that the test then has to inflict.
    pub(crate) fn plan(&mut self, id: &str, on_miss: OnMiss) -> usize {
        self.scenario.faults.push(Planned {
            id: id.to_owned(),
            start: Start::At(Time::START),
            end: End::Never,
            fault: nemesis::Fault::Crash(Crash {
                targets: vec![Target { base: Base::Node(ORDERS), select: None }],
                death: Death::KILLED,
            }),
            on_miss,
            on_overlap: OnOverlap::Refused,
        });
        self.scenario.faults.len() - 1
    }

    pub(crate) fn says(&mut self, millis: u64, node: NodeId, seen: Observation) {
        self.lines.push((at(millis), node, seen));
    }

    pub(crate) fn view(&mut self, millis: u64, node: NodeId, instances: &[u32]) {
        self.says(millis, node, Observation::View(list(instances)));
    }

    pub(crate) fn inflict(&mut self, millis: u64, fault: Fault) {
        self.acts.push((at(millis), Act::Inflict(fault)));
    }

    pub(crate) fn begin(&mut self, millis: u64, fault: usize, on: &[NodeId]) {
        self.acts.push((at(millis), Act::Begin(fault, on.to_vec(), None)));
    }

    pub(crate) fn begin_islands(&mut self, millis: u64, fault: usize, islands: &[&[NodeId]]) {
        let islands = islands.iter().map(|island| island.to_vec()).collect();
        self.acts.push((at(millis), Act::Begin(fault, Vec::new(), Some(islands))));
    }

    pub(crate) fn heal(&mut self, millis: u64, fault: usize, touched: u64) {
        self.acts.push((at(millis), Act::Heal(fault, touched)));
    }

    pub(crate) fn last(&mut self, fault: usize, touched: u64) {
        self.acts.push((Time::END, Act::Last(fault, touched)));
    }

    pub(crate) fn report(&self) -> Report {
        self.reports().0
    }

    /// The report of the run, and that of a fork of it half-way.
    pub(crate) fn reports(&self) -> (Report, Report) {
        let script = |node: NodeId| {
            let lines = self.lines.iter().filter(|(_, by, _)| *by == node);
            Arc::new(lines.map(|(at, _, seen)| (*at, seen.clone())).collect())
        };
        let part = |node: &Node| Part {
            name: node.name.clone(),
            zone: node.zone,
            config: script(node.id),
            birth: Birth::AtStart,
            host: None,
        };
        let cast = nodes(&self.scenario).map(part).collect();
        let mut acts: Vec<&(Time, Act)> = self.acts.iter().collect();
        acts.sort_by_key(|(at, _)| *at);
        let end = Time::START + self.scenario.length;
        let ledger = Ledger::listing(&self.scenario, self.listed);
        let mut world: World<Scripted, Ledger> =
            World::new(&self.scenario.topology, cast, self.scenario.seed, ledger);
        let half = acts.split_at(acts.len() / 2);
        act(&mut world, half.0, end);
        let mut fork = world.clone();
        act(&mut world, half.1, end);
        act(&mut fork, half.1, end);
        (self.told(world, end), self.told(fork, end))
    }

    fn told(&self, mut world: World<Scripted, Ledger>, end: Time) -> Report {
        world.run_until(end);
        let digest: DigestValue = Digest::new().value();
        world.into_witness().report(&self.scenario, self.scenario.seed, digest, 0, end)
    }
}

fn act(world: &mut World<Scripted, Ledger>, acts: &[&(Time, Act)], end: Time) {
    for (at, act) in acts {
        world.run_until((*at).min(end));
        match act {
            Act::Inflict(fault) => world.inflict(fault.clone()),
            Act::Begin(fault, on, islands) => {
                let (ledger, scene) = world.witness_mut();
                let struck = match islands {
                    Some(islands) => Struck::Parted { sides: islands.clone(), islands: islands.clone() },
                    None => Struck::Nodes(on.clone()),
                };
                ledger.fault_began(&scene, *fault, &struck);
            }
            Act::Heal(fault, touched) => {
                let (ledger, scene) = world.witness_mut();
                ledger.fault_healed(&scene, *fault, *touched);
            }
            Act::Last(fault, touched) => world.witness_mut().0.fault_lasts(*fault, *touched),
        }
    }
}

fn scenario() -> Scenario {
    let link = Link { latency: Distribution::constant(Duration::from_millis(1)).unwrap(), loss: Ratio::ZERO };
    let mut topology = Topology::new();
    let (a, b) = (topology.add_zone("a", link.clone()), topology.add_zone("b", link.clone()));
    topology.add_link(a, b, link);
    let group = |name: &str, first: NodeId, zones: &[ZoneId]| {
        let node = |(number, &zone): (u32, &ZoneId)| Node {
            id: next(first, number),
            name: format!("{name}-{number}"),
            zone,
        };
        (0..).zip(zones).map(node).collect::<Vec<Node>>()
    };
    let constant = |millis| Distribution::constant(Duration::from_millis(millis)).unwrap();
    let service = service::Config {
        service: constant(1),
        slots: 1,
        queue: None,
        weight: 1,
        labels: Vec::new(),
        re_register: service::ReRegister::Never,
    };
    let client = client::Config {
        calls: Callee::Service(0),
        arrivals: Arrivals::Constant(Duration::from_secs(1)),
        timeout: Duration::from_secs(1),
        deadline: None,
        keys: Keys::Unique,
        picker: picker::Config::new(balancer::Config::Random(Nothing), locality::Config::None(Nothing)),
        cache: cache::Config::Watch { on_empty: cache::OnEmpty::Keep, max_stale: None },
        connections: Connections::Warm,
        health_check: None,
        locking: None,
    };
    Scenario {
        title: "scripted".to_owned(),
        why: None,
        source: None,
        length: Duration::from_secs(10),
        warmup: Duration::from_secs(1),
        seed: Seed(7),
        topology,
        registry: registry::Config::Etcd(etcd::Config {
            members: 2,
            version: etcd::Version::LATEST,
            lease_ttl: Duration::from_secs(10),
            heartbeat: Duration::from_millis(100),
            election: Duration::from_secs(1),
            fsync: constant(1),
            request_timeout: Duration::from_secs(5),
            lease_clock: etcd::LeaseClock::Monotonic,
            checkpoints: etcd::Checkpoints::Off,
            watch_leader: etcd::WatchLeader::Any,
            keepalive: None,
        }),
        members: group("registry", REGISTRY, &[a, b]),
        services: vec![Group {
            name: "orders".to_owned(),
            config: service,
            nodes: group("orders", ORDERS, &[a, b, a]),
        }],
        clients: vec![
            Group { name: "web".to_owned(), config: client.clone(), nodes: group("web", WEB, &[a, b]) },
            Group { name: "batch".to_owned(), config: client, nodes: group("batch", BATCH, &[a]) },
        ],
        aides: Vec::new(),
        spares: Vec::new(),
        faults: Vec::new(),
        lines: Vec::new(),
        expectations: Vec::new(),
        digest: Digest::new().value(),
    }
}

fn nodes(scenario: &Scenario) -> impl Iterator<Item = &Node> {
    let services = scenario.services.iter().flat_map(|group| &group.nodes);
    let clients = scenario.clients.iter().flat_map(|group| &group.nodes);
    scenario.members.iter().chain(services).chain(clients)
}

/// A node that observes its lines when they are due. A later life has only what is still to come.
#[derive(Clone)]
struct Scripted {
    lines: Arc<Vec<(Time, Observation)>>,
}

impl Actor for Scripted {
    type Config = Arc<Vec<(Time, Observation)>>;
    type Msg = ();
    type Timer = usize;
    type Durable = ();
    type Observation = Observation;
    type Plight = ();

    fn boot(lines: &Self::Config, (): &(), ctx: &mut Ctx<'_, Self>) -> Self {
        let now = ctx.now();
        for (number, (due, _)) in lines.iter().enumerate().filter(|(_, (due, _))| *due >= now) {
            ctx.at(*due, number);
        }
        Scripted { lines: lines.clone() }
    }

    fn on_message(&mut self, _: &mut Ctx<'_, Self>, _: NodeId, (): ()) {}

    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, line: usize) {
        ctx.observe(self.lines[line].1.clone());
    }

    fn on_reset(&mut self, _: &mut Ctx<'_, Self>, _: NodeId) {}

    fn peers(&self) -> Vec<NodeId> {
        Vec::new()
    }
}
