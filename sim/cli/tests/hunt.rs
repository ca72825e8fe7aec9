//! `schism hunt`, as a shell would use it: what it finds and keeps, its exit codes, and that killing it changes nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Instances die, and clients may not hear of it at once.
const SCENARIO: &str = r#"
title  = "Deaths that are heard of late"
length = "24s"
warmup = "1s"

[registry.etcd]
members   = 3
lease-ttl = "3s"

[services.orders]
instances = 4
service   = { exponential = "2ms" }

[clients.web]
count    = 2
calls    = "orders"
arrivals = { poisson = "5/s" }

[chaos]
families = [{ crash = "orders" }, { pause = "registry" }, "latency"]
faults   = [0, 3]
for      = ["500ms", "5s"]

[[expect]]
never = "stale-request"

[[expect]]
eventually = "views-agree"
within     = "8s"
"#;

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    /// All but the line that says how long it took.
    fn told(&self) -> String {
        let lines = self.out.lines().filter(|line| !line.trim_start().starts_with("took "));
        lines.map(|line| format!("{line}\n")).collect()
    }
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_schism"));
    command.current_dir(folder).args(args).args(["--color", "never"]).stdin(Stdio::null());
    command
}

fn schism(folder: &Path, args: &[&str]) -> Said {
    let output = command(folder, args).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Said {
        code: output.status.code().expect("an exit code"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// A folder with the scenario in it.
fn stage(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("late.toml"), text).unwrap();
    folder
}

/// The cases in a folder, by name.
fn cases(folder: &Path) -> Vec<(String, String)> {
    let Ok(read) = fs::read_dir(folder.join("cases")) else { return Vec::new() };
    let mut cases: Vec<(String, String)> = read
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect();
    cases.sort();
    cases
}

#[test]
fn a_failure_is_found_grouped_shrunk_kept_and_replayed() {
    let folder = stage(SCENARIO);
    let said = schism(folder.path(), &["hunt", "late.toml", "--seeds", "60", "--budget", "60"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(said.out.contains("FAIL never-stale-request  seed "), "{}", said.out);
    assert!(said.out.contains("same signature)"), "{}", said.out);
    assert!(said.out.contains("all digests equal"), "{}", said.out);
    assert!(said.out.contains("shrunk "), "{}", said.out);
    let kept = cases(folder.path());
    assert!(!kept.is_empty() && kept.iter().all(|(name, _)| name.ends_with(".case.toml")), "{kept:?}");
    for (label, code) in [("replay  ", 1), ("why     ", 0)] {
        let line = said.out.lines().find(|line| line.trim_start().starts_with(label)).expect("it is printed");
        let words: Vec<&str> = line.split_whitespace().skip(2).collect();
        // Explaining takes long: that the command is there and takes the file is for its own tests.
        if label.starts_with("replay") {
            assert_eq!(schism(folder.path(), &words).code, code, "{line}");
        }
    }
    assert!(!folder.path().join("cases/.schism").exists(), "the journal goes when all is said");
}

#[test]
fn neither_threads_nor_format_change_what_is_found() {
    let folder = stage(SCENARIO);
    let hunt = |jobs: &str| {
        let args = ["hunt", "late.toml", "--seeds", "40", "--no-shrink", "--fresh", "--jobs", jobs];
        schism(folder.path(), &args)
    };
    let (one, four) = (hunt("1"), hunt("4"));
    assert_eq!(one.told(), four.told());
    assert_eq!(one.code, four.code);
    let json = |jobs: &str| {
        let args = ["hunt", "late.toml", "--seeds", "40", "--no-shrink", "--jobs", jobs, "--format", "json"];
        schism(folder.path(), &args).out
    };
    let (one, four) = (json("1"), json("3"));
    assert_eq!(one, four, "the JSON does not even say how long it took");
    let read: serde_json::Value = serde_json::from_str(&one).unwrap();
    assert_eq!(read["schema"], "schism.hunt/1");
    assert_eq!(read["hunts"][0]["seeds"]["run"], 40);
}

#[test]
fn a_hunt_that_is_killed_again_and_again_finds_what_one_that_is_not_finds() {
    let (calm, wild) = (stage(SCENARIO), stage(SCENARIO));
    let args = ["hunt", "late.toml", "--seeds", "0..400", "--jobs", "2", "--budget", "40"];
    let whole = schism(calm.path(), &args);
    assert!(!whole.err.contains("going on"), "{}", whole.err);
    // Random enough, and the same in every run of this test.
    let mut luck = 0x9e37_79b9_u64;
    let mut resumed = 0;
    for _ in 0..12 {
        luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut child =
            command(wild.path(), &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        sleep(Duration::from_millis(50 + (luck >> 33) % 700));
        // Done already, perhaps: then the next one begins anew.
        child.kill().ok();
        let output = child.wait_with_output().unwrap();
        resumed += u32::from(String::from_utf8_lossy(&output.stderr).contains("going on after"));
    }
    let again = schism(wild.path(), &args);
    assert_eq!(again.told(), whole.told());
    assert_eq!(again.code, whole.code);
    assert_eq!(cases(wild.path()), cases(calm.path()));
    assert!(resumed > 0, "some of the hunts went on where the one before was killed");
}

#[test]
fn a_hunt_says_how_it_ended() {
    let folder = stage(SCENARIO);
    let hunt = |file: &str, more: &[&str]| {
        let args: Vec<&str> = [&["hunt", file, "--no-shrink", "--fresh"], more].concat();
        schism(folder.path(), &args)
    };
    let calm = SCENARIO.replace("faults   = [0, 3]", "faults   = [0, 0]");
    fs::write(folder.path().join("calm.toml"), &calm).unwrap();
    let vacuous = calm.replace("never = \"stale-request\"", "sometimes = \"stale-request\"");
    fs::write(folder.path().join("vacuous.toml"), vacuous).unwrap();

    let said = hunt("calm.toml", &["--seeds", "20"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(cases(folder.path()).is_empty(), "nothing is kept where nothing fails");
    let said = hunt("vacuous.toml", &["--seeds", "20"]);
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(said.out.contains("vacuous 20"), "{}", said.out);
    let said = hunt("calm.toml", &["--seeds", "100000", "--for", "1ms"]);
    assert_eq!(said.code, 5, "{}{}", said.out, said.err);
    let said = hunt("calm.toml", &["--seeds", "1000", "--until-flat", "5"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("--until-flat"), "{}", said.out);
    let said = hunt("late.toml", &["--seeds", "1000", "--max-failures", "1"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(
        said.out.contains("FAIL 1 (1 distinct)") || said.out.contains("FAIL 1 (2 distinct)"),
        "{}",
        said.out
    );
    let said = hunt("-", &[]);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    let said = hunt("late.toml", &["calm.toml", "--seeds", "20", "--format", "junit"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(
        said.out.contains("<testsuite") && said.out.contains("never-stale-request, seed"),
        "{}",
        said.out
    );
}

#[cfg(unix)]
#[test]
fn who_interrupts_a_hunt_is_told_where_it_was() {
    let folder = stage(SCENARIO);
    let args = ["hunt", "late.toml", "--seeds", "0..1000000", "--jobs", "1"];
    let child = command(folder.path(), &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Until the first batch is in the journal: before that there is nothing to go on from.
    let begun =
        || fs::read_dir(folder.path().join("cases/.schism")).is_ok_and(|mut all| all.next().is_some());
    while !begun() {
        sleep(Duration::from_millis(10));
    }
    sleep(Duration::from_millis(300));
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("there is a kill").success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted: ") && said.contains("/1,000,000 seeds"), "{said}");
    assert!(said.contains("the same command goes on"), "{said}");
}

#[test]
fn a_case_that_is_there_is_never_written_over() {
    let folder = stage(SCENARIO);
    let other = SCENARIO.replace("lease-ttl = \"3s\"", "lease-ttl = \"4s\"");
    fs::create_dir(folder.path().join("other")).unwrap();
    fs::write(folder.path().join("other/late.toml"), other).unwrap();
    let hunt = |files: &[&str]| {
        let args: Vec<&str> = [&["hunt"], files, &["--seeds", "20", "--no-shrink"]].concat();
        let said = schism(folder.path(), &args);
        let saved = said.out.lines().filter(|line| line.trim_start().starts_with("saved")).count();
        (saved, cases(folder.path()))
    };
    let (saved, both) = hunt(&["late.toml", "other/late.toml"]);
    assert_eq!(saved, both.len(), "each has a file of its own: {both:?}");
    assert!(both.iter().any(|(name, _)| name.ends_with("-2.case.toml")), "{both:?}");
    let (_, again) = hunt(&["late.toml", "other/late.toml"]);
    assert_eq!(again, both, "what is the same is not written twice");
}

#[test]
fn shrinking_says_what_is_left_and_the_case_replays() {
    let folder = stage(SCENARIO);
    let said = schism(folder.path(), &["hunt", "late.toml", "--seeds", "60", "--no-shrink"]);
    let case =
        said.out.lines().find_map(|line| line.trim().strip_prefix("saved")).expect("one failed").trim();
    let said = schism(folder.path(), &["shrink", case, "--output", "least.case.toml"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("1-minimal") && said.out.contains("  needed "), "{}", said.out);
    assert_eq!(schism(folder.path(), &["replay", "least.case.toml", "--expect", "failing"]).code, 0);
    let again = schism(folder.path(), &["shrink", "least.case.toml", "--output", "again.case.toml"]);
    let scenario = |name: &str| {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(scenario("again.case.toml"), scenario("least.case.toml"), "{}", again.out);
    let said = schism(folder.path(), &["shrink", case, "--budget", "2", "--output", "some.case.toml"]);
    assert_eq!(said.code, 5, "{}{}", said.out, said.err);
    assert!(!said.out.contains("  needed "), "nothing has been shown of them: {}", said.out);
}
