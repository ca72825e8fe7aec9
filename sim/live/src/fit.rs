//! What of a scenario would have no effect where users' code plays a part, or has nobody to talk to.

use schism_core::NodeId;
use schism_models::cache::Feed;
use schism_models::client::Callee;
use schism_models::nemesis::{Base, Fault, LeaderOn, Partition, Select, Shape, Target};
use schism_models::registry::Config;
use schism_scenario::Scenario;

use crate::guests::{Guests, Role};

/// Why these parts of a scenario cannot be played by users' code, each in a sentence with its remedy: nothing may have no
/// effect in silence.
pub(crate) fn misfits(scenario: &Scenario, guests: &Guests) -> Vec<String> {
    if guests.is_empty() {
        return Vec::new();
    }
    let faults = scenario.faults.iter().flat_map(|planned| {
        let why = planned.fault.alternatives().iter().filter_map(|fault| of_fault(scenario, guests, fault));
        why.map(|why| format!("fault `{}`: {why}", planned.id)).collect::<Vec<_>>()
    });
    of_registry(scenario, guests).into_iter().chain(of_clients(scenario, guests)).chain(faults).collect()
}

/// Models speak only to the model of a registry.
fn of_registry(scenario: &Scenario, guests: &Guests) -> Option<String> {
    guests.registry.as_ref()?;
    if scenario.members.is_empty() {
        return Some("the registry has no members, and so nobody for your code to play".to_owned());
    }
    if !scenario.aides.is_empty() {
        return Some(
            "the registry has processes besides its members, which are models and speak only to the model of \
             one: let the scenario have another, such as `[registry.etcd]`"
                .to_owned(),
        );
    }
    let services = scenario.services.iter().enumerate();
    let models = services.filter(|(number, _)| !guests.services.contains_key(number));
    let clients = scenario.clients.iter().enumerate();
    let clients = clients.filter(|(number, _)| !guests.clients.contains_key(number));
    let names: Vec<String> = models
        .map(|(_, group)| format!("`.service(\"{}\", ..)`", group.name))
        .chain(clients.map(|(_, group)| format!("`.client(\"{}\", ..)`", group.name)))
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "where the registry is yours, so are all who ask it, since models speak only to the model of one: add {}, \
             or leave `.registry(..)` out",
            names.join(" and ")
        )
    })
}

/// A client beside a model of a registry knows what that tells, if it watches.
fn of_clients(scenario: &Scenario, guests: &Guests) -> Vec<String> {
    if guests.registry.is_some() {
        return Vec::new();
    }
    let groups = guests.clients.keys().map(|&number| &scenario.clients[number]);
    let why = groups.filter_map(|group| {
        let name = &group.name;
        match group.config.calls {
            Callee::Registry(_) | Callee::Locks => Some(format!(
                "`{name}` calls a registry that is a model, and there is no way there for your code: leave \
                 `.client(\"{name}\", ..)` out, or play the registry, too"
            )),
            Callee::Service(_) if is_asked_on_demand(scenario, &group.config.cache) => Some(format!(
                "`{name}` looks for instances when a model has a request, and yours are none: let it have `cache = \
                 \"watch\"`"
            )),
            Callee::Service(_) => None,
        }
    });
    why.collect()
}

fn is_asked_on_demand(scenario: &Scenario, cache: &schism_models::cache::Config) -> bool {
    matches!(cache.feed(), Feed::OnDemand(_)) && !matches!(scenario.registry, Config::Static)
}

/// What a fault does by itself, it does to anybody; what it has a process do, only models do.
fn of_fault(scenario: &Scenario, guests: &Guests, fault: &Fault) -> Option<String> {
    let name = fault.name();
    if guests.registry.is_some() && asks_who_leads(fault) {
        return Some(format!("`{name}` asks who leads the registry, which is yours: name a member"));
    }
    if is_done_to_anybody(fault) {
        return None;
    }
    let targets = fault.sides().into_iter().flatten();
    let mut struck = targets.flat_map(|target| meant(scenario, target));
    let yours = struck.find(|&node| guests.role(scenario, node).is_some());
    let yours = yours.or_else(|| {
        let acts_on_the_registry = matches!(fault, Fault::Registry(_) | Fault::Dns(_));
        (acts_on_the_registry && guests.registry.is_some()).then(|| scenario.members[0].id)
    })?;
    let who = match guests.role(scenario, yours)? {
        Role::Member => "the registry".to_owned(),
        Role::Instance(number) => format!("`{}`", scenario.services[number].name),
        Role::Client(number) => format!("`{}`", scenario.clients[number].name),
    };
    Some(format!(
        "`{name}` is something that models do themselves, and {who} is played by your code: aim it at others, or \
         leave it out. What can strike your code: crash, crash-loop, pause, gc, partition, latency, loss, zone-outage"
    ))
}

/// Whether the engine does it, whoever the process is.
fn is_done_to_anybody(fault: &Fault) -> bool {
    match fault {
        Fault::Crash(_)
        | Fault::CrashLoop(_)
        | Fault::Pause(_)
        | Fault::Gc(_)
        | Fault::Partition(_)
        | Fault::Latency(_)
        | Fault::Loss(_)
        | Fault::ZoneOutage(_) => true,
        // What they may be is asked one by one.
        Fault::OneOf(_) => true,
        Fault::Stop(_)
        | Fault::StartSlow(_)
        | Fault::Zombie(_)
        | Fault::Registry(_)
        | Fault::Dns(_)
        | Fault::Disk(_)
        | Fault::Slow(_)
        | Fault::PartialCapacity(_)
        | Fault::ErrorRate(_)
        | Fault::Leak(_)
        | Fault::NoisyNeighbour(_)
        | Fault::Deploy(_)
        | Fault::ConfigPush(_)
        | Fault::IpReuse(_)
        | Fault::Scale(_)
        | Fault::Load(_)
        | Fault::Failpoint(_)
        // These madsim cannot do to anybody, and they have been refused.
        | Fault::Duplicate(_)
        | Fault::Reorder(_)
        | Fault::Corrupt(_)
        | Fault::Bandwidth(_)
        | Fault::LimpLink(_)
        | Fault::Connection(_)
        | Fault::ZoneBrownout(_)
        | Fault::Clock(_)
        | Fault::VmStall(_) => false,
    }
}

fn asks_who_leads(fault: &Fault) -> bool {
    let by_target = fault.sides().into_iter().flatten().any(|target| match &target.select {
        Some(Select::Leader | Select::Followers | Select::Minority) => true,
        Some(Select::Majority | Select::Pick(_) | Select::Share(_) | Select::In(_)) | None => false,
    });
    let by_shape = if let Fault::Partition(Partition { shape, .. }) = fault {
        matches!(shape, Shape::MajorityMinority { leader: LeaderOn::Minority | LeaderOn::Majority, .. })
    } else {
        false
    };
    by_target || by_shape
}

/// All nodes that a target may mean.
fn meant(scenario: &Scenario, target: &Target) -> Vec<NodeId> {
    match &target.base {
        Base::Node(node) => vec![*node],
        Base::Group(nodes) => nodes.clone(),
        Base::Zone(zone) => scenario.nodes().filter(|node| node.zone == *zone).map(|node| node.id).collect(),
        Base::Rest => scenario.nodes().map(|node| node.id).collect(),
    }
}
