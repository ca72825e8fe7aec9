//! Targets as written: `orders-3`, `orders`, `zone:b`, `rest`, `orders:pick(2)`, `registry:leader`.

use schism_core::Ratio;

use crate::diagnostics::{Problem, nearest, shorten};
use crate::limits;
use crate::source::Place;
use crate::units;

/// Some nodes, by the names in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TargetSpec {
    pub(crate) place: Place,
    /// As it was written.
    pub(crate) text: String,
    pub(crate) base: BaseSpec,
    pub(crate) select: Option<SelectSpec>,
}

/// Out of whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum BaseSpec {
    /// A node or a group.
    Name(String),
    /// A zone.
    Zone(String),
    /// Whoever is left.
    Rest,
}

/// Which of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum SelectSpec {
    Leader,
    Followers,
    Minority,
    Majority,
    Pick(u32),
    Share(Ratio),
    In(String),
}

/// The selections, as the messages list them.
const SELECTIONS: &str =
    "`:leader`, `:followers`, `:minority`, `:majority`, `:one`, `:pick(2)`, `:20%`, `:in(zone:b)`";

/// The words among them, for a guess.
const WORDS: &[&str] = &["leader", "followers", "minority", "majority", "one", "pick", "in"];

/// Reads one target.
pub(crate) fn parse(text: &str, place: Place) -> Result<TargetSpec, Problem> {
    let target = |base, select| Ok(TargetSpec { place, text: text.to_owned(), base, select });
    if text == "rest" {
        return target(BaseSpec::Rest, None);
    }
    if let Some(zone) = text.strip_prefix("zone:") {
        if let Some((zone, select)) = zone.split_once(':') {
            let message = format!("`:{}` selects out of a group, not out of a zone", shorten(select));
            return Err(Problem::error(place, message)
                .help(format!("write \"orders:in(zone:{zone})\", with the group's name")));
        }
        return target(BaseSpec::Zone(zone.to_owned()), None);
    }
    let (name, select) = match text.split_once(':') {
        Some((name, select)) => (name, Some(selection(select, place)?)),
        None => (text, None),
    };
    if name == "rest" {
        return Err(Problem::error(place, "`rest` is whoever is left, and cannot be selected from"));
    }
    if !is_name(name) {
        let message = format!("`{}` is not a target", shorten(text));
        return Err(Problem::error(place, message)
            .help(format!("write a node (\"orders-3\"), a group (\"orders\"), \"zone:b\", \"rest\", or a group with {SELECTIONS}")));
    }
    target(BaseSpec::Name(name.to_owned()), select)
}

fn selection(text: &str, place: Place) -> Result<SelectSpec, Problem> {
    let unknown = || {
        let word = text.split('(').next().unwrap_or_default();
        let near = nearest(word, WORDS.iter().copied()).map(|word| match word {
            "pick" => "did you mean `:pick(2)`?".to_owned(),
            "in" => "did you mean `:in(zone:b)`?".to_owned(),
            word => format!("did you mean `:{word}`?"),
        });
        Problem::error(place, format!("there is no selection `:{}`", shorten(text)))
            .help(near.unwrap_or_else(|| format!("there are: {SELECTIONS}")))
    };
    if let Some(zone) = argument(text, "in") {
        let Some(zone) = zone.strip_prefix("zone:").filter(|zone| is_name(zone)) else {
            return Err(Problem::error(place, "`:in(..)` needs a zone").help("write \":in(zone:b)\""));
        };
        return Ok(SelectSpec::In(zone.to_owned()));
    }
    if let Some(count) = argument(text, "pick") {
        // That nobody is picked is reported where it is known of how many.
        let within = count.parse::<u64>().ok().filter(|count| *count <= limits::PICK.most);
        let count = within.and_then(|count| u32::try_from(count).ok());
        return count.map(SelectSpec::Pick).ok_or_else(|| {
            Problem::error(place, format!("`:pick({})` cannot be", shorten(count_text(text))))
                .help(format!("write how many, from 1 to {}: \":pick(2)\"", limits::PICK.most))
        });
    }
    if text.ends_with('%') {
        let share = units::ratio(text).map_err(|error| {
            Problem::error(place, format!("`:{}`: {}", shorten(text), error.message)).maybe_help(error.help)
        })?;
        if share.is_zero() {
            return Err(Problem::error(place, "`:0%` selects nobody")
                .help("leave the fault out, or write a larger share"));
        }
        return Ok(SelectSpec::Share(share));
    }
    match text {
        "leader" => Ok(SelectSpec::Leader),
        "followers" => Ok(SelectSpec::Followers),
        "minority" => Ok(SelectSpec::Minority),
        "majority" => Ok(SelectSpec::Majority),
        "one" => Ok(SelectSpec::Pick(1)),
        _ => Err(unknown()),
    }
}

/// What stands between the brackets of `name(..)`.
fn argument<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

fn count_text(text: &str) -> &str {
    argument(text, "pick").unwrap_or(text)
}

/// Whether it can be the name of a zone, a service, a client group or a node.
pub(crate) fn is_name(text: &str) -> bool {
    let ends = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= limits::NAME_BYTES
        && ends(text.bytes().next())
        && ends(text.bytes().last())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Option<(BaseSpec, Option<SelectSpec>)> {
        parse(text, Place::default()).ok().map(|target| (target.base, target.select))
    }

    #[test]
    fn targets_of_the_contract_are_read() {
        let name = |name: &str| BaseSpec::Name(name.to_owned());
        let cases = [
            ("orders-3", name("orders-3"), None),
            ("orders", name("orders"), None),
            ("zone:b", BaseSpec::Zone("b".into()), None),
            ("rest", BaseSpec::Rest, None),
            ("registry:leader", name("registry"), Some(SelectSpec::Leader)),
            ("registry:followers", name("registry"), Some(SelectSpec::Followers)),
            ("orders:minority", name("orders"), Some(SelectSpec::Minority)),
            ("orders:majority", name("orders"), Some(SelectSpec::Majority)),
            ("orders:pick(2)", name("orders"), Some(SelectSpec::Pick(2))),
            ("orders:one", name("orders"), Some(SelectSpec::Pick(1))),
            ("orders:20%", name("orders"), Some(SelectSpec::Share(Ratio::new(1, 5)))),
            ("orders:in(zone:b)", name("orders"), Some(SelectSpec::In("b".into()))),
        ];
        for (text, base, select) in cases {
            assert_eq!(check(text), Some((base, select)), "{text}");
        }
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for text in [
            "",
            ":",
            "a:",
            "a:b",
            "a:pick()",
            "a:pick(-1)",
            "a:pick(99999999999)",
            "a:in(b)",
            "a:0%",
            "a:101%",
            "rest:one",
            "zone:b:one",
            "a b",
            "-a",
            "ä",
        ] {
            assert_eq!(check(text), None, "{text}");
        }
    }
}
