//! `resolver`: how clients look up, by its name alone or with options.

use schism_core::Duration;
use schism_models::registry::dns::resolver::{CATALOG, Config};
use schism_models::registry::dns::subscriber::Using;

use crate::diagnostics::Report;
use crate::grammar::Least::{Positive, Zero};
use crate::grammar::Shape::Duration as Time;
use crate::grammar::{Argument, Choice, Key, Shape};
use crate::reader::Chosen;

pub(super) const RESOLVERS: Choice = Choice {
    what: "resolver",
    names: || CATALOG.to_vec(),
    argument: |name| Argument::Options(keys(name)),
    later: &[],
};

const GRPC_GO: &[Key] = &[
    Key::new("min-interval", Time(Zero), "How long after a lookup that succeeded the next may follow")
        .or("\"30s\""),
    Key::new("timeout", Time(Positive), "How long a lookup may take").or("\"30s\""),
];
const JVM: &[Key] = &[
    Key::new(
        "ttl",
        Shape::DurationOr("forever"),
        "For how long addresses are remembered; `forever` is what a SecurityManager makes it",
    )
    .or("\"30s\""),
    Key::new("negative-ttl", Time(Zero), "For how long it is remembered that a lookup has failed")
        .or("\"10s\""),
    Key::new("stale-ttl", Time(Zero), "For how long past their time addresses are used if a lookup fails")
        .or("\"0s\""),
];
const ENVOY: &[Key] =
    &[Key::new("refresh", Time(Positive), "How long after one lookup the next follows").or("\"5s\"")];

fn keys(name: &str) -> &'static [Key] {
    match name {
        "grpc-go" => GRPC_GO,
        "jvm" => JVM,
        "envoy-strict" | "envoy-logical" => ENVOY,
        _ => &[],
    }
}

pub(super) fn read(chosen: &Chosen<'_>, report: &Report) -> Option<Config> {
    let section = chosen.options("resolver", keys(chosen.name), report);
    let time = |name: &str| section.value::<Duration>(name);
    Some(match chosen.name {
        "grpc-go" => {
            let timeout = time("timeout");
            super::super::patience(timeout, report);
            Config::GrpcGo { min_interval: time("min-interval").value, timeout: timeout.value }
        }
        "jvm" => Config::Jvm {
            ttl: section.value("ttl").value,
            negative_ttl: time("negative-ttl").value,
            stale_ttl: time("stale-ttl").value,
        },
        "glibc" => Config::Glibc,
        "go-net" => Config::GoNet,
        "envoy-strict" | "envoy-logical" => {
            let refresh = time("refresh");
            super::super::patience(refresh, report);
            let refresh = refresh.value;
            match chosen.name {
                "envoy-strict" => Config::EnvoyStrict { refresh },
                _ => Config::EnvoyLogical { refresh },
            }
        }
        name => unreachable!("the catalog has a resolver `{name}` that cannot be read"),
    })
}

/// How often it goes through its servers: `options attempts` of resolv.conf is 2, c-ares' `tries` were 4 before 1.20.
pub(super) fn attempts(resolver: &Config) -> u32 {
    match resolver {
        Config::GrpcGo { .. } | Config::Jvm { .. } | Config::Glibc | Config::GoNet => 2,
        Config::EnvoyStrict { .. } | Config::EnvoyLogical { .. } => 4,
    }
}

/// Which addresses it uses: channels and strict clusters balance over all, programs connect to the first.
pub(super) fn using(resolver: &Config) -> Using {
    match resolver {
        Config::GrpcGo { .. } | Config::EnvoyStrict { .. } => Using::All,
        Config::Jvm { .. } | Config::Glibc | Config::GoNet | Config::EnvoyLogical { .. } => Using::First,
    }
}

/// For how long an address whose connection has failed is passed over: Java's sockets try the first one alone.
pub(super) fn avoid(resolver: &Config) -> Duration {
    match resolver {
        Config::Jvm { .. } => Duration::ZERO,
        Config::GrpcGo { .. }
        | Config::Glibc
        | Config::GoNet
        | Config::EnvoyStrict { .. }
        | Config::EnvoyLogical { .. } => Duration::from_secs(10),
    }
}

pub(super) fn write(resolver: &Config) -> String {
    let options = match resolver {
        Config::GrpcGo { min_interval, timeout } => {
            format!("min-interval = \"{min_interval}\", timeout = \"{timeout}\"")
        }
        Config::Jvm { ttl, negative_ttl, stale_ttl } => {
            let ttl = ttl.map_or_else(|| "forever".to_owned(), |ttl| ttl.to_string());
            format!("ttl = \"{ttl}\", negative-ttl = \"{negative_ttl}\", stale-ttl = \"{stale_ttl}\"")
        }
        Config::Glibc | Config::GoNet => return format!("\"{}\"", resolver.name()),
        Config::EnvoyStrict { refresh } | Config::EnvoyLogical { refresh } => {
            format!("refresh = \"{refresh}\"")
        }
    };
    format!("{{ {} = {{ {options} }} }}", resolver.name())
}
