//! When faults begin and end: within the run, and in that order, as far as that is certain before the run.

use schism_core::{Duration, Time};
use schism_models::nemesis::{Bounds, End, OnMiss, Planned, Within};

use super::Strike;
use crate::diagnostics::{Problem, Report};
use crate::source::{At, Place};
use crate::spec::EndSpec;
use crate::units::said;

/// Reports what begins too late, or ends too early. Of one fault of the file, the first strike that does.
pub(super) fn check(
    strikes: &[Strike<'_>],
    planned: &[Option<&Planned>],
    bounds: &[Option<Bounds>],
    length: Option<At<Duration>>,
    report: &Report,
) {
    let mut told: Option<Place> = None;
    for ((strike, planned), bounds) in strikes.iter().zip(planned).zip(bounds) {
        let (Some(planned), Some(bounds)) = (planned, bounds) else { continue };
        if told != Some(strike.spec.place) && !one(strike, planned, *bounds, length, report) {
            told = Some(strike.spec.place);
        }
    }
}

/// Whether one strike begins within the run and ends no earlier than it begins.
fn one(
    strike: &Strike<'_>,
    planned: &Planned,
    Bounds { begins, heals, .. }: Bounds,
    length: Option<At<Duration>>,
    report: &Report,
) -> bool {
    let latest = begins.latest.unwrap_or(begins.earliest).since(Time::START);
    let late = length.filter(|length| latest >= length.value);
    if let Some(length) = late {
        let message = format!(
            "{} begins {}, after the end of the run at {}",
            strike.name(),
            moment(begins),
            said(length.value)
        );
        report.add(
            Problem::error(strike.begins(), message)
                .related(length.place, "the length")
                .help(remedy(strike, latest)),
        );
    }
    let early = matches!(planned.end, End::At(until) if until.since(Time::START) < latest);
    if early && let EndSpec::Until(until) = strike.step.end {
        let message = format!(
            "{} is healed at {}, before it begins {}",
            strike.name(),
            said(until.value),
            moment(begins)
        );
        report.add(
            Problem::error(until.place, message)
                .related(strike.begins(), "it begins here")
                .help("`until` is a moment of the run; for a length of time, write `for`"),
        );
    }
    late.is_none() && !early && some_time(strike, planned, report) && in_time(strike, heals, length, report)
}

/// What to do about a strike that begins too late. Strikes before it are in time: this is the first that is reported.
fn remedy(strike: &Strike<'_>, latest: Duration) -> String {
    let steps = strike.spec.steps.len();
    match ((strike.number - 1) / steps, strike.spec.repeat) {
        (0, _) | (_, None) => format!("let it begin earlier, or raise `length` above {}", said(latest)),
        (1, Some(_)) => "only the first strike is in time: leave `repeat` out, or raise `length`".to_owned(),
        (fit, Some(_)) => {
            format!("write times = {fit}: the strikes before it are in time; or raise `length`")
        }
    }
}

/// A fault of no time is legal, so that a sweep can begin at zero, but seldom meant.
fn some_time(strike: &Strike<'_>, planned: &Planned, report: &Report) -> bool {
    let place = match strike.step.end {
        EndSpec::For(at) | EndSpec::Until(at) => at.place,
        EndSpec::Never => return true,
    };
    let odd = planned.lasts_no_time() && planned.on_miss == OnMiss::Vacuous;
    if odd {
        let problem = Problem::warning(place, "a fault that lasts no time is none: it touches nothing");
        report.add(problem.help("let it last longer, or write may-miss = true, and the run counts still"));
    }
    !odd
}

/// When it begins at the latest, or at the earliest if nobody can say.
fn moment(begins: Within) -> String {
    let earliest = said(begins.earliest.since(Time::START));
    match begins.latest.map(|at| said(at.since(Time::START))) {
        Some(latest) if latest == earliest => format!("at {latest}"),
        Some(latest) => format!("as late as {latest}"),
        None => format!("at {earliest} or later"),
    }
}

/// A heal after the end of the run is legal, but seldom meant.
fn in_time(strike: &Strike<'_>, heals: Within, length: Option<At<Duration>>, report: &Report) -> bool {
    let place = match strike.step.end {
        EndSpec::For(at) | EndSpec::Until(at) => at.place,
        EndSpec::Never => return true,
    };
    let heals = heals.latest.unwrap_or(heals.earliest).since(Time::START);
    let late = length.filter(|length| heals > length.value);
    if let Some(length) = late {
        let message = format!(
            "{} heals at {}, after the end of the run at {}",
            strike.name(),
            said(heals),
            said(length.value)
        );
        report.add(
            Problem::warning(place, message)
                .help(format!("raise `length` above {} to see it heal", said(heals))),
        );
    }
    late.is_none()
}
