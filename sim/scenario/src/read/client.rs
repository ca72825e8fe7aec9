//! `[clients.NAME]`: arrivals, balancer and cache.

use schism_core::Distribution;
use schism_models::{balancer, cache};

use crate::diagnostics::{Problem, Report};
use crate::grammar::{self, Argument};
use crate::reader::{Chosen, Field, Read, Section};
use crate::source::At;
use crate::spec::{ArrivalsSpec, ClientSpec};
use crate::units::Rate;

pub(super) fn read(name: At<String>, section: &Section<'_>) -> ClientSpec {
    let report = section.report;
    ClientSpec {
        name,
        count: section.must("count"),
        spread: super::spread(section),
        calls: section.must("calls"),
        operation: section.maybe("operation"),
        arrivals: section.choice("arrivals", |chosen| arrivals(chosen, report)),
        timeout: section.value("timeout"),
        deadline: section.value("deadline").value,
        balancer: section.choice("balancer", |chosen| balancer(chosen, report)).map(|at| at.value),
        cache: section.choice("cache", |chosen| cache(chosen, report)).map(|at| at.value),
    }
}

fn arrivals(chosen: &Chosen<'_>, report: &Report) -> Option<ArrivalsSpec> {
    let Some(argument) = chosen.argument else {
        let how = if chosen.name == "closed" {
            "{ closed = { think = \"5ms\" } }"
        } else {
            "{ poisson = \"100/s\" }"
        };
        let needs = if chosen.name == "closed" { "think time" } else { "rate" };
        let message = format!("`{}` needs its {needs}", chosen.name);
        report.add(
            Problem::error(chosen.place, message)
                .help(format!("write {}", how.replace("poisson", chosen.name))),
        );
        return None;
    };
    let rate = |shape| Rate::read(&Field { name: chosen.name, shape, report }, argument);
    match (grammar::ARRIVALS.argument)(chosen.name) {
        Argument::Value(shape) if chosen.name == "poisson" => rate(shape).map(ArrivalsSpec::Poisson),
        Argument::Value(shape) => rate(shape).map(ArrivalsSpec::Constant),
        Argument::Options(keys) | Argument::Table(keys) | Argument::ValueOr(_, keys) => {
            let section = chosen.options("arrivals", keys, report);
            section.must::<Distribution>("think").map(|think| ArrivalsSpec::Closed(think.value))
        }
    }
}

fn balancer(chosen: &Chosen<'_>, report: &Report) -> Option<balancer::Config> {
    chosen.options("balancer", grammar::keys_of((grammar::BALANCER.argument)(chosen.name)), report);
    balancer::CATALOG.iter().find(|(name, _, _)| *name == chosen.name).map(|(_, _, config)| *config)
}

fn cache(chosen: &Chosen<'_>, report: &Report) -> Option<cache::Config> {
    let section = chosen.options("cache", grammar::keys_of((grammar::CACHE.argument)(chosen.name)), report);
    match chosen.name {
        "none" => Some(cache::Config::None(reads(&section))),
        "ttl" => Some(cache::Config::Ttl { ttl: section.value("ttl").value, reads: reads(&section) }),
        "watch" => Some(cache::Config::Watch {
            on_empty: match section.value::<String>("on-empty").value.as_str() {
                "keep" => cache::OnEmpty::Keep,
                _ => cache::OnEmpty::Accept,
            },
            max_stale: section.value("max-stale").value,
        }),
        name => unreachable!("the catalog has a cache `{name}` that cannot be read"),
    }
}

fn reads(section: &Section<'_>) -> cache::Reads {
    match section.value::<String>("reads").value.as_str() {
        "serializable" => cache::Reads::Serializable,
        _ => cache::Reads::Linearizable,
    }
}
