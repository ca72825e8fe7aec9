//! Resolvers: when a client looks a name up again, and what it makes of what it is told. The catalog.

mod backoff;
mod envoy;
mod grpc_go;
mod plain;

use schism_core::{Draw, Duration, Time};

use super::answer::{Answer, Said};
use super::cache::{FOREVER, Limits, Span};
use super::stub::{self, Waits};

/// A client's resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Config {
    /// grpc-go's `dns` resolver.
    GrpcGo {
        /// How long after one lookup the next may follow: 30 s (`MinResolutionInterval`).
        min_interval: Duration,
        /// How long a lookup may take: 30 s (`ResolvingTimeout`).
        timeout: Duration,
    },
    /// Java's `InetAddress`, over glibc.
    Jvm {
        /// For how long it remembers addresses: 30 s (java.security, `networkaddress.cache.ttl`); `None` is for ever, which
        /// it is where a SecurityManager is installed.
        ttl: Option<Duration>,
        /// For how long it remembers that a lookup has failed, in whatever way: 10 s (`networkaddress.cache.negative.ttl`).
        negative_ttl: Duration,
        /// For how long past that it uses addresses if a lookup fails: 0 (`networkaddress.cache.stale.ttl`, since 21).
        stale_ttl: Duration,
    },
    /// glibc's `getaddrinfo`: it remembers nothing.
    Glibc,
    /// Go's `net`: it remembers nothing.
    GoNet,
    /// An Envoy cluster of type STRICT_DNS.
    EnvoyStrict {
        /// How long after one lookup the next follows: 5 s (`dns_refresh_rate`).
        refresh: Duration,
    },
    /// An Envoy cluster of type LOGICAL_DNS.
    EnvoyLogical {
        /// The same.
        refresh: Duration,
    },
}

/// The names a scenario may write after `resolver`, in the order in which `schism list` shows them.
pub const CATALOG: &[(&str, &str)] = &[
    ("grpc-go", "looks up when a connection fails, at most every 30s: never while all is well"),
    ("jvm", "looks up for each new connection, from a cache of 30s, or for ever"),
    ("glibc", "looks up for each new connection, and remembers nothing"),
    ("go-net", "looks up for each new connection, and remembers nothing"),
    ("envoy-strict", "looks up every 5s; a successful answer without hosts empties the cluster"),
    ("envoy-logical", "looks up every 5s; new connections go to the first address, and none is drained"),
];

/// What a lookup has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer.
    Told(Answer),
    /// Nobody who was asked could tell, or has answered.
    Failed,
}

/// What a client makes of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It takes these addresses for those that it had.
    Takes,
    /// It has no address any more.
    Empties,
    /// It keeps those that it had.
    Keeps,
}

/// What makes a client look a name up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It does so for each request that finds no list: a new connection for each.
    OnDemand,
    /// It keeps connections and looks up when its resolver does.
    Stays,
}

/// When a resolver looks up again, one by one.
#[derive(Clone, Debug)]
pub enum Loop {
    /// grpc-go's.
    GrpcGo(grpc_go::Watcher),
    /// A program's that looks up for each new connection.
    Plain(plain::Program),
    /// Envoy's.
    Envoy(envoy::Cluster),
}

impl Config {
    /// Its name in the catalog.
    pub fn name(&self) -> &'static str {
        match self {
            Config::GrpcGo { .. } => "grpc-go",
            Config::Jvm { .. } => "jvm",
            Config::Glibc => "glibc",
            Config::GoNet => "go-net",
            Config::EnvoyStrict { .. } => "envoy-strict",
            Config::EnvoyLogical { .. } => "envoy-logical",
        }
    }

    /// How its lookups ask, where the stub is told to wait for so long and to try so often.
    pub fn stub(&self, timeout: Duration, attempts: u32) -> stub::Config {
        let (waits, deadline) = match *self {
            Config::GrpcGo { timeout, .. } => (Waits::Alike, Some(timeout)),
            Config::Jvm { .. } | Config::Glibc => (Waits::Glibc, None),
            Config::GoNet | Config::EnvoyStrict { .. } | Config::EnvoyLogical { .. } => (Waits::Alike, None),
        };
        stub::Config { timeout, attempts, waits, deadline }
    }

    /// The cache in the process itself, if there is one.
    pub fn cache(&self) -> Option<Limits> {
        match *self {
            Config::Jvm { ttl, negative_ttl, stale_ttl } => Some(Limits {
                positive: Span::exactly(ttl.unwrap_or(FOREVER)),
                negative: Span::exactly(negative_ttl),
                failure: negative_ttl,
                stale: stale_ttl,
            }),
            Config::GrpcGo { .. }
            | Config::Glibc
            | Config::GoNet
            | Config::EnvoyStrict { .. }
            | Config::EnvoyLogical { .. } => None,
        }
    }

    /// Its loop, before the first lookup.
    pub fn start(&self) -> Loop {
        match *self {
            Config::GrpcGo { min_interval, .. } => Loop::GrpcGo(grpc_go::Watcher::new(min_interval)),
            Config::Jvm { .. } | Config::Glibc | Config::GoNet => Loop::Plain(plain::Program::default()),
            Config::EnvoyStrict { refresh } | Config::EnvoyLogical { refresh } => {
                Loop::Envoy(envoy::Cluster::new(refresh))
            }
        }
    }

    /// What the client makes of an outcome.
    pub fn verdict(&self, mode: Mode, outcome: &Outcome) -> Verdict {
        let said = match outcome {
            Outcome::Told(Answer { said: Said::Records(_), .. }) => return Verdict::Takes,
            Outcome::Told(Answer { said, .. }) => Some(said),
            Outcome::Failed => None,
        };
        let denied = matches!(said, Some(Said::NoData | Said::NxDomain));
        match self {
            // Go's resolver tells what is not found from what may be tried again, and grpc-go takes the former for an
            // answer without addresses (dns_resolver.go, `handleDNSError`); so does Envoy (c-ares' ENODATA and ENOTFOUND).
            Config::GrpcGo { .. } | Config::EnvoyStrict { .. } if denied => Verdict::Empties,
            // "Logical" clusters pass over an answer without addresses (logical_dns_cluster.cc).
            Config::GrpcGo { .. } | Config::EnvoyStrict { .. } | Config::EnvoyLogical { .. } => {
                Verdict::Keeps
            }
            // Who has connections goes on with them; who wants a new one has none to go to.
            Config::Jvm { .. } | Config::Glibc | Config::GoNet => match mode {
                Mode::OnDemand => Verdict::Empties,
                Mode::Stays => Verdict::Keeps,
            },
        }
    }
}

impl Loop {
    /// A lookup is over, or its answer was remembered: when it looks up again by itself, if it does.
    pub fn on_outcome(&mut self, now: Time, verdict: Verdict, luck: Draw) -> Option<Time> {
        match self {
            Loop::GrpcGo(watcher) => watcher.on_outcome(now, verdict, luck),
            Loop::Plain(program) => program.on_outcome(now, verdict),
            Loop::Envoy(cluster) => Some(cluster.next(now)),
        }
    }

    /// A connection has failed while no lookup goes on: when it looks up again because of that, if it does.
    pub fn on_failure(&mut self, now: Time) -> Option<Time> {
        match self {
            Loop::GrpcGo(watcher) => watcher.on_failure(now),
            Loop::Plain(_) => Some(now),
            Loop::Envoy(_) => None,
        }
    }
}
