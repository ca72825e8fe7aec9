//! Faults: names, kinds, and targets that can be told apart. What repeats and what comes in a row is a plan of single
//! strikes, each of which waits for another.

mod aim;
mod idle;
mod overlap;
mod recruit;
mod times;
mod turns;
mod when;

use std::collections::BTreeMap;

use schism_core::{Duration, Time};
use schism_models::nemesis::{Bounds, End, Planned, Start, Trigger, Wait, bounds};

use self::aim::{Aimed, Aims};
pub(crate) use self::when::{LEADER_CHANGES, LEASE_EXPIRES};
use super::cast::Cast;
use super::topology::Zones;
use crate::Line;
use crate::diagnostics::{Problem, Report, shorten};
use crate::limits;
use crate::reader::too_many;
use crate::source::{At, Place};
use crate::spec::{EndSpec, FaultSpec, StepSpec, Written};

/// Words that mean something else where a fault's id can stand.
const RESERVED: &[&str] = &["all", "before", "after", LEADER_CHANGES, LEASE_EXPIRES];

/// The plan as meant.
pub(super) struct Faults {
    /// Each strike; `None` where it is wrong, which has been reported.
    pub(super) planned: Vec<Option<Planned>>,
    /// Between which moments each begins and is healed, where that can be known.
    pub(super) bounds: Vec<Option<Bounds>>,
    /// Where each was written.
    pub(super) places: Vec<Place>,
    /// The lines that some of them wait for a metric to cross.
    pub(super) lines: Vec<Line>,
    /// Whether all is right; if not, what an expectation says of faults is not judged.
    pub(super) certain: bool,
}

/// One strike of one fault of the file.
struct Strike<'s> {
    id: String,
    /// The how-manieth of its fault it is, from 1.
    number: usize,
    spec: &'s FaultSpec,
    step: &'s StepSpec,
    /// What it waits for, if that is an earlier strike of its own fault.
    follows: Option<Start>,
}

impl Strike<'_> {
    /// Where its id stands, or its fault.
    fn place(&self) -> Place {
        self.spec.id.as_ref().map_or(self.spec.place, |id| id.place)
    }

    /// Where it is said when it begins.
    fn begins(&self) -> Place {
        match (&self.spec.start, &self.spec.repeat) {
            (Some(start), _) if self.number == 1 => start.place,
            (_, Some(repeat)) => repeat.place,
            (_, None) => self.step.place,
        }
    }

    /// How a message calls it.
    fn name(&self) -> String {
        if self.number == 1 { "the fault".to_owned() } else { format!("`{}`", shorten(&self.id)) }
    }

    fn end(&self) -> End {
        match self.step.end {
            EndSpec::For(at) => End::After(at.value),
            EndSpec::Until(at) => End::At(Time::START + at.value),
            EndSpec::Never => End::Never,
        }
    }
}

/// The plan as meant. `asked` has the ids of the expectations.
pub(super) fn check(
    written: &Written,
    asked: &[Option<String>],
    cast: &mut Cast,
    zones: &Zones,
    length: Option<At<Duration>>,
    report: &Report,
) -> Faults {
    let errors = report.errors();
    let strikes = strikes(&written.faults, report);
    let ids = ids(&strikes, report);
    let mut listener = when::Listener::new(written, asked, &ids, report);
    let starts: Vec<Option<Start>> = strikes.iter().map(|strike| listener.start(strike)).collect();
    let lines = listener.lines;
    when::circles(&strikes, &starts, report);
    let mut aims = Aims::new(cast, zones, report);
    let mut aimed: Vec<Option<Aimed>> = aims.all(&strikes);
    let exact: Vec<_> = aimed.iter_mut().map(|aimed| aimed.as_mut().map(Aimed::take_exact)).collect();
    let planned: Vec<Option<Planned>> = strikes
        .iter()
        .zip(starts)
        .zip(aimed)
        .map(|((strike, start), aimed)| planned(strike, start?, aimed?))
        .collect();
    let known: Vec<Option<&Planned>> = planned.iter().map(Option::as_ref).collect();
    when::never(&strikes, &known, report);
    let bounds = bounds(&known, cast.zones());
    times::check(&strikes, &known, &bounds, length, report);
    idle::check(&strikes, &known, written, cast, report);
    turns::check(&strikes, &known, &bounds, cast, length, report);
    overlap::check(&strikes, &known, &bounds, &exact, cast, report);
    let certain = written.faults_readable && report.errors() == errors && planned.iter().all(Option::is_some);
    let places = strikes.iter().map(Strike::place).collect();
    Faults { planned, bounds, places, lines, certain }
}

fn planned(strike: &Strike<'_>, start: Start, aimed: Aimed) -> Option<Planned> {
    Some(Planned {
        id: strike.id.clone(),
        start,
        end: strike.end(),
        fault: aimed.fault,
        on_miss: strike.spec.on_miss,
        on_overlap: strike.spec.on_overlap,
    })
}

/// Every strike: the steps of each round of each fault.
fn strikes<'s>(specs: &'s [FaultSpec], report: &Report) -> Vec<Strike<'s>> {
    let mut all = Vec::new();
    for (spec, id) in specs.iter().zip(default_ids(specs)) {
        let rounds = spec.repeat.map_or(1, |repeat| u64::from(repeat.value.times));
        let more = rounds * spec.steps.len() as u64;
        if all.len() as u64 + more > limits::FAULTS.most {
            report.add(too_many(spec.place, limits::FAULTS, all.len() as u64 + more));
            break;
        }
        rounds_of(spec, &id, rounds, &mut all);
    }
    all
}

/// The id of each fault: as given, or made from its kind and number.
pub(crate) fn default_ids(specs: &[FaultSpec]) -> Vec<String> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut id = |spec: &FaultSpec| {
        let count = counts.entry(spec.what).or_default();
        *count += 1;
        spec.id.as_ref().map_or_else(|| format!("{}-{count}", spec.what), |id| id.value.clone())
    };
    specs.iter().map(&mut id).collect()
}

fn rounds_of<'s>(spec: &'s FaultSpec, id: &str, rounds: u64, all: &mut Vec<Strike<'s>>) {
    let first = all.len();
    for _ in 0..rounds {
        for (turn, step) in spec.steps.iter().enumerate() {
            let at = all.len();
            let follows = match (turn, spec.repeat) {
                (0, Some(repeat)) if at > first => {
                    let At { value: repeat, .. } = repeat;
                    let (least, most) =
                        (repeat.every.saturating_sub(repeat.jitter), repeat.every + repeat.jitter);
                    Some(Start::When(Trigger::Begins(at - spec.steps.len()), Wait { least, most }))
                }
                (0, _) => None,
                (_, _) => {
                    let then = spec.steps[turn - 1].then;
                    Some(Start::When(Trigger::Heals(at - 1), Wait { least: then, most: then }))
                }
            };
            let number = at - first + 1;
            let id = if number == 1 { id.to_owned() } else { format!("{id}-{number}") };
            all.push(Strike { id, number, spec, step, follows });
        }
    }
}

/// The number of the strike of each id.
fn ids<'a>(strikes: &'a [Strike<'_>], report: &Report) -> BTreeMap<&'a str, usize> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, strike) in strikes.iter().enumerate() {
        if strike.number == 1 {
            proper_id(&strike.id, strike.place(), RESERVED, report);
        }
        if let Some(other) = seen.insert(&strike.id, index) {
            let message = format!("two faults have the id `{}`", shorten(&strike.id));
            let numbered = if strike.number > 1 { strike } else { &strikes[other] };
            let help = match numbered.number {
                1 => "give each its own".to_owned(),
                number => format!("strike {number} of a fault is called so: rename one of the two faults"),
            };
            let first = strikes[other].place();
            report
                .add(Problem::error(strike.place(), message).related(first, "the first is here").help(help));
        }
    }
    seen
}

/// An id is a word or a few, for a report and for `--set`.
pub(super) fn proper_id(id: &str, place: Place, reserved: &[&str], report: &Report) {
    let proper = !id.trim().is_empty() && id.len() <= 4 * limits::NAME_BYTES && !id.contains(unfit);
    if !proper || reserved.contains(&id) {
        let why = if proper {
            "it has a meaning of its own"
        } else {
            "an id is a short text without dots and quotes"
        };
        let message = format!("`{}` cannot be an id: {why}", shorten(id));
        report.add(Problem::error(place, message).help("write id = \"cut\", for instance"));
    }
}

/// A dot or a quote would part the path of an override in the wrong place.
fn unfit(letter: char) -> bool {
    letter.is_control() || matches!(letter, '.' | '"')
}
