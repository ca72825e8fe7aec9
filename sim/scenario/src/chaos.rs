//! `[chaos]`: whole plans of faults that each seed draws, within a budget.

mod budget;
mod hand;
mod kinds;
mod partition;
mod plot;

use schism_core::{Duration, Ratio};
use schism_models::nemesis::Batch;

pub(crate) use self::kinds::{CATALOG, Kind};
pub(crate) use self::plot::Plot;
use crate::check::{Role, Stage};
use crate::diagnostics::{Problem, Report, listed, nearest, shorten, suggest};
use crate::fault::KINDS;
use crate::grammar::Shape;
use crate::limits::Limit;
use crate::read::fault::two_times;
use crate::reader::{Field, Read, Section};
use crate::source::{At, Place};
use crate::spec::Written;
use crate::tree::{Node, Tree};

/// `[chaos]`, as written.
#[derive(Clone, Debug)]
pub(crate) struct Chaos {
    place: Place,
    /// None for those of the catalog that are there by default, as far as they can be.
    families: Option<Vec<Family>>,
    on: Option<Vec<At<String>>>,
    faults: (u32, u32),
    at_once: u32,
    between: Option<At<(Duration, Duration)>>,
    lasts: At<(Duration, Duration)>,
    max_down: Vec<(At<String>, Batch)>,
    heal_by: Option<At<Duration>>,
}

/// A kind of faults, and on whom.
#[derive(Clone, Debug)]
struct Family {
    place: Place,
    kind: &'static Kind,
    on: Option<Vec<At<String>>>,
}

/// Reads `[chaos]`.
pub(crate) fn read(section: &Section<'_>) -> Chaos {
    let report = section.report;
    let times = |name: &str| {
        let times: At<Vec<At<Duration>>> = section.maybe(name)?;
        Some(At::new(two_times(name, &times, report)?, times.place))
    };
    let by_default = || {
        let times: At<Vec<At<Duration>>> = section.value("for");
        times.map(|times| (times[0].value, times[1].value))
    };
    let families: Option<At<Families>> = section.maybe("families");
    let faults: At<TwoCounts> = section.value("faults");
    Chaos {
        place: section.place,
        families: families.map(|at| at.value.0),
        on: section.maybe("on").map(|at| at.value),
        faults: (faults.value.0, faults.value.1),
        at_once: section.value("at-once").value,
        between: times("between"),
        lasts: times("for").unwrap_or_else(by_default),
        max_down: section.maybe::<Batches>("max-down").map_or_else(Vec::new, |at| at.value.0),
        heal_by: section.maybe("heal-by"),
    }
}

impl Chaos {
    /// How many of each group may be down: as written, or by default less than half of a registry with a leader, half of a
    /// service or of another registry, and all of a client group.
    fn most_down(&self, stage: &Stage, report: &Report) -> Vec<u32> {
        for (name, _) in &self.max_down {
            find(name, stage, report);
        }
        let written =
            |name: &str| self.max_down.iter().find(|(at, _)| at.value == name).map(|(_, batch)| *batch);
        let most = |troupe: &crate::check::Troupe| {
            let size = troupe.size();
            match (written(&troupe.name), troupe.role) {
                (Some(Batch::Count(count)), _) => count.min(size),
                (Some(Batch::Share(share)), _) => part(share, size),
                (None, Role::Member) if stage.has_leader => size.saturating_sub(1) / 2,
                (None, Role::Member | Role::Instance) => size / 2,
                (None, Role::Client) => size,
            }
        };
        stage.groups.iter().map(most).collect()
    }

    /// The groups of these names, or all.
    fn groups(&self, on: Option<&[At<String>]>, stage: &Stage, report: &Report) -> Vec<usize> {
        match on.or(self.on.as_deref()) {
            Some(names) => names.iter().filter_map(|name| find(name, stage, report)).collect(),
            None => (0..stage.groups.len()).collect(),
        }
    }

    /// When faults may begin, and by when they have healed.
    fn window(&self, written: &Written, report: &Report) -> Option<Window> {
        let length = written.length?.value;
        let heal_by = self.heal_by(written, length);
        let (least, most) = self.lasts.value;
        let earliest = if written.warmup.value > Duration::ZERO { written.warmup.value } else { length / 10 };
        let (from, to) = self.between.map_or((earliest, heal_by), |at| at.value);
        let last = heal_by.saturating_sub(least);
        if from > last || from + least > heal_by {
            let message = format!("no fault that begins at {from} and lasts {least} has healed by {heal_by}");
            let place = self.heal_by.map(|at| at.place).or(self.between.map(|at| at.place));
            let help = "raise `length`, shorten the `within` of `eventually`, or let faults begin earlier or last \
                        shorter: `between`, `for`, `heal-by`";
            report.add(Problem::error(place.unwrap_or(self.place), message).help(help));
            return None;
        }
        Some(Window { begins: (from, to.min(last)), lasts: (least, most), heal_by })
    }

    /// As written; or four fifths of the length, and so that what is to hold eventually has its time.
    fn heal_by(&self, written: &Written, length: Duration) -> Duration {
        let within =
            written.expectations.iter().filter_map(|expectation| expectation.ask.as_ref()?.value.within());
        let room = within.max().unwrap_or(Duration::ZERO);
        let latest = length.saturating_sub(room);
        self.heal_by.map_or(length / 5 * 4, |at| at.value).min(latest)
    }
}

/// When faults may be there.
#[derive(Clone, Copy, Debug)]
struct Window {
    begins: (Duration, Duration),
    lasts: (Duration, Duration),
    heal_by: Duration,
}

/// The number of a group.
fn find(name: &At<String>, stage: &Stage, report: &Report) -> Option<usize> {
    let found = stage.groups.iter().position(|troupe| troupe.name == name.value);
    if found.is_none() {
        let names: Vec<&str> = stage.groups.iter().map(|troupe| troupe.name.as_str()).collect();
        let message = format!("there is no group `{}`", shorten(&name.value));
        report.add(Problem::error(name.place, message).maybe_help(suggest(&name.value, names)));
    }
    found
}

/// A share of so many, rounded down: a budget is not exceeded.
fn part(share: Ratio, of: u32) -> u32 {
    let part = u128::from(of) * u128::from(share.numerator()) / u128::from(share.denominator());
    u32::try_from(part).unwrap_or(of)
}

/// Kinds of faults, each perhaps with the groups that it strikes.
struct Families(Vec<Family>);

impl Read for Families {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Families> {
        let Some(items) = tree.as_list() else {
            let help = "write [\"partition\", \"crash\", { pause = \"registry\" }]";
            field.report.add(field.wrong(tree, "a list of kinds of faults").help(help));
            return None;
        };
        if items.is_empty() {
            let help = "leave `families` out for all that are usual";
            field.report.add(Problem::error(tree.place, "`families` names no kind of fault").help(help));
            return None;
        }
        let families: Vec<Option<Family>> = items.iter().map(|item| family(field, item)).collect();
        families.into_iter().collect::<Option<_>>().map(Families)
    }
}

fn family(field: &Field<'_>, tree: &Tree) -> Option<Family> {
    let (name, place, on) = match &tree.node {
        Node::Text(name) => (name, tree.place, None),
        Node::Table(table) if table.entries.len() == 1 => {
            let entry = &table.entries[0];
            (&entry.key, entry.place, Some(&entry.value))
        }
        Node::Table(_)
        | Node::Integer(_)
        | Node::Float(_)
        | Node::Flag(_)
        | Node::Datetime
        | Node::List(_) => {
            let help = "write \"crash\", or { crash = [\"registry\", \"orders\"] } for these groups alone";
            field
                .report
                .add(Problem::error(tree.place, "a family is the name of a kind of fault").help(help));
            return None;
        }
    };
    let Some(kind) = CATALOG.iter().find(|kind| kind.name == name) else {
        field.report.add(unknown(name, place));
        return None;
    };
    let on = match on {
        Some(Tree { node: Node::Text(group), place }) => Some(vec![At::new(group.clone(), *place)]),
        Some(list) => Some(Vec::read(&Field { shape: Shape::Names, ..*field }, list)?),
        None => None,
    };
    Some(Family { place, kind, on })
}

fn unknown(name: &str, place: Place) -> Problem {
    let names = || CATALOG.iter().map(|kind| kind.name);
    let all = listed(names()).map(|names| format!("there are: {names}"));
    if KINDS.contains(&name) {
        let help = "write it as a [[fault]], whose id `swarm.toggle` may have, and whose values `swarm.vary`";
        return Problem::error(place, format!("chaos does not draw `{name}`")).help(help);
    }
    let near = nearest(name, names()).map(|name| format!("did you mean `{name}`?"));
    Problem::error(place, format!("there is no kind of fault `{}`", shorten(name))).maybe_help(near.or(all))
}

/// Two whole numbers, the smaller first.
struct TwoCounts(u32, u32);

impl Read for TwoCounts {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<TwoCounts> {
        let Shape::TwoCounts(limit) = field.shape else { panic!("`{}` is not two counts", field.name) };
        let example = format!("write {} = [1, 4]", field.name);
        let Some([from, to]) = tree.as_list() else {
            let exactly = Field { shape: Shape::Count(limit), ..*field };
            if matches!(tree.node, Node::Integer(_)) {
                let count = u32::read(&exactly, tree)?;
                return Some(TwoCounts(count, count));
            }
            field.report.add(field.wrong(tree, "two whole numbers, or one").help(example));
            return None;
        };
        let field = Field { shape: Shape::Count(limit), ..*field };
        let (least, most) = (u32::read(&field, from)?, u32::read(&field, to)?);
        if least > most {
            let message = format!("`{}` goes from {least} down to {most}", field.name);
            let help = format!("write {} = [{most}, {least}]", field.name);
            field.report.add(Problem::error(tree.place, message).help(help));
            return None;
        }
        Some(TwoCounts(least, most))
    }
}

/// A count or a share for each of some names; none at all, too.
struct Batches(Vec<(At<String>, Batch)>);

impl Read for Batches {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Batches> {
        let Shape::Batches(limit) = field.shape else { panic!("`{}` is no table of batches", field.name) };
        let Some(table) = tree.as_table() else {
            let help = format!("write {} = {{ registry = 1, orders = \"50%\" }}", field.name);
            field.report.add(field.wrong(tree, "a table with a count or a share for each group").help(help));
            return None;
        };
        let shape = Shape::Batch(Limit { least: 0, ..limit });
        let batch = |entry: &crate::tree::Entry| {
            let field = Field { name: &entry.key, shape, report: field.report };
            Some((At::new(entry.key.clone(), entry.place), Batch::read(&field, &entry.value)?))
        };
        let batches: Vec<Option<_>> = table.entries.iter().map(batch).collect();
        batches.into_iter().collect::<Option<_>>().map(Batches)
    }
}
