//! `dns`: what DNS servers do wrong, by its name alone or with options.

use schism_core::Duration;
use schism_models::nemesis::{Dns, Mischief};

use super::{Body, Spell};
use crate::diagnostics::Problem;
use crate::grammar::{Argument, Choice, Key, Least, Shape};
use crate::limits;
use crate::reader::Section;
use crate::source::At;
use crate::target::TargetSpec;
use crate::units;

pub(super) const SHAPE: Shape = Shape::Choice(&MISCHIEFS);

const MISCHIEFS: Choice = Choice {
    what: "dns fault",
    names: || Mischief::<TargetSpec>::CATALOG.to_vec(),
    argument: |name| match name {
        "poison" => Argument::Table(POISON),
        _ => Argument::Options(options(name)),
    },
    later: &[],
};

const TARGET: Key = Key::new("target", Shape::Targets, "Which DNS servers").or("\"dns\"");
const TTL: Key = Key::new(
    "ttl",
    Shape::Duration(Least::Zero),
    "For how long the answers may be remembered; by default as the zone says",
);

const STALE: &[Key] = &[
    TARGET,
    Key::new("age", Shape::Duration(Least::Positive), "How old the list is that they answer from")
        .or("\"60s\""),
];
const TIMEOUT: &[Key] = &[
    TARGET,
    Key::new("share", Shape::Share, "The share of the questions that are not answered").or("\"100%\""),
];
const NXDOMAIN: &[Key] = &[
    TARGET,
    Key::new("share", Shape::Share, "The share of what they look up that is denied").or("\"100%\""),
    TTL,
];
const SHUFFLE: &[Key] = &[
    TARGET,
    Key::new("share", Shape::Share, "The share of the records that each answer has; at least one")
        .or("\"50%\""),
];
const POISON: &[Key] = &[
    TARGET,
    Key::new("to", Shape::Targets, "The instances of the same service that the answers name").required(),
    Key::new("share", Shape::Share, "The share of what they look up that is poisoned").or("\"100%\""),
    TTL,
];

fn options(name: &str) -> &'static [Key] {
    match name {
        "stale" => STALE,
        "timeout" => TIMEOUT,
        "nxdomain" => NXDOMAIN,
        "shuffle" => SHUFFLE,
        "poison" => POISON,
        name => unreachable!("the catalog has a dns fault `{name}` that cannot be read"),
    }
}

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("DNS servers answer from the list of some time ago", r#"dns = { stale = { age = "10s" } }"#),
    ("DNS servers do not answer", r#"dns = { timeout = { target = "dns-0", share = "50%" } }"#),
    ("DNS servers say that there is no such name", r#"dns = "nxdomain""#),
    ("each answer has only a part of the records", r#"dns = { shuffle = { share = "30%" } }"#),
    (
        "answers name other instances, and are remembered for long",
        r#"dns = { poison = { to = "orders:one", ttl = "10m" } }"#,
    ),
];

pub(super) fn read(body: &Body<'_>) -> Option<Dns<TargetSpec>> {
    let chosen = body.choose(&MISCHIEFS)?;
    let section = chosen.options("dns", options(chosen.name), body.section.report);
    let share = || section.value("share").value;
    let ttl = || section.maybe("ttl").map(|at| at.value);
    let how = match chosen.name {
        "stale" => Mischief::Stale(age(&section)?),
        "timeout" => Mischief::Timeout(share()),
        "nxdomain" => Mischief::NxDomain { share: share(), ttl: ttl() },
        "shuffle" => Mischief::Shuffle(share()),
        "poison" => Mischief::Poison { share: share(), to: section.must("to")?.value, ttl: ttl() },
        name => unreachable!("the catalog has a dns fault `{name}` that cannot be read"),
    };
    Some(Dns { targets: section.value("target").value, how })
}

fn age(section: &Section<'_>) -> Option<Duration> {
    let age: At<Duration> = section.value("age");
    if age.value > limits::DNS_AGE {
        let message = format!("`age` is {}; the limit is {}", age.value, limits::DNS_AGE);
        section.report.add(Problem::error(age.place, message).help("DNS servers know no older list"));
        return None;
    }
    Some(age.value)
}

pub(super) fn write(fault: &Dns, names: &dyn Spell) -> String {
    let target = format!("target = {}", names.targets(&fault.targets));
    let ttl = |ttl: &Option<Duration>| ttl.map_or_else(String::new, |ttl| format!(", ttl = \"{ttl}\""));
    let show = units::show_ratio;
    let options = match &fault.how {
        Mischief::Stale(age) => format!("{target}, age = \"{age}\""),
        Mischief::Timeout(share) | Mischief::Shuffle(share) => {
            format!("{target}, share = \"{}\"", show(*share))
        }
        Mischief::NxDomain { share, ttl: remembered } => {
            format!("{target}, share = \"{}\"{}", show(*share), ttl(remembered))
        }
        Mischief::Poison { share, to, ttl: remembered } => {
            let to = names.targets(to);
            format!("{target}, to = {to}, share = \"{}\"{}", show(*share), ttl(remembered))
        }
    };
    format!("{{ {} = {{ {options} }} }}", fault.how.name())
}
