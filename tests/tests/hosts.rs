//! Hosts that several nodes share: what strikes a host or its network strikes all of them, what strikes a process that one.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{
    Birth, Distribution, Duration, Fault as Primitive, FaultId, Harm, NodeId, Part, Ratio, Seed, Status,
    Time, World, ZoneId,
};
use schism_models::balancer::Seat;
use schism_models::client::{Desk, Directory};
use schism_models::listing::{Endpoint, Listing, Roster, ServiceId};
use schism_models::nemesis::{
    Base, Ears, End, Fault, Nemesis, OnMiss, OnOverlap, Planned, Scale, Start, Target, Way,
};
use schism_models::node::{Node, Role};
use schism_models::picker::{District, Site};
use schism_models::service::{Post, Reports};
use schism_tests::runs::scenario;
use schism_tests::toy::{self, Arrival, Letter, ms};

// The network.

/// Node 1 is aboard the host of node 0; node 2 has its own.
const SHARED: &[(u32, u32)] = &[(1, 0)];

/// A letter each 100 ms between every two nodes, numbered by both and by when.
fn letters(by: toy::Post) -> Vec<Letter> {
    let ways = [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)];
    let letter = |turn: u32, (from, to): (u32, u32)| Letter {
        at: ms(100 * u64::from(turn)),
        from: NodeId(from),
        to: NodeId(to),
        by,
        number: 100 * (10 * from + to) + turn,
    };
    (1..10).flat_map(|turn| ways.map(|way| letter(turn, way))).collect()
}

/// On which ways letters came that were sent in the midst of a fault, by `from` and `to`: with how many milliseconds on
/// the way at most.
fn came(fault: Primitive) -> Vec<(u32, u64)> {
    let letters = letters(toy::Post::Alone);
    let mut world = toy::world_sharing(3, SHARED, Birth::AtStart, &letters);
    toy::run(&mut world, &[(ms(350), fault)], ms(3_000));
    let amid = letters.iter().filter(|letter| letter.at > ms(350));
    let mut ways = BTreeMap::new();
    for letter in amid {
        let arrived =
            |&&(_, _, arrival): &&(Time, NodeId, Arrival)| arrival == Arrival::Letter(letter.number);
        if let Some((when, ..)) = world.witness().0.iter().find(arrived) {
            let took = when.since(letter.at).as_nanos() / 1_000_000;
            let longest = ways.entry(letter.number / 100).or_insert(0);
            *longest = took.max(*longest);
        }
    }
    ways.into_iter().collect()
}

#[test]
fn a_cut_of_a_host_cuts_off_who_is_aboard_and_not_from_each_other() {
    assert_eq!(came(toy::cut(1, &[0], &[2])), [(1, 10), (10, 10), (20, 10), (21, 10)]);
    assert_eq!(came(toy::cut(1, &[2], &[0])), [(1, 10), (2, 10), (10, 10), (12, 10)]);
    assert_eq!(came(toy::cut(1, &[0, 1, 2], &[0, 1, 2])), [(1, 10), (10, 10)]);
}

#[test]
fn an_impairment_of_a_host_meets_who_is_aboard_and_not_among_themselves() {
    let second = Distribution::constant(Duration::from_secs(1)).expect("a second is in range");
    let slow = |from: &[u32], to: &[u32]| {
        let harm = Harm::Delay { extra: second.clone(), correlation: Ratio::ZERO };
        came(toy::impair(1, from, to, harm))
    };
    assert_eq!(slow(&[0], &[0, 2]), [(1, 10), (2, 1_010), (10, 10), (12, 1_010), (20, 10), (21, 10)]);
}

#[test]
fn a_host_is_severed_with_who_is_aboard() {
    let letters = letters(toy::Post::Stream);
    let mut world = toy::world_sharing(3, SHARED, Birth::AtStart, &letters);
    let (id, from, to) = (FaultId(1), toy::set(&[0]), toy::set(&[0, 2]));
    toy::run(&mut world, &[(ms(350), Primitive::Sever { id, from, to })], ms(3_000));
    let resets = world.witness().0.iter().filter_map(|&(_, at, arrival)| match arrival {
        Arrival::Reset(peer) => Some((at.0, peer.0)),
        Arrival::Letter(_) => None,
    });
    let mut resets: Vec<(u32, u32)> = resets.collect();
    resets.sort_unstable();
    assert_eq!(resets, [(0, 2), (1, 2), (2, 0), (2, 1)]);
}

#[test]
fn islands_are_of_hosts() {
    let mut world = toy::world_sharing(4, SHARED, Birth::AtStart, &[]);
    toy::run(&mut world, &[(ms(1), toy::cut(1, &[0], &[2, 3])), (ms(1), toy::cut(1, &[2, 3], &[0]))], ms(2));
    let scene = world.scene();
    assert_eq!(scene.network().islands(), [vec![NodeId(0)], vec![NodeId(2), NodeId(3)]]);
    assert!(scene.network().is_open(NodeId(0), NodeId(1)) && !scene.network().is_open(NodeId(1), NodeId(3)));
}

// The nemesis.

/// Two instances and a client; behind them two more clients, aboard the hosts of the instances.
const STAGE: &str = r#"
title  = "hosts"
length = "60s"
[topology]
zones = ["a", "b"]
[registry.static]
[services.orders]
instances = 2
service   = "1ms"
zones     = ["a"]
[clients.web]
count    = 1
calls    = "orders"
arrivals = { constant = "1/s" }
zones    = ["b"]
"#;

const FIRST: NodeId = NodeId(0);
const OTHER: NodeId = NodeId(1);
const WEB: NodeId = NodeId(2);
const ABOARD_FIRST: NodeId = NodeId(3);
const ABOARD_OTHER: NodeId = NodeId(4);

type Stage = (World<Node, Ears<()>>, Nemesis);

fn stage(fault: &str) -> Stage {
    stage_with(fault, Birth::AtStart, None)
}

fn stage_with(fault: &str, other: Birth, more: Option<Planned>) -> Stage {
    let scenario =
        scenario(&format!("{STAGE}[[fault]]\nat = \"10s\"\nfor = \"10s\"\nmay-miss = true\n{fault}\n"));
    let config = Arc::new(scenario.services[0].config.clone());
    let endpoint = |node: NodeId| Endpoint { node, ordinal: node.0, zone: ZoneId(0), weight: 1 };
    let endpoints = vec![endpoint(FIRST), endpoint(OTHER)];
    let listing = Arc::new(Listing { service: ServiceId(0), revision: 0, endpoints });
    let instance = |node| Post {
        config: config.clone(),
        service: ServiceId(0),
        endpoint: endpoint(node),
        registry: None,
        reports: Reports::Nothing,
    };
    let names = vec!["orders-0".to_owned(), "orders-1".to_owned()];
    let district = Arc::new(District { roster: Roster::new(names), ..District::default() });
    let site = |zone| Site { seat: Seat { index: 0, peers: 1 }, zone, district: district.clone() };
    let desk = |zone| Desk {
        config: Arc::new(scenario.clients[0].config.clone()),
        site: site(zone),
        directory: Directory::Fixed(listing.clone()),
    };
    let part = |name: &str, zone, config, host| Part {
        name: name.to_owned(),
        zone,
        config,
        birth: Birth::AtStart,
        host,
    };
    let (a, b) = (ZoneId(0), ZoneId(1));
    let mut cast = vec![
        part("orders-0", a, Role::Instance(Arc::new(instance(FIRST))), None),
        part("orders-1", a, Role::Instance(Arc::new(instance(OTHER))), None),
        part("web-0", b, Role::Client(Arc::new(desk(b))), None),
        part("orders-0-agent", a, Role::Client(Arc::new(desk(a))), Some(FIRST)),
        part("orders-1-agent", a, Role::Client(Arc::new(desk(a))), Some(OTHER)),
    ];
    let nemesis = Nemesis::new(scenario.faults.iter().cloned().chain(more).collect(), Seed(1));
    cast[OTHER.index()].birth = other;
    (World::new(&scenario.topology, cast, Seed(1), nemesis.ears(())), nemesis)
}

fn run_until((world, nemesis): &mut Stage, secs: u64) {
    let end = Time::START + Duration::from_secs(secs);
    while let Some(at) = nemesis.next_at().filter(|&at| at < end) {
        world.run_until(at);
        nemesis.act(world);
    }
    world.run_until(end);
}

fn statuses((world, _): &Stage) -> [Status; 5] {
    [FIRST, OTHER, WEB, ABOARD_FIRST, ABOARD_OTHER].map(|node| world.scene().status(node))
}

/// Who is as told in the midst of a fault; afterwards all is as before.
fn check(fault: &str, amid: [Status; 5]) {
    let mut stage = stage(fault);
    run_until(&mut stage, 15);
    assert_eq!(statuses(&stage), amid, "{fault}");
    run_until(&mut stage, 40);
    assert_eq!(statuses(&stage), [Status::Up; 5], "{fault}");
    let wounds = stage.0.wounds();
    assert!(wounds.is_empty(), "{fault}: {wounds:?}");
}

#[test]
fn what_strikes_a_machine_strikes_all_on_it_and_what_strikes_a_process_that_one() {
    use Status::{Down, Paused, Up};
    check("crash = { target = \"orders-0\", disk = \"lose-unsynced\" }", [Down, Up, Up, Down, Up]);
    check("crash = \"orders-0\"", [Down, Up, Up, Up, Up]);
    check("zone-outage = { zone = \"a\" }", [Down, Down, Up, Down, Down]);
    check("vm-stall = \"orders-0\"", [Paused, Up, Up, Paused, Up]);
    check("pause = \"orders-0\"", [Paused, Up, Up, Up, Up]);
    check("zombie = { target = \"orders-0\", believes = \"5s\" }", [Paused, Up, Up, Up, Up]);
    check("stop = { target = \"orders-0\", drain = \"1s\" }", [Down, Up, Up, Up, Up]);
    check("pause = \"zone:a\"", [Paused, Paused, Up, Up, Up]);
}

#[test]
fn machines_that_come_back_in_waves_bring_all_on_them() {
    let waves = "zone-outage = { zone = \"a\", recovery = { waves = { size = 1, every = \"2s\" } } }";
    let mut stage = stage(waves);
    run_until(&mut stage, 21);
    let [first, other, _, aboard_first, aboard_other] = statuses(&stage);
    assert_ne!(first, other, "one machine is back");
    assert_eq!([first, other], [aboard_first, aboard_other]);
    run_until(&mut stage, 30);
    assert_eq!(statuses(&stage), [Status::Up; 5]);
}

#[test]
fn a_machine_has_its_clocks_for_all_on_it() {
    let mut stage = stage("clock = { target = \"orders-0\", skew = \"1s\" }");
    let wrong = |stage: &Stage| stage.0.wounds().nodes.into_iter().map(|(node, _)| node).collect::<Vec<_>>();
    run_until(&mut stage, 15);
    assert_eq!(wrong(&stage), [FIRST, ABOARD_FIRST]);
    run_until(&mut stage, 25);
    assert_eq!(wrong(&stage), []);
}

#[test]
fn who_is_aboard_stands_where_its_host_does() {
    for (cut, aboard_first) in [
        ("partition = { isolate = \"orders-0\" }", false),
        ("partition = { split = [[\"orders-0\"], [\"rest\"]] }", false),
        ("partition = { isolate = \"orders-1\" }", true),
        ("partition = { isolate = \"web-0\" }", false),
    ] {
        let mut stage = stage(cut);
        run_until(&mut stage, 15);
        let scene = stage.0.scene();
        let network = scene.network();
        assert_eq!(network.is_open(ABOARD_FIRST, WEB), aboard_first, "{cut}");
        assert!(network.is_open(ABOARD_FIRST, FIRST), "{cut}");
        assert_eq!(network.is_open(ABOARD_FIRST, OTHER), network.is_open(FIRST, OTHER), "{cut}");
        run_until(&mut stage, 25);
        assert!(stage.0.scene().network().is_open(ABOARD_FIRST, WEB), "{cut}");
    }
}

#[test]
fn a_machine_on_which_no_instance_runs_yet_loses_power_with_its_zone() {
    use Status::{Down, Up};
    let orders = Target { base: Base::Group(vec![FIRST]), select: None };
    let (way, drain) = (Way::Out(1), Duration::from_secs(1));
    let scale_out = Planned {
        id: "out".to_owned(),
        start: Start::At(Time::START + Duration::from_secs(15)),
        end: End::Never,
        fault: Fault::Scale(Scale { targets: vec![orders], way, drain, spares: vec![OTHER] }),
        on_miss: OnMiss::Vacuous,
        on_overlap: OnOverlap::Refused,
    };
    let mut stage = stage_with("zone-outage = { zone = \"a\" }", Birth::Later, Some(scale_out));
    for (secs, statuses) in [
        (5, [Up, Down, Up, Up, Up]),
        (12, [Down, Down, Up, Down, Down]),
        (17, [Down, Down, Up, Down, Down]),
        (25, [Up, Up, Up, Up, Up]),
    ] {
        run_until(&mut stage, secs);
        assert_eq!(self::statuses(&stage), statuses, "after {secs} s");
    }
}
