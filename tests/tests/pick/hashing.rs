//! Vectors of the hashing balancers: rings, tables, buckets and scores, and how keys move.

use std::collections::BTreeMap;

use schism_tests::picks::{answer, items, named, outcome, picked, places, plain, text, vectors, whole};
use serde_json::{Value, json};

/// A key is hashed as its digest says, or the two would part on so many entries.
pub(crate) fn hashes(vectors: &Value) {
    let article =
        |hash: &str| json!({ "ring-hash": { "flavour": "article", "hash": hash, "virtual-nodes": 500 } });
    let columns = [
        ("xxh64_0", json!("jump")),
        ("xxh64_0", json!({ "ring-hash": { "min-ring-size": 10_000 } })),
        ("murmur3_x64_128_low64", article("murmur3")),
        ("fnv1a64", article("fnv1a")),
        ("crc32", article("crc32")),
    ];
    for (column, balancer) in columns {
        for row in items(&vectors["rows"]) {
            let ops = [("key", row["input"].clone()), ("hash", row[column].clone())];
            let ops: Vec<Value> = ops.map(|(by, what)| json!({ "pick": { by: what } })).into();
            let picked = picked(&json!({ "balancer": balancer, "endpoints": plain(200), "ops": ops }));
            assert_eq!(picked[0], picked[1], "{column} of {}", row["input"]);
        }
    }
}

/// The picks of a list of hashes, with who is expected.
fn check(balancer: &Value, endpoints: &Value, rows: &Value) {
    let rows: Vec<&[Value]> = items(rows).iter().map(items).collect();
    let ops: Value = rows.iter().map(|row| json!({ "pick": { "hash": row[0] } })).collect();
    let picked = picked(&json!({ "balancer": balancer, "endpoints": endpoints, "ops": ops }));
    let expected: Vec<&str> = rows.iter().map(|row| text(&row[1])).collect();
    assert_eq!(picked, expected);
}

/// The slots that HAProxy gives to its servers, with so many requests served in all.
pub(crate) fn haproxys_slots(vectors: &Value) {
    for row in items(&vectors["slots"]) {
        let factor = format!("{}%", row["factor"]);
        let server = |(number, weight): (usize, &Value)| {
            let active = if number == 0 { row["served_total"].clone() } else { json!(0) };
            json!({ "name": format!("s{number}"), "weight": weight, "active": active })
        };
        let endpoints: Value = items(&row["weights"]).iter().enumerate().map(server).collect();
        let balancer = json!({ "ring-hash": { "flavour": "haproxy", "bounded-load": factor } });
        let state = &answer(&json!({ "balancer": balancer, "endpoints": endpoints }))["state"];
        let slots: Value = (0..items(&row["slots"]).len())
            .map(|number| state["slots"][format!("s{number}")].clone())
            .collect();
        assert_eq!(slots, row["slots"], "{row}");
    }
}

/// The ring that a balancer shows, with its numbers as they are written.
fn ring(state: &Value) -> Vec<(String, String)> {
    let entry = |entry: &Value| (entry[0].to_string(), text(&entry[1]).to_owned());
    items(&state["ring"]).iter().map(entry).collect()
}

fn expected_ring(rows: &Value) -> Vec<(String, String)> {
    items(rows).iter().map(|row| (text(&row[0]).to_owned(), text(&row[1]).to_owned())).collect()
}

fn weighted(hosts: &Value) -> Value {
    items(hosts).iter().map(|host| json!({ "name": host[0], "weight": host[1] })).collect()
}

pub(crate) fn envoy_rings(vectors: &Value) {
    let cases = items(&vectors["cases"]).iter().filter(|case| !case["hosts"].is_null());
    for case in cases {
        let mut options = json!({ "min-ring-size": case["min_ring"] });
        if !case["max_ring"].is_null() {
            options["max-ring-size"] = case["max_ring"].clone();
        }
        let (balancer, endpoints) = (json!({ "ring-hash": options }), weighted(&case["hosts"]));
        let state = &answer(&json!({ "balancer": balancer, "endpoints": endpoints }))["state"];
        for (shown, expected) in
            [("size", "ring_size"), ("fewest-entries", "min_per_host"), ("most-entries", "max_per_host")]
        {
            assert!(case[expected].is_null() || state[shown] == case[expected], "{}", case["name"]);
        }
        if !case["ring"].is_null() {
            assert_eq!(ring(state), expected_ring(&case["ring"]), "{}", case["name"]);
        }
        if !case["picks"].is_null() {
            check(&balancer, &endpoints, &case["picks"]);
        }
        if !case["histogram_probe"].is_null() {
            let step = u64::MAX / whole(&case["ring_size"]);
            let ops: Value =
                (0..whole(&case["ring_size"])).map(|at| json!({ "pick": { "hash": at * step } })).collect();
            let script = json!({ "balancer": balancer, "endpoints": endpoints, "ops": ops });
            assert_eq!(answer(&script)["histogram"], case["histogram"], "{}", case["name"]);
        }
    }
    retries(&vectors["cases"][0]);
}

/// A later attempt goes so many entries on.
fn retries(case: &Value) {
    let attempts = [0, 1, 2, 13];
    let hash = &case["retry_picks"]["hash"];
    let ops: Value =
        attempts.iter().map(|attempt| json!({ "pick": { "hash": hash, "attempt": attempt } })).collect();
    let balancer = json!({ "ring-hash": { "min-ring-size": case["min_ring"] } });
    let picked = picked(&json!({ "balancer": balancer, "endpoints": weighted(&case["hosts"]), "ops": ops }));
    for (attempt, picked) in attempts.iter().zip(picked) {
        assert_eq!(picked, text(&case["retry_picks"][format!("attempt{attempt}")]), "attempt {attempt}");
    }
}

pub(crate) fn grpc_rings(vectors: &Value) {
    let weights = [("a", 3), ("b", 3), ("c", 4)];
    let endpoints: Value =
        weights.iter().map(|(name, weight)| json!({ "name": name, "weight": weight })).collect();
    let sized = |min: &Value, max: &Value| {
        let options = json!({ "flavour": "grpc", "min-ring-size": min, "max-ring-size": max });
        json!({ "ring-hash": options })
    };
    let balancer = sized(&json!(10), &json!(20));
    let state = &answer(&json!({ "balancer": balancer, "endpoints": endpoints }))["state"];
    assert_eq!(ring(state), expected_ring(&vectors["ring_3_3_4_min10_max20"]));
    for size in items(&vectors["sizes"]) {
        let balancer = sized(&size["min"], &size["max"]);
        let state = &answer(&json!({ "balancer": balancer, "endpoints": endpoints }))["state"];
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        ring(state).into_iter().for_each(|(_, name)| *counts.entry(name).or_default() += 1);
        assert_eq!(state["size"], size["size"]);
        assert_eq!(json!(counts), json!(sorted(&size["counts"])), "{size}");
    }
    for (key, row) in vectors["request_hashes"].as_object().expect("rows by key") {
        let ops = json!([{ "pick": { "key": key } }, { "pick": { "hash": row["xxh64"] } }]);
        let picked = picked(&json!({ "balancer": balancer, "endpoints": endpoints, "ops": ops }));
        assert_eq!(picked, [text(&row["pick"]), text(&row["pick"])]);
    }
}

fn sorted(counts: &Value) -> BTreeMap<String, u64> {
    let counts = counts.as_object().expect("counts by name");
    counts.iter().map(|(name, count)| (name.clone(), whole(count))).collect()
}

pub(crate) fn maglev(vectors: &Value) {
    let weights = |case: &Value| match text(&case["input"]) {
        "weights 1,2; min entries 6 max 11" => vec![1, 2],
        _ => vec![1; items(&case["hosts"]).len()],
    };
    for case in items(&vectors["cases"]).iter().filter(|case| !text(&case["name"]).starts_with("Locality")) {
        let hosts = items(&case["hosts"]).iter().zip(weights(case));
        let endpoints: Value =
            hosts.map(|(name, weight)| json!({ "name": name, "weight": weight })).collect();
        let table = table(&endpoints, whole(&case["table_size"]));
        let expected: Vec<&str> = items(&case["table_host_index"])
            .iter()
            .map(|at| text(&case["hosts"][whole(at) as usize]))
            .collect();
        assert_eq!(table, expected, "{}", case["name"]);
    }
    for case in items(&vectors["computed_large"]) {
        let hosts: Vec<String> = (0..whole(&case["n"])).map(|at| format!("10.0.0.{at}:8080")).collect();
        let size = whole(&case["table_size"]);
        let all = table(&named(hosts.iter().map(String::as_str)), size);
        let first: Vec<&str> =
            items(&case["first_20_host_index"]).iter().map(|at| &*hosts[whole(at) as usize]).collect();
        assert_eq!(all[..20], first);
        let fewer = table(&named(hosts[..hosts.len() - 1].iter().map(String::as_str)), size);
        let changed = all.iter().zip(&fewer).filter(|(before, after)| before != after).count() as u64;
        assert_eq!(changed, whole(&case["remove_last_host"]["entries_changed"]));
    }
}

fn table(endpoints: &Value, size: u64) -> Vec<String> {
    let script = json!({ "balancer": { "maglev": { "table-size": size } }, "endpoints": endpoints });
    items(&answer(&script)["state"]["table"]).iter().map(|name| text(name).to_owned()).collect()
}

/// With all but two overloaded, the first of them in the shuffle of the hash takes it.
pub(crate) fn bounded_loads(vectors: &Value) {
    let balancer = json!({ "ring-hash": { "min-ring-size": 5, "bounded-load": "125%" } });
    for (hash, order) in vectors["shuffle5_by_seed"].as_object().expect("shuffles by seed") {
        let ops = json!([{ "pick": { "hash": hash } }]);
        let home = places(&json!({ "balancer": balancer, "endpoints": plain(5), "ops": ops }))[0];
        let order: Vec<u64> = items(order).iter().map(whole).filter(|&place| place != home).collect();
        for (first, one) in order.iter().enumerate() {
            for other in &order[first + 1..] {
                let active = |place: u64| if [*one, *other].contains(&place) { 0 } else { 1_000 };
                let endpoints: Value = (0..5)
                    .map(|place| json!({ "name": place.to_string(), "active": active(place) }))
                    .collect();
                let script = json!({ "balancer": balancer, "endpoints": endpoints, "ops": ops });
                assert_eq!(places(&script), [*one], "hash {hash}, free are {one} and {other}");
            }
        }
    }
}

pub(crate) fn jump(vectors: &Value) {
    let bucket = |by: &str, what: &Value, count: usize| {
        let ops = json!([{ "pick": { by: what } }]);
        places(&json!({ "balancer": "jump", "endpoints": plain(count), "ops": ops }))[0]
    };
    for (key, buckets) in vectors["by_key_buckets_1_to_m"].as_object().expect("buckets by key") {
        for (count, expected) in items(buckets).iter().enumerate() {
            assert_eq!(bucket("hash", &json!(key), count + 1), whole(expected), "{key}");
        }
    }
    for spot in items(&vectors["spot"]) {
        assert_eq!(bucket("hash", &spot["key"], whole(&spot["n"]) as usize), whole(&spot["expect"]));
    }
    for row in items(&vectors["string_keys"]) {
        for (count, expected) in row["n"].as_object().expect("buckets by their number") {
            let count = count.parse().expect("how many");
            assert_eq!(bucket("key", &row["key"], count), whole(expected));
            assert_eq!(bucket("hash", &row["xxh64"], count), whole(expected));
        }
    }
}

pub(crate) fn rendezvous(rows: &Value) {
    let hosts =
        ["127.0.0.1:90", "127.0.0.1:91", "127.0.0.1:92", "127.0.0.1:93", "127.0.0.1:94", "127.0.0.1:95"];
    let picks: Value = items(&rows["envoy_picks_equal_weights"])
        .iter()
        .map(|row| json!([row["hash"], row["pick"]]))
        .collect();
    check(&json!("rendezvous"), &named(hosts), &picks);
    let weights = hosts[..3].iter().zip(1..).map(|(name, weight)| json!({ "name": name, "weight": weight }));
    let script = json!({
        "balancer": "rendezvous",
        "endpoints": weights.collect::<Value>(),
        "ops": [{ "picks": { "count": 6_000, "keys": "k{}" } }],
    });
    assert_eq!(answer(&script)["histogram"], rows["envoy_weighted_1_2_3_counts_over_xxh64_k0_k5999"]);
}

pub(crate) fn article(vectors: &Value) {
    let endpoints = weighted(&vectors["nodes"]);
    let without_b: Value =
        items(&endpoints).iter().filter(|node| node["name"] != "node-b").cloned().collect();
    for variant in items(&vectors["variants"]) {
        let hash = match text(&variant["hash"]) {
            "fnv1a64" => "fnv1a",
            "murmur3_x64_128_low64" => "murmur3",
            hash => hash,
        };
        let separator = text(&variant["vnode_format"]).trim_start_matches("{n}").trim_end_matches("{i}");
        let options = json!({ "flavour": "article", "hash": hash, "separator": separator });
        let script =
            |ops: Value| json!({ "balancer": { "ring-hash": options }, "endpoints": endpoints, "ops": ops });
        let shown = answer(&script(json!([])))["state"].clone();
        let ring = ring(&shown);
        assert_eq!(ring.len() as u64, whole(&variant["vnodes"]));
        assert_eq!(ring[..5], expected_ring(&variant["first_5"]));
        assert_eq!(
            ring.last().cloned().into_iter().collect::<Vec<_>>(),
            expected_ring(&json!([variant["last"]]))
        );
        let picks = variant["picks"].as_object().expect("picks by key");
        let ops: Value = picks.keys().map(|key| json!({ "pick": { "key": key } })).collect();
        let expected: Vec<&str> = picks.values().map(text).collect();
        assert_eq!(picked(&script(ops)), expected, "{variant}");
        let all = json!({ "picks": { "count": 20_000, "keys": "key-{}" } });
        let answer = answer(&script(json!([all, { "update": without_b }])));
        assert_eq!(sorted(&answer["histogram"]), sorted(&variant["counts_20000"]));
        let moved = &answer["moved"][0];
        assert_eq!(moved["moved"], variant["moved_when_node-b_removed"]);
        assert_eq!((&moved["went"], &moved["between_old"]), (&json!(["node-b"]), &json!(0)));
    }
}

pub(crate) fn movement(vectors: &Value) {
    // 100 entries for each host, as Envoy hashes them, are the article's ring with Envoy's separator.
    let ring = json!({ "ring-hash": { "flavour": "article", "hash": "xxh64", "virtual-nodes": 100, "separator": "_" } });
    let balancers = [("ring100", ring), ("maglev65537", json!("maglev")), ("jump", json!("jump"))];
    for (name, balancer) in balancers {
        for row in items(&vectors["rows"]).iter().filter(|row| row["alg"] == name) {
            let names: Vec<String> = (0..=whole(&row["n"])).map(|at| format!("s{at}")).collect();
            let all = named(names.iter().map(String::as_str));
            let few = named(names[..names.len() - 1].iter().map(String::as_str));
            let ops = json!([{ "picks": { "count": 20_000, "keys": "key-{}" } }, { "update": all }]);
            let outcome = outcome(&json!({ "balancer": balancer, "endpoints": few, "ops": ops }));
            let [moved] = &outcome.moved[..] else { panic!("one update") };
            assert_eq!(moved.moved as u64, whole(&row["add_one"]["moved"]), "{row}");
            assert_eq!(moved.between_old as u64, whole(&row["add_one"]["moved_between_old"]), "{row}");
            let most = outcome.histogram().iter().map(|&(_, count)| count).max().unwrap_or_default();
            let over_mean = most as f64 * whole(&row["n"]) as f64 / 20_000.0;
            assert!((over_mean - row["max_over_mean"].as_f64().expect("a ratio")).abs() < 1e-9, "{row}");
        }
    }
}

/// Both sizes of a ring that contradict each other are refused, as Envoy refuses them.
#[test]
fn a_ring_that_cannot_be_is_refused() {
    let vectors = vectors("02_envoy_ring_hash.json");
    for error in items(&vectors["errors"]) {
        let options = json!({ "min-ring-size": error["min"], "max-ring-size": error["max"] });
        let script = json!({ "balancer": { "ring-hash": options }, "endpoints": [] });
        assert!(schism_scenario::pick::Script::load("script.json", script.to_string()).is_err());
    }
}
