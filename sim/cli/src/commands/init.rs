//! `schism init`: one commented scenario to start from, and in a crate a test of it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::args::Init;
use crate::console::Console;
use crate::exit::{Ending, Trouble};
use crate::render::style::{self, paint};
use crate::{files, replay};

/// The scenario that is written.
pub(crate) const SCENARIO: &str = include_str!("init/scenario.toml");

const NAME: &str = "scenario.toml";

/// The test that is written beside it where there is a crate.
const TEST: &str = include_str!("init/recovery.rs");

const TESTS: &str = "tests";
const TEST_NAME: &str = "recovery.rs";

pub(crate) fn execute(init: &Init, console: &mut Console) -> Result<Ending, Trouble> {
    fs::create_dir_all(&init.dir)
        .map_err(|error| Trouble::new(format!("cannot make the folder {}: {error}", init.dir.display())))?;
    let folder = if init.dir.as_os_str() == "." { PathBuf::new() } else { init.dir.clone() };
    let path = folder.join(NAME);
    files::create(&path, SCENARIO)?;
    let file = replay::quoted(&path.display().to_string());
    let test = test(&folder)?;
    console.print(&format!(
        "wrote {}\n{}\n  {}   what goes wrong in it, and when\n  {}    run it\n{}",
        path.display(),
        test.as_ref().map_or(String::new(), |test| format!("wrote {}\n", test.display())),
        paint(style::NAME, format!("schism plan {file}")),
        paint(style::NAME, format!("schism run {file}")),
        test.map_or(String::new(), |_| format!(
            "  {}{:width$}test its recovery, with schism-snapshot among the dev-dependencies\n",
            paint(style::NAME, "cargo test"),
            "",
            width = "schism plan ".len() + file.len() + 3 - "cargo test".len(),
        )),
    ))?;
    Ok(Ending::Holds)
}

/// Where there is a crate, a test that keeps the recovery under snapshot; one that is there already stays.
fn test(folder: &Path) -> Result<Option<PathBuf>, Trouble> {
    let path = folder.join(TESTS).join(TEST_NAME);
    if !folder.join("Cargo.toml").is_file() || path.exists() {
        return Ok(None);
    }
    fs::create_dir_all(folder.join(TESTS)).map_err(|error| {
        Trouble::new(format!("cannot make the folder {}: {error}", folder.join(TESTS).display()))
    })?;
    files::create(&path, TEST)?;
    Ok(Some(path))
}
