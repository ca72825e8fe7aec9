//! `registry.etcd`: its constants, what the real system refuses, and what it silently changes.

use std::ops::RangeInclusive;

use schism_core::{Distribution, Duration};
use schism_models::registry::etcd::{Checkpoints, Config, Keepalive, LeaseClock, Line, Version, WatchLeader};

use super::{Lines, Members, ZONE, ZONES, members_key};
use crate::diagnostics::{Problem, Report, shorten};
use crate::grammar::Least::Positive;
use crate::grammar::Shape::Duration as Time;
use crate::grammar::{Key, Shape};
use crate::limits;
use crate::reader::Section;
use crate::render;
use crate::source::At;

/// The lines, each with the patches of which the behaviour is known: those of its changelog (CHANGELOG-3.4.md and its
/// like), of 3.4 only from that on that keeps early reads (v3.4.20).
const LINES: &[(&str, Line, RangeInclusive<u8>)] =
    &[("3.4", Line::V3_4, 20..=41), ("3.5", Line::V3_5, 0..=27), ("3.6", Line::V3_6, 0..=14)];
/// The spellings of `lease-clock`.
const LEASE_CLOCKS: &[&str] = &["monotonic", "wall"];

/// The defaults are those of the real system unless the text says otherwise.
pub(super) const KEYS: &[Key] = &[
    members_key("3"),
    ZONES,
    ZONE,
    Key::new("version", Shape::Text, "The release, where they behave differently: `3.4`, `3.5` or `3.6` for the latest of a line, or a patch such as `3.5.12`").or("\"3.6\""),
    Key::new("lease-ttl", Time(Positive), "The time to live that instances ask for (ours); etcd grants whole seconds, and at least 1.5 election timeouts")
        .or("\"10s\""),
    Key::new("heartbeat-interval", Time(Positive), "One Raft tick and one heartbeat").or("\"100ms\""),
    Key::new("election-timeout", Time(Positive), "The election timeout: at least 5 heartbeats, at most 50s").or("\"1s\""),
    Key::new("fsync", Shape::Distribution, "How long one sync of the write-ahead log takes (ours, after etcd's hardware guide: p99 under 10ms)")
        .or("{ lognormal = { p50 = \"1ms\", p99 = \"8ms\" } }"),
    Key::new("request-timeout", Time(Positive), "How long a registry client waits for one answer before it turns to another member")
        .or("\"5s\""),
    Key::new("keepalive-time", Shape::DurationOr("none"), "After how much silence a registry client pings its member; grpc-go waits no less than 10s")
        .or("\"none\""),
    Key::new("keepalive-timeout", Time(Positive), "How long it waits for the answer before it turns to another member")
        .or("\"20s\""),
    Key::word("lease-clock", LEASE_CLOCKS, "By which clock of the leader's leases end; `wall` is that of a registry that stores the time of expiry")
        .or("\"monotonic\""),
    Key::new("lease-checkpoint", Shape::Flag, "Whether the leader writes down every 5min how much is left of leases that last longer (a feature gate of etcd's)").or("false"),
    Key::new("require-leader", Shape::Flag, "Whether clients ask members to end their watches when there is no leader (clientv3's `WithRequireLeader`)").or("false"),
];

/// Every fault of the vocabulary was made for it.
pub(super) const TROUBLES: &[&str] = &[
    "leader-change",
    "lease-mass-expiry",
    "stale-snapshot",
    "watch-stall",
    "watch-gap",
    "compaction",
    "empty-list",
    "partial-list",
    "ghost-entry",
    "registration-lost",
    "throttle",
    "rollback",
    "migration",
];

/// `[registry.etcd]`, as written.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(super) members: Members,
    version: At<String>,
    lease_ttl: At<Duration>,
    heartbeat: At<Duration>,
    election: At<Duration>,
    fsync: Distribution,
    request_timeout: At<Duration>,
    keepalive_time: At<Option<Duration>>,
    keepalive_timeout: Duration,
    pub(crate) lease_clock: LeaseClock,
    checkpoints: Checkpoints,
    watch_leader: WatchLeader,
}

pub(super) fn read(section: &Section<'_>) -> Spec {
    Spec {
        members: super::members(section),
        version: section.value("version"),
        lease_ttl: section.value("lease-ttl"),
        heartbeat: section.value("heartbeat-interval"),
        election: section.value("election-timeout"),
        fsync: section.value::<Distribution>("fsync").value,
        request_timeout: section.value("request-timeout"),
        keepalive_time: section.value("keepalive-time"),
        keepalive_timeout: section.value("keepalive-timeout").value,
        lease_clock: match section.value::<String>("lease-clock").value.as_str() {
            "wall" => LeaseClock::Wall,
            _ => LeaseClock::Monotonic,
        },
        checkpoints: if section.value("lease-checkpoint").value { Checkpoints::On } else { Checkpoints::Off },
        watch_leader: if section.value("require-leader").value {
            WatchLeader::Required
        } else {
            WatchLeader::Any
        },
    }
}

pub(super) fn check(spec: &Spec, report: &Report) -> Option<Config> {
    members(spec.members.count, report);
    intervals(spec, report);
    super::patience(spec.request_timeout, report);
    Some(Config {
        members: spec.members.count.value,
        version: version(&spec.version, report)?,
        lease_ttl: lease(spec, report),
        heartbeat: spec.heartbeat.value,
        election: spec.election.value,
        fsync: spec.fsync.clone(),
        request_timeout: spec.request_timeout.value,
        lease_clock: spec.lease_clock,
        checkpoints: spec.checkpoints,
        watch_leader: spec.watch_leader,
        keepalive: keepalive(spec, report),
    })
}

fn version(written: &At<String>, report: &Report) -> Option<Version> {
    let of = |(name, line, patches): &(&str, Line, RangeInclusive<u8>)| {
        let rest = written.value.strip_prefix(name)?;
        if rest.is_empty() {
            return Some(Version { line: *line, patch: None });
        }
        let digits = rest.strip_prefix('.')?;
        let patch = digits.parse().ok().filter(|patch: &u8| patch.to_string() == digits)?;
        patches.contains(&patch).then_some(Version { line: *line, patch: Some(patch) })
    };
    let found = LINES.iter().find_map(of);
    if found.is_none() {
        let message = format!("no etcd `{}` is known", shorten(&written.value));
        let known = LINES.iter().map(|(name, _, patches)| {
            format!("{name} ({name}.{} to {name}.{})", patches.start(), patches.end())
        });
        let known: Vec<String> = known.collect();
        report.add(Problem::error(written.place, message).help(format!("there are: {}", known.join(", "))));
    }
    found
}

fn members(members: At<u32>, report: &Report) {
    if u64::from(members.value) > limits::MEMBERS_ADVISED {
        let message = format!(
            "etcd advises at most {} members, and here are {}",
            limits::MEMBERS_ADVISED,
            members.value
        );
        report
            .add(Problem::warning(members.place, message).help("more members make writes slower, not safer"));
    }
}

/// grpc-go raises a shorter time to its least (dialoptions.go, `WithKeepaliveParams`), and so do we.
fn keepalive(spec: &Spec, report: &Report) -> Option<Keepalive> {
    let asked = spec.keepalive_time.value?;
    let time = asked.max(limits::etcd::KEEPALIVE);
    if time != asked {
        let message = format!("grpc-go pings no more often than every {time}: {asked} becomes {time}");
        let problem = Problem::warning(spec.keepalive_time.place, message);
        report.add(problem.help(format!("write \"{time}\"")));
    }
    Some(Keepalive { time, timeout: spec.keepalive_timeout })
}

/// The rules of etcd's `Config.Validate` (server/embed/config.go, v3.6).
fn intervals(spec: &Spec, report: &Report) {
    let (heartbeat, election) = (spec.heartbeat, spec.election);
    for at in [heartbeat, election] {
        if at.value.as_nanos() % limits::etcd::MILLISECOND.as_nanos() != 0 {
            let message = format!("etcd takes whole milliseconds, not {}", at.value);
            report.add(Problem::error(at.place, message).help("write it in \"ms\", without a fraction"));
        }
    }
    let least = heartbeat.value * limits::etcd::HEARTBEATS;
    if election.value < least {
        let message = format!(
            "etcd refuses an election timeout of {} with a heartbeat of {}",
            election.value, heartbeat.value
        );
        report.add(Problem::error(election.place.max(heartbeat.place), message).help(format!(
            "the election timeout is at least {} heartbeats: write election-timeout = \"{least}\"",
            limits::etcd::HEARTBEATS
        )));
    }
    if election.value > limits::etcd::ELECTION {
        let message = format!("etcd refuses an election timeout of {}", election.value);
        report.add(
            Problem::error(election.place, message)
                .help(format!("write at most \"{}\"", limits::etcd::ELECTION)),
        );
    }
}

/// The time to live in whole seconds, as etcd's interface takes it.
fn lease(spec: &Spec, report: &Report) -> Duration {
    let second = Duration::from_secs(1);
    let asked = whole_seconds(spec.lease_ttl.value);
    // `minLeaseTTL` is (3 * election ticks) / 2 heartbeats, rounded up to seconds (server/etcdserver/server.go, v3.6).
    let ticks = spec.election.value.as_nanos() / spec.heartbeat.value.as_nanos();
    let least = whole_seconds(spec.heartbeat.value * (3 * ticks / 2)).max(second);
    if asked < least {
        let message = format!("etcd grants {least} where {} is asked for", spec.lease_ttl.value);
        let help = "it grants at least 1.5 election timeouts, in whole seconds";
        report.add(Problem::warning(spec.lease_ttl.place, message).help(help));
    } else if asked != spec.lease_ttl.value {
        let message = format!("etcd leases last whole seconds: {} becomes {asked}", spec.lease_ttl.value);
        report.add(Problem::warning(spec.lease_ttl.place, message).help(format!("write \"{asked}\"")));
    }
    asked
}

fn whole_seconds(of: Duration) -> Duration {
    Duration::from_secs(of.as_nanos().div_ceil(1_000_000_000))
}

pub(super) fn write(out: &mut Lines<'_>, config: &Config) {
    let line = LINES.iter().find(|known| known.1 == config.version.line).expect("every line is known").0;
    let patch = config.version.patch.map_or_else(String::new, |patch| format!(".{patch}"));
    out.word("version", &format!("{line}{patch}"));
    out.time("lease-ttl", config.lease_ttl);
    out.time("heartbeat-interval", config.heartbeat);
    out.time("election-timeout", config.election);
    out.line("fsync", &render::distribution(&config.fsync));
    out.time("request-timeout", config.request_timeout);
    out.line(
        "keepalive-time",
        &config.keepalive.map_or_else(|| render::text("none"), |alive| render::time(alive.time)),
    );
    if let Some(keepalive) = config.keepalive {
        out.time("keepalive-timeout", keepalive.timeout);
    }
    let lease_clock = match config.lease_clock {
        LeaseClock::Monotonic => "monotonic",
        LeaseClock::Wall => "wall",
    };
    out.word("lease-clock", lease_clock);
    out.flag("lease-checkpoint", config.checkpoints == Checkpoints::On);
    out.flag("require-leader", config.watch_leader == WatchLeader::Required);
}
