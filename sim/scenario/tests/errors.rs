//! Every mistake has its place and its remedy: one small change to a good scenario each, and what is said about it.

use std::fmt::Write as _;

use schism_scenario::{Override, load};

const BASE: &str = r#"title  = "A zone goes dark"
length = "180s"
warmup = "10s"

[topology]
zones = ["a", "b", "c"]

[network]
same-zone = "300us"
loss      = "0.01%"

[registry.etcd]
members   = 3
lease-ttl = "10s"

[services.orders]
instances = 6
service   = { lognormal = { p50 = "4ms", p99 = "40ms" } }
slots     = 8

[clients.web]
count    = 60
calls    = "orders"
arrivals = { poisson = "100/s" }
timeout  = "250ms"
balancer = "p2c"
cache    = { watch = { on-empty = "keep" } }

[[fault]]
id        = "cut"
at        = "40s"
for       = "35s"
partition = { split = [["zone:b"], ["rest"]] }

[[expect]]
eventually = "views-agree"
within     = "60s"

[[expect]]
metric   = "success-rate"
during   = "cut"
at-least = "99%"
"#;

/// What is changed, and into what.
type Change = (&'static str, &'static str);

/// The messages for each change, one after another.
fn check(changes: &[Change]) -> String {
    let mut out = String::new();
    for (from, to) in changes {
        assert_eq!(BASE.matches(from).count(), 1, "`{from}` is there once");
        let errors = load("zone.toml", BASE.replace(from, to), &[]).map(|loaded| loaded.warnings.to_string());
        let said = match errors {
            Ok(warnings) => format!("accepted\n{warnings}"),
            Err(errors) => errors.to_string(),
        };
        let _ = writeln!(out, "--- {} => {}\n{said}", from.escape_debug(), to.escape_debug());
    }
    out
}

#[test]
fn the_base_is_good() {
    let loaded = load("zone.toml", BASE, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
}

#[test]
fn toml_that_is_none() {
    let said = check(&[
        ("timeout  = \"250ms\"", "timeout  = 250ms"),
        ("length = \"180s\"", "length \"180s\""),
        ("warmup = \"10s\"", "length = \"10s\""),
        ("[topology]", "[topology"),
        ("\"A zone goes dark\"", "\"A zone goes dark"),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn keys_that_are_unknown_missing_or_too_many() {
    let said = check(&[
        ("timeout  =", "tiemout  ="),
        ("timeout  =", "time_out  ="),
        ("timeout  =", "frobnicate  ="),
        ("for       =", "length       ="),
        ("partition =", "partiton ="),
        ("balancer =", "retry = { max = 2 }\nbalancer ="),
        ("title  = \"A zone goes dark\"\n", ""),
        ("calls    = \"orders\"\n", ""),
        ("service   = {", "slots = 3 }\n#"),
        ("[[fault]]", "[fault]"),
        ("[clients.web]", "[[clients.web]]"),
        ("[registry.etcd]", "[registry.etdc]"),
        ("[registry.etcd]", "[registry.consul]"),
        ("[registry.etcd]", "[registry.consul]\n[registry.etcd]"),
        ("title  =", "registry = \"etcd\"\ntitle  ="),
        ("\nslots     =", "\nzone = \"a\"\nzones = [\"a\"]\nslots     ="),
        ("title  =", "compare = {}\ntitle  ="),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn values_of_the_wrong_type_or_unit() {
    let said = check(&[
        ("\"250ms\"", "250"),
        ("\"250ms\"", "0.25"),
        ("\"250ms\"", "\"250\""),
        ("\"250ms\"", "\"250 ms\""),
        ("\"250ms\"", "\"2 minutes\""),
        ("\"250ms\"", "\"fast\""),
        ("\"250ms\"", "\"-250ms\""),
        ("\"250ms\"", "-250"),
        ("\"250ms\"", "\"0s\""),
        ("\"250ms\"", "\"0.5ns\""),
        ("\"250ms\"", "\"99999999999999999999s\""),
        ("\"250ms\"", "true"),
        ("\"0.01%\"", "0.0001"),
        ("\"0.01%\"", "\"0.01\""),
        ("\"0.01%\"", "\"101%\""),
        ("\"0.01%\"", "\"-1%\""),
        ("\"100/s\"", "100"),
        ("\"100/s\"", "\"100\""),
        ("\"100/s\"", "\"100 per second\""),
        ("\"100/s\"", "\"0/s\""),
        ("{ poisson = \"100/s\" }", "\"poisson\""),
        ("{ poisson = \"100/s\" }", "{ poisson = \"100/s\", constant = \"1/s\" }"),
        ("{ poisson = \"100/s\" }", "{ burst = \"100/s\" }"),
        ("{ poisson = \"100/s\" }", "\"ramp\""),
        ("balancer = \"p2c\"", "key = { zipf = { keys = 0 } }"),
        ("balancer = \"p2c\"", "connections = { pooled = { on-timeout = \"drop\" } }"),
        ("calls    = \"orders\"", "calls    = \"registry\"\nconnections = \"pooled\""),
        ("balancer = \"p2c\"", "key = { uniform = 1000 }"),
        ("balancer = \"p2c\"", "key = { zipf = { keys = 1000001, s = 1 } }"),
        ("{ poisson = \"100/s\" }", "{ ramp = { from = \"0/s\", to = \"9/s\", over = \"3s\" } }"),
        (
            "{ poisson = \"100/s\" }",
            "{ burst = { base = \"1/s\", peak = \"9/s\", every = \"3s\", lasts = \"3s\" } }",
        ),
        ("{ poisson = \"100/s\" }", "{ diurnal = { low = \"1/s\", high = \"9/s\", period = \"999us\" } }"),
        ("{ poisson = \"100/s\" }", "{ closed = { think = \"0s\" } }"),
        ("members   = 3", "members   = \"3\""),
        ("members   = 3", "members   = 3.0"),
        ("members   = 3", "version = 3.5"),
        ("members   = 3", "version = \"3.3\""),
        ("slots     = 8", "re-register = \"yes\""),
        ("slots     = 8", "queue = \"endless\""),
        ("slots     = 8", "discipline = \"lifo\""),
        ("slots     = 8", "discipline = \"processor-sharing\""),
        ("\"p2c\"", "\"p3c\""),
        ("\"p2c\"", "\"ring-hash\""),
        ("\"p2c\"", "{ p2c = { choices = 3 } }"),
        ("\"p2c\"", "2"),
        ("{ on-empty = \"keep\" }", "{ on-empty = \"keeep\" }"),
        ("title  = \"A zone goes dark\"", "title  = 2024-01-01"),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn distributions_that_are_none() {
    let said = check(&[
        ("{ lognormal = { p50 = \"4ms\", p99 = \"40ms\" } }", "\"lognormal\""),
        ("{ lognormal = { p50 = \"4ms\", p99 = \"40ms\" } }", "5"),
        ("{ lognormal = { p50 = \"4ms\", p99 = \"40ms\" } }", "{ lognorm = { p50 = \"4ms\" } }"),
        ("p99 = \"40ms\"", "sd = \"40ms\""),
        ("p99 = \"40ms\"", "p90 = \"40ms\""),
        ("p99 = \"40ms\"", "p99 = \"1ms\""),
        ("{ lognormal = { p50 = \"4ms\", p99 = \"40ms\" } }", "{ empirical = [] }"),
        ("{ lognormal = { p50 = \"4ms\", p99 = \"40ms\" } }", "{ empirical = [\"1ms\", 2] }"),
        ("{ lognormal = { p50 = \"4ms\", p99 = \"40ms\" } }", "{ pareto = { scale = \"1ms\", shape = 0 } }"),
        ("{ lognormal = { p50 = \"4ms\", p99 = \"40ms\" } }", "{ exponential = \"0s\" }"),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn limits_that_are_named() {
    let said = check(&[
        ("members   = 3", "members   = 1000000000"),
        ("members   = 3", "members   = 0"),
        ("members   = 3", "members   = -3"),
        ("members   = 3", "members   = 99999999999999999999999999999999999999999999"),
        ("members   = 3", "members   = 9"),
        ("instances = 6", "instances = 20001"),
        ("count    = 60", "count    = 10_000_000"),
        ("count    = 60", "count    = 100_000"),
        ("\"180s\"", "\"31d\""),
        ("\"180s\"", "\"20d\""),
        ("\"100/s\"", "\"1000001/s\""),
        ("warmup = \"10s\"", "warmup = \"180s\""),
        ("slots     = 8", "weight = 0"),
        ("members   = 3", "heartbeat-interval = \"300ms\""),
        ("members   = 3", "election-timeout = \"51s\""),
        ("members   = 3", "heartbeat-interval = \"1.5ms\""),
        ("lease-ttl = \"10s\"", "lease-ttl = \"1s\""),
        ("lease-ttl = \"10s\"", "lease-ttl = \"2500ms\""),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn names_that_stand_for_nothing() {
    let said = check(&[
        ("calls    = \"orders\"", "calls    = \"order\""),
        ("calls    = \"orders\"", "calls    = \"orders\"\noperation = \"put\""),
        ("slots     = 8", "zones = [\"a\", \"d\"]"),
        ("slots     = 8", "zones = [\"a\", \"a\"]"),
        ("slots     = 8", "zones = \"a\""),
        ("zones = [\"a\", \"b\", \"c\"]", "zones = [\"a\", \"b\", \"c\", \"b\"]"),
        ("zones = [\"a\", \"b\", \"c\"]", "zones = []"),
        ("zones = [\"a\", \"b\", \"c\"]", "zones = [\"a\", \"b\", \"c d\"]"),
        (
            "zones = [\"a\", \"b\", \"c\"]",
            "zones = [\"a\", \"b\", \"c\"]\nlinks = [{ between = [\"a\", \"b\"] }]",
        ),
        (
            "zones = [\"a\", \"b\", \"c\"]",
            "zones = [\"a\", \"b\", \"c\"]\nlinks = [{ between = [\"a\", \"x\"] }]",
        ),
        (
            "zones = [\"a\", \"b\", \"c\"]",
            "zones = [\"a\", \"b\", \"c\"]\nlinks = [{ between = [\"a\", \"a\"] }]",
        ),
        ("[clients.web]", "[clients.orders]"),
        ("[clients.web]", "[clients.registry]"),
        ("[clients.web]", "[clients.orders-1]"),
        ("[clients.web]", "[clients.\"web shop\"]"),
        ("\"zone:b\"", "\"zone:d\""),
        ("\"zone:b\"", "\"odrers\""),
        ("\"zone:b\"", "\"odrers-3\""),
        ("\"zone:b\"", "\"orders-6\""),
        ("\"zone:b\"", "\"orders:leader\""),
        ("\"zone:b\"", "\"orders:pick(9)\""),
        ("\"zone:b\"", "\"orders:pikc(2)\""),
        ("\"zone:b\"", "\"orders:pick(two)\""),
        ("\"zone:b\"", "\"orders:0%\""),
        ("\"zone:b\"", "\"orders:in(zone:d)\""),
        ("\"zone:b\"", "\"orders-1:one\""),
        ("\"zone:b\"", "\"zone:b:one\""),
        ("\"zone:b\"", "\"zone b\""),
        ("\"zone:b\"", "\"rest\""),
        ("\"rest\"", "\"orders\""),
        ("[\"rest\"]", "[]"),
        ("[[\"zone:b\"], [\"rest\"]]", "[[\"zone:b\"]]"),
        ("[[\"zone:b\"], [\"rest\"]]", "[\"zone:b\", \"rest\"]"),
        ("[[\"zone:b\"], [\"rest\"]]", "[[\"zone:a\", \"zone:b\", \"zone:c\"], [\"rest\"]]"),
        ("split = [[\"zone:b\"], [\"rest\"]]", "isolate = \"rest\""),
        ("split = [[\"zone:b\"], [\"rest\"]]", "one-way = \"zone:b\""),
        ("split = [[\"zone:b\"], [\"rest\"]]", "zone-cut = [\"a\", \"d\"]"),
        ("split = [[\"zone:b\"], [\"rest\"]]", "halves = true"),
        ("split = [[\"zone:b\"], [\"rest\"]]", "halves = \"orders-1\""),
        ("split = [[\"zone:b\"], [\"rest\"]]", "majority-minority = { of = [\"orders-0\", \"orders-1\"] }"),
        ("split = [[\"zone:b\"], [\"rest\"]]", "majority-minority = { leeder = \"minority\" }"),
        ("split = [[\"zone:b\"], [\"rest\"]]", "bridge = true"),
        ("split = [[\"zone:b\"], [\"rest\"]]", "star = { of = \"orders\" }"),
        ("split = [[\"zone:b\"], [\"rest\"]]", "mesh = [[\"orders\"]]"),
        ("split = [[\"zone:b\"], [\"rest\"]]", "plane-cut = \"controll\""),
        ("split = [[\"zone:b\"], [\"rest\"]]", "hlaves = \"registry\""),
        ("split = [[\"zone:b\"], [\"rest\"]]", "split = [[\"zone:b\"], [\"orders\"]]"),
        ("split = [[\"zone:b\"], [\"rest\"]]", "majorities-ring = \"registry\", direction = \"forward\""),
        ("split = [[\"zone:b\"], [\"rest\"]]", "mode = \"reject\""),
        ("split = [[\"zone:b\"], [\"rest\"]]", "one-way = \"zone:b->zone:a\", direction = \"both\""),
        ("[registry.etcd]\nmembers   = 3\nlease-ttl = \"10s\"", "[registry.static]\nmembers = 3"),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn loads_that_cannot_be() {
    const PARTITION: &str = "partition = { split = [[\"zone:b\"], [\"rest\"]] }\n";
    let said = check(&[
        (PARTITION, "load = \"web\"\n"),
        (PARTITION, "load = {}\n"),
        (PARTITION, "load = { burst = { target = \"web\" } }\n"),
        (PARTITION, "load = { burst = { target = \"web\", factor = 0.5 } }\n"),
        (PARTITION, "load = { burst = { target = \"web\", factor = \"5\" } }\n"),
        (PARTITION, "load = { burst = { target = \"web\", factor = 1000001 } }\n"),
        (PARTITION, "load = { burst = { target = \"web\", factor = 900000 } }\n"),
        (PARTITION, "load = { burst = { target = \"orders\", factor = 5 } }\n"),
        (PARTITION, "load = { herd = { target = \"web\", of = \"cats\" } }\n"),
        (PARTITION, "load = { hot-key = { target = \"web\", share = 0.5 } }\n"),
        (
            PARTITION,
            "load = { burst = { target = \"web\", factor = 5 }, cold-cache = { target = \"web\" } }\n",
        ),
        (
            "for       = \"35s\"\npartition = { split = [[\"zone:b\"], [\"rest\"]] }\n",
            "load = { ramp = { target = \"web\", factor = 2 } }\n",
        ),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn faults_at_odds_with_themselves() {
    let said = check(&[
        ("at        = \"40s\"\n", ""),
        ("at        = \"40s\"", "at        = \"40s\"\nbetween   = [\"1s\", \"2s\"]"),
        ("at        = \"40s\"", "between   = [\"30s\", \"10s\"]"),
        ("at        = \"40s\"", "between   = [\"30s\"]"),
        ("at        = \"40s\"", "at        = \"180s\""),
        ("at        = \"40s\"", "when      = \"cut.heals\""),
        ("for       = \"35s\"", "for       = \"35s\"\nuntil     = \"80s\""),
        ("for       = \"35s\"", "until     = \"35s\""),
        ("for       = \"35s\"", "for       = \"35s\"\ncrash     = \"orders\""),
        ("partition = { split = [[\"zone:b\"], [\"rest\"]] }\n", ""),
        (
            "partition = { split = [[\"zone:b\"], [\"rest\"]] }\n",
            "limp-link = { target = \"orders\", factor = 12 }\n",
        ),
        (
            "partition = { split = [[\"zone:b\"], [\"rest\"]] }\n",
            "crash = { target = \"orders\", restart-after = \"8s\" }\n",
        ),
        ("partition = { split = [[\"zone:b\"], [\"rest\"]] }\n", "crash = { restart-after = \"8s\" }\n"),
        ("partition = { split = [[\"zone:b\"], [\"rest\"]] }\n", "pause = 3\n"),
        ("id        = \"cut\"", "id        = \"after\""),
        ("id        = \"cut\"", "id        = \"\""),
        (
            "[[expect]]\neventually",
            "[[fault]]\nid = \"cut\"\nat = \"1s\"\nfor = \"1s\"\npause = \"web\"\n[[expect]]\neventually",
        ),
    ]);
    insta::assert_snapshot!(said);
}

/// A second fault beside the base's, in place of what stands before the expectations.
fn beside(fault: &str) -> String {
    BASE.replacen("[[expect]]", &format!("{fault}\n[[expect]]"), 1)
}

/// The messages for each fault beside that of the base, one after another.
fn check_beside(faults: &[&str]) -> String {
    let mut out = String::new();
    for fault in faults {
        let said = match load("zone.toml", beside(fault), &[]) {
            Ok(loaded) => format!("accepted\n{}", loaded.warnings),
            Err(errors) => errors.to_string(),
        };
        let _ = writeln!(out, "--- {}\n{said}", fault.escape_debug());
    }
    out
}

#[test]
fn gray_failures_and_changes_that_cannot_be() {
    let kinds = [
        "slow = { target = \"orders\", factor = 0.5 }",
        "slow = { target = \"orders\", factor = 2000000 }",
        "slow = { target = \"orders\", factor = \"12\" }",
        "slow = { target = \"orders\" }",
        "slow = { target = \"registry\", factor = 2 }",
        "slow = { target = \"orders\", factor = 2, selective = \"orders\" }",
        "slow = { target = \"orders\", factor = 2, probes = \"maybe\" }",
        "error-rate = { target = \"orders\", rate = \"101%\" }",
        "error-rate = { target = \"orders\", rate = 0.3 }",
        "partial-capacity = { target = \"orders\", share = \"0%\" }",
        "noisy-neighbour = { target = \"orders\", steal = \"100%\" }",
        "noisy-neighbour = { target = \"orders\", steal = \"60%\", on = \"1ns\", off = \"1ns\" }",
        "noisy-neighbour = { target = \"orders\", steal = \"60%\", on = \"1ms\", off = \"999us\" }",
        "leak = { target = \"orders\", per = \"1ns\", limit = 1.5, dies = true, restart-after = \"0s\" }",
        "leak = { target = \"orders\", per = \"0s\" }",
        "deploy = { target = \"web\" }",
        "deploy = { target = \"orders\", batch = 7 }",
        "deploy = { target = \"orders\", batch = 0 }",
        "deploy = { target = \"orders\", canary = 1 }",
        "deploy = { target = \"orders:pick(2)\", strategy = \"blue-green\" }",
        "config-push = { target = \"orders\" }",
        "config-push = { target = \"orders\", timeout = \"5ms\" }",
        "config-push = { target = \"web\", weight = 3 }",
        "config-push = { target = \"orders\", weight = 3, timeout = \"5ms\" }",
        "scale = { target = \"orders\", in = 6 }",
        "scale = { target = \"orders\", in = -1 }",
        "scale = { target = \"orders\", out = 1, in = 1 }",
        "scale = { target = \"orders-3\", out = 1 }",
        "scale = { target = \"orders\", out = 20000 }",
        "ip-reuse = { target = \"orders:one\", answers = \"nothing\" }",
        "one-of = [{ ip-reuse = { target = \"orders:one\" } }, { crash = \"orders:one\" }]",
    ];
    let faults = kinds.map(|kind| format!("[[fault]]\nat = \"1s\"\nfor = \"5s\"\n{kind}"));
    insta::assert_snapshot!(check_beside(&faults.each_ref().map(String::as_str)));
}

#[test]
fn faults_that_wait_for_what_never_comes() {
    let static_registry = BASE
        .replace("[registry.etcd]\nmembers   = 3\nlease-ttl = \"10s\"", "[registry.static]")
        .replace("at        = \"40s\"", "when = \"leader-changes\"");
    let mut said = check_beside(&[
        "[[fault]]\nwhen = \"cut.heals\"\nafter = \"1s\"\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = \"cot.heals\"\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = \"cut.healed\"\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = \"cut\"\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = \"leader-change\"\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = 3\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nid = \"a\"\nwhen = \"a.begins\"\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nid = \"a\"\nwhen = \"b.heals\"\nfor = \"5s\"\ncrash = \"orders-0\"\n\
         [[fault]]\nid = \"b\"\nwhen = \"a.heals\"\nfor = \"5s\"\ncrash = \"orders-1\"\n\
         [[fault]]\nid = \"c\"\nwhen = \"b.begins\"\nfor = \"5s\"\ncrash = \"orders-2\"",
        "[[fault]]\nid = \"a\"\nat = \"1s\"\ncrash = \"orders-0\"\n\
         [[fault]]\nwhen = \"a.heals\"\nfor = \"5s\"\ncrash = \"orders-1\"",
        "[[fault]]\nat = \"1s\"\nafter = \"1s\"\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nat = \"1s\"\nwhen = \"cut.heals\"\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = \"cut.heals\"\nafter = [\"3s\", \"1s\"]\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = \"cut.heals\"\nafter = \"110s\"\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = \"cut.heals\"\nuntil = \"70s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = \"leader-changes\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = \"cut.heals\"\nafter = \"3s\"\nfor = \"60s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = \"success-rate-during-cut.fails\"\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = \"succes-rate-during-cut.fails\"\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = \"eventually-views-agree.fails\"\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = { metric = \"converge\", above = \"3s\" }\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = { metric = \"goodput\" }\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = { below = \"90%\" }\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = { metric = \"success-rate\", below = 90 }\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nwhen = { metric = \"success-rate\", below = \"90%\", over = \"5ms\" }\nfor = \"5s\"\ncrash = \"orders-0\"",
        "[[fault]]\nid = \"leader-changes\"\nat = \"1s\"\nfor = \"5s\"\ncrash = \"orders-0\"",
    ]);
    let _ = writeln!(said, "--- a static registry\n{}", load("zone.toml", static_registry, &[]).unwrap_err());
    insta::assert_snapshot!(said);
}

#[test]
fn faults_that_repeat_follow_or_choose_wrongly() {
    let said = check_beside(&[
        "[[fault]]\nat = \"1s\"\nfor = \"1s\"\nrepeat = { every = \"20s\", times = 3, jitter = \"2s\" }\npause = \"orders-0\"",
        "[[fault]]\nat = \"1s\"\nfor = \"1s\"\nrepeat = { every = \"60s\", times = 5 }\npause = \"orders-0\"",
        "[[fault]]\nat = \"1s\"\nfor = \"1s\"\nrepeat = { every = \"2s\", times = 5, jitter = \"2s\" }\npause = \"orders-0\"",
        "[[fault]]\nat = \"1s\"\nfor = \"1s\"\nrepeat = { every = \"2s\" }\npause = \"orders-0\"",
        "[[fault]]\nat = \"1s\"\nfor = \"1s\"\nrepeat = { every = \"1ms\", times = 100001 }\npause = \"orders-0\"",
        "[[fault]]\nat = \"1s\"\nfor = \"1s\"\nrepeat = 3\npause = \"orders-0\"",
        "[[fault]]\nid = \"cut-2\"\nat = \"1s\"\nfor = \"1s\"\npause = \"orders-0\"\n\
         [[fault]]\nid = \"late\"\nat = \"1s\"\nfor = \"1s\"\nrepeat = { every = \"2s\", times = 2 }\npause = \"orders-1\"\n\
         [[fault]]\nid = \"late-2\"\nat = \"9s\"\nfor = \"1s\"\npause = \"orders-0\"",
        "[[fault]]\nat = \"1s\"\nsequence = []",
        "[[fault]]\nat = \"1s\"\nfor = \"1s\"\nsequence = [{ pause = \"orders-0\", for = \"1s\" }]",
        "[[fault]]\nat = \"1s\"\nsequence = [{ pause = \"orders-0\" }, { crash = \"orders-0\", for = \"1s\" }]",
        "[[fault]]\nat = \"1s\"\nsequence = [{ pause = \"orders-0\", for = \"1s\", then = \"1s\" }]",
        "[[fault]]\nat = \"1s\"\nsequence = [{ for = \"1s\" }]",
        "[[fault]]\nat = \"1s\"\nsequence = [{ pause = \"orders-0\", for = \"1s\" }, { crash = \"ordres-0\", for = \"1s\" }]",
        "[[fault]]\nat = \"1s\"\nsequence = [{ pause = \"orders-0\", for = \"1s\" }]\ncrash = \"orders-0\"",
        "[[fault]]\nat = \"1s\"\nfor = \"1s\"\none-of = []",
        "[[fault]]\nat = \"1s\"\nfor = \"1s\"\none-of = \"crash\"",
        "[[fault]]\nat = \"1s\"\nfor = \"1s\"\none-of = [{ crash = \"orders-0\" }, { pasue = \"orders-0\" }]",
        "[[fault]]\nat = \"1s\"\nfor = \"1s\"\none-of = [{ crash = \"orders-9\" }, { pause = \"orders-0\" }]",
        "[[fault]]\nat = \"1s\"\nfor = \"1s\"\none-of = [{ crash = { target = \"orders-0\", restart-after = \"1s\" } }]",
        "[[fault]]\nat = \"1s\"\nfor = \"1s\"\none-of = [{ one-of = [{ crash = \"orders-0\" }] }]",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn ends_that_are_seldom_meant() {
    insta::assert_snapshot!(check_beside(&[
        "[[fault]]\nat = \"12s\"\nfor = \"0s\"\ncrash = \"orders-1\"",
        "[[fault]]\nat = \"12s\"\nuntil = \"12s\"\ncrash = \"orders-1\"",
        "[[fault]]\nat = \"12s\"\ncrash = { target = \"orders-1\", restart-after = \"0s\" }",
        "[[fault]]\nat = \"12s\"\nfor = \"0s\"\nmay-miss = true\ncrash = \"orders-1\"",
        // A zone of 23 nodes comes back in six waves, the last of them 50 s after the end.
        "[[fault]]\nid = \"dark\"\nat = \"90s\"\nfor = \"50s\"\nzone-outage = { zone = \"a\", recovery = { waves = { size = 4 } } }",
        "[[fault]]\nid = \"dark\"\nat = \"10s\"\nfor = \"50s\"\nzone-outage = { zone = \"a\", recovery = { waves = { size = 4 } } }\n\
         [[fault]]\nwhen = \"dark.heals\"\nafter = \"80s\"\nfor = \"1s\"\ncrash = \"orders-0\"",
        "[[fault]]\nat = \"90s\"\nfor = \"80s\"\nscale = { target = \"orders\", out = 1, drain = \"20s\" }",
        "[[fault]]\nat = \"90s\"\nfor = \"80s\"\nzombie = { target = \"orders-0\", believes = \"20s\" }",
        "[[fault]]\nat = \"90s\"\nfor = \"80s\"\nscale = { target = \"orders\", out = 0, drain = \"20s\" }",
    ]));
}

#[test]
fn faults_in_vain() {
    let crash = "[[fault]]\nid = \"a\"\nat = \"10s\"\nfor = \"20s\"\ncrash = [\"orders-0\", \"orders-1\"]\n";
    let beside_crash = |fault: &str| format!("{crash}[[fault]]\nid = \"b\"\n{fault}");
    let faults = [
        beside_crash("at = \"12s\"\nfor = \"5s\"\ncrash = \"orders-1\""),
        beside_crash("at = \"12s\"\nfor = \"5s\"\npause = \"orders-1\""),
        beside_crash("at = \"10s\"\nfor = \"20s\"\ncrash = [\"orders-1\", \"orders-0\"]"),
        beside_crash("between = [\"11s\", \"13s\"]\nfor = \"17s\"\ncrash = \"orders-0\""),
        beside_crash("when = \"a.begins\"\nafter = \"1s\"\nfor = \"1s\"\ncrash = \"orders-0\""),
        beside_crash("at = \"12s\"\nfor = \"5s\"\nslow = { target = \"orders-1\", factor = 3 }"),
        beside_crash("at = \"12s\"\nfor = \"5s\"\nstop = \"orders-1\""),
        beside_crash("at = \"12s\"\nfor = \"5s\"\nvm-stall = \"orders-1\""),
        // None of these is certain to be in vain.
        beside_crash("at = \"12s\"\nfor = \"5s\"\ncrash = { target = \"orders-1\", disk = \"lose-all\" }"),
        beside_crash("at = \"12s\"\nfor = \"5s\"\nclock = { target = \"orders-1\", skew = \"1s\" }"),
        "[[fault]]\nat = \"40s\"\nfor = \"35s\"\npause = \"orders-0\"\n\
         [[fault]]\nat = \"41s\"\nfor = \"3s\"\nvm-stall = \"orders-0\""
            .to_owned(),
        // A zombie goes on after its time: here, beyond the pause.
        "[[fault]]\nat = \"40s\"\nfor = \"5s\"\npause = \"orders-0\"\n\
         [[fault]]\nat = \"41s\"\nfor = \"3s\"\nzombie = { target = \"orders-0\", believes = \"10s\" }"
            .to_owned(),
        "[[fault]]\nat = \"40s\"\nfor = \"20s\"\npartition = { isolate = \"orders-0\" }\n\
         [[fault]]\nat = \"45s\"\nfor = \"4s\"\npartition = { isolate = \"orders-0\" }"
            .to_owned(),
        beside_crash("between = [\"11s\", \"13s\"]\nfor = \"18s\"\ncrash = \"orders-0\""),
        beside_crash("at = \"12s\"\nfor = \"5s\"\ncrash = [\"orders-1\", \"orders-2\"]"),
        beside_crash("at = \"12s\"\nfor = \"5s\"\ncrash = \"orders:one\""),
        beside_crash("at = \"12s\"\nfor = \"0s\"\nmay-miss = true\ncrash = \"orders-1\""),
        beside_crash("at = \"12s\"\nfor = \"5s\"\nmay-overlap = true\ncrash = \"orders-1\""),
        "[[fault]]\nat = \"40s\"\nfor = \"35s\"\npartition = { split = [[\"zone:b\"], [\"zone:a\", \"zone:c\"]] }\n\
         [[fault]]\nat = \"40s\"\nfor = \"35s\"\npartition = { split = [[\"zone:b\"], [\"zone:a\", \"zone:c\"]] }"
            .to_owned(),
        "[[fault]]\nid = \"p\"\nat = \"40s\"\nfor = \"35s\"\npause = \"orders\"\n\
         [[fault]]\nid = \"q\"\nat = \"41s\"\nfor = \"3s\"\ncrash = \"orders\"\n\
         [[fault]]\nid = \"r\"\nat = \"50s\"\nfor = \"3s\"\npause = \"orders\""
            .to_owned(),
    ];
    insta::assert_snapshot!(check_beside(&faults.each_ref().map(String::as_str)));
}

#[test]
fn partitions_that_cannot_be() {
    let said = check(&[
        ("[\"rest\"]] }", "[\"rest\"]], direction = \"sideways\" }"),
        ("[\"rest\"]] }", "[\"rest\"]], direction = \"forwards\" }"),
        ("[\"rest\"]] }", "[\"rest\"]], direction = \"zone:a->rest\" }"),
        ("[\"rest\"]] }", "[\"zone:c\"], [\"rest\"]], direction = \"zone:b->rest\" }"),
        ("[\"rest\"]] }", "[\"rest\"]], direction = 1 }"),
        ("[\"rest\"]] }", "[\"rest\"]], mode = \"drop\" }"),
        ("[\"rest\"]] }", "[\"rest\"]], latency = \"5ms\" }"),
        ("[\"rest\"]] }", "[\"rest\"]], mode = \"slow\", existing = \"keep\" }"),
        ("[\"rest\"]] }", "[\"rest\"]], flap = { up = \"1s\" } }"),
        ("[\"rest\"]] }", "[\"rest\"]], flap = { up = \"1s\", down = \"1us\" } }"),
        ("[\"rest\"]] }", "[\"rest\"]], flap = { up = \"1s\", down = \"1s\", count = 0 } }"),
        (
            "[\"rest\"]] }",
            "[\"rest\"]], flap = { up = \"1s\", down = \"1s\" }, swizzle = { over = \"1s\" } }",
        ),
        ("[\"rest\"]] }", "[\"rest\"]], rolling = { each = \"1s\" } }"),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn links_that_cannot_be() {
    let cut = "partition = { split = [[\"zone:b\"], [\"rest\"]] }";
    let said = check(&[
        (cut, "latency = { extra = \"50ms\" }"),
        (cut, "latency = { between = [\"zone:a\", \"zone:b\"] }"),
        (cut, "latency = { between = [\"zone:a\", \"zone:b\"], extra = 50 }"),
        (cut, "latency = { between = [\"zone:a\"], extra = \"50ms\" }"),
        (cut, "latency = { between = [\"zone:a\", \"zone:a\"], extra = \"50ms\" }"),
        (cut, "latency = { between = [\"zone:a\", \"rest\"], target = \"web\", extra = \"50ms\" }"),
        (cut, "latency = { target = \"orders\", extra = \"50ms\", traffic = [\"requests\"] }"),
        (cut, "latency = { target = \"orders\", extra = \"50ms\", traffic = [] }"),
        (cut, "latency = { target = \"orders\", extra = \"50ms\", direction = \"zone:a->zone:b\" }"),
        (cut, "loss = { target = \"orders\" }"),
        (cut, "loss = { target = \"orders\", rate = 0.05 }"),
        (cut, "loss = { target = \"orders\", rate = \"5%\", burst = { to-bad = \"1%\", to-good = \"1%\" } }"),
        (cut, "loss = { target = \"orders\", burst = { to-bad = \"1%\" } }"),
        (cut, "bandwidth = { target = \"orders\", rate = 10 }"),
        (cut, "bandwidth = { target = \"orders\", rate = \"10\" }"),
        (cut, "bandwidth = { target = \"orders\", rate = \"10Mbps\" }"),
        (cut, "bandwidth = { target = \"orders\", rate = \"10MB/s\" }"),
        (cut, "bandwidth = { target = \"orders\", rate = \"0Mbit/s\" }"),
        (cut, "bandwidth = { target = \"orders\", rate = \"1001bit/s\" }"),
        (cut, "bandwidth = { target = \"orders\", rate = \"10Mbit/s\", buffer = 256 }"),
        (cut, "bandwidth = { target = \"orders\", rate = \"10Mbit/s\", buffer = \"256K\" }"),
        (cut, "bandwidth = { target = \"orders\", rate = \"10Mbit/s\", buffer = \"1B\" }"),
        (cut, "reorder = { target = \"orders\", rate = \"10%\" }"),
        (cut, "limp-link = { rate = \"1Mbit/s\" }"),
        (cut, "connection = { }"),
        (
            cut,
            "connection = { reset = { between = [\"orders\", \"registry\"] }, half-open = { target = \"web\" } }",
        ),
        (cut, "connection = { rset = { target = \"web\" } }"),
        (cut, "connection = { connect-hang = { target = \"web\", mode = \"hold\" } }"),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn expectations_that_cannot_be() {
    let said = check(&[
        ("eventually = \"views-agree\"", "eventually = \"view-agree\""),
        ("eventually = \"views-agree\"", "eventually = \"converge\""),
        ("eventually = \"views-agree\"\nwithin     = \"60s\"", "always = \"stale-request\""),
        ("eventually = \"views-agree\"", "always = \"single-leader\""),
        ("eventually = \"views-agree\"", "always = \"single-leader\"\neventually = \"views-agree\""),
        ("within     = \"60s\"", "within     = \"110s\""),
        ("for       = \"35s\"\n", ""),
        ("for       = \"35s\"", "for       = \"120s\""),
        ("for       = \"35s\"", "for       = \"200s\""),
        ("metric   = \"success-rate\"", "metric   = \"sucess-rate\""),
        ("metric   = \"success-rate\"", "metric   = \"latency-p99\""),
        ("metric   = \"success-rate\"", "metric   = \"stale-requests\""),
        ("during   = \"cut\"", "during   = \"cot\""),
        ("during   = \"cut\"", "during   = { from = \"50s\", to = \"40s\" }"),
        ("during   = \"cut\"", "during   = { from = \"50s\", to = \"4m\" }"),
        ("during   = \"cut\"", "during   = 3"),
        ("at-least = \"99%\"", "at-least = 0.99"),
        ("at-least = \"99%\"", "at-least = 99"),
        ("at-least = \"99%\"", "at-least = \"99%\"\nat-most = \"98%\""),
        ("at-least = \"99%\"\n", ""),
        (
            "[[fault]]\nid        = \"cut\"\nat        = \"40s\"",
            "[[expect]]\nmetric = \"dip\"\nduring = \"before\"\nat-least = \"1%\"\n[[fault]]\nid = \"cut\"\nat = \"10s\"",
        ),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn overrides_that_miss() {
    let cases = [
        "clients.web.tiemout=100ms",
        "clients.wbe.timeout=100ms",
        "clients.web.timeout=100",
        "clients.web.timeout.x=1",
        "clients.web.balancer=p3c",
        "clients.web.balancer.ring-hash.x=1",
        "fault.cot.for=20s",
        "fault.cut.for=200s",
        "expect.0.within=5m",
        "registry=static",
        "registry.consul.members=3",
        "timeout",
        "clients..timeout=1s",
        "=1",
    ];
    let mut out = String::new();
    for case in cases {
        let said = match load("zone.toml", BASE, &[Override::new(case)]) {
            Ok(loaded) => format!("accepted\n{}", loaded.warnings),
            Err(errors) => errors.to_string(),
        };
        let _ = writeln!(out, "--- {case}\n{said}");
    }
    insta::assert_snapshot!(out);
}

#[test]
fn many_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = BASE
        .replace("timeout  =", "tiemout  =")
        .replace("\"zone:b\"", "\"zone:d\"")
        .replace("\"0.01%\"", "0.01")
        .replace("\"orders\"", "\"order\"");
    let errors = load("zone.toml", text, &[]).unwrap_err();
    insta::assert_snapshot!(errors);
    let lines: Vec<usize> = errors.iter().map(|error| error.line).collect();
    assert!(lines.is_sorted());
}

#[test]
fn an_error_has_a_form_for_machines_and_one_for_a_line() {
    let errors = load("zone.toml", BASE.replace("timeout  =", "tiemout  ="), &[]).unwrap_err();
    let only = errors.iter().next().unwrap();
    insta::assert_snapshot!(only, @r##"
zone.toml:25:1: unknown key `tiemout` in `clients.web`; did you mean `timeout`?
"##);
    insta::assert_snapshot!(serde_json::to_string_pretty(&errors).unwrap(), @r##"
[
  {
    "severity": "error",
    "file": "zone.toml",
    "line": 25,
    "column": 1,
    "span": {
      "start": 382,
      "end": 389
    },
    "message": "unknown key `tiemout` in `clients.web`",
    "text": "tiemout",
    "help": "did you mean `timeout`?",
    "related": []
  }
]
"##);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let errors = load("zone.toml", b"title = \"\xff\"", &[]).unwrap_err();
    insta::assert_snapshot!(errors, @r##"
error: zone.toml:1:10: not UTF-8: byte 9 is 0xff
 --> zone.toml:1:10
  |
1 | title = "�"
  |          ^
  |
  = help: save the file as UTF-8
"##);
    let errors = load("zone.toml", vec![b'#'; (4 << 20) + 1], &[]).unwrap_err();
    insta::assert_snapshot!(errors, @r##"
error: zone.toml:1:1: the file has 4194305 bytes; the limit is 4194304
 --> zone.toml:1:1
  |
1 |
  | ^
  |
  = help: is it a scenario?
"##);
}

#[test]
fn faults_take_no_more_turns_than_a_run_can_end_with() {
    let text = |on: &str| {
        let long = BASE.replace("180s", "2592000s").replace("100/s", "1/s");
        let burst = format!("noisy-neighbour = {{ target = \"orders\", steal = \"60%\", on = \"{on}\" }}");
        format!("{long}\n[[fault]]\nat = \"1s\"\nfor = \"2500000s\"\n{burst}\n")
    };
    assert!(load("zone.toml", text("200ms"), &[]).is_ok());
    let errors = load("zone.toml", text("1ms").replace(", on =", ", off = \"1ms\", on ="), &[]).unwrap_err();
    assert!(errors.to_string().contains("turns; the limit is 100000000"), "{errors}");
}

#[test]
fn a_wall_clock_that_nobody_reads_is_warned_of() {
    let said = |registry: &str, fault: &str| {
        let text = BASE.replace("members   = 3", &format!("members = 3\n{registry}"));
        let text = format!("{text}\n[[fault]]\nat = \"10s\"\nfor = \"5s\"\n{fault}\n");
        load("zone.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}")).warnings.to_string()
    };
    let jump =
        |target: &str, more: &str| format!("clock = {{ target = \"{target}\", jump = \"20s\"{more} }}");
    assert!(said("", &jump("registry", "")).contains("nothing here reads the wall clock of `registry`"));
    assert!(said("lease-clock = \"wall\"", &jump("orders", "")).contains("of `orders`"));
    assert_eq!(said("lease-clock = \"wall\"", &jump("registry:leader", "")), "");
    assert_eq!(said("", &jump("registry", ", of = \"both\"")), "");
    assert_eq!(said("", &format!("may-miss = true\n{}", jump("registry", ""))), "");
}

#[test]
fn at_most_ten_are_listed() {
    let keys: String = (0..50).map(|i| format!("key{i} = 1\n")).collect();
    let errors = load("zone.toml", keys + BASE, &[]).unwrap_err();
    assert_eq!((errors.len(), errors.left_out()), (10, 40));
    assert!(errors.to_string().ends_with("and 40 more\n"));
}

#[test]
fn faults_of_processes_clocks_disks_and_zones() {
    let faults = [
        r#"crash = { target = "orders", disk = "lose-some" }"#,
        r#"crash = { target = "orders", host = "gone" }"#,
        r#"crash-loop = { target = "orders", backoff = { base = "0s" } }"#,
        r#"crash-loop = { target = "orders", backoff = { base = "1us" } }"#,
        r#"crash-loop = { target = "orders", backoff = { base = "1m", cap = "10s" } }"#,
        r#"crash-loop = { target = "orders", backoff = { factor = 0 } }"#,
        r#"stop = { target = "orders", drain = 5 }"#,
        r#"stop = { target = "orders", deregister = "no" }"#,
        r#"start-slow = { target = "web" }"#,
        r#"start-slow = { target = "orders", factor = 0.5 }"#,
        r#"start-slow = { target = "orders", factor = "5" }"#,
        r#"start-slow = { target = "orders", factor = 2000000 }"#,
        r#"start-slow = { target = "orders", for-each = "0s" }"#,
        r#"zombie = { target = "registry" }"#,
        r#"gc = { target = "orders", every = "1us" }"#,
        r#"gc = { target = "orders", pause = 50 }"#,
        r#"clock = { target = "orders" }"#,
        r#"clock = "orders""#,
        r#"clock = { target = "orders", skew = 200 }"#,
        r#"clock = { target = "orders", skew = "200" }"#,
        r#"clock = { target = "orders", skew = "1s", of = "monotonic" }"#,
        r#"clock = { target = "orders", skew = "1s", drift = 5 }"#,
        r#"clock = { target = "orders", drift = "500ppm" }"#,
        r#"clock = { target = "orders", drift = -1000000 }"#,
        r#"clock = { target = "orders", drift = 9000001 }"#,
        r#"clock = { target = "orders", drift = 0.5 }"#,
        r#"clock = { target = "orders", jump = "-5s", of = "both" }"#,
        r#"clock = { target = "orders", jump = "-5s", of = "sundial" }"#,
        r#"clock = { target = "orders", strobe = { every = "1us" } }"#,
        r#"clock = { target = "orders", freeze = { hard = true } }"#,
        r#"clock = { target = "orders", freeze = true }"#,
        r#"clock = { target = "orders", backwards = "-5s" }"#,
        r#"clock = { target = "orders", backwards = "5s", of = "both" }"#,
        r#"disk = { target = "web", stall = {} }"#,
        r#"disk = { target = "orders", slow = 20 }"#,
        r#"disk = { target = "registry" }"#,
        r#"disk = { target = "registry", slow = "20" }"#,
        r#"disk = { target = "registry", full = {}, stall = {} }"#,
        r#"disk = { target = "registry", full = { soon = true } }"#,
        r#"zone-outage = { zone = "d" }"#,
        r#"zone-outage = "b""#,
        r#"zone-outage = {}"#,
        r#"zone-outage = { zone = "b", recovery = "slowly" }"#,
        r#"zone-outage = { zone = "b", recovery = { waves = { size = 0 } } }"#,
        r#"zone-outage = { zone = "b", recovery = { waves = { size = "0%" } } }"#,
        r#"zone-outage = { zone = "b", recovery = { waves = { every = "0s" } } }"#,
        r#"zone-brownout = { zone = "zone:d", slow = 2 }"#,
        r#"zone-brownout = { zone = "b", slow = 0 }"#,
        r#"zone-brownout = { zone = "b", loss = 0.01 }"#,
        r#"zone-brownout = { zone = "b", latency = 20 }"#,
    ];
    let faults = faults.map(|fault| format!("[[fault]]\nat = \"10s\"\nfor = \"5s\"\n{fault}"));
    insta::assert_snapshot!(check_beside(&faults.each_ref().map(String::as_str)));
}

#[test]
fn oracles_that_nothing_could_ever_show_anything() {
    let (etcd, web) = (
        "[registry.etcd]\nmembers   = 3\nlease-ttl = \"10s\"",
        "eventually = \"views-agree\"\nwithin     = \"60s\"",
    );
    insta::assert_snapshot!(check(&[
        (web, "always = \"single-holder\""),
        (web, "always = \"fenced\""),
        (web, "always = \"linearizable\""),
        (web, "never = \"false-eviction\""),
    ]));
    for (oracle, missing) in [
        ("always = \"single-leader\"", "the registry elects no leader"),
        ("never = \"lease-expiry\"", "no instance registers"),
        ("always = \"monotonic-revision\"", "not numbered in one order"),
        ("always = \"herd-cap\"", "the registry has no members"),
    ] {
        let text = BASE.replace(etcd, "[registry.static]").replace(web, oracle);
        let loaded = load("zone.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}"));
        let said = loaded.warnings.to_string();
        assert!(said.contains("has nothing to look at") && said.contains(missing), "{oracle}: {said}");
    }
}
