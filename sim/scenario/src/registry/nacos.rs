//! `registry.nacos`: its constants, and what the real system refuses.

use schism_core::{Duration, Ratio};
use schism_models::registry::nacos::{Config, Version};

use super::{Lines, Members, ZONE, ZONES, members_key};
use crate::diagnostics::{Problem, Report};
use crate::grammar::Least::Positive;
use crate::grammar::Shape::Duration as Time;
use crate::grammar::{Key, Shape};
use crate::limits;
use crate::reader::Section;
use crate::source::At;
use crate::units;

/// The spellings of `version`.
const VERSIONS: &[&str] = &["1.4", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "3.0"];

/// The defaults are those of the real system.
pub(super) const KEYS: &[Key] = &[
    members_key("3"),
    ZONES,
    ZONE,
    Key::word("version", VERSIONS, "The release line: beats over HTTP in 1.4, connections from 2.0 on").or("\"2.5\""),
    Key::new("protect-threshold", Shape::Share, "With no greater a share of healthy instances, all are offered; at 0% that is when none are healthy")
        .or("\"0%\""),
    Key::new("empty-protection", Shape::Flag, "Whether clients ignore an empty list").or("false"),
    Key::new("metadata-events", Shape::Flag, "From 2.0 on: whether a change of an instance's metadata alone, such as its weight, is pushed to subscribers")
        .or("true"),
    Key::new("heart-beat-interval", Time(Positive), "1.4: how often an instance sends a beat").or("\"5s\""),
    Key::new("heart-beat-timeout", Time(Positive), "1.4: without a beat for longer it is unhealthy").or("\"15s\""),
    Key::new("ip-delete-timeout", Time(Positive), "1.4: without a beat for longer it is deleted").or("\"30s\""),
    Key::new("push-cache", Time(Positive), "How often a client of 1.4 polls, and how long it is pushed to after that; with async-query, a sixth of the time between polls")
        .or("\"10s\""),
    Key::new("keep-alive", Time(Positive), "From 2.0 on: after how much silence a client asks its server whether its connection is good")
        .or("\"5s\""),
    Key::new("health-timeout", Time(Positive), "From 2.0 on: how long it waits for that answer").or("\"3s\""),
    Key::new("health-retries", Shape::Count(limits::nacos::RETRIES), "From 2.0 on: how often it asks again before it connects to another server")
        .or("3"),
    Key::new("redo-delay", Time(Positive), "From 2.0 on: how often a client does again what its last connection has lost").or("\"3s\""),
    Key::new("request-timeout", Time(Positive), "How long a client waits for one answer").or("\"3s\""),
    Key::new("async-query", Shape::Flag, "From 2.0 on: whether subscribers poll as well").or("false"),
    Key::new("connection-idle", Time(Positive), "From 2.0 on: after how much silence a server asks a client whether it is still there")
        .or("\"20s\""),
    Key::new("push-delay", Time(Positive), "From 2.0 on: how long after the first change subscribers are told; 1s in 1.4").or("\"500ms\""),
    Key::new("push-retry", Time(Positive), "From 2.0 on: how long after a failed push it is tried again").or("\"1s\""),
    Key::new("push-timeout", Time(Positive), "From 2.0 on: how long a push waits to be acknowledged; 10s in 1.4").or("\"5s\""),
    Key::new("sync-delay", Time(Positive), "How long after the first change a server tells the others").or("\"1s\""),
    Key::new("sync-timeout", Time(Positive), "How long it waits for them to say that they have it").or("\"3s\""),
    Key::new("sync-retry", Time(Positive), "From 2.0 on: after how long it tells them again; 5s in 1.4").or("\"3s\""),
    Key::new("verify-interval", Time(Positive), "How often it has them verify what they hold of it").or("\"5s\""),
    Key::new("load-timeout", Time(Positive), "How long a starting server waits for all that another has").or("\"30s\""),
    Key::new("load-retry", Time(Positive), "After how long it asks again, when nobody has answered").or("\"30s\""),
    Key::new("client-expiry", Time(Positive), "From 2.0 on: how long what a server holds of another's lives after it was last verified")
        .or("\"3m\""),
    Key::new("metadata-expiry", Time(Positive), "From 2.0 on: how long the metadata of an instance outlive it").or("\"1m\""),
    Key::new("election-timeout", Time(Positive), "From 2.0 on: the election timeout of the group that keeps the metadata").or("\"5s\""),
];

/// There are no leases to end, no revisions to compact or to go back to, and no table that moves. Who leads is of the
/// metadata alone.
pub(super) const TROUBLES: &[&str] = &[
    "leader-change",
    "stale-snapshot",
    "watch-stall",
    "watch-gap",
    "empty-list",
    "partial-list",
    "ghost-entry",
    "registration-lost",
    "throttle",
];

/// `[registry.nacos]`, as written.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(super) members: Members,
    pub(super) version: Version,
    protect_threshold: Ratio,
    empty_protection: bool,
    metadata_events: bool,
    async_query: bool,
    health_retries: u32,
    times: Times,
}

/// All that is a time.
#[derive(Clone, Debug)]
struct Times {
    beat: At<Duration>,
    beat_timeout: At<Duration>,
    delete_timeout: At<Duration>,
    push_cache: At<Duration>,
    keepalive: At<Duration>,
    health_timeout: At<Duration>,
    redo: At<Duration>,
    request_timeout: At<Duration>,
    connection_idle: At<Duration>,
    push_delay: At<Duration>,
    push_retry: At<Duration>,
    push_timeout: At<Duration>,
    sync_delay: At<Duration>,
    sync_timeout: At<Duration>,
    sync_retry: At<Duration>,
    verify: At<Duration>,
    load_timeout: At<Duration>,
    load_retry: At<Duration>,
    client_expiry: At<Duration>,
    metadata_expiry: At<Duration>,
    election: At<Duration>,
}

pub(super) fn read(section: &Section<'_>) -> Spec {
    let version: At<String> = section.value("version");
    let known = Version::CATALOG.iter().find(|(name, _)| *name == version.value);
    Spec {
        members: super::members(section),
        version: known.map_or(Version::V2_5, |(_, version)| *version),
        protect_threshold: section.value("protect-threshold").value,
        empty_protection: section.value("empty-protection").value,
        metadata_events: section.value("metadata-events").value,
        async_query: section.value("async-query").value,
        health_retries: section.value("health-retries").value,
        times: Times {
            beat: section.value("heart-beat-interval"),
            beat_timeout: section.value("heart-beat-timeout"),
            delete_timeout: section.value("ip-delete-timeout"),
            push_cache: section.value("push-cache"),
            keepalive: section.value("keep-alive"),
            health_timeout: section.value("health-timeout"),
            redo: section.value("redo-delay"),
            request_timeout: section.value("request-timeout"),
            connection_idle: section.value("connection-idle"),
            push_delay: section.value("push-delay"),
            push_retry: section.value("push-retry"),
            push_timeout: section.value("push-timeout"),
            sync_delay: section.value("sync-delay"),
            sync_timeout: section.value("sync-timeout"),
            sync_retry: section.value("sync-retry"),
            verify: section.value("verify-interval"),
            load_timeout: section.value("load-timeout"),
            load_retry: section.value("load-retry"),
            client_expiry: section.value("client-expiry"),
            metadata_expiry: section.value("metadata-expiry"),
            election: section.value("election-timeout"),
        },
    }
}

pub(super) fn check(spec: &Spec, report: &Report) -> Option<Config> {
    let times = &spec.times;
    super::patience(times.request_timeout, report);
    super::patience(times.health_timeout, report);
    for at in [
        times.beat,
        times.push_cache,
        times.keepalive,
        times.redo,
        times.push_retry,
        times.sync_timeout,
        times.sync_retry,
        times.verify,
        times.load_timeout,
        times.load_retry,
    ] {
        turns(at, limits::PATIENCE, report);
    }
    turns(times.election, limits::nacos::ELECTION, report);
    beats(times, report);
    Some(Config {
        members: spec.members.count.value,
        version: spec.version,
        protect_threshold: spec.protect_threshold,
        empty_protection: spec.empty_protection,
        metadata_events: spec.metadata_events,
        beat: times.beat.value,
        beat_timeout: times.beat_timeout.value,
        delete_timeout: times.delete_timeout.value,
        push_cache: times.push_cache.value,
        connection_idle: times.connection_idle.value,
        keepalive: times.keepalive.value,
        health_timeout: times.health_timeout.value,
        health_retries: spec.health_retries,
        request_timeout: times.request_timeout.value,
        redo: times.redo.value,
        async_query: spec.async_query,
        push_delay: times.push_delay.value,
        push_retry: times.push_retry.value,
        push_timeout: times.push_timeout.value,
        sync_delay: times.sync_delay.value,
        sync_timeout: times.sync_timeout.value,
        sync_retry: times.sync_retry.value,
        verify: times.verify.value,
        load_timeout: times.load_timeout.value,
        load_retry: times.load_retry.value,
        client_expiry: times.client_expiry.value,
        metadata_expiry: times.metadata_expiry.value,
        election: times.election.value,
    })
}

/// What is done again and again takes some time each time.
fn turns(every: At<Duration>, least: Duration, report: &Report) {
    if every.value < least {
        let message = format!("nothing is done again every {}", every.value);
        report.add(Problem::error(every.place, message).help(format!("write at least \"{least}\"")));
    }
}

/// The rule of `checkInstanceIsLegal` (api/naming/utils/NamingUtils.java, 1.4.6).
fn beats(times: &Times, report: &Report) {
    for limit in [times.beat_timeout, times.delete_timeout] {
        if limit.value < times.beat.value {
            let message =
                format!("Nacos refuses a timeout of {} with a beat every {}", limit.value, times.beat.value);
            let help =
                "`heart-beat-timeout` and `ip-delete-timeout` are no shorter than `heart-beat-interval`";
            report.add(Problem::error(limit.place.max(times.beat.place), message).help(help));
        }
    }
}

pub(super) fn write(out: &mut Lines<'_>, config: &Config) {
    let version = Version::CATALOG.iter().find(|(_, version)| *version == config.version);
    out.word("version", version.expect("every version is in the catalog").0);
    out.word("protect-threshold", &units::show_ratio(config.protect_threshold));
    for (key, flag) in [
        ("empty-protection", config.empty_protection),
        ("metadata-events", config.metadata_events),
        ("async-query", config.async_query),
    ] {
        out.line(key, if flag { "true" } else { "false" });
    }
    out.line("health-retries", &config.health_retries.to_string());
    for (key, time) in [
        ("heart-beat-interval", config.beat),
        ("heart-beat-timeout", config.beat_timeout),
        ("ip-delete-timeout", config.delete_timeout),
        ("push-cache", config.push_cache),
        ("keep-alive", config.keepalive),
        ("health-timeout", config.health_timeout),
        ("redo-delay", config.redo),
        ("request-timeout", config.request_timeout),
        ("connection-idle", config.connection_idle),
        ("push-delay", config.push_delay),
        ("push-retry", config.push_retry),
        ("push-timeout", config.push_timeout),
        ("sync-delay", config.sync_delay),
        ("sync-timeout", config.sync_timeout),
        ("sync-retry", config.sync_retry),
        ("verify-interval", config.verify),
        ("load-timeout", config.load_timeout),
        ("load-retry", config.load_retry),
        ("client-expiry", config.client_expiry),
        ("metadata-expiry", config.metadata_expiry),
        ("election-timeout", config.election),
    ] {
        out.time(key, time);
    }
}
