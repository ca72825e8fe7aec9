//! Faults that are certain to change nothing, whatever the run does: taken, with a warning.

use schism_models::nemesis::{Base, Clock, Fault, Nature, Of, OnMiss, Planned, Target, Wrong};
use schism_models::registry::etcd::LeaseClock;

use super::Strike;
use crate::check::cast::{Cast, Kind};
use crate::diagnostics::{Problem, Report};
use crate::registry::Spec;
use crate::source::At;
use crate::spec::Written;

/// Warns of the first strike of each such fault, unless it may miss.
pub(super) fn check(
    strikes: &[Strike<'_>],
    planned: &[Option<&Planned>],
    written: &Written,
    cast: &Cast,
    report: &Report,
) {
    for (strike, planned) in strikes.iter().zip(planned) {
        let Some(Planned { fault: Fault::Clock(clock), on_miss: OnMiss::Vacuous, .. }) = planned else {
            continue;
        };
        let idle = !clock.is_nothing() && is_of_the_wall_clock(clock.wrong) && !is_read(clock, written, cast);
        if idle && strike.number <= strike.spec.steps.len() {
            report.add(nobody_reads(strike));
        }
    }
}

fn nobody_reads(strike: &Strike<'_>) -> Problem {
    let sides = strike.step.kind.iter().flat_map(|kind| kind.value.sides());
    let names: Vec<String> = sides.flatten().map(|target| format!("`{}`", target.text)).collect();
    let message = format!("nothing here reads the wall clock of {}", names.join(", "));
    let place = strike.step.kind.as_ref().map_or(strike.place(), |kind| kind.place);
    Problem::warning(place, message)
        .help("aim a drift, a freeze or a jump of = \"both\", or give the registry lease-clock = \"wall\"")
}

/// Whether it leaves the monotonic clock alone.
fn is_of_the_wall_clock(wrong: Wrong) -> bool {
    match wrong {
        Wrong::Skew(_) | Wrong::Strobe { .. } | Wrong::Backwards(_) => true,
        Wrong::Jump(_, of) | Wrong::Drift(_, of) | Wrong::Freeze(of) => of == Of::Wall,
    }
}

/// Whether one of the targets may read its wall clock: members do, if leases end by it, Eureka's
/// instances, and Consul's agents.
fn is_read(clock: &Clock, written: &Written, cast: &Cast) -> bool {
    let Some(At { value: registry, .. }) = &written.registry else { return false };
    let reads = readers(registry);
    clock.targets.iter().any(|target| may_be(target, reads, cast))
}

/// Which processes read their wall clocks.
fn readers(registry: &Spec) -> &'static [Kind] {
    match registry {
        Spec::Etcd(etcd) if etcd.lease_clock == LeaseClock::Wall => &[Kind::Member],
        Spec::Static | Spec::Etcd(_) | Spec::Zookeeper(_) | Spec::Kubernetes(_) => &[],
        Spec::Nacos(_) => &[Kind::Member],
        // An agent that starts looks by it whether what its check last said still holds.
        Spec::Consul(_) => &[Kind::Aide],
        Spec::Eureka(_) => &[Kind::Member, Kind::Instance],
        Spec::Dns(dns) => readers(&dns.backing),
    }
}

fn may_be(target: &Target, kinds: &[Kind], cast: &Cast) -> bool {
    let is_one = |node| kinds.contains(&cast.kind_of(node));
    match &target.base {
        Base::Node(node) => is_one(*node),
        Base::Group(nodes) => nodes.iter().copied().any(is_one),
        Base::Zone(zone) => cast.in_zone(*zone).any(is_one),
        Base::Rest => !kinds.is_empty(),
    }
}
