//! What the steps of a script do, whatever the balancer.

use schism_models::balancer;
use schism_tests::picks::{answer, named, outcome, picked, places, plain};
use serde_json::{Value, json};

fn histogram(script: &Value) -> Value {
    answer(script)["histogram"].clone()
}

#[test]
fn a_pick_stays_in_flight_until_a_reply_or_done() {
    let full = json!({ "least-request": { "full-scan": true } });
    let script = |steps: Value| {
        let mut ops = vec![json!({ "pick": {} })];
        ops.extend(steps.as_array().expect("steps").iter().cloned());
        ops.push(json!({ "pick": {} }));
        places(
            &json!({ "balancer": full, "endpoints": [{ "name": "0" }, { "name": "1", "active": 1 }], "ops": ops }),
        )
    };
    let ends = [json!({ "done": "0" }), json!({ "reply": { "endpoint": "0" } })];
    for end in ends {
        assert_eq!(script(json!([end])), [0, 0], "{end}");
        // What ends twice, or never began, changes nothing.
        assert_eq!(script(json!([end, end])), [0, 0], "{end}");
    }
    let two = script(json!([{ "done": "1" }]));
    assert_eq!(two, [0, 1]);
}

#[test]
fn an_update_sets_those_in_flight_only_where_it_says_how_many() {
    let script = |update: Value| {
        let ops = json!([{ "update": update }, { "pick": {} }]);
        let endpoints = json!([{ "name": "0", "active": 3 }, { "name": "1", "active": 2 }]);
        places(
            &json!({ "balancer": { "least-request": { "full-scan": true } }, "endpoints": endpoints, "ops": ops }),
        )
    };
    assert_eq!(script(plain(2)), [1]);
    assert_eq!(script(json!([{ "name": "0" }, { "name": "1", "active": 4 }])), [0]);
    assert_eq!(script(json!([{ "name": "0", "active": 0 }, { "name": "1" }])), [0]);
    // It keeps what is in flight while it is away.
    let ops = json!([{ "update": [{ "name": "1" }] }, { "update": plain(2) }, { "pick": {} }]);
    let endpoints = json!([{ "name": "0", "active": 3 }, { "name": "1", "active": 2 }]);
    let full = json!({ "least-request": { "full-scan": true } });
    assert_eq!(places(&json!({ "balancer": full, "endpoints": endpoints, "ops": ops })), [1]);
}

#[test]
fn an_update_that_changes_nothing_is_none() {
    // gRPC's in Go draws a new sequence with each list.
    let balancer = json!({ "weighted-round-robin": { "flavour": "grpc-go" } });
    let script = |ops: Value| {
        outcome(&json!({ "balancer": balancer, "endpoints": plain(3), "randoms": [1, 2, 3, 4], "ops": ops }))
    };
    let drawn = |ops: Value| 4 - script(ops).randoms_left;
    let none = drawn(json!([]));
    assert_eq!(
        drawn(json!([{ "update": [{ "name": "0", "active": 7 }, { "name": "1" }, { "name": "2" }] }])),
        none
    );
    assert_eq!(drawn(json!([{ "update": plain(2) }])), none + 1);
    assert_eq!(
        drawn(json!([{ "update": [{ "name": "0", "weight": 2 }, { "name": "1" }, { "name": "2" }] }])),
        none + 1
    );
    let unhealthy = json!([{ "name": "0", "healthy": false }, { "name": "1" }, { "name": "2" }]);
    assert_eq!(drawn(json!([{ "update": unhealthy }])), none + 1);
}

#[test]
fn nobody_is_picked_of_nobody() {
    let update = json!([{ "pick": { "key": "a" } }, { "update": [] }, { "picks": 2 }]);
    let script = json!({ "balancer": "jump", "endpoints": plain(1), "ops": update });
    let answer = answer(&script);
    assert_eq!(answer["picks"], json!(["0", null, null]));
    assert_eq!(answer["histogram"], json!({ "0": 1 }));
    let unhealthy = json!([{ "name": "0", "healthy": false }, { "name": "1", "health": "excluded" }]);
    let locality = json!({ "priority": { "fail-on-panic": true } });
    let ops = json!([{ "pick": {} }]);
    let script = json!({ "balancer": "p2c", "locality": locality, "endpoints": unhealthy, "ops": ops });
    assert_eq!(self::answer(&script)["picks"], json!([null]));
}

#[test]
fn every_balancer_survives_lists_that_come_and_go() {
    for entry in balancer::CATALOG {
        let ops = json!([
            { "picks": 50 }, { "advance": "30s" }, { "update": [] }, { "picks": 3 }, { "advance": "1h" },
            { "update": plain(7) }, { "picks": { "count": 50, "keys": "k-{}" } }, { "advance": "2s" },
            { "reply": { "endpoint": "0", "error": "timeout" } }, { "probe": { "endpoint": "1", "rif": 4 } },
            { "update": [{ "name": "9" }] }, { "picks": 3 },
        ]);
        let script = json!({ "balancer": entry.name, "endpoints": plain(5), "ops": ops });
        let first = outcome(&script);
        assert_eq!(first.picks.len(), 106, "{}", entry.name);
        let nobody = first.names().enumerate().filter(|(_, name)| name.is_none()).map(|(at, _)| at);
        assert_eq!(nobody.collect::<Vec<_>>(), [50, 51, 52], "{}", entry.name);
        assert_eq!(first.names().last(), Some(Some("9")), "{}", entry.name);
        // What is no number in the state would not be the same as itself.
        assert_eq!(first.to_json(), outcome(&script).to_json(), "{}", entry.name);
    }
}

#[test]
fn words_of_all_64_bits_are_read_and_written_exactly() {
    let most = u64::MAX;
    let script = |word: Value| json!({ "balancer": "random", "endpoints": plain(10), "randoms": [word], "ops": [{ "pick": {} }] });
    assert_eq!(places(&script(json!(most))), [most % 10]);
    assert_eq!(places(&script(json!(most.to_string()))), [most % 10]);
    let ring =
        json!({ "balancer": { "ring-hash": { "min-ring-size": 12 } }, "endpoints": named(["127.0.0.1:95"]) });
    let text = outcome(&ring).to_json();
    assert!(text.contains("13144177310400110813"), "{text}");
}

#[test]
fn a_seed_gives_the_same_and_another_another() {
    let script = |seed: u64| json!({ "balancer": "random", "endpoints": plain(50), "seed": seed, "ops": [{ "picks": 20 }] });
    assert_eq!(places(&script(1)), places(&script(1)));
    assert_ne!(places(&script(1)), places(&script(2)));
}

#[test]
fn scripted_words_come_first_and_luck_goes_on_where_it_would_have_been() {
    let script = |randoms: &[u64]| {
        places(
            &json!({ "balancer": "random", "endpoints": plain(50), "randoms": randoms, "ops": [{ "picks": 20 }] }),
        )
    };
    let (alone, scripted) = (script(&[]), script(&[7, 8]));
    assert_eq!(scripted[..2], [7, 8]);
    assert_eq!(scripted[2..], alone[2..]);
}

#[test]
fn keys_are_numbered_from_where_they_are_told_to() {
    let ops = |keys: Value| json!([{ "picks": keys }]);
    let script = |ops: Value| json!({ "balancer": "jump", "endpoints": plain(100), "ops": ops });
    let many = picked(&script(ops(json!({ "count": 3, "keys": "user-{}!", "from": 7 }))));
    let each = ["user-7!", "user-8!", "user-9!"].map(|key| json!({ "pick": { "key": key } }));
    assert_eq!(many, picked(&script(json!(each))));
}

#[test]
fn a_reply_without_a_latency_took_since_its_pick() {
    let cost = |reply: Value| {
        let ops = json!([{ "pick": {} }, { "advance": "30ms" }, { "reply": reply }]);
        let script = json!({ "balancer": "peak-ewma", "endpoints": named(["a"]), "ops": ops });
        answer(&script)["state"]["endpoints"][0]["cost"].clone()
    };
    assert_eq!(cost(json!({ "endpoint": "a" })), cost(json!({ "endpoint": "a", "latency": "30ms" })));
    assert_ne!(cost(json!({ "endpoint": "a" })), cost(json!({ "endpoint": "a", "latency": "90ms" })));
}

#[test]
fn a_balancer_that_probes_says_whom() {
    let script = json!({ "balancer": "prequal", "endpoints": plain(10), "ops": [{ "pick": {} }] });
    let probes = answer(&script)["probes"].as_array().map_or(0, Vec::len);
    assert_eq!(probes, 3, "three for each request");
}

#[test]
fn zones_are_those_that_are_named() {
    let script = json!({
        "balancer": "round-robin",
        "locality": "zone-first",
        "client": { "zone": "b" },
        "endpoints": [{ "name": "far", "zone": "a" }, { "name": "near", "zone": "b" }, { "name": "here" }],
        "ops": [{ "picks": 100 }],
    });
    assert_eq!(histogram(&script), json!({ "near": 50, "here": 50 }));
}
