//! How often faults do what they do again and again: not so often, all together, that the run would not end in a lifetime.

use schism_core::{Duration, Time};
use schism_models::nemesis::{Base, Bounds, Fault, Nature, Planned, Select, Target, Turns};

use super::Strike;
use crate::check::cast::Cast;
use crate::diagnostics::{Problem, Report};
use crate::limits;
use crate::source::At;

/// Refuses the first fault whose turns, with those of the faults before it, are too many.
pub(super) fn check(
    strikes: &[Strike<'_>],
    planned: &[Option<&Planned>],
    bounds: &[Option<Bounds>],
    cast: &Cast,
    length: Option<At<Duration>>,
    report: &Report,
) {
    let Some(length) = length else { return };
    let mut total = 0;
    for ((strike, planned), bounds) in strikes.iter().zip(planned).zip(bounds) {
        let (Some(planned), Some(bounds)) = (planned, bounds) else { continue };
        let lasts = lasts(*bounds, length.value);
        let of = |fault: &Fault| turns(fault, lasts, cast);
        total += planned.fault.alternatives().iter().map(of).max().unwrap_or(0);
        if total > limits::TURNS {
            let message =
                format!("the faults would take about {total} turns; the limit is {}", limits::TURNS);
            let problem = Problem::error(strike.place(), message).related(length.place, "the length");
            report.add(problem.help("let it last shorter, take longer turns, or name fewer targets"));
            return;
        }
    }
}

/// How long it lasts within the run, at most.
fn lasts(Bounds { begins, heals, .. }: Bounds, length: Duration) -> Duration {
    let end = Time::START + length;
    let heals = heals.latest.unwrap_or(end).min(end);
    Duration::from_nanos(heals.as_nanos().saturating_sub(begins.earliest.as_nanos()))
}

/// How many turns a fault takes in this time, at most about.
fn turns(fault: &Fault, lasts: Duration, cast: &Cast) -> u128 {
    let (each, times) = match fault.turns() {
        None => return 0,
        Some(Turns::OfAll(each)) => (each, 1),
        Some(Turns::OfEach(each)) => {
            (each, fault.sides().into_iter().flatten().map(|target| named(target, cast)).sum())
        }
    };
    u128::from(lasts.as_nanos()) * u128::from(times) / u128::from(each.as_nanos().max(1))
}

/// How many nodes a target means, at most.
fn named(target: &Target, cast: &Cast) -> u64 {
    let all = match &target.base {
        Base::Node(_) => 1,
        Base::Group(nodes) => nodes.len() as u64,
        Base::Zone(zone) => cast.in_zone(*zone).count() as u64,
        Base::Rest => cast.len() as u64,
    };
    match target.select {
        Some(Select::Leader) => 1,
        Some(Select::Pick(count)) => all.min(count.into()),
        Some(Select::Followers | Select::Minority | Select::Majority | Select::Share(_) | Select::In(_))
        | None => all,
    }
}
