//! The `schism` command: reads arguments and files, writes reports, answers with an exit code.

mod args;
mod commands;
mod console;
mod engine;
mod exit;
mod files;
mod interrupt;
mod live;
mod progress;
mod render;
mod replay;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::console::Console;

fn main() -> ExitCode {
    match Args::try_parse() {
        Ok(args) => {
            let mut console = Console::new(args.color);
            let outcome = commands::execute(args.command, &mut console);
            exit::of(outcome, &mut console)
        }
        // clap's own words: help and version go to stdout with 0, mistakes to stderr with 2. A closed pipe is no news.
        Err(said) => {
            said.print().ok();
            ExitCode::from(u8::try_from(said.exit_code()).unwrap_or(exit::REFUSED))
        }
    }
}
