//! Two runs compared: what was asked of them, what they showed, and the first thing that happened in one alone.
//!
//! Reports are compared as JSON, so that one of an older version can stand beside one of today: what only one of them has
//! is told as such, and nothing is lost on the way.

use serde::Serialize;
use serde_json::Value;

use schism_core::Seed;
use schism_models::node::Node;
use schism_scenario::{Document, Scenario};

use crate::verify::{Aspect, Parted, Twins, strangers};

/// Two reports that differ, or do not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// Whether the digests of the runs are equal.
    pub same_run: bool,
    /// What they showed differently.
    pub changes: Vec<Change>,
}

/// One thing that is not what it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Which part of the report it is of: `expect few-stale`, `phase cut`, `recovery`.
    pub part: String,
    /// What: `success-rate`.
    pub what: String,
    /// In what it is measured.
    pub unit: Unit,
    /// In the first run; null if it has none.
    pub before: Value,
    /// In the second.
    pub after: Value,
}

/// In what something is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// It is said in words.
    Words,
    /// A number of things.
    Count,
    /// A number without a unit.
    Number,
    /// A share of one.
    Share,
    /// A time in seconds.
    Seconds,
    /// A time in milliseconds.
    Millis,
}

/// A value of a scenario that is not what it is in the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Where it stands, as `--set` writes it.
    pub path: String,
    /// In the first scenario, as TOML; none if nothing stands there.
    pub before: Option<String>,
    /// In the second.
    pub after: Option<String>,
}

/// What is compared of the whole run, besides what has a name of its own.
const WHOLE: &[(&str, &[(&str, Unit)])] = &[
    (
        "requests",
        &[
            ("offered", Unit::Count),
            ("succeeded", Unit::Count),
            ("failed", Unit::Count),
            ("unfinished", Unit::Count),
            ("attempts", Unit::Count),
            ("stale", Unit::Count),
            ("misrouted", Unit::Count),
            ("cross_zone", Unit::Count),
        ],
    ),
    (
        "latency_ms",
        &[
            ("mean", Unit::Millis),
            ("p50", Unit::Millis),
            ("p90", Unit::Millis),
            ("p99", Unit::Millis),
            ("p999", Unit::Millis),
            ("max", Unit::Millis),
        ],
    ),
    (
        "recovery",
        &[
            ("detect_s", Unit::Seconds),
            ("reroute_s", Unit::Seconds),
            ("failover_s", Unit::Seconds),
            ("two_leaders_s", Unit::Seconds),
            ("dip", Unit::Share),
            ("dip_for_s", Unit::Seconds),
            ("converge_s", Unit::Seconds),
            ("false_evictions", Unit::Count),
            ("ghost_window_s", Unit::Seconds),
        ],
    ),
    ("registry", &[("reads", Unit::Count), ("writes", Unit::Count), ("leaders", Unit::Count)]),
];

const EXPECTATION: &[(&str, Unit)] =
    &[("verdict", Unit::Words), ("at_s", Unit::Seconds), ("why", Unit::Words)];
const PHASE: &[(&str, Unit)] = &[
    ("from_s", Unit::Seconds),
    ("to_s", Unit::Seconds),
    ("offered", Unit::Count),
    ("success_rate", Unit::Share),
    ("p99_ms", Unit::Millis),
];
const FAULT: &[(&str, Unit)] =
    &[("what", Unit::Words), ("from_s", Unit::Seconds), ("to_s", Unit::Seconds), ("touched", Unit::Count)];
const WRONG: &[(&str, Unit)] = &[("beliefs", Unit::Count), ("longest_s", Unit::Seconds)];
const LEASES: &[(&str, Unit)] =
    &[("granted", Unit::Count), ("renewed", Unit::Count), ("expired", Unit::Count)];
const SERVICE: &[(&str, Unit)] = &[("peak_to_mean", Unit::Number)];

/// Compares two reports, as JSON.
pub fn diff(before: &Value, after: &Value) -> Diff {
    let mut changes = Changes { before, after, list: Vec::new() };
    changes.of("run", "", &[("verdict", Unit::Words)]);
    changes.items("expect", "/expect", |item| id(item, &["id"]), EXPECTATION);
    changes.items("fault", "/faults", |item| id(item, &["id"]), FAULT);
    changes.items("phase", "/phases", |item| id(item, &["name"]), PHASE);
    for (part, fields) in WHOLE {
        changes.of(part, &format!("/{part}"), fields);
    }
    changes.every("errors", "/requests/errors", Unit::Count);
    changes.of("leases", "/registry/leases", LEASES);
    changes.items("wrong", "/wrong_beliefs", |item| id(item, &["observers", "subjects", "believes"]), WRONG);
    // Of one group alone, everything has been said.
    if keys([before.get("clients"), after.get("clients")]).len() > 1 {
        for (table, fields) in [("requests", WHOLE[0].1), ("latency_ms", WHOLE[1].1)] {
            changes.tables("clients", &format!("/{table}"), fields);
        }
    }
    changes.tables("services", "", SERVICE);
    let list = changes.list;
    Diff { same_run: before["digest"] == after["digest"], changes: list }
}

/// The values in which two scenarios differ.
pub fn settings(before: &Scenario, after: &Scenario) -> Vec<Setting> {
    let (before, after) = (Document::of(before).values(), Document::of(after).values());
    let find = |of: &[(String, String)], path: &str| {
        of.iter().find(|(other, _)| other == path).map(|(_, value)| value.clone())
    };
    let added = after.iter().filter(|(path, _)| find(&before, path).is_none());
    let all = before.iter().chain(added).map(|(path, _)| Setting {
        path: path.clone(),
        before: find(&before, path),
        after: find(&after, path),
    });
    all.filter(|setting| setting.before != setting.after).collect()
}

/// Where two runs part: the last comparison at which they were the same, and the first event that happens in the one and
/// not in the other, with both. None if they never do.
pub fn part(before: (&Scenario, Seed), after: (&Scenario, Seed)) -> Option<Parted> {
    match strangers::<Node>([before, after]) {
        Twins::Alike { .. } => None,
        Twins::Parted(mut parted) => {
            parted.differences.retain(|difference| difference.aspect == Aspect::Event);
            Some(*parted)
        }
    }
}

struct Changes<'r> {
    before: &'r Value,
    after: &'r Value,
    list: Vec<Change>,
}

impl Changes<'_> {
    /// Fields of a table.
    fn of(&mut self, part: &str, at: &str, fields: &[(&str, Unit)]) {
        let (before, after) = (self.before.pointer(at), self.after.pointer(at));
        self.fields(part, [before, after], fields);
    }

    /// All fields of a table, whatever they are called.
    fn every(&mut self, part: &str, at: &str, unit: Unit) {
        let sides = [self.before.pointer(at), self.after.pointer(at)];
        let fields: Vec<(&str, Unit)> = keys(sides).into_iter().map(|key| (key, unit)).collect();
        self.fields(part, sides, &fields);
    }

    /// Fields of the tables in a table: of each client group, of each service.
    fn tables(&mut self, part: &str, below: &str, fields: &[(&str, Unit)]) {
        let sides = [self.before, self.after].map(|side| side.get(part));
        for key in keys(sides) {
            let item = |side: Option<&'_ Value>| side.and_then(|side| side.get(key)?.pointer(below).cloned());
            let (before, after) = (item(sides[0]), item(sides[1]));
            self.fields(&format!("{part} {key}"), [before.as_ref(), after.as_ref()], fields);
        }
    }

    /// Fields of the items of a list, which are told apart by their ids.
    fn items(&mut self, part: &str, at: &str, id: impl Fn(&Value) -> String, fields: &[(&str, Unit)]) {
        let list = |side: &Value| side.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default();
        let (before, after) = (list(self.before), list(self.after));
        let find = |list: &[Value], wanted: &str| list.iter().find(|item| id(item) == wanted).cloned();
        let mut ids: Vec<String> = before.iter().chain(&after).map(&id).collect();
        let mut seen = std::collections::BTreeSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        for id in ids {
            let (before, after) = (find(&before, &id), find(&after, &id));
            self.fields(&format!("{part} {id}"), [before.as_ref(), after.as_ref()], fields);
        }
    }

    fn fields(&mut self, part: &str, [before, after]: [Option<&Value>; 2], fields: &[(&str, Unit)]) {
        let part = part.trim_end_matches("_ms");
        for &(field, unit) in fields {
            let of = |side: Option<&Value>| side.and_then(|side| side.get(field)).cloned();
            let (before, after) = (of(before).unwrap_or(Value::Null), of(after).unwrap_or(Value::Null));
            if before != after {
                let what = field.trim_end_matches("_ms").trim_end_matches("_s").replace('_', "-");
                self.list.push(Change { part: part.to_owned(), what, unit, before, after });
            }
        }
    }
}

/// The keys of both tables, in the order of the first.
fn keys(sides: [Option<&Value>; 2]) -> Vec<&str> {
    let tables = sides.into_iter().flatten().filter_map(Value::as_object);
    let mut keys: Vec<&str> = Vec::new();
    for key in tables.flat_map(|table| table.keys()) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    keys
}

fn id(item: &Value, fields: &[&str]) -> String {
    let words = fields.iter().map(|field| item[*field].as_str().unwrap_or("?"));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(converge: Value, verdict: &str, p99: f64) -> Value {
        json!({
            "digest": format!("{converge}{verdict}{p99}"),
            "verdict": verdict,
            "expect": [{ "id": "agree", "verdict": verdict, "at_s": null, "why": null }],
            "phases": [{ "name": "cut", "from_s": 40.0, "to_s": 70.0, "success_rate": 0.99, "p99_ms": p99 }],
            "recovery": { "converge_s": converge, "detect_s": 3.0 },
            "clients": {
                "web": { "requests": { "offered": 7 }, "latency_ms": { "p99": p99 } },
                "batch": { "requests": { "offered": 7 }, "latency_ms": { "p99": 1.0 } },
            },
        })
    }

    #[test]
    fn a_report_is_the_same_as_itself() {
        let report = report(json!(16.0), "holds", 40.0);
        assert_eq!(diff(&report, &report), Diff { same_run: true, changes: Vec::new() });
    }

    #[test]
    fn what_moved_is_told_with_its_part_and_its_unit() {
        let found = diff(&report(json!(16.0), "holds", 40.0), &report(Value::Null, "fails", 61.5));
        assert!(!found.same_run);
        let told: Vec<(&str, &str, Unit)> =
            found.changes.iter().map(|change| (&*change.part, &*change.what, change.unit)).collect();
        let expected = [
            ("run", "verdict", Unit::Words),
            ("expect agree", "verdict", Unit::Words),
            ("phase cut", "p99", Unit::Millis),
            ("recovery", "converge", Unit::Seconds),
            ("clients web", "p99", Unit::Millis),
        ];
        assert_eq!(told, expected);
        assert_eq!((&found.changes[3].before, &found.changes[3].after), (&json!(16.0), &Value::Null));
    }

    #[test]
    fn what_only_one_report_has_is_told() {
        let one = json!({ "expect": [] });
        let other = json!({ "expect": [{ "id": "new", "verdict": "holds" }] });
        let found = diff(&one, &other).changes;
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0].before, &found[0].after), (&Value::Null, &json!("holds")));
    }
}
