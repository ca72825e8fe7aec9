//! Who a fault acts on: targets of the right kind, services of the right size, and the nodes that it recruits.

use schism_core::NodeId;
use schism_models::nemesis::{Base, Batch, Deploy, Fault, Nature, Scale, Strategy, Wants, Way};

use super::cast::{Cast, Kind, Registry};
use super::target::Resolved;
use crate::diagnostics::{Problem, Report};
use crate::limits;
use crate::reader::too_many;

/// Each target is of a kind that the fault acts on.
pub(super) fn wanted(fault: &Fault<Resolved>, cast: &Cast, report: &Report) -> Option<()> {
    let wants = [fault.wants()].into_iter().chain(std::iter::repeat(fault.wants_beside()));
    let mut fits = true;
    for (targets, wants) in fault.sides().into_iter().zip(wants) {
        if wants == Wants::Service && targets.len() > 1 {
            let message = format!("`{}` acts on one service at a time", fault.name());
            report.add(Problem::error(targets[1].place, message).help("write a fault for each"));
            fits = false;
        }
        for target in targets {
            if let Err(problem) = fit(fault.name(), target, wants, cast) {
                report.add(problem);
                fits = false;
            }
        }
    }
    fits.then_some(())
}

fn fit(name: &str, target: &Resolved, wants: Wants, cast: &Cast) -> Result<(), Problem> {
    let (acts_on, help) = match wants {
        Wants::Anyone => return Ok(()),
        Wants::Members => ("registry members", "write \"registry\", or \"registry:leader\""),
        Wants::Instances => ("instances of a service", "write the name of a service, such as \"orders:one\""),
        Wants::Service => ("a whole service", "write the name of a service, such as \"orders\""),
        Wants::Clients => ("clients", "write the name of a client group, such as \"web:20%\""),
        Wants::InstancesOrClients => {
            ("instances or clients", "write the name of a service or a client group")
        }
    };
    let fits = match &target.target.base {
        Base::Zone(_) | Base::Rest => false,
        Base::Node(node) => wants != Wants::Service && is(wants, cast.kind_of(*node)),
        Base::Group(nodes) => {
            let whole = wants != Wants::Service || target.target.select.is_none();
            whole && nodes.iter().all(|&node| is(wants, cast.kind_of(node)))
        }
    };
    let message = || format!("`{name}` acts on {acts_on}, and `{}` is something else", target.text);
    if fits { Ok(()) } else { Err(Problem::error(target.place, message()).help(help)) }
}

fn is(wants: Wants, kind: Kind) -> bool {
    match wants {
        Wants::Anyone => true,
        Wants::Members => kind == Kind::Member,
        Wants::Instances | Wants::Service => kind == Kind::Instance,
        Wants::Clients => kind == Kind::Client,
        Wants::InstancesOrClients => kind != Kind::Member,
    }
}

/// Of which service how many nodes the fault needs that nothing else boots. `None` if it cannot have them, or asks for
/// more than there is of anything else; that has been reported.
pub(super) fn recruits(
    fault: &Fault<Resolved>,
    cast: &Cast,
    report: &Report,
) -> Option<Option<(usize, u32)>> {
    let Some(first) = fault.sides().first().copied().and_then(<[Resolved]>::first) else { return Some(None) };
    let nodes: &[NodeId] = match &first.target.base {
        Base::Group(nodes) => nodes,
        Base::Node(_) | Base::Zone(_) | Base::Rest => &[],
    };
    let refuse = |message: String, help: String| {
        report.add(Problem::error(first.place, message).help(help));
        None
    };
    if let Some((message, help)) = too_large(fault, nodes.len()) {
        return refuse(message, help);
    }
    let count = fault.recruits(nodes.len() as u32);
    if count == 0 {
        return Some(None);
    }
    if cast.registry != Registry::HasMembers {
        let message = format!("`{}`: nobody would learn of new instances without a registry", fault.name());
        return refuse(message, "choose a registry with members, such as etcd".to_owned());
    }
    let all = (cast.instances() + count as usize) as u64;
    if all > limits::INSTANCES_TOTAL.most {
        report.add(too_many(first.place, limits::INSTANCES_TOTAL, all));
        return None;
    }
    Some(Some((cast.service_of(nodes)?, count)))
}

/// What is wrong with a fault that wants to change more instances than there are.
fn too_large(fault: &Fault<Resolved>, size: usize) -> Option<(String, String)> {
    if let Fault::Scale(Scale { way: Way::In(count), .. }) = fault
        && *count as usize >= size
    {
        let message = format!("`in` is {count}, and there are {size}: nobody would be left");
        return Some((message, format!("write at most {}", size.saturating_sub(1))));
    }
    let Fault::Deploy(Deploy { batch, strategy, .. }) = fault else { return None };
    let canary = match strategy {
        Strategy::Canary { first, .. } => Some(*first),
        Strategy::Rolling | Strategy::BlueGreen => None,
    };
    let exceeds = |batch: &Batch| matches!(batch, Batch::Count(count) if size > 0 && *count as usize > size);
    let batch = [Some(*batch), canary].into_iter().flatten().find(exceeds)?;
    let message = format!("a batch of {batch} is larger than the group, which has {size}");
    Some((message, format!("write at most {size}, or a share such as \"25%\"")))
}
