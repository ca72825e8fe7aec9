//! `registry.dns`: its constants, those of the resolvers, and the registry that it is backed by.

mod resolver;

use schism_core::Duration;
use schism_models::registry::dns::cache::{Limits, Span};
use schism_models::registry::dns::resolver::Config as Resolver;
use schism_models::registry::dns::subscriber::Using;
use schism_models::registry::dns::zone::{Asked, Denial, Priority, Rules};
use schism_models::registry::dns::{Backing, Config, forward};
use schism_models::registry::{self, CATALOG};

use super::{Lines, Members, ZONE, ZONES};
use crate::diagnostics::{Problem, Report};
use crate::grammar::Least::{Positive, Zero};
use crate::grammar::Shape::{Count, Duration as Time};
use crate::grammar::{Argument, Choice, Key, Shape};
use crate::limits;
use crate::reader::Section;
use crate::source::At;
use crate::spec::Spread;

const RECORDS: &[&str] = &["a", "srv"];
const PRIORITIES: &[&str] = &["none", "own-zone", "zone-order"];
const DENIALS: &[&str] = &["nxdomain", "nodata"];
const USES: &[&str] = &["all", "first"];

/// Where the answers come from.
const BACKING: Choice = Choice {
    what: "backed-by",
    names: || CATALOG.iter().copied().filter(|&(name, _)| name != "dns").collect(),
    argument: |name| Argument::Options(super::keys(name)),
    later: &[],
};

/// The defaults are those of CoreDNS, of Consul where that is what it is backed by, and of the resolver.
pub(super) const KEYS: &[Key] = &[
    Key::new("members", Count(limits::MEMBERS), "How many members, named `registry-0`, `registry-1`, ...: the authoritative servers of a zone file, 3 by default (as RFC 2182, section 5, advises), or the members of the registry that it is backed by"),
    ZONES,
    ZONE,
    Key::new("backed-by", Shape::Choice(&BACKING), "Where the answers come from: `static` is a zone file that lists the instances as configured, which others forward to and cache; any other registry is watched by the DNS servers, and instances register there")
        .or("\"static\""),
    Key::new("servers", Count(limits::DNS_SERVERS), "How many DNS servers clients ask, named `dns-0`, `dns-1`, ...; each service has as many of its own (2 replicas: kubeadm's)")
        .or("2"),
    Key::new("ttl", Time(Zero), "The time to live of records, in whole seconds; by default 5s (CoreDNS's `kubernetes`), 0s backed by consul"),
    Key::new("negative-ttl", Time(Zero), "That of denials, the minimum of the zone's SOA; by default as `ttl`"),
    Key::word("records", RECORDS, "What clients ask for: addresses, or SRV records with priorities and weights").or("\"a\""),
    Key::word("priority", PRIORITIES, "What SRV priorities go by: nothing, the asker's own zone first, or zones in the order of the topology")
        .or("\"none\""),
    Key::word("empty", DENIALS, "What is said of a service without instances").or("\"nxdomain\""),
    Key::new("limit", Shape::CountOr(limits::DNS_ANSWER, "none"), "How many records an answer has at most, drawn anew for each; by default none, 3 backed by consul (`udp_answer_limit`)"),
    Key::new("cache", Shape::DurationOr("none"), "For how long the DNS servers remember answers at most; by default 30s (Kubernetes' Corefile), none backed by consul"),
    Key::new("cache-min", Time(Zero), "For how long they remember answers at least, even those of a `ttl` of nothing").or("\"5s\""),
    Key::new("serve-stale", Shape::DurationOr("none"), "For how long past its time they give an answer while they get another")
        .or("\"none\""),
    Key::new("max-fails", Count(limits::DNS_FAILS), "After more failed checks than that a server that is forwarded to is down; 0 is never").or("2"),
    Key::new("check-interval", Time(Positive), "How long after a failed check of such a server the next one follows").or("\"500ms\""),
    Key::new("resolver", Shape::Choice(&resolver::RESOLVERS), "How clients look up").or("\"grpc-go\""),
    Key::new("timeout", Time(Positive), "How long a lookup waits for a server").or("\"5s\""),
    Key::new("attempts", Count(limits::DNS_ATTEMPTS), "How often a lookup goes through the servers; by default 2, 4 with Envoy (c-ares)"),
    Key::word("addresses", USES, "Whether clients use all addresses of an answer, or the first and after its failure the next; by default all with `grpc-go` and `envoy-strict`"),
    Key::new("avoid", Time(Zero), "For how long a client that tries addresses in turn passes over one whose connection has failed; by default 0s with `jvm`, whose sockets try the first address alone, else 10s (ours, after nginx's `fail_timeout`)"),
];

/// What the servers do wrong is a fault of its own, `dns`; what fares ill behind them is the registry there.
pub(super) const TROUBLES: &[&str] = &[];

/// `[registry.dns]`, as written.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(super) members: Members,
    pub(crate) backing: super::Spec,
    servers: At<u32>,
    ttl: Option<At<Duration>>,
    negative_ttl: Option<At<Duration>>,
    records: Asked,
    priority: At<Priority>,
    empty: Denial,
    limit: Option<Option<u32>>,
    cache: Option<Option<Duration>>,
    cache_min: Duration,
    serve_stale: Duration,
    forward: forward::Config,
    resolver: Resolver,
    timeout: At<Duration>,
    attempts: Option<u32>,
    using: Option<Using>,
    avoid: Option<Duration>,
}

pub(super) fn read(section: &Section<'_>) -> Spec {
    let report = section.report;
    let backing = section.choice("backed-by", |chosen| super::read(chosen, report));
    // What could not be read has been reported.
    let mut backing = backing.map_or(super::Spec::Static, |at| at.value);
    let members = members(section, &mut backing);
    let resolver = section.choice("resolver", |chosen| resolver::read(chosen, report));
    let resolver = resolver.map_or(Resolver::Glibc, |at| at.value);
    let word = |name: &str| section.value::<String>(name);
    let priority = word("priority");
    Spec {
        members,
        backing,
        servers: section.value("servers"),
        ttl: section.maybe("ttl"),
        negative_ttl: section.maybe("negative-ttl"),
        records: match word("records").value.as_str() {
            "srv" => Asked::Srv,
            _ => Asked::A,
        },
        priority: At::new(
            match priority.value.as_str() {
                "own-zone" => Priority::OwnZone,
                "zone-order" => Priority::ZoneOrder,
                _ => Priority::None,
            },
            priority.place,
        ),
        empty: match word("empty").value.as_str() {
            "nodata" => Denial::NoData,
            _ => Denial::NxDomain,
        },
        limit: section.maybe("limit").map(|at| at.value),
        cache: section.maybe("cache").map(|at| at.value),
        cache_min: section.value("cache-min").value,
        serve_stale: section.value::<Option<Duration>>("serve-stale").value.unwrap_or_default(),
        forward: forward::Config {
            max_fails: section.value("max-fails").value,
            check_interval: section.value("check-interval").value,
        },
        resolver,
        timeout: section.value("timeout"),
        attempts: section.maybe("attempts").map(|at| at.value),
        using: section.maybe::<String>("addresses").map(|at| match at.value.as_str() {
            "all" => Using::All,
            _ => Using::First,
        }),
        avoid: section.maybe("avoid").map(|at| at.value),
    }
}

/// The members: as many as are written here or there, and where; so many servers of a zone file by themselves.
fn members(section: &Section<'_>, backing: &mut super::Spec) -> Members {
    let count: Option<At<u32>> = section.maybe("members");
    let spread = Some(crate::read::spread(section)).filter(|spread| !matches!(spread, Spread::All));
    match backing.members_mut() {
        Some(members) => {
            members.count = count.unwrap_or(members.count);
            members.spread = spread.unwrap_or_else(|| members.spread.clone());
            members.clone()
        }
        None => Members {
            count: count.unwrap_or(At::new(3, section.place)),
            spread: spread.unwrap_or(Spread::All),
        },
    }
}

impl Spec {
    /// How many servers each service has.
    pub(super) fn servers(&self) -> u32 {
        self.servers.value
    }

    /// Whether it answers from a zone file.
    pub(crate) fn is_of_a_file(&self) -> bool {
        matches!(self.backing, super::Spec::Static)
    }

    fn is_consul(&self) -> bool {
        self.backing.name() == "consul"
    }
}

pub(super) fn check(spec: &Spec, report: &Report) -> Option<Config> {
    super::patience(spec.timeout, report);
    for ttl in [spec.ttl, spec.negative_ttl].into_iter().flatten() {
        whole(ttl, report);
    }
    if spec.priority.value != Priority::None && spec.records == Asked::A {
        let message = "`priority` is of SRV records, and clients ask for addresses alone";
        report.add(
            Problem::error(spec.priority.place, message).help("write records = \"srv\", or leave it out"),
        );
    }
    let backing = spec.backing.check(report)?;
    let backing = if backing == registry::Config::Static {
        Backing::Zone
    } else {
        Backing::Registry(Box::new(backing))
    };
    let (ttl, limit, cache) = if spec.is_consul() {
        (Duration::ZERO, Some(3), None)
    } else {
        (Duration::from_secs(5), None, Some(Duration::from_secs(30)))
    };
    let ttl = spec.ttl.map_or(ttl, |at| at.value);
    let limits = |most| {
        let span = Span { least: spec.cache_min, most };
        Limits { positive: span, negative: span, failure: FAILURE, stale: spec.serve_stale }
    };
    Some(Config {
        backing,
        servers: spec.servers.value,
        rules: Rules {
            ttl,
            negative_ttl: spec.negative_ttl.map_or(ttl, |at| at.value),
            records: spec.records,
            empty: spec.empty,
            limit: spec.limit.unwrap_or(limit),
            priority: spec.priority.value,
        },
        cache: spec.cache.unwrap_or(cache).map(limits),
        forward: spec.forward,
        resolver: spec.resolver,
        timeout: spec.timeout.value,
        attempts: spec.attempts.unwrap_or(resolver::attempts(&spec.resolver)),
        using: spec.using.unwrap_or(resolver::using(&spec.resolver)),
        avoid: spec.avoid.unwrap_or(resolver::avoid(&spec.resolver)),
    })
}

/// For how long CoreDNS remembers that a server cannot tell: 5 s (plugin/cache, `servfail`).
const FAILURE: Duration = Duration::from_secs(5);

/// A time to live is a number of seconds (RFC 1035, section 3.2.1).
fn whole(ttl: At<Duration>, report: &Report) {
    if !ttl.value.as_nanos().is_multiple_of(1_000_000_000) {
        let message = format!("a time to live has whole seconds, and this is {}", ttl.value);
        report.add(Problem::error(ttl.place, message).help("write it in \"s\", without a fraction"));
    }
}

pub(super) fn write(out: &mut Lines<'_>, config: &Config) {
    let backing = match &config.backing {
        Backing::Zone => crate::render::text("static"),
        Backing::Registry(backing) => {
            format!("{{ {} = {{ {} }} }}", backing.name(), super::inline(backing))
        }
    };
    out.line("backed-by", &backing);
    out.line("servers", &config.servers.to_string());
    out.time("ttl", config.rules.ttl);
    out.time("negative-ttl", config.rules.negative_ttl);
    out.word("records", RECORDS[config.rules.records as usize]);
    out.word("priority", PRIORITIES[config.rules.priority as usize]);
    out.word("empty", DENIALS[config.rules.empty as usize]);
    let count =
        |count: Option<u32>| count.map_or_else(|| crate::render::text("none"), |count| count.to_string());
    out.line("limit", &count(config.rules.limit));
    match &config.cache {
        None => out.word("cache", "none"),
        Some(limits) => {
            out.time("cache", limits.positive.most);
            out.time("cache-min", limits.positive.least);
            if limits.stale > Duration::ZERO {
                out.time("serve-stale", limits.stale);
            }
        }
    }
    out.line("max-fails", &config.forward.max_fails.to_string());
    out.time("check-interval", config.forward.check_interval);
    out.line("resolver", &resolver::write(&config.resolver));
    out.time("timeout", config.timeout);
    out.line("attempts", &config.attempts.to_string());
    out.word("addresses", USES[config.using as usize]);
    out.time("avoid", config.avoid);
}
