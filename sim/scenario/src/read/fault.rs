//! `[[fault]]`: when, how long, what, and to whom.

use schism_core::Duration;
use schism_models::nemesis::{Lasting, Nature, OnMiss, OnOverlap, Wait};

use super::expect;
use crate::Line;
use crate::diagnostics::{Problem, Report};
use crate::fault;
use crate::grammar::{self, Least, SEQUENCE, Shape};
use crate::limits;
use crate::reader::{Field, Read, Section, too_many};
use crate::source::{At, Place};
use crate::spec::{EndSpec, FaultSpec, RepeatSpec, StartSpec, StepSpec, WhenSpec};
use crate::target::{self, TargetSpec};
use crate::tree::{Entry, Node, Tree};

pub(crate) fn read(section: &Section<'_>) -> FaultSpec {
    let what = section.only("what goes wrong", grammar::WHATS);
    let steps = match what {
        Some(entry) if entry.key == SEQUENCE => sequence(section).unwrap_or_default(),
        Some(_) | None => vec![step(section, what)],
    };
    // A key that is no key may have been meant to say when it ends.
    let unsure = section.has_strangers() && steps.iter().any(|step| matches!(step.end, EndSpec::Never));
    let named = |entry: &Entry| grammar::WHATS.iter().find(|name| **name == entry.key).copied();
    FaultSpec {
        place: section.place,
        id: section.maybe("id"),
        what: what.and_then(named).unwrap_or("fault"),
        start: start(section).filter(|_| !unsure),
        repeat: section.entry("repeat").and_then(|_| repeat(&section.child("repeat"))),
        steps,
        on_miss: if section.value("may-miss").value { OnMiss::Fine } else { OnMiss::Vacuous },
        on_overlap: if section.value("may-overlap").value { OnOverlap::Fine } else { OnOverlap::Refused },
    }
}

/// The steps of a sequence. Each has its own end, and all but the last are healed.
fn sequence(section: &Section<'_>) -> Option<Vec<StepSpec>> {
    for entry in ["for", "until"].iter().filter_map(|key| section.entry(key)) {
        let message =
            format!("`{}` says when one fault ends, and each step of a `sequence` has its own", entry.key);
        section.report.add(Problem::error(entry.place, message).help("write it in the steps"));
    }
    let tables = section.list(SEQUENCE, limits::FAULTS)?;
    if tables.is_empty() {
        let place = section.entry(SEQUENCE).map_or(section.place, |entry| entry.place);
        let problem = Problem::error(place, "`sequence` has no steps");
        section.report.add(
            problem.help("write sequence = [{ crash = \"orders-0\", for = \"5s\", then = \"2s\" }, ...]"),
        );
        return None;
    }
    let last = tables.len() - 1;
    for (number, table) in tables.iter().enumerate() {
        if let Some(entry) = table.entry("then").filter(|_| number == last) {
            let problem = Problem::error(entry.place, "nothing comes after the last step of a sequence");
            section.report.add(problem.help("leave `then` out"));
        }
    }
    let step = |table: &Section<'_>| step(table, table.only("what goes wrong", fault::KINDS));
    let steps: Vec<StepSpec> = tables.iter().map(step).collect();
    for step in &steps[..last] {
        let lasts = step.kind.as_ref().is_some_and(|kind| kind.value.lasting() == Lasting::Span);
        if lasts && matches!(step.end, EndSpec::Never) {
            let problem =
                Problem::error(step.place, "this step is never healed, and the next waits for that");
            section.report.add(problem.help("give it a `for`"));
        }
    }
    Some(steps)
}

fn step(section: &Section<'_>, kind: Option<&Entry>) -> StepSpec {
    let kind = kind.and_then(|entry| Some(At::new(fault::read(section, entry)?, entry.place)));
    let is_step = section.knows("then");
    let step = StepSpec {
        place: section.place,
        end: end(section),
        kind,
        then: if is_step {
            section.maybe("then").map_or(Duration::ZERO, |at| at.value)
        } else {
            Duration::ZERO
        },
    };
    moment(section, &step);
    step
}

/// What happens at one moment has no end.
fn moment(section: &Section<'_>, step: &StepSpec) {
    let Some(kind) = step.kind.as_ref().filter(|kind| kind.value.lasting() == Lasting::Moment) else {
        return;
    };
    for entry in ["for", "until"].iter().filter_map(|key| section.entry(key)) {
        let message = format!("`{}` happens at one moment", kind.value.spelling());
        section.report.add(Problem::error(entry.place, message).help(format!("leave out `{}`", entry.key)));
    }
}

fn repeat(section: &Section<'_>) -> Option<At<RepeatSpec>> {
    let (every, times) = (section.must::<Duration>("every"), section.must::<u32>("times"));
    let jitter: At<Duration> = section.value("jitter");
    let (every, times) = (every?, times?);
    if jitter.value >= every.value {
        let message = format!("`jitter` is {}, and the strikes are only {} apart", jitter.value, every.value);
        section.report.add(Problem::error(jitter.place, message).help("write less than `every`"));
        return None;
    }
    Some(At::new(RepeatSpec { every: every.value, times: times.value, jitter: jitter.value }, section.place))
}

fn start(section: &Section<'_>) -> Option<At<StartSpec>> {
    let entry = section.only("when it begins", grammar::STARTS);
    let after = section.entry("after");
    if let (Some(after), Some(start)) = (after, entry.filter(|entry| entry.key != "when")) {
        let problem = Problem::error(after.place, "`after` counts from what a fault waits for")
            .related(start.place, "it begins at a moment of the run");
        section
            .report
            .add(problem.help(format!("write `when` instead of `{}`, or leave `after` out", start.key)));
    }
    match entry?.key.as_str() {
        "at" => section.maybe("at").map(|at| at.map(StartSpec::At)),
        "between" => {
            let times = section.maybe("between")?;
            let (from, to) = two_times("between", &times, section.report)?;
            Some(At::new(StartSpec::Between(from, to), times.place))
        }
        _ => when(section),
    }
}

fn when(section: &Section<'_>) -> Option<At<StartSpec>> {
    let wait = match section.entry("after") {
        Some(_) => section.maybe::<Wait>("after")?.value,
        None => Wait { least: Duration::ZERO, most: Duration::ZERO },
    };
    let tree = section.tree("when")?;
    let when = if tree.as_table().is_some() {
        let path = section.path_of("when");
        line(&Section::open(&path, tree.place, Some(tree), grammar::LINE, section.report))
            .map(WhenSpec::Crosses)
    } else if let Some(text) = tree.as_text() {
        Some(WhenSpec::Word(text.to_owned()))
    } else {
        let message = format!("`when` is what the fault waits for, not {}", tree.kind());
        let help =
            "write \"cut.heals\", \"leader-changes\" or { metric = \"success-rate\", below = \"90%\" }";
        section.report.add(Problem::error(tree.place, message).help(help));
        None
    };
    Some(At::new(StartSpec::When(when?, wait), tree.place))
}

/// A metric, and what it has to be below or above.
fn line(section: &Section<'_>) -> Option<Line> {
    let over: At<Duration> = section.value("over");
    section.present("metric")?;
    let (name, metric) = expect::named(section)?;
    if !metric.is_live() {
        let place = section.tree("metric").map_or(section.place, |tree| tree.place);
        section.report.add(expect::not_live(place, name));
        return None;
    }
    let (below, above) = expect::bounds(section, "below", "above", name, metric)?;
    if over.value < limits::OVER {
        let message = format!("nobody can measure `{name}` over {}", over.value);
        section
            .report
            .add(Problem::error(over.place, message).help(format!("write at least \"{}\"", limits::OVER)));
        return None;
    }
    Some(Line { metric, at_least: below, at_most: above, over: over.value })
}

impl Read for Wait {
    /// A time, or two between which it is drawn.
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Wait> {
        if tree.as_list().is_some() {
            let field = Field { shape: Shape::TwoTimes, ..*field };
            let times = At::new(Vec::read(&field, tree)?, tree.place);
            let (least, most) = two_times(field.name, &times, field.report)?;
            return Some(Wait { least, most });
        }
        let field = Field { shape: Shape::Duration(Least::Zero), ..*field };
        let after = Duration::read(&field, tree)?;
        Some(Wait { least: after, most: after })
    }
}

/// Two times, the earlier first.
pub(crate) fn two_times(
    name: &str,
    times: &At<Vec<At<Duration>>>,
    report: &Report,
) -> Option<(Duration, Duration)> {
    let [from, to] = &times.value[..] else {
        let message = format!("`{name}` is two times, not {}", times.value.len());
        report.add(Problem::error(times.place, message).help(format!("write {name} = [\"10s\", \"30s\"]")));
        return None;
    };
    if from.value > to.value {
        let message = format!("`{name}` ends at {} before it begins at {}", to.value, from.value);
        let help = format!("write {name} = [\"{}\", \"{}\"]", to.value, from.value);
        report.add(Problem::error(times.place, message).help(help));
        return None;
    }
    Some((from.value, to.value))
}

/// `for`, `until`, or `restart-after` of a crash: one of them at most.
fn end(section: &Section<'_>) -> EndSpec {
    let crash = section.tree("crash").filter(|tree| tree.as_table().is_some());
    let restart = crash.and_then(|tree| tree.as_table()?.entry("restart-after"));
    let ends: Vec<&Entry> =
        [section.entry("for"), section.entry("until"), restart].into_iter().flatten().collect();
    if let [first, second, ..] = ends[..] {
        let (first, second) = if first.place < second.place { (first, second) } else { (second, first) };
        section.report.add(
            Problem::error(
                second.place,
                format!("both `{}` and `{}` say when the fault ends", first.key, second.key),
            )
            .related(first.place, "the first is here")
            .help("keep one of them"),
        );
    }
    let restart = || {
        let shape = Shape::Duration(Least::Zero);
        let field = Field { name: "restart-after", shape, report: section.report };
        restart.and_then(|entry| Some(At::new(Duration::read(&field, &entry.value)?, entry.value.place)))
    };
    let lasts = section.maybe("for").or_else(restart).map(EndSpec::For);
    lasts.or_else(|| section.maybe("until").map(EndSpec::Until)).unwrap_or(EndSpec::Never)
}

impl Read for Vec<TargetSpec> {
    /// One target, or a list of at least one.
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Vec<TargetSpec>> {
        match &tree.node {
            Node::Text(text) => one_target(text, tree.place, field.report).map(|target| vec![target]),
            Node::List(items) if items.is_empty() => {
                field.report.add(Problem::error(tree.place, format!("`{}` names nobody", field.name)));
                None
            }
            Node::List(items) if items.len() as u64 > limits::TARGETS.most => {
                field.report.add(too_many(tree.place, limits::TARGETS, items.len() as u64));
                None
            }
            Node::List(items) => {
                let targets: Vec<_> = items.iter().map(|item| target_of(field, item)).collect();
                targets.into_iter().collect()
            }
            Node::Integer(_) | Node::Float(_) | Node::Flag(_) | Node::Datetime | Node::Table(_) => {
                target_of(field, tree).map(|target| vec![target])
            }
        }
    }
}

fn target_of(field: &Field<'_>, tree: &Tree) -> Option<TargetSpec> {
    match tree.as_text() {
        Some(text) => one_target(text, tree.place, field.report),
        None => {
            field.report.add(
                field
                    .wrong(tree, "a target or a list of them")
                    .help("write \"orders-3\", \"zone:b\" or [\"orders\", \"web\"]"),
            );
            None
        }
    }
}

fn one_target(text: &str, place: Place, report: &Report) -> Option<TargetSpec> {
    target::parse(text, place).map_err(|problem| report.add(problem)).ok()
}
