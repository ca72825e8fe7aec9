//! `[swarm]` and `[chaos]`: what widens one scenario to a scenario for every seed.

use super::Shape::{Duration, TwoTimes};
use super::{Key, Least, Shape};
use crate::limits;

/// `[swarm]`.
pub(crate) const SWARM: &[Key] = &[
    Key::new("toggle", Shape::Names, "The ids of faults that a seed may leave out, each by its own luck"),
    Key::new(
        "vary",
        Shape::Varied,
        "For each path in quotes, as `--set` takes it: [from, to] of a quantity, or a list of values to choose from",
    ),
];

/// One of `vary` as a table: values to choose from, also where two of them would be a range.
pub(crate) const VARIED: &[Key] =
    &[Key::new("one-of", Shape::Values, "The values that a seed chooses one of").required()];

/// `[chaos]`.
pub(crate) const CHAOS: &[Key] = &[
    Key::new(
        "families",
        Shape::Families,
        "Which kinds of faults, each a word, or a table { kind = groups } that says on whom; by default those of \
         partition, crash, pause, latency, loss, clock, zone-outage, slow, gc, disk and registry that can be",
    ),
    Key::new("on", Shape::Names, "The groups that are struck, `registry` among them; by default all"),
    Key::new("faults", Shape::TwoCounts(limits::CHAOS), "How many faults a run has, from and to")
        .or("[1, 4]"),
    Key::new("at-once", Shape::Count(limits::AT_ONCE), "How many of them last at the same time, at most")
        .or("2"),
    Key::new(
        "between",
        TwoTimes,
        "When they begin; by default from the warm-up, or a tenth of the length, for as long as they can heal in time",
    ),
    Key::new("for", TwoTimes, "How long each lasts, drawn so that every order of magnitude is as likely")
        .or("[\"500ms\", \"20s\"]"),
    Key::new(
        "max-down",
        Shape::Batches(limits::INSTANCES),
        "Of each group, how many nodes, or which share, these faults hold down or apart at any moment; by default less \
         than half of a registry with a leader, half of a service, and all of a client group",
    ),
    Key::new(
        "heal-by",
        Duration(Least::Positive),
        "By when all have healed; by default four fifths of the length, and early enough for every `eventually`",
    ),
];
