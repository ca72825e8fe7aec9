//! The commands, one file each.

mod check;
mod completions;
mod diff;
mod explain;
pub(crate) mod hunt;
mod init;
mod inspect;
mod list;
mod pick;
mod plan;
pub(crate) mod replay;
mod run;
mod schema;
mod shrink;
mod verify;

use std::collections::BTreeMap;
use std::path::Path;

use schism_scenario::limits;

use crate::args::Command;
use crate::console::Console;
use crate::exit::{Ending, Trouble};
use crate::files;

/// Does what was asked.
pub(crate) fn execute(command: Command, console: &mut Console) -> Result<Ending, Trouble> {
    match command {
        Command::Run(run) => run::execute(&run, console),
        Command::Replay(replays) => replay::execute(&replays, console),
        Command::Hunt(args) => hunt::execute(&args, console),
        Command::Digests(args) => hunt::print_digests(&args, console),
        Command::Shrink(args) => shrink::execute(&args, console),
        Command::Check(check) => check::execute(&check, console),
        Command::Verify(verify) => verify::execute(&verify, console),
        Command::Trail(trail) => verify::print_trail(&trail, console),
        Command::Diff(diff) => diff::execute(&diff, console),
        Command::Plan(plan) => plan::execute(&plan, console),
        Command::Inspect(asked) => inspect::execute(&asked, console),
        Command::Explain(asked) => explain::execute(&asked, console),
        Command::Pick(pick) => pick::execute(&pick, console),
        Command::List(list) => list::execute(&list, console),
        Command::Schema(schema) => schema::execute(&schema, console),
        Command::Init(init) => init::execute(&init, console),
        Command::Completions(completions) => completions::execute(&completions, console),
        Command::Man => completions::manual(console),
    }
}

/// JSON as it is written: indented, with a newline at its end.
fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

/// At which line of its file each expectation begins, if they are written as tables of their own.
fn expectation_lines<'a>(file: &Path, ids: impl Iterator<Item = &'a String>) -> BTreeMap<String, usize> {
    if files::is_dash(file) {
        return BTreeMap::new();
    }
    let Ok(source) = files::read(file, limits::FILE_BYTES) else { return BTreeMap::new() };
    let text = String::from_utf8_lossy(&source.bytes);
    let begins = |(_, line): &(usize, &str)| line.trim_start().starts_with("[[expect]]");
    let lines = (1..).zip(text.lines()).filter(begins).map(|(number, _)| number);
    ids.cloned().zip(lines).collect()
}
