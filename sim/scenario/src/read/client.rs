//! `[clients.NAME]`: arrivals, keys, balancer, cache and connections.

use schism_core::{Distribution, Duration, Ratio};
use schism_models::balancer::slow_start::SlowStart;
use schism_models::client::{Connections, Fencing, HealthCheck, Intensity, OnTimeout, Pooling};
use schism_models::node::ProbePath;
use schism_models::{balancer, cache, locality};

use super::subset;
use crate::diagnostics::{Problem, Report};
use crate::grammar::{self, Argument, Shape};
use crate::reader::{Chosen, Field, Number, Read, Section};
use crate::source::{At, Place};
use crate::spec::{ArrivalsSpec, ClientSpec, KeysSpec, LockSpec};
use crate::units::Rate;
use crate::{knobs, limits};

pub(super) fn read(name: At<String>, section: &Section<'_>) -> ClientSpec {
    let report = section.report;
    ClientSpec {
        name,
        count: section.must("count"),
        spread: super::spread(section),
        calls: section.must("calls"),
        operation: section.maybe("operation"),
        lock: lock(section.entry("lock").map(|entry| entry.place), &section.child("lock")),
        arrivals: section.choice("arrivals", |chosen| arrivals(chosen, report)),
        timeout: section.value("timeout"),
        deadline: section.value("deadline").value,
        keys: section.choice("key", |chosen| keys(chosen, report)).map(|at| at.value),
        balancer: section.choice("balancer", |chosen| balancer(chosen, report)).map(|at| at.value),
        locality: section.choice("locality", |chosen| locality(chosen, report)),
        subset: section
            .tree("subset")
            .and_then(|_| section.choice("subset", |chosen| subset::read(chosen, report))),
        wanted: section.maybe::<subset::Texts>("match").map(|at| At::new(at.value.0, at.place)),
        slow_start: section
            .entry("slow-start")
            .and_then(|entry| Some(At::new(slow_start(&section.child("slow-start"))?, entry.place))),
        health_check: section
            .entry("health-check")
            .map(|entry| At::new(health_check(&section.child("health-check")), entry.place)),
        cache: section.choice("cache", |chosen| cache(chosen, report)).map(|at| at.value),
        connections: section.choice("connections", |chosen| Some(connections(chosen, report))),
    }
}

fn arrivals(chosen: &Chosen<'_>, report: &Report) -> Option<ArrivalsSpec> {
    let argument = (grammar::ARRIVALS.argument)(chosen.name);
    if chosen.argument.is_none() {
        let (needs, example) = example(chosen.name);
        report.add(
            Problem::error(chosen.place, format!("`{}` needs its {needs}", chosen.name))
                .help(format!("write {{ {} = {example} }}", chosen.name)),
        );
        return None;
    }
    match argument {
        Argument::Value(shape) => rate(chosen, shape, report),
        Argument::Options(keys) | Argument::Table(keys) | Argument::ValueOr(_, keys) => {
            let section = chosen.options("arrivals", keys, report);
            match chosen.name {
                "closed" => {
                    section.must::<Distribution>("think").map(|think| ArrivalsSpec::Closed(think.value))
                }
                _ => intensity(chosen.name, &section).map(ArrivalsSpec::Varying),
            }
        }
    }
}

/// What must stand under the name of an arrival process, in words and as an example.
fn example(name: &str) -> (&'static str, &'static str) {
    match name {
        "closed" => ("think time", "{ think = \"5ms\" }"),
        "ramp" => ("rates", "{ from = \"10/s\", to = \"200/s\", over = \"30s\" }"),
        "burst" => ("rates", "{ base = \"10/s\", peak = \"200/s\", every = \"30s\", lasts = \"2s\" }"),
        "diurnal" => ("rates", "{ low = \"10/s\", high = \"200/s\" }"),
        _ => ("rate", "\"100/s\""),
    }
}

fn rate(chosen: &Chosen<'_>, shape: Shape, report: &Report) -> Option<ArrivalsSpec> {
    let rate = Rate::read(&Field { name: chosen.name, shape, report }, chosen.argument?)?;
    Some(if chosen.name == "constant" { ArrivalsSpec::Constant(rate) } else { ArrivalsSpec::Poisson(rate) })
}

fn intensity(name: &str, section: &Section<'_>) -> Option<Intensity> {
    let gap = |key: &str| section.must::<Rate>(key).map(|rate| rate.value.gap);
    match name {
        "ramp" => {
            let (from, to, over) = (gap("from"), gap("to"), section.must::<Duration>("over"));
            let after = section.value("after").value;
            Some(Intensity::Ramp { from: from?, to: to?, after, over: over?.value })
        }
        "burst" => {
            let (base, peak) = (gap("base"), gap("peak"));
            let (every, lasts) = (section.must("every"), section.must("lasts"));
            let (every, lasts) = (repeats(section, "every", every?)?, lasts?);
            within(section, lasts, every)?;
            Some(Intensity::Burst { base: base?, peak: peak?, every, lasts: lasts.value })
        }
        _ => {
            let (low, high) = (gap("low"), gap("high"));
            let period = repeats(section, "period", section.value("period"))?;
            Some(Intensity::Diurnal { low: low?, high: high?, period })
        }
    }
}

/// A time after which a rate repeats itself, unless it is too short.
fn repeats(section: &Section<'_>, name: &str, period: At<Duration>) -> Option<Duration> {
    if period.value >= limits::PERIOD {
        return Some(period.value);
    }
    let message = format!("`{name}` is {}, too short to repeat a rate", period.value);
    let help = format!("write at least \"{}\"", limits::PERIOD);
    section.report.add(Problem::error(period.place, message).help(help));
    None
}

fn within(section: &Section<'_>, lasts: At<Duration>, every: Duration) -> Option<()> {
    if lasts.value < every {
        return Some(());
    }
    let message = format!("`lasts` is {}, and there is a burst every {every}", lasts.value);
    let help = "a burst is shorter than the time from one to the next";
    section.report.add(Problem::error(lasts.place, message).help(help));
    None
}

fn keys(chosen: &Chosen<'_>, report: &Report) -> Option<KeysSpec> {
    let section = chosen.options("key", grammar::keys_of((grammar::KEYS.argument)(chosen.name)), report);
    match chosen.name {
        "uniform" => section.must("keys").map(|keys| KeysSpec::Uniform(keys.value)),
        "zipf" => {
            let (keys, s) = (section.must("keys"), section.must::<Number>("s"));
            Some(KeysSpec::Zipf { keys: keys?, s: s?.value.0 })
        }
        _ => Some(KeysSpec::Unique),
    }
}

/// `balancer`.
pub(crate) fn balancer(chosen: &Chosen<'_>, report: &Report) -> Option<balancer::Config> {
    let keys = knobs::of_balancer(chosen.name);
    knobs::read("balancer", chosen, keys, report, balancer::Config::read, balancer::Config::check)
}

/// `locality`.
pub(crate) fn locality(chosen: &Chosen<'_>, report: &Report) -> Option<locality::Config> {
    let keys = knobs::of_locality(chosen.name);
    knobs::read("locality", chosen, keys, report, locality::Config::read, locality::Config::check)
}

pub(crate) fn slow_start(section: &Section<'_>) -> Option<SlowStart> {
    let least = section.value::<Ratio>("min-weight").value;
    Some(SlowStart {
        window: section.must("window")?.value,
        aggression: section.value::<Number>("aggression").value.0,
        least: least.numerator() as f64 / least.denominator() as f64,
    })
}

fn lock(place: Option<Place>, section: &Section<'_>) -> LockSpec {
    LockSpec {
        place,
        ttl: section.maybe("ttl").map(|at| at.value),
        hold: section.value::<Distribution>("hold").value,
        writes: section.maybe("writes"),
        every: section.value("every").value,
        fencing: if section.value("fencing").value { Fencing::On } else { Fencing::Off },
    }
}

fn health_check(section: &Section<'_>) -> HealthCheck {
    HealthCheck {
        interval: section.value("interval").value,
        timeout: section.value("timeout").value,
        unhealthy_threshold: section.value("unhealthy-threshold").value,
        healthy_threshold: section.value("healthy-threshold").value,
        no_traffic_interval: section.value("no-traffic-interval").value,
        initial_jitter: section.value("initial-jitter").value,
        interval_jitter: section.value("interval-jitter").value,
        ignore_new: section.value("ignore-new").value,
        update_merge_window: section.value("update-merge-window").value,
        path: match section.value::<String>("path").value.as_str() {
            "queue" => ProbePath::Queue,
            _ => ProbePath::Apart,
        },
    }
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

fn connections(chosen: &Chosen<'_>, report: &Report) -> Connections {
    let keys = grammar::keys_of((grammar::CONNECTIONS.argument)(chosen.name));
    let section = chosen.options("connections", keys, report);
    if chosen.name == "warm" {
        return Connections::Warm;
    }
    Connections::Pooled(Pooling {
        connect_timeout: section.value("connect-timeout").value,
        on_timeout: match section.value::<String>("on-timeout").value.as_str() {
            "close" => OnTimeout::Close,
            _ => OnTimeout::Keep,
        },
        keepalive_time: section.value("keepalive-time").value,
        keepalive_timeout: section.value("keepalive-timeout").value,
    })
}
