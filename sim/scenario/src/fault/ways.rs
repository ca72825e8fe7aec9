//! Ways: the keys that say which links a fault of the network is on.

use schism_core::{Classes, Distribution};
use schism_models::nemesis::{Direction, Ends, TRAFFIC, Ways};

use super::Spell;
use crate::diagnostics::{Problem, listed, nearest, shorten};
use crate::grammar::{Key, Shape};
use crate::reader::{Field, Read, Section};
use crate::target::TargetSpec;
use crate::tree::Tree;

/// The keys that name the ends of ways.
pub(crate) const ENDS: &[&str] = &["between", "target"];

/// The spellings of `direction`, beside those by the names of two sides.
pub(crate) const DIRECTIONS: &[&str] = &["both", "forward", "backward"];

/// The spellings of `traffic`.
const CLASSES: &[&str] = &["registry", "request", "probe"];

pub(super) const BETWEEN: Key =
    Key::new("between", Shape::Between, "The two ends: the ways from the one to the other are one link");
pub(super) const TARGET: Key = Key::new(
    "target",
    Shape::Targets,
    "Instead of `between`: all ways of these, each with a link of its own",
);
pub(super) const DIRECTION: Key = Key::new(
    "direction",
    Shape::Direction,
    "Which ways; forward is from the first end to the second, or from the target",
)
.or("\"both\"");
pub(super) const TRAFFIC_KEY: Key =
    Key::new("traffic", Shape::WordsOr(CLASSES, "all"), "Which traffic on them").or("\"all\"");

/// Reads the ways.
pub(super) fn read(section: &Section<'_>) -> Option<Ways<TargetSpec>> {
    let ends = ends(section);
    let traffic = traffic(section);
    let ends = ends?;
    let direction = direction(section, &ends.sides())?;
    Some(Ways { ends, direction, traffic })
}

/// Reads `between` or `target`.
pub(super) fn ends(section: &Section<'_>) -> Option<Ends<TargetSpec>> {
    let entry = section.only("on which links it is", ENDS)?;
    if entry.key == "target" {
        return section.maybe("target").map(|at| Ends::Of(at.value));
    }
    section.maybe::<Between>("between").map(|at| Ends::Between(at.value.0, at.value.1))
}

/// Reads `traffic`.
pub(super) fn traffic(section: &Section<'_>) -> Classes {
    section.value::<Traffic>("traffic").value.0
}

/// Reads `direction`: a word, or the names of two sides with an arrow between them.
pub(super) fn direction(section: &Section<'_>, sides: &[&[TargetSpec]]) -> Option<Direction> {
    let Some(entry) = section.entry("direction") else { return Some(Direction::Both) };
    let wrong = |message: String, help: String| {
        section.report.add(Problem::error(entry.value.place, message).help(help));
        None
    };
    let words = || listed(DIRECTIONS.iter().copied()).unwrap_or_default();
    let named = || match sides {
        [a, b] => format!("{words}, or \"{}->{}\"", a[0].text, b[0].text, words = words()),
        _ => words(),
    };
    let Some(text) = entry.value.as_text() else {
        return wrong(
            format!("`direction` is text, not {}", entry.value.kind()),
            format!("it is one of {}", named()),
        );
    };
    let stands = |text: &str, side: &[TargetSpec]| side.iter().any(|target| target.text == text.trim());
    match (text, text.split_once("->"), sides) {
        ("both", ..) => Some(Direction::Both),
        ("forward", ..) => Some(Direction::Forward),
        ("backward", ..) => Some(Direction::Backward),
        (_, Some((from, to)), [a, b]) if stands(from, a) && stands(to, b) => Some(Direction::Forward),
        (_, Some((from, to)), [a, b]) if stands(from, b) && stands(to, a) => Some(Direction::Backward),
        (_, Some(_), [_, _]) => wrong(
            format!("`{}` does not go from one side to the other", shorten(text)),
            format!("it is one of {}", named()),
        ),
        (_, Some(_), _) => wrong(
            format!(
                "`{}` is a direction between two sides, of which the fault has {}",
                shorten(text),
                sides.len()
            ),
            format!("it is one of {}", words()),
        ),
        (_, None, _) => {
            let near =
                nearest(text, DIRECTIONS.iter().copied()).map(|word| format!("did you mean `{word}`?"));
            wrong(
                format!("`direction` cannot be `{}`", shorten(text)),
                near.unwrap_or_else(|| format!("it is one of {}", named())),
            )
        }
    }
}

/// `between = [..]` or `target = [..]`, and the rest of what says on which ways a fault is.
pub(super) fn write(ways: &Ways, names: &dyn Spell) -> String {
    let traffic = if ways.traffic == Classes::ALL {
        "\"all\"".to_owned()
    } else {
        let some = TRAFFIC.iter().filter(|(_, class)| ways.traffic.contains(*class));
        format!("[{}]", some.map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", "))
    };
    format!(
        "{}, direction = \"{}\", traffic = {traffic}",
        write_ends(&ways.ends, names),
        spelt(ways.direction)
    )
}

pub(super) fn write_ends(ends: &Ends, names: &dyn Spell) -> String {
    match ends {
        Ends::Between(a, b) => format!("between = [{}, {}]", names.targets(a), names.targets(b)),
        Ends::Of(nodes) => format!("target = {}", names.targets(nodes)),
    }
}

pub(super) fn spelt(direction: Direction) -> &'static str {
    match direction {
        Direction::Both => "both",
        Direction::Forward => "forward",
        Direction::Backward => "backward",
    }
}

pub(super) fn distribution(of: &Distribution) -> String {
    crate::render::distribution(of)
}

/// Two ends.
struct Between(Vec<TargetSpec>, Vec<TargetSpec>);

impl Read for Between {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Between> {
        let Some([a, b]) = tree.as_list() else {
            let message = format!("`{}` is two ends", field.name);
            let help = format!("write {} = [\"zone:a\", \"zone:b\"], or a list for each end", field.name);
            field.report.add(Problem::error(tree.place, message).help(help));
            return None;
        };
        let (a, b) = (Vec::read(field, a), Vec::read(field, b));
        Some(Between(a?, b?))
    }
}

/// Some kinds of traffic, or all.
struct Traffic(Classes);

impl Read for Traffic {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Traffic> {
        if tree.as_text() == Some("all") {
            return Some(Traffic(Classes::ALL));
        }
        let words = tree.as_list().filter(|words| !words.is_empty());
        let class = |word: &Tree| {
            let known = TRAFFIC.iter().find(|(name, _)| word.as_text() == Some(name));
            known.map(|(_, class)| *class).ok_or(word.place)
        };
        let found: Option<Result<Classes, _>> = words.map(|words| words.iter().map(class).collect());
        let place = match found {
            // Whoever names them all means all, resets too.
            Some(Ok(all)) if TRAFFIC.iter().all(|(_, class)| all.contains(*class)) => {
                return Some(Traffic(Classes::ALL));
            }
            Some(Ok(some)) => return Some(Traffic(some)),
            Some(Err(place)) => place,
            None => tree.place,
        };
        let words = listed(CLASSES.iter().copied()).unwrap_or_default();
        let message = format!("`{}` is \"all\", or a list of kinds of traffic", field.name);
        let help = format!("they are {words}: write [\"registry\"]");
        field.report.add(Problem::error(place, message).help(help));
        None
    }
}
