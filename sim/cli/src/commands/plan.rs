//! `schism plan`: the resolved scenario, with its faults on a time line. The text is itself a scenario.

use schism_scenario::Scenario;
use serde_json::{Value, json};

use crate::args::{Format, Plan};
use crate::commands::pretty;
use crate::console::Console;
use crate::exit::{Ending, Trouble};
use crate::render::plan::{self, Step, Steps};
use crate::render::{gantt, words};
use crate::{console, engine};

/// How many faults are shown unless all are asked for.
const SHOWN: usize = 200;

/// Columns of the comments before the scenario; it is often read in a file.
const WIDTH: usize = 100;

pub(crate) fn execute(plan: &Plan, console: &mut Console) -> Result<Ending, Trouble> {
    let scenario = engine::open(&plan.input, plan.seed, console)?;
    let steps = Steps::new(&scenario);
    let shown = if plan.verbose { steps.len() } else { SHOWN };
    let text = match plan.format {
        Format::Text => format!("{}{}", comments(&scenario, &steps, shown), scenario.to_toml()),
        Format::Json => pretty(&json(&scenario, &steps)),
    };
    console.deliver(&text, &plan.destination)?;
    Ok(Ending::Holds)
}

/// The time line as TOML comments. Colours end before the line does, so that it stays a comment without them.
fn comments(scenario: &Scenario, all: &Steps<'_>, shown: usize) -> String {
    let steps: Vec<Step> = all.iter().take(shown).collect();
    let rows: Vec<gantt::Row> = steps.iter().map(|step| step.row.clone()).collect();
    let mut lines =
        vec![format!("{}: seed {}", words::clean(&scenario.title), scenario.seed.0), String::new()];
    if rows.is_empty() {
        lines.push("No faults.".to_owned());
    } else {
        lines.extend(gantt::chart(&rows, scenario.length.as_secs_f64(), WIDTH - 2));
        lines.push(String::new());
        lines.extend(plan::descriptions(&steps, WIDTH - 2));
        let more = all.len() - steps.len();
        if more > 0 {
            lines.push(format!("and {}; -v shows all", words::many(more as u64, "more fault")));
        }
    }
    lines.push(String::new());
    let comment = |line: String| format!("# {line}").trim_end().to_owned() + "\n";
    lines.into_iter().map(comment).collect::<String>() + "\n"
}

/// The faults as data beside the scenario as TOML.
fn json(scenario: &Scenario, steps: &Steps<'_>) -> Value {
    let fault = |step: Step| {
        json!({
            "id": step.row.id,
            "kind": step.row.kind,
            "what": step.what,
            "from_s": step.row.from_s,
            "to_s": step.row.to_s,
            "until_done": step.row.until_done,
            "drawn_from_s": step.row.drawn_from.map(|(from, to)| [from, to]),
            "waits_for": step.waits.as_ref().map(|(what, ..)| what),
            "after_s": step.waits.as_ref().map(|(_, least, most)| [least, most]),
            "on": step.on,
        })
    };
    json!({
        "schema": "schism.plan/1",
        "scenario": { "title": scenario.title, "digest": scenario.digest.to_string() },
        "seed": scenario.seed.0,
        "length_s": scenario.length.as_secs_f64(),
        "faults": steps.iter().map(fault).collect::<Vec<Value>>(),
        "toml": console::plain(&scenario.to_toml()),
    })
}
