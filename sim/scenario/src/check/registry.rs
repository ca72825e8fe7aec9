//! The registry's constants: what the real system refuses, and what it silently changes.

use schism_core::Duration;
use schism_models::registry;
use schism_models::registry::etcd::Keepalive;

use crate::diagnostics::{Problem, Report};
use crate::limits;
use crate::source::At;
use crate::spec::{EtcdSpec, RegistrySpec};

pub(super) fn check(spec: &At<RegistrySpec>, report: &Report) -> Option<registry::Config> {
    match &spec.value {
        RegistrySpec::Static => Some(registry::Config::Static),
        RegistrySpec::Etcd(etcd) => self::etcd(etcd, report).map(registry::Config::Etcd),
    }
}

fn etcd(spec: &EtcdSpec, report: &Report) -> Option<registry::etcd::Config> {
    members(spec.members, report);
    intervals(spec, report);
    patience(spec.request_timeout, report);
    Some(registry::etcd::Config {
        members: spec.members.value,
        version: spec.version,
        lease_ttl: lease(spec, report),
        heartbeat: spec.heartbeat.value,
        election: spec.election.value,
        fsync: spec.fsync.clone(),
        request_timeout: spec.request_timeout.value,
        lease_clock: spec.lease_clock,
        keepalive: keepalive(spec, report),
    })
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
fn keepalive(spec: &EtcdSpec, report: &Report) -> Option<Keepalive> {
    let asked = spec.keepalive_time.value?;
    let time = asked.max(limits::etcd::KEEPALIVE);
    if time != asked {
        let message = format!("grpc-go pings no more often than every {time}: {asked} becomes {time}");
        let problem = Problem::warning(spec.keepalive_time.place, message);
        report.add(problem.help(format!("write \"{time}\"")));
    }
    Some(Keepalive { time, timeout: spec.keepalive_timeout })
}

/// A client that does not wait for a round trip asks again and again.
fn patience(timeout: At<Duration>, report: &Report) {
    if timeout.value < limits::PATIENCE {
        let message = format!("nobody can answer within {}", timeout.value);
        report.add(
            Problem::error(timeout.place, message).help(format!("write at least \"{}\"", limits::PATIENCE)),
        );
    }
}

/// The rules of etcd's `Config.Validate` (server/embed/config.go, v3.6).
fn intervals(spec: &EtcdSpec, report: &Report) {
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
fn lease(spec: &EtcdSpec, report: &Report) -> Duration {
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
