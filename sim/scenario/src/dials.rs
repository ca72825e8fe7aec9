//! Dials: the settings of a scenario that an operator could have had otherwise, each with what it could be turned to.
//!
//! Strategies, timeouts, leases, caches and the registry's own constants are dials. Who is there, where they are, what they
//! are asked and what goes wrong are not: they are what the settings have to cope with.

use crate::Scenario;
use crate::diagnostics::Report;
use crate::grammar::{self, Argument, Choice, Key, Shape};
use crate::source::Sources;
use crate::tree::{self, Node, Tree};
use crate::units;

/// One setting. With `--set PATH=VALUE` it is another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dial {
    /// Where it is: `registry.etcd.lease-ttl`.
    pub path: String,
    /// What it is: `10s`.
    pub value: String,
    /// What it is, if it is a quantity, which can be more or less.
    pub quantity: Option<Quantity>,
    /// What else it can be, besides more or less: other words, other strategies with their defaults.
    pub others: Vec<String>,
}

/// An amount of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    unit: Unit,
    /// How many of its smallest: nanoseconds, thousandths of a percent, thousandths, or wholes.
    amount: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Time,
    Percent,
    WholePercent,
    Number,
    Count,
}

/// Turned to a time from none, a dial is one of these.
const TIMES: [&str; 4] = ["60s", "20s", "5s", "1s"];

impl Quantity {
    /// So many times as much, to three significant digits; none if that is no other amount.
    #[must_use]
    pub fn times(self, factor: f64) -> Option<Quantity> {
        assert!(factor > 0.0 && factor.is_finite(), "a quantity is turned up or down");
        let step = match self.unit {
            Unit::WholePercent => 1_000,
            Unit::Time | Unit::Percent | Unit::Number | Unit::Count => 1,
        };
        let amount = rounded((self.amount as f64 * factor / step as f64).round() as u64) * step;
        (amount != self.amount).then_some(Quantity { amount, ..self })
    }

    /// How many times as much another amount of the same is, or as little: at least 1.
    pub fn apart(self, other: Quantity) -> f64 {
        let (least, most) = (self.amount.min(other.amount), self.amount.max(other.amount));
        most as f64 / least.max(1) as f64
    }

    /// Half-way to another amount of the same, to three significant digits; none if there is nothing between.
    #[must_use]
    pub fn half_way(self, other: Quantity) -> Option<Quantity> {
        let middle = (self.amount.max(1) as f64 * other.amount as f64).sqrt() / self.amount.max(1) as f64;
        self.times(middle).filter(|middle| *middle != other)
    }

    /// The next amount that one would write down by hand, seen from another: times in whole seconds, or in a few digits if
    /// they are shorter; anything else in two digits. Itself, if there is none between nothing and twice as much.
    #[must_use]
    pub fn plain(self, seen_from: Quantity) -> Quantity {
        let step = match self.unit {
            Unit::Time => time_step(self.amount),
            Unit::WholePercent => 1_000,
            Unit::Percent | Unit::Number | Unit::Count => two_digits(self.amount),
        };
        let up = self.amount.div_ceil(step) * step;
        let amount = if self.amount >= seen_from.amount { up } else { self.amount / step * step };
        if amount == 0 || amount == seen_from.amount { self } else { Quantity { amount, ..self } }
    }

    /// As a scenario writes it.
    pub fn written(self) -> String {
        let thousandths = |amount: u64| {
            let text = format!("{}.{:03}", amount / 1_000, amount % 1_000);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        match self.unit {
            Unit::Time => schism_core::Duration::from_nanos(self.amount).to_string(),
            Unit::Percent | Unit::WholePercent => format!("{}%", thousandths(self.amount)),
            Unit::Number => format!("{}.{:03}", self.amount / 1_000, self.amount % 1_000),
            Unit::Count => self.amount.to_string(),
        }
    }
}

/// In what steps one writes a time of so many nanoseconds.
fn time_step(nanos: u64) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    const MILLISECOND: u64 = 1_000_000;
    match nanos {
        _ if nanos >= 600 * SECOND => 60 * SECOND,
        _ if nanos >= 60 * SECOND => 5 * SECOND,
        _ if nanos >= SECOND => SECOND,
        _ if nanos >= 100 * MILLISECOND => 50 * MILLISECOND,
        _ if nanos >= 10 * MILLISECOND => 5 * MILLISECOND,
        _ => two_digits(nanos),
    }
}

/// The step between numbers of two digits that are about as large as this.
fn two_digits(amount: u64) -> u64 {
    let mut step = 1;
    while amount / step >= 100 {
        step *= 10;
    }
    step
}

/// To three significant digits.
fn rounded(amount: u64) -> u64 {
    let mut step = 1;
    while amount / step >= 1_000 {
        step *= 10;
    }
    amount.saturating_add(step / 2) / step * step
}

impl Scenario {
    /// All its dials, in the order of its text. Not every turn of each makes a scenario that can be run.
    pub fn dials(&self) -> Vec<Dial> {
        let report = Report::default();
        let text = self.to_toml();
        let tree = tree::parse(Sources::default().add("scenario.toml", &text), &text, &report);
        let mut found = Vec::new();
        let Some(table) = tree.as_table() else { unreachable!("a file is a table") };
        for entry in &table.entries {
            match entry.key.as_str() {
                REGISTRY => walk(&mut found, REGISTRY, &entry.value, Shape::Choice(&grammar::REGISTRY)),
                "services" => named(&mut found, "services", &entry.value, grammar::SERVICE),
                "clients" => named(&mut found, "clients", &entry.value, grammar::CLIENT),
                // Who the scenario is about, where that is and what goes wrong.
                _ => {}
            }
        }
        found
    }
}

const REGISTRY: &str = "registry";

/// What is no dial, wherever it stands: who is there, where they are, what they are asked, and how long their work takes.
const FIXED: &[&str] = &[
    "instances",
    "members",
    "zones",
    "zone",
    "version",
    "count",
    "calls",
    "operation",
    "arrivals",
    "key",
    "match",
    "labels",
    "weight",
    "slots",
    "service",
    "fsync",
];

fn named(found: &mut Vec<Dial>, path: &str, tree: &Tree, keys: &'static [Key]) {
    for entry in tree.as_table().into_iter().flat_map(|table| &table.entries) {
        walk(found, &format!("{path}.{}", entry.key), &entry.value, Shape::Table(keys));
    }
}

fn walk(found: &mut Vec<Dial>, path: &str, tree: &Tree, shape: Shape) {
    if let Shape::Table(keys) = shape {
        for entry in tree.as_table().into_iter().flat_map(|table| &table.entries) {
            let key = keys.iter().find(|key| key.name == entry.key && !key.is_later());
            if let Some(key) = key.filter(|key| !FIXED.contains(&key.name)) {
                walk(found, &format!("{path}.{}", key.name), &entry.value, key.shape);
            }
        }
    } else if let Shape::Choice(choice) = shape {
        strategy(found, path, tree, choice);
    } else {
        found.extend(dial(path, tree, shape));
    }
}

/// Which strategy it is, and its options. Another registry is no dial: it would be another system.
fn strategy(found: &mut Vec<Dial>, path: &str, tree: &Tree, choice: &'static Choice) {
    let entries = tree.as_table().map_or(&[][..], |table| &table.entries);
    let (name, options) = match entries {
        [one] => (one.key.as_str(), Some(&one.value)),
        [] | [..] => (tree.as_text().unwrap_or_default(), None),
    };
    if path != REGISTRY {
        let bare = |other: &&'static str| matches!((choice.argument)(other), Argument::Options(_));
        let others = grammar::names_of(choice).into_iter().filter(|other| *other != name).filter(bare);
        let others = others.map(str::to_owned).collect();
        found.push(Dial { path: path.to_owned(), value: name.to_owned(), quantity: None, others });
    }
    if let Some(options) = options {
        let keys = grammar::keys_of((choice.argument)(name));
        walk(found, &format!("{path}.{name}"), options, Shape::Table(keys));
    }
}

/// The dial of a single value, if it is one.
fn dial(path: &str, tree: &Tree, shape: Shape) -> Option<Dial> {
    let text = tree.as_text();
    let time = || Some(Quantity { unit: Unit::Time, amount: units::duration(text?).ok()?.as_nanos() });
    let percent = |unit| {
        let thousandths = text?.strip_suffix('%')?.parse::<f64>().ok()? * 1_000.0;
        Some(Quantity { unit, amount: thousandths.round() as u64 })
    };
    let whole = || {
        let Node::Integer(Some(whole)) = tree.node else { return None };
        Some(Quantity { unit: Unit::Count, amount: u64::try_from(whole).ok()? })
    };
    let number = || {
        let number = tree.as_number()?.parse::<f64>().ok()?;
        Some(Quantity { unit: Unit::Number, amount: (number * 1_000.0).round() as u64 })
    };
    let or = |quantity: Option<Quantity>, word: &str, instead: &[&str]| {
        let others = if quantity.is_some() { vec![word.to_owned()] } else { owned(instead) };
        (quantity, others)
    };
    let (quantity, others) = match shape {
        Shape::Duration(_) => (time(), Vec::new()),
        Shape::DurationOr(word) => or(time(), word, &TIMES),
        Shape::Count(_) => (whole(), Vec::new()),
        Shape::CountOr(_, word) => or(whole(), word, &[]),
        Shape::Number | Shape::NumberWithin(..) | Shape::Factor => (number(), Vec::new()),
        Shape::NumberOr(_, _, word) => or(number(), word, &[]),
        Shape::Share => (percent(Unit::Percent), Vec::new()),
        Shape::Percent(_, None) => (percent(Unit::WholePercent), Vec::new()),
        Shape::Percent(_, Some(word)) => or(percent(Unit::WholePercent), word, &[]),
        Shape::Flag => {
            let Node::Flag(flag) = tree.node else { return None };
            (None, vec![(!flag).to_string()])
        }
        Shape::Word(words) => {
            let others = words.there.iter().filter(|word| Some(**word) != text);
            (None, others.map(|word| (*word).to_owned()).collect())
        }
        Shape::Text
        | Shape::SomeWords(_)
        | Shape::Counts(_)
        | Shape::Offset
        | Shape::PartsPerMillion
        | Shape::Batch(_)
        | Shape::Rate
        | Shape::Name
        | Shape::Oracle(_)
        | Shape::Metric
        | Shape::LiveMetric
        | Shape::Names
        | Shape::Lists
        | Shape::Texts
        | Shape::Labels
        | Shape::Selectors(_)
        | Shape::Distribution
        | Shape::TwoTimes
        | Shape::Times
        | Shape::Targets
        | Shape::Sides
        | Shape::Pairs
        | Shape::TwoNames
        | Shape::OneWay
        | Shape::Window
        | Shape::When
        | Shape::Wait
        | Shape::Alternatives
        | Shape::Bound
        | Shape::Between
        | Shape::Direction
        | Shape::WordsOr(..)
        | Shape::BitRate
        | Shape::Size
        | Shape::WordOr(..)
        | Shape::Short(_)
        | Shape::Table(_)
        | Shape::TargetsOr(_)
        | Shape::Named(_)
        | Shape::List(_)
        | Shape::Bits
        | Shape::ManyBits
        | Shape::Varied
        | Shape::Values
        | Shape::Families
        | Shape::TwoCounts(_)
        | Shape::Batches(_)
        | Shape::CountWith(..)
        | Shape::Choice(_) => return None,
    };
    let flag = || if let Node::Flag(flag) = tree.node { Some(flag.to_string()) } else { None };
    let amount = || quantity.map(Quantity::written);
    let value = text.map(str::to_owned).or_else(flag).or_else(amount)?;
    // Of nothing there is neither more nor less.
    let quantity = quantity.filter(|quantity| quantity.amount > 0);
    (quantity.is_some() || !others.is_empty()).then(|| Dial {
        path: path.to_owned(),
        value,
        quantity,
        others,
    })
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        title  = "Dials"
        length = "10s"
        [registry.etcd]
        lease-ttl = "2s"
        [services.orders]
        instances = 3
        service   = { exponential = "5ms" }
        [clients.web]
        count    = 2
        calls    = "orders"
        arrivals = { poisson = "10/s" }
        cache    = { watch = { max-stale = "10m" } }
    "#;

    fn dials() -> Vec<Dial> {
        crate::load("dials.toml", TEXT, &[]).unwrap_or_else(|errors| panic!("{errors}")).scenario.dials()
    }

    fn dial(path: &str) -> Dial {
        dials()
            .into_iter()
            .find(|dial| dial.path == path)
            .unwrap_or_else(|| panic!("there is no dial {path}"))
    }

    #[test]
    fn settings_are_dials_and_circumstances_are_not() {
        let ttl = dial("registry.etcd.lease-ttl");
        assert_eq!((ttl.value.as_str(), ttl.others), ("2s", Vec::new()));
        assert_eq!(ttl.quantity.and_then(|it| it.times(1.7)).map(Quantity::written).as_deref(), Some("3.4s"));
        assert_eq!(dial("clients.web.cache.watch.max-stale").others, ["forever"]);
        assert!(dial("clients.web.cache").others.contains(&"none".to_owned()));
        assert_eq!(dial("services.orders.re-register").others, ["false"]);
        let circumstances = ["instances", "count", "arrivals", "zones", "fault", "length", "poisson"];
        let is_one =
            |dial: &Dial| circumstances.iter().any(|word| dial.path.split('.').any(|part| part == *word));
        assert!(!dials().iter().any(is_one), "{:?}", dials());
    }

    #[test]
    fn an_amount_is_written_as_one_would_by_hand() {
        let ttl = dial("registry.etcd.lease-ttl").quantity.expect("it is a time");
        let plain = |factor: f64| ttl.times(factor).map(|it| it.plain(ttl).written());
        assert_eq!(plain(1.01).as_deref(), Some("3s"));
        assert_eq!(plain(2.52).as_deref(), Some("6s"));
        assert_eq!(plain(0.296).as_deref(), Some("550ms"), "away from what it is");
        assert_eq!(plain(0.012).as_deref(), Some("20ms"));
        assert_eq!(plain(0.99).as_deref(), Some("1s"));
        let count = Quantity { unit: Unit::Count, amount: 4 };
        assert_eq!(count.times(4.0).map(|it| it.plain(count).written()).as_deref(), Some("16"));
    }

    /// Every turn of every dial is one that the language reads, whether or not such a scenario can be run.
    #[test]
    fn every_turn_can_be_written() {
        for dial in dials() {
            let turned = dial.quantity.into_iter().flat_map(|it| [0.5, 2.0].map(|factor| it.times(factor)));
            let values = turned.flatten().map(Quantity::written).chain(dial.others);
            for value in values {
                let set = crate::Override::new(format!("{}={value}", dial.path));
                if let Err(errors) = crate::load("dials.toml", TEXT, &[set]) {
                    let said = errors.to_string();
                    assert!(
                        !said.contains("unknown") && !said.contains("not a"),
                        "{}={value}: {said}",
                        dial.path
                    );
                }
            }
        }
    }

    #[test]
    fn half_way_there_is_something_between_or_nothing() {
        let count = |amount| Quantity { unit: Unit::Count, amount };
        assert_eq!(count(2).half_way(count(8)), Some(count(4)));
        assert_eq!(count(2).half_way(count(3)), None);
        assert_eq!(count(3).half_way(count(2)), None);
    }
}
