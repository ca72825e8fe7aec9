//! `schism inspect` and `schism run --trace`, as a shell would use them.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

const SCENARIO: &str = r#"
title    = "A crash to look at"
length   = "12s"
seed     = 7
registry = "static"

[services.orders]
instances = 3
service   = { exponential = "2ms" }

[clients.web]
count    = 2
calls    = "orders"
arrivals = { poisson = "20/s" }

[[fault]]
id    = "crash"
at    = "4s"
for   = "3s"
crash = "orders-1"

[[expect]]
metric   = "success-rate"
at-least = "1%"
"#;

/// What a command said, and its exit code.
struct Said {
    code: i32,
    out: String,
    err: String,
}

/// A folder with the scenario in it.
struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Stage {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("scenario.toml"), SCENARIO).expect("it is written");
        Stage { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the command on the scenario, with this on stdin.
    fn tells(&self, command: &str, args: &[&str], stdin: &str) -> Said {
        let mut child = Command::new(env!("CARGO_BIN_EXE_schism"))
            .current_dir(self.folder.path())
            .env("NO_COLOR", "1")
            .args([command, "scenario.toml"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        // A command that asks nothing of stdin may be over already.
        child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()).ok();
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let code = output.status.code().expect("an exit code");
        Said { code, out: text(output.stdout), err: text(output.stderr) }
    }

    fn inspect(&self, args: &[&str]) -> Said {
        self.tells("inspect", args, "")
    }
}

#[test]
fn a_moment_is_shown_with_its_nodes() {
    let said = Stage::new().inspect(&["--at", "5s", "--node", "orders-1", "--node", "web-0"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.starts_with("5.000s  after event "), "{}", said.out);
    assert!(said.out.contains("in force: crash since 4.000s"), "{}", said.out);
    let lines: Vec<String> =
        said.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let is_told = |begin: &str| lines.iter().any(|line| line.starts_with(begin));
    assert!(is_told("orders-1 down since 4.000s, life 1"), "{}", said.out);
    assert!(is_told("web-0 up since 0.000s") && is_told("timers"), "{}", said.out);
}

#[test]
fn a_node_that_is_not_there_is_an_error_with_a_suggestion() {
    let said = Stage::new().inspect(&["--at", "5s", "--node", "order-1"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("there is no node `order-1`") && said.err.contains("`orders-1`?"),
        "{}",
        said.err
    );
    assert!(said.out.is_empty());
    let said = Stage::new().inspect(&["--until", "crash.heal"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("did you mean `crash.heals`?"), "{}", said.err);
}

#[test]
fn beliefs_waits_and_islands_are_told() {
    let stage = Stage::new();
    let said = stage.inspect(&["--at", "5s", "--beliefs", "orders-1", "--waits", "--islands"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("orders-1  truth: DEAD since 4.000s"), "{}", said.out);
    assert!(said.out.contains("one island: "), "{}", said.out);
    assert!(said.out.contains("no ring"), "{}", said.out);
    let dot = stage.inspect(&["--at", "5s", "--waits", "--format", "dot"]).out;
    assert!(dot.starts_with("digraph waits {") && dot.ends_with("}\n"), "{dot}");
    assert_eq!(stage.inspect(&["--at", "5s", "--beliefs", "web-0"]).code, 2);
}

#[test]
fn json_has_a_schema_and_all_that_text_has() {
    let said = Stage::new().inspect(&["--at", "5s", "--beliefs", "orders-1", "--waits", "--format", "json"]);
    let value: Value = serde_json::from_str(&said.out).expect("it is JSON");
    assert_eq!(value["schema"], "schism.inspect/1");
    assert_eq!(value["at_s"], 5.0);
    assert_eq!(value["nodes"].as_array().map(Vec::len), Some(5));
    assert_eq!(value["beliefs"][0]["subject"], "orders-1");
    assert!(value["waits"]["edges"].is_array());
    assert_eq!(value["faults"][0]["id"], "crash");
}

#[test]
fn a_script_is_read_line_by_line_and_ends_with_the_first_mistake() {
    let stage = Stage::new();
    let script = "where\nuntil crash.begins\nback until crash.begins # a comment\n\nat 6s\nnodes\nstep 3\nback 3\nfaults\nrun\nquit\nnonsense\n";
    let said = stage.tells("inspect", &[], script);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.starts_with("0.000s  after event 0"), "{}", said.out);
    assert!(said.out.contains("4.000s  after event "), "{}", said.out);
    assert!(said.out.contains("holds"), "{}", said.out);

    let said = stage.tells("inspect", &[], "at 6s\nnod orders-1\nwhere\n");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("there is no command `nod`"), "{}", said.err);
    assert_eq!(said.out.matches("after event").count(), 1, "nothing after the mistake is done");
    assert_eq!(stage.tells("inspect", &[], "at 13s\n").code, 2, "that is after the end");
}

#[test]
fn a_fork_changes_what_is_still_to_come_and_refuses_the_rest_by_name() {
    let stage = Stage::new();
    let plain = stage.inspect(&["--at", "3s", "--run"]).out;
    let without = stage.inspect(&["--at", "3s", "--without", "crash", "--run"]);
    assert_eq!(without.code, 0, "{}", without.err);
    assert!(without.out.starts_with("forked at 3.000s: "), "{}", without.out);
    let digest = |text: &str| text.lines().last().unwrap_or_default().to_owned();
    assert_ne!(digest(&plain), digest(&without.out));
    let longer = stage.inspect(&["--at", "3s", "--fork", "fault.crash.for=5s", "--run"]);
    assert_eq!(longer.code, 0, "{}", longer.err);
    assert_ne!(digest(&plain), digest(&longer.out));

    let late = stage.inspect(&["--at", "5s", "--without", "crash", "--run"]);
    assert_eq!(late.code, 2);
    assert!(late.err.contains("fault `crash` began at 4s"), "{}", late.err);
    let other = stage.inspect(&["--at", "3s", "--fork", "clients.web.timeout=1s", "--run"]);
    assert_eq!(other.code, 2);
    assert!(other.err.contains("`clients.web.timeout=1s` is settled when a run begins"), "{}", other.err);
    assert!(other.err.contains("schism run"), "{}", other.err);
}

#[test]
fn a_trace_is_written_whole_beside_the_same_report() {
    let stage = Stage::new();
    let plain = stage.tells("run", &["--format", "json"], "").out;
    let traced = stage.tells("run", &["--format", "json", "--trace", "trace.jsonl"], "").out;
    assert_eq!(plain, traced);
    let text = fs::read_to_string(stage.path("trace.jsonl")).expect("it is there");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[0]["schema"], "schism.trace/1");
    assert_eq!(lines[0]["entries"].as_u64(), Some(lines.len() as u64 - 1));

    let few = ["--trace", "few.jsonl", "--trace-entries", "100"];
    assert_eq!(stage.tells("run", &few, "").code, 0);
    let text = fs::read_to_string(stage.path("few.jsonl")).expect("it is there");
    let head: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!((text.lines().count(), head["entries"].as_u64()), (101, Some(100)));
    assert_eq!(head["dropped"].as_u64(), lines[0]["entries"].as_u64().map(|all| all - 100));

    assert_eq!(stage.tells("run", &["--trace", "run.perfetto.json"], "").code, 0);
    let text = fs::read_to_string(stage.path("run.perfetto.json")).expect("it is there");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    assert!(document["traceEvents"].as_array().is_some_and(|events| events.len() > 100));
    assert_eq!(stage.tells("run", &["--trace", "nowhere/trace.jsonl"], "").code, 2);
}
