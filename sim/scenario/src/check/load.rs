//! Load: what faults add to the clients' requests has an end, and stays within the limit.

use schism_core::{Duration, Time};
use schism_models::nemesis::{Base, Bounds, End, Fault, How, Load, Planned};
use schism_models::plight::Factor;

use super::cast::Cast;
use super::fault::Faults;
use crate::diagnostics::{Problem, Report};
use crate::limits;
use crate::source::{At, Place};

/// Reports surges that would offer more than a run may, and ramps that rise for nobody knows how long. `offered` has the
/// requests of each client group, without faults.
pub(super) fn check(
    faults: &Faults,
    offered: &[u128],
    cast: &Cast,
    length: Option<At<Duration>>,
    report: &Report,
) {
    let Some(length) = length else { return };
    let mut requests: u128 = offered.iter().sum();
    for ((planned, bounds), place) in faults.planned.iter().zip(&faults.bounds).zip(&faults.places) {
        let (Some(planned), Some(bounds)) = (planned, bounds) else { continue };
        for fault in planned.fault.alternatives() {
            let Fault::Load(load) = fault else { continue };
            endless(load, planned, *place, report);
            let Some(factor) = surge(load) else { continue };
            requests += added(load, factor, lasts(*bounds, length.value), offered, cast, length.value);
            if requests > limits::REQUESTS {
                let message = format!(
                    "with this fault the clients would offer about {requests} requests; the limit is {}",
                    limits::REQUESTS
                );
                let help = "lower the factor, the number of clients, or the time";
                return report.add(Problem::error(*place, message).help(help));
            }
        }
    }
}

fn endless(load: &Load, planned: &Planned, place: Place, report: &Report) {
    if matches!(load.how, How::Ramp { over: None, .. }) && planned.end == End::Never {
        let problem =
            Problem::error(place, "a ramp rises for as long as its fault lasts, and this one never ends");
        report.add(problem.help("write `for`, `until`, or the ramp's own `over`"));
    }
}

/// How many times as many requests there are.
fn surge(load: &Load) -> Option<Factor> {
    match load.how {
        How::Burst(factor) | How::Ramp { factor, .. } => Some(factor),
        How::Herd { .. } | How::HotKey { .. } | How::ColdCache => None,
    }
}

/// How long a fault lasts at most.
fn lasts(Bounds { begins, heals, .. }: Bounds, length: Duration) -> Duration {
    let end = Time::START + length;
    heals.latest.unwrap_or(end).min(end).since(begins.earliest)
}

/// How many requests a surge adds at most, about. Each client has its share of what its group offers; and closed loops
/// that are added ask at least once.
fn added(
    load: &Load,
    factor: Factor,
    lasts: Duration,
    offered: &[u128],
    cast: &Cast,
    length: Duration,
) -> u128 {
    const MILLIONTHS: u128 = 1_000_000;
    let excess = u128::from(factor.extra(Duration::from_millis(1)).as_nanos());
    let groups = cast.clients.iter().zip(offered);
    groups
        .map(|(group, offered)| {
            let clients = struck(load, group);
            let meanwhile = offered * u128::from(lasts.as_nanos()) / u128::from(length.as_nanos()).max(1);
            let own = meanwhile * clients / (group.len() as u128).max(1) + clients;
            own.saturating_mul(excess) / MILLIONTHS
        })
        .sum()
}

/// How many clients of a group a fault is aimed at, at most.
fn struck(load: &Load, group: &[crate::Node]) -> u128 {
    let named = load.targets.iter().map(|target| match &target.base {
        Base::Node(node) => u128::from(group.iter().any(|client| client.id == *node)),
        Base::Group(nodes) => match (nodes.first(), group.first()) {
            (Some(first), Some(client)) if *first == client.id => group.len() as u128,
            _ => 0,
        },
        Base::Zone(_) | Base::Rest => group.len() as u128,
    });
    named.sum::<u128>().min(group.len() as u128)
}
