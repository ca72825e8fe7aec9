//! `schism init`: one commented scenario to start from.

use std::fs;

use crate::args::Init;
use crate::console::Console;
use crate::exit::{Ending, Trouble};
use crate::render::style::{self, paint};
use crate::{files, replay};

/// The scenario that is written.
pub(crate) const SCENARIO: &str = include_str!("init/scenario.toml");

const NAME: &str = "scenario.toml";

pub(crate) fn execute(init: &Init, console: &mut Console) -> Result<Ending, Trouble> {
    fs::create_dir_all(&init.dir)
        .map_err(|error| Trouble::new(format!("cannot make the folder {}: {error}", init.dir.display())))?;
    let path = if init.dir.as_os_str() == "." { NAME.into() } else { init.dir.join(NAME) };
    files::create(&path, SCENARIO)?;
    let file = replay::quoted(&path.display().to_string());
    console.print(&format!(
        "wrote {}\n\n  {}   what goes wrong in it, and when\n  {}    run it\n",
        path.display(),
        paint(style::NAME, format!("schism plan {file}")),
        paint(style::NAME, format!("schism run {file}")),
    ))?;
    Ok(Ending::Holds)
}
