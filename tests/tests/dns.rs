//! DNS: who finds a new address when, what caches do to that, RFC 2782 by frequencies, and every registry behind it.

use schism_core::{Draw, NodeId, Time};
use schism_models::registry::{self, dns::srv};
use schism_runner::Report;
use schism_runner::report::Phase;
use schism_scenario::Scenario;
use schism_tests::runs::{Seen, for_seeds, report, scenario};

/// Four instances, six clients in one zone, a registry of three, two DNS servers.
fn stage(dns: &str, web: &str, rest: &str) -> Scenario {
    scenario(&text(dns, web, rest))
}

fn text(dns: &str, web: &str, rest: &str) -> String {
    format!(
        r#"
        title  = "stage"
        length = "150s"
        warmup = "20s"
        [registry.dns]
        {dns}
        [services.orders]
        instances = 4
        service   = "2ms"
        [clients.web]
        count    = 6
        calls    = "orders"
        arrivals = {{ poisson = "20/s" }}
        timeout  = "250ms"
        {web}
        {rest}
        "#
    )
}

const ETCD: &str = r#"backed-by.etcd = { lease-ttl = "5s" }"#;

fn refused(dns: &str, rest: &str) -> String {
    let loaded = schism_scenario::load("test.toml", text(dns, "", rest), &[]);
    loaded.err().unwrap_or_else(|| panic!("{dns} {rest}: it is accepted")).to_string()
}

fn phase<'r>(report: &'r Report, name: &str) -> &'r Phase {
    report.phases.iter().find(|phase| phase.name == name).expect("the phase is there")
}

fn success(report: &Report, name: &str) -> f64 {
    phase(report, name).success_rate.expect("something was offered")
}

// Another address.

/// Instances are nodes 3 to 6 and clients 7 to 12, after three members; two DNS servers come next, and then the new instance.
const OLD: NodeId = NodeId(3);
const NEW: NodeId = NodeId(15);

/// An instance is replaced by one at another address at 72 s, and drains for ten.
const REPLACED: &str = r#"
    [[fault]]
    at    = "72s"
    scale = { target = "orders", out = 1 }
    [[fault]]
    at   = "72s"
    stop = { target = "orders-0", drain = "10s" }
"#;

/// How long after that the new address got its first request, and the old one its last, over several seeds: the least and
/// the most.
fn moved(resolver: &str, cache: &str) -> [[Option<f64>; 2]; 2] {
    let scenario =
        stage(&format!("{ETCD}\nresolver = {resolver}"), &format!("cache = \"{cache}\""), REPLACED);
    let runs = for_seeds(8, |seed| {
        let seen = Seen::of(&scenario, seed);
        let after = |at: Time| at.as_secs_f64() - 72.0;
        let to = |node| seen.sent.iter().filter(move |sent| sent.2 == node).map(|sent| sent.0);
        (to(NEW).min().map(after), to(OLD).max().map(after))
    });
    let bounds = |times: Vec<Option<f64>>| {
        let times = || times.iter().copied();
        let order = |a: &Option<f64>, b: &Option<f64>| a.partial_cmp(b).expect("times can be compared");
        [times().min_by(order).flatten(), times().max_by(order).flatten()]
    };
    let (new, old) = runs.into_iter().unzip();
    [bounds(new), bounds(old)]
}

fn within(what: &str, [least, most]: [Option<f64>; 2], from: f64, to: f64) {
    let (least, most) = (least.expect(what), most.expect(what));
    assert!(from <= least && most <= to, "{what}: {least:.2} to {most:.2} s, not within {from} to {to} s");
}

#[test]
fn a_grpc_channel_finds_the_new_address_when_the_old_one_dies() {
    let [new, old] = moved("\"grpc-go\"", "watch");
    within("new", new, 10.0, 11.0);
    within("old", old, 10.0, 11.0);
}

#[test]
fn a_strict_cluster_finds_the_new_address_within_its_refresh_and_the_time_to_live() {
    let [new, old] = moved("\"envoy-strict\"", "watch");
    within("new", new, 0.0, 10.1);
    within("old", old, 0.0, 10.1);
}

#[test]
fn who_looks_up_for_each_request_lags_by_the_servers_cache_alone() {
    let [new, old] = moved("\"glibc\"", "none");
    within("new", new, 0.0, 5.5);
    within("old", old, 0.0, 5.1);
}

#[test]
fn java_lags_by_thirty_seconds_more() {
    let [_, old] = moved("\"jvm\"", "none");
    within("old", old, 10.0, 35.1);
}

#[test]
fn java_with_a_security_manager_never_learns_of_it() {
    let [new, old] = moved(r#"{ jvm = { ttl = "forever" } }"#, "none");
    assert_eq!(new, [None, None]);
    // There are runs in which nobody has chosen it.
    within("old", [old[1]; 2], 77.0, 78.0);
}

#[test]
fn what_a_channel_asks_at_the_crash_is_too_early_and_it_asks_again_after_thirty_seconds() {
    let crash = "[[fault]]\nid = \"f\"\nat = \"60s\"\ncrash = \"orders-0\"";
    let crashed = report(&stage(ETCD, "", crash), 1);
    let (reroute, reads) = (crashed.recovery.reroute_s.expect("some are misrouted"), crashed.registry.reads);
    assert!((30.0..31.5).contains(&reroute), "the lease runs out after the first lookup: {reroute}");
    let scaled = "[[fault]]\nid = \"f\"\nat = \"60s\"\nscale = { target = \"orders\", out = 1 }";
    let unseen = report(&stage(ETCD, "", scaled), 1).registry.reads;
    assert!(reads >= unseen + 12, "two lookups more of each of six: {reads} and {unseen}");
}

// Caches.

#[test]
fn a_denial_is_remembered_for_the_minimum_of_the_soa_and_no_longer() {
    // The leases have run out by 106 s, and the last answer by five seconds later; they register again at 115 s.
    let outage = "[[fault]]\nid = \"f\"\nat = \"100s\"\nfor = \"15s\"\ncrash = \"orders\"";
    let found = |negative: u64| {
        let dns = format!(
            "{ETCD}\nresolver = \"glibc\"\nservers = 1\ncache = \"60s\"\nnegative-ttl = \"{negative}s\""
        );
        let seen = Seen::of(&stage(&dns, "cache = \"none\"", outage), 1);
        let first = seen.sent.iter().map(|sent| sent.0.as_secs_f64()).find(|&at| at > 115.0);
        first.expect("they are found again")
    };
    assert!((115.0..121.0).contains(&found(5)), "{}", found(5));
    assert!((104.0 + 30.0..111.5 + 30.0).contains(&found(30)), "{}", found(30));
}

#[test]
fn a_time_to_live_of_nothing_is_five_seconds_unless_nothing_is_cached() {
    let left = |more: &str| {
        let dns = format!(
            "{ETCD}\nttl = \"0s\"\n{more}\nresolver = {{ envoy-strict = {{ refresh = \"100ms\" }} }}"
        );
        let stop = "[[fault]]\nat = \"72s\"\nstop = { target = \"orders-0\", drain = \"20s\" }";
        let last = for_seeds(8, |seed| {
            let sent = Seen::of(&stage(&dns, "", stop), seed).sent;
            sent.iter().filter(|sent| sent.2 == OLD).map(|sent| sent.0).max().expect("it was called")
        });
        last.into_iter().max().expect("there are seeds").as_secs_f64() - 72.0
    };
    let cached = left("");
    assert!((3.0..=5.3).contains(&cached), "{cached}");
    let uncached = left("cache = \"none\"");
    assert!(uncached < 0.3, "{uncached}");
}

#[test]
fn a_poisoned_answer_outlives_the_poisoner_by_its_time_to_live() {
    let poisoned = |ttl: &str| {
        let dns = format!("{ETCD}\ncache = \"1h\"\nresolver = \"envoy-strict\"");
        let fault = format!(
            "[[fault]]\nid = \"f\"\nat = \"60s\"\nfor = \"10s\"\ndns = {{ poison = {{ to = \"orders-0\", ttl = \"{ttl}\" }} }}"
        );
        let sent = Seen::of(&stage(&dns, "", &fault), 1).sent;
        let others = |from: f64, to: f64| {
            let at = |sent: &&(Time, NodeId, NodeId)| (from..to).contains(&sent.0.as_secs_f64());
            sent.iter().filter(at).filter(|sent| sent.2 != OLD).count()
        };
        (others(71.0, 79.0), others(112.0, 150.0))
    };
    let (while_short, after_short) = poisoned("20s");
    assert_eq!(while_short, 0);
    assert!(after_short > 1000, "{after_short}");
    assert_eq!(poisoned("10m"), (0, 0));
}

// What stands behind.

#[test]
fn every_registry_can_stand_behind_it() {
    for (name, _) in registry::CATALOG.iter().filter(|(name, _)| *name != "dns") {
        let dns = format!("backed-by = \"{name}\"\nresolver = \"envoy-strict\"");
        // Some take a minute and a half to tell a client of an instance.
        let late = text(&dns, "", "").replace("warmup = \"20s\"", "warmup = \"120s\"");
        let report = report(&scenario(&late), 1);
        let rate = report.requests.succeeded as f64 / report.requests.offered as f64;
        assert!(rate > 0.999, "{name}: {rate}");
        assert!(report.registry.reads > 100, "{name}: {} answers", report.registry.reads);
    }
}

#[test]
fn each_service_has_servers_of_its_own() {
    let more = r#"
        [services.stock]
        instances = 2
        service   = "2ms"
        [clients.cron]
        count    = 3
        calls    = "stock"
        arrivals = { poisson = "20/s" }
        [[fault]]
        id  = "f"
        at  = "60s"
        for = "60s"
        dns = { nxdomain = { target = ["dns-0", "dns-2"] } }
    "#;
    let dns = format!("{ETCD}\nresolver = \"envoy-strict\"");
    let web = "cache = { watch = { on-empty = \"accept\" } }";
    let report = report(&stage(&dns, web, more), 1);
    let rate = |group: &str| {
        let requests = &report.clients[group].requests;
        requests.succeeded as f64 / requests.offered as f64
    };
    assert!(rate("web") < 0.7, "{}", rate("web"));
    assert!(rate("cron") > 0.999, "{}", rate("cron"));
}

#[test]
fn servers_forward_to_who_is_left_and_to_anyone_when_nobody_is() {
    let dns = "ttl = \"0s\"\ncache = \"none\"\nresolver = \"go-net\"";
    let one = "[[fault]]\nid = \"f\"\nat = \"60s\"\nfor = \"60s\"\npause = \"registry-0\"";
    let both = one.replace("registry-0", "registry");
    let web = "cache = \"none\"\ndeadline = \"5s\"";
    let rate = |fault: &str| success(&report(&stage(dns, web, fault), 1), "f");
    // Until three checks have failed, half of the questions wait two seconds for who stands still.
    assert!(rate(one) > 0.99, "{}", rate(one));
    assert!(rate(&both) < 0.2, "{}", rate(&both));
}

// RFC 2782.

#[test]
fn records_are_chosen_as_often_as_the_rfc_says() {
    // Of weights 0, 1, 2 and 5 the running sums are 0, 1, 3 and 8, and a number from 0 to 8 is drawn.
    let weights = [5, 0, 2, 1];
    let expected = [5.0 / 9.0, 1.0 / 9.0, 2.0 / 9.0, 1.0 / 9.0];
    let draws = 90_000_u64;
    let mut counts = [0_u64; 4];
    for word in 0..draws {
        counts[srv::choose(&weights, Draw::new(word).derive(1))] += 1;
    }
    for (count, p) in counts.into_iter().zip(expected) {
        let (mean, deviation) = (draws as f64 * p, (draws as f64 * p * (1.0 - p)).sqrt());
        assert!((count as f64 - mean).abs() < 5.0 * deviation, "{counts:?}: {mean} expected of one");
    }
}

/// All instances of the own region die at 60 s: SRV, or plain addresses of a program that holds the first.
fn failover(dns: &str) -> Report {
    report(
        &scenario(&format!(
            r#"
            title  = "two regions"
            length = "120s"
            warmup = "20s"
            [topology]
            zones = ["east", "west"]
            [registry.dns]
            backed-by.etcd = {{ lease-ttl = "10s" }}
            {dns}
            [services.orders]
            instances = 8
            service   = "2ms"
            [clients.web]
            count    = 8
            zone     = "east"
            calls    = "orders"
            arrivals = {{ poisson = "20/s" }}
            [[fault]]
            id    = "f"
            at    = "60s"
            for   = "60s"
            crash = "orders:in(zone:east)"
            "#
        )),
        1,
    )
}

#[test]
fn by_srv_a_client_fails_once_for_each_dead_address_and_by_plain_dns_for_as_long_as_it_holds_one() {
    let srv = failover("records = \"srv\"\npriority = \"own-zone\"\navoid = \"1h\"");
    // Eight clients, four dead addresses: what was in flight besides is little.
    assert!((32..=45).contains(&srv.requests.failed), "{} failed", srv.requests.failed);
    let plain = failover("ttl = \"30s\"\nresolver = \"jvm\"");
    assert!(plain.recovery.reroute_s.expect("some are misrouted") > 25.0);
    assert!(plain.requests.failed > 20 * srv.requests.failed, "{} failed", plain.requests.failed);
    assert_eq!(srv.requests.cross_zone > 0, plain.requests.cross_zone > 0);
}

// The language.

#[test]
fn mistakes_are_told_with_a_remedy() {
    let says = |dns: &str, rest: &str, what: &str| {
        let said = refused(dns, rest);
        assert!(said.contains(what), "{dns} {rest}: {said}");
    };
    says("priority = \"own-zone\"", "", "write records = \"srv\"");
    says("ttl = \"1500ms\"", "", "whole seconds");
    says("backed-by = \"dns\"", "", "there is no backed-by `dns`");
    says("resolver = \"java\"", "", "jvm");
    says(
        "",
        "[clients.dns]\ncount = 1\ncalls = \"orders\"\narrivals = { poisson = \"1/s\" }",
        "`dns` cannot be the name of a client group",
    );
    says(ETCD, "[[fault]]\nat = \"30s\"\nfor = \"1s\"\ndns = { stale = { age = \"20m\" } }", "the limit is");
    says("", "[[fault]]\nat = \"30s\"\nfor = \"1s\"\ndns = \"stale\"", "a zone file never changes");
    says(
        "",
        "[[fault]]\nat = \"30s\"\nfor = \"1s\"\nregistry = \"watch-stall\"",
        "`watch-stall` has no meaning for dns",
    );
    let text = text(ETCD, "", "[[fault]]\nat = \"30s\"\nfor = \"1s\"\ndns = \"timeout\"");
    let of_etcd = text.replace("[registry.dns]", "[registry.etcd]").replace(ETCD, "");
    let said =
        schism_scenario::load("test.toml", of_etcd, &[]).expect_err("etcd has no DNS servers").to_string();
    assert!(said.contains("choose registry.dns"), "{said}");
}

#[test]
fn each_resolver_can_be_written_down_and_read_again() {
    for resolver in ["grpc-go", "jvm", "glibc", "go-net", "envoy-strict", "envoy-logical"] {
        let dns = format!("{ETCD}\nmembers = 5\nserve-stale = \"1h\"\nresolver = \"{resolver}\"");
        let scenario = stage(&dns, "", "");
        let text = scenario.to_toml();
        let again = schism_scenario::load("again.toml", &text, &[]);
        let again = again.unwrap_or_else(|errors| panic!("{errors}\n{text}")).scenario;
        assert_eq!(again.digest, scenario.digest, "{text}");
        assert_eq!(again.members.len(), 5);
    }
}
