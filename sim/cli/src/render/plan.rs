//! The faults of a plan in words: what each is, whom it will strike, and what it waits for.

use schism_core::Time;
use schism_models::nemesis::{Base, Bounds, Foresight, Planned, Span, Start, Target, bounds, spans};
use schism_runner::Words;
use schism_scenario::Scenario;

use super::gantt::Row;
use super::words::{clean, length, span, wrap};

/// One fault of the plan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// Its row in the chart.
    pub(crate) row: Row,
    /// What it does to whom, in words.
    pub(crate) what: String,
    /// Who that is, side by side, where it is known before the run.
    pub(crate) on: Option<Vec<Vec<String>>>,
    /// The same in a line, where `what` does not say it already.
    pub(crate) who: Option<String>,
    /// What it waits for, and how long after that it begins, in seconds.
    pub(crate) waits: Option<(String, f64, f64)>,
}

/// The faults of a plan, with all that is known of them before the run.
pub(crate) struct Steps<'s> {
    scenario: &'s Scenario,
    words: Words<'s>,
    foresight: Foresight,
    /// In the order in which they begin with the scenario's seed; last those of which nobody can say when.
    order: Vec<(&'s Planned, Span, Option<Bounds>)>,
}

impl<'s> Steps<'s> {
    pub(crate) fn new(scenario: &'s Scenario) -> Steps<'s> {
        let zones = scenario.zones();
        let known: Vec<Option<&Planned>> = scenario.faults.iter().map(Some).collect();
        let spans = spans(&scenario.faults, &zones, scenario.seed);
        let each = scenario.faults.iter().zip(spans).zip(bounds(&known, &zones));
        let mut order: Vec<_> = each.map(|((planned, span), bounds)| (planned, span, bounds)).collect();
        order.sort_by_key(|(_, span, bounds)| {
            let earliest = bounds.map(|bounds| bounds.begins.earliest);
            (span.from.unwrap_or(Time::END), earliest)
        });
        let foresight = Foresight::new(&scenario.faults, zones, scenario.seed);
        Steps { scenario, words: Words::new(scenario), foresight, order }
    }

    /// How many faults there are.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Each fault, told when it is asked for.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Step> + '_ {
        self.order.iter().map(|(planned, span, bounds)| self.step(planned, *span, *bounds))
    }

    fn step(&self, planned: &Planned, span: Span, bounds: Option<Bounds>) -> Step {
        let (drawn_from, waits) = match planned.start {
            Start::At(_) => (None, None),
            Start::Between(from, to) => (Some((from.as_secs_f64(), to.as_secs_f64())), None),
            Start::When(trigger, wait) => {
                let word = self.scenario.trigger(trigger);
                (None, Some((word, wait.least.as_secs_f64(), wait.most.as_secs_f64())))
            }
        };
        let heard = span.heard.or(bounds.map(|bounds| bounds.begins.earliest)).filter(|_| waits.is_some());
        let row = Row {
            id: planned.id.clone(),
            from_s: span.from.map(Time::as_secs_f64),
            to_s: span.to.map(Time::as_secs_f64),
            until_done: planned.ends_itself(),
            drawn_from,
            heard_s: heard.map(Time::as_secs_f64),
            waits_for: waits.as_ref().map(|(word, ..)| word.clone()),
            kind: planned.chosen(self.scenario.seed).name().to_owned(),
        };
        let (on, who) = self.whom(planned);
        Step { row, what: self.words.with_seed(planned, self.scenario.seed), on, who, waits }
    }

    /// Whom it will strike, by name, and in a line if its own words do not name them.
    fn whom(&self, planned: &Planned) -> (Option<Vec<Vec<String>>>, Option<String>) {
        let Some(sides) = self.foresight.whom(planned) else { return (None, None) };
        let on = sides.iter().map(|side| self.words.each(side)).collect();
        let targets = planned.chosen(self.scenario.seed).sides();
        let named = targets.into_iter().flatten().all(is_named);
        let line = || sides.iter().map(|side| self.words.nodes(side)).collect::<Vec<_>>().join(" | ");
        (Some(on), (!named).then(line))
    }
}

/// Whether a target says by itself who is meant.
fn is_named(target: &Target) -> bool {
    match target.base {
        Base::Node(_) | Base::Group(_) => target.select.is_none(),
        Base::Zone(_) | Base::Rest => false,
    }
}

/// What each fault is, in lines of at most so many columns.
pub(crate) fn descriptions(steps: &[Step], columns: usize) -> Vec<String> {
    let describe = |step: &Step| {
        let mut lines = wrap(&description(step), columns - 4).into_iter();
        let first = lines.next();
        first.into_iter().chain(lines.map(|line| format!("    {line}"))).collect::<Vec<String>>()
    };
    steps.iter().flat_map(describe).collect()
}

fn description(step: &Step) -> String {
    let mut text = format!("{} · {} · {}", clean(&step.row.id), step.row.when(), step.what);
    if let Some(who) = &step.who {
        text += &format!(" · on {who}");
    }
    if let Some((from, to)) = step.row.drawn_from {
        text += &format!(" · start drawn from {}", span(from, Some(to)));
    }
    if let Some((word, least, most)) = &step.waits {
        text += &match (*least, *most) {
            (_, most) if most <= 0.0 && step.row.from_s.is_none() => String::new(),
            (_, most) if most <= 0.0 => format!(" · at {word}"),
            (least, most) if least < most => format!(" · {} after {word}", span(least, Some(most))),
            (least, _) => format!(" · {} after {word}", length(least)),
        };
    }
    text
}
