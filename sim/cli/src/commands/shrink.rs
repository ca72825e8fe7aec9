//! `schism shrink`: the least scenario that still fails in the same way, as a case.

use schism_models::node::Node;
use schism_runner::ledger::Listed;
use schism_runner::shrink::{self, Budget, Proof, Shrunk};
use schism_runner::{Failure, case};
use schism_scenario::{Case, Document, Scenario};

use crate::args::{Format, Shrink};
use crate::console::{self, Console};
use crate::exit::{Ending, Trouble};
use crate::progress::Progress;
use crate::render::shrink as render;
use crate::{engine, files, replay};

pub(crate) fn execute(args: &Shrink, console: &mut Console) -> Result<Ending, Trouble> {
    let (scenario, case) = engine::open_case(&args.input, args.seed, console)?;
    let failure = failure(args, &scenario, case.as_ref())?;
    let budget = Budget { runs: args.budget, ..Budget::default() };
    let mut progress = Progress::begin("of the budget spent");
    let shrunk = shrink::shrink::<Node>(&Document::of(&scenario), &failure, budget, &mut |so_far| {
        progress.tell(so_far.runs as f64 / args.budget.max(1) as f64);
    });
    progress.end();
    let shrunk = shrunk.ok_or_else(|| Trouble::new("the failure does not come again"))?;
    write(args, &shrunk, console)?;
    Ok(match shrunk.proof {
        Proof::Minimal { .. } => Ending::Holds,
        Proof::Unknown => Ending::Undecided,
    })
}

/// Which failure is meant: that of a case, or the first that the run has.
fn failure(args: &Shrink, scenario: &Scenario, case: Option<&Case>) -> Result<Failure, Trouble> {
    let report = schism_runner::run(scenario, scenario.seed, Listed::Wrong);
    let wanted = |failure: &Failure| match (&args.expectation, case) {
        (Some(id), _) => failure.expectation == *id,
        (None, Some(case)) => failure.expectation == case.expectation && failure.signature == case.signature,
        (None, None) => true,
    };
    let found = report.failures().find(wanted);
    found.ok_or_else(|| {
        let what = match (&args.expectation, case) {
            (Some(id), _) => format!("`{id}` does not fail"),
            (None, Some(case)) => format!("`{}` does not fail as recorded any more", case.expectation),
            (None, None) => "nothing fails".to_owned(),
        };
        let file = args.input.file.display().to_string();
        Trouble::new(format!("{what} in {file} with seed {}: there is nothing to shrink", scenario.seed.0))
            .help("schism run shows what became of its expectations; schism hunt finds seeds that fail")
    })
}

/// The case goes to its file and what there is to say to stdout; or, without a file, the case to stdout.
fn write(args: &Shrink, shrunk: &Shrunk, console: &mut Console) -> Result<(), Trouble> {
    let kept = case::keep(&shrunk.scenario, shrunk.scenario.seed, &shrunk.failure)
        .expect("what was shrunk still fails");
    let path = args.output.as_deref().filter(|path| !files::is_dash(path));
    let name = path.map(|path| replay::quoted(&path.display().to_string()));
    let text = kept.file(name.as_deref().unwrap_or("CASE"), &render::story(shrunk));
    if let Some(path) = path {
        files::write(path, &text)?;
    }
    match (args.format, name) {
        (Format::Json, _) => console.print(&render::json(shrunk, &text))?,
        (Format::Text, Some(name)) => console.print(&render::text(shrunk, Some(&name), console.width()))?,
        (Format::Text, None) => {
            console.complain(&render::text(shrunk, None, console.width()));
            console.print(&console::plain(&text))?;
        }
    }
    Ok(())
}
