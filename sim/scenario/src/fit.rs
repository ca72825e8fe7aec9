//! What madsim cannot do. A scenario for the live wing asks for none of it, and what is only lost on the way is warned of.
//!
//! madsim 0.2 stops a process, lets it stand still, clogs the way from one node to another, and has one range of
//! latencies and one rate of loss for its whole network (`sim/net/network.rs`: `Config`, `clog_link`). Its nodes share one
//! clock. What ails a process, the models do themselves, on any engine.

use schism_core::{Classes, Ratio};
use schism_models::nemesis::{
    Direction, Ends, Existing, Fault, Latency, Loss, Mode, Partition, Pattern, Ways,
};

use crate::Scenario;
use crate::diagnostics::{Problem, Report};
use crate::spec::Written;
use crate::target::{BaseSpec, TargetSpec};

/// Why a fault is none for madsim, and what would be.
struct Misfit {
    why: String,
    instead: &'static str,
}

const LEAVE_OUT: &str = "leave the fault out, or run the scenario on `--engine des`";

impl Misfit {
    fn new(why: impl Into<String>) -> Option<Misfit> {
        Some(Misfit { why: why.into(), instead: LEAVE_OUT })
    }
}

/// Reports what a scenario as written asks for that madsim cannot do.
pub(crate) fn check(written: &Written, report: &Report) {
    let zones: Vec<&str> = written.zones.value.iter().map(|zone| zone.value.as_str()).collect();
    let is_all = |targets: &[TargetSpec]| is_all(targets, &zones);
    for kind in written.faults.iter().flat_map(|fault| &fault.steps).filter_map(|step| step.kind.as_ref()) {
        if let Some(Misfit { why, instead }) = misfit(&kind.value, &is_all) {
            report.add(Problem::error(kind.place, why).help(instead));
        }
    }
    for link in written.links.iter().flatten() {
        if link.loss.is_some_and(|loss| loss != written.loss) {
            let message = "madsim cannot lose more on one link than on another: it has one rate of loss";
            report.add(Problem::error(link.place, message).help("give every link the same `loss`"));
        }
    }
    let latencies = written.links.iter().flatten().filter_map(|link| link.latency.as_ref());
    let mut others = latencies.chain([&written.cross_zone]);
    if zones.len() > 1 && others.any(|latency| *latency != written.same_zone) {
        let message = "madsim has one range of latencies: within a zone and between zones they are the same";
        let help = "where the scenario rests on which zone is near, run it on `--engine des`";
        report.add(Problem::warning(written.zones.place, message).help(help));
    }
}

/// What madsim cannot do of a scenario whose faults are drawn: each such fault and why.
pub(crate) fn of(scenario: &Scenario) -> Vec<String> {
    use schism_models::nemesis::{Base, Target};
    let zones = scenario.zones();
    let is_all = |targets: &[Target]| {
        let is = |base: &Base| targets.iter().any(|target| target.select.is_none() && target.base == *base);
        is(&Base::Rest) || zones.iter().all(|zone| is(&Base::Zone(*zone)))
    };
    let misfits = scenario.faults.iter().filter_map(|planned| {
        let Misfit { why, .. } = misfit(&planned.fault, &is_all)?;
        Some(format!("fault `{}`: {why}", planned.id))
    });
    misfits.collect()
}

fn is_all(targets: &[TargetSpec], zones: &[&str]) -> bool {
    let is_zone = |zone: &str| {
        let named = |target: &TargetSpec| matches!(&target.base, BaseSpec::Zone(name) if name == zone);
        targets.iter().any(|target| target.select.is_none() && named(target))
    };
    targets.iter().any(|target| target.base == BaseSpec::Rest) || zones.iter().all(|zone| is_zone(zone))
}

fn misfit<T>(fault: &Fault<T>, is_all: &dyn Fn(&[T]) -> bool) -> Option<Misfit> {
    let name = fault.name();
    match fault {
        Fault::Partition(partition) => of_partition(partition),
        Fault::Latency(Latency { ways, correlation, .. }) => of_ways(name, ways, is_all).or_else(|| {
            if *correlation == Ratio::ZERO {
                return None;
            }
            Misfit::new("madsim cannot do `correlation`: its latencies do not remember each other")
        }),
        Fault::Loss(Loss { ways, pattern }) => of_ways(name, ways, is_all).or_else(|| match pattern {
            Pattern::Each(_) => None,
            Pattern::Bursts(_) => Misfit::new("madsim cannot lose messages in bursts"),
        }),
        Fault::OneOf(one) => one.of.iter().find_map(|fault| misfit(fault, is_all)),
        Fault::Duplicate(_) => Misfit::new("madsim cannot do `duplicate`: no message arrives twice"),
        Fault::Reorder(_) => Misfit::new("madsim cannot do `reorder`: it has one range of latencies for all"),
        Fault::Corrupt(_) => Misfit::new("madsim cannot do `corrupt`: what it delivers is whole"),
        Fault::Bandwidth(_) | Fault::LimpLink(_) => {
            Misfit::new(format!("madsim cannot do `{name}`: its links have no capacity"))
        }
        Fault::Connection(_) => {
            Misfit::new("madsim cannot do `connection`: it clogs all between two nodes, or nothing")
        }
        Fault::ZoneBrownout(_) => Misfit::new(
            "madsim cannot do `zone-brownout`: it has one range of latencies and one rate of loss for all",
        ),
        Fault::Clock(_) => Misfit::new("madsim cannot do `clock`: its nodes share one clock"),
        Fault::VmStall(_) => Some(Misfit {
            why: "madsim cannot do `vm-stall`: its nodes share one clock".to_owned(),
            instead: "let the processes stand still: `pause`",
        }),
        Fault::Crash(_)
        | Fault::CrashLoop(_)
        | Fault::Stop(_)
        | Fault::StartSlow(_)
        | Fault::Zombie(_)
        | Fault::Pause(_)
        | Fault::Registry(_)
        | Fault::Dns(_)
        | Fault::Gc(_)
        | Fault::Disk(_)
        | Fault::ZoneOutage(_)
        | Fault::Slow(_)
        | Fault::PartialCapacity(_)
        | Fault::ErrorRate(_)
        | Fault::Leak(_)
        | Fault::NoisyNeighbour(_)
        | Fault::Deploy(_)
        | Fault::ConfigPush(_)
        | Fault::IpReuse(_)
        | Fault::Scale(_)
        | Fault::Load(_)
        | Fault::Failpoint(_) => None,
    }
}

fn of_partition<T>(Partition { shape, mode, existing, .. }: &Partition<T>) -> Option<Misfit> {
    let instead = "write mode = \"blackhole\", or leave `mode` out";
    let mode = match mode {
        Mode::Blackhole => None,
        Mode::Reject => Some("madsim cannot reject: what it clogs it drops, and tells nobody"),
        Mode::Hold => Some("madsim cannot hold: what it clogs it drops"),
        Mode::Slow(_) => Some("madsim cannot slow some ways: it has one range of latencies for all"),
    };
    if let Some(why) = mode {
        return Some(Misfit { why: why.to_owned(), instead });
    }
    match existing {
        Existing::Cut => {}
        Existing::Keep => return Misfit::new("madsim cannot spare the connections that are open"),
    }
    if shape.traffic() == Classes::ALL {
        return None;
    }
    Misfit::new("madsim cannot tell the traffic of one plane from the other: it clogs all between two nodes")
}

fn of_ways<T>(name: &str, ways: &Ways<T>, is_all: &dyn Fn(&[T]) -> bool) -> Option<Misfit> {
    let Ways { ends, direction, traffic } = ways;
    let all = match ends {
        Ends::Of(targets) => is_all(targets),
        Ends::Between(..) => false,
    };
    if all && *direction == Direction::Both && *traffic == Classes::ALL {
        return None;
    }
    let why = format!("madsim cannot do `{name}` on some ways: its network is the same for all messages");
    Some(Misfit {
        why,
        instead: "name every zone, as in target = [\"zone:a\", \"zone:b\"], or run it on `--engine des`",
    })
}
