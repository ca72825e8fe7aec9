//! Explanations are true: futures are other lucks of the same plan, faults that are left out are not there, what is said to
//! avoid a failure does, and every line of a story could have had a part in it.

use std::collections::BTreeSet;

use rayon::ThreadPoolBuilder;
use schism_core::{Cause, Seed, Time};
use schism_models::node::Node;
use schism_runner::explain::{Change, Effort, Explanation, MOST_LINES, Nothing, Point, Role, explain};
use schism_runner::ledger::Listed;
use schism_runner::report::Verdict;
use schism_runner::trace::{Noted, Trace};
use schism_runner::{Report, Simulation, Variation, run};
use schism_scenario::{Override, Scenario};
use schism_tests::runs::{for_seeds, played, scenario};
use schism_tests::scenarios::all;

/// Two of six instances lose the registry for nearly as long as their leases last: with some lucks for too long.
const CUT: &str = r#"
title  = "A cut that some leases outlast"
length = "60s"
warmup = "5s"

[topology]
zones = ["a", "b", "c"]

[registry.etcd]
members   = 3
lease-ttl = "5s"

[services.orders]
instances = 6
service   = { lognormal = { p50 = "4ms", p99 = "40ms" } }

[clients.web]
count    = 6
calls    = "orders"
arrivals = { poisson = "10/s" }
timeout  = "250ms"

[[fault]]
id    = "still"
at    = "10s"
for   = "30s"
pause = "web-3"

[[fault]]
id        = "cut"
at        = "20s"
for       = "4s"
partition = { split = [["orders-0", "orders-1"], ["registry"]] }

[[expect]]
never = "false-eviction"
"#;

const FAILS: &str = "never-false-eviction";

fn plain(scenario: &Scenario, seed: u64) -> Report {
    run(scenario, Seed(seed), Listed::Wrong)
}

/// A seed with which it fails.
fn failing(scenario: &Scenario) -> Seed {
    let seed = (0..50).find(|seed| plain(scenario, *seed).verdict == Verdict::Fails);
    Seed(seed.expect("one of fifty seeds fails"))
}

fn effort() -> Effort {
    Effort { futures: 16, events: 30_000_000 }
}

fn explained() -> Explanation {
    let scenario = scenario(CUT);
    let seed = failing(&scenario);
    explain::<Node>(&scenario, seed, None, effort(), &mut |_| {}).expect("it fails")
}

#[test]
fn redrawing_leaves_the_original_as_it_was_and_is_itself_no_matter_of_luck() {
    // Scenarios of every family, each redrawn in its middle.
    for case in all().iter().step_by(23) {
        let middle = Time::START + case.scenario.length / 2;
        let mut simulation: Simulation<()> = case.begin(case.scenario.seed, ());
        simulation.run_until(middle);
        let at = simulation.digest();
        let [mut one, mut same, mut other] = [1, 1, 2].map(|salt| simulation.redrawn(salt));
        assert_eq!([one.digest(), other.digest()], [at, at], "{}: it has the same past", case.path);
        [&mut one, &mut same, &mut other, &mut simulation].into_iter().for_each(Simulation::run_to_end);
        let mut again: Simulation<()> = case.begin(case.scenario.seed, ());
        again.run_to_end();
        assert_eq!(
            simulation.digest(),
            again.digest(),
            "{}: the original goes on as it would have",
            case.path
        );
        assert_eq!(one.digest(), same.digest(), "{}: one salt is one future", case.path);
        let futures =
            BTreeSet::from([one.digest(), other.digest(), simulation.digest()].map(|it| it.to_string()));
        assert_eq!(
            futures.len(),
            3,
            "{}: two salts are two futures, and neither is the run's own",
            case.path
        );
    }
}

/// Where nothing of the plan is drawn, any luck is as good as another seed's. Each fails in about half of 200 runs; the
/// standard deviation of the difference is at most 5%, and this allows four of them.
#[test]
fn with_other_luck_from_the_start_it_fails_as_often_as_with_other_seeds() {
    let scenario = scenario(CUT);
    let share =
        |failed: Vec<bool>| failed.iter().filter(|failed| **failed).count() as f64 / failed.len() as f64;
    let fails = |report: Report| report.verdict == Verdict::Fails;
    let seeds = share(for_seeds(200, |seed| fails(plain(&scenario, 1_000 + seed))));
    let lucks = share(for_seeds(200, |salt| {
        let variation = Variation { luck: Seed(3).redrawn(salt), ..Variation::of(Seed(3)) };
        let ledger = schism_runner::Ledger::new(&scenario);
        let mut simulation: Simulation<schism_runner::Ledger> =
            Simulation::with(&scenario, variation, ledger);
        simulation.run_to_end();
        fails(simulation.into_report(&scenario, Seed(3)))
    }));
    assert!(seeds > 0.1 && seeds < 0.9, "it is a matter of luck: {seeds}");
    assert!((seeds - lucks).abs() < 0.2, "{seeds} of seeds, {lucks} of lucks");
}

#[test]
fn what_is_left_out_is_not_there() {
    let with = scenario(CUT);
    let (still, cut) = (0, 1);
    let without = |fault: &str| {
        let document = schism_scenario::Document::of(&with).without_fault(fault);
        played(&document.load().unwrap_or_else(|errors| panic!("{errors}")), 7).digest()
    };
    let left_out = |faults: &[usize]| {
        let variation = Variation { without: faults, ..Variation::of(Seed(7)) };
        let mut simulation: Simulation<()> = Simulation::with(&with, variation, ());
        simulation.run_to_end();
        simulation.digest()
    };
    assert_eq!(left_out(&[]), played(&with, 7).digest());
    assert_eq!(left_out(&[cut]), without("cut"));
    // Without its elder the cut has another number, of which the digest tells; what happens is the same.
    assert_ne!(left_out(&[still]), without("still"));
    assert_ne!(left_out(&[cut]), left_out(&[]));
}

#[test]
fn the_explanation_is_true() {
    let explanation = explained();
    let needs: Vec<(&str, Role)> =
        explanation.needs.faults.iter().map(|need| (need.id.as_str(), need.role)).collect();
    assert_eq!(needs, [("still", Role::NotNeeded), ("cut", Role::Needed)]);
    let without_cut = explanation.needs.faults[1].without.expect("there was effort for it");
    assert_eq!(without_cut.failed, 0, "without the cut it never fails");

    let moments = &explanation.futures.moments;
    assert!(moments.windows(2).all(|pair| pair[0].at_s < pair[1].at_s), "{moments:?}");
    let (first, last) = (moments[0], moments[moments.len() - 1]);
    assert_eq!(first.at_s.to_bits(), 0_f64.to_bits(), "it begins at the start");
    assert_eq!(Some(last.at_s), explanation.failure.at_s, "it ends with the failure");
    assert!(last.chance.share >= first.chance.share && last.chance.share > 0.9, "{moments:?}");

    let changes = &explanation.changes;
    let before = changes.before.expect("there was effort for it");
    assert!(changes.smallest.iter().any(|it| it.path == "registry.etcd.lease-ttl"), "{changes:?}");
    let text = scenario(CUT).to_toml();
    for change in changes.smallest.iter().chain(&changes.others) {
        let set = Override::new(format!("{}={}", change.path, change.to));
        let changed = schism_scenario::load("changed.toml", &text, &[set]).expect("it can be run").scenario;
        let report = plain(&changed, explanation.seed);
        assert_eq!(report.verdict, Verdict::Holds, "{change:?}");
        assert_eq!((change.was, change.still.of), (before, before.of), "in pairs: {change:?}");
        assert!(change.still.share <= before.share / 2.0, "{change:?}");
        let whole = change.to.trim_end_matches('s').parse::<u64>().is_ok();
        assert!(whole || change.path != "registry.etcd.lease-ttl", "etcd grants whole seconds: {change:?}");
    }
}

/// What helps with one phase of the keepalives alone does not help where the cut may begin at any moment.
#[test]
fn a_change_of_phase_is_no_remedy() {
    let explanation = explained();
    let scenario = scenario(CUT);
    let changed = |change: &Change| {
        let set = Override::new(format!("{}={}", change.path, change.to));
        schism_scenario::load("changed.toml", scenario.to_toml(), &[set]).expect("it can be run").scenario
    };
    let failures = |scenario: &Scenario| {
        for_seeds(100, |seed| plain(scenario, 2_000 + seed).verdict == Verdict::Fails)
            .into_iter()
            .filter(|fails| *fails)
            .count()
    };
    let before = failures(&scenario);
    let general = explanation.changes.smallest.iter().filter(|change| !change.only_here);
    for change in general {
        let after = failures(&changed(change));
        assert!(after < before, "{after} of 100 other seeds fail, not {before}: {change:?}");
    }
}

#[test]
fn where_there_is_no_effort_nothing_is_said_of_changes() {
    let scenario = scenario(CUT);
    let effort = Effort { futures: 64, events: 100_000 };
    let explained = explain::<Node>(&scenario, failing(&scenario), None, effort, &mut |_| {});
    let changes = explained.expect("it fails").changes;
    assert_eq!((changes.before, changes.runs, changes.complete), (None, 0, false), "{changes:?}");
    assert!(changes.smallest.is_empty() && changes.others.is_empty());
}

/// A follower and then, seconds later, the leader stand still, each by a fault of its own.
const TWO_PAUSES: &str = r#"
title  = "Two pauses and an eviction"
length = "60s"
warmup = "5s"

[topology]
zones = ["a"]

[registry.etcd]
members = 3

[services.orders]
instances = 2
service   = "5ms"

[clients.web]
count    = 1
calls    = "orders"
arrivals = { poisson = "5/s" }

[[fault]]
id    = "one"
at    = "20s"
for   = "18s"
pause = ["registry-0"]

[[fault]]
id    = "other"
at    = "23s"
for   = "15s"
pause = ["registry-1"]

[[fault]]
id    = "both"
at    = "25s"
for   = "13s"
pause = ["orders-0", "orders-1"]

[[expect]]
never = "lease-expiry"
"#;

#[test]
fn only_what_one_deed_does_at_one_moment_is_one_line() {
    let scenario = scenario(TWO_PAUSES);
    // With half of the seeds it is an instance's lease, and a follower that had been leader in between.
    let of_an_instance = |seed: u64| {
        let failure = plain(&scenario, seed).failures().next()?;
        failure.why.starts_with("the lease of orders-").then_some((Seed(seed), failure))
    };
    let (seed, failure) = (0..50).find_map(of_an_instance).expect("one of fifty seeds fails so");
    let story = schism_runner::explain::story::<Node>(&scenario, seed, &failure, None);
    let still: Vec<(&str, f64)> = story
        .lines
        .iter()
        .filter(|line| line.what.starts_with("stand"))
        .map(|line| (line.who.as_str(), line.at_s))
        .collect();
    assert!(still.len() >= 2, "the pauses are told: {still:?}");
    for (who, at) in &still {
        let begun = match *who {
            "registry-0" => 20.0,
            "registry-1" => 23.0,
            "orders-0" | "orders-1" | "orders-0 and orders-1" => 25.0,
            other => panic!("{other} stands still: {still:?}"),
        };
        assert!((at - begun).abs() < 1e-9, "{who} stands still since {begun}s: {still:?}");
    }
    let line = story.lines.iter().find(|line| line.who == "orders-0 and orders-1");
    assert!(line.is_none_or(|line| !line.what.starts_with("stands")), "{line:?}");
}

#[test]
fn the_story_tells_of_the_cut_of_the_silence_and_of_what_came_of_it() {
    let story = explained().story;
    let lines: Vec<(&str, &str)> =
        story.lines.iter().map(|line| (line.who.as_str(), line.what.as_str())).collect();
    assert!(lines.len() <= MOST_LINES, "{lines:?}");
    assert!(story.lines.windows(2).all(|pair| pair[0].at_s <= pair[1].at_s), "{lines:?}");
    let place = |of: &dyn Fn(&(&str, &str)) -> bool| {
        lines.iter().position(of).unwrap_or_else(|| panic!("a line is missing: {lines:#?}"))
    };
    let is_silent = |who: &str, what: &str| {
        who == "registry" && what.starts_with("hears nothing from orders-") && what.contains("cut takes")
    };
    let silent = place(&|(who, what)| is_silent(who, what));
    let removed = place(&|(who, what)| *who == "registry" && what.starts_with("removes orders-"));
    let cut = place(&|(who, what)| *who == "cut" && what.starts_with("begins"));
    assert!(silent < removed && cut < removed, "{lines:#?}");
    assert!(lines[lines.len() - 1].1.starts_with("fails: "), "{lines:#?}");
    assert!(
        !lines.iter().any(|(who, _)| *who == "still"),
        "what was not needed is no part of it: {lines:#?}"
    );
}

/// The past of the failure by another way than the explanation's: from the last event back, until nothing new is found.
#[test]
fn every_line_is_in_the_past_of_the_failure() {
    let explanation = explained();
    let scenario = scenario(CUT);
    let mut run: Simulation<Trace<()>> =
        Simulation::new(&scenario, Seed(explanation.seed), Trace::new(usize::MAX, ()));
    run.run_to_end();
    let trace = run.witness();
    let story = &explanation.story;
    let last = story.lines.last().expect("a story has an end").point;
    let Point::Happened(Cause::Event(failed)) = last else { panic!("it fails in an event: {last:?}") };
    // Going back from event to event, whatever happened earlier to a node that is known to have a part has one, too.
    let mut since: Vec<Option<u64>> = vec![None; 1_000];
    let mut events = BTreeSet::from([failed]);
    let about: Vec<&str> = explanation.failure.on.iter().map(String::as_str).collect();
    assert!(!about.is_empty(), "it rests on somebody");
    for (number, event) in trace.events().rev().skip_while(|(number, _)| *number > failed) {
        let node = event.to.index();
        let rests_on = about.contains(&run.world().scene().name(event.to));
        if !(events.contains(&number) || since[node].is_some() || rests_on) {
            continue;
        }
        since[node] = since[node].or(Some(number));
        events.insert(number);
        for cause in [event.cause, event.via] {
            if let Cause::Event(cause) = cause {
                events.insert(cause);
            }
        }
    }
    let notes: Vec<_> = trace.notes().collect();
    for line in &story.lines {
        let is_past = match line.point {
            Point::Happened(Cause::Event(number)) => events.contains(&number),
            Point::Happened(Cause::Deed(_) | Cause::Start) => true,
            // Its absence was there to be noticed: at one of its ends something happened later that has a part.
            Point::Swallowed(number) => {
                let Noted::Swallowed { from, to, .. } = &notes[number].noted else { panic!("it is no loss") };
                let later = |node: usize| since[node].is_some_and(|last| last > notes[number].after);
                later(from.index()) || later(to.index())
            }
            Point::Fault(fault) => scenario.faults[fault].id == "cut",
        };
        assert!(is_past, "{line:?}");
    }
}

#[test]
fn the_number_of_threads_decides_nothing() {
    let on = |threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be had");
        pool.install(|| serde_json::to_string(&explained()).expect("plain data"))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn there_is_nothing_to_explain_where_nothing_fails() {
    let scenario = scenario(CUT);
    let explained = |seed, id| explain::<Node>(&scenario, seed, id, effort(), &mut |_| {}).map(|_| ());
    let held = (0..50).find(|seed| plain(&scenario, *seed).verdict == Verdict::Holds).expect("one holds");
    assert_eq!(explained(Seed(held), None), Err(Nothing::Held(Verdict::Holds)));
    let others = vec![FAILS.to_owned()];
    assert_eq!(explained(failing(&scenario), Some("nothing")), Err(Nothing::NotThisOne(others)));
}
