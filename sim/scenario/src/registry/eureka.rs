//! `registry.eureka`: its constants, and what the real system makes of them.

use schism_core::{Duration, Ratio};
use schism_models::registry::eureka::cache::ReadOnly;
use schism_models::registry::eureka::{Config, Registration, Start, Version};

use super::{Lines, Members, ZONE, ZONES, members_key};
use crate::diagnostics::{Problem, Report};
use crate::grammar::Key;
use crate::grammar::Least::Positive;
use crate::grammar::Shape::{Count, Duration as Time, DurationOr, Flag, Share};
use crate::limits;
use crate::reader::Section;
use crate::source::At;
use crate::units;

/// The spellings of `version`.
const VERSIONS: &[&str] = &["1.9", "1.10", "2.0"];

/// The defaults are those of Netflix's server and client.
pub(super) const KEYS: &[Key] = &[
    members_key("3"),
    ZONES,
    ZONE,
    Key::word("version", VERSIONS, "The release line, where lines behave differently").or("\"1.10\""),
    Key::new("cold-start", Flag, "Whether everything starts in the same instant with an empty registry (ours); else it has been running")
        .or("false"),
    Key::new("self-preservation", Flag, "Whether a server that hears too few renewals stops to evict").or("true"),
    Key::new("renewal-percent-threshold", Share, "Which share of the renewals must come, and of the registry is kept by an eviction")
        .or("\"85%\""),
    Key::new("renewal-threshold-update-interval", Time(Positive), "How often the instances that should be renewing are counted anew")
        .or("\"15m\""),
    Key::new("expected-client-renewal-interval", Time(Positive), "How often a server expects an instance to renew").or("\"30s\""),
    Key::new("default-open-for-traffic-count", Count(limits::eureka::INSTANCES), "With how many instances a server opens that has copied none; Spring Cloud's with 1")
        .or("0"),
    Key::new("lease-ttl", Time(Positive), "What a lease is granted for; a renewal adds it twice. Also written `lease-duration`"),
    Key::new("lease-duration", Time(Positive), "The same as `lease-ttl`; by default 90s"),
    Key::new("lease-renewal-interval", Time(Positive), "How often an instance renews its lease").or("\"30s\""),
    Key::new("eviction-interval-timer", Time(Positive), "How often expired leases are evicted").or("\"1m\""),
    Key::new("use-read-only-response-cache", Flag, "Whether clients are told a copy that is made now and then").or("true"),
    Key::new("response-cache-update-interval", Time(Positive), "How often that copy is made, on whole multiples of the wall clock")
        .or("\"30s\""),
    Key::new("response-cache-auto-expiration", Time(Positive), "How long what was made for clients is good if nothing changes").or("\"3m\""),
    Key::new("disable-delta", Flag, "Whether clients always fetch the whole instead of what has changed").or("false"),
    Key::new("retention-time-in-delta-queue", Time(Positive), "How long a change is told as such").or("\"3m\""),
    Key::new("delta-retention-timer-interval", Time(Positive), "How often older changes are swept out").or("\"30s\""),
    Key::new("number-registry-sync-retries", Count(limits::eureka::RETRIES), "How often a server that starts tries to copy the registry")
        .or("5"),
    Key::new("registry-sync-retry-wait", Time(Positive), "How long it waits between two tries").or("\"30s\""),
    Key::new("wait-time-when-sync-empty", DurationOr("none"), "How long a server that has copied nobody tells clients nothing").or("\"5m\""),
    Key::new("peer-node-connect-timeout", Time(Positive), "How long a server waits for a connection to a peer").or("\"1s\""),
    Key::new("peer-node-read-timeout", Time(Positive), "How long it waits for a peer's answer").or("\"5s\""),
    Key::new("max-time-for-replication", Time(Positive), "How long a cancellation is worth telling a peer").or("\"30s\""),
    Key::new("registry-fetch-interval", Time(Positive), "How often a client fetches what has changed").or("\"30s\""),
    Key::new("instance-info-replication-interval", Time(Positive), "How often an instance looks whether it has anything new to say")
        .or("\"30s\""),
    Key::new("initial-instance-info-replication", Time(Positive), "When it first does, if it does not register on its change of status")
        .or("\"40s\""),
    Key::new("on-demand-update-status-change", Flag, "Whether an instance registers as soon as it is up").or("true"),
    Key::new("healthcheck", Flag, "Whether an instance tells of what its health check finds").or("false"),
    Key::new("eureka-server-connect-timeout", Time(Positive), "How long clients and instances wait for a connection").or("\"5s\""),
    Key::new("eureka-server-read-timeout", Time(Positive), "How long they wait for an answer").or("\"8s\""),
    Key::new("exponential-back-off-bound", Count(limits::eureka::BACK_OFF), "By how many times the interval of a task may grow that takes too long")
        .or("10"),
    Key::new("session-reconnect-interval", Time(Positive), "How long clients and instances keep to one server, give or take half of it")
        .or("\"20m\""),
    Key::new("list-refresh", DurationOr("none"), "How often Ribbon copies the client's list; `none` without Ribbon").or("\"30s\""),
];

/// Nobody leads, nothing is compacted, there are no backups, and no table moves. There are no watches either: what
/// stalls is the copy that clients are told, and what has gaps is the queue of recent changes.
pub(super) const TROUBLES: &[&str] = &[
    "lease-mass-expiry",
    "stale-snapshot",
    "watch-stall",
    "watch-gap",
    "empty-list",
    "partial-list",
    "ghost-entry",
    "registration-lost",
    "throttle",
];

/// What a lease is granted for: 90 s (LeaseInfo.java, 1.10, `DEFAULT_LEASE_DURATION`).
const LEASE: Duration = Duration::from_secs(90);

/// `[registry.eureka]`, as written.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(super) members: Members,
    version: Version,
    cold_start: bool,
    self_preservation: bool,
    renewal_percent_threshold: Ratio,
    renewal_threshold_update_interval: At<Duration>,
    expected_client_renewal_interval: At<Duration>,
    default_open_for_traffic_count: u32,
    lease_ttl: Option<At<Duration>>,
    lease_duration: Option<At<Duration>>,
    renewal_interval: At<Duration>,
    eviction_interval: At<Duration>,
    read_only: bool,
    response_cache_update_interval: At<Duration>,
    response_cache_auto_expiration: Duration,
    disable_delta: bool,
    delta_retention: Duration,
    delta_sweep_interval: At<Duration>,
    registry_sync_retries: u32,
    registry_sync_retry_wait: At<Duration>,
    wait_time_when_sync_empty: Option<Duration>,
    peer_connect_timeout: At<Duration>,
    peer_read_timeout: At<Duration>,
    max_time_for_replication: Duration,
    fetch_interval: At<Duration>,
    instance_info_replication_interval: At<Duration>,
    initial_instance_info_replication: Duration,
    on_demand: bool,
    healthcheck: bool,
    connect_timeout: At<Duration>,
    read_timeout: At<Duration>,
    back_off_bound: u32,
    session_reconnect_interval: At<Duration>,
    list_refresh: At<Option<Duration>>,
}

pub(super) fn read(section: &Section<'_>) -> Spec {
    let version: At<String> = section.value("version");
    Spec {
        members: super::members(section),
        version: match version.value.as_str() {
            "1.9" => Version::V1_9,
            "1.10" => Version::V1_10,
            _ => Version::V2_0,
        },
        cold_start: section.value("cold-start").value,
        self_preservation: section.value("self-preservation").value,
        renewal_percent_threshold: section.value("renewal-percent-threshold").value,
        renewal_threshold_update_interval: section.value("renewal-threshold-update-interval"),
        expected_client_renewal_interval: section.value("expected-client-renewal-interval"),
        default_open_for_traffic_count: section.value("default-open-for-traffic-count").value,
        lease_ttl: section.maybe("lease-ttl"),
        lease_duration: section.maybe("lease-duration"),
        renewal_interval: section.value("lease-renewal-interval"),
        eviction_interval: section.value("eviction-interval-timer"),
        read_only: section.value("use-read-only-response-cache").value,
        response_cache_update_interval: section.value("response-cache-update-interval"),
        response_cache_auto_expiration: section.value("response-cache-auto-expiration").value,
        disable_delta: section.value("disable-delta").value,
        delta_retention: section.value("retention-time-in-delta-queue").value,
        delta_sweep_interval: section.value("delta-retention-timer-interval"),
        registry_sync_retries: section.value("number-registry-sync-retries").value,
        registry_sync_retry_wait: section.value("registry-sync-retry-wait"),
        wait_time_when_sync_empty: section.value("wait-time-when-sync-empty").value,
        peer_connect_timeout: section.value("peer-node-connect-timeout"),
        peer_read_timeout: section.value("peer-node-read-timeout"),
        max_time_for_replication: section.value("max-time-for-replication").value,
        fetch_interval: section.value("registry-fetch-interval"),
        instance_info_replication_interval: section.value("instance-info-replication-interval"),
        initial_instance_info_replication: section.value("initial-instance-info-replication").value,
        on_demand: section.value("on-demand-update-status-change").value,
        healthcheck: section.value("healthcheck").value,
        connect_timeout: section.value("eureka-server-connect-timeout"),
        read_timeout: section.value("eureka-server-read-timeout"),
        back_off_bound: section.value("exponential-back-off-bound").value,
        session_reconnect_interval: section.value("session-reconnect-interval"),
        list_refresh: section.value("list-refresh"),
    }
}

pub(super) fn check(spec: &Spec, report: &Report) -> Option<Config> {
    for timeout in
        [spec.peer_connect_timeout, spec.peer_read_timeout, spec.connect_timeout, spec.read_timeout]
    {
        super::patience(timeout, report);
    }
    intervals(spec, report);
    renewals(spec, report);
    Some(Config {
        members: spec.members.count.value,
        version: spec.version,
        start: if spec.cold_start { Start::Cold } else { Start::Running },
        self_preservation: spec.self_preservation,
        renewal_percent_threshold: spec.renewal_percent_threshold,
        renewal_threshold_update_interval: spec.renewal_threshold_update_interval.value,
        expected_client_renewal_interval: spec.expected_client_renewal_interval.value,
        default_open_for_traffic_count: spec.default_open_for_traffic_count,
        eviction_interval: spec.eviction_interval.value,
        response_cache_update_interval: spec.response_cache_update_interval.value,
        response_cache_auto_expiration: spec.response_cache_auto_expiration,
        read_only_response_cache: if spec.read_only { ReadOnly::Used } else { ReadOnly::Bypassed },
        delta_retention: spec.delta_retention,
        delta_sweep_interval: spec.delta_sweep_interval.value,
        registry_sync_retries: spec.registry_sync_retries,
        registry_sync_retry_wait: spec.registry_sync_retry_wait.value,
        wait_time_when_sync_empty: spec.wait_time_when_sync_empty.unwrap_or(Duration::ZERO),
        peer_connect_timeout: spec.peer_connect_timeout.value,
        peer_read_timeout: spec.peer_read_timeout.value,
        max_time_for_replication: spec.max_time_for_replication,
        lease_duration: lease(spec, report),
        renewal_interval: spec.renewal_interval.value,
        instance_info_replication_interval: spec.instance_info_replication_interval.value,
        initial_instance_info_replication: spec.initial_instance_info_replication,
        registration: if spec.on_demand { Registration::OnStatusChange } else { Registration::Lazy },
        healthcheck: spec.healthcheck,
        fetch_interval: spec.fetch_interval.value,
        delta: !spec.disable_delta,
        connect_timeout: spec.connect_timeout.value,
        read_timeout: spec.read_timeout.value,
        back_off_bound: spec.back_off_bound,
        session_reconnect_interval: spec.session_reconnect_interval.value,
        list_refresh: spec.list_refresh.value,
    })
}

/// What is done again and again takes its time, or the run never comes forward.
fn intervals(spec: &Spec, report: &Report) {
    let intervals = [
        spec.renewal_threshold_update_interval,
        spec.renewal_interval,
        spec.eviction_interval,
        spec.response_cache_update_interval,
        spec.delta_sweep_interval,
        spec.registry_sync_retry_wait,
        spec.fetch_interval,
        spec.instance_info_replication_interval,
        spec.session_reconnect_interval,
    ];
    let refresh = spec.list_refresh.value.map(|value| At { value, place: spec.list_refresh.place });
    for interval in intervals.into_iter().chain(refresh) {
        if interval.value < limits::eureka::INTERVAL {
            let message = format!("nothing of Eureka's is done every {}", interval.value);
            let least = format!("write at least \"{}\"", limits::eureka::INTERVAL);
            report.add(Problem::error(interval.place, message).help(least));
        }
    }
}

/// Instances that renew more seldom than the server expects keep it in self-preservation for ever; more often, and it
/// hardly ever begins (spring-cloud-netflix#373).
fn renewals(spec: &Spec, report: &Report) {
    let (renewed, expected) = (spec.renewal_interval, spec.expected_client_renewal_interval);
    if renewed.value != expected.value && spec.self_preservation {
        let message = format!(
            "instances renew every {}, and the servers expect them to every {}: the threshold of self-preservation is wrong",
            renewed.value, expected.value
        );
        let help = "write expected-client-renewal-interval and lease-renewal-interval alike";
        report.add(Problem::warning(renewed.place.max(expected.place), message).help(help));
    }
}

/// What a lease is granted for, under either of its names.
fn lease(spec: &Spec, report: &Report) -> Duration {
    let names = [("lease-duration", spec.lease_duration), ("lease-ttl", spec.lease_ttl)];
    let asked = super::by_either(names, report).flatten();
    if let Some(asked) = asked
        && asked.value < spec.renewal_interval.value
    {
        let message = format!(
            "an instance that renews every {} has lost a lease of {} before it first renews it",
            spec.renewal_interval.value, asked.value
        );
        report.add(Problem::warning(asked.place, message).help("write a longer lease, or renew more often"));
    }
    asked.map_or(LEASE, |asked| asked.value)
}

pub(super) fn write(out: &mut Lines<'_>, config: &Config) {
    let version = match config.version {
        Version::V1_9 => "1.9",
        Version::V1_10 => "1.10",
        Version::V2_0 => "2.0",
    };
    out.word("version", version);
    out.flag("cold-start", config.start == Start::Cold);
    out.flag("self-preservation", config.self_preservation);
    out.line("renewal-percent-threshold", &render_share(config.renewal_percent_threshold));
    out.time("renewal-threshold-update-interval", config.renewal_threshold_update_interval);
    out.time("expected-client-renewal-interval", config.expected_client_renewal_interval);
    out.line("default-open-for-traffic-count", &config.default_open_for_traffic_count.to_string());
    out.time("lease-ttl", config.lease_duration);
    out.time("lease-renewal-interval", config.renewal_interval);
    out.time("eviction-interval-timer", config.eviction_interval);
    out.flag("use-read-only-response-cache", config.read_only_response_cache == ReadOnly::Used);
    out.time("response-cache-update-interval", config.response_cache_update_interval);
    out.time("response-cache-auto-expiration", config.response_cache_auto_expiration);
    out.flag("disable-delta", !config.delta);
    out.time("retention-time-in-delta-queue", config.delta_retention);
    out.time("delta-retention-timer-interval", config.delta_sweep_interval);
    out.line("number-registry-sync-retries", &config.registry_sync_retries.to_string());
    out.time("registry-sync-retry-wait", config.registry_sync_retry_wait);
    let wait = Some(config.wait_time_when_sync_empty).filter(|&wait| wait > Duration::ZERO);
    out.time_or_none("wait-time-when-sync-empty", wait);
    out.time("peer-node-connect-timeout", config.peer_connect_timeout);
    out.time("peer-node-read-timeout", config.peer_read_timeout);
    out.time("max-time-for-replication", config.max_time_for_replication);
    out.time("registry-fetch-interval", config.fetch_interval);
    out.time("instance-info-replication-interval", config.instance_info_replication_interval);
    out.time("initial-instance-info-replication", config.initial_instance_info_replication);
    out.flag("on-demand-update-status-change", config.registration == Registration::OnStatusChange);
    out.flag("healthcheck", config.healthcheck);
    out.time("eureka-server-connect-timeout", config.connect_timeout);
    out.time("eureka-server-read-timeout", config.read_timeout);
    out.line("exponential-back-off-bound", &config.back_off_bound.to_string());
    out.time("session-reconnect-interval", config.session_reconnect_interval);
    out.time_or_none("list-refresh", config.list_refresh);
}

fn render_share(share: Ratio) -> String {
    crate::render::text(&units::show_ratio(share))
}
