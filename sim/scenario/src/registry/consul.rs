//! `registry.consul`: its constants, what the real system refuses, and what it silently changes.

use schism_core::{Distribution, Duration};
use schism_models::registry::consul::{Config, Health, Mode, Output, Version, gossip};

use super::{Lines, Members, ZONE, ZONES, members_key};
use crate::diagnostics::{Problem, Report};
use crate::grammar::Least::{Positive, Zero};
use crate::grammar::Shape::Duration as Time;
use crate::grammar::{Key, Shape};
use crate::limits;
use crate::reader::Section;
use crate::render;
use crate::source::At;

/// The spellings of `version`, of `reads`, of `health` and of `check-output`.
const VERSIONS: &[&str] = &["1.2", "1.10", "1.20"];
const READS: &[&str] = &["default", "consistent", "stale"];
const HEALTH: &[&str] = &["passing", "service-check", "all"];
const OUTPUTS: &[&str] = &["same", "varies"];

/// The defaults are those of the real system unless the text says otherwise.
pub(super) const KEYS: &[Key] = &[
    members_key("3"),
    ZONES,
    ZONE,
    Key::word("version", VERSIONS, "The release line, where lines behave differently: `1.2` is 1.2.0 to 1.2.2, `1.10` from 1.2.3 to 1.19")
        .or("\"1.20\""),
    Key::new("ttl", Time(Positive), "The time to live of each instance's check; by default 15s (ours: Consul has no default; its documentation's example)"),
    Key::new("lease-ttl", Time(Positive), "The same by the name that it has with other registries"),
    Key::new("pass-every", Time(Positive), "How often an instance says that it passes; by default half of `ttl`, as most libraries do"),
    Key::new("deregister-after", Shape::DurationOr("never"), "A service that is critical for longer is taken off; at least 1m, and by a reaper that looks every 30s")
        .or("\"never\""),
    Key::word("reads", READS, "How clients read").or("\"default\""),
    Key::new("max-stale", Shape::DurationOr("none"), "A stale answer of a server that has not heard of its leader for longer is not taken")
        .or("\"none\""),
    Key::word("health", HEALTH, "Which instances clients ask for: those whose checks all pass, those whose own check passes though the host be gone, or all")
        .or("\"passing\""),
    Key::new("wait", Time(Positive), "How long a blocking query waits, and up to a sixteenth more; at most 10m").or("\"5m\""),
    Key::new("min-interval", Time(Zero), "The least time between two queries of a client").or("\"0s\""),
    Key::word("check-output", OUTPUTS, "Whether a check says the same each time it passes; what varies is told the servers every few minutes")
        .or("\"same\""),
    Key::new("raft-multiplier", Shape::Count(limits::consul::RAFT_MULTIPLIER), "All of Raft's timeouts are multiples of this").or("5"),
    Key::new("rpc-hold-timeout", Time(Positive), "How long a request is held that finds no leader").or("\"7s\""),
    Key::new("fsync", Shape::Distribution, "How long one sync of a server's log takes (ours, as for etcd)")
        .or("{ lognormal = { p50 = \"1ms\", p99 = \"8ms\" } }"),
    Key::new("request-timeout", Time(Positive), "How long a client waits for an answer to what does not block (ours: the Go library waits for ever)")
        .or("\"10s\""),
    Key::new("probe-interval", Time(Positive), "How often a member of the gossip probes another").or("\"1s\""),
    Key::new("probe-timeout", Time(Positive), "How long it waits for the answer").or("\"500ms\""),
    Key::new("suspicion-mult", Shape::Count(limits::consul::SUSPICION_MULT), "How long a suspect has to refute: this times log10 of the members, in probe intervals")
        .or("4"),
];

/// What means something where agents hold what is registered, and a query answers with a whole list.
pub(super) const TROUBLES: &[&str] = &[
    "leader-change",
    "stale-snapshot",
    "watch-stall",
    "empty-list",
    "partial-list",
    "ghost-entry",
    "registration-lost",
    "throttle",
    "rollback",
];

/// The time to live of a check (ours: Consul has no default; its documentation's example).
const TTL: Duration = Duration::from_secs(15);

/// `[registry.consul]`, as written.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(super) members: Members,
    version: Version,
    ttl: Option<At<Duration>>,
    lease_ttl: Option<At<Duration>>,
    pass_every: Option<At<Duration>>,
    deregister_after: At<Option<Duration>>,
    reads: Mode,
    max_stale: Option<Duration>,
    health: Health,
    wait: At<Duration>,
    min_interval: Duration,
    output: Output,
    raft_multiplier: u32,
    hold: Duration,
    fsync: Distribution,
    request_timeout: At<Duration>,
    probe_interval: At<Duration>,
    probe_timeout: At<Duration>,
    suspicion_mult: u32,
}

pub(super) fn read(section: &Section<'_>) -> Spec {
    let word = |key| section.value::<String>(key).value;
    Spec {
        members: super::members(section),
        version: match word("version").as_str() {
            "1.2" => Version::V1_2,
            "1.10" => Version::V1_10,
            _ => Version::V1_20,
        },
        ttl: section.maybe("ttl"),
        lease_ttl: section.maybe("lease-ttl"),
        pass_every: section.maybe("pass-every"),
        deregister_after: section.value("deregister-after"),
        reads: match word("reads").as_str() {
            "consistent" => Mode::Consistent,
            "stale" => Mode::Stale,
            _ => Mode::Default,
        },
        max_stale: section.value("max-stale").value,
        health: match word("health").as_str() {
            "service-check" => Health::ServiceCheck,
            "all" => Health::All,
            _ => Health::Passing,
        },
        wait: section.value("wait"),
        min_interval: section.value("min-interval").value,
        output: match word("check-output").as_str() {
            "varies" => Output::Varies,
            _ => Output::Same,
        },
        raft_multiplier: section.value("raft-multiplier").value,
        hold: section.value("rpc-hold-timeout").value,
        fsync: section.value::<Distribution>("fsync").value,
        request_timeout: section.value("request-timeout"),
        probe_interval: section.value("probe-interval"),
        probe_timeout: section.value("probe-timeout"),
        suspicion_mult: section.value("suspicion-mult").value,
    }
}

pub(super) fn check(spec: &Spec, report: &Report) -> Option<Config> {
    members(spec.members.count, report);
    super::patience(spec.request_timeout, report);
    probes(spec, report);
    let names = [("ttl", spec.ttl), ("lease-ttl", spec.lease_ttl)];
    let ttl = super::by_either(names, report)?.map_or(TTL, |at| at.value);
    Some(Config {
        members: spec.members.count.value,
        version: spec.version,
        ttl,
        pass_every: pass_every(spec, ttl, report),
        deregister_after: deregister_after(spec.deregister_after, report),
        reads: spec.reads,
        max_stale: spec.max_stale,
        health: spec.health,
        wait: wait(spec.wait, report),
        min_interval: spec.min_interval,
        output: spec.output,
        raft_multiplier: spec.raft_multiplier,
        hold: spec.hold,
        fsync: spec.fsync.clone(),
        request_timeout: spec.request_timeout.value,
        gossip: gossip::Config {
            probe_interval: spec.probe_interval.value,
            probe_timeout: spec.probe_timeout.value,
            suspicion_mult: spec.suspicion_mult,
            ..gossip::Config::lan()
        },
    })
}

/// An even number of servers survives no more failures than one less, and many make writes slow (website, docs,
/// "Consensus protocol": three or five).
fn members(members: At<u32>, report: &Report) {
    if members.value.is_multiple_of(2) {
        let message =
            format!("{} servers survive no more failures than {}", members.value, members.value - 1);
        report.add(Problem::warning(members.place, message).help("Consul advises three or five servers"));
    } else if members.value > limits::consul::MEMBERS_ADVISED {
        let message = format!("Consul advises three or five servers, and here are {}", members.value);
        report
            .add(Problem::warning(members.place, message).help("more servers make writes slower, not safer"));
    }
}

/// Half the time to live unless something else is written; a check that passes no more often than it runs out is critical
/// every time.
fn pass_every(spec: &Spec, ttl: Duration, report: &Report) -> Duration {
    let Some(asked) = spec.pass_every else { return ttl / 2 };
    if asked.value >= ttl {
        let message = format!(
            "a check with a time to live of {ttl} that passes every {} runs out each time",
            asked.value
        );
        report.add(Problem::warning(asked.place, message).help("most libraries pass after half of `ttl`"));
    }
    asked.value
}

/// The agent raises a shorter time to a minute and logs a warning (agent/agent.go, `addCheck`: "check has deregister
/// interval below minimum").
fn deregister_after(asked: At<Option<Duration>>, report: &Report) -> Option<Duration> {
    let least = limits::consul::DEREGISTER_AFTER;
    let after = asked.value?;
    if after < least {
        let message = format!("Consul deregisters nobody before {least}: {after} becomes {least}");
        report.add(Problem::warning(asked.place, message).help(format!("write \"{least}\"")));
    }
    Some(after.max(least))
}

/// A server lets nobody wait for longer than it likes (agent/consul/rpc.go, `blockingQuery`).
fn wait(asked: At<Duration>, report: &Report) -> Duration {
    let most = limits::consul::WAIT;
    if asked.value > most {
        let message = format!("a Consul server lets no query wait for longer than {most}");
        report.add(Problem::warning(asked.place, message).help(format!("write \"{most}\"")));
    }
    asked.value.min(most)
}

/// A probe that waits for longer than until the next one is none.
fn probes(spec: &Spec, report: &Report) {
    let (interval, timeout) = (spec.probe_interval, spec.probe_timeout);
    if timeout.value > interval.value {
        let message = format!(
            "a probe that waits for {} is not over when the next begins, after {}",
            timeout.value, interval.value
        );
        report.add(
            Problem::error(timeout.place.max(interval.place), message)
                .help(format!("write at most probe-timeout = \"{}\"", interval.value)),
        );
    }
    if interval.value < limits::consul::PROBE {
        let message = format!("a probe of each member every {} is more than a run can take", interval.value);
        report.add(
            Problem::error(interval.place, message)
                .help(format!("write at least \"{}\"", limits::consul::PROBE)),
        );
    }
}

pub(super) fn write(out: &mut Lines<'_>, config: &Config) {
    out.word(
        "version",
        match config.version {
            Version::V1_2 => "1.2",
            Version::V1_10 => "1.10",
            Version::V1_20 => "1.20",
        },
    );
    out.time("ttl", config.ttl);
    out.time("pass-every", config.pass_every);
    out.line(
        "deregister-after",
        &config.deregister_after.map_or_else(|| render::text("never"), render::time),
    );
    out.word(
        "reads",
        match config.reads {
            Mode::Default => "default",
            Mode::Consistent => "consistent",
            Mode::Stale => "stale",
        },
    );
    out.line("max-stale", &config.max_stale.map_or_else(|| render::text("none"), render::time));
    out.word(
        "health",
        match config.health {
            Health::Passing => "passing",
            Health::ServiceCheck => "service-check",
            Health::All => "all",
        },
    );
    out.time("wait", config.wait);
    out.time("min-interval", config.min_interval);
    out.word(
        "check-output",
        match config.output {
            Output::Same => "same",
            Output::Varies => "varies",
        },
    );
    out.line("raft-multiplier", &config.raft_multiplier.to_string());
    out.time("rpc-hold-timeout", config.hold);
    out.line("fsync", &render::distribution(&config.fsync));
    out.time("request-timeout", config.request_timeout);
    out.time("probe-interval", config.gossip.probe_interval);
    out.time("probe-timeout", config.gossip.probe_timeout);
    out.line("suspicion-mult", &config.gossip.suspicion_mult.to_string());
}
