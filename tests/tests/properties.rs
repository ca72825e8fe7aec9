//! Properties: what holds of the network, of streams, of forks and of Raft whatever goes wrong. The cases are drawn by
//! a generator of fixed seed, so that every run tries the same ones.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use schism_core::{Death, DigestValue, Duration, Fault, FaultId, NodeId, Seed, Time};
use schism_models::listing::ServiceId;
use schism_models::node::Node;
use schism_models::observation::{Outcome, Write};
use schism_models::registry::{AnyMember, Server};
use schism_runner::Simulation;
use schism_scenario::Scenario;
use schism_tests::runs::{Seen, scenario};
use schism_tests::toy::{self, Arrival, LATENCY, Letter, Post, cut, mend, ms};

/// Tries so many cases of a strategy, always the same.
fn check<S: Strategy>(cases: u32, strategy: S, holds: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(&strategy, holds);
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

const NODES: u32 = 5;

/// A cut of the toy's nodes, from one millisecond to another.
#[derive(Clone, Debug)]
struct Parting {
    from: Vec<u32>,
    to: Vec<u32>,
    begins: u64,
    ends: u64,
}

impl Parting {
    fn parts(&self, from: u32, to: u32) -> bool {
        self.from.contains(&from) && self.to.contains(&to)
    }

    fn is_active(&self, at: u64) -> bool {
        self.begins <= at && at < self.ends
    }
}

fn nodes(mask: u32) -> Vec<u32> {
    (0..NODES).filter(|node| mask >> node & 1 == 1).collect()
}

fn partings() -> impl Strategy<Value = Vec<Parting>> {
    let side = 1..(1_u32 << NODES);
    let parting = (side.clone(), side, 0..400_u64, 0..200_u64).prop_map(|(from, to, begins, lasts)| {
        Parting { from: nodes(from), to: nodes(to), begins, ends: begins + lasts }
    });
    prop::collection::vec(parting, 0..6)
}

/// Letters leave a quarter of a millisecond after the full one, so that no order of what happens at once matters.
fn letters(by: Post) -> impl Strategy<Value = Vec<Letter>> {
    prop::collection::vec((0..600_u64, 0..NODES, 0..NODES), 0..60).prop_map(move |mut drawn| {
        drawn.sort_unstable();
        let letter = |(number, (at, from, to))| Letter {
            at: ms(at) + Duration::from_nanos(250_000),
            from: NodeId(from),
            to: NodeId(to),
            by,
            number,
        };
        (0..).zip(drawn).map(letter).filter(|letter| letter.from != letter.to).collect()
    })
}

/// The cuts and their ends, in order; of one instant, ends come first.
fn faults(partings: &[Parting]) -> Vec<(Time, Fault)> {
    let mut faults: Vec<(u64, bool, Fault)> = Vec::new();
    for (id, parting) in (0..).zip(partings).filter(|(_, parting)| parting.begins < parting.ends) {
        faults.push((parting.begins, true, cut(id, &parting.from, &parting.to)));
        faults.push((parting.ends, false, mend(id)));
    }
    faults.sort_by_key(|&(at, begins, _)| (at, begins));
    faults.into_iter().map(|(at, _, fault)| (ms(at), fault)).collect()
}

// The network.

#[test]
fn a_cut_stops_what_is_sent_or_in_flight_while_it_lasts_and_nothing_else() {
    check(300, (partings(), letters(Post::Alone)), |(partings, letters)| {
        let mut world = toy::world(NODES, &letters);
        toy::run(&mut world, &faults(&partings), ms(2_000));
        let survives = |letter: &&Letter| {
            let (sent, arrives) = (letter.at, letter.at + LATENCY);
            !partings.iter().any(|parting| {
                parting.parts(letter.from.0, letter.to.0)
                    && parting.begins < parting.ends
                    && ms(parting.begins) < arrives
                    && ms(parting.ends) > sent
            })
        };
        let expected: Vec<_> = letters
            .iter()
            .filter(survives)
            .map(|letter| (letter.at + LATENCY, letter.to, Arrival::Letter(letter.number)))
            .collect();
        let mut got = world.witness().0.clone();
        got.sort_by_key(|&(at, _, arrival)| (at, arrival));
        prop_assert_eq!(got, expected);
        Ok(())
    });
}

#[test]
fn cuts_overlap_and_each_mend_restores_exactly_what_no_other_cut_stops() {
    check(200, partings(), |partings| {
        let mut world = toy::world(NODES, &[]);
        let faults = faults(&partings);
        for now in 0..620 {
            faults.iter().filter(|fault| fault.0 == ms(now)).for_each(|fault| world.inflict(fault.1.clone()));
            world.run_until(ms(now + 1));
            for (from, to) in ways() {
                let open = !partings.iter().any(|parting| parting.is_active(now) && parting.parts(from, to));
                prop_assert_eq!(world.scene().network().is_open(NodeId(from), NodeId(to)), open);
            }
        }
        prop_assert!(ways().all(|(from, to)| world.scene().network().is_open(NodeId(from), NodeId(to))));
        Ok(())
    });
}

fn pairs() -> impl Iterator<Item = (u32, u32)> {
    (0..NODES).flat_map(|from| (0..NODES).map(move |to| (from, to)))
}

/// Every two nodes: within one no network lies.
fn ways() -> impl Iterator<Item = (u32, u32)> {
    pairs().filter(|(from, to)| from != to)
}

#[test]
fn mends_undo_cuts_in_any_order() {
    let cuts =
        partings().prop_map(|partings| partings.into_iter().map(|p| (p.from, p.to)).collect::<Vec<_>>());
    check(200, (cuts, any::<u64>()), |(cuts, order)| {
        let mut world = toy::world(NODES, &[]);
        for (id, (from, to)) in (0..).zip(&cuts) {
            world.inflict(cut(id, from, to));
        }
        let mut left: Vec<usize> = (0..cuts.len()).collect();
        while !left.is_empty() {
            let gone = left.remove((order % left.len() as u64) as usize);
            world.inflict(Fault::Mend(FaultId(gone as u32)));
            for (from, to) in ways() {
                let stopped = |&at: &usize| cuts[at].0.contains(&from) && cuts[at].1.contains(&to);
                let open = !left.iter().any(stopped);
                prop_assert_eq!(world.scene().network().is_open(NodeId(from), NodeId(to)), open);
            }
        }
        Ok(())
    });
}

#[test]
fn islands_are_the_strongly_connected_components() {
    check(300, partings(), |partings| {
        let mut world = toy::world(NODES, &[]);
        for (id, parting) in (0..).zip(&partings) {
            world.inflict(cut(id, &parting.from, &parting.to));
        }
        let reaches =
            closure(|from, to| from == to || world.scene().network().is_open(NodeId(from), NodeId(to)));
        let together = |a: u32| -> Vec<NodeId> {
            (0..NODES).filter(|&b| reaches[&(a, b)] && reaches[&(b, a)]).map(NodeId).collect()
        };
        let expected: BTreeSet<Vec<NodeId>> = (0..NODES).map(together).collect();
        let got = world.scene().network().islands();
        prop_assert!(got.is_sorted());
        prop_assert_eq!(got.into_iter().collect::<BTreeSet<_>>(), expected);
        Ok(())
    });
}

/// Who reaches whom through others: Warshall's algorithm.
fn closure(open: impl Fn(u32, u32) -> bool) -> BTreeMap<(u32, u32), bool> {
    let mut reaches: BTreeMap<(u32, u32), bool> = pairs().map(|(a, b)| ((a, b), open(a, b))).collect();
    for via in 0..NODES {
        for (a, b) in pairs() {
            if reaches[&(a, via)] && reaches[&(via, b)] {
                reaches.insert((a, b), true);
            }
        }
    }
    reaches
}

// Streams.

#[test]
fn a_stream_delivers_in_order_and_once_whatever_is_cut() {
    check(
        400,
        (partings(), letters(Post::Stream), 0..500_u64, 0..300_u64),
        |(partings, letters, stop, pause)| {
            let mut world = toy::world(NODES, &letters);
            let mut faults = faults(&partings);
            faults.push((ms(stop), Fault::Pause(NodeId(0))));
            faults.push((ms(stop + pause), Fault::Resume(NodeId(0))));
            faults.sort_by_key(|fault| fault.0);
            toy::run(&mut world, &faults, ms(20_000));
            for (from, to) in pairs() {
                let of = |letter: &&Letter| letter.from == NodeId(from) && letter.to == NodeId(to);
                let sent: Vec<u32> = letters.iter().filter(of).map(|letter| letter.number).collect();
                let got: Vec<u32> = world
                    .witness()
                    .0
                    .iter()
                    .filter_map(|&(_, by, arrival)| match arrival {
                        Arrival::Letter(number) if by == NodeId(to) && sent.contains(&number) => Some(number),
                        Arrival::Letter(_) | Arrival::Reset(_) => None,
                    })
                    .collect();
                prop_assert_eq!(got, sent, "from {} to {}", from, to);
            }
            Ok(())
        },
    );
}

#[test]
fn a_stream_resumes_at_the_first_of_tcps_slots_after_the_mend() {
    for lasts in [1, 150, 199, 201, 450, 599, 601, 1_000, 1_401, 2_900, 3_001, 6_000, 20_000, 60_000] {
        // The first opens the connection.
        let opens = Letter { number: 1, ..one_letter(Post::Stream, 10) };
        let letter = one_letter(Post::Stream, 100);
        let mut world = toy::world(2, &[opens, letter]);
        let ends = 100 + lasts;
        toy::run(&mut world, &[(ms(100), cut(0, &[0], &[1])), (ms(ends), mend(0))], ms(200_000));
        let slot = (1..).map(|n| letter.at + Duration::from_millis(200 * ((1 << n) - 1)));
        let resumes = slot.into_iter().find(|&slot| slot >= ms(ends)).expect("there is always a later slot");
        let expected = [
            (opens.at + LATENCY * 3, NodeId(1), Arrival::Letter(1)),
            (resumes + LATENCY, NodeId(1), Arrival::Letter(0)),
        ];
        assert_eq!(world.witness().0, expected, "{lasts} ms");
    }
}

fn one_letter(by: Post, at: u64) -> Letter {
    Letter { at: ms(at) + Duration::from_nanos(250_000), from: NodeId(0), to: NodeId(1), by, number: 0 }
}

// Processes.

#[test]
fn the_host_of_a_dead_process_answers_with_a_reset() {
    for by in [Post::Alone, Post::Stream] {
        let letter = one_letter(by, 100);
        let mut world = toy::world(2, &[letter]);
        toy::run(&mut world, &[(ms(50), Fault::Crash(NodeId(1), Death::KILLED))], ms(1_000));
        assert_eq!(
            world.witness().0,
            [(letter.at + LATENCY + LATENCY, NodeId(0), Arrival::Reset(NodeId(1)))]
        );
    }
}

#[test]
fn a_dead_process_that_is_cut_off_gives_no_sign() {
    let letter = one_letter(Post::Alone, 100);
    let mut world = toy::world(2, &[letter]);
    toy::run(
        &mut world,
        &[(ms(50), Fault::Crash(NodeId(1), Death::KILLED)), (ms(60), cut(0, &[1], &[0]))],
        ms(1_000),
    );
    assert_eq!(world.witness().0, []);
}

#[test]
fn a_paused_process_gets_at_its_resumption_what_reached_its_host() {
    for by in [Post::Alone, Post::Stream] {
        let letter = one_letter(by, 100);
        let mut world = toy::world(2, &[letter]);
        let faults = [(ms(50), Fault::Pause(NodeId(1))), (ms(700), Fault::Resume(NodeId(1)))];
        toy::run(&mut world, &faults, ms(1_000));
        assert_eq!(world.witness().0, [(ms(700), NodeId(1), Arrival::Letter(0))]);
    }
}

#[test]
fn what_has_reached_a_paused_process_survives_a_cut_that_comes_later() {
    for by in [Post::Alone, Post::Stream] {
        let mut world = toy::world(2, &[one_letter(by, 100)]);
        let faults = [
            (ms(50), Fault::Pause(NodeId(1))),
            (ms(300), cut(0, &[0], &[1])),
            (ms(700), Fault::Resume(NodeId(1))),
        ];
        toy::run(&mut world, &faults, ms(1_000));
        assert_eq!(world.witness().0, [(ms(700), NodeId(1), Arrival::Letter(0))], "{by:?}");
    }
}

#[test]
fn what_was_cut_off_before_it_reached_a_paused_process_is_lost() {
    let mut world = toy::world(2, &[one_letter(Post::Alone, 100)]);
    let faults = [
        (ms(50), Fault::Pause(NodeId(1))),
        (ms(105), cut(0, &[0], &[1])),
        (ms(107), mend(0)),
        (ms(700), Fault::Resume(NodeId(1))),
    ];
    toy::run(&mut world, &faults, ms(1_000));
    assert_eq!(world.witness().0, []);
}

// Forks, and faults that are none.

/// A registry of so many members, instances that renew often and clients of every kind.
fn busy(members: u32, version: &str, length: &str, faults: &str) -> Scenario {
    scenario(&format!(
        r#"
        title  = "Whatever goes wrong"
        length = "{length}"
        [topology]
        zones = ["a", "b", "c"]
        [registry.etcd]
        members   = {members}
        version   = "{version}"
        lease-ttl = "3s"
        [services.orders]
        instances = 4
        service   = "2ms"
        [clients.web]
        count    = 3
        calls    = "orders"
        arrivals = {{ poisson = "5/s" }}
        timeout  = "250ms"
        [clients.writer]
        count     = 3
        calls     = "registry"
        operation = "put"
        arrivals  = {{ poisson = "5/s" }}
        timeout   = "10s"
        [clients.reader]
        count     = 2
        calls     = "registry"
        arrivals  = {{ poisson = "3/s" }}
        timeout   = "10s"
        {faults}
        "#
    ))
}

const TROUBLE: &str = r#"
    [[fault]]
    id        = "split"
    at        = "4s"
    for       = "3s"
    partition = { split = [["registry:leader"], ["registry:followers"]] }
    [[fault]]
    id    = "crash"
    at    = "9s"
    for   = "2s"
    crash = ["registry:leader", "orders-1"]
    [[fault]]
    id    = "pause"
    at    = "13s"
    for   = "2s"
    pause = ["registry:followers", "web-0"]
"#;

fn digest(scenario: &Scenario) -> DigestValue {
    let mut simulation: Simulation<Seen> = Simulation::new(scenario, Seed(5), Seen::default());
    simulation.run_to_end();
    simulation.digest()
}

#[test]
fn a_fork_at_any_moment_goes_the_same_way() {
    let scenario = busy(3, "3.4", "18s", TROUBLE);
    let whole = digest(&scenario);
    let mut simulation: Simulation<Seen> = Simulation::new(&scenario, Seed(5), Seen::default());
    for tenth in 0..180 {
        simulation.run_until(Time::START + Duration::from_millis(tenth * 100 + 37));
        let mut fork = simulation.clone();
        if tenth % 6 == 0 {
            fork.run_to_end();
            assert_eq!(fork.digest(), whole, "forked at {} ms", tenth * 100 + 37);
        }
    }
    simulation.run_to_end();
    assert_eq!(simulation.digest(), whole);
}

#[test]
fn a_fault_of_no_duration_changes_nothing() {
    let with = |faults: &str| digest(&busy(3, "3.5", "16s", faults));
    let none = with("");
    let kinds = [
        r#"partition = { isolate = "registry:leader" }"#,
        r#"partition = { split = [["zone:a"], ["rest"]], mode = "reject" }"#,
        r#"crash = "registry:leader""#,
        r#"pause = "orders:pick(2)""#,
    ];
    for kind in kinds {
        let fault = |lasts: &str| {
            format!(
                "[[fault]]\nmay-miss = true\nmay-overlap = true\nbetween = [\"5s\", \"6s\"]\nfor = \"{lasts}\"\n{kind}\n"
            )
        };
        assert_eq!(with(&fault("0s")), none, "{kind}");
        assert_ne!(with(&fault("1s")), none, "{kind}: the check must be able to fail");
        // Beside other faults, too.
        assert_eq!(with(&format!("{TROUBLE}{}", fault("0s"))), with(TROUBLE), "{kind}");
    }
}

// Raft.

/// A plan of faults, drawn: each begins within twelve seconds of the fourth, and all are over by the twentieth.
fn plan(members: u32) -> impl Strategy<Value = String> {
    let whom = prop_oneof![
        Just("\"registry:leader\"".to_string()),
        (0..members).prop_map(|member| format!("\"registry-{member}\"")),
        (1..=members / 2).prop_map(|count| format!("\"registry:pick({count})\"")),
    ];
    let kind = (whom, 0..7_u32, 0..members).prop_map(move |(whom, kind, other)| match kind {
        0 | 1 => format!("partition = {{ isolate = {whom} }}"),
        2 => format!("partition = {{ split = [[{whom}], [\"rest\"]], direction = \"forward\" }}"),
        3 => format!("partition = {{ split = [[{whom}], [\"rest\"]], direction = \"backward\" }}"),
        4 => {
            let next = (other + 1) % members;
            format!("partition = {{ partial = [[\"registry-{other}\", \"registry-{next}\"]] }}")
        }
        5 => format!("crash = {whom}"),
        _ => format!("pause = {whom}"),
    });
    let fault = (kind, 4_000..16_000_u64, 1..4_000_u64).prop_map(|(kind, at, lasts)| {
        format!(
            "[[fault]]\nmay-miss = true\nmay-overlap = true\nat = \"{at}ms\"\nfor = \"{lasts}ms\"\n{kind}\n"
        )
    });
    prop::collection::vec(fault, 1..7).prop_map(|faults| faults.concat())
}

/// Nobody writes any more, so that all members can come to have the same.
const SILENCE: &str = r#"
    [[fault]]
    at        = "44s"
    partition = { split = [["writer"], ["registry"]] }
"#;

#[test]
fn raft_keeps_its_promises_whatever_is_cut_or_killed() {
    for (members, version) in [(3, "3.4"), (3, "3.5"), (5, "3.4"), (5, "3.5")] {
        check(60, (plan(members), any::<u64>()), |(faults, seed)| {
            let scenario = busy(members, version, "45s", &format!("{faults}{SILENCE}"));
            let mut simulation: Simulation<Seen> = Simulation::new(&scenario, Seed(seed), Seen::default());
            simulation.run_to_end();
            one_leader_a_term(simulation.witness())?;
            one_history(simulation.witness(), members + 7..members + 10)?;
            all_agree(&simulation, members)
        });
    }
}

fn one_leader_a_term(seen: &Seen) -> Result<(), TestCaseError> {
    let mut leaders = BTreeMap::new();
    for &(_, node, term) in &seen.leads {
        prop_assert_eq!(*leaders.entry(term).or_insert(node), node, "two leaders of term {}", term);
    }
    prop_assert!(!leaders.is_empty());
    Ok(())
}

/// Every member applies the same write at the same place, each in order, and what a client was told is done is done.
fn one_history(seen: &Seen, writers: Range<u32>) -> Result<(), TestCaseError> {
    let mut history: BTreeMap<u64, Write> = BTreeMap::new();
    let mut reached: BTreeMap<NodeId, (u64, Time)> = BTreeMap::new();
    for &(now, member, at, write) in &seen.committed {
        prop_assert_eq!(*history.entry(at).or_insert(write), write, "two writes at {}", at);
        if let Some((before, then)) = reached.insert(member, (at, now)) {
            // A member that starts anew may apply again what it had applied after its last record of doing so.
            let anew = seen.died.iter().any(|&(died, node)| node == member && then <= died && died <= now);
            prop_assert!(anew || at > before, "{:?} applied {} after {}", member, at, before);
        }
    }
    let puts = history.values().filter(|&&write| write == Write::Put).count();
    let told =
        seen.done.iter().filter(|done| done.outcome == Outcome::Success && writers.contains(&done.by.0));
    let told = told.count();
    prop_assert!(puts >= told, "{} puts were acknowledged, {} are in the log", told, puts);
    Ok(())
}

/// Twenty-five seconds after the last heal there is one leader, and all have the same keys and leases.
fn all_agree(simulation: &Simulation<Seen>, members: u32) -> Result<(), TestCaseError> {
    let member = |id| {
        let actor = simulation.world().actor(NodeId(id));
        let Some(Node::Member(member)) = actor else { panic!("every member lives at the end") };
        let AnyMember::Etcd(member) = &**member else { panic!("the registry is etcd") };
        member
    };
    prop_assert_eq!((0..members).filter(|&id| member(id).leads().is_some()).count(), 1);
    let first = member(0);
    for id in 1..members {
        let other = member(id);
        prop_assert_eq!(other.term(), first.term());
        prop_assert_eq!(other.store().header(), first.store().header());
        prop_assert!(other.store().leases().eq(first.store().leases()));
        prop_assert!(other.store().listings().eq(first.store().listings()));
    }
    prop_assert_eq!(first.store().listing(ServiceId(0)).endpoints.len(), 4, "every instance is back");
    Ok(())
}
