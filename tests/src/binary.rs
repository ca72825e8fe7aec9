//! The command, built in a profile and run as a user runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

use crate::repository::{cargo, root};

/// How the command is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// As `cargo build` does.
    Dev,
    /// As `cargo build --release` does.
    Release,
}

/// The command, built when it is first asked for.
pub fn binary(profile: Profile) -> &'static Path {
    static DEV: OnceLock<PathBuf> = OnceLock::new();
    static RELEASE: OnceLock<PathBuf> = OnceLock::new();
    let slot = match profile {
        Profile::Dev => &DEV,
        Profile::Release => &RELEASE,
    };
    slot.get_or_init(|| build(profile))
}

/// The command, about to be run in the root of the workspace.
pub fn schism(profile: Profile) -> Command {
    let mut command = Command::new(binary(profile));
    command.current_dir(root());
    command
}

/// The digest that the command reports of a run of a scenario with its own seed.
pub fn digest(mut command: Command, scenario: &str) -> String {
    let output = command.args(["run", scenario, "--format", "json"]).output().expect("the command runs");
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| broken(scenario, &output, error));
    report["digest"].as_str().expect("a report has a digest").to_owned()
}

fn broken(scenario: &str, output: &Output, error: serde_json::Error) -> Value {
    panic!("{scenario}: {error}; {}: {}", output.status, String::from_utf8_lossy(&output.stderr))
}

/// An example of this package. It is none of its binaries, so that `cargo run` knows the one that users mean.
pub fn example(name: &str) -> PathBuf {
    built(&["--package", "schism-tests", "--example", name])
}

fn build(profile: Profile) -> PathBuf {
    match profile {
        Profile::Dev => built(&["--package", "schism"]),
        Profile::Release => built(&["--package", "schism", "--release"]),
    }
}

fn built(what: &[&str]) -> PathBuf {
    let mut command = cargo();
    command.arg("build").args(what).args(["--message-format", "json-render-diagnostics"]);
    let output = command.output().expect("cargo runs");
    assert!(output.status.success(), "cargo build: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable =
        messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
    executable.expect("it is one executable")
}
