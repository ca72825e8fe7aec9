//! `schism replay` and `schism run --keep`, as a shell would use them: three answers, and their exit codes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A client goes on calling an instance whose death it has not heard of.
const SCENARIO: &str = r#"
title    = "A death that is heard of late"
length   = "40s"
warmup   = "1s"
seed     = 3

[registry.etcd]
members   = 3
lease-ttl = "10s"

[services.orders]
instances = 4
service   = { exponential = "2ms" }

[clients.web]
count    = 2
calls    = "orders"
arrivals = { poisson = "50/s" }

[[fault]]
id      = "die"
between = ["10s", "14s"]
crash   = "orders:one"

[[expect]]
never = "stale-request"
"#;

/// What a command said, and its exit code.
struct Said {
    code: i32,
    out: String,
    err: String,
}

fn schism(args: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_schism"));
    let output =
        command.args(args).args(["--color", "never"]).stdin(Stdio::null()).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Said {
        code: output.status.code().expect("an exit code"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The scenario and a case of it, in a folder.
fn kept(folder: &Path) -> PathBuf {
    let (file, case) = (folder.join("late.toml"), folder.join("late.case.toml"));
    fs::write(&file, SCENARIO).unwrap();
    let said =
        schism(&["run", path(&file), "--keep", path(&case), "--output", path(&folder.join("report.txt"))]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("kept never-stale-request"), "{}", said.err);
    case
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path of this test")
}

/// The same case with something else in its text.
fn edited(case: &Path, from: &str, to: &str) -> PathBuf {
    let text = fs::read_to_string(case).unwrap();
    assert!(text.contains(from), "{from} is not in\n{text}");
    let other = case.with_file_name("other.case.toml");
    fs::write(&other, text.replace(from, to)).unwrap();
    other
}

#[test]
fn a_case_tells_its_story_and_is_a_scenario_with_nothing_left_to_draw() {
    let folder = tempfile::tempdir().unwrap();
    let case = kept(folder.path());
    let text = fs::read_to_string(&case).unwrap();
    assert!(text.starts_with("# A case: "), "{text}");
    assert!(
        text.contains("#   schism replay ") && text.contains("fails at ") && text.contains("die: crash"),
        "{text}"
    );
    assert!(!text.contains("between") && !text.contains(":one\""), "{text}");
    let (run, check) = (schism(&["run", path(&case)]), schism(&["check", path(&case)]));
    assert_eq!((run.code, check.code), (1, 0), "{}{}", run.err, check.err);
    assert!(check.err.is_empty(), "{}", check.err);
}

#[test]
fn a_case_that_nobody_changed_is_identical() {
    let folder = tempfile::tempdir().unwrap();
    let case = kept(folder.path());
    let said = schism(&["replay", path(&case)]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.out.contains("= recorded") && said.out.contains("as recorded"), "{}", said.out);
    assert_eq!(schism(&["replay", path(&case), "--expect", "failing"]).code, 0);
}

#[test]
fn a_case_that_is_mended_holds() {
    let folder = tempfile::tempdir().unwrap();
    let case = kept(folder.path());
    let refused = edited(&case, "\ncrash = ", "\ncrush = ");
    assert_eq!(schism(&["replay", path(&refused)]).code, 2, "a key that is none");
    let text = fs::read_to_string(&case).unwrap();
    let crash = text.lines().find(|line| line.starts_with("crash = ")).expect("the fault");
    let mended = edited(&case, crash, "pause = [\"orders-0\"]");
    let said = schism(&["replay", path(&mended)]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(
        said.out.contains("digest differs between ") && said.out.contains("holds  FIXED"),
        "{}",
        said.out
    );
    assert!(said.out.contains("the text was edited"), "{}", said.out);
    assert_eq!(schism(&["replay", path(&mended), "--expect", "failing"]).code, 1, "edited, so it may differ");
}

#[test]
fn a_case_that_fails_otherwise_still_fails() {
    let folder = tempfile::tempdir().unwrap();
    let case = kept(folder.path());
    let moved = edited(&case, "count = 2", "count = 3");
    let said = schism(&["replay", path(&moved), path(&case)]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.out.contains("still FAILS"), "{}", said.out);
    assert!(said.out.contains("2 cases: 1 identical, 1 changed and still failing"), "{}", said.out);
    let json = schism(&["replay", path(&moved), "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(json["schema"], "schism.replay/1");
    assert_eq!(json["cases"][0]["answer"], "still-failing");
    assert_eq!(json["cases"][0]["same_scenario"], false);
}

#[test]
fn a_run_that_should_be_the_same_and_is_not_has_an_exit_code_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let case = kept(folder.path());
    let digest = fs::read_to_string(&case).unwrap();
    let digest = digest.lines().find_map(|line| line.strip_prefix("digest = ")).expect("a digest").to_owned();
    let other = edited(&case, &digest, "\"00000000000000000000000000000000\"");
    assert_eq!(schism(&["replay", path(&other), "--expect", "failing"]).code, 4);
}

#[test]
fn a_case_of_another_version_says_what_moved() {
    let folder = tempfile::tempdir().unwrap();
    let case = kept(folder.path());
    let ours = format!("schism = \"{}\"", env!("CARGO_PKG_VERSION"));
    let older = edited(&case, &ours, "schism = \"0.0.9\"");
    let said = schism(&["replay", path(&older)]);
    assert!(
        said.out.contains("written by schism 0.0.9") && said.out.contains("means the same"),
        "{}",
        said.out
    );
    let newer = edited(&case, "format = 1", "format = 2\nnews = true");
    let said = schism(&["replay", path(&newer)]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("in format 2") && said.err.contains("reads format 1"), "{}", said.err);
}

#[test]
fn what_is_no_case_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plain.toml");
    fs::write(&file, SCENARIO).unwrap();
    let said = schism(&["replay", path(&file)]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("is a scenario and no case"), "{}", said.err);
    assert_eq!(schism(&["replay", path(&folder.path().join("none.toml"))]).code, 2);
}
