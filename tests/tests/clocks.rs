//! Clocks: what holds of timers and readings however the clocks of a node are set.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use schism_core::{
    Birth, Death, Duration, Fault, NodeId, Part, Rate, Seed, Setting, Skew, Time, World, ZoneId,
};
use schism_models::listing::{Endpoint, Listing, ServiceId};
use schism_models::node::{Node, Role};
use schism_models::observation::{Cause, Write};
use schism_models::registry::Layout;
use schism_models::service::{Post as Stand, Reports};
use schism_scenario::Scenario;
use schism_tests::puppet::{self, Act, Line};
use schism_tests::runs::{Seen, scenario};
use schism_tests::toy::{self, Letter, Post, ms};

/// Tries so many cases of a strategy, always the same.
fn check<S: Strategy>(cases: u32, strategy: S, holds: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(&strategy, holds);
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

const ME: NodeId = NodeId(0);
const STOPPED: Setting = Setting { monotonic: Rate::STOPPED, wall: Rate::STOPPED, ..Setting::TRUE };

fn drift(ppm: i32) -> Setting {
    Setting { monotonic: Rate::drift(ppm), wall: Rate::drift(ppm), ..Setting::TRUE }
}

fn set(at: u64, setting: Setting) -> (Time, Fault) {
    (ms(at), Fault::SetClock(ME, setting))
}

fn looks(at: &[u64]) -> Vec<Line> {
    at.iter().map(|&at| Line { at: ms(at), act: Act::Look }).collect()
}

/// When each look happened, in true milliseconds.
fn moments(lines: &[Line], faults: &[(Time, Fault)]) -> Vec<u64> {
    let mut world = puppet::one(lines);
    puppet::run(&mut world, faults, ms(100_000));
    world.witness().looks(ME).iter().map(|look| look.0.as_nanos() / 1_000_000).collect()
}

/// Settings at drawn moments: drifts up to four times as fast, stops, leaps and skews.
fn settings() -> impl Strategy<Value = Vec<(u64, Setting)>> {
    let rate = prop_oneof![
        3 => (-900_000..=MOST_PPM).prop_map(Rate::drift),
        1 => Just(Rate::STOPPED),
        1 => Just(Rate::TRUE),
    ];
    let setting = (rate.clone(), 0..50_u64, rate, 0..1_000_u64).prop_map(|(monotonic, leap, wall, skew)| {
        let leap = Duration::from_millis(leap.saturating_sub(40));
        Setting { monotonic, leap, wall, skew: Skew::ahead(Duration::from_millis(skew)) }
    });
    prop::collection::vec((1..1_000_u64, setting), 0..6).prop_map(|mut drawn| {
        drawn.sort_by_key(|&(at, _)| at);
        drawn
    })
}

const MOST_PPM: i32 = 3_000_000;
/// The most that a drawn clock reads more after a nanosecond of true time.
const STEP: Duration = Duration::from_nanos(4);

#[test]
fn a_timer_fires_when_the_nodes_own_clock_says_so_whatever_is_set() {
    let dues = prop::collection::vec(0..2_000_u64, 1..20);
    check(400, (settings(), dues), |(settings, dues)| {
        let mut world = puppet::one(&looks(&dues));
        let mut faults: Vec<_> = settings.iter().map(|&(at, setting)| set(at, setting)).collect();
        faults.push(set(1_000, Setting::TRUE));
        puppet::run(&mut world, &faults, ms(10_000));
        let looks = world.witness().looks(ME);
        prop_assert_eq!(looks.len(), dues.len(), "no timer is lost, and none fires twice");
        prop_assert!(looks.is_sorted_by_key(|look| look.2), "the monotonic clock never goes back");
        for (moment, due, now, _) in looks {
            prop_assert!(now >= due, "at {:?} it read {:?}, not {:?}", moment, now, due);
            let leapt = settings.iter().any(|&(at, set)| ms(at) == moment && set.leap > Duration::ZERO);
            // Each setting may round a timer's time by a step of the clock, and the firing does.
            let late = now.since(due) > STEP * (settings.len() as u64 + 1);
            prop_assert!(leapt || !late, "at {:?} it read {:?}, not {:?}", moment, now, due);
        }
        Ok(())
    });
}

#[test]
fn setting_a_true_clock_true_changes_no_later_event() {
    let letters = prop::collection::vec((0..600_u64, 0..3_u32, 0..3_u32), 0..40);
    check(100, (letters, prop::collection::vec((0..700_u64, 0..3_u32), 1..6)), |(drawn, mut sets)| {
        let letter = |(number, (at, from, to))| {
            let by = if number % 2 == 0 { Post::Alone } else { Post::Stream };
            Letter { at: ms(at), from: NodeId(from), to: NodeId(to), by, number }
        };
        let letters: Vec<Letter> = (0..).zip(drawn).map(letter).collect();
        sets.sort_unstable();
        let set = |(at, node)| (ms(at), Fault::SetClock(NodeId(node), Setting::TRUE));
        let faults: Vec<_> = sets.into_iter().map(set).collect();
        let (mut with, mut without) = (toy::world(3, &letters), toy::world(3, &letters));
        toy::run(&mut with, &faults, ms(5_000));
        toy::run(&mut without, &[], ms(5_000));
        prop_assert_eq!(&with.witness().0, &without.witness().0);
        prop_assert_eq!(with.events(), without.events());
        Ok(())
    });
}

#[test]
fn another_nodes_clock_changes_no_event_of_mine() {
    check(100, settings(), |settings| {
        let lines = looks(&[5, 100, 100, 333, 700, 1_500]);
        let both = [(Birth::AtStart, lines.clone()), (Birth::AtStart, lines.clone())];
        let other = |&(at, setting): &(u64, Setting)| (ms(at), Fault::SetClock(NodeId(1), setting));
        let faults: Vec<_> = settings.iter().map(other).collect();
        let (mut with, mut without) = (puppet::world(&both), puppet::world(&both));
        puppet::run(&mut with, &faults, ms(3_000));
        puppet::run(&mut without, &[], ms(3_000));
        prop_assert_eq!(with.witness().looks(ME), without.witness().looks(ME));
        Ok(())
    });
}

#[test]
fn two_nodes_clocks_are_set_in_any_order() {
    check(100, (settings(), settings()), |(mine, theirs)| {
        let lines = || (Birth::AtStart, looks(&[5, 100, 100, 333, 700, 1_500]));
        let of = |node: u32, settings: &[(u64, Setting)]| -> Vec<(Time, Fault)> {
            settings.iter().map(|&(_, set)| (ms(50), Fault::SetClock(NodeId(node), set))).collect()
        };
        let run = |faults: Vec<(Time, Fault)>| {
            let mut world = puppet::world(&[lines(), lines()]);
            puppet::run(&mut world, &faults, ms(3_000));
            [NodeId(0), NodeId(1)].map(|node| world.witness().looks(node))
        };
        let (mine, theirs) = (of(0, &mine), of(1, &theirs));
        prop_assert_eq!(run([mine.clone(), theirs.clone()].concat()), run([theirs, mine].concat()));
        Ok(())
    });
}

#[test]
fn of_one_instant_the_last_setting_counts() {
    let lines = looks(&[600]);
    let last = moments(&lines, &[set(100, drift(1_000_000))]);
    assert_eq!(last, [350]);
    assert_eq!(moments(&lines, &[set(100, STOPPED), set(100, drift(1_000_000))]), last);
    assert_eq!(moments(&lines, &[set(100, drift(-500_000)), set(100, drift(1_000_000))]), last);
}

#[test]
fn a_fast_clock_fires_early_and_a_slow_one_late() {
    let lines = looks(&[100, 600]);
    assert_eq!(moments(&lines, &[set(0, drift(1_000_000))]), [50, 300]);
    assert_eq!(moments(&lines, &[set(0, drift(-500_000))]), [200, 1_200]);
    assert_eq!(moments(&lines, &[set(100, drift(1_000_000)), set(200, drift(-500_000))]), [100, 800]);
}

#[test]
fn the_timers_of_a_stopped_clock_wait_until_it_runs() {
    let lines = looks(&[100, 600, 600, 700]);
    assert_eq!(moments(&lines, &[set(200, STOPPED)]), [100]);
    assert_eq!(moments(&lines, &[set(200, STOPPED), set(1_200, Setting::TRUE)]), [100, 1_600, 1_600, 1_700]);
    let leap = Setting { leap: Duration::from_millis(450), ..STOPPED };
    assert_eq!(moments(&lines, &[set(200, STOPPED), set(300, leap)]), [100, 300, 300]);
}

#[test]
fn a_stalled_machine_loses_no_timer_and_all_come_later() {
    let lines = looks(&[100, 250, 600]);
    let (stop, pause) = (set(200, STOPPED), (ms(200), Fault::Pause(ME)));
    let (run, resume) = (set(1_200, Setting::TRUE), (ms(1_200), Fault::Resume(ME)));
    for begin in [[stop.clone(), pause.clone()], [pause.clone(), stop.clone()]] {
        for end in [[run.clone(), resume.clone()], [resume.clone(), run.clone()]] {
            assert_eq!(moments(&lines, &[begin.clone(), end].concat()), [100, 1_250, 1_600]);
        }
    }
    // A clock that goes on while the process stands still has all its timers due at once.
    assert_eq!(moments(&lines, &[pause, resume]), [100, 1_200, 1_200]);
}

#[test]
fn what_was_due_before_the_clock_stopped_is_due_when_the_process_goes_on() {
    let faults = [
        (ms(50), Fault::Pause(ME)),
        set(200, STOPPED),
        (ms(300), Fault::Resume(ME)),
        set(900, Setting::TRUE),
    ];
    assert_eq!(moments(&looks(&[100, 250]), &faults), [300, 950]);
}

#[test]
fn a_step_of_the_wall_clock_moves_no_timer() {
    let lines = looks(&[100, 200, 300]);
    let mut world = puppet::one(&lines);
    let ahead = Setting { skew: Skew::ahead(Duration::from_secs(3600)), ..Setting::TRUE };
    let behind = Setting { skew: Skew::behind(Duration::from_millis(150)), ..Setting::TRUE };
    puppet::run(&mut world, &[set(150, ahead), set(250, behind)], ms(1_000));
    let hour = ms(200) + Duration::from_secs(3600);
    let expected = [(100, ms(100)), (200, hour), (300, ms(150))];
    assert_eq!(world.witness().looks(ME), expected.map(|(at, wall)| (ms(at), ms(at), ms(at), wall)));
}

#[test]
fn a_frozen_wall_clock_reads_the_same_and_moves_no_timer() {
    let mut world = puppet::one(&looks(&[100, 200, 300]));
    let frozen = Setting { wall: Rate::STOPPED, ..Setting::TRUE };
    puppet::run(&mut world, &[set(50, frozen), set(250, Setting::TRUE)], ms(1_000));
    let walls: Vec<Time> = world.witness().looks(ME).iter().map(|look| look.3).collect();
    assert_eq!(walls, [ms(50), ms(50), ms(300)]);
}

#[test]
fn a_heal_rights_the_wall_clock_and_the_rate_but_takes_nothing_back() {
    let mut world = puppet::one(&looks(&[100, 1_000]));
    puppet::run(&mut world, &[set(0, drift(1_000_000)), set(200, Setting::TRUE)], ms(2_000));
    assert_eq!(
        world.witness().looks(ME),
        [(ms(50), ms(100), ms(100), ms(100)), (ms(800), ms(1_000), ms(1_000), ms(800))]
    );
}

#[test]
fn a_clock_outlives_a_process_and_its_timers_do_not() {
    let mut world = puppet::one(&looks(&[100, 600]));
    let faults = [
        set(200, STOPPED),
        (ms(300), Fault::Crash(ME, Death::KILLED)),
        set(400, Setting::TRUE),
        (ms(500), Fault::Restart(ME)),
    ];
    puppet::run(&mut world, &faults, ms(2_000));
    // The second life begins at 300 by its own clock, and sets the timer again: the first one's is gone.
    let looks = world.witness().looks(ME);
    assert_eq!(
        looks.iter().map(|look| (look.0, look.2)).collect::<Vec<_>>(),
        [(ms(100), ms(100)), (ms(800), ms(600))]
    );
}

// Leases.

/// One registry member, and one instance that keeps a lease of ten seconds alive.
fn registry(lease_clock: &str) -> World<Node, Seen> {
    let scenario = scenario(&format!(
        r#"
        title  = "A lease and the clock that it ends by"
        length = "60s"
        [topology]
        zones = ["a"]
        [registry.etcd]
        members     = 1
        lease-ttl   = "10s"
        lease-clock = "{lease_clock}"
        [services.orders]
        instances = 1
        service   = "2ms"
        [clients.web]
        count    = 1
        calls    = "orders"
        arrivals = {{ poisson = "1/s" }}
        timeout  = "250ms"
        "#
    ));
    let roles = [("registry-0", member(&scenario)), ("orders-0", instance(&scenario))];
    let part = |(name, config): (&str, Role)| Part {
        name: name.to_string(),
        zone: ZoneId(0),
        config,
        birth: Birth::AtStart,
        host: None,
    };
    World::new(&scenario.topology, roles.map(part).into(), Seed(1), Seen::default())
}

fn layout(scenario: &Scenario) -> Arc<Layout> {
    let services = scenario.services.iter().map(|_| Arc::new(Listing::default())).collect();
    Arc::new(Layout { members: vec![(ME, ZoneId(0))], services, ..Layout::default() })
}

fn member(scenario: &Scenario) -> Role {
    let seats = scenario.registry.seats(&layout(scenario));
    Role::Member(Arc::new(seats.into_iter().next().expect("there is a member")))
}

fn instance(scenario: &Scenario) -> Role {
    let endpoint = Endpoint { node: NodeId(1), ordinal: 0, zone: ZoneId(0), weight: 1 };
    Role::Instance(Arc::new(Stand {
        config: Arc::new(scenario.services[0].config.clone()),
        service: ServiceId(0),
        endpoint,
        registry: scenario.registry.address(&layout(scenario)),
        reports: Reports::Nothing,
    }))
}

/// How many leases of a live instance have run out within a minute, the member's clocks set so at the twentieth second.
fn expired(lease_clock: &str, setting: Setting) -> usize {
    let mut world = registry(lease_clock);
    world.run_until(ms(20_000));
    world.inflict(Fault::SetClock(ME, setting));
    world.run_until(ms(60_000));
    let is_expired = |write: Write| matches!(write, Write::Remove(_, Cause::Expired));
    world.witness().committed.iter().filter(|committed| is_expired(committed.3)).count()
}

#[test]
fn a_step_of_the_wall_clock_ends_only_leases_that_go_by_it() {
    let ahead = Setting { skew: Skew::ahead(Duration::from_secs(11)), ..Setting::TRUE };
    assert_eq!(expired("wall", ahead), 1);
    assert_eq!(expired("monotonic", ahead), 0);
    assert_eq!(expired("wall", Setting::TRUE), 0);
}

#[test]
fn a_fast_monotonic_clock_ends_only_leases_that_go_by_it() {
    // Four times as fast: the lease lasts 2.5 s, and the instance renews it every third of 10 s.
    let fast = Setting { monotonic: Rate::drift(3_000_000), ..Setting::TRUE };
    assert!(expired("monotonic", fast) > 0);
    assert_eq!(expired("wall", fast), 0);
}
