//! Vectors of the balancers that look at latency or load: averages, arcs and probes.

use schism_tests::picks::{answer, items, named, places, plain, text, whole};
use serde_json::{Value, json};

/// What tower's estimate says of one endpoint, told by the steps that led to it.
pub(crate) fn peak_ewma(vectors: &Value) {
    let rows = &vectors["tower_compound_decay"];
    let options = json!({
        "decay": format!("{}ms", rows["decay_ms"]),
        "default-rtt": format!("{}ms", rows["default_rtt_ms"]),
    });
    let mut ops: Vec<Value> = Vec::new();
    let (mut now, mut pending) = (0, 0);
    for row in items(&rows["computed"]) {
        let at = whole(&row["t_ms"]);
        ops.push(json!({ "advance": format!("{}ms", at - now) }));
        now = at;
        if let Some(rtt) = row["completed_rtt_ms"].as_u64() {
            let latency = format!("{rtt}ms");
            ops.push(json!({ "reply": { "endpoint": "a", "latency": latency } }));
            pending -= 1;
            continue;
        }
        let wanted = whole(&row["pending"]);
        for _ in pending..wanted {
            ops.push(json!({ "update": [{ "name": "a", "active": wanted }] }));
        }
        pending = wanted;
        let script = json!({ "balancer": { "peak-ewma": options }, "endpoints": named(["a"]), "ops": ops });
        let cost = answer(&script)["state"]["endpoints"][0]["cost"].as_f64().expect("a cost");
        let expected = row["cost_ns"].as_f64().expect("a cost");
        assert!((cost / expected - 1.0).abs() < 1e-9, "{cost} is not {expected} at {at} ms");
    }
}

pub(crate) fn apertures(vectors: &Value) {
    for row in items(&vectors["examples"]) {
        let script = json!({
            "balancer": { "aperture": { "min-aperture": row["min_aperture"] } },
            "endpoints": plain(whole(&row["servers"]) as usize),
            "client": { "index": 0, "peers": row["clients"] },
        });
        let state = &answer(&script)["state"];
        assert_eq!(state["width"], row["width"], "{row}");
        let shown: Value = items(&state["endpoints"])
            .iter()
            .map(|endpoint| (text(&endpoint["name"]).to_owned(), endpoint["weight"].clone()))
            .collect::<serde_json::Map<String, Value>>()
            .into();
        assert_eq!(shown, row["client0_server_weights"], "{row}");
    }
}

/// The limit between hot and cold is a quantile of what was reported: of a few reports, the least or the greatest.
pub(crate) fn prequal(vectors: &Value) {
    let rows = items(&vectors["hcl_cases"]);
    let cases = [(&rows[0], 0.5), (&rows[1], 1.0), (&rows[2], 0.5)];
    for (row, quantile) in cases {
        let pool = items(&row["pool_id_rif_latency"]);
        let probe = |answer: &Value| {
            let latency = format!("{}ms", answer[2]);
            json!({ "probe": { "endpoint": answer[0].to_string(), "rif": answer[1], "latency": latency } })
        };
        let mut ops: Vec<Value> = pool.iter().map(probe).collect();
        ops.push(json!({ "pick": {} }));
        let script = json!({
            "balancer": { "prequal": { "q-rif": quantile } },
            "endpoints": plain(pool.len()),
            "ops": ops,
        });
        assert_eq!(places(&script), [whole(&row["expect"])], "{row}");
    }
}
