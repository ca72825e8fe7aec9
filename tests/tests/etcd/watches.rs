//! Watches: how soon a change is heard of, and behind a silent cut.

use schism_core::{NodeId, Time};
use schism_models::observation::Write;
use schism_scenario::Scenario;
use schism_tests::runs::{Seen, for_seeds, secs};
use schism_tests::statistics::{quantile, summary};

use super::{CUT, MEMBERS, on_loopback};

#[test]
fn a_watcher_hears_of_a_change_within_two_hops_of_the_commit() {
    let rest = r#"
        [services.fleet]
        instances = 6
        service   = "1ms"
        [clients.web]
        count    = 6
        calls    = "fleet"
        arrivals = { constant = "1/s" }
        [[fault]]
        between   = ["6s", "8s"]
        partition = { split = [["fleet"], ["registry"]] }
    "#;
    let scenario = on_loopback("20s", MEMBERS, "3.4", "5s", rest);
    let delays = for_seeds(20, |seed| delays_of_removals(&Seen::of(&scenario, seed))).concat();
    assert_eq!(delays.len(), 20 * 6 * 6);
    // From the leader to its own watchers one hop, and by way of a follower two; real etcd: -0.3 to 0.5 ms around the
    // answer to the writer, which is a hop after the commit itself, and less than 2 ms at the 99th percentile.
    assert!(
        quantile(&delays, 0.0) >= 0.000_099 && quantile(&delays, 1.0) <= 0.000_201,
        "{}",
        summary(&delays)
    );
}

/// How long after the first commit of each removal each client heard of it.
fn delays_of_removals(seen: &Seen) -> Vec<f64> {
    let committed = |subject: NodeId| {
        let of = |write: &Write| matches!(write, Write::Remove(node, _) if *node == subject);
        seen.committed.iter().find(|committed| of(&committed.3)).expect("it was removed").0
    };
    let by_clients = seen.believed.iter().filter(|told| told.1.0 >= MEMBERS + 6 && !told.3);
    by_clients.map(|&(at, _, subject, _)| secs(at, committed(subject))).collect()
}

/// The client is cut off from its own member for good while an instance dies, and may ping.
fn behind_a_cut(keepalive: &str) -> Scenario {
    let rest = format!(
        r#"
        {keepalive}
        [services.fleet]
        instances = 3
        service   = "1ms"
        [clients.web]
        count    = 1
        zone     = "a"
        calls    = "fleet"
        arrivals = {{ constant = "1/s" }}
        [[fault]]
        at        = "10s"
        partition = {{ partial = [["web-0", "registry-0"]] }}
        [[fault]]
        at    = "12s"
        crash = "fleet-1"
        "#
    );
    on_loopback("60s", MEMBERS, "3.4", "5s", &rest)
}

#[test]
fn only_a_client_that_pings_leaves_a_member_that_has_gone_silent() {
    let [gone, web] = [MEMBERS + 1, MEMBERS + 3].map(NodeId);
    let told = |keepalive: &str| -> Option<Time> {
        let seen = Seen::of(&behind_a_cut(keepalive), 1);
        let told =
            |believed: &&(Time, NodeId, NodeId, bool)| believed.1 == web && believed.2 == gone && !believed.3;
        seen.believed.iter().find(told).map(|believed| believed.0)
    };
    assert_eq!(told(""), None);
    let at = told("keepalive-time = \"10s\"").expect("it turns to another member");
    // The last word came before the cut; 10 s of silence, and 20 s for the answer to a ping.
    let after = secs(at, Time::START + CUT);
    assert!((20.0..31.0).contains(&after), "{after}");
}
