//! The repository as it lies on disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The folder of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace")
}

/// Every file below a folder of the repository, sorted by path; what is built or hidden from view is left out.
pub fn files(below: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root().join(below), &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder can be read to its end").path();
        let name = path.file_name().unwrap_or_default();
        if path.is_file() {
            found.push(path);
        } else if path.is_dir() && name != "target" && name != ".git" && name != "book" {
            collect(&path, found);
        }
    }
}

/// A path as the repository's own documents write it: from its root, with `/`.
pub fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).expect("it lies in the repository");
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The text of a file.
pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A cargo command, run in the root of the workspace.
pub fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root());
    command
}

/// What `cargo metadata` says of the workspace and all that it depends on.
pub fn metadata() -> Value {
    let output = cargo().args(["metadata", "--format-version", "1"]).output().expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}
