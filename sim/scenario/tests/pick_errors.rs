//! Every mistake in a script of `schism pick` has its place and its remedy.

use std::fmt::Write as _;

use proptest::prelude::*;
use schism_scenario::limits;
use schism_scenario::pick::Script;

const BASE: &str = r#"{
  "balancer": { "ring-hash": { "min-ring-size": 12 } },
  "seed": 7,
  "randoms": [0, "18446744073709551615"],
  "client": { "zone": "a", "peers": 3 },
  "endpoints": [
    { "name": "10.0.0.1:80", "weight": 1, "zone": "a", "healthy": true },
    { "name": "10.0.0.2:80", "zone": "b", "active": 2 }
  ],
  "ops": [
    { "pick": { "hash": 3551244743356806947, "attempt": 0 } },
    { "picks": { "count": 10, "keys": "key-{}" } },
    { "reply": { "endpoint": "10.0.0.1:80", "latency": "5ms", "ok": true } },
    { "advance": "1s" },
    { "update": [ { "name": "10.0.0.3:80" } ] }
  ]
}
"#;

/// The messages for each change of the script, one after another.
fn check(changes: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (from, to) in changes {
        assert_eq!(BASE.matches(from).count(), 1, "`{from}` is there once");
        let said = match Script::load("pick.json", BASE.replace(from, to)) {
            Ok(_) => "fine\n".to_owned(),
            Err(errors) => errors.to_string(),
        };
        writeln!(out, "--- {from}\n+++ {to}\n{said}").expect("a string takes it");
    }
    out
}

#[test]
fn the_script_itself_is_fine() {
    let script = Script::load("pick.json", BASE).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(script.randoms, [0, u64::MAX]);
    assert_eq!(script.names, ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]);
    assert_eq!(script.zones, ["a", "b"]);
}

#[test]
fn what_is_no_json() {
    insta::assert_snapshot!(check(&[
        ("\"seed\": 7,", "\"seed\": 7"),
        ("\"seed\": 7,", "\"seed\": 7, // lucky"),
        ("\"seed\": 7,", "seed: 7,"),
        ("\"seed\": 7,", "\"seed\": 0x7,"),
        ("\"seed\": 7,", "\"seed\": null,"),
        ("\"seed\": 7,", "\"seed\": 7, \"seed\": 8,"),
        ("\"zone\": \"b\", \"active\": 2 }", "\"zone\": \"b\", \"active\": 2 },"),
        ("    { \"update\": [ { \"name\": \"10.0.0.3:80\" } ] }\n  ]\n}", ""),
    ]));
}

#[test]
fn unknown_keys_and_names() {
    insta::assert_snapshot!(check(&[
        ("\"seed\"", "\"sed\""),
        ("\"ring-hash\"", "\"ringhash\""),
        ("\"min-ring-size\"", "\"min_ring_size\""),
        ("\"weight\"", "\"wieght\""),
        ("\"advance\"", "\"advnace\""),
        ("\"endpoint\": \"10.0.0.1:80\"", "\"endpoint\": \"10.0.0.9:80\""),
        ("\"peers\": 3", "\"locality\": \"none\""),
        ("\"pick\": { \"hash\"", "\"pick\": { \"hsah\""),
    ]));
}

#[test]
fn values_of_another_kind() {
    insta::assert_snapshot!(check(&[
        ("\"advance\": \"1s\"", "\"advance\": 1"),
        ("\"latency\": \"5ms\"", "\"latency\": 5"),
        ("\"latency\": \"5ms\"", "\"latency\": \"5 ms\""),
        ("\"weight\": 1", "\"weight\": \"1\""),
        ("\"weight\": 1", "\"weight\": -1"),
        ("\"healthy\": true", "\"healthy\": \"yes\""),
        ("\"healthy\": true", "\"health\": \"sick\""),
        ("3551244743356806947", "18446744073709551616"),
        ("3551244743356806947", "-1"),
        ("3551244743356806947", "1.5"),
        ("\"18446744073709551615\"", "\"18446744073709551616\""),
        ("{ \"zone\": \"a\", \"peers\": 3 }", "\"a\""),
        ("[ { \"name\": \"10.0.0.3:80\" } ]", "{ \"name\": \"10.0.0.3:80\" }"),
        ("{ \"count\": 10, \"keys\": \"key-{}\" }", "{ \"keys\": \"key-{}\" }"),
        ("\"key-{}\"", "\"key\""),
        ("{ \"ring-hash\": { \"min-ring-size\": 12 } }", "[\"ring-hash\"]"),
    ]));
}

#[test]
fn what_is_missing_or_contradicts_itself() {
    insta::assert_snapshot!(check(&[
        ("\"balancer\": { \"ring-hash\": { \"min-ring-size\": 12 } },", ""),
        ("\"min-ring-size\": 12", "\"min-ring-size\": 20, \"max-ring-size\": 10"),
        ("\"name\": \"10.0.0.2:80\", ", ""),
        ("\"10.0.0.2:80\"", "\"10.0.0.1:80\""),
        ("\"10.0.0.2:80\"", "\"\""),
        ("\"healthy\": true", "\"healthy\": true, \"health\": \"healthy\""),
        ("\"hash\": 3551244743356806947", "\"hash\": 1, \"key\": \"a\""),
        ("{ \"advance\": \"1s\" }", "{}"),
        ("{ \"advance\": \"1s\" }", "{ \"advance\": \"1s\", \"done\": \"10.0.0.1:80\" }"),
        ("\"ok\": true", "\"ok\": true, \"error\": \"timeout\""),
        ("\"peers\": 3", "\"peers\": 3, \"index\": 3"),
        ("\"seed\": 7", "\"zones\": [\"a\", \"c\"]"),
    ]));
}

#[test]
fn what_is_too_much() {
    insta::assert_snapshot!(check(&[
        ("\"count\": 10", "\"count\": 10000001"),
        ("\"count\": 10", "\"count\": 2000000"),
        ("\"active\": 2", "\"active\": 1000001"),
        ("\"attempt\": 0", "\"attempt\": 1e3"),
        ("\"advance\": \"1s\"", "\"advance\": \"31d\""),
    ]));
}

fn refused(text: &[u8]) -> String {
    Script::load("pick.json", text).map(|_| ()).expect_err("it is refused").to_string()
}

#[test]
fn files_that_are_no_scripts_at_all() {
    assert!(refused(b"").contains("there is nothing in it"));
    assert!(refused(b"[]").contains("a script is one object, not a list"));
    assert!(refused(b"7").contains("a script is one object"));
    assert!(refused(b"{} {}").contains("one file is one object"));
    assert!(refused(&[0xff, b'{']).contains("not UTF-8"));
    assert!(refused(&vec![b' '; limits::PICK_BYTES + 1]).contains("the limit is 33554432"));
}

#[test]
fn depth_and_values_are_counted_before_anything_is_built() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(!refused(nested(32).as_bytes()).contains("levels of nesting"));
    assert!(refused(nested(33).as_bytes()).contains("more than 32 levels of nesting"));
    assert!(refused(nested(1_000_000).as_bytes()).contains("more than 32 levels of nesting"));
    let values = |count: usize| format!("[{}0]", "0,".repeat(count));
    assert!(refused(values(2_000_000).as_bytes()).contains("more than 2000000 values"));
    // What stands in a text is no bracket.
    assert!(!refused(format!("[\"{}\\\"[\"]", "[".repeat(50)).as_bytes()).contains("levels of nesting"));
}

#[test]
fn a_list_of_mistakes_is_told_in_part_and_soon() {
    let ops = vec!["{ \"done\": \"nobody\" }"; 200_000].join(",");
    let text =
        format!("{{ \"balancer\": \"p2c\", \"endpoints\": [{{ \"name\": \"a\" }}], \"ops\": [{ops}] }}");
    let errors = Script::load("pick.json", text).expect_err("it is refused");
    assert_eq!(errors.len(), limits::ERRORS);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        Script::load("pick.json", text).ok();
    }

    /// A script with a piece of it cut out or put in twice.
    #[test]
    fn any_cut_is_read_or_refused(from in 0..BASE.len(), to in 0..BASE.len(), again in 0..BASE.len()) {
        let (from, to) = (from.min(to), from.max(to));
        let text = format!("{}{}{}", &BASE[..from], &BASE[to..], &BASE[again..(again + 9).min(BASE.len())]);
        Script::load("pick.json", &text).ok();
        Script::load("pick.json", &text[..text.len() - 9.min(text.len())]).ok();
    }

    #[test]
    fn any_json_of_these_words_is_read_or_refused(
        keys in prop::collection::vec(prop::sample::select(WORDS), 1..6),
        value in prop::sample::select(VALUES),
    ) {
        let nested = keys.iter().rev().fold(value.to_owned(), |inner, key| format!("{{ \"{key}\": {inner} }}"));
        let list = format!("{{ \"balancer\": \"p2c\", \"endpoints\": [{nested}], \"ops\": [{nested}] }}");
        Script::load("pick.json", nested).ok();
        Script::load("pick.json", list).ok();
    }
}

const WORDS: &[&str] = &[
    "balancer",
    "ring-hash",
    "client",
    "locals",
    "zone",
    "zones",
    "index",
    "peers",
    "endpoints",
    "name",
    "weight",
    "ops",
    "pick",
    "picks",
    "count",
    "keys",
    "hash",
    "key",
    "reply",
    "endpoint",
    "load",
    "rif",
    "update",
    "probe",
    "advance",
    "done",
    "randoms",
    "seed",
    "healthy",
    "health",
    "active",
    "latency",
    "error",
    "ok",
];
const VALUES: &[&str] = &[
    "1",
    "-1",
    "1.5",
    "1e400",
    "\"a\"",
    "\"1s\"",
    "\"\"",
    "[]",
    "{}",
    "null",
    "true",
    "[1, \"2\"]",
    "18446744073709551616",
];
