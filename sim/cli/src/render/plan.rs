//! The faults of a plan in words: what each is, and whom it names.

use schism_core::Time;
use schism_models::nemesis::{Planned, Span, Start, spans};
use schism_scenario::Scenario;

use super::gantt::Row;
use super::words::{clean, span, wrap};

/// One fault of the plan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// Its row in the chart.
    pub(crate) row: Row,
    /// What it does to whom, in words.
    pub(crate) what: String,
}

/// The faults, in the order in which they begin with the scenario's seed.
pub(crate) fn steps(scenario: &Scenario) -> Vec<Step> {
    let mut steps: Vec<Step> = scenario
        .faults
        .iter()
        .zip(spans(&scenario.faults, scenario.seed))
        .map(|(fault, span)| step(fault, span, scenario))
        .collect();
    steps.sort_by(|a, b| a.row.from_s.total_cmp(&b.row.from_s));
    steps
}

fn step(planned: &Planned, Span { from, to }: Span, scenario: &Scenario) -> Step {
    let drawn_from = match planned.start {
        Start::At(_) | Start::When(..) => None,
        Start::Between(from, to) => Some((from.as_secs_f64(), to.as_secs_f64())),
    };
    let row = Row {
        id: planned.id.clone(),
        from_s: from.unwrap_or(Time::END).as_secs_f64(),
        to_s: to.map(|to| to.as_secs_f64()),
        drawn_from,
        kind: planned.fault.name().to_owned(),
    };
    Step { row, what: schism_runner::of_fault(scenario, &planned.fault) }
}

/// What each fault is, in lines of at most so many columns.
pub(crate) fn descriptions(steps: &[Step], columns: usize) -> Vec<String> {
    let describe = |step: &Step| {
        let mut text = format!("{} · {} · {}", clean(&step.row.id), step.row.when(), step.what);
        if let Some((from, to)) = step.row.drawn_from {
            text += &format!(" · start drawn from {}", span(from, Some(to)));
        }
        let mut lines = wrap(&text, columns - 4).into_iter();
        let first = lines.next();
        first.into_iter().chain(lines.map(|line| format!("    {line}"))).collect::<Vec<String>>()
    };
    steps.iter().flat_map(describe).collect()
}
