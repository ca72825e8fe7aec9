//! The built command, as a shell would use it: exit codes, streams, files.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const SCENARIO: &str = r#"
title    = "Two clients and a crash"
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
"#;

const PICK: &str = r#"{ "balancer": "p2c", "seed": 7, "endpoints": [ { "name": "a" }, { "name": "b" } ],
  "ops": [ { "picks": 3 } ] }"#;

/// What a command said, and its exit code.
struct Said {
    code: i32,
    out: String,
    err: String,
}

fn schism<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Said {
    said(&mut command(args))
}

fn command<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_schism"));
    command.args(args).stdin(Stdio::null());
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

fn said(command: &mut Command) -> Said {
    let output = command.output().expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let code = output.status.code().expect("an exit code");
    Said { code, out: text(output.stdout), err: text(output.stderr) }
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn exit_codes_are_those_of_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let good = written(dir, "good.toml", SCENARIO);
    let bad = written(dir, "bad.toml", &SCENARIO.replace("[clients", "lenght = 1\n[clients"));
    let fails = "[[expect]]\nmetric = \"success-rate\"\nduring = \"crash\"\nat-least = \"100%\"\n";
    let fails = written(dir, "fails.toml", &format!("{SCENARIO}\n{fails}"));
    let vacuous = "[[expect]]\nsometimes = \"lease-expiry\"\n";
    let vacuous = written(dir, "vacuous.toml", &format!("{SCENARIO}\n{vacuous}"));
    let script = written(dir, "pick.json", PICK);
    let bad_script = written(dir, "bad.json", &PICK.replace("seed", "sede"));
    let folder = dir.to_str().unwrap();
    let cases: &[(&[&str], i32)] = &[
        (&["--help"], 0),
        (&["--version"], 0),
        (&["run", "--help"], 0),
        (&["list"], 0),
        (&["schema"], 0),
        (&["man"], 0),
        (&["completions", "fish"], 0),
        (&["pick", "--example"], 0),
        (&["pick", "--schema"], 0),
        (&["pick", &script], 0),
        (&["pick", &script, "--format", "text"], 0),
        (&["pick", &bad_script], 2),
        (&["pick", &good], 2),
        (&["pick"], 2),
        (&["pick", folder], 2),
        (&["pick", &script, "--example"], 2),
        (&["run", &good], 0),
        (&["check", &good], 0),
        (&["plan", &good], 0),
        (&["run", &fails], 1),
        (&["run", &fails, "--format", "json"], 1),
        (&[], 2),
        (&["frobnicate"], 2),
        (&["run"], 2),
        (&["run", &good, "--seed", "-1"], 2),
        (&["run", &good, "--set", "no-equals-sign"], 2),
        (&["run", &good, "--set", "clients.web.tmeout=1s"], 2),
        (&["run", &bad], 2),
        (&["plan", &bad], 2),
        (&["check", &bad], 2),
        (&["check", &good, &bad], 2),
        (&["run", folder], 2),
        (&["run", "/nowhere/at-all.toml"], 2),
        (&["list", "balancer"], 2),
        (&["run", &vacuous], 3),
        (&["run", &vacuous, "--format", "junit"], 3),
        (&["run", &bad, "--format", "github"], 2),
        (&["verify", &good], 0),
        (&["verify", &good, "--seeds", "0..3", "--jobs", "1"], 0),
        (&["verify", &good, "--seeds", "3..0"], 2),
        (&["verify", &good, "--seed", "1", "--seeds", "3"], 2),
        (&["verify", &bad], 2),
        (&["verify", "-"], 2),
        (&["diff", &good], 2),
        (&["diff", &good, &good], 0),
        (&["diff", &good, "--seed", "1", "--seed", "1"], 0),
        (&["diff", &good, "--seed", "1", "--seed", "2"], 1),
        (&["diff", &good, &fails], 1),
        (&["diff", &good, &bad], 2),
        (&["diff", &good, "--seed", "1", "--seed", "2", "--seed", "3"], 2),
    ];
    for (args, code) in cases {
        let said = schism(*args);
        assert_eq!(said.code, *code, "schism {args:?}\n{}{}", said.out, said.err);
        // What is taken may be warned of.
        let is_said = if said.code == 2 { !said.err.is_empty() } else { !said.err.contains("error:") };
        assert!(is_said, "schism {args:?}\n{}", said.err);
        assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'), "colour: schism {args:?}");
    }
}

#[test]
fn a_missing_file_is_told_with_the_one_that_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(folder.path(), "zone-outage.toml", SCENARIO);
    let said = schism(["run", &good.replace("outage", "outge")]);
    assert!(said.err.starts_with("error: cannot read "), "{}", said.err);
    assert!(said.err.contains("zone-outge.toml: there is no such file"), "{}", said.err);
    assert!(
        said.err.contains("help: did you mean ") && said.err.contains("zone-outage.toml?"),
        "{}",
        said.err
    );
}

#[test]
fn a_bad_scenario_run_for_json_leaves_stdout_empty() {
    let folder = tempfile::tempdir().unwrap();
    let bad = written(folder.path(), "bad.toml", "title = 3\n");
    let said = schism(["run", &bad, "--format", "json"]);
    assert_eq!(said.out, "");
    assert!(said.err.contains("bad.toml:1:"), "{}", said.err);
}

#[test]
fn check_prints_its_diagnostics_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let bad = written(folder.path(), "bad.toml", &SCENARIO.replace("length", "lenght"));
    let good = written(folder.path(), "good.toml", SCENARIO);
    assert_eq!(json(&schism(["check", &good, "--format", "json"]).out), serde_json::json!([]));
    let found = json(&schism(["check", &bad, "/nowhere.toml", "--format", "json"]).out);
    let found = found.as_array().unwrap();
    assert!(found.iter().all(|one| one["severity"] == "error" && one["message"].is_string()), "{found:?}");
    assert!(found.iter().any(|one| one["line"] == 3 && one["text"] == "lenght"), "{found:?}");
    assert_eq!(found.last().unwrap()["file"], "/nowhere.toml");
}

#[test]
fn the_same_run_is_the_same_bytes_and_another_seed_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(folder.path(), "good.toml", SCENARIO);
    let run = |seed: &str| schism(["run", &good, "--seed", seed, "--format", "json"]).out;
    assert_eq!(run("1"), run("1"));
    assert_ne!(json(&run("1"))["digest"], json(&run("2"))["digest"]);
    assert_eq!(json(&run("1"))["seed"], 1);
}

#[test]
fn a_report_ends_with_the_command_that_repeats_it() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(folder.path(), "good.toml", SCENARIO);
    let said = schism(["run", &good, "--set", "clients.web.timeout=100ms"]);
    let last = said.out.lines().last().unwrap_or_default();
    assert_eq!(last, format!("replay  schism run {good} --seed 7 --set clients.web.timeout=100ms"));
}

#[test]
fn a_scenario_can_come_from_stdin() {
    let mut child = command(["run", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(SCENARIO.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("Two clients and a crash"));
}

#[test]
fn a_plan_of_many_faults_shows_the_first_unless_all_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let strike = "[[fault]]\nat = \"1s\"\nfor = \"5ms\"\nrepeat = { every = \"10ms\", times = 300 }\npause = \"orders-0\"\n";
    let many = written(folder.path(), "many.toml", &format!("{SCENARIO}{strike}"));
    let rows = |out: &str| out.lines().filter(|line| line.starts_with("# ") && line.contains('┫')).count();
    let (some, all) = (schism(["plan", &many]).out, schism(["plan", &many, "-v"]).out);
    assert_eq!((rows(&some), rows(&all)), (200, 301));
    assert!(some.contains("# and 101 more faults; -v shows all\n"), "{some}");
    let data = json(&schism(["plan", &many, "--format", "json"]).out);
    assert_eq!(data["faults"].as_array().unwrap().len(), 301);
    assert_eq!(
        (&data["faults"][2]["waits_for"], &data["faults"][2]["on"]),
        (&"pause-1-2.begins".into(), &serde_json::json!([["orders-0"]]))
    );
}

#[test]
fn a_plan_is_itself_a_scenario_that_means_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(folder.path(), "good.toml", SCENARIO);
    let plan = schism(["plan", &good, "--seed", "11"]).out;
    let resolved = written(folder.path(), "resolved.toml", &plan);
    let run = |args: &[&str]| json(&schism(["run", "--format", "json"].iter().chain(args)).out);
    assert_eq!(run(&[&resolved])["digest"], run(&[&good, "--seed", "11"])["digest"], "{plan}");
    let plan = json(&schism(["plan", &good, "--format", "json"]).out);
    assert_eq!((&plan["faults"][0]["id"], &plan["faults"][0]["to_s"]), (&"crash".into(), &7.0.into()));
}

#[test]
fn output_goes_to_a_file_whole_and_without_colour() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(folder.path(), "good.toml", SCENARIO);
    let out = folder.path().join("report.txt");
    let said = schism(["run", &good, "--color", "always", "--output", out.to_str().unwrap()]);
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    let report = fs::read_to_string(&out).unwrap();
    assert!(report.starts_with("Two clients and a crash\n") && !report.contains('\u{1b}'), "{report}");
    let nowhere = folder.path().join("no-such-folder").join("report.txt");
    let said = schism(["run", &good, "--output", nowhere.to_str().unwrap()]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("there is no folder"), "{}", said.err);
    for option in ["--output", "--trace", "--keep"] {
        let said = schism(["run", &good, option, folder.path().to_str().unwrap()]);
        assert!(said.code == 2 && said.err.contains("it is a folder"), "{option}: {}", said.err);
        let said = schism(["run", &good, option, &good]);
        assert!(said.code == 2 && said.err.contains("it is the scenario"), "{option}: {}", said.err);
        assert_eq!(fs::read_to_string(&good).unwrap(), SCENARIO, "it is as it was");
    }
}

#[test]
fn colour_is_used_when_it_is_asked_for() {
    let coloured = |args: &[&str], set: &[(&str, &str)]| {
        said(command(args).envs(set.iter().copied())).out.contains('\u{1b}')
    };
    assert!(!coloured(&["list"], &[]));
    assert!(coloured(&["list", "--color", "always"], &[]));
    assert!(coloured(&["list"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["list", "--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["list"], &[("NO_COLOR", "1")]));
}

#[test]
fn a_script_is_picked_from_a_file_or_stdin_and_its_answer_written_whole() {
    let example = schism(["pick", "--example"]).out;
    let folder = tempfile::tempdir().unwrap();
    let script = written(folder.path(), "pick.json", &example);
    let answer = json(&schism(["pick", &script]).out);
    assert_eq!(answer["picks"].as_array().unwrap().len(), 10_004);
    // Whoever was at the one that went has to move; so do some others, for the rest get more of Envoy's ring each.
    let moved = |key: &str| answer["moved"][0][key].as_u64().unwrap();
    assert_eq!(moved("moved") - moved("between_old"), answer["histogram"]["10.0.0.3:80"].as_u64().unwrap());
    let target = folder.path().join("answer.json");
    let target = target.to_str().unwrap();
    let said = schism(["pick", &script, "--output", target]);
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    assert_eq!(json(&fs::read_to_string(target).unwrap()), answer);
    let mut child = command(["pick", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(example.as_bytes()).unwrap();
    assert_eq!(json(&String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()), answer);
    // A script that is refused leaves nothing behind.
    let bad = written(folder.path(), "bad.json", &example.replace("balancer", "balanser"));
    let target = folder.path().join("none.json");
    let refused = schism(["pick", &bad, "--output", target.to_str().unwrap()]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("bad.json:2:3: unknown key `balanser`"), "{}", refused.err);
    assert!(!target.exists());
}

#[test]
fn a_pipe_that_is_closed_early_is_no_error() {
    for args in [&["list"][..], &["schema"], &["completions", "bash"], &["--help"]] {
        let mut child = command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut reader = BufReader::with_capacity(1, child.stdout.take().unwrap());
        reader.read_line(&mut String::new()).unwrap();
        drop(reader);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "schism {args:?}: {}", output.status);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "schism {args:?}");
    }
    // A reader that is gone before anything is written.
    let mut child = command(["list"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn init_writes_a_scenario_that_runs_and_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("experiments");
    let dir = dir.to_str().unwrap();
    let said = schism(["init", dir]);
    assert_eq!(said.code, 0, "{}", said.err);
    let file = format!("{dir}/scenario.toml");
    let checked = schism(["check", &file]);
    assert_eq!((checked.code, checked.err.as_str()), (0, ""));
    let ran = schism(["run", &file]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    fs::write(&file, "mine").unwrap();
    let again = schism(["init", dir]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("already there"), "{}", again.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn init_writes_a_test_of_the_recovery_where_there_is_a_crate() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), "Cargo.toml", "");
    let dir = folder.path().to_str().unwrap();
    let told = schism(["init", dir]);
    let test = fs::read_to_string(folder.path().join("tests/recovery.rs")).unwrap();
    assert!(test.contains("assert_recovery_snapshot!(\"scenario.toml\", 42)"), "{test}");
    assert!(told.out.contains("tests/recovery.rs") && told.out.contains("cargo test"), "{}", told.out);
}

#[test]
fn every_run_of_a_seed_is_the_same_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "good.toml", SCENARIO);
    let told = schism(["verify", &file]);
    assert!(told.out.starts_with("same  ") && told.out.contains("seed 7"), "{}", told.out);
    let digest = json(&schism(["run", &file, "--format", "json"]).out)["digest"].clone();
    let found = json(&schism(["verify", &file, "--seeds", "7..9", "--format", "json"]).out);
    assert_eq!((&found["schema"], &found["same"]), (&"schism.verify/1".into(), &true.into()));
    let runs = found["seeds"][0]["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 4);
    assert!(runs.iter().all(|run| run["digest"] == digest), "{found}");
}

#[test]
fn two_runs_are_compared_in_words_and_as_data() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "good.toml", SCENARIO);
    let report = folder.path().join("report.json").display().to_string();
    assert_eq!(schism(["run", &file, "--format", "json", "--output", &report]).code, 0);
    assert_eq!(schism(["diff", &report, &file]).code, 0, "a report is that of the run");
    let change = ["--set", "clients.web.balancer=p2c", "--against", "clients.web.balancer=random"];
    let told = schism(["diff", &file].iter().chain(&change)).out;
    assert!(told.contains("clients.web.balancer  \"p2c\" -> \"random\""), "{told}");
    assert!(told.contains("where they part") && told.contains("message from web-"), "{told}");
    let found = json(&schism(["diff", &file, "--format", "json"].iter().chain(&change)).out);
    assert_eq!(found["settings"][0]["path"], "clients.web.balancer");
    assert!(found["parted"]["differences"][0]["event"].as_u64() > Some(0), "{found}");
    let refused = schism(["diff", &report, &file, "--seed", "3"]);
    assert!(refused.err.contains("is a report"), "{}", refused.err);
}

#[test]
fn continuous_integration_reads_what_failed_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let fails =
        "[[expect]]\nid = \"all\"\nmetric = \"success-rate\"\nduring = \"crash\"\nat-least = \"100%\"\n";
    let text = format!("{SCENARIO}\n{fails}");
    let line = text.lines().position(|line| line == "[[expect]]").unwrap() + 1;
    let file = written(folder.path(), "fails.toml", &text);
    let told = schism(["run", &file, "--format", "github"]);
    let start = format!("::error file={file},line={line},title=all (fails)::");
    assert!(told.out.starts_with(&start) && told.out.contains("%0Aschism run "), "{}", told.out);
    let xml = schism(["run", &file, "--format", "junit"]).out;
    assert!(xml.contains("tests=\"1\" failures=\"1\"") && xml.contains("<failure type=\"fails\""), "{xml}");
    let bad = written(folder.path(), "bad.toml", &SCENARIO.replace("length   =", "lenght   ="));
    let told = schism(["check", &bad, "--format", "github"]).out;
    assert!(told.contains(&format!("::error file={bad},line=3,col=1,")), "{told}");
}
