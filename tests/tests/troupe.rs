//! A troupe, driven by the smallest of drivers, does what a world does.

use std::collections::BTreeMap;

use schism_core::{
    Birth, Death, Distribution, Effect, Fault, Link, NodeId, Part, Ratio, Seed, Status, Time, Told, Topology,
    Troupe,
};
use schism_tests::toy::{Arrival, LATENCY, Letter, Mailbox, Post, Toy, world};

const NODES: u32 = 4;

fn at(millis: u64) -> Time {
    Time::from_nanos(millis * 1_000_000)
}

fn letters() -> Vec<Letter> {
    let letter = |number| {
        let (from, to) = (NodeId(number % NODES), NodeId((number * 7 + 1) % NODES));
        Letter { at: at(u64::from(number) * 3), from, to, by: Post::Alone, number }
    };
    (0..50).map(letter).filter(|letter| letter.from != letter.to).collect()
}

fn troupe(letters: &[Letter]) -> Troupe<Toy, Mailbox> {
    let mut topology = Topology::new();
    let latency = Distribution::constant(LATENCY).expect("ten milliseconds are in range");
    let zone = topology.add_zone("a", Link { latency, loss: Ratio::ZERO });
    let part = |node| Part {
        name: format!("toy-{node}"),
        zone,
        birth: Birth::AtStart,
        host: None,
        config: letters.iter().filter(|letter| letter.from == NodeId(node)).copied().collect(),
    };
    Troupe::new(&topology, (0..NODES).map(part).collect(), Seed(1), Mailbox::default())
}

/// What waits: of one moment in the order in which it was scheduled.
#[derive(Default)]
struct Agenda {
    waiting: BTreeMap<(Time, u32), (NodeId, Told<Toy>)>,
    scheduled: u32,
}

impl Agenda {
    fn obey(&mut self, now: Time, node: NodeId, asked: Vec<Effect<Toy>>) {
        for effect in asked {
            let (at, to, told) = match effect {
                Effect::Timer { at, timer } => (at, node, Told::Timer(timer)),
                Effect::Send { to, msg, .. } => (now + LATENCY, to, Told::Message { from: node, msg }),
                other @ (Effect::Stream { .. }
                | Effect::HangUp { .. }
                | Effect::Write(_)
                | Effect::Sync
                | Effect::Touch { .. }
                | Effect::Exit { .. }
                | Effect::Recycle { .. }
                | Effect::Observe(_)) => panic!("the toys of this test do not ask for {other:?}"),
            };
            self.scheduled += 1;
            self.waiting.insert((at, self.scheduled), (to, told));
        }
    }
}

/// Plays all letters; `inflict` is asked before each thing that happens.
fn play(
    mut troupe: Troupe<Toy, Mailbox>,
    mut inflict: impl FnMut(&mut Troupe<Toy, Mailbox>, Time),
) -> Troupe<Toy, Mailbox> {
    let mut agenda = Agenda::default();
    for node in (0..NODES).map(NodeId) {
        let asked = troupe.boot(node);
        agenda.obey(Time::START, node, asked);
    }
    while let Some(((now, _), (node, told))) = agenda.waiting.pop_first() {
        troupe.go_on(now);
        inflict(&mut troupe, now);
        let asked = troupe.tell(node, told);
        agenda.obey(now, node, asked);
    }
    troupe
}

fn seen(troupe: &Troupe<Toy, Mailbox>) -> Vec<(Time, NodeId, Arrival)> {
    let mut seen = troupe.witness().0.clone();
    seen.sort();
    seen
}

#[test]
fn a_troupe_sees_what_a_world_sees() {
    let letters = letters();
    let mut world = world(NODES, &letters);
    world.run_until(at(1_000));
    let mut expected = world.witness().0.clone();
    expected.sort();
    assert!(expected.len() > 30);
    assert_eq!(seen(&play(troupe(&letters), |_, _| {})), expected);
}

#[test]
fn who_is_dead_or_stands_still_is_told_nothing_and_the_digest_knows() {
    let letters = letters();
    let whole = play(troupe(&letters), |_, _| {});
    for (fault, status) in
        [(Fault::Crash(NodeId(2), Death::KILLED), Status::Down), (Fault::Pause(NodeId(2)), Status::Paused)]
    {
        let mut left = None;
        let struck = play(troupe(&letters), |troupe, now| {
            if now >= at(60) && left.is_none() {
                left = Some(troupe.suffer(&fault).is_some());
            }
        });
        assert_eq!(struck.scene().status(NodeId(2)), status);
        assert_eq!(left, Some(status == Status::Down), "only of the dead is something left");
        let after = |(when, node, _): &(Time, NodeId, Arrival)| *node == NodeId(2) && *when >= at(60);
        assert!(seen(&whole).iter().any(after) && !seen(&struck).iter().any(after));
        assert_ne!(struck.digest(), whole.digest());
    }
}

#[test]
fn who_restarts_begins_a_new_life_when_the_driver_boots_it() {
    let mut troupe = troupe(&[]);
    let node = NodeId(1);
    troupe.boot(node);
    assert!(troupe.suffer(&Fault::Crash(node, Death::KILLED)).is_some());
    assert!(troupe.suffer(&Fault::Crash(node, Death::KILLED)).is_none(), "nobody dies twice");
    assert!(troupe.boot(node).is_empty() && troupe.actor(node).is_none(), "nobody boots who is to be dead");
    troupe.suffer(&Fault::Restart(node));
    assert!(troupe.actor(node).is_none(), "it is up, and has not booted");
    troupe.boot(node);
    assert!(troupe.actor(node).is_some());
}
