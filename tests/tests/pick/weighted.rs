//! Vectors of the weighted balancers: schedules, strides, turns, and those of the fewest requests.

use schism_tests::picks::{answer, busy, items, outcome, places, plain, weighing, whole, wholes};
use serde_json::{Value, json};

/// One request about nothing.
fn pick() -> Value {
    json!({ "pick": {} })
}

/// The picks of a balancer with these endpoints, where the first words are these.
fn turns(balancer: &Value, endpoints: &Value, randoms: &[u64], count: usize) -> Vec<u64> {
    let ops = json!([{ "picks": count }]);
    places(&json!({ "balancer": balancer, "endpoints": endpoints, "randoms": randoms, "ops": ops }))
}

pub(crate) fn edf(vectors: &Value) {
    let balancer = json!("weighted-round-robin");
    for row in items(&vectors["picks"]) {
        let expected = wholes(&row["expect"]);
        let endpoints = weighing(&wholes(&row["weights"]));
        assert_eq!(turns(&balancer, &endpoints, &[whole(&row["seed"])], expected.len()), expected, "{row}");
    }
    let change = &vectors["weight_change"];
    let expected = wholes(&change["expect_all_14"]);
    let first = whole(&change["picks_first"]);
    let script = json!({
        "balancer": balancer,
        "randoms": [0],
        "endpoints": weighing(&wholes(&change["weights_first"])),
        "ops": [
            { "picks": first },
            { "update": weighing(&wholes(&change["weights_then"])) },
            { "picks": expected.len() as u64 - first },
        ],
    });
    assert_eq!(places(&script), expected, "the scheduler goes on when weights change");
    let exact = &vectors["exact_counts"];
    let weights: Vec<u64> = (1..=whole(&exact["entries"])).collect();
    let picks = turns(&balancer, &weighing(&weights), &[0], whole(&exact["picks"]) as usize);
    for (place, weight) in (0..).zip(&weights) {
        assert_eq!(picks.iter().filter(|&&picked| picked == place).count() as u64, *weight, "{place}");
    }
    let unweighted = &vectors["unweighted_seed"];
    let hosts = plain(whole(&unweighted["hosts"]) as usize);
    let expected = wholes(&unweighted["expect"]);
    for balancer in ["round-robin", "weighted-round-robin"] {
        assert_eq!(
            turns(&json!(balancer), &hosts, &[whole(&unweighted["random"])], expected.len()),
            expected
        );
    }
    host_list_changes();
}

/// As the vector says in words: a third host is met when its turn comes, and the turns go on.
fn host_list_changes() {
    for balancer in ["round-robin", "weighted-round-robin"] {
        let ops = json!([{ "picks": 5 }, { "update": plain(3) }, { "picks": 4 }]);
        let script = json!({ "balancer": balancer, "endpoints": plain(2), "randoms": [0], "ops": ops });
        assert_eq!(places(&script), [0, 1, 0, 1, 0, 2, 0, 1, 2], "{balancer}");
    }
}

pub(crate) fn least_request(vectors: &Value) {
    for row in items(&vectors["random_script"]) {
        // The first word is for Envoy's choice of a priority, which one level does not need.
        let randoms = &wholes(&row["random"])[1..];
        let choices = row["choice_count"].as_u64().unwrap_or(2);
        let balancer = json!({ "least-request": { "choices": choices } });
        let endpoints = busy(&wholes(&row["hosts_active"]));
        assert_eq!(turns(&balancer, &endpoints, randoms, 1), [whole(&row["expect"])], "{row}");
        let script =
            json!({ "balancer": balancer, "endpoints": endpoints, "randoms": randoms, "ops": [pick()] });
        assert!(row["random_calls"].is_null() || outcome(&script).randoms_left == 0, "{row}");
    }
    let full = json!({ "least-request": { "full-scan": true } });
    let rows = items(&vectors["full_scan"]);
    assert_eq!(turns(&full, &busy(&wholes(&rows[0]["active"])), &[], 1), [whole(&rows[0]["expect"])]);
    let mut counts = [0; 5];
    for seed in 0..3_000 {
        let endpoints = busy(&wholes(&rows[1]["active"]));
        let script = json!({ "balancer": full, "endpoints": endpoints, "seed": seed, "ops": [pick()] });
        counts[places(&script)[0] as usize] += 1;
    }
    // A third of 3,000 has a standard deviation of 26.
    assert_eq!(counts[..2], [0, 0]);
    assert!(counts[2..].iter().all(|&count: &i32| (count - 1_000).abs() < 4 * 26), "{counts:?}");
    let weighted = &vectors["weighted"];
    let mut ops = Vec::new();
    let mut expected = Vec::new();
    for row in items(&weighted["script"]) {
        let (active, picks) = (wholes(&row["active"]), wholes(&row["picks"]));
        let hosts = wholes(&weighted["weights"]).into_iter().zip(active);
        let endpoints: Value = (0..)
            .zip(hosts)
            .map(|(at, (weight, active)): (u32, _)| {
                json!({ "name": at.to_string(), "weight": weight, "active": active })
            })
            .collect();
        ops.push(json!({ "update": endpoints }));
        // Envoy's test counts no requests by itself: each is over before the next.
        ops.extend(picks.iter().flat_map(|place| [pick(), json!({ "done": place.to_string() })]));
        expected.extend(picks);
    }
    let endpoints = weighing(&wholes(&weighted["weights"]));
    let script = json!({ "balancer": "least-request", "endpoints": endpoints, "randoms": [0], "ops": ops });
    assert_eq!(places(&script), expected, "one scheduler goes on while counts change");
}

pub(crate) fn static_stride(vectors: &Value) {
    let flavour = |name: &str| json!({ "weighted-round-robin": { "flavour": name } });
    for row in items(&vectors["sequences"]) {
        let endpoints = weighing(&wholes(&row["weights"]));
        for (name, expected, scaled) in [
            ("grpc-cpp", "cpp_first_30_from_seq0", "cpp_scaled"),
            ("grpc-go", "go_first_30_from_seq0", "go_scaled"),
        ] {
            let expected = wholes(&row[expected]);
            assert_eq!(
                turns(&flavour(name), &endpoints, &[0, 0, 0], expected.len()),
                expected,
                "{name} {row}"
            );
            let state = &answer(&json!({ "balancer": flavour(name), "endpoints": endpoints }))["state"];
            let weights = state["weights"].as_object().expect("weights by name");
            let shown: Value = weights.values().cloned().collect();
            assert_eq!(shown, row[scaled], "{name}");
        }
    }
    for row in items(&vectors["cpp_unit_tests"]) {
        let endpoints = weighing(&wholes(&row["weights"]));
        let picks = turns(&flavour("grpc-cpp"), &endpoints, &[0, 0, 0], whole(&row["picks"]) as usize);
        for (place, expected) in (0..).zip(wholes(&row["expect_counts"])) {
            assert_eq!(picks.iter().filter(|&&picked| picked == place).count() as u64, expected, "{row}");
        }
    }
    let equal = &vectors["all_equal_is_round_robin"];
    for name in ["grpc-cpp", "grpc-go"] {
        let picks = turns(&flavour(name), &weighing(&wholes(&equal["weights"])), &[0, 0, 0], 9);
        assert_eq!(picks, wholes(&equal["first_9"]), "{name}");
    }
    for row in items(&vectors["a58_weight"]["go_test_ratios"]) {
        reported(row);
    }
}

/// Endpoints report their load with replies; after the blackout they are picked in proportion.
fn reported(row: &Value) {
    let Some(ratio) = row["expect_ratio"].as_array() else { return };
    let reports: Vec<&Value> = (1..=ratio.len()).map(|at| &row[format!("srv{at}")]).collect();
    let reply = |(at, report): (usize, &&Value)| {
        let load = json!({ "qps": report[0], "utilization": report[1] });
        json!({ "reply": { "endpoint": at.to_string(), "latency": "1ms", "load": load } })
    };
    let replies = || reports.iter().enumerate().map(reply);
    let total: u64 = ratio.iter().map(whole).sum();
    // Half of the blackout is not enough: all weigh the same.
    for (wait, is_weighted) in [("5s", false), ("11s", true)] {
        let mut ops: Vec<Value> = replies().collect();
        ops.push(json!({ "advance": wait }));
        ops.extend(replies());
        ops.push(json!({ "advance": "1s" }));
        ops.push(json!({ "picks": total * 100 }));
        let script = json!({
            "balancer": { "weighted-round-robin": { "flavour": "grpc-go" } },
            "endpoints": plain(ratio.len()),
            "ops": ops,
        });
        let picks = places(&script);
        for (place, weight) in (0..).zip(ratio) {
            let count = picks.iter().filter(|&&picked| picked == place).count() as f64;
            let share =
                if is_weighted { whole(weight) as f64 / total as f64 } else { 1.0 / ratio.len() as f64 };
            let expected = share * picks.len() as f64;
            assert!(
                (count - expected).abs() <= 0.02 * picks.len() as f64,
                "{row}: {place} is picked {count} times"
            );
        }
    }
}

pub(crate) fn nginx(vectors: &Value) {
    let balancer = json!({ "weighted-round-robin": { "flavour": "nginx" } });
    for row in items(&vectors["swrr"]) {
        let endpoints = weighing(&wholes(&row["weights"]));
        let expected = wholes(&row["picks"]);
        assert_eq!(turns(&balancer, &endpoints, &[], expected.len()), expected, "{row}");
        for (picks, currents) in (1..).zip(items(&row["state_after_each"])) {
            let ops: Value = json!([{ "picks": picks }]);
            let script = json!({ "balancer": balancer, "endpoints": endpoints, "ops": ops });
            let state = &answer(&script)["state"];
            let shown: Value = items(&state["peers"]).iter().map(|peer| peer["current"].clone()).collect();
            assert_eq!(&shown, currents, "after {picks} picks of {row}");
        }
    }
    let scripts = [
        (vec![1, 1, 1], (0..9).map(|_| pick()).collect::<Vec<Value>>()),
        (vec![1, 1], vec![pick(), pick(), json!({ "done": "0" }), pick(), pick()]),
    ];
    for ((weights, ops), row) in scripts.into_iter().zip(items(&vectors["least_conn"])) {
        let script = json!({ "balancer": "least-conn", "endpoints": weighing(&weights), "ops": ops });
        assert_eq!(places(&script), wholes(&row["expect"]), "{row}");
    }
}
