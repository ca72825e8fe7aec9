//! Vectors of where a balancer looks: levels and panic, zones and their weights, subsets, slow start.

use schism_tests::picks::{answer, items, named, outcome, picked, text, weighing, whole, wholes};
use serde_json::{Value, json};

/// Endpoints of one level: so many, of which so many are healthy, degraded and excluded, in the order of the vectors.
fn level(priority: usize, row: &Value) -> Vec<Value> {
    let [all, healthy, degraded, excluded] = wholes(row)[..] else { panic!("four numbers: {row}") };
    let health = |at: u64| match at {
        at if at < healthy => "healthy",
        at if at < healthy + degraded => "degraded",
        at if at < healthy + degraded + excluded => "excluded",
        _ => "unhealthy",
    };
    let endpoint =
        |at| json!({ "name": format!("{priority}-{at}"), "priority": priority, "health": health(at) });
    (0..all).map(endpoint).collect()
}

/// What the levels are to bear, and which of them are in panic.
pub(crate) fn priority_and_panic(vectors: &Value) {
    for row in items(&vectors["rows"]) {
        let levels = items(&row["levels_hosts_healthy_degraded_excluded"]);
        let endpoints: Vec<Value> =
            levels.iter().enumerate().flat_map(|(priority, row)| level(priority, row)).collect();
        let percent = |key: &str| format!("{}%", row[key]);
        let script = json!({
            "balancer": "round-robin",
            "locality": { "priority": {
                "overprovisioning": percent("overprovisioning"),
                "panic-threshold": percent("panic_threshold"),
            } },
            "endpoints": endpoints,
        });
        let shown = answer(&script)["state"]["locality"].clone();
        // A level of nobody at the start is known by what the levels bear, and is not in panic by anyone.
        for key in ["load", "degraded_load"] {
            assert_eq!(shown[key], row[key], "{key} of {row}");
        }
        let peopled = |list: &Value| -> Vec<Value> {
            let people = levels.iter().map(|level| whole(&level[0]) > 0);
            items(list)
                .iter()
                .zip(people)
                .filter(|(_, is_peopled)| *is_peopled)
                .map(|(it, _)| it.clone())
                .collect()
        };
        assert_eq!(peopled(&shown["panic"]), peopled(&row["panic"]), "{row}");
        borne(&script, row);
    }
}

/// So many of a hundred requests in a row, one for each percent, go to each level.
fn borne(script: &Value, row: &Value) {
    let mut script = script.clone();
    // One word chooses the level; the policy that takes turns draws none. Its own first word is its start.
    script["randoms"] = std::iter::once(0).chain(0..100).collect();
    script["ops"] = json!([{ "picks": 100 }]);
    let picked = outcome(&script);
    for level in 0..items(&row["load"]).len() {
        let mine = |name: &Option<&str>| name.is_some_and(|name| name.starts_with(&format!("{level}-")));
        let load = whole(&row["load"][level]) + whole(&row["degraded_load"][level]);
        assert_eq!(picked.names().filter(mine).count() as u64, load, "level {level} of {row}");
    }
}

pub(crate) fn zone_aware(vectors: &Value) {
    let cases = items(&vectors["cases"]).iter().filter(|case| !case["local_hosts"].is_null());
    for case in cases {
        let upstream = items(&case["upstream"]);
        let zones: Vec<&str> = upstream.iter().map(|zone| text(&zone[0])).collect();
        let mut all = zones.clone();
        let locals = case["local_hosts"].as_object().expect("hosts by zone");
        all.extend(locals.keys().map(String::as_str).filter(|zone| !zones.contains(zone)));
        let endpoints: Vec<Value> = upstream
            .iter()
            .flat_map(|zone| {
                (0..whole(&zone[1]))
                    .map(|at| json!({ "name": format!("{}-{at}", text(&zone[0])), "zone": zone[0] }))
            })
            .collect();
        let rows = items(&case["draws_then_zone_index"]);
        for row in rows {
            let [first, second, expected] = wholes(row)[..] else { panic!("two draws and a zone: {row}") };
            let script = json!({
                "balancer": "round-robin",
                "locality": { "zone-aware": { "min-cluster-size": 1 } },
                "zones": all,
                "client": { "zone": case["local_zone"], "locals": locals },
                "endpoints": endpoints,
                "randoms": [0, first, second],
                "ops": [{ "pick": {} }],
            });
            let picked = picked(&script);
            let zone = picked[0].split('-').next();
            assert_eq!(zone, Some(zones[expected as usize]), "{row} of {}", case["name"]);
            let shown = answer(&script)["state"]["locality"]["routing"].clone();
            assert_eq!(shown["local_percent_to_route"], case["computed"]["local_percent_to_route"]);
        }
    }
}

pub(crate) fn locality_weighted(vectors: &Value) {
    let run = |weights: &[u64], endpoints: &Value, randoms: &[u64], count: usize| {
        let names = ["x", "y", "z"];
        let weights: Value = names
            .iter()
            .zip(weights)
            .map(|(name, weight)| (*name, *weight))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|(name, weight)| (name.to_owned(), json!(weight)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        picked(&json!({
            "balancer": "round-robin",
            "locality": { "locality-weighted": { "weights": weights, "panic-threshold": "0%" } },
            "zones": names,
            "endpoints": endpoints,
            "randoms": randoms,
            "ops": [{ "picks": count }],
        }))
    };
    let one_each = |count: usize| -> Value {
        ["x", "y", "z"][..count]
            .iter()
            .map(|zone| json!({ "name": format!("{zone}-0"), "zone": zone }))
            .collect()
    };
    for key in ["equal", "weighted", "missing_weight"] {
        let row = &vectors[key];
        let (weights, expected) = (wholes(&row["weights"]), wholes(&row["expect"]));
        let picks = run(&weights, &one_each(weights.len()), &[0; 4], expected.len());
        let zones: Vec<u64> = picks.iter().map(|name| u64::from(name.as_bytes()[0] - b'x')).collect();
        assert_eq!(zones, expected, "{key}");
    }
    for row in items(&vectors["unhealthy_failover"]) {
        let healthy = whole(&row["zoneA_healthy_of_5"]);
        let mut endpoints: Vec<Value> = (0..5)
            .map(|at| json!({ "name": format!("x-{at}"), "zone": "x", "healthy": at < healthy }))
            .collect();
        endpoints.push(json!({ "name": "y-0", "zone": "y" }));
        let picks = run(&wholes(&row["weights"]), &json!(endpoints), &[0; 4], 100);
        let in_x = picks.iter().filter(|name| name.starts_with('x')).count() as u64;
        assert_eq!(in_x, whole(&row["picks_of_100"][0]), "{row}");
    }
}

/// A host that came so long ago, beside one that is warm.
pub(crate) fn slow_start(vectors: &Value) {
    let sequence = |slow_start: Value, age: &str, row: &Value| {
        let expected = wholes(&row["expect"]);
        let script = json!({
            "balancer": "weighted-round-robin",
            "slow-start": slow_start,
            "endpoints": weighing(&[1]),
            "randoms": [0, 0],
            "ops": [
                { "advance": "1h" },
                { "update": weighing(&[1, 1]) },
                { "advance": age },
                // Weights are read again for each host when the same list comes again, as in Envoy's tests.
                { "update": weighing(&[1, 1]) },
                { "picks": expected.len() },
            ],
        });
        let picks: Vec<u64> = picked(&script).iter().map(|name| name.parse().expect("a place")).collect();
        (picks, expected)
    };
    let rows = items(&vectors["sequences"]);
    let (picks, expected) = sequence(json!({ "window": "60s", "min-weight": "35%" }), "12s", &rows[0]);
    assert_eq!(picks, expected);
    let (picks, expected) = sequence(json!({ "window": "60s", "aggression": 2.0 }), "6s", &rows[1]);
    assert_eq!(picks, expected);
}

pub(crate) fn random_subset(vectors: &Value) {
    for row in items(&vectors["a68"]) {
        let members = |endpoints: &[Value]| -> Vec<String> {
            let script = json!({
                "balancer": "round-robin",
                "subset": { "random": { "size": row["subset_size"] } },
                "endpoints": named(endpoints.iter().map(text)),
                "randoms": [row["seed"]],
                "ops": [{ "picks": 400 }],
            });
            let mut members: Vec<String> =
                outcome(&script).histogram().iter().map(|(name, _)| (*name).to_owned()).collect();
            members.sort();
            members
        };
        let sorted = |list: &Value| {
            let mut names: Vec<String> = items(list).iter().map(|name| text(name).to_owned()).collect();
            names.sort();
            names
        };
        let all = items(&row["endpoints"]);
        assert_eq!(members(all), sorted(&row["expect_order"]));
        let fewer: Vec<Value> = all.iter().filter(|name| **name != row["expect_order"][0]).cloned().collect();
        assert_eq!(members(&fewer), sorted(&row["after_removing_first_of_subset"]));
    }
}

pub(crate) fn label_subsets(vectors: &Value) {
    let hosts = vectors["hosts"].as_object().expect("labels by host");
    let endpoints: Value =
        hosts.iter().map(|(name, labels)| json!({ "name": name, "labels": labels })).collect();
    for case in items(&vectors["cases"]) {
        let script = json!({
            "balancer": "round-robin",
            "subset": { "labels": {
                "selectors": [["v", "stage"], { "keys": ["stage"], "fallback": "no-fallback" }],
                "fallback": "default-subset",
                "default": { "stage": "prod" },
            } },
            "match": case["match"],
            "endpoints": endpoints,
            "ops": [{ "picks": 100 }],
        });
        let outcome = outcome(&script);
        let used: Vec<&str> = outcome.histogram().iter().map(|(name, _)| *name).collect();
        assert_eq!(json!(used), case["hosts"], "{case}");
    }
}

/// Zones with weights on a ring: one without a weight is not on it.
pub(crate) fn rings_of_zones(vectors: &Value) {
    let cases = items(&vectors["cases"]).iter().filter(|case| !case["localities"].is_null());
    for case in cases {
        let zones = items(&case["localities"]);
        let name = |at: usize| format!("zone-{at}");
        let weights: serde_json::Map<String, Value> =
            zones.iter().enumerate().map(|(at, zone)| (name(at), zone[0].clone())).collect();
        let endpoints: Vec<Value> = zones
            .iter()
            .enumerate()
            .flat_map(|(at, zone)| {
                let host =
                    move |host: &Value| json!({ "name": host[0], "weight": host[1], "zone": name(at) });
                items(&zone[1]).iter().map(host)
            })
            .collect();
        let mut script = json!({
            "balancer": { "ring-hash": { "min-ring-size": case["min_ring"] } },
            "locality": { "locality-weighted": { "weights": weights } },
            "endpoints": endpoints,
        });
        let state = answer(&script)["state"].clone();
        assert_eq!(state["size"], case["ring_size"], "{}", case["name"]);
        assert_eq!(state["fewest-entries"], case["min_per_host"], "{}", case["name"]);
        assert_eq!(state["most-entries"], case["max_per_host"], "{}", case["name"]);
        if !case["histogram_probe"].is_null() {
            let step = u64::MAX / 9_000;
            script["ops"] = (0..9_000).map(|at| json!({ "pick": { "hash": at * step } })).collect();
            let outcome = outcome(&script);
            for (name, count) in outcome.histogram() {
                assert_eq!(json!(count), case["histogram"][name], "{name} of {}", case["name"]);
            }
        }
    }
}
