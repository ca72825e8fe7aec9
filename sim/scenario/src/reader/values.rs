//! Reading one value: text, numbers and quantities, each with what to write instead.

use schism_core::{Duration, Ratio};
use schism_models::nemesis::{Batch, Offset};
use schism_models::plight::Factor;

use super::{Field, Read, not_built};
use crate::diagnostics::{Problem, listed, shorten};
use crate::grammar::{Least, Shape};
use crate::limits::{self, Limit};
use crate::source::At;
use crate::tree::{Node, Tree};
use crate::units::{self, BitRate, Rate, Size, UnitError};

impl<'r> Field<'r> {
    pub(crate) fn wrong(&self, tree: &Tree, needs: &str) -> Problem {
        Problem::error(
            tree.place,
            format!("`{}` is {needs}, not {}", self.name, self.report.language().kind(tree)),
        )
    }

    fn unit(&self, tree: &Tree, error: UnitError) {
        let given = shorten(tree.as_text().unwrap_or_default());
        let message = format!("`{}`: {} (\"{given}\")", self.name, error.message);
        self.report.add(Problem::error(tree.place, message).maybe_help(error.help));
    }

    /// Reads text with a unit; a bare number is shown with one.
    fn quantity<T>(
        &self,
        tree: &Tree,
        needs: &str,
        parse: impl Fn(&str) -> Result<T, UnitError>,
        help: impl Fn(&str) -> String,
    ) -> Option<T> {
        let Some(text) = tree.as_text() else {
            self.report.add(match tree.as_number() {
                Some(number) if number.starts_with('-') => {
                    Problem::error(tree.place, format!("`{}`: {needs} cannot be negative", self.name))
                        .help(help(number.trim_start_matches('-')))
                }
                Some(number) => {
                    Problem::error(tree.place, format!("`{}` is {needs} and needs a unit", self.name))
                        .help(help(&number))
                }
                None => self.wrong(tree, needs).help(help("")),
            });
            return None;
        };
        parse(text).map_err(|error| self.unit(tree, error)).ok()
    }

    fn count(&self, tree: &Tree, limit: Limit) -> Option<u64> {
        let Node::Integer(number) = tree.node else {
            let quoted = tree.as_text().filter(|text| text.parse::<i64>().is_ok());
            let help = quoted.map_or_else(
                || "write a whole number".to_owned(),
                |text| format!("write it without quotes: {text}"),
            );
            self.report.add(self.wrong(tree, "a whole number").help(help));
            return None;
        };
        let within = number
            .and_then(|number| u64::try_from(number).ok())
            .filter(|number| limit.range().contains(number));
        if within.is_none() {
            self.report.add(match number {
                Some(number) if number < i128::from(limit.least) => {
                    let message = format!("`{}` is {number}, which is too few", self.name);
                    Problem::error(tree.place, message).help(format!("write at least {}", limit.least))
                }
                Some(_) | None => {
                    let shown = number.map_or_else(|| "too large".to_owned(), |number| number.to_string());
                    Problem::error(
                        tree.place,
                        format!("`{}` is {shown}; the limit is {}", self.name, limit.most),
                    )
                    .help(limit.why)
                }
            });
        }
        within
    }
}

impl Read for String {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<String> {
        let Some(text) = tree.as_text() else {
            let quoted = tree.as_number().map(|number| format!("write it in quotes: \"{number}\""));
            let words =
                if let Shape::Word(words) = field.shape { listed(words.there.iter().copied()) } else { None };
            let help = quoted.or_else(|| words.map(|words| format!("it is one of {words}")));
            field.report.add(field.wrong(tree, "text").maybe_help(help));
            return None;
        };
        if let Shape::Word(words) = field.shape
            && !words.there.contains(&text)
        {
            field.report.add(if words.later.contains(&text) {
                not_built(tree.place, text, words.there)
            } else {
                let all = listed(words.there.iter().copied()).map(|words| format!("it is one of {words}"));
                Problem::error(tree.place, format!("`{}` cannot be `{}`", field.name, shorten(text)))
                    .maybe_help(all)
            });
            return None;
        }
        Some(text.to_owned())
    }
}

impl Read for bool {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<bool> {
        if let Node::Flag(flag) = tree.node {
            return Some(flag);
        }
        field.report.add(field.wrong(tree, "true or false").help("write true or false, without quotes"));
        None
    }
}

impl Read for u64 {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<u64> {
        let (Shape::Count(limit) | Shape::CountWith(limit, _)) = field.shape else {
            panic!("`{}` is no count", field.name)
        };
        field.count(tree, limit)
    }
}

impl Read for u32 {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<u32> {
        u64::read(field, tree).map(|count| u32::try_from(count).expect("the limit is within 32 bits"))
    }
}

/// A word of 64 bits.
pub(crate) struct Bits(pub(crate) u64);

impl Read for Bits {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Bits> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let word = match &tree.node {
            Node::Integer(number) => number.and_then(|number| u64::try_from(number).ok()),
            Node::Text(text) if digits(text) => text.parse().ok(),
            Node::Text(_)
            | Node::Float(_)
            | Node::Flag(_)
            | Node::Datetime
            | Node::List(_)
            | Node::Table(_) => {
                let help = "write it in decimal, as a number or in quotes";
                field.report.add(field.wrong(tree, "a word of 64 bits").help(help));
                return None;
            }
        };
        if word.is_none() {
            let shown = tree.as_number().unwrap_or_else(|| "too large".to_owned());
            let message = format!("`{}` is {shown}, which is no word of 64 bits", field.name);
            field
                .report
                .add(Problem::error(tree.place, message).help(format!("it can be from 0 to {}", u64::MAX)));
        }
        word.map(Bits)
    }
}

impl Read for Option<u32> {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Option<u32>> {
        let Shape::CountOr(limit, word) = field.shape else { panic!("`{}` is no count", field.name) };
        match tree.as_text() {
            Some(text) if text == word => Some(None),
            Some(_) if tree.as_text().is_some_and(|text| text.parse::<i64>().is_err()) => {
                field.report.add(
                    field.wrong(tree, "a whole number").help(format!("write a whole number, or \"{word}\"")),
                );
                None
            }
            Some(_) | None => field
                .count(tree, limit)
                .map(|count| Some(u32::try_from(count).expect("the limit is within 32 bits"))),
        }
    }
}

impl Read for Duration {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Duration> {
        let duration = field.quantity(tree, "a duration", units::duration, |number| match number {
            "" => "write a number and a unit in quotes: \"250ms\"".to_owned(),
            number => units::unit_help(number),
        })?;
        let positive = matches!(field.shape, Shape::Duration(Least::Positive) | Shape::DurationOr(_));
        if positive && duration == Duration::ZERO {
            let message = format!("`{}` cannot be zero", field.name);
            field.report.add(Problem::error(tree.place, message).help("write at least \"1ns\""));
            return None;
        }
        Some(duration)
    }
}

impl Read for Option<Duration> {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Option<Duration>> {
        let Shape::DurationOr(word) = field.shape else { panic!("`{}` is no duration", field.name) };
        if tree.as_text() == Some(word) {
            return Some(None);
        }
        Duration::read(field, tree).map(Some)
    }
}

impl Read for Ratio {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Ratio> {
        field.quantity(tree, "a share", units::ratio, units::share_help)
    }
}

impl Read for Offset {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Offset> {
        if let Some(number) = tree.as_number() {
            let message = format!("`{}` is a time and needs a unit", field.name);
            field.report.add(Problem::error(tree.place, message).help(units::unit_help(&number)));
            return None;
        }
        field.quantity(tree, "a time", units::offset, units::unit_help)
    }
}

/// Parts per million, in either direction.
pub(crate) struct PartsPerMillion(pub(crate) i32);

impl Read for PartsPerMillion {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<PartsPerMillion> {
        let Node::Integer(number) = tree.node else {
            let help = "write a whole number of parts per million: 500, or -500";
            field.report.add(field.wrong(tree, "a whole number").help(help));
            return None;
        };
        let ppm = number.and_then(|number| i32::try_from(number).ok());
        let within = ppm.filter(|ppm| limits::DRIFT.contains(ppm));
        if within.is_none() {
            let shown = number.map_or_else(|| "too large".to_owned(), |number| format!("{number} ppm"));
            let (least, most) = (limits::DRIFT.start(), limits::DRIFT.end());
            let message = format!("`{}` is {shown}; it can be from {least} to {most}", field.name);
            let help = "no clock runs backward, and none ten times as fast as it should";
            field.report.add(Problem::error(tree.place, message).help(help));
        }
        within.map(PartsPerMillion)
    }
}

impl Read for Factor {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Factor> {
        let Some(number) = tree.as_number() else {
            let quoted = tree.as_text().filter(|text| units::factor(text).is_ok());
            let help = quoted.map_or_else(
                || "write a number of at least 1: 12, or 1.5".to_owned(),
                |text| format!("write it without quotes: {text}"),
            );
            field.report.add(field.wrong(tree, "a number").help(help));
            return None;
        };
        let wrong = |error: UnitError| {
            let message = format!("`{}`: {} ({})", field.name, error.message, shorten(&number));
            field.report.add(Problem::error(tree.place, message).maybe_help(error.help));
        };
        units::factor(&number).map_err(wrong).ok()
    }
}

impl Read for Batch {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Batch> {
        let Shape::Batch(limit) = field.shape else { panic!("`{}` is no batch", field.name) };
        if tree.as_text().is_none_or(|text| text.parse::<i64>().is_ok()) {
            let count = field.count(tree, limit)?;
            return Some(Batch::Count(u32::try_from(count).expect("the limit is within 32 bits")));
        }
        let share = Ratio::read(field, tree)?;
        if share.is_zero() {
            let message = format!("`{}` is nobody at all", field.name);
            field
                .report
                .add(Problem::error(tree.place, message).help("write a count of at least 1, or a share"));
            return None;
        }
        Some(Batch::Share(share))
    }
}

impl Read for Rate {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Rate> {
        field.quantity(tree, "a rate", units::rate, units::rate_help)
    }
}

impl Read for BitRate {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<BitRate> {
        field.quantity(tree, "a capacity", units::bit_rate, units::bit_rate_help)
    }
}

impl Read for Size {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Size> {
        field.quantity(tree, "a size", units::size, units::size_help)
    }
}

/// A share as a float, for a bound.
pub(crate) struct Share(pub(crate) f64);

impl Read for Share {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Share> {
        field.quantity(tree, "a share", units::share, units::share_help).map(Share)
    }
}

/// A rate in events per second, for a bound.
pub(crate) struct PerSecond(pub(crate) f64);

impl Read for PerSecond {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<PerSecond> {
        field.quantity(tree, "a rate", units::per_second, units::rate_help).map(PerSecond)
    }
}

/// A number that need not be whole, and is not negative.
pub(crate) struct Number(pub(crate) f64);

impl Read for Number {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Number> {
        let number = match tree.node {
            Node::Integer(Some(number)) => number as f64,
            Node::Float(number) => number,
            Node::Integer(None)
            | Node::Text(_)
            | Node::Flag(_)
            | Node::Datetime
            | Node::List(_)
            | Node::Table(_) => {
                field.report.add(
                    field.wrong(tree, "a number").help("write a number, without quotes and without a unit"),
                );
                return None;
            }
        };
        if let Shape::NumberWithin(least, most) | Shape::NumberOr(least, most, _) = field.shape {
            if (least..=most).contains(&number) {
                return Some(Number(number));
            }
            let message = format!("`{}` cannot be {number}", field.name);
            let help = format!("it can be from {least} to {most}");
            field.report.add(Problem::error(tree.place, message).help(help));
            return None;
        }
        if number.is_finite() && number >= 0.0 && number <= limits::BOUND.most as f64 {
            return Some(Number(number));
        }
        let message = format!("`{}` cannot be {number}", field.name);
        field.report.add(
            Problem::error(tree.place, message).help("write a number that is neither negative nor huge"),
        );
        None
    }
}

impl Read for Option<Number> {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Option<Number>> {
        let Shape::NumberOr(_, _, word) = field.shape else { panic!("`{}` is no number", field.name) };
        if tree.as_text() == Some(word) { Some(None) } else { Number::read(field, tree).map(Some) }
    }
}

impl<T: Read> Read for Vec<At<T>> {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Vec<At<T>>> {
        let Some(items) = tree.as_list() else {
            let help = match &tree.node {
                Node::Text(text) => format!("write a list: [\"{}\"]", shorten(text)),
                Node::Integer(_)
                | Node::Float(_)
                | Node::Flag(_)
                | Node::Datetime
                | Node::List(_)
                | Node::Table(_) => "write a list: [.., ..]".to_owned(),
            };
            field.report.add(field.wrong(tree, "a list").help(help));
            return None;
        };
        let times = matches!(field.shape, Shape::TwoTimes | Shape::Times);
        let words = matches!(field.shape, Shape::ManyBits);
        let shape = match (times, words) {
            (true, _) => Shape::Duration(Least::Zero),
            (_, true) => Shape::Bits,
            (false, false) => Shape::Name,
        };
        let field = Field { shape, ..*field };
        items.iter().map(|item| Some(At::new(T::read(&field, item)?, item.place))).collect()
    }
}
