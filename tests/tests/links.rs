//! Faults of links: each does on its links what it says, and elsewhere nothing.

use schism_runner::Report;
use schism_tests::faults::fault;
use schism_tests::plain::told;

/// The stage with one fault from its warm-up to its end.
fn under(toml: &str) -> Report {
    told(&fault("f", "at = \"5s\"", toml), 1)
}

fn fine() -> Report {
    told("", 1)
}

fn more(toml: &str) -> f64 {
    under(toml).latency_ms.p50 - fine().latency_ms.p50
}

#[test]
fn latency_is_met_once_on_each_way() {
    // A request and its reply meet it once each, whichever ends are named.
    for ends in [r#"between = ["web", "orders"]"#, r#"target = "orders""#, r#"target = ["web", "orders"]"#] {
        let both = more(&format!("latency = {{ {ends}, extra = \"30ms\" }}"));
        assert!((58.0..64.0).contains(&both), "{ends}: {both} ms more");
    }
    for direction in ["forward", "backward", "web->orders", "orders->web"] {
        let one = more(&format!(
            "latency = {{ between = [\"web\", \"orders\"], extra = \"30ms\", direction = \"{direction}\" }}"
        ));
        assert!((28.0..33.0).contains(&one), "{direction}: {one} ms more");
    }
}

#[test]
fn traffic_that_is_not_named_is_spared() {
    let spared = more(r#"latency = { target = "orders", extra = "30ms", traffic = ["registry"] }"#);
    assert!(spared.abs() < 1.0, "{spared} ms more");
    let named = more(r#"latency = { target = "orders", extra = "30ms", traffic = ["request", "probe"] }"#);
    assert!(named > 58.0, "{named} ms more");
}

#[test]
fn losses_are_the_share_that_was_asked_for_evenly_and_in_bursts() {
    let failed = |toml: &str| {
        let requests = under(toml).requests;
        requests.failed as f64 / requests.offered as f64
    };
    let even = failed(r#"loss = { between = ["web", "orders"], rate = "5%", direction = "forward" }"#);
    assert!((0.04..0.06).contains(&even), "{even}");
    // Of 1 / (1 + 19) of its time the chain is bad, and then it loses everything.
    let bursts = failed(
        r#"loss = { between = ["web", "orders"], burst = { to-bad = "1%", to-good = "19%" }, direction = "forward" }"#,
    );
    assert!((0.035..0.065).contains(&bursts), "{bursts}");
    let damaged = failed(r#"corrupt = { between = ["web", "orders"], rate = "5%", direction = "forward" }"#);
    assert!((0.04..0.06).contains(&damaged), "{damaged}");
}

#[test]
fn a_limping_card_is_one_nodes_own_and_a_link_is_shared() {
    // 240 requests of 1 KiB a second for six instances: some 0.33 Mbit/s for each, which a card of its own can carry ...
    let own = r#"limp-link = { target = "orders", rate = "2Mbit/s" }"#;
    assert_eq!(under(own).requests.failed, 0);
    // ... and all together 2 Mbit/s, which a link of half of that cannot.
    let shared = r#"bandwidth = { between = ["web", "orders"], rate = "1Mbit/s", buffer = "32KiB" }"#;
    assert!(under(shared).requests.failed > 1_000);
}

#[test]
fn a_message_that_comes_twice_or_late_is_still_one_message() {
    let report = under(r#"duplicate = { between = ["web", "orders"], rate = "50%" }"#);
    assert_eq!(report.requests.failed, 0);
    assert!(report.faults[0].touched > 1_000);
    let late = under(r#"reorder = { between = ["web", "orders"], rate = "50%", gap = "20ms" }"#);
    assert!(late.requests.failed <= fine().requests.failed + 5);
    assert!(late.faults[0].touched > 1_000);
}

#[test]
fn connections_break_as_they_say() {
    let broken = |failure: &str| {
        told(&fault("f", "at = \"20s\"\nfor = \"20s\"", &format!("connection = {{ {failure} }}")), 1)
    };
    // What is forgotten is found out by a timer, and opened anew: nobody loses a lease of 5 s before that.
    let half_open = broken(r#"half-open = { between = ["orders", "registry"] }"#);
    assert!(half_open.faults[0].touched > 0);
    let reset = told(
        &fault("f", "at = \"20s\"", r#"connection = { reset = { between = ["orders", "registry"] } }"#),
        1,
    );
    assert_eq!(reset.faults[0].touched, 6, "six instances, a connection each");
    assert_eq!(reset.registry.leases.expired, 0, "they connect anew at once");
}
