//! Faults and expectations: what goes wrong, and what must hold.

use schism_models::oracle::{self, Mood};

use super::Least::Zero;
use super::Shape::{Duration, Text};
use super::{Argument, Choice, Key, Least, Shape};
use crate::fault::{CATALOG, KINDS};
use crate::{Metric, knobs, limits};

/// The keys that say when a fault begins.
pub(crate) const STARTS: &[&str] = &["at", "between", "when"];

/// The keys that say what goes wrong: a kind, or several faults in a row.
pub(crate) const WHATS: &[&str] = &{
    let mut names = [SEQUENCE; KINDS.len() + 1];
    let mut at = 0;
    while at < KINDS.len() {
        names[at] = KINDS[at];
        at += 1;
    }
    names
};

/// The key of several faults in a row.
pub(crate) const SEQUENCE: &str = "sequence";

/// `[[fault]]`: when, how long, and under the key of its kind what.
pub(crate) const FAULT: &[Key] = &{
    let mut keys = [GENERAL[0]; GENERAL.len() + CATALOG.len() + LATER.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = if at < GENERAL.len() {
            GENERAL[at]
        } else if at < GENERAL.len() + CATALOG.len() {
            CATALOG[at - GENERAL.len()].key
        } else {
            Key::later(LATER[at - GENERAL.len() - CATALOG.len()], KINDS)
        };
        at += 1;
    }
    keys
};

const GENERAL: &[Key] = &[
    Key::new("id", Text, "Its name, for expectations and the report; by default its kind and number"),
    Key::new("at", Duration(Zero), "When it begins"),
    Key::new("between", Shape::TwoTimes, "It begins at a moment drawn between these two"),
    Key::new("for", Duration(Zero), "How long it lasts; without `for` and `until` it is never healed"),
    Key::new("until", Duration(Zero), "When it is healed"),
    Key::new(
        "when",
        Shape::When,
        "It begins when something happens for the first time: \"cut.heals\", \"cut.begins\", \"leader-changes\", \"lease-expires\", \"some-expectation.fails\", or a metric that crosses a line",
    ),
    Key::new(
        "after",
        Shape::Wait,
        "How long after that; two times to have it drawn between them; by default at once",
    ),
    Key::new(
        "repeat",
        Shape::Table(REPEAT),
        "It strikes several times; the later strikes are named `id-2`, `id-3`, ...",
    ),
    Key::new(
        SEQUENCE,
        Shape::List(STEP),
        "Several faults, each when the one before has healed; the later ones are named `id-2`, `id-3`, ...",
    ),
    Key::new("may-miss", Shape::Flag, "Whether a run in which it touched nothing still counts").or("false"),
    Key::new(
        "may-overlap",
        Shape::Flag,
        "Whether it may be in vain because another fault has done the same already",
    )
    .or("false"),
];

/// The list of faults that a path is in, if the key is one of the whole fault and stands beside that list.
pub(crate) fn beside(path: &str, key: &str) -> Option<&'static str> {
    let last = path.rsplit('.').next().unwrap_or_default();
    let list = ["one-of", SEQUENCE].into_iter().find(|list| last.starts_with(list))?;
    GENERAL.iter().any(|general| general.name == key).then_some(list)
}

/// `repeat`.
pub(crate) const REPEAT: &[Key] = &[
    Key::new("every", Duration(Least::Positive), "From the beginning of one strike to that of the next")
        .required(),
    Key::new("times", Shape::Count(limits::STRIKES), "How many strikes there are, the first among them")
        .required(),
    Key::new("jitter", Duration(Zero), "By how much `every` is drawn longer or shorter").or("\"0s\""),
];

/// One step of `sequence`: what and how long, and under the key of its kind what.
pub(crate) const STEP: &[Key] = &{
    let mut keys = [STEPS[0]; STEPS.len() + CATALOG.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = if at < STEPS.len() { STEPS[at] } else { CATALOG[at - STEPS.len()].key };
        at += 1;
    }
    keys
};

const STEPS: &[Key] = &[
    Key::new("for", Duration(Zero), "How long it lasts; only the last step may never be healed"),
    Key::new("until", Duration(Zero), "When it is healed"),
    Key::new("then", Duration(Zero), "How long after it has healed the next one begins; by default at once"),
];

/// One alternative of `one-of`: the kinds, but no further choice.
pub(crate) const ALTERNATIVE: &[Key] = &{
    let mut keys = [CATALOG[0].key; CATALOG.len() - 1];
    let (mut at, mut to) = (0, 0);
    while at < CATALOG.len() {
        if !matches!(CATALOG[at].key.shape, Shape::Alternatives) {
            keys[to] = CATALOG[at].key;
            to += 1;
        }
        at += 1;
    }
    keys
};

/// `when` as a table: a metric and the line that it crosses.
pub(crate) const LINE: &[Key] = &[
    Key::new("metric", Shape::LiveMetric, "The metric").required(),
    Key::new("below", Shape::Bound, "The fault begins when it is below this"),
    Key::new("above", Shape::Bound, "The fault begins when it is above this"),
    Key::new("over", Duration(Least::Positive), "Over how much time, up to the moment, it is measured")
        .or(OVER),
];

/// The default of `over`, and what an expectation's own bounds are measured over by `when = "id.fails"`.
pub(crate) const OVER: &str = "\"1s\"";

/// The kinds of the contract that this version cannot do.
const LATER: &[&str] = &[];

/// The keys that say what an expectation asks.
pub(crate) const ASKS: &[&str] = &["always", "sometimes", "never", "eventually", "breaks", "metric", "slo"];

/// What stands at a mood.
pub(crate) const ORACLE: Choice = Choice {
    what: "oracle",
    names: || oracle::CATALOG.iter().map(|entry| (entry.name, entry.about)).collect(),
    argument: |name| Argument::Options(knobs::of_oracle(name)),
    later: &[],
};

/// `[[expect]]`.
pub(crate) const EXPECT: &[Key] = &[
    Key::new("id", Text, "Its name in the report; by default made from what it asks"),
    Key::new("always", Shape::Oracle(Mood::Always), "An oracle that must hold at every event"),
    Key::new(
        "sometimes",
        Shape::Oracle(Mood::Sometimes),
        "Something that must happen, or else the run says nothing",
    ),
    Key::new("never", Shape::Oracle(Mood::Never), "Something that must not happen"),
    Key::new(
        "eventually",
        Shape::Oracle(Mood::Eventually),
        "An oracle that must hold `within` some time of the last heal",
    ),
    Key::new(
        "breaks",
        Shape::Oracle(Mood::Breaks),
        "A law that must be broken at least once, or else the run says nothing",
    ),
    Key::new("within", Duration(Zero), "For `eventually`: by when after the last heal; by default 60s"),
    Key::new("metric", Shape::Metric, "A metric to bound"),
    Key::new(
        "slo",
        Shape::Table(SLO),
        "Objectives: metrics with the least allowed of those of which more is better, and the most of the others",
    ),
    Key::new(
        "during",
        Shape::Window,
        "For `metric` and `slo`: a fault's id, \"before\", \"after\", \"all\", or { from, to }; by default all",
    ),
    Key::new("at-least", Shape::Bound, "For `metric`: the least allowed, in its unit"),
    Key::new("at-most", Shape::Bound, "For `metric`: the most allowed, in its unit"),
];

/// `expect.slo`: every metric.
pub(crate) const SLO: &[Key] = &{
    let mut keys = [Key::new("", Shape::Bound, ""); Metric::CATALOG.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = Key::new(Metric::CATALOG[at].0, Shape::Bound, Metric::CATALOG[at].1);
        at += 1;
    }
    keys
};

/// The default of `within`.
pub(crate) const WITHIN: &str = "\"60s\"";

/// `expect.during` as a table.
pub(crate) const BETWEEN: &[Key] = &[
    Key::new("from", Duration(Zero), "Its beginning").required(),
    Key::new("to", Duration(Zero), "Its end").required(),
];
