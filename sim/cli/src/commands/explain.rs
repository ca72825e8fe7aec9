//! `schism explain`: when a failure was sealed, which faults it took, what would have avoided it, and how it came about.

use schism_models::node::Node;
use schism_runner::explain::{self, Effort, Nothing};

use crate::args::{Explain, Format};
use crate::commands::pretty;
use crate::console::Console;
use crate::exit::{Ending, Trouble};
use crate::progress::Progress;
use crate::render::{self, explain::Asked};
use crate::{engine, files, replay};

pub(crate) fn execute(asked: &Explain, console: &mut Console) -> Result<Ending, Trouble> {
    let (scenario, case) = engine::open_case(&asked.input, asked.seed, console)?;
    let seed = scenario.seed;
    // A case is about one failure, whatever else may fail in it.
    let expectation = asked.expectation.clone().or(case.map(|case| case.expectation));
    let replay = replay::command(&asked.input.file, seed.0, &asked.input.changes.set);
    let effort = Effort { futures: asked.futures, events: asked.effort.saturating_mul(1_000_000) };
    let mut progress = Progress::begin("explained");
    let mut told = |done| progress.tell(done);
    let explained = explain::explain::<Node>(&scenario, seed, expectation.as_deref(), effort, &mut told);
    progress.end();
    let explanation = explained.map_err(|nothing| trouble(nothing, expectation.as_deref(), &replay))?;
    let text = match asked.answer.format {
        Format::Json => pretty(&serde_json::to_value(&explanation).expect("plain data with text keys")),
        Format::Text => {
            let file = (!files::is_dash(&asked.input.file)).then(|| {
                let set = asked.input.changes.set.iter().map(|it| format!(" --set {}", replay::quoted(it)));
                (replay::quoted(&asked.input.file.display().to_string()), set.collect())
            });
            let asked = Asked { replay, file, effort: asked.effort, width: console.width() };
            render::explain::text(&explanation, &asked)
        }
    };
    console.deliver(&text, &asked.answer.destination)?;
    Ok(Ending::Holds)
}

fn trouble(nothing: Nothing, expectation: Option<&str>, replay: &str) -> Trouble {
    match nothing {
        Nothing::Held(_) => {
            Trouble::new("no expectation failed: there is nothing to explain").help(format!("see {replay}"))
        }
        Nothing::NotThisOne(others) => {
            let wanted = expectation.unwrap_or_default();
            Trouble::new(format!("the expectation {wanted} did not fail"))
                .help(format!("these did: {}", others.join(", ")))
        }
    }
}
