//! The model of Eureka against what its sources say: how long leases last, when servers preserve themselves, how long
//! clients are behind, and what servers tell each other.

use schism_core::{Duration, NodeId, Seed, Time};
use schism_models::listing::ServiceId;
use schism_models::node::Node;
use schism_models::registry::AnyMember;
use schism_models::registry::eureka::Member;
use schism_runner::report::Lease;
use schism_runner::{Report, Simulation};
use schism_scenario::Scenario;
use schism_tests::runs::{for_seeds, report, scenario};
use schism_tests::statistics::{Ks, ks, summary, uniform};

/// When the first fault strikes.
const STRUCK: f64 = 100.0;

/// So many instances and a few clients; `registry` is more of the registry's table, `rest` the faults.
fn eureka(length: &str, instances: u32, registry: &str, rest: &str) -> Scenario {
    scenario(&format!(
        r#"
        title  = "Eureka"
        length = "{length}"
        [topology]
        zones = ["a", "b"]
        [registry.eureka]
        {registry}
        [services.orders]
        instances = {instances}
        service   = "1ms"
        [clients.web]
        count    = 10
        calls    = "orders"
        arrivals = {{ constant = "1/s" }}
        timeout  = "250ms"
        balancer = "round-robin"
        cache    = "watch"
        {rest}
        "#
    ))
}

/// A fault that strikes at [`STRUCK`].
fn fault(kind: &str) -> String {
    format!("[[fault]]\nid = \"it\"\nat = \"{STRUCK}s\"\n{kind}")
}

/// For how long observers whose names begin so believed in an instance after the fault had struck.
fn believed(report: &Report, observers: &str, subject: &str) -> Vec<f64> {
    let beliefs = report.beliefs.iter().filter(|belief| belief.observer.starts_with(observers));
    let wrong = beliefs.filter(|belief| belief.subject == subject && belief.from_s >= STRUCK);
    wrong.map(|belief| belief.to_s.expect("the belief has ended") - STRUCK).collect()
}

fn leases<'r>(report: &'r Report, instance: &'r str) -> impl Iterator<Item = &'r Lease> {
    report.leases.iter().filter(move |lease| lease.instance == instance)
}

/// A run up to a second.
fn at(scenario: &Scenario, seconds: u64) -> Simulation<()> {
    let mut simulation = Simulation::new(scenario, Seed(1), ());
    simulation.run_until(Time::START + Duration::from_secs(seconds));
    simulation
}

fn member(simulation: &Simulation<()>, node: u32) -> &Member {
    let Some(Node::Member(member)) = simulation.world().actor(NodeId(node)) else { panic!("it is alive") };
    let AnyMember::Eureka(member) = &**member else { panic!("the registry is Eureka") };
    member
}

/// The ordinals that a server lists.
fn listed(simulation: &Simulation<()>, node: u32) -> Vec<u32> {
    let listing = member(simulation, node).table().apps().listing(ServiceId(0));
    listing.endpoints.iter().map(|endpoint| endpoint.ordinal).collect()
}

// How long leases last.

#[test]
fn whoever_dies_is_called_for_no_more_than_330_seconds() {
    let scenario = eureka("480s", 10, "members = 2", &fault("crash = \"orders-3\""));
    let reports = for_seeds(20, |seed| report(&scenario, seed));
    let last = reports.iter().map(|report| {
        let (servers, clients) =
            (believed(report, "registry", "orders-3"), believed(report, "web", "orders-3"));
        assert_eq!((servers.len(), clients.len()), (2, 10), "everybody has believed in it");
        // Its last renewal was up to 30 s before its death; from that on 180 s, and up to 60 s until the eviction.
        assert!(servers.iter().all(|held| (150.0..=241.0).contains(held)), "{servers:?}");
        assert!(clients.iter().all(|held| (150.0..=331.0).contains(held)), "{clients:?}");
        clients.into_iter().fold(0.0, f64::max)
    });
    let last: Vec<f64> = last.collect();
    assert!(last.iter().any(|&last| last > 280.0), "the bound is not far: {}", summary(&last));
}

#[test]
fn an_eviction_comes_at_any_time_of_the_minute_after_twice_the_duration() {
    let scenario =
        eureka("380s", 20, "members = 1\ndefault-open-for-traffic-count = 1", &fault("crash = \"orders-3\""));
    let late = for_seeds(100, |seed| {
        let report = report(&scenario, seed);
        let lease = leases(&report, "orders-3").next().expect("it was registered");
        lease.removed_s.expect("it was evicted") - lease.last_renewal_s.expect("it has renewed") - 180.0
    });
    let Ks { d, p } = ks(&late, uniform(0.0, 60.0));
    assert!(p > 0.02, "D = {d:.3}, p = {p:.1e}: {}", summary(&late));
}

#[test]
fn whoever_dies_before_the_first_renewal_goes_after_one_duration() {
    let crashes = format!(
        "{}\n{}",
        fault("crash = { target = \"orders-3\", restart-after = \"5s\" }"),
        "[[fault]]\nat = \"115s\"\ncrash = \"orders-3\"",
    );
    let scenario = eureka("400s", 10, "members = 2", &crashes);
    for report in for_seeds(20, |seed| report(&scenario, seed)) {
        // It registers over its old lease, so there is one registration, and what was told last is that at 105 s.
        let lease = leases(&report, "orders-3").next().expect("it was registered");
        let told = lease.last_renewal_s.expect("it has registered");
        let kept = lease.removed_s.expect("it was evicted") - told;
        assert!((105.0..106.0).contains(&told), "{told}");
        assert!((90.0..151.0).contains(&kept), "{kept}");
        let clients = believed(&report, "web", "orders-3");
        assert!(clients.iter().all(|held| held + STRUCK - told <= 241.0), "{clients:?}");
    }
}

// Self-preservation.

#[test]
fn one_dead_is_evicted_of_seven_and_of_no_fewer() {
    let evicted = for_seeds(12, |instances| {
        let scenario = eureka("400s", instances as u32 + 1, "members = 2", &fault("crash = \"orders-0\""));
        report(&scenario, 1).registry.leases.expired
    });
    assert_eq!(evicted, [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn a_server_without_peers_evicts_if_it_opened_with_somebody() {
    for (opened, evicted) in [(0, 0), (1, 1)] {
        let registry = format!("members = 1\ndefault-open-for-traffic-count = {opened}");
        let scenario = eureka("400s", 20, &registry, &fault("crash = \"orders-0\""));
        assert_eq!(report(&scenario, 1).registry.leases.expired, evicted);
    }
}

#[test]
fn half_of_the_instances_go_by_fifteen_percent_a_minute() {
    let registry = "members = 1\nself-preservation = false";
    let scenario = eureka("600s", 20, registry, &fault("crash = \"orders:pick(10)\""));
    for report in for_seeds(5, |seed| report(&scenario, seed)) {
        let mut removed: Vec<u64> =
            report.leases.iter().filter_map(|lease| lease.removed_s).map(|at| at.round() as u64).collect();
        removed.sort_unstable();
        let rounds: Vec<usize> = removed.chunk_by(|a, b| a == b).map(<[u64]>::len).collect();
        // Their leases end within half a minute, so the first round may find fewer than it may take.
        assert_eq!(rounds.iter().sum::<usize>(), 10, "{rounds:?}");
        assert!(rounds.iter().all(|&round| round <= 3) && rounds.len() >= 4, "{rounds:?}");
    }
}

#[test]
fn instances_that_servers_cannot_hear_are_kept_by_self_preservation_alone() {
    let half: Vec<String> = (0..10).map(|number| format!("\"orders-{number}\"")).collect();
    let cut = format!("for = \"300s\"\npartition = {{ split = [[\"registry\"], [{}]] }}", half.join(", "));
    for (preserves, evicted) in [(true, 0..=0), (false, 3..=20)] {
        let registry = format!("members = 2\nself-preservation = {preserves}");
        let expired = report(&eureka("420s", 20, &registry, &fault(&cut)), 1).registry.leases.expired;
        assert!(evicted.contains(&expired), "with self-preservation = {preserves}: {expired}");
    }
}

#[test]
fn a_cluster_that_started_empty_learns_what_to_expect_after_a_quarter_of_an_hour() {
    let scenario = eureka("920s", 10, "members = 2\ncold-start = true", "");
    let before = at(&scenario, 899);
    assert_eq!((member(&before, 0).table().len(), member(&before, 0).preservation().expected()), (10, 0));
    let after = at(&scenario, 901);
    assert_eq!(member(&after, 0).preservation().expected(), 10);
    assert_eq!(member(&after, 0).preservation().threshold(), 17);
}

// How long clients are behind.

/// For how long clients did not believe in an instance that came back after its eviction, with these constants.
fn unseen(registry: &str, seeds: u64) -> Vec<f64> {
    let crash = "crash = { target = \"orders-3\", restart-after = \"300s\" }";
    let scenario = eureka("540s", 10, &format!("members = 2\n{registry}"), &fault(crash));
    let unseen = for_seeds(seeds, |seed| {
        let report = report(&scenario, seed);
        let absent = report.beliefs.iter().filter(|belief| belief.observer.starts_with("web"));
        let absent = absent.filter(|belief| belief.subject == "orders-3" && belief.from_s >= STRUCK + 300.0);
        absent
            .map(|belief| belief.to_s.expect("everybody learns of it") - STRUCK - 300.0)
            .collect::<Vec<f64>>()
    });
    unseen.into_iter().flatten().collect()
}

#[test]
fn an_instance_that_comes_is_seen_within_three_caches() {
    let unseen = unseen("", 20);
    assert_eq!(unseen.len(), 200, "every client has missed it");
    assert!(unseen.iter().all(|&unseen| unseen <= 91.0), "{}", summary(&unseen));
    assert!(unseen.iter().any(|&unseen| unseen > 70.0), "the bound is not far: {}", summary(&unseen));
}

#[test]
fn an_instance_that_does_not_say_that_it_is_up_is_seen_30_seconds_later() {
    let unseen = unseen("on-demand-update-status-change = false", 10);
    assert!(unseen.iter().all(|&unseen| (30.0..=121.0).contains(&unseen)), "{}", summary(&unseen));
    assert!(unseen.iter().any(|&unseen| unseen > 95.0), "the bound is not far: {}", summary(&unseen));
}

#[test]
fn without_the_copy_and_without_ribbon_it_is_seen_within_one_interval() {
    let unseen = unseen("use-read-only-response-cache = false\nlist-refresh = \"none\"", 10);
    assert!(unseen.iter().all(|&unseen| unseen <= 31.0), "{}", summary(&unseen));
}

// What servers tell each other.

#[test]
fn a_cancellation_is_told_within_a_batch_and_an_eviction_is_not() {
    let gone = |kind: &str| {
        let report = report(&eureka("400s", 10, "members = 2", &fault(kind)), 1);
        let believed = report.beliefs.iter().filter(|belief| belief.observer.starts_with("registry"));
        let mut ends: Vec<f64> =
            believed.filter(|belief| belief.subject == "orders-3").filter_map(|belief| belief.to_s).collect();
        ends.sort_by(f64::total_cmp);
        ends
    };
    let evicted = gone("crash = \"orders-3\"");
    assert_eq!(evicted.len(), 2);
    assert!(evicted[1] - evicted[0] > 2.0, "each evicts by itself: {evicted:?}");
    // The server that is told itself removes it before it is dead, the other half a second later.
    let cancelled = gone("stop = { target = \"orders-3\", drain = \"100ms\" }");
    let soon = STRUCK..STRUCK + 0.7;
    assert!(!cancelled.is_empty() && cancelled.iter().all(|end| soon.contains(end)), "{cancelled:?}");
    assert!(cancelled[cancelled.len() - 1] > STRUCK + 0.5, "the batch waits for others: {cancelled:?}");
}

#[test]
fn two_servers_that_are_cut_off_from_each_other_both_take_registrations() {
    let rest = format!(
        "{}\n{}",
        fault("for = \"200s\"\npartition = { split = [[\"zone:a\"], [\"zone:b\"]] }"),
        "[[fault]]\nat = \"150s\"\nscale = { target = \"orders\", out = 2 }",
    );
    let scenario = eureka("400s", 10, "members = 2", &rest);
    let old: Vec<u32> = (0..10).collect();
    let with = |new: &[u32]| [&old[..], new].concat();
    let cut = at(&scenario, 290);
    assert_eq!([listed(&cut, 0), listed(&cut, 1)], [with(&[10]), with(&[11])]);
    // The next heartbeat of each is told, answered by 404, and followed by the registration.
    let whole = at(&scenario, 340);
    assert_eq!([listed(&whole, 0), listed(&whole, 1)], [with(&[10, 11]), with(&[10, 11])]);
}

#[test]
fn a_server_that_restarts_copies_its_peer_and_loses_nobody() {
    let crash = fault("crash = { target = \"registry-0\", restart-after = \"60s\" }");
    let scenario = eureka("400s", 10, "members = 2", &crash);
    let report = report(&scenario, 1);
    assert!(report.leases.iter().all(|lease| lease.removed_s.is_none()), "{:?}", report.leases);
    let back = at(&scenario, 170);
    assert_eq!((member(&back, 0).table().len(), member(&back, 0).preservation().expected()), (10, 10));
    assert_eq!(listed(&back, 0), listed(&back, 1));
}

#[test]
fn servers_that_all_restart_serve_after_two_minutes_and_tell_after_seven() {
    let crash = fault("crash = { target = \"registry\", restart-after = \"10s\" }");
    let scenario = eureka("560s", 10, "members = 2", &crash);
    let starting = at(&scenario, 229);
    assert!(member(&starting, 0).table().is_empty() && member(&starting, 1).table().is_empty());
    let open = at(&scenario, 265);
    assert_eq!(listed(&open, 0).len(), 10);
    // Nobody has read from 110 s on, though everybody has tried: clients keep what they had.
    let reads = |until: u64| {
        let scenario = eureka(&format!("{until}s"), 10, "members = 2", &crash);
        report(&scenario, 1).registry.reads
    };
    assert_eq!(reads(528), reads(110));
    assert!(reads(560) > reads(528));
}
