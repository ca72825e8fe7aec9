//! A distribution: a bare time, or a table with one key.

use schism_core::{Distribution, DistributionError, Duration};

use crate::diagnostics::{Problem, nearest};
use crate::grammar::{self, Argument, Key, Least, Shape};
use crate::limits;
use crate::reader::{Chosen, Field, Number, Read, Section, choose, too_many};
use crate::source::At;
use crate::tree::Tree;

impl Read for Distribution {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Distribution> {
        if let Some(text) = tree.as_text() {
            return bare(field, tree, text);
        }
        if tree.as_number().is_some() {
            return constant(field, tree);
        }
        let chosen = choose(&grammar::DISTRIBUTION, tree, field.report)?;
        let made = one_of(field, &chosen)?;
        made.map_err(|error| {
            let place = chosen.argument.map_or(chosen.place, |argument| argument.place);
            let text = error.to_string();
            let (message, help) = text.split_once("; ").unwrap_or((&text, ""));
            let problem = Problem::error(place, format!("`{}`: {message}", field.name));
            field.report.add(if help.is_empty() { problem } else { problem.help(help) });
        })
        .ok()
    }
}

/// A bare text is a constant, unless it is the name of a distribution that wants its parameters.
fn bare(field: &Field<'_>, tree: &Tree, text: &str) -> Option<Distribution> {
    let begins_as_name = text.starts_with(|c: char| c.is_alphabetic());
    let Some(name) = nearest(text, grammar::names_of(&grammar::DISTRIBUTION)).filter(|_| begins_as_name)
    else {
        return constant(field, tree);
    };
    let message = format!("`{}`: `{name}` needs its parameters", field.name);
    field
        .report
        .add(Problem::error(tree.place, message).help(format!("write {{ {name} = {} }}", example(name))));
    None
}

fn constant(field: &Field<'_>, tree: &Tree) -> Option<Distribution> {
    let field = Field { shape: Shape::Duration(Least::Zero), ..*field };
    let value = Duration::read(&field, tree)?;
    Some(Distribution::constant(value).expect("the language's limit on durations is shorter"))
}

fn example(name: &str) -> &'static str {
    match name {
        "uniform" => "{ from = \"1ms\", to = \"5ms\" }",
        "exponential" => "\"5ms\"",
        "normal" => "{ mean = \"5ms\", sd = \"1ms\" }",
        "lognormal" => "{ p50 = \"4ms\", p99 = \"40ms\" }",
        "pareto" => "{ scale = \"1ms\", shape = 1.5, cap = \"1s\" }",
        "empirical" => "[\"1ms\", \"2ms\"]",
        _ => "\"5ms\"",
    }
}

type Made = Result<Distribution, DistributionError>;

fn one_of(field: &Field<'_>, chosen: &Chosen<'_>) -> Option<Made> {
    let argument = (grammar::DISTRIBUTION.argument)(chosen.name);
    let Some(tree) = chosen.argument else { unreachable!("a bare name has been dealt with") };
    let value = |shape| Field { name: chosen.name, shape, report: field.report };
    match argument {
        Argument::Value(shape @ Shape::Times) => empirical(&value(shape), tree),
        Argument::Value(shape) => Duration::read(&value(shape), tree).map(Distribution::constant),
        Argument::ValueOr(shape, _) if tree.as_table().is_none() => {
            Duration::read(&value(shape), tree).map(Distribution::exponential)
        }
        Argument::Options(keys) | Argument::Table(keys) | Argument::ValueOr(_, keys) => {
            from_table(field, chosen, tree, keys)
        }
    }
}

fn from_table(field: &Field<'_>, chosen: &Chosen<'_>, tree: &Tree, keys: &'static [Key]) -> Option<Made> {
    let path = format!("{}.{}", field.name, chosen.name);
    let section = Section::open(&path, chosen.place, Some(tree), keys, field.report);
    let time = |name: &str| section.must::<Duration>(name).map(|at| at.value);
    match chosen.name {
        "uniform" => Some(Distribution::uniform(time("from")?, time("to")?)),
        "exponential" => Some(Distribution::exponential(time("mean")?)),
        "normal" => Some(Distribution::normal(time("mean")?, time("sd")?)),
        "lognormal" => lognormal(&section),
        _ => {
            let made = Distribution::pareto(time("scale")?, section.must::<Number>("shape")?.value.0);
            let cap = section.maybe::<Duration>("cap");
            Some(made.map(|made| cap.map_or(made.clone(), |cap| made.capped(cap.value))))
        }
    }
}

/// By median and 99th percentile, or by mean and standard deviation. The second is turned into the first, to the
/// nanosecond, so that the resolved scenario has one spelling.
fn lognormal(section: &Section<'_>) -> Option<Made> {
    let time = |name: &str| section.must::<Duration>(name).map(|at| at.value);
    let by_mean = ["mean", "sd"].map(|name| section.entry(name));
    let by_quantile = ["p50", "p99"].map(|name| section.entry(name));
    let (mean, quantile) = (by_mean.iter().flatten().next(), by_quantile.iter().flatten().next());
    if let (Some(mean), Some(quantile)) = (mean, quantile) {
        let message = format!(
            "`lognormal` is given by p50 and p99 or by mean and sd, not by `{}` and `{}`",
            quantile.key, mean.key
        );
        section
            .report
            .add(Problem::error(mean.place.max(quantile.place), message).help("keep one pair of the two"));
        return None;
    }
    if mean.is_none() {
        return Some(Distribution::lognormal(time("p50")?, time("p99")?));
    }
    let made = Distribution::lognormal_by_mean(time("mean")?, time("sd")?);
    Some(made.and_then(|made| Distribution::lognormal(made.median(), made.quantile(0.99))))
}

fn empirical(field: &Field<'_>, tree: &Tree) -> Option<Made> {
    if let Some(items) = tree.as_list()
        && items.len() as u64 > limits::OBSERVATIONS.most
    {
        field.report.add(too_many(tree.place, limits::OBSERVATIONS, items.len() as u64));
        return None;
    }
    let times = Vec::<At<Duration>>::read(field, tree)?;
    Some(Distribution::empirical(times.into_iter().map(|at| at.value).collect::<Vec<_>>()))
}
