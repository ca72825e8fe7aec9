//! Whom a fault is aimed at: targets that mean somebody, of the right kind, and on one side only.

use std::rc::Rc;

use schism_core::NodeId;
use schism_models::nemesis::{Base, Dns, Fault, Mischief, Nature, Standing, Target, Wants};

use super::Strike;
use super::recruit::recruits;
use crate::check::cast::{Cast, Kind};
use crate::check::target::{Resolved, resolve};
use crate::check::topology::Zones;
use crate::diagnostics::{Problem, Report, listed};
use crate::limits;
use crate::reader::too_many;
use crate::source::{At, Place};
use crate::target::TargetSpec;

/// A fault with its targets found.
#[derive(Clone)]
pub(super) struct Aimed {
    pub(super) fault: Fault,
    exact: Exact,
}

/// All nodes that a fault names, sorted, where that is certain before the run.
pub(super) type Exact = Option<Rc<[NodeId]>>;

impl Aimed {
    /// All nodes that it names, where that is certain before the run.
    pub(super) fn take_exact(&mut self) -> Exact {
        self.exact.take()
    }
}

/// Finds the targets of all faults.
pub(super) struct Aims<'a> {
    cast: &'a mut Cast,
    zones: &'a Zones,
    report: &'a Report,
    /// How many nodes have been named so far.
    named: u64,
}

impl<'a> Aims<'a> {
    pub(super) fn new(cast: &'a mut Cast, zones: &'a Zones, report: &'a Report) -> Self {
        Aims { cast, zones, report, named: 0 }
    }

    /// The fault of each strike. Strikes of one step share what was found for the first, but for the nodes that each
    /// boots.
    pub(super) fn all(&mut self, strikes: &[Strike<'_>]) -> Vec<Option<Aimed>> {
        let mut all: Vec<Option<Aimed>> = Vec::with_capacity(strikes.len());
        for (index, strike) in strikes.iter().enumerate() {
            let before = self.named;
            let steps = strike.spec.steps.len();
            let again = if strike.number > steps { all[index - steps].clone() } else { None };
            let aimed = match again {
                Some(aimed) if aimed.fault.spares().is_empty() => {
                    self.named += aimed.exact.as_ref().map_or(1, |nodes| nodes.len() as u64);
                    Some(aimed)
                }
                Some(_) | None => strike.step.kind.as_ref().and_then(|kind| self.one(kind)),
            };
            if before <= limits::TARGETED.most && self.named > limits::TARGETED.most {
                self.report.add(too_many(strike.spec.place, limits::TARGETED, self.named));
            }
            all.push(aimed.filter(|_| self.named <= limits::TARGETED.most));
        }
        all
    }

    fn one(&mut self, kind: &At<Fault<TargetSpec>>) -> Option<Aimed> {
        let kinds = kind.value.alternatives();
        if kinds.iter().any(|fault| !means_something(fault, kind.place, self.cast, self.report)) {
            return None;
        }
        let mut all = |specs: Vec<TargetSpec>| self.resolve(&specs);
        let resolved: Fault<Resolved> = kind.value.clone().aim(&mut all)?;
        let (cast, report) = (&*self.cast, self.report);
        for fault in resolved.alternatives() {
            let sides = fault.sides();
            match fault.standing() {
                Standing::OnOneSide => apart(&sides, cast, report),
                Standing::Anywhere => {}
            }
            rest(&sides, cast, report);
            enough(fault, report);
            fit(fault, cast, report);
        }
        let exact = exact(&resolved);
        let meant =
            |targets: Vec<Resolved>| Some(targets.into_iter().map(|resolved| resolved.target).collect());
        let hires = recruits(&resolved, cast, report)?;
        let mut fault = resolved.aim(&mut { meant })?;
        if let Some((service, count)) = hires {
            fault.enlist(self.cast.recruit(service, count));
        }
        Some(Aimed { fault, exact })
    }

    fn resolve(&mut self, specs: &[TargetSpec]) -> Option<Vec<Resolved>> {
        let mut list = Vec::new();
        let mut whole = true;
        for spec in specs {
            // Beyond the limit nothing is looked up any more, so that a refusal takes no longer than an acceptance.
            if self.named > limits::TARGETED.most {
                return None;
            }
            let resolved = resolve(spec, self.cast, self.zones, self.report);
            // A zone or the rest is looked for among all nodes.
            self.named += match &resolved {
                Some(Resolved { target: Target { base: Base::Node(_), .. }, .. }) | None => 1,
                Some(Resolved { target: Target { base: Base::Group(nodes), .. }, .. }) => nodes.len() as u64,
                Some(Resolved { target: Target { base: Base::Zone(_) | Base::Rest, .. }, .. }) => {
                    1 + self.cast.len() as u64 / 8
                }
            };
            whole &= resolved.is_some();
            list.extend(resolved);
        }
        whole.then_some(list)
    }
}

/// Whether the registry can fare so at all: one without members, leases and watches cannot.
fn means_something(fault: &Fault<TargetSpec>, place: Place, cast: &Cast, report: &Report) -> bool {
    if let Fault::Dns(fault) = fault {
        return dns_means_something(fault, place, cast, report);
    }
    let Fault::Registry(fault) = fault else { return true };
    let name = fault.trouble.name();
    let (message, help) = match cast.registry_name {
        None => return true,
        Some("static") => (
            format!("`{name}` has no meaning for a static registry: it has no members, leases or watches"),
            "choose a registry with members, such as etcd, or leave the fault out".to_owned(),
        ),
        Some(registry) => {
            let troubles = crate::registry::troubles(registry);
            if troubles.contains(&name) {
                return true;
            }
            let known = listed(troubles.iter().copied());
            (
                format!("`{name}` has no meaning for {registry}"),
                known.map_or_else(
                    || "leave the fault out".to_owned(),
                    |known| format!("with {registry} there are: {known}"),
                ),
            )
        }
    };
    report.add(Problem::error(place, message).help(help));
    false
}

/// Whether there are DNS servers, and what they answer from ever was another.
fn dns_means_something(fault: &Dns<TargetSpec>, place: Place, cast: &Cast, report: &Report) -> bool {
    let problem = |message: &str, help: &str| {
        report.add(Problem::error(place, message).help(help));
        false
    };
    match (cast.dns, &fault.how) {
        (Some(false), _) => problem(
            "`dns` has no meaning where clients learn from the registry itself",
            "choose registry.dns, which may be backed by any other registry",
        ),
        (Some(true), Mischief::Stale(_)) if cast.registry_name == Some("dns") => problem(
            "a zone file never changes: its answers of some time ago are those of now",
            "write `backed-by` in registry.dns, or choose another fault",
        ),
        _ => true,
    }
}

/// All nodes that a fault names, sorted; `None` if some are drawn, depend on who leads, or are whoever is left.
fn exact(fault: &Fault<Resolved>) -> Exact {
    if fault.alternatives().len() > 1 {
        return None;
    }
    let mut nodes = Vec::new();
    for target in fault.sides().into_iter().flatten() {
        nodes.extend_from_slice(target.certain.as_ref()?);
    }
    nodes.sort_unstable();
    nodes.dedup();
    (!nodes.is_empty()).then(|| nodes.into())
}

/// Every target has nodes of the kind that the fault acts on.
fn fit(fault: &Fault<Resolved>, cast: &Cast, report: &Report) {
    let wants = std::iter::once(fault.wants()).chain(std::iter::repeat(fault.wants_beside()));
    for (targets, wants) in fault.sides().into_iter().zip(wants) {
        fit_side(fault.name(), targets, wants, cast, report);
    }
}

fn fit_side(name: &str, targets: &[Resolved], wants: Wants, cast: &Cast, report: &Report) {
    let fits = |node: NodeId| match (wants, cast.kind_of(node)) {
        (Wants::Anyone, _)
        | (Wants::Members, Kind::Member)
        | (Wants::Instances | Wants::Service, Kind::Instance)
        | (Wants::Clients, Kind::Client)
        | (Wants::DnsServers, Kind::Aide)
        | (Wants::InstancesOrClients, Kind::Instance | Kind::Client) => true,
        (
            Wants::Members
            | Wants::Instances
            | Wants::Service
            | Wants::Clients
            | Wants::DnsServers
            | Wants::InstancesOrClients,
            _,
        ) => false,
    };
    for target in targets {
        // All nodes of a group are alike; of a zone, it strikes those that it can.
        let (found, what) = match &target.target.base {
            Base::Node(node) => (fits(*node), cast.kind_of(*node).one()),
            Base::Group(nodes) => (fits(nodes[0]), cast.kind_of(nodes[0]).many()),
            Base::Zone(zone) => (cast.in_zone(*zone).any(fits), "has none"),
            Base::Rest => continue,
        };
        if !found {
            let message = format!("`{name}` acts on {}: `{}` {what}", wanted(wants), target.text);
            report.add(Problem::error(target.place, message).help(format!("name {}", wanted(wants))));
        }
    }
}

/// The kind of process, in words.
fn wanted(wants: Wants) -> &'static str {
    match wants {
        Wants::Anyone => "every process",
        Wants::Members => "registry members",
        Wants::Instances => "instances of services",
        Wants::Service => "all instances of a service",
        Wants::Clients => "clients",
        Wants::DnsServers => "DNS servers",
        Wants::InstancesOrClients => "instances of services and clients",
    }
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

/// As many nodes as the fault needs to do anything, as far as they are certain before the run.
fn enough(fault: &Fault<Resolved>, report: &Report) {
    let targets: Vec<&Resolved> = fault.sides().into_iter().flatten().collect();
    let certain: Option<Vec<&Vec<NodeId>>> = targets.iter().map(|target| target.certain.as_ref()).collect();
    let (Some(certain), Some(last)) = (certain, targets.last()) else { return };
    let mut named: Vec<NodeId> = certain.into_iter().flatten().copied().collect();
    named.sort_unstable();
    named.dedup();
    if named.len() < fault.needs() {
        let message = format!(
            "this `{}` needs {} nodes or more, and {} named",
            fault.name(),
            fault.needs(),
            are(named.len())
        );
        let help = "name more of them, or a group";
        report.add(Problem::error(last.place, message).help(help));
    }
}

/// `1 is`, `2 are`.
fn are(count: usize) -> String {
    format!("{count} {}", if count == 1 { "is" } else { "are" })
}
