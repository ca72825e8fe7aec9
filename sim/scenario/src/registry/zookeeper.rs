//! `registry.zookeeper`: its constants, what the real system refuses, and what it silently changes.

use schism_core::{Distribution, Duration};
use schism_models::registry::zookeeper::{Config, NodeExists, Version};

use super::{Lines, Members, ZONE, ZONES, members_key};
use crate::diagnostics::{Problem, Report};
use crate::grammar::Least::Positive;
use crate::grammar::Shape::Duration as Time;
use crate::grammar::{Key, Shape};
use crate::limits;
use crate::reader::Section;
use crate::render;
use crate::source::At;

/// The spellings of `version`.
const VERSIONS: &[&str] = &["3.8", "3.9", "3.9.3", "3.9.5", "master"];
/// The spellings of `node-exists`.
const NODE_EXISTS: &[&str] = &["replace", "keep"];

/// The defaults are those of the real system unless the text says otherwise.
pub(super) const KEYS: &[Key] = &[
    members_key("3"),
    ZONES,
    ZONE,
    Key::word("version", VERSIONS, "The release, where releases behave differently: when a client itself takes its session for expired")
        .or("\"3.9\""),
    Key::new("session-timeout", Time(Positive), "The session time-out that clients ask for, by default 10s (ours); ZooKeeper grants 2 to 20 ticks"),
    Key::new("lease-ttl", Time(Positive), "The same by the name that it has with other registries"),
    Key::new("tick", Time(Positive), "The tick of all servers, as in conf/zoo_sample.cfg; a server that is told nothing takes 3s")
        .or("\"2s\""),
    Key::new("init-limit", Shape::Count(limits::zookeeper::TICKS), "How many ticks a follower may take to connect and synchronize")
        .or("10"),
    Key::new("sync-limit", Shape::Count(limits::zookeeper::TICKS), "How many ticks a leader and a follower may hear nothing of each other")
        .or("5"),
    Key::new("fsync", Shape::Distribution, "How long one sync of the transaction log takes (ours)")
        .or("{ lognormal = { p50 = \"1ms\", p99 = \"8ms\" } }"),
    Key::new("restart", Shape::Distribution, "How long a server takes to close what it was before it looks for a leader, and a leader to load before it leads (ours, after measured failovers)")
        .or("{ lognormal = { p50 = \"60ms\", p99 = \"200ms\" } }"),
    Key::word("node-exists", NODE_EXISTS, "What an instance does about a node of its name: replace it, as Curator does, or take it for its own")
        .or("\"replace\""),
];

/// There is no history to compact: watches begin with what is.
pub(super) const TROUBLES: &[&str] = &[
    "leader-change",
    "lease-mass-expiry",
    "stale-snapshot",
    "watch-stall",
    "watch-gap",
    "empty-list",
    "partial-list",
    "ghost-entry",
    "registration-lost",
    "throttle",
    "rollback",
    "migration",
];

/// The session time-out where none is written. Ours: the real client has no default.
const SESSION_TIMEOUT: Duration = Duration::from_secs(10);

/// `[registry.zookeeper]`, as written.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(super) members: Members,
    version: Version,
    session_timeout: Option<At<Duration>>,
    lease_ttl: Option<At<Duration>>,
    tick: At<Duration>,
    init_limit: u32,
    sync_limit: u32,
    fsync: Distribution,
    restart: Distribution,
    node_exists: NodeExists,
}

pub(super) fn read(section: &Section<'_>) -> Spec {
    let version: At<String> = section.value("version");
    Spec {
        members: super::members(section),
        version: match version.value.as_str() {
            "3.8" => Version::V3_8,
            "3.9.3" => Version::V3_9_3,
            "3.9.5" => Version::V3_9_5,
            "master" => Version::Master,
            _ => Version::V3_9,
        },
        session_timeout: section.maybe("session-timeout"),
        lease_ttl: section.maybe("lease-ttl"),
        tick: section.value("tick"),
        init_limit: section.value("init-limit").value,
        sync_limit: section.value("sync-limit").value,
        fsync: section.value::<Distribution>("fsync").value,
        restart: section.value::<Distribution>("restart").value,
        node_exists: match section.value::<String>("node-exists").value.as_str() {
            "keep" => NodeExists::Keep,
            _ => NodeExists::Replace,
        },
    }
}

pub(super) fn check(spec: &Spec, report: &Report) -> Option<Config> {
    members(spec.members.count, report);
    tick(spec.tick, report);
    let config = Config {
        members: spec.members.count.value,
        version: spec.version,
        session_timeout: session_timeout(spec, report)?,
        tick: spec.tick.value,
        init_limit: spec.init_limit,
        sync_limit: spec.sync_limit,
        fsync: spec.fsync.clone(),
        restart: spec.restart.clone(),
        node_exists: spec.node_exists,
    };
    granted(spec, &config, report);
    Some(config)
}

/// ZooKeeper itself warns of an even number ("Non-optimial configuration, consider an odd number of servers.") and of two
/// ("Two server ensemble ... no failure tolerance") (server/quorum/QuorumPeerConfig.java, `checkValidity`, 3.8.0).
fn members(members: At<u32>, report: &Report) {
    let count = members.value;
    if count.is_multiple_of(2) {
        let message = format!("{count} servers can lose no more of them than {}", count - 1);
        let help = format!("an odd number is optimal: write {} or {}", count - 1, count + 1);
        report.add(Problem::warning(members.place, message).help(help));
    }
}

/// `tickTime` is a whole number of milliseconds.
fn tick(tick: At<Duration>, report: &Report) {
    let millisecond = limits::zookeeper::MILLISECOND;
    if !tick.value.as_nanos().is_multiple_of(millisecond.as_nanos()) {
        let message = format!("ZooKeeper takes whole milliseconds, not {}", tick.value);
        report.add(Problem::error(tick.place, message).help("write it in \"ms\", without a fraction"));
    }
    let [least, most] = [limits::zookeeper::SHORTEST_TICK, limits::zookeeper::LONGEST_TICK];
    if tick.value < least || tick.value > most {
        let message = format!("a tick of {} is not between {least} and {most}", tick.value);
        report.add(Problem::error(tick.place, message).help("the sample configuration has \"2s\""));
    }
}

/// The one that is asked for, by either name.
fn session_timeout(spec: &Spec, report: &Report) -> Option<Duration> {
    let names = [("session-timeout", spec.session_timeout), ("lease-ttl", spec.lease_ttl)];
    super::by_either(names, report)?;
    Some(spec.session_timeout())
}

impl Spec {
    /// The session time-out that is asked for, as far as that is written.
    pub(super) fn session_timeout(&self) -> Duration {
        let by_default = SESSION_TIMEOUT.max(self.tick.value * 2).min(self.tick.value * 20);
        self.session_timeout.or(self.lease_ttl).map_or(by_default, |asked| asked.value)
    }
}

/// What the server makes of it without a word (server/ZooKeeperServer.java, `processConnectRequest`, 3.8.0).
fn granted(spec: &Spec, config: &Config, report: &Report) {
    let granted = config.negotiated(config.session_timeout);
    if let Some(asked) = spec.session_timeout.or(spec.lease_ttl)
        && granted != asked.value
    {
        let message = format!("ZooKeeper grants a session of {granted} where {} is asked for", asked.value);
        let help = format!("it grants 2 to 20 ticks of {}: write \"{granted}\"", config.tick);
        report.add(Problem::warning(asked.place, message).help(help));
    }
}

pub(super) fn write(out: &mut Lines<'_>, config: &Config) {
    let version = match config.version {
        Version::V3_8 => "3.8",
        Version::V3_9 => "3.9",
        Version::V3_9_3 => "3.9.3",
        Version::V3_9_5 => "3.9.5",
        Version::Master => "master",
    };
    let node_exists = match config.node_exists {
        NodeExists::Replace => "replace",
        NodeExists::Keep => "keep",
    };
    out.word("version", version);
    out.time("session-timeout", config.session_timeout);
    out.time("tick", config.tick);
    out.line("init-limit", &config.init_limit.to_string());
    out.line("sync-limit", &config.sync_limit.to_string());
    out.line("fsync", &render::distribution(&config.fsync));
    out.line("restart", &render::distribution(&config.restart));
    out.word("node-exists", node_exists);
}
