//! Targets: from names to nodes, and what can be known before the run about whom they will be.

use schism_core::NodeId;
use schism_models::nemesis::{Base, Select, Target};

use super::cast::{Cast, REGISTRY, Registry};
use super::topology::Zones;
use crate::diagnostics::{Problem, Report, nearest, shorten};
use crate::source::{At, Place};
use crate::target::{BaseSpec, SelectSpec, TargetSpec};

/// A target with its place, and its nodes where those are certain before the run.
pub(super) struct Resolved {
    pub(super) target: Target,
    pub(super) place: Place,
    pub(super) text: String,
    /// None if they are drawn, depend on who leads, or are whoever is left.
    pub(super) certain: Option<Vec<NodeId>>,
}

pub(super) fn resolve(spec: &TargetSpec, cast: &Cast, zones: &Zones, report: &Report) -> Option<Resolved> {
    let problem = |problem: Problem| {
        report.add(problem);
        None
    };
    let (base, nodes) = match base(spec, cast, zones) {
        Ok(found) => found?,
        Err(wrong) => return problem(wrong),
    };
    if let Some(stand_in) = stand_in(spec, &base, &nodes, cast, report) {
        return Some(stand_in);
    }
    let select = match &spec.select {
        None => None,
        Some(select) => match self::select(spec, select, &base, &nodes, cast, zones) {
            Ok(select) => Some(select),
            Err(wrong) => return problem(wrong),
        },
    };
    let certain = match (&base, &select) {
        (Base::Rest, _) => None,
        (_, None) => Some(nodes),
        (_, Some(Select::In(zone))) => {
            Some(nodes.into_iter().filter(|node| cast.zone_of(*node) == *zone).collect())
        }
        (_, Some(Select::Leader | Select::Followers | Select::Minority | Select::Majority)) => None,
        (_, Some(Select::Pick(_) | Select::Share(_))) => None,
    };
    Some(Resolved { target: Target { base, select }, place: spec.place, text: spec.text.clone(), certain })
}

/// Where no member leads, the first stands in for the leader, so that a scenario can be asked of every registry.
fn stand_in(
    spec: &TargetSpec,
    base: &Base,
    nodes: &[NodeId],
    cast: &Cast,
    report: &Report,
) -> Option<Resolved> {
    let (Registry::HasNoLeader(name), BaseSpec::Name(group), Base::Group(_)) =
        (cast.registry, &spec.base, base)
    else {
        return None;
    };
    if group != REGISTRY {
        return None;
    }
    let (first, others) = nodes.split_first()?;
    let (nodes, who) = match spec.select.as_ref()? {
        SelectSpec::Leader => (vec![*first], "the first member stands in"),
        SelectSpec::Followers if !others.is_empty() => {
            (others.to_vec(), "all members but the first stand in")
        }
        SelectSpec::Followers
        | SelectSpec::Minority
        | SelectSpec::Majority
        | SelectSpec::Pick(_)
        | SelectSpec::Share(_)
        | SelectSpec::In(_) => return None,
    };
    let message = format!("no member of {name} leads the others: for `{}` {who}", spec.text);
    report.add(Problem::warning(spec.place, message).help("write \"registry:one\" for one that is drawn"));
    let base = match nodes[..] {
        [only] => Base::Node(only),
        _ => Base::Group(nodes.clone()),
    };
    Some(Resolved {
        target: Target { base, select: None },
        place: spec.place,
        text: spec.text.clone(),
        certain: Some(nodes),
    })
}

/// The base with its nodes. `Ok(None)` if the cause has been reported elsewhere.
type Found = Result<Option<(Base, Vec<NodeId>)>, Problem>;

fn base(spec: &TargetSpec, cast: &Cast, zones: &Zones) -> Found {
    match &spec.base {
        BaseSpec::Rest => Ok(Some((Base::Rest, Vec::new()))),
        BaseSpec::Zone(name) => zone(spec, name, cast, zones),
        BaseSpec::Name(name) => named(spec, name, cast, zones),
    }
}

fn zone(spec: &TargetSpec, name: &str, cast: &Cast, zones: &Zones) -> Found {
    let Some(zone) = zones.find(name) else {
        return Err(super::no_zone(&At::new(name.to_owned(), spec.place), zones));
    };
    let nodes: Vec<NodeId> = cast.in_zone(zone).collect();
    if nodes.is_empty() {
        let message = format!("`{}` matches nothing: no node runs there", spec.text);
        return Err(Problem::error(spec.place, message).help("give a service or a client group that zone"));
    }
    Ok(Some((Base::Zone(zone), nodes)))
}

fn named(spec: &TargetSpec, name: &str, cast: &Cast, zones: &Zones) -> Found {
    if let Some(nodes) = cast.group(name) {
        // A group whose count could not be read has been reported.
        return Ok((!nodes.is_empty()).then_some((Base::Group(nodes.clone()), nodes)));
    }
    let of_registry =
        name == REGISTRY || name.strip_prefix("registry-").is_some_and(|n| n.parse::<u32>().is_ok());
    if of_registry && cast.registry == Registry::IsStatic {
        let message =
            format!("`{}` matches nothing: the registry is static and has no members", shorten(&spec.text));
        return Err(Problem::error(spec.place, message)
            .help("choose a registry with members, such as etcd, or leave the target out"));
    }
    if of_registry && cast.registry == Registry::Unknown {
        return Ok(None);
    }
    match cast.numbered(name) {
        Some((_, Some(node), _)) => Ok(Some((Base::Node(node), vec![node]))),
        // Its count could not be read, which has been reported.
        Some((_, None, 0)) => Ok(None),
        Some((group, None, count)) => {
            let message = format!("there is no `{}`: `{group}` has {count}", shorten(name));
            Err(Problem::error(spec.place, message)
                .help(format!("they are `{group}-0` to `{group}-{}`", count - 1)))
        }
        None => Err(unknown(spec, name, cast, zones)),
    }
}

fn unknown(spec: &TargetSpec, name: &str, cast: &Cast, zones: &Zones) -> Problem {
    let message =
        format!("`{}` matches nothing: there is no group or node of that name", shorten(&spec.text));
    let groups: Vec<&str> = cast.group_names().chain(["rest"]).collect();
    // Of `odrers-3` the group is misspelt, not the number.
    let (stem, number) = match name.rsplit_once('-') {
        Some((stem, number)) if number.parse::<u32>().is_ok() => (stem, format!("-{number}")),
        _ => (name, String::new()),
    };
    let near = nearest(stem, groups.iter().copied()).map(|group| format!("did you mean `{group}{number}`?"));
    let names = || {
        crate::diagnostics::listed(groups.iter().copied())
            .map(|names| format!("there are: {names}, `zone:..`"))
    };
    let zone = zones.find(name).map(|_| format!("did you mean `zone:{name}`?"));
    Problem::error(spec.place, message).maybe_help(zone.or(near).or_else(names))
}

fn select(
    spec: &TargetSpec,
    select: &SelectSpec,
    base: &Base,
    nodes: &[NodeId],
    cast: &Cast,
    zones: &Zones,
) -> Result<Select, Problem> {
    let BaseSpec::Name(group) = &spec.base else { unreachable!("only groups are parsed with a selection") };
    let error = |message: String, help: String| Err(Problem::error(spec.place, message).help(help));
    if let Base::Node(_) = base {
        let message = format!("`{group}` is one node, and there is nothing to select from");
        return error(message, format!("write \"{group}\""));
    }
    let size = nodes.len();
    match select {
        SelectSpec::Leader | SelectSpec::Followers if group != REGISTRY => {
            let word = if *select == SelectSpec::Leader { "leader" } else { "followers" };
            let help = format!("write \"registry:{word}\", or \"{group}:one\" for one drawn");
            error(format!("`{}`: only the registry has a leader", spec.text), help)
        }
        SelectSpec::Followers if size == 1 => error(
            format!("`{}` matches nothing: the only member leads", spec.text),
            "write \"registry\"".into(),
        ),
        SelectSpec::Minority if size < 3 => {
            let message = format!("`{}` matches nothing: {size} of a group have no minority", spec.text);
            error(message, format!("a minority is less than half; write \"{group}:one\""))
        }
        SelectSpec::Pick(0) => error(
            format!("`{}` selects nobody", spec.text),
            format!("write how many of the {size}: \"{group}:pick(1)\" to \"{group}:pick({size})\""),
        ),
        SelectSpec::Pick(count) if *count as usize > size => error(
            format!("`{}`: `{group}` has only {size}", spec.text),
            format!("write \"{group}:pick({size})\" or less, or \"{group}\""),
        ),
        SelectSpec::In(name) => {
            let Some(zone) = zones.find(name) else {
                return Err(super::no_zone(&At::new(name.clone(), spec.place), zones));
            };
            if !nodes.iter().any(|node| cast.zone_of(*node) == zone) {
                let message =
                    format!("`{}` matches nothing: none of `{group}` runs in zone `{name}`", spec.text);
                return error(
                    message,
                    format!("add \"{name}\" to the zones of `{group}`, or choose another zone"),
                );
            }
            Ok(Select::In(zone))
        }
        SelectSpec::Leader => Ok(Select::Leader),
        SelectSpec::Followers => Ok(Select::Followers),
        SelectSpec::Minority => Ok(Select::Minority),
        SelectSpec::Majority => Ok(Select::Majority),
        SelectSpec::Pick(count) => Ok(Select::Pick(*count)),
        SelectSpec::Share(share) => Ok(Select::Share(*share)),
    }
}
