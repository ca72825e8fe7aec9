//! Faults that wait, repeat, follow and choose: when they begin, whom they strike, and that nobody else notices.

use schism_core::Seed;
use schism_models::nemesis::Foresight;
use schism_runner::report::{Fault, Report};
use schism_scenario::Scenario;
use schism_tests::runs::{for_seeds, report, scenario};

const STAGE: &str = r#"
    title  = "A stage for faults"
    length = "60s"
    warmup = "5s"
    [topology]
    zones = ["a", "b", "c"]
    [registry.etcd]
    members   = 3
    lease-ttl = "5s"
    [services.orders]
    instances = 8
    service   = "2ms"
    [clients.web]
    count    = 3
    calls    = "orders"
    arrivals = { poisson = "20/s" }
    timeout  = "100ms"
"#;

fn stage(faults: &str) -> Scenario {
    scenario(&format!("{STAGE}{faults}"))
}

fn fault<'r>(report: &'r Report, id: &str) -> &'r Fault {
    let found = report.faults.iter().find(|fault| fault.id == id);
    found.unwrap_or_else(|| panic!("`{id}` has begun: {:?}", report.faults))
}

const CRASH: &str = "[[fault]]\nid = \"crash\"\nat = \"20s\"\nfor = \"10s\"\ncrash = \"registry:leader\"\n";

#[test]
fn a_fault_begins_when_what_it_waits_for_has_happened_and_its_time_is_over() {
    let waits = "[[fault]]\nid = \"waits\"\nwhen = \"crash.heals\"\nafter = \"1500ms\"\nfor = \"1s\"\npause = \"orders-0\"\n";
    let run = report(&stage(&format!("{waits}{CRASH}")), 1);
    assert_eq!((fault(&run, "waits").from_s, fault(&run, "waits").to_s), (31.5, Some(32.5)));
    let at_once = waits.replace("after = \"1500ms\"\n", "").replace("heals", "begins");
    assert_eq!(
        fault(&report(&stage(&format!("{at_once}{CRASH}")), 1), "waits").from_s.to_bits(),
        20f64.to_bits()
    );
}

#[test]
fn a_drawn_wait_is_within_its_bounds_and_the_faults_own() {
    let waits = "[[fault]]\nid = \"waits\"\nwhen = \"crash.begins\"\nafter = [\"1s\", \"3s\"]\nfor = \"1s\"\npause = \"orders-0\"\n";
    let other =
        "[[fault]]\nid = \"other\"\nbetween = [\"2s\", \"4s\"]\nfor = \"1s\"\npause = \"orders:pick(3)\"\n";
    let (alone, beside) = (stage(&format!("{CRASH}{waits}")), stage(&format!("{other}{CRASH}{waits}")));
    for from_s in for_seeds(8, |seed| {
        let [alone, beside] =
            [&alone, &beside].map(|scenario| fault(&report(scenario, seed), "waits").from_s);
        assert_eq!(alone.to_bits(), beside.to_bits(), "seed {seed}");
        alone
    }) {
        assert!((21.0..=23.0).contains(&from_s), "{from_s}");
    }
}

#[test]
fn a_change_of_leader_and_an_expired_lease_are_heard_at_the_moment_they_happen() {
    let waits = "[[fault]]\nid = \"led\"\nwhen = \"leader-changes\"\nfor = \"8s\"\ncrash = \"orders-0\"\n\
                 [[fault]]\nid = \"expired\"\nwhen = \"lease-expires\"\nfor = \"1s\"\npause = \"orders-1\"\n";
    let run = report(&stage(&format!("{CRASH}{waits}")), 3);
    let led = fault(&run, "led").from_s;
    let failover = run.recovery.failover_s.expect("another member leads");
    assert!((led - 20.0 - failover).abs() < 1e-9, "{led} and {failover}");
    let gone =
        run.leases.iter().filter_map(|lease| lease.removed_s).reduce(f64::min).expect("a lease expires");
    assert_eq!(fault(&run, "expired").from_s.to_bits(), gone.to_bits());
}

#[test]
fn a_fault_that_never_begins_leaves_no_trace() {
    let never = [
        "when = { metric = \"success-rate\", below = \"1%\", over = \"300ms\" }",
        "when = { metric = \"latency-p99\", above = \"59s\" }",
        "when = { metric = \"stale-requests\", above = 100000, over = \"2s\" }",
    ];
    let late = "[[fault]]\nid = \"late\"\nat = \"50s\"\nfor = \"1s\"\npause = \"orders-3\"\n";
    let none = report(&stage(&format!("{CRASH}{late}")), 5).digest;
    for when in never {
        let waits =
            format!("[[fault]]\nid = \"waits\"\n{when}\nfor = \"1s\"\nmay-miss = true\ncrash = \"orders\"\n");
        assert_eq!(report(&stage(&format!("{CRASH}{late}{waits}")), 5).digest, none, "{when}");
    }
}

#[test]
fn a_metric_that_crosses_its_line_begins_a_fault_on_the_grid() {
    let waits = "[[fault]]\nid = \"waits\"\nwhen = { metric = \"success-rate\", below = \"80%\", over = \"2s\" }\nfor = \"1s\"\npause = \"orders-7\"\n";
    let trouble = "[[fault]]\nid = \"trouble\"\nat = \"20s\"\nfor = \"10s\"\npause = [\"orders-0\", \"orders-1\", \"orders-2\", \"orders-3\"]\n";
    let run = report(&stage(&format!("{trouble}{waits}")), 2);
    let from_s = fault(&run, "waits").from_s;
    // Half of the requests fail: two in five of the last two seconds' have not failed before 0.8 s of them have passed.
    assert!((20.4..21.6).contains(&from_s), "{from_s}");
    let ticks = from_s / 0.2;
    assert!((ticks - ticks.round()).abs() < 1e-6, "{from_s} is a tick");
}

#[test]
fn an_expectation_that_fails_begins_a_fault() {
    let fails = "[[expect]]\nid = \"serves\"\nmetric = \"success-rate\"\nat-least = \"30%\"\n\
                 [[expect]]\nid = \"strict\"\nmetric = \"success-rate\"\nat-least = \"90%\"\n\
                 [[fault]]\nid = \"waits\"\nwhen = \"strict.fails\"\nfor = \"1s\"\npause = \"orders-7\"\n\
                 [[fault]]\nid = \"never\"\nwhen = \"serves.fails\"\nfor = \"1s\"\nmay-miss = true\npause = \"orders-6\"\n\
                 [[fault]]\nat = \"20s\"\nfor = \"10s\"\npause = [\"orders-0\", \"orders-1\"]\n";
    let run = report(&stage(fails), 2);
    assert!((20.0..22.0).contains(&fault(&run, "waits").from_s));
    assert!(run.faults.iter().all(|fault| fault.id != "never"));
}

#[test]
fn what_repeats_and_what_follows_is_the_same_written_out() {
    let short = r#"
        [[fault]]
        id     = "beat"
        at     = "10s"
        for    = "1s"
        repeat = { every = "5s", times = 3, jitter = "1s" }
        pause  = "orders:one"
        [[fault]]
        id       = "row"
        when     = "beat-3.begins"
        sequence = [{ crash = "orders-1", for = "2s", then = "1s" }, { pause = "orders-2", for = "1s" }]
    "#;
    let scenario = stage(short);
    let written = self::scenario(&scenario.to_toml());
    let (short, long) = (report(&scenario, 9), report(&written, 9));
    assert_eq!((&short.digest, &short.faults), (&long.digest, &long.faults));
    let gaps: Vec<f64> = ["beat", "beat-2", "beat-3"]
        .map(|id| fault(&short, id).from_s)
        .windows(2)
        .map(|two| two[1] - two[0])
        .collect();
    assert!(gaps.iter().all(|gap| (4.0..=6.0).contains(gap)), "{gaps:?}");
    assert!((fault(&short, "row-2").from_s - fault(&short, "row").from_s - 3.0).abs() < 1e-6);
}

#[test]
fn a_step_that_lasts_no_time_holds_nobody_up_and_leaves_no_trace() {
    let with = "[[fault]]\nid = \"row\"\nat = \"10s\"\nmay-miss = true\nsequence = [{ crash = \"orders\", for = \"0s\", then = \"1s\" }, { pause = \"orders-2\", for = \"1s\" }]\n";
    let without = "[[fault]]\nid = \"row-2\"\nat = \"11s\"\nfor = \"1s\"\npause = \"orders-2\"\n";
    assert_eq!(report(&stage(with), 4).digest, report(&stage(without), 4).digest);
}

#[test]
fn the_seed_chooses_each_alternative_sometimes_and_says_which() {
    let choice = "[[fault]]\nid = \"choice\"\nat = \"10s\"\nfor = \"2s\"\none-of = [{ crash = \"orders:one\" }, { pause = \"orders:one\" }, { partition = { isolate = \"orders:one\" } }]\n";
    let scenario = stage(choice);
    let what = for_seeds(24, |seed| fault(&report(&scenario, seed), "choice").what.clone());
    for kind in ["crash of", "pause of", "partition: "] {
        assert!(
            what.iter().any(|what| what.starts_with(kind) && what.ends_with("(chosen of 3)")),
            "{kind}: {what:?}"
        );
    }
}

#[test]
fn the_plan_knows_whom_the_run_will_strike() {
    let drawn = "[[fault]]\nid = \"a\"\nat = \"10s\"\nfor = \"2s\"\ncrash = [\"orders:pick(2)\", \"web:one\"]\n\
                 [[fault]]\nid = \"b\"\nwhen = \"a.heals\"\nfor = \"2s\"\npause = [\"orders:30%\", \"registry:majority\"]\n\
                 [[fault]]\nid = \"c\"\nat = \"20s\"\nfor = \"2s\"\none-of = [{ pause = \"orders:in(zone:b)\" }, { crash = \"orders:minority\" }]\n";
    let scenario = stage(drawn);
    let nodes = scenario.members.iter().chain(&scenario.services[0].nodes).chain(&scenario.clients[0].nodes);
    let nodes: Vec<_> = nodes.collect();
    let zones: Vec<_> = nodes.iter().map(|node| node.zone).collect();
    for seed in 0..8 {
        let run = report(&scenario, seed);
        let foresight = Foresight::new(&scenario.faults, zones.clone(), Seed(seed));
        for planned in &scenario.faults {
            let Some(whom) = foresight.whom(planned) else { continue };
            let mut whom = whom.concat();
            whom.sort_unstable();
            let names: Vec<&String> = whom.iter().map(|node| &nodes[node.index()].name).collect();
            assert_eq!(
                fault(&run, &planned.id).on.iter().collect::<Vec<_>>(),
                names,
                "{} with seed {seed}",
                planned.id
            );
        }
    }
}
