//! `schism inspect`: a run that stands still, and whatever can be seen of it then.

mod session;
mod shell;

use schism_runner::Inspection;
use schism_runner::inspect::Reached;
use serde_json::{Value, json};

use crate::args::{Inspect, Shown};
use crate::commands::pretty;
use crate::console::Console;
use crate::exit::{Ending, Trouble};
use crate::{engine, files};

use session::{Question, Session};

pub(crate) fn execute(asked: &Inspect, console: &mut Console) -> Result<Ending, Trouble> {
    if !asks(asked) && files::is_dash(&asked.input.file) {
        return Err(Trouble::new("the scenario and the commands cannot both come from stdin")
            .help("name a file, or ask with options: --at 45s --node registry-0"));
    }
    let scenario = engine::open(&asked.input, asked.seed, console)?;
    let seed = scenario.seed;
    let mut session = Session::new(Inspection::new(scenario, seed), &asked.input);
    if !asks(asked) {
        return shell::run(&mut session, console);
    }
    go(asked, &mut session)?;
    if asked.run {
        let (text, verdict) = session.run();
        console.print(&text)?;
        return Ok(Ending::from(verdict));
    }
    let text = answer(asked, &session)?;
    console.print(&text)?;
    Ok(Ending::Holds)
}

/// Whether anything is asked on the command line.
fn asks(asked: &Inspect) -> bool {
    let Inspect { at, until, back, fork, without, run, node, beliefs, timers, waits, islands, .. } = asked;
    let Inspect { luck, locks, .. } = asked;
    at.is_some()
        || until.is_some()
        || back.is_some()
        || luck.is_some()
        || *locks
        || *run
        || *timers
        || *waits
        || *islands
        || [fork, without, node, beliefs].into_iter().any(|list| !list.is_empty())
}

/// Goes to the moment that is asked for.
fn go(asked: &Inspect, session: &mut Session) -> Result<(), Trouble> {
    if let Some(at) = &asked.at {
        session.go_to(at)?;
    }
    if let Some(condition) = &asked.until {
        let condition = session.condition(condition)?;
        if session.inspection.go_until(&condition) == Reached::End {
            return Err(Trouble::new(format!(
                "`{}` does not happen before the end of the run",
                asked.until.as_deref().unwrap_or_default()
            )));
        }
    }
    if let Some(events) = asked.back {
        session.inspection.back(events);
    }
    if let Some(number) = asked.luck {
        session.inspection.redraw(number);
    }
    session.fork(&asked.fork, &asked.without)
}

fn answer(asked: &Inspect, session: &Session) -> Result<String, Trouble> {
    let subjects = asked.beliefs.iter().map(|name| session.beliefs(name)).collect::<Result<Vec<_>, _>>()?;
    let nodes = session.nodes(&asked.node)?;
    let question = Question { timers: asked.timers, verbose: asked.verbose, named: !asked.node.is_empty() };
    Ok(match asked.format {
        Shown::Dot => session.inspection.waits().dot(),
        Shown::Json => {
            let mut value = session.json(&nodes, question);
            if !subjects.is_empty() {
                value["beliefs"] = json!(subjects);
            }
            if asked.locks {
                value["locks"] = json!(session.inspection.locks());
            }
            if asked.waits {
                value["waits"] = json!(session.inspection.waits());
            }
            pretty(&value)
        }
        Shown::Text => {
            let mut parts = vec![session.place()];
            let only_parts = !subjects.is_empty() || asked.waits || asked.islands || asked.locks;
            if !(asked.node.is_empty() && only_parts && !asked.timers) {
                parts.push(session.show(&nodes, question));
            }
            parts.extend(subjects.iter().map(|beliefs| session.beliefs_text(beliefs)));
            parts.extend(asked.locks.then(|| session.locks_text()));
            parts.extend(asked.waits.then(|| session.waits_text()));
            parts.extend(asked.islands.then(|| session.islands_text()));
            parts.concat()
        }
    })
}

/// JSON for one answer of several.
type Answer = Value;
