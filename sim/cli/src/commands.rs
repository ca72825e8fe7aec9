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

use crate::args::Command;
use crate::console::Console;
use crate::exit::{Ending, Trouble};

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
        Command::Trail(verify) => verify::print_trail(&verify, console),
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
