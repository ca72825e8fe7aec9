//! What oracles with a bound see, from both sides of it.

use schism_core::{Classes, Death, Duration, Fault, GilbertElliott, Harm, Impairment, NodeId, Ratio};
use schism_models::client::Arrivals;
use schism_models::holdings::Holding;
use schism_models::nemesis::{self, OnMiss};
use schism_models::observation::{Cause, Observation, Outcome, Write};
use schism_models::options::Value;
use schism_models::oracle::{Config, Mood};
use schism_models::plight::Answers;
use schism_scenario::{Ask, Metric, Window};

use super::tests::{commit, judged, request};
use crate::ledger::stage::{ORDERS, REGISTRY, Stage, WEB, at, next};
use crate::report::Verdict;

/// An oracle with some of its options set.
fn with(mood: Mood, name: &str, options: &[(&str, Value)]) -> Ask {
    let set = |name| options.iter().find(|(option, _)| *option == name).map(|(_, value)| value.clone());
    let oracle = Config::read(name, &mut |knob| set(knob.name).unwrap_or_else(|| (knob.default)()));
    Ask::Oracle { oracle: oracle.expect("it is in the catalog"), mood, within: Duration::from_secs(2) }
}

fn secs(secs: u64) -> Value {
    Value::Time(Duration::from_secs(secs))
}

fn crash(node: NodeId) -> Fault {
    Fault::Crash(node, Death::KILLED)
}

/// Requests to an instance, each answered after so many milliseconds.
fn requests(stage: &mut Stage, millis: impl Iterator<Item = u64>, to: u32, outcome: Outcome) {
    millis.for_each(|at| request(stage, at, next(ORDERS, to), 1, outcome));
}

#[test]
fn the_same_oracle_with_other_options_is_another() {
    let within = |secs_| with(Mood::Always, "stale-route", &[("within", secs(secs_))]);
    let mut stage = Stage::new().with([within(3), within(4)]);
    stage.inflict(2000, crash(ORDERS));
    requests(&mut stage, [5500].into_iter(), 0, Outcome::Connect);
    assert_eq!(
        judged(&stage),
        ["fails 5.5: web-0 sent a request to orders-0 3.5s after its death at 2s", "holds"]
    );
}

#[test]
fn a_route_is_stale_from_a_nanosecond_after_the_time_allowed() {
    let run = |at: u64, revived: bool| {
        let asks = [Mood::Always, Mood::Breaks].map(|mood| with(mood, "stale-route", &[("within", secs(3))]));
        let mut stage = Stage::new().with(asks);
        stage.inflict(2000, crash(ORDERS));
        if revived {
            stage.inflict(3000, Fault::Restart(ORDERS));
        }
        requests(&mut stage, [at].into_iter(), 0, Outcome::Connect);
        judged(&stage)
    };
    let in_time =
        "vacuous: 1 instances died, and the last request to one of them was sent 3s after its death";
    assert_eq!(run(5000, false), ["holds", in_time]);
    assert_eq!(run(5001, false)[1], "holds 5.001");
    assert!(run(5001, false)[0].starts_with("fails 5.001: web-0 sent a request to orders-0 3.001s"));
    assert_eq!(run(5001, true)[0], "holds");
}

#[test]
fn another_process_at_its_address_is_not_an_instance_s_return() {
    let run = |at: u64| {
        let mut stage = Stage::new().with([with(Mood::Always, "stale-route", &[("within", secs(3))])]);
        let reuse = stage.plan("reuse", OnMiss::Fine);
        stage.scenario.faults[reuse].fault = nemesis::Fault::IpReuse(nemesis::IpReuse {
            targets: vec![nemesis::Target { base: nemesis::Base::Node(ORDERS), select: None }],
            answers: Answers::Success,
        });
        for fault in [crash(ORDERS), Fault::Restart(ORDERS)] {
            stage.inflict(2000, fault);
        }
        stage.begin(2000, reuse, &[ORDERS]);
        for fault in [crash(ORDERS), Fault::Restart(ORDERS)] {
            stage.inflict(7000, fault);
        }
        stage.heal(7000, reuse, 1);
        requests(&mut stage, [at].into_iter(), 0, Outcome::Success);
        judged(&stage).remove(0)
    };
    assert_eq!(run(5000), "holds");
    assert_eq!(run(5001), "fails 5.001: web-0 sent a request to orders-0 3.001s after its death at 2s");
    assert_eq!(run(7001), "holds", "it is itself again");
}

#[test]
fn no_route_is_stale_where_nobody_died() {
    let mut stage = Stage::new().with([with(Mood::Always, "stale-route", &[])]);
    assert_eq!(judged(&stage), ["vacuous: no attempt was sent after the warm-up"]);
    requests(&mut stage, [2000].into_iter(), 0, Outcome::Success);
    assert_eq!(judged(&stage), ["vacuous: no instance died"]);
}

#[test]
fn a_leader_that_is_outdone_may_lead_on_but_not_serve() {
    let serving = |mood| with(mood, "single-leader", &[("serving", Value::Flag(true))]);
    let mut stage = Stage::new().with([serving(Mood::Always), with(Mood::Always, "single-leader", &[])]);
    let newer = next(REGISTRY, 1);
    stage.says(500, REGISTRY, Observation::Leads { term: 3 });
    stage.says(700, newer, Observation::Leads { term: 4 });
    stage.says(800, newer, Observation::Read);
    assert_eq!(judged(&stage), ["holds", "holds"]);
    stage.says(900, REGISTRY, Observation::Read);
    let why =
        "fails 0.9: registry-0 served a read as the leader, though registry-1 had been elected in term 4";
    assert_eq!(judged(&stage), [why, "holds"]);
    stage.says(850, REGISTRY, Observation::Deposed { term: 4 });
    assert_eq!(judged(&stage), ["holds", "holds"]);
}

#[test]
fn reads_and_renewals_of_a_leader_that_is_outdone_are_asked_for_apart() {
    let flags = [("serving", Value::Flag(true)), ("renewing", Value::Flag(true))];
    let asks = [&flags[..1], &flags[1..], &flags].map(|flags| with(Mood::Always, "single-leader", flags));
    let run = |seen: Observation| {
        let mut stage = Stage::new().with(asks.clone());
        stage.says(500, REGISTRY, Observation::Leads { term: 3 });
        stage.says(700, next(REGISTRY, 1), Observation::Leads { term: 4 });
        stage.says(900, REGISTRY, seen);
        judged(&stage)
    };
    let fails = |did| {
        format!("fails 0.9: registry-0 {did} as the leader, though registry-1 had been elected in term 4")
    };
    let (read, renewed) = (fails("served a read"), fails("renewed a lease"));
    assert_eq!(run(Observation::Read), [&read, "holds", &read]);
    assert_eq!(run(Observation::Extended), ["holds", &renewed, &renewed]);
}

#[test]
fn an_eviction_of_a_share_must_last() {
    let half = |lasts| {
        let share = ("share", Value::Share(Ratio::new(1, 2)));
        with(Mood::Never, "false-eviction", &[share, ("for", lasts)])
    };
    let run = |second: u64, back: u64| {
        let mut stage = Stage::new().with([half(Value::None), half(secs(2))]);
        for number in 0..3 {
            commit(&mut stage, 100 + number, 1 + number, Write::Register(next(ORDERS, number as u32)));
        }
        commit(&mut stage, 2000, 4, Write::Remove(ORDERS, Cause::Expired));
        commit(&mut stage, second, 5, Write::Remove(next(ORDERS, 1), Cause::Expired));
        commit(&mut stage, back, 6, Write::Register(ORDERS));
        judged(&stage)
    };
    let at_once = "fails 3: 2 instances were alive and yet dropped by the registry";
    assert_eq!(run(3000, 5000), [at_once, "holds"]);
    let lasting = "fails 5: 2 instances were alive and yet dropped by the registry for 2s";
    assert_eq!(run(3000, 5001), [at_once, lasting]);
    assert_eq!(run(9000, 8000), ["holds", "holds"]);
}

/// The registry drops orders-0 at 6 s, after something has happened to it.
#[test]
fn an_eviction_that_answers_a_death_is_not_false() {
    let run = |script: &dyn Fn(&mut Stage)| {
        let mut stage = Stage::new().with([with(Mood::Never, "false-eviction", &[])]);
        commit(&mut stage, 100, 1, Write::Register(ORDERS));
        script(&mut stage);
        commit(&mut stage, 6000, 9, Write::Remove(ORDERS, Cause::Expired));
        (judged(&stage).remove(0), stage.report().recovery.false_evictions)
    };
    let falsely = ("fails 6: the registry dropped orders-0, which was alive".to_owned(), 1);
    let rightly = ("holds".to_owned(), 0);
    let blink = |stage: &mut Stage, faults: [Fault; 2]| {
        let [down, up] = faults;
        stage.inflict(3000, down);
        stage.inflict(3200, up);
    };
    let dies = |stage: &mut Stage| blink(stage, [crash(ORDERS), Fault::Restart(ORDERS)]);
    let stands = |stage: &mut Stage| blink(stage, [Fault::Pause(ORDERS), Fault::Resume(ORDERS)]);
    assert_eq!(run(&|_| ()), falsely);
    assert_eq!(run(&dies), rightly);
    assert_eq!(run(&stands), rightly);
    // It is heard of after that: what drops it is something else.
    for (at, after) in [(3199, &rightly), (3201, &falsely)] {
        let renewed = |stage: &mut Stage| {
            stands(stage);
            stage.says(at, ORDERS, Observation::Renewed);
        };
        assert_eq!(&run(&renewed), after);
        let registered = |stage: &mut Stage| {
            dies(stage);
            commit(stage, at, 2, Write::Register(ORDERS));
        };
        assert_eq!(&run(&registered), after);
    }
}

#[test]
fn what_was_never_offered_cannot_be_dropped() {
    let stage = Stage::new().with([with(Mood::Never, "false-eviction", &[])]);
    assert_eq!(
        judged(&stage),
        ["vacuous: the registry never offered an instance that it could have dropped"]
    );
}

#[test]
fn a_client_is_not_blamed_for_what_is_nowhere() {
    let lasting = with(Mood::Always, "never-empty", &[("within", secs(1))]);
    let run = |back: u64, found: u64| {
        let mut stage = Stage::new().with([with(Mood::Always, "never-empty", &[]), lasting.clone()]);
        stage.view(200, WEB, &[0]);
        (0..3).for_each(|number| stage.inflict(2000, crash(next(ORDERS, number))));
        stage.view(3000, WEB, &[]);
        stage.inflict(back, Fault::Restart(ORDERS));
        stage.view(found, WEB, &[0]);
        judged(&stage)
    };
    assert_eq!(run(5000, 6000), ["holds", "holds"]);
    assert_eq!(run(5000, 6001), ["holds", "fails 6: web-0 had had no endpoint to call for 1s"]);
}

#[test]
fn a_registration_is_lost_if_its_holder_is_there_and_it_is_not() {
    let run = |script: &dyn Fn(&mut Stage)| {
        let lost = |mood| with(mood, "no-lost-registration", &[("within", secs(3))]);
        let mut stage = Stage::new().with([lost(Mood::Always), lost(Mood::Eventually)]);
        commit(&mut stage, 100, 1, Write::Register(ORDERS));
        script(&mut stage);
        judged(&stage)
    };
    let dropped = |stage: &mut Stage| commit(stage, 4000, 2, Write::Remove(ORDERS, Cause::Expired));
    let why = "orders-0 was alive and connected, and missing from the registry";
    let lost = format!("fails 7: {why} for 3s since 4s");
    let still = format!("fails 3: {why} still at the end, 9s after the warm-up");
    assert_eq!(run(&dropped), [lost.clone(), still]);
    let back = |at| {
        move |stage: &mut Stage| {
            dropped(stage);
            commit(stage, at, 3, Write::Register(ORDERS));
        }
    };
    let late = "fails 3: the last missing instance was registered again 6s after the warm-up; 2s was allowed";
    assert_eq!(run(&back(7000)), ["holds", late]);
    assert_eq!(run(&back(7001))[0], lost);
    // It has left, it is dead, or half of the registry is: nobody has lost anything.
    let left = |stage: &mut Stage| commit(stage, 4000, 2, Write::Remove(ORDERS, Cause::Revoked));
    assert_eq!(run(&left), ["holds", "holds 1"]);
    let dead = |stage: &mut Stage| {
        dropped(stage);
        stage.inflict(5000, crash(ORDERS));
    };
    assert_eq!(run(&dead)[0], "holds");
    let headless = |stage: &mut Stage| {
        dropped(stage);
        stage.inflict(5000, crash(REGISTRY));
    };
    assert_eq!(run(&headless)[0], "holds");
}

/// Of what orders-0 and the registry tell each other a share is lost, from before it is dropped.
#[test]
fn who_is_not_heard_has_not_lost_its_registration() {
    let run = |harm: Harm, classes: Classes, repaired: bool| {
        let lost = with(Mood::Always, "no-lost-registration", &[("within", secs(3))]);
        let mut stage = Stage::new().with([lost]);
        commit(&mut stage, 100, 1, Write::Register(ORDERS));
        let (from, to) = ([ORDERS].into_iter().collect(), [REGISTRY].into_iter().collect());
        let (id, salt) = (schism_core::FaultId(0), schism_core::Draw::new(1));
        stage.inflict(2000, Fault::Impair(Impairment { id, salt, from, to, classes, harm }));
        commit(&mut stage, 4000, 2, Write::Remove(ORDERS, Cause::Expired));
        if repaired {
            stage.inflict(6000, Fault::Repair(id));
        }
        judged(&stage).remove(0)
    };
    let lose = |percent| Harm::Lose { rate: Ratio::new(percent, 100) };
    let missing = |since| {
        format!(
            "fails {}: orders-0 was alive and connected, and missing from the registry for 3s since {since}s",
            since + 3
        )
    };
    assert_eq!(run(lose(90), Classes::ALL, false), missing(4));
    assert_eq!(run(lose(91), Classes::ALL, false), "holds");
    assert_eq!(run(lose(100), Classes::ALL, true), missing(6));
    let requests_alone = Classes::NONE.with(schism_models::node::REQUEST);
    assert_eq!(run(lose(100), requests_alone, false), missing(4));
    let burst = |to_good| {
        let [to_bad, to_good, loss_good, loss_bad] = [5, to_good, 0, 100].map(|share| Ratio::new(share, 100));
        Harm::Burst(GilbertElliott { to_bad, to_good, loss_good, loss_bad })
    };
    assert_eq!(run(burst(0), Classes::ALL, false), "holds", "it never comes to the good state again");
    assert_eq!(run(burst(5), Classes::ALL, false), missing(4));
}

#[test]
fn a_list_is_out_of_date_from_when_the_registry_changes() {
    let run = |told: u64| {
        let fresh = |mood| with(mood, "cache-age", &[("at-most", secs(3))]);
        let mut stage =
            Stage::new().with([fresh(Mood::Always), fresh(Mood::Breaks), fresh(Mood::Eventually)]);
        commit(&mut stage, 100, 1, Write::Register(ORDERS));
        commit(&mut stage, 101, 2, Write::Register(next(ORDERS, 1)));
        stage.view(200, WEB, &[0, 1]);
        commit(&mut stage, 4000, 3, Write::Remove(ORDERS, Cause::Expired));
        stage.view(told, WEB, &[1]);
        judged(&stage)
    };
    let longest = "vacuous: the longest that a client's list was out of date was 3s";
    let late = "fails 3: the last list was up to date 6s after the warm-up; 2s was allowed";
    assert_eq!(run(7000), ["holds", longest, late]);
    let why = "fails 7: web-0 listed orders-0, which the registry no longer offered, for 3s since 4s";
    assert_eq!(run(7001)[..2], [why, "holds 7"]);
}

/// web-0 stands still from 3 s on, and the registry drops orders-0, whom it lists, at some time.
#[test]
fn a_list_does_not_age_while_its_client_stands_still() {
    let run = |dropped: u64, goes_on: u64, told: u64| {
        let fresh = |mood| with(mood, "cache-age", &[("at-most", secs(3))]);
        let mut stage = Stage::new().with([fresh(Mood::Always), fresh(Mood::Breaks)]);
        commit(&mut stage, 100, 1, Write::Register(ORDERS));
        stage.view(200, WEB, &[0]);
        commit(&mut stage, dropped, 2, Write::Remove(ORDERS, Cause::Expired));
        stage.inflict(3000, Fault::Pause(WEB));
        stage.inflict(goes_on, Fault::Resume(WEB));
        stage.view(told, WEB, &[]);
        judged(&stage)
    };
    let longest =
        |time: &str| format!("vacuous: the longest that a client's list was out of date was {time}");
    // What changed during the pause counts from its end; what was wrong before goes on ageing from where it was.
    assert_eq!(run(3500, 6900, 9900), ["holds".to_owned(), longest("3s")]);
    assert_eq!(run(2000, 7000, 9000), ["holds".to_owned(), longest("3s")]);
    let why = "web-0 listed orders-0, which the registry no longer offered, for 3s since";
    assert_eq!(
        run(3500, 6800, 9801)[0],
        format!("fails 9.8: {why} 3.5s, without 3.3s in which it stood still")
    );
    assert_eq!(run(2000, 7000, 9001)[0], format!("fails 9: {why} 2s, without 4s in which it stood still"));
}

#[test]
fn a_list_that_is_never_put_right_is_out_of_date_until_the_end() {
    let mut stage = Stage::new().with([with(Mood::Breaks, "cache-age", &[])]);
    commit(&mut stage, 100, 1, Write::Register(ORDERS));
    stage.view(200, WEB, &[0]);
    commit(&mut stage, 4000, 2, Write::Remove(ORDERS, Cause::Expired));
    let longest = "the longest that a client's list was out of date was 6s: that of web-0, and it still is";
    assert_eq!(judged(&stage), [format!("vacuous: {longest}")]);
}

#[test]
fn a_herd_is_measured_against_what_was_usual() {
    let run = |reads: u64| {
        let cap = with(Mood::Always, "herd-cap", &[("floor", Value::Count(1))]);
        let mut stage = Stage::new().with([cap, with(Mood::Always, "herd-cap", &[])]);
        let fault = stage.plan("cut", OnMiss::Fine);
        // Two a second in the four seconds between the warm-up and the fault.
        (0..8).for_each(|number| stage.says(1100 + number * 500, REGISTRY, Observation::Read));
        stage.begin(5000, fault, &[]);
        (0..reads).for_each(|number| stage.says(6010 + number, next(REGISTRY, 1), Observation::Read));
        judged(&stage)
    };
    assert_eq!(run(6), ["holds", "holds"]);
    let why = "the registry served 7 reads within 1s; before the first fault there were 2.0";
    assert_eq!(run(7), [format!("fails 6.016: {why}"), "holds".to_owned()]);
    assert!(run(11)[1].starts_with("fails 6.02"));
}

#[test]
fn what_stays_bad_when_all_is_well_is_metastable() {
    // Ten requests each second; the fault lasts from 3 to 4 s, and until `well` all fail.
    let run = |well: u64| {
        let stuck = |mood| with(mood, "metastable", &[("for", secs(3))]);
        let mut stage = Stage::new().with([stuck(Mood::Never), stuck(Mood::Sometimes)]);
        let fault = stage.plan("cut", OnMiss::Fine);
        requests(&mut stage, (1000..3000).step_by(100), 0, Outcome::Success);
        stage.begin(3000, fault, &[]);
        stage.heal(4000, fault, 1);
        requests(&mut stage, (4010..well).step_by(100), 0, Outcome::Timeout);
        requests(&mut stage, (well..9900).step_by(100), 0, Outcome::Success);
        judged(&stage)
    };
    let not_long = "vacuous: after the last heal, in the worst second 0% of what had succeeded before did under normal load, not for long enough";
    assert_eq!(run(6010), ["holds", not_long]);
    let why = "for 3s since 4s fewer than 90% of the requests succeeded that did before, though the load was normal and all faults had healed";
    assert_eq!(run(7010), [format!("fails 7: {why}"), "holds 7".to_owned()]);
}

/// Clients that ask again only when they have been answered; from the heal at 4 s on nobody is, until `well`.
#[test]
fn closed_loops_at_a_standstill_are_metastable() {
    let run = |loops: bool, well: u64| {
        let stuck = with(Mood::Never, "metastable", &[("for", secs(3))]);
        let mut stage = Stage::new().with([stuck]);
        if loops {
            let think = schism_core::Distribution::constant(Duration::from_millis(99)).unwrap();
            stage.scenario.clients[0].config.arrivals = Arrivals::Closed(think);
        }
        let fault = stage.plan("cut", OnMiss::Fine);
        requests(&mut stage, (1000..3000).step_by(100), 0, Outcome::Success);
        stage.begin(3000, fault, &[]);
        stage.says(3500, WEB, Observation::Offered);
        stage.heal(4000, fault, 1);
        stage.says(well, WEB, Observation::Done { offered: at(3500), outcome: Outcome::Timeout });
        requests(&mut stage, (well + 10..9900).step_by(100), 0, Outcome::Success);
        let told = stage.report().expect.remove(0);
        (judged(&stage).remove(0), told.on)
    };
    let why = "for 3s since 4s fewer than 90% of the requests succeeded that did before, though the load was normal and all faults had healed";
    assert_eq!(run(true, 6000).0, "holds");
    assert_eq!(run(true, 7000), (format!("fails 7: {why}"), vec!["web-0".to_owned()]));
    assert_eq!(run(false, 9990).0, "holds", "who asks at a rate of its own and offers nothing wants nothing");
}

#[test]
fn an_instance_with_more_than_its_share_is_out_of_balance() {
    let run = |first: u64, dead: bool| {
        let options = [("at-most", Value::Number(1.5)), ("over", secs(2)), ("floor", Value::Count(10))];
        let even = |mood| with(mood, "balanced", &options);
        let mut stage = Stage::new().with([even(Mood::Always), even(Mood::Eventually)]);
        (0..3).for_each(|number| {
            commit(&mut stage, 100 + number, 1 + number, Write::Register(next(ORDERS, number as u32)));
        });
        if dead {
            stage.inflict(2500, crash(ORDERS));
        }
        requests(&mut stage, 2000..2000 + first, 0, Outcome::Success);
        requests(&mut stage, 2500..2510, 1, Outcome::Success);
        requests(&mut stage, 2500..2510, 2, Outcome::Success);
        // What began at 2 s is over at 4 s.
        requests(&mut stage, [4500].into_iter(), 1, Outcome::Success);
        judged(&stage)
    };
    // 20 of 40 are 1.5 times the mean of three; 21 of 41 are more.
    assert_eq!(run(20, false), ["holds", "holds 1"]);
    let why = "orders-0 got 1.54 times the mean of its service";
    let ending = "still at the end, 9s after the warm-up";
    assert_eq!(run(21, false), [format!("fails 4: {why} within 2s"), format!("fails 3: {why} {ending}")]);
    assert_eq!(run(100, true), ["holds", "holds 1"]);
}

#[test]
fn what_goes_to_one_of_many_is_out_of_balance_however_little_the_others_get() {
    let run = |first: u64| {
        let options = [("at-most", Value::Number(1.5)), ("over", secs(2)), ("floor", Value::Count(40))];
        let mut stage = Stage::new().with([with(Mood::Always, "balanced", &options)]);
        (0..3).for_each(|number| {
            commit(&mut stage, 100 + number, 1 + number, Write::Register(next(ORDERS, number as u32)));
        });
        requests(&mut stage, 2000..2000 + first, 0, Outcome::Success);
        requests(&mut stage, [4500].into_iter(), 1, Outcome::Success);
        judged(&stage).remove(0)
    };
    // The mean of three is 20 at most, half of the floor; 60 to one would be in balance with a mean of 40.
    assert_eq!(run(60), "vacuous: there were never 40 attempts to each instance of a service");
    assert_eq!(run(61), "fails 4: orders-0 got 3.00 times the mean of its service within 2s");
}

#[test]
fn what_is_in_flight_comes_down_again_unless_it_leaks() {
    let run = |leaked: u64, ends: u64| {
        let leak = |mood| with(mood, "no-leak", &[("within", secs(3))]);
        let mut stage = Stage::new().with([leak(Mood::Always), leak(Mood::Eventually)]);
        let fault = stage.plan("cut", OnMiss::Fine);
        // One is always in flight.
        stage.says(500, WEB, Observation::Offered);
        requests(&mut stage, (1000..3000).step_by(100), 0, Outcome::Success);
        stage.begin(3000, fault, &[]);
        (0..leaked).for_each(|number| stage.says(3100 + number, WEB, Observation::Offered));
        stage.heal(4000, fault, 1);
        for _ in 0..leaked {
            let offered = at(3100);
            stage.says(ends, WEB, Observation::Done { offered, outcome: Outcome::Timeout });
        }
        judged(&stage)
    };
    assert_eq!(run(0, 0), ["holds", "holds 4"]);
    assert_eq!(run(2, 5500), ["holds", "holds 5.5"]);
    assert_eq!(run(2, 7000)[0], "holds");
    let why = "clients such as web-0 never had fewer than 3 requests in flight in the 3s after all had healed at 4s; before the first fault they came down to 1 in every second";
    assert_eq!(run(2, 7001)[0], format!("fails 7: {why}"));
}

/// Ten keys of web-0 before and after orders-2 leaves its list of three; so many of those that were elsewhere move.
#[test]
fn keys_move_that_must_and_no_more_than_may_besides() {
    let tenth = ("at-most", Value::Share(Ratio::new(1, 10)));
    let options = [tenth, ("floor", Value::Count(10)), ("over", secs(3))];
    let send = |stage: &mut Stage, millis: u64, key: u64, to: u32| {
        stage.says(
            millis + key,
            WEB,
            Observation::Attempt { to: next(ORDERS, to), request: 0, key: Some(key as u32) },
        );
    };
    let run = |needless: u64, resent: u64, sent_at: u64| {
        let mut stage =
            Stage::new().with([Mood::Always, Mood::Breaks].map(|mood| with(mood, "key-movement", &options)));
        stage.view(500, WEB, &[0, 1, 2]);
        (0..10).for_each(|key| send(&mut stage, 2500, key, key as u32 % 3));
        stage.view(3000, WEB, &[0, 1]);
        // Of keys 2, 5 and 8 the instance is gone; the others of 0 to 9 were sent to orders-0 and orders-1.
        let moved = |key: u64| match key % 3 {
            2 => 0,
            old if key / 3 * 2 + key % 3 < needless => 1 - old as u32,
            old => old as u32,
        };
        (0..resent).for_each(|key| send(&mut stage, sent_at, key, moved(key)));
        judged(&stage)
    };
    let few = "no change of a client's list had 10 keys that were sent both before and after it";
    let one = "after 1 changes at most 10.0% of the keys moved without need";
    assert_eq!(run(1, 10, 5000), ["holds".to_owned(), format!("vacuous: {one}")]);
    let why = "after orders-2 left a list of 3, 20.0% of 10 keys of clients such as web-0 moved without need: key 0 from orders-0 to orders-1, and both stayed";
    assert_eq!(run(2, 10, 5000), [format!("fails 8: {why}"), "holds 8".to_owned()]);
    // One of the keys does not come again; none does once the list is settled.
    assert_eq!(run(6, 9, 5000), [0, 1].map(|_| format!("vacuous: {few}")));
    assert_eq!(run(6, 10, 4990), [0, 1].map(|_| format!("vacuous: {few}")));
    let unkeyed = || {
        let mut stage = Stage::new().with([with(Mood::Always, "key-movement", &options)]);
        requests(&mut stage, [2000].into_iter(), 0, Outcome::Success);
        judged(&stage)
    };
    assert_eq!(unkeyed(), ["vacuous: no request had a key that others have, too"]);
}

/// An instance joins two: a third of the keys is its fair share, and of twelve those are four.
#[test]
fn who_comes_may_draw_its_share_of_the_keys() {
    let options = [("at-most", Value::Share(Ratio::ZERO)), ("floor", Value::Count(12)), ("over", secs(3))];
    let run = |drawn: u64, back: bool| {
        let mut stage = Stage::new().with([with(Mood::Always, "key-movement", &options)]);
        let send = |stage: &mut Stage, millis: u64, key: u64, to: u32| {
            stage.says(
                millis + key,
                WEB,
                Observation::Attempt { to: next(ORDERS, to), request: 0, key: Some(key as u32) },
            );
        };
        stage.view(100, WEB, &[0, 1]);
        (0..12).for_each(|key| send(&mut stage, 2200, key, key as u32 % 2));
        stage.view(2500, WEB, &[0, 1, 2]);
        if back {
            stage.view(2600, WEB, &[0, 1]);
        }
        (0..12).for_each(|key| send(&mut stage, 5000, key, if key < drawn { 2 } else { key as u32 % 2 }));
        judged(&stage)
    };
    assert_eq!(run(4, false), ["holds"]);
    let why = "after orders-2 joined a list of 2, 8.3% of 12 keys of clients such as web-0 moved without need: key 0 from orders-0 to orders-2, which got more than its share";
    assert_eq!(run(5, false), [format!("fails 8: {why}")]);
    // What was gone before it was settled has been no change.
    let few = "no change of a client's list had 12 keys that were sent both before and after it";
    assert_eq!(run(0, true), [format!("vacuous: {few}")]);
}

/// Of each of the registry's two members so much is looked at once a second, before the fault and after it.
#[test]
fn what_is_held_comes_down_again_unless_it_leaks() {
    let run = |what: Holding, after: [u32; 3]| {
        let options = [("within", secs(3)), ("spare", Value::Share(Ratio::new(1, 4)))];
        let leak = |mood| with(mood, "no-leak", &options);
        let mut stage = Stage::new().with([leak(Mood::Always), leak(Mood::Eventually)]);
        let fault = stage.plan("cut", OnMiss::Fine);
        let look = |stage: &mut Stage, millis: u64, many: [u32; 2]| {
            for (member, many) in [REGISTRY, next(REGISTRY, 1)].into_iter().zip(many) {
                stage.says(millis, member, Observation::Holds { what, many });
            }
        };
        look(&mut stage, 1000, [4, 3]);
        look(&mut stage, 2000, [5, 3]);
        stage.begin(2500, fault, &[]);
        look(&mut stage, 3000, [9, 9]);
        stage.heal(3500, fault, 1);
        for (at, many) in [4000, 5000, 6000].into_iter().zip(after) {
            look(&mut stage, at, [many, 2]);
        }
        judged(&stage)
    };
    // Eight watches were usual; that all of them are one member's is no leak, and that they were once so few is enough.
    assert_eq!(run(Holding::Watches, [9, 6, 9]), ["holds", "holds 5"]);
    let why = "registry members such as registry-0 never had fewer than 9 watches in the 3s after all had healed at 3.5s; before the first fault they had at most 8";
    assert_eq!(run(Holding::Watches, [9, 7, 7])[0], format!("fails 6.5: {why}, and up to 8 would do"));
    // Of timers a quarter more is none, either.
    assert_eq!(run(Holding::Timers, [9, 8, 9]), ["holds", "holds 5"]);
    let why = "registry members such as registry-0 never had fewer than 11 timers set in the 3s after all had healed at 3.5s; before the first fault they had at most 8";
    assert_eq!(run(Holding::Timers, [9, 9, 9])[0], format!("fails 6.5: {why}, and up to 10 would do"));
    // What is not asked about is nobody's leak.
    assert_eq!(run(Holding::Connections, [90, 90, 90]), ["holds", "holds 3.5"]);
}

#[test]
fn of_objectives_the_one_furthest_off_is_told() {
    let slo = |bounds: &[(Metric, f64)]| Ask::Slo { bounds: bounds.to_vec(), during: Window::All };
    let (rate, tail) = (Metric::SuccessRate, Metric::LatencyQuantile(990));
    let asks = [
        slo(&[(rate, 0.5), (tail, 30.0)]),
        slo(&[(rate, 0.8), (tail, 10.0)]),
        slo(&[(rate, 0.8), (tail, 30.0)]),
    ];
    let mut stage = Stage::new().with(asks);
    assert_eq!(stage.report().verdict, Verdict::Vacuous);
    request(&mut stage, 2000, ORDERS, 25, Outcome::Success);
    request(&mut stage, 3000, ORDERS, 25, Outcome::Timeout);
    assert_eq!(
        judged(&stage),
        [
            "holds",
            "fails: latency-p99 over the whole run was 25ms; at most 10ms is asked; missed, too, by less: success-rate",
            "fails: success-rate over the whole run was 50%; at least 80% is asked",
        ]
    );
}
