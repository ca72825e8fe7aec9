//! Faults: names, times, and targets that can be told apart.

use std::collections::BTreeMap;

use schism_core::{Duration, NodeId, Time};
use schism_models::nemesis::{Base, End, Fault, Partition, Planned, Shape, Start, Target};

use super::cast::{Cast, Registry};
use super::target::{Resolved, resolve};
use super::topology::Zones;
use crate::diagnostics::{Problem, Report, shorten};
use crate::limits;
use crate::reader::too_many;
use crate::source::{At, Place};
use crate::spec::{EndSpec, FaultSpec, StartSpec};
use crate::target::TargetSpec;

/// Words that mean something else where a fault's id can stand.
const RESERVED: &[&str] = &["all", "before", "after"];

/// Each fault as meant; `None` where it is wrong, which has been reported.
pub(super) fn check(
    specs: &[FaultSpec],
    cast: &Cast,
    zones: &Zones,
    length: Option<At<Duration>>,
    report: &Report,
) -> Vec<Option<Planned>> {
    let ids = ids(specs, report);
    let mut named = 0;
    let mut planned = Vec::with_capacity(specs.len());
    for (spec, id) in specs.iter().zip(ids) {
        times(spec, length, report);
        let before = named;
        let fault = spec.kind.as_ref().and_then(|kind| fault(kind, cast, zones, &mut named, report));
        if before <= limits::TARGETED.most && named > limits::TARGETED.most {
            report.add(too_many(spec.place, limits::TARGETED, named));
        }
        planned.push(fault.and_then(|fault| {
            Some(Planned { id, start: start(spec)?, end: end(spec), fault, on_miss: spec.on_miss })
        }));
    }
    planned
}

fn start(spec: &FaultSpec) -> Option<Start> {
    Some(match spec.start?.value {
        StartSpec::At(at) => Start::At(Time::START + at),
        StartSpec::Between(from, to) => Start::Between(Time::START + from, Time::START + to),
    })
}

fn end(spec: &FaultSpec) -> End {
    match spec.end {
        EndSpec::For(at) => End::After(at.value),
        EndSpec::Until(at) => End::At(Time::START + at.value),
        EndSpec::Never => End::Never,
    }
}

/// As given, or the kind and the how-manieth of its kind it is: `crash-2`.
fn ids(specs: &[FaultSpec], report: &Report) -> Vec<String> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    let mut ids = Vec::new();
    for spec in specs {
        let kind = spec.kind.as_ref().map_or("fault", |kind| kind.value.name());
        let count = counts.entry(kind).or_default();
        *count += 1;
        let id = spec.id.as_ref().map_or_else(|| format!("{kind}-{count}"), |id| id.value.clone());
        let place = spec.id.as_ref().map_or(spec.place, |id| id.place);
        proper_id(&id, place, RESERVED, report);
        if let Some(first) = seen.insert(id.clone(), place) {
            let message = format!("two faults have the id `{}`", shorten(&id));
            report.add(
                Problem::error(place, message).related(first, "the first is here").help("give each its own"),
            );
        }
        ids.push(id);
    }
    ids
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

/// Begins within the run, and ends no earlier than it begins.
fn times(spec: &FaultSpec, length: Option<At<Duration>>, report: &Report) {
    let Some(start) = spec.start else { return };
    let latest = match start.value {
        StartSpec::At(at) => at,
        StartSpec::Between(_, to) => to,
    };
    if let Some(length) = length
        && latest >= length.value
    {
        let message = format!("the fault begins at {latest}, after the end of the run at {}", length.value);
        report.add(
            Problem::error(start.place, message)
                .related(length.place, "the length")
                .help(format!("let it begin earlier, or raise `length` above {latest}")),
        );
    }
    if let EndSpec::Until(until) = spec.end
        && until.value < latest
    {
        let begins = match start.value {
            StartSpec::At(at) => format!("at {at}"),
            StartSpec::Between(_, to) => format!("as late as {to}"),
        };
        let message = format!("the fault is healed at {}, before it begins {begins}", until.value);
        report.add(
            Problem::error(until.place, message)
                .related(start.place, "it begins here")
                .help("`until` is a moment of the run; for a length of time, write `for`"),
        );
    }
    late_heal(spec, latest, length, report);
}

/// A heal after the end of the run is legal, but seldom meant.
fn late_heal(spec: &FaultSpec, latest: Duration, length: Option<At<Duration>>, report: &Report) {
    let (heals, place) = match spec.end {
        EndSpec::For(at) => (latest + at.value, at.place),
        EndSpec::Until(at) => (at.value, at.place),
        EndSpec::Never => return,
    };
    if let Some(length) = length
        && heals > length.value
    {
        let message = format!("the fault heals at {heals}, after the end of the run at {}", length.value);
        report.add(
            Problem::warning(place, message).help(format!("raise `length` above {heals} to see it heal")),
        );
    }
}

fn fault(
    spec: &At<Fault<TargetSpec>>,
    cast: &Cast,
    zones: &Zones,
    named: &mut u64,
    report: &Report,
) -> Option<Fault> {
    if let Fault::Registry(registry) = &spec.value
        && cast.registry == Registry::IsStatic
    {
        let name = registry.trouble.name();
        let message =
            format!("`{name}` has no meaning for a static registry: it has no members, leases or watches");
        let help = "choose a registry with members, such as etcd, or leave the fault out";
        report.add(Problem::error(spec.place, message).help(help));
        return None;
    }
    let mut all = |specs: Vec<TargetSpec>| resolve_all(&specs, cast, zones, named, report);
    let resolved: Fault<Resolved> = spec.value.clone().aim(&mut all)?;
    let sides = resolved.sides();
    let overlaps = matches!(&resolved, Fault::Partition(Partition { shape: Shape::Partial(_), .. }));
    if !overlaps {
        apart(&sides, cast, report);
    }
    rest(&sides, cast, report);
    resolved.aim(&mut |targets| Some(targets.into_iter().map(|resolved| resolved.target).collect()))
}

fn resolve_all(
    specs: &[TargetSpec],
    cast: &Cast,
    zones: &Zones,
    named: &mut u64,
    report: &Report,
) -> Option<Vec<Resolved>> {
    let mut list = Vec::new();
    let mut whole = true;
    for spec in specs {
        // Beyond the limit nothing is looked up any more, so that a refusal takes no longer than an acceptance.
        if *named > limits::TARGETED.most {
            return None;
        }
        let resolved = resolve(spec, cast, zones, report);
        // A zone or the rest is looked for among all nodes.
        *named += match &resolved {
            Some(Resolved { target: Target { base: Base::Node(_), .. }, .. }) | None => 1,
            Some(Resolved { target: Target { base: Base::Group(nodes), .. }, .. }) => nodes.len() as u64,
            Some(Resolved { target: Target { base: Base::Zone(_) | Base::Rest, .. }, .. }) => {
                1 + cast.len() as u64 / 8
            }
        };
        whole &= resolved.is_some();
        list.extend(resolved);
    }
    whole.then_some(list)
}

/// No node on two sides, as far as that is certain before the run.
fn apart(sides: &[&[Resolved]], cast: &Cast, report: &Report) {
    let mut stands: Vec<(NodeId, usize, &Resolved)> = Vec::new();
    for (side, targets) in sides.iter().enumerate() {
        for target in *targets {
            stands.extend(target.certain.iter().flatten().map(|node| (*node, side, target)));
        }
    }
    stands.sort_by_key(|(node, side, _)| (*node, *side));
    let twice = stands.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1);
    if let Some([(node, _, first), (_, _, second)]) = twice {
        let message =
            format!("`{}` stands on two sides: `{}` and `{}`", cast.name_of(*node), first.text, second.text);
        report.add(
            Problem::error(second.place, message)
                .related(first.place, "the first is here")
                .help("name each node on one side; `rest` is whoever no other side names"),
        );
    }
}

/// `rest` stands beside another target, once, and leaves somebody.
fn rest(sides: &[&[Resolved]], cast: &Cast, report: &Report) {
    let all = || sides.iter().copied().flatten();
    let mut rests = all().filter(|target| target.target.base == Base::Rest);
    let Some(first) = rests.next() else { return };
    if let Some(second) = rests.next() {
        report.add(
            Problem::error(second.place, "`rest` twice in one fault")
                .related(first.place, "the first is here")
                .help("everyone else can stand on one side only"),
        );
        return;
    }
    let others: Vec<&Resolved> = all().filter(|target| target.target.base != Base::Rest).collect();
    if others.is_empty() {
        let problem = Problem::error(
            first.place,
            "`rest` is whoever no other target of the fault names, and there is none",
        );
        report.add(problem.help("name a group or a zone instead"));
        return;
    }
    let mut named: Vec<NodeId> =
        others.iter().filter_map(|target| target.certain.as_ref()).flatten().copied().collect();
    named.sort_unstable();
    named.dedup();
    if named.len() == cast.len() {
        let problem =
            Problem::error(first.place, "`rest` matches nothing: the other targets name every node");
        report.add(problem.help("leave it out, or name fewer nodes beside it"));
    }
}
