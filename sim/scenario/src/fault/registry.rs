//! `registry`: what is wrong with it, by its name alone or with options.

use schism_core::{Duration, Ratio};
use schism_models::nemesis::{Registry, Trouble};
use schism_models::registry::ail::{Ill, Migration, Race};

use super::{Body, Spell};
use crate::diagnostics::Problem;
use crate::grammar::{Argument, Choice, Key, Least, Shape};
use crate::limits;
use crate::reader::Section;
use crate::source::At;
use crate::target::{self, TargetSpec};
use crate::units::{self, Rate};

pub(super) const SHAPE: Shape = Shape::Choice(&TROUBLES);

const TROUBLES: Choice = Choice {
    what: "registry fault",
    names: || Trouble::CATALOG.to_vec(),
    argument: |name| match name {
        "registration-lost" => Argument::Table(REGISTRATION_LOST),
        _ => Argument::Options(options(name)),
    },
    later: &[],
};

const TARGET: Key = Key::new("target", Shape::Targets, "Which members").or("\"registry\"");

const LEADER_CHANGE: &[Key] =
    &[Key::new("every", Shape::DurationOr("none"), "How often, until the fault heals; `none` is once")
        .or("\"none\"")];
const MASS_EXPIRY: &[Key] =
    &[Key::new("share", Shape::Share, "The share of the leases whose time is up").or("\"100%\"")];
const STALE: &[Key] = &[
    TARGET,
    Key::new("age", Shape::Duration(Least::Positive), "How old the state is that they serve").or("\"10s\""),
];
const STALL: &[Key] = &[TARGET];
const GAP: &[Key] = &[
    TARGET,
    Key::new("share", Shape::Share, "The share of the changes that a watcher is not told of").or("\"100%\""),
];
const COMPACTION: &[Key] =
    &[Key::new("keep", Shape::Count(limits::REVISIONS), "How many revisions can still be watched from")
        .or("0")];
const PARTIAL: &[Key] =
    &[TARGET, Key::new("share", Shape::Share, "The share of the instances that are left out").or("\"50%\"")];
const GHOST: &[Key] = &[
    TARGET,
    Key::new("share", Shape::Share, "The share of those who go that stay on the lists").or("\"100%\""),
];
const REGISTRATION_LOST: &[Key] =
    &[Key::new("target", Shape::Targets, "The instances whose registrations are lost").required()];
const THROTTLE: &[Key] = &[
    TARGET,
    Key::new("rate", Shape::Rate, "How many requests each member takes").or("\"10/s\""),
    Key::new("burst", Shape::Count(limits::BURST), "How many it takes at once").or("10"),
];
const ROLLBACK: &[Key] =
    &[Key::new("age", Shape::Duration(Least::Positive), "How old the backup is").or("\"30s\"")];
const MIGRATION: &[Key] = &[
    TARGET,
    Key::new("buckets", Shape::Count(limits::BUCKETS), "How many buckets move, one after another").or("16"),
    Key::new("each", Shape::Duration(Least::Positive), "How long one of them takes").or("\"100ms\""),
    Key::word(
        "race",
        RACES,
        "What a list finds that is read meanwhile: a lock, a part, an error, or the end of the process",
    )
    .or("\"torn\""),
];

const RACES: &[&str] = &["guarded", "torn", "error", "fatal"];

fn options(name: &str) -> &'static [Key] {
    match name {
        "leader-change" => LEADER_CHANGE,
        "lease-mass-expiry" => MASS_EXPIRY,
        "stale-snapshot" => STALE,
        "watch-stall" | "empty-list" => STALL,
        "watch-gap" => GAP,
        "compaction" => COMPACTION,
        "partial-list" => PARTIAL,
        "ghost-entry" => GHOST,
        "registration-lost" => REGISTRATION_LOST,
        "throttle" => THROTTLE,
        "rollback" => ROLLBACK,
        "migration" => MIGRATION,
        name => unreachable!("the catalog has a registry fault `{name}` that cannot be read"),
    }
}

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("leadership moves to another member, once", r#"registry = "leader-change""#),
    ("leadership moves every so often", r#"registry = { leader-change = { every = "3s" } }"#),
    ("the time of many leases is up at once", r#"registry = { lease-mass-expiry = { share = "50%" } }"#),
    (
        "members serve a state of some time ago",
        r#"registry = { stale-snapshot = { target = "registry:followers", age = "5s" } }"#,
    ),
    ("watchers are told nothing, and everything once it is over", r#"registry = "watch-stall""#),
    ("watchers are never told of some changes", r#"registry = { watch-gap = { share = "50%" } }"#),
    ("who resumes a watch from before must list anew", r#"registry = { compaction = { keep = 2 } }"#),
    ("every list is empty", r#"registry = { empty-list = { target = "registry:one" } }"#),
    ("every list leaves out some instances", r#"registry = { partial-list = { share = "50%" } }"#),
    ("instances that go stay on the lists", r#"registry = "ghost-entry""#),
    (
        "registrations are gone, while their leases live on",
        r#"registry = { registration-lost = { target = "orders:pick(2)" } }"#,
    ),
    ("requests beyond a rate are refused", r#"registry = { throttle = { rate = "1/s", burst = 1 } }"#),
    ("a backup is restored, and revisions go back", r#"registry = { rollback = { age = "10s" } }"#),
    (
        "the table moves bucket by bucket while it is read",
        r#"registry = { migration = { buckets = 8, each = "500ms", race = "fatal" } }"#,
    ),
];

pub(super) fn read(body: &Body<'_>) -> Option<Registry<TargetSpec>> {
    let chosen = body.choose(&TROUBLES)?;
    let section = chosen.options("registry", options(chosen.name), body.section.report);
    let trouble = trouble(chosen.name, &section)?;
    let targets = match &trouble {
        Trouble::Ill(_) => section.value("target").value,
        Trouble::RegistrationLost => section.must("target")?.value,
        Trouble::LeaderChange { .. }
        | Trouble::MassExpiry(_)
        | Trouble::Compaction { .. }
        | Trouble::Rollback { .. } => {
            vec![target::parse("registry:leader", section.place).expect("it is a target")]
        }
    };
    Some(Registry { targets, trouble })
}

fn trouble(name: &str, section: &Section<'_>) -> Option<Trouble> {
    let share = || section.value::<Ratio>("share").value;
    let age = || section.value::<Duration>("age").value;
    Some(match name {
        "leader-change" => Trouble::LeaderChange { every: every(section)? },
        "lease-mass-expiry" => Trouble::MassExpiry(share()),
        "compaction" => Trouble::Compaction { keep: section.value("keep").value },
        "rollback" => Trouble::Rollback { age: age() },
        "registration-lost" => Trouble::RegistrationLost,
        "stale-snapshot" => Trouble::Ill(Ill::Stale(age())),
        "watch-stall" => Trouble::Ill(Ill::Stalls),
        "watch-gap" => Trouble::Ill(Ill::Gaps(share())),
        "empty-list" => Trouble::Ill(Ill::Empty),
        "partial-list" => Trouble::Ill(Ill::Partial(share())),
        "ghost-entry" => Trouble::Ill(Ill::Ghosts(share())),
        "throttle" => {
            let Rate { gap } = section.value("rate").value;
            Trouble::Ill(Ill::Throttled { gap, burst: section.value("burst").value })
        }
        "migration" => Trouble::Ill(Ill::Migrates(migration(section))),
        name => unreachable!("the catalog has a registry fault `{name}` that cannot be read"),
    })
}

fn every(section: &Section<'_>) -> Option<Option<Duration>> {
    let every: At<Option<Duration>> = section.value("every");
    if let Some(often) = every.value.filter(|&often| often < limits::PATIENCE) {
        let message = format!("leadership cannot move every {often}: nobody is elected as fast as that");
        let help = format!("write at least \"{}\"", limits::PATIENCE);
        section.report.add(Problem::error(every.place, message).help(help));
        return None;
    }
    Some(every.value)
}

fn migration(section: &Section<'_>) -> Migration {
    Migration {
        buckets: section.value("buckets").value,
        each: section.value("each").value,
        race: match section.value::<String>("race").value.as_str() {
            "guarded" => Race::Guarded,
            "error" => Race::Error,
            "fatal" => Race::Fatal,
            _ => Race::Torn,
        },
    }
}

pub(super) fn write(fault: &Registry, names: &dyn Spell) -> String {
    let target = format!("target = {}", names.targets(&fault.targets));
    let share = |share: &Ratio| format!("share = \"{}\"", units::show_ratio(*share));
    let options = match &fault.trouble {
        Trouble::LeaderChange { every: None } => "every = \"none\"".to_owned(),
        Trouble::LeaderChange { every: Some(every) } => format!("every = \"{every}\""),
        Trouble::MassExpiry(of) => share(of),
        Trouble::Compaction { keep } => format!("keep = {keep}"),
        Trouble::Rollback { age } => format!("age = \"{age}\""),
        Trouble::RegistrationLost | Trouble::Ill(Ill::Stalls | Ill::Empty) => target,
        Trouble::Ill(Ill::Stale(age)) => format!("{target}, age = \"{age}\""),
        Trouble::Ill(Ill::Gaps(of) | Ill::Partial(of) | Ill::Ghosts(of)) => {
            format!("{target}, {}", share(of))
        }
        Trouble::Ill(Ill::Throttled { gap, burst }) => {
            format!("{target}, rate = \"{}\", burst = {burst}", Rate { gap: *gap })
        }
        Trouble::Ill(Ill::Migrates(Migration { buckets, each, race })) => {
            let race = match race {
                Race::Guarded => "guarded",
                Race::Torn => "torn",
                Race::Error => "error",
                Race::Fatal => "fatal",
            };
            format!("{target}, buckets = {buckets}, each = \"{each}\", race = \"{race}\"")
        }
    };
    format!("{{ {} = {{ {options} }} }}", fault.trouble.name())
}
