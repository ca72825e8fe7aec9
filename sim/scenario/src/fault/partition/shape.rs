//! Who is parted from whom.

use schism_models::nemesis::{LeaderOn, Plane, RestOn, Shape as Parting, Target};

use super::Spell;
use crate::diagnostics::{Problem, Report};
use crate::grammar::{Key, Shape};
use crate::limits;
use crate::reader::{Field, Read, Section, too_many};
use crate::source::{At, Place};
use crate::target::{self, BaseSpec, TargetSpec};
use crate::tree::{Entry, Node, Tree};

/// The keys that say who is parted from whom.
pub(crate) const SHAPES: &[&str] = &[
    "split",
    "isolate",
    "one-way",
    "partial",
    "zone-cut",
    "halves",
    "random",
    "majority-minority",
    "bridge",
    "majorities-ring",
    "star",
    "mesh",
    "plane-cut",
];

/// `one-way` as a table.
pub(crate) const ONE_WAY: &[Key] = &[
    Key::new("from", Shape::Targets, "Who does not reach").required(),
    Key::new("to", Shape::Targets, "Whom").required(),
];

const OF_KEY: Key = Key::new("of", Shape::Targets, "Of whom").or("\"registry\"");

/// The shapes of a group.
pub(super) const OF: &[Key] = &[OF_KEY];

/// `majority-minority`.
pub(super) const MAJORITY_MINORITY: &[Key] = &[
    OF_KEY,
    Key::word("leader", &["minority", "majority", "any"], "On which side the registry's leader is")
        .or("\"any\""),
    Key::word("rest", &["minority", "majority", "both"], "Which side everyone else is on, or reaches")
        .or("\"majority\""),
];

/// `bridge`.
pub(super) const BRIDGE: &[Key] =
    &[Key::new("over", Shape::Targets, "Who reaches both halves").required(), OF_KEY];

/// `star`.
pub(super) const STAR: &[Key] = &[Key::new("hub", Shape::Targets, "Whom all reach").required(), OF_KEY];

/// The spellings of `plane-cut`.
pub(super) const PLANES: &[&str] = &["control", "data"];

/// `plane-cut` as a table.
pub(super) const PLANE_CUT: &[Key] = &[
    Key::word("plane", PLANES, "What is cut: traffic with the registry, or requests and health checks")
        .required(),
    Key::new("of", Shape::Targets, "Whose; by default that of everyone, the registry's members apart"),
];

pub(super) fn read(section: &Section<'_>, entry: &Entry) -> Option<Parting<TargetSpec>> {
    let name = entry.key.as_str();
    match name {
        "split" => section.maybe::<Sides>(name).and_then(|at| split(section, at)),
        "isolate" => section.maybe(name).map(|at| Parting::Isolate(at.value)),
        "partial" => {
            section.maybe::<Sides>(name).and_then(|at| pairs(section, name, at)).map(Parting::Partial)
        }
        "mesh" => section.maybe::<Sides>(name).and_then(|at| pairs(section, name, at)).map(Parting::Mesh),
        "zone-cut" => section.maybe(name).and_then(|at| zone_cut(section, at)),
        "halves" => Some(Parting::Halves(of(&short(section, entry, OF)))),
        "random" => Some(Parting::Random(of(&short(section, entry, OF)))),
        "majorities-ring" => Some(Parting::MajoritiesRing(of(&short(section, entry, OF)))),
        "majority-minority" => Some(majority_minority(&short(section, entry, MAJORITY_MINORITY))),
        "bridge" => {
            let table = short(section, entry, BRIDGE);
            Some(Parting::Bridge { over: table.first()?, of: of(&table) })
        }
        "star" => {
            let table = short(section, entry, STAR);
            Some(Parting::Star { hub: table.first()?, of: of(&table) })
        }
        "plane-cut" => plane_cut(section, entry).map(Parting::Plane),
        _ => one_way(section, &entry.value),
    }
}

/// A table, or what stands for its first key alone.
struct Short<'t> {
    section: Section<'t>,
    /// The first key, and what stands for it alone.
    key: &'static Key,
    alone: Option<&'t Tree>,
}

fn short<'t>(section: &Section<'t>, entry: &'t Entry, keys: &'static [Key]) -> Short<'t> {
    let path = section.path_of(&entry.key);
    let (table, alone) = match &entry.value.node {
        Node::Table(_) => (Some(&entry.value), None),
        Node::Flag(true) => (None, None),
        Node::Flag(false)
        | Node::Text(_)
        | Node::Integer(_)
        | Node::Float(_)
        | Node::Datetime
        | Node::List(_) => (None, Some(&entry.value)),
    };
    Short { section: Section::open(&path, entry.place, table, keys, section.report), key: &keys[0], alone }
}

impl Short<'_> {
    /// What stands at the first key, or alone.
    fn first(&self) -> Option<Vec<TargetSpec>> {
        let Some(tree) = self.alone else {
            // Where nothing is written, an empty table is what `true` stands for.
            if self.section.tree(self.key.name).is_none() {
                let help = format!("write {} = {{ {} = \"registry-1\" }}", self.name(), self.key.name);
                let message = format!("`{}` is missing in `{}`", self.key.name, self.section.path);
                self.section.report.add(Problem::error(self.section.place, message).help(help));
                return None;
            }
            return self.section.maybe(self.key.name).map(|at| at.value);
        };
        let field = Field { name: self.name(), shape: Shape::Targets, report: self.section.report };
        Vec::read(&field, tree)
    }

    fn name(&self) -> &str {
        self.section.path.rsplit('.').next().unwrap_or_default()
    }
}

/// Of whom: what stands alone, or at `of`, or the registry's members.
fn of(short: &Short<'_>) -> Vec<TargetSpec> {
    let alone = if short.key.name == "of" && short.alone.is_some() { short.first() } else { None };
    alone.unwrap_or_else(|| short.section.value("of").value)
}

fn majority_minority(short: &Short<'_>) -> Parting<TargetSpec> {
    let word = |name: &str| short.section.value::<String>(name).value;
    let leader = match word("leader").as_str() {
        "minority" => LeaderOn::Minority,
        "majority" => LeaderOn::Majority,
        _ => LeaderOn::Any,
    };
    let rest = match word("rest").as_str() {
        "minority" => RestOn::Minority,
        "both" => RestOn::Both,
        _ => RestOn::Majority,
    };
    Parting::MajorityMinority { of: of(short), leader, rest }
}

fn plane_cut(section: &Section<'_>, entry: &Entry) -> Option<Plane<TargetSpec>> {
    let (plane, of) = if entry.value.as_table().is_some() {
        let path = section.path_of("plane-cut");
        let table = Section::open(&path, entry.place, Some(&entry.value), PLANE_CUT, section.report);
        let (plane, of) = (table.must::<String>("plane"), table.maybe("of").map(|at| at.value));
        (plane?.value, of)
    } else {
        let field = Field { name: "plane-cut", shape: PLANE_CUT[0].shape, report: section.report };
        (String::read(&field, &entry.value)?, None)
    };
    let named = |text: &str, base| {
        vec![TargetSpec { place: entry.value.place, text: text.to_owned(), base, select: None }]
    };
    Some(match plane.as_str() {
        "data" => Plane::Data(of),
        _ => Plane::Control {
            of: of.unwrap_or_else(|| named("rest", BaseSpec::Rest)),
            registry: named("registry", BaseSpec::Name("registry".to_owned())),
        },
    })
}

fn split(section: &Section<'_>, sides: At<Sides>) -> Option<Parting<TargetSpec>> {
    if sides.value.0.len() < 2 {
        let problem = Problem::error(sides.place, "`split` needs at least two sides");
        section.report.add(problem.help("write split = [[\"zone:b\"], [\"rest\"]]"));
        return None;
    }
    Some(Parting::Split(sides.value.0))
}

fn pairs(section: &Section<'_>, name: &str, pairs: At<Sides>) -> Option<Vec<(TargetSpec, TargetSpec)>> {
    let mut list = Vec::new();
    for pair in pairs.value.0 {
        let place = pair.first().map_or(pairs.place, |target| target.place);
        let Ok([a, b]) = <[TargetSpec; 2]>::try_from(pair) else {
            let problem = Problem::error(place, format!("`{name}` is a list of pairs"));
            section
                .report
                .add(problem.help(format!("write {name} = [[\"a-0\", \"b-0\"], [\"a-1\", \"b-1\"]]")));
            return None;
        };
        list.push((a, b));
    }
    if list.is_empty() {
        section.report.add(Problem::error(pairs.place, format!("`{name}` has no pairs")));
        return None;
    }
    Some(list)
}

/// Two zones that do not reach each other: a split of the two.
fn zone_cut(section: &Section<'_>, zones: At<Vec<At<String>>>) -> Option<Parting<TargetSpec>> {
    let [a, b] = &zones.value[..] else {
        let message = format!("`zone-cut` is two zones, not {}", zones.value.len());
        section.report.add(Problem::error(zones.place, message).help("write zone-cut = [\"a\", \"b\"]"));
        return None;
    };
    let side = |zone: &At<String>| {
        let name = zone.value.strip_prefix("zone:").unwrap_or(&zone.value);
        vec![TargetSpec {
            place: zone.place,
            text: format!("zone:{name}"),
            base: BaseSpec::Zone(name.to_owned()),
            select: None,
        }]
    };
    Some(Parting::Split(vec![side(a), side(b)]))
}

/// `"zone:b->zone:a"`, or a table of the two.
fn one_way(section: &Section<'_>, tree: &Tree) -> Option<Parting<TargetSpec>> {
    if tree.as_table().is_some() {
        let path = section.path_of("one-way");
        let table = Section::open(&path, tree.place, Some(tree), ONE_WAY, section.report);
        let (from, to) = (table.must("from"), table.must("to"));
        return Some(Parting::OneWay(from?.value, to?.value));
    }
    let Some((from, to)) = tree.as_text().and_then(|text| text.split_once("->")) else {
        let problem = Problem::error(tree.place, "`one-way` is two targets with an arrow between them");
        section.report.add(problem.help("write one-way = \"zone:b->zone:a\", or { from = [..], to = [..] }"));
        return None;
    };
    let parse = |text: &str| one_target(text.trim(), tree.place, section.report);
    let (from, to) = (parse(from), parse(to));
    Some(Parting::OneWay(vec![from?], vec![to?]))
}

fn one_target(text: &str, place: Place, report: &Report) -> Option<TargetSpec> {
    target::parse(text, place).map_err(|problem| report.add(problem)).ok()
}

/// Lists of targets.
struct Sides(Vec<Vec<TargetSpec>>);

impl Read for Sides {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Sides> {
        let lists = tree.as_list().filter(|items| items.iter().all(|item| item.as_list().is_some()));
        let Some(lists) = lists else {
            let message = format!("`{}` is a list of lists", field.name);
            let help = format!("write {} = [[\"orders-0\"], [\"web-0\"]]", field.name);
            field.report.add(Problem::error(tree.place, message).help(help));
            return None;
        };
        if lists.len() as u64 > limits::TARGETS.most {
            field.report.add(too_many(tree.place, limits::TARGETS, lists.len() as u64));
            return None;
        }
        lists.iter().map(|list| Vec::read(field, list)).collect::<Option<_>>().map(Sides)
    }
}

pub(super) fn write(shape: &Parting, names: &dyn Spell) -> String {
    let list = |items: Vec<String>| format!("[{}]", items.join(", "));
    let all = |targets: &[Target]| names.targets(targets);
    let each = |pairs: &[(Target, Target)]| {
        list(pairs.iter().map(|(a, b)| list(vec![names.target(a), names.target(b)])).collect())
    };
    match shape {
        Parting::Split(sides) => format!("split = {}", list(sides.iter().map(|side| all(side)).collect())),
        Parting::Isolate(targets) => format!("isolate = {}", all(targets)),
        Parting::OneWay(from, to) => format!("one-way = {{ from = {}, to = {} }}", all(from), all(to)),
        Parting::Partial(pairs) => format!("partial = {}", each(pairs)),
        Parting::Halves(of) => format!("halves = {{ of = {} }}", all(of)),
        Parting::Random(of) => format!("random = {{ of = {} }}", all(of)),
        Parting::MajorityMinority { of, leader, rest } => {
            let leader = match leader {
                LeaderOn::Minority => "minority",
                LeaderOn::Majority => "majority",
                LeaderOn::Any => "any",
            };
            let rest = match rest {
                RestOn::Minority => "minority",
                RestOn::Majority => "majority",
                RestOn::Both => "both",
            };
            format!("majority-minority = {{ of = {}, leader = \"{leader}\", rest = \"{rest}\" }}", all(of))
        }
        Parting::Bridge { over, of } => format!("bridge = {{ over = {}, of = {} }}", all(over), all(of)),
        Parting::MajoritiesRing(of) => format!("majorities-ring = {{ of = {} }}", all(of)),
        Parting::Star { hub, of } => format!("star = {{ hub = {}, of = {} }}", all(hub), all(of)),
        Parting::Mesh(pairs) => format!("mesh = {}", each(pairs)),
        Parting::Plane(Plane::Control { of, .. }) => {
            format!("plane-cut = {{ plane = \"control\", of = {} }}", all(of))
        }
        Parting::Plane(Plane::Data(Some(of))) => {
            format!("plane-cut = {{ plane = \"data\", of = {} }}", all(of))
        }
        Parting::Plane(Plane::Data(None)) => "plane-cut = { plane = \"data\" }".to_owned(),
    }
}
