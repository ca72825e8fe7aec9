//! Whom a fault recruits: nodes that nothing else boots, of a service that is large enough for it.

use schism_core::NodeId;
use schism_models::nemesis::{Base, Batch, Deploy, Fault, Nature, Scale, Strategy, Wants, Way};

use crate::check::cast::{Cast, Registry};
use crate::check::target::Resolved;
use crate::diagnostics::{Problem, Report};
use crate::limits;
use crate::reader::too_many;

/// Of which service how many nodes the fault needs that nothing else boots. `None` if it cannot have them, or asks for
/// more than there is of anything else; that has been reported.
pub(super) fn recruits(
    fault: &Fault<Resolved>,
    cast: &Cast,
    report: &Report,
) -> Option<Option<(usize, u32)>> {
    let sides = fault.sides();
    let targets = sides.first().copied().unwrap_or_default();
    let Some(first) = targets.first() else { return Some(None) };
    let nodes: &[NodeId] = match &first.target.base {
        Base::Group(nodes) => nodes,
        Base::Node(_) | Base::Zone(_) | Base::Rest => &[],
    };
    let refuse = |message: String, help: String| {
        report.add(Problem::error(first.place, message).help(help));
        None
    };
    if let [_, _, ..] = fault.alternatives()[..]
        && let Some(one) = fault.alternatives().iter().find(|one| stands_alone(one))
    {
        let message = format!("`{}` cannot be one of several", one.name());
        return refuse(message, "write it as a fault of its own".to_owned());
    }
    if fault.wants() == Wants::Service && (nodes.is_empty() || first.target.select.is_some()) {
        let message = format!("`{}` acts on a whole service, and `{}` is none", fault.name(), first.text);
        return refuse(message, "write its name alone: \"orders\"".to_owned());
    }
    if let (Wants::Service, [_, second, ..]) = (fault.wants(), targets) {
        let message = format!("`{}` acts on one service, and `{}` is another", fault.name(), second.text);
        report.add(Problem::error(second.place, message).help("write a fault for each"));
        return None;
    }
    if let Some((message, help)) = too_large(fault, nodes.len()) {
        return refuse(message, help);
    }
    let count = fault.recruits(nodes.len() as u32);
    if count == 0 {
        return Some(None);
    }
    if cast.registry == Registry::IsStatic {
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

/// Whether those who watch must know before the run that it is this one.
fn stands_alone(fault: &Fault<Resolved>) -> bool {
    matches!(fault, Fault::IpReuse(_)) || fault.wants() == Wants::Service
}
