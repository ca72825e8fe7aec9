//! `schism completions` and `schism man`: what clap knows of the command line, for shells and for readers.

use clap::CommandFactory;

use crate::args::{Args, Completions};
use crate::console::Console;
use crate::exit::{Ending, Trouble};

pub(crate) fn execute(completions: &Completions, console: &mut Console) -> Result<Ending, Trouble> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut Args::command(), "schism", &mut script);
    console.print(&String::from_utf8(script).expect("a script of ASCII words"))?;
    Ok(Ending::Holds)
}

/// The manual page, in roff.
pub(crate) fn manual(console: &mut Console) -> Result<Ending, Trouble> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut page)?;
    console.print(&String::from_utf8_lossy(&page))?;
    Ok(Ending::Holds)
}
