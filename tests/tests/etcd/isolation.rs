//! A follower is cut off from the others, and not from its clients.

use schism_core::{Duration, NodeId, Time};
use schism_models::observation::Outcome;
use schism_scenario::Scenario;
use schism_tests::runs::{Done, Seen, for_seeds, secs};

use super::{CUT, MEMBERS, clients, on_loopback};

const HEALED: Duration = Duration::from_secs(30);

/// An instance dies meanwhile, and its lease of 3 s runs out.
fn isolate_follower(version: &str) -> Scenario {
    let rest = format!(
        r#"
        [services.fleet]
        instances = 3
        service   = "1ms"
        {}{}{}
        [[fault]]
        at        = "10s"
        for       = "20s"
        partition = {{ split = [["registry:minority"], ["registry"]] }}
        [[fault]]
        at    = "12s"
        crash = "fleet:pick(1)"
        "#,
        clients("stale", "get-serializable", 20),
        clients("reader", "get", 5),
        clients("writer", "put", 5)
    );
    on_loopback("40s", MEMBERS, version, "3s", &rest)
}

#[test]
fn an_isolated_follower_answers_from_the_past_and_nothing_else() {
    let scenario = isolate_follower("3.4");
    for seen in for_seeds(10, |seed| Seen::of(&scenario, seed)) {
        let alone = seen.faults[0].2[0];
        let (cut, healed) = (Time::START + CUT, Time::START + HEALED);
        let of = |first: u32| -> Vec<Done> {
            let mine =
                |done: &&Done| done.by.0 == first + alone.0 && done.offered > cut && done.offered < healed;
            seen.done.iter().filter(mine).copied().collect()
        };
        let stale = of(6);
        assert!(stale.len() >= 399 && stale.iter().all(|done| done.outcome == Outcome::Success));
        assert!(stale.iter().all(|done| done.took_s() < 0.001), "from its own store, at once");
        let told = seen.believed.iter().filter(|told| told.0 > cut && told.0 < healed);
        assert!(told.clone().any(|told| told.1 != alone), "the others drop an instance that died");
        assert!(told.clone().all(|told| told.1 != alone), "it does not hear of that");
        let caught_up = seen.believed.iter().find(|told| told.1 == alone && told.0 >= healed);
        assert!(secs(caught_up.expect("it catches up").0, healed) < 6.0);
        let (reads, writes) = (of(9), of(12));
        let in_vain = |done: &Done| done.at >= healed || done.outcome == Outcome::Rejected;
        assert!(reads.iter().all(in_vain) && writes.iter().all(in_vain));
        for first in [&reads, &writes].map(|done| done.iter().min_by_key(|done| done.offered)) {
            let took = first.expect("they were asked").took_s();
            assert!((7.0..7.005).contains(&took), "{took}");
        }
    }
}

#[test]
fn only_without_pre_vote_does_a_follower_depose_the_leader_when_it_comes_back() {
    for (version, deposed) in [("3.4", true), ("3.5", false)] {
        let scenario = isolate_follower(version);
        for seen in for_seeds(10, |seed| Seen::of(&scenario, seed)) {
            let fell = seen.deposed.iter().any(|deposed| deposed.0 >= Time::START + HEALED);
            assert_eq!(fell, deposed, "{version}: {:?}", seen.deposed);
            assert!(!seen.leads.iter().any(|led| led.0 > Time::START + CUT && led.0 < Time::START + HEALED));
        }
    }
}

#[test]
fn a_keepalive_at_an_isolated_follower_is_answered_after_seven_seconds() {
    let scenario = on_loopback(
        "60s",
        MEMBERS,
        "3.4",
        "60s",
        r#"
        [services.fleet]
        instances = 3
        service   = "1ms"
        [[fault]]
        at        = "15s"
        partition = { split = [["registry:minority"], ["registry"]] }
        "#,
    );
    for seen in for_seeds(20, |seed| Seen::of(&scenario, seed)) {
        let alone = seen.faults[0].2[0];
        for instance in 0..3 {
            let of = |renewed: &&(Time, NodeId)| renewed.1 == NodeId(MEMBERS + instance);
            let times: Vec<Time> = seen.renewed.iter().filter(of).map(|renewed| renewed.0).collect();
            let longest = times.windows(2).map(|pair| secs(pair[1], pair[0])).fold(0.0, f64::max);
            // A third of the time to live, up to the next wake-up of the loop; and for the holder at the isolated
            // member the 7 s that its answer takes, and the next wake-up, which turns to another member.
            let expected = if instance == alone.0 { 27.0..28.1 } else { 20.0..20.6 };
            assert!(expected.contains(&longest), "{longest}");
        }
    }
}
