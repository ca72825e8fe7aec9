//! The shell: commands from the terminal, with a line editor, or from stdin, one a line.

use std::io::{self, BufRead, IsTerminal};

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use schism_runner::inspect::Reached;
use schism_scenario::suggest;

use super::session::{Question, Session};
use crate::console::Console;
use crate::exit::{Ending, Trouble};
use crate::render::inspect as render;

/// What a command has come to.
enum Said {
    Text(String),
    Quit,
}

/// The commands, each with its arguments and what it does.
const COMMANDS: &[(&str, &str)] = &[
    ("at TIME", "go to a moment: 45s, or +5s and -5s from here"),
    ("step [N]", "go on by N events; 1 by default"),
    (
        "until EXPR",
        "go on until it happens: leader-changes, lease-expires, FAULT.begins, FAULT.heals, an expectation's id",
    ),
    ("", "or an oracle's name, `beliefs INSTANCE changes`, `node NODE changes`, a time"),
    ("back [N]", "go back by N events; 1 by default"),
    ("back until EXPR", "go back to where it happened last"),
    ("nodes", "every node in a line"),
    ("node NODE [-v]", "one node: what ails it, what it waits for, its timers, its state"),
    ("timers [NODE]", "timers, soonest first"),
    ("waits [dot]", "who waits for whom, and in a ring; as a graph for Graphviz"),
    ("beliefs INSTANCE", "what everyone thinks of it, beside the truth"),
    ("locks", "who holds which lock, by the registry's word and by its own, and who waits"),
    ("islands", "who can reach whom"),
    ("faults", "the plan, and what of it is in force"),
    ("fork PATH=VALUE ...", "from here on with another fault: fault.ID.KEY=VALUE, if it has not begun"),
    ("fork without FAULT ...", "from here on without a fault that has not begun"),
    ("luck N", "from here on with other random draws for all but the faults: future N of an explanation"),
    ("run", "how the run comes out from here; it stays where it is"),
    ("where", "the moment"),
    ("help, quit", ""),
];

/// Reads commands until they end.
pub(super) fn run(session: &mut Session, console: &mut Console) -> Result<Ending, Trouble> {
    if io::stdin().is_terminal() { converse(session, console) } else { obey(session, console) }
}

/// From a person: what is wrong is told, and the next command read.
fn converse(session: &mut Session, console: &mut Console) -> Result<Ending, Trouble> {
    let trouble = |error: &ReadlineError| Trouble::new(format!("cannot read the terminal: {error}"));
    let mut editor = DefaultEditor::new().map_err(|error| trouble(&error))?;
    console.print(&session.place())?;
    loop {
        let prompt = format!("(schism {:.3}s) ", session.inspection.at().as_secs_f64());
        match editor.readline(&prompt) {
            Ok(line) => {
                editor.add_history_entry(&line).ok();
                match answer(session, &line) {
                    Ok(Said::Text(text)) => console.print(&text)?,
                    Ok(Said::Quit) => return Ok(Ending::Holds),
                    Err(trouble) => console.complain(trouble.text()),
                }
            }
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => return Ok(Ending::Holds),
            Err(error) => return Err(trouble(&error)),
        }
    }
}

/// From a script: the first command that is wrong ends it.
fn obey(session: &mut Session, console: &mut Console) -> Result<Ending, Trouble> {
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| Trouble::new(format!("cannot read stdin: {error}")))?;
        match answer(session, &line)? {
            Said::Text(text) => console.print(&text)?,
            Said::Quit => break,
        }
    }
    Ok(Ending::Holds)
}

fn answer(session: &mut Session, line: &str) -> Result<Said, Trouble> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let text = match command {
        "" => String::new(),
        "quit" | "exit" | "q" => return Ok(Said::Quit),
        "help" | "?" => render::help(COMMANDS),
        "where" => session.place(),
        "at" => {
            session.go_to(rest)?;
            session.place()
        }
        "step" => {
            let reached = session.inspection.step(number(rest)?);
            came(session, reached)
        }
        "until" => {
            let condition = session.condition(rest)?;
            let reached = session.inspection.go_until(&condition);
            came(session, reached)
        }
        "back" => back(session, rest)?,
        "nodes" => show(session, &[], Question { timers: false, verbose: false, named: false })?,
        "node" => {
            let verbose = rest.split_whitespace().any(|word| word == "-v");
            let names: Vec<String> = words(rest).filter(|word| word != "-v").collect();
            if names.is_empty() {
                return Err(Trouble::new("which node?").help("node registry-0; `nodes` lists them"));
            }
            show(session, &names, Question { timers: false, verbose, named: true })?
        }
        "timers" => {
            let names: Vec<String> = words(rest).collect();
            show(session, &names, Question { timers: true, verbose: false, named: true })?
        }
        "waits" if rest == "dot" => session.inspection.waits().dot(),
        "waits" => session.waits_text(),
        "beliefs" => session.beliefs_text(&session.beliefs(rest)?),
        "locks" => session.locks_text(),
        "islands" => session.islands_text(),
        "faults" => session.faults_text(),
        "fork" => {
            match rest.strip_prefix("without ") {
                Some(faults) => session.fork(&[], &words(faults).collect::<Vec<_>>())?,
                None => session.fork(&words(rest).collect::<Vec<_>>(), &[])?,
            }
            session.place()
        }
        "luck" => {
            let number =
                rest.parse().map_err(|_| Trouble::new(format!("`{rest}` is no number of a future")))?;
            session.inspection.redraw(number);
            session.place()
        }
        "run" => session.run().0,
        _ => {
            let known = COMMANDS.iter().flat_map(|(usage, _)| usage.split([' ', ',']).next());
            let known: Vec<&str> = known.filter(|name| !name.is_empty()).chain(["quit"]).collect();
            let trouble = Trouble::new(format!("there is no command `{command}`"));
            return Err(match suggest(command, known) {
                Some(help) => trouble.help(help),
                None => trouble.help("`help` lists them"),
            });
        }
    };
    Ok(Said::Text(text))
}

fn back(session: &mut Session, rest: &str) -> Result<String, Trouble> {
    let reached = match rest.strip_prefix("until ") {
        Some(condition) => {
            let condition = session.condition(condition.trim())?;
            session.inspection.back_until(&condition)
        }
        None => session.inspection.back(number(rest)?),
    };
    Ok(came(session, reached))
}

fn show(session: &Session, names: &[String], question: Question) -> Result<String, Trouble> {
    Ok(session.show(&session.nodes(names)?, question))
}

/// Where that has led.
fn came(session: &Session, reached: Reached) -> String {
    let place = session.place();
    match reached {
        Reached::Goal => place,
        Reached::End => format!("that does not happen before the end of the run\n{place}"),
        Reached::Beginning => format!("that has not happened before this moment\n{place}"),
    }
}

fn number(text: &str) -> Result<u64, Trouble> {
    if text.is_empty() {
        return Ok(1);
    }
    text.parse().map_err(|_| Trouble::new(format!("`{text}` is no number of events")))
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(str::to_owned)
}
