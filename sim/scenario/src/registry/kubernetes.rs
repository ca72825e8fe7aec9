//! `registry.kubernetes`: its constants, and what the real API refuses.

use schism_core::{Distribution, Duration};
use schism_models::node::ProbePath;
use schism_models::registry::kubernetes::probe::{self, Kind};
use schism_models::registry::kubernetes::{Config, Proxy, Version};

use super::{Lines, Members, ZONE, ZONES, members_key};
use crate::diagnostics::{Problem, Report};
use crate::grammar::Least::{Positive, Zero};
use crate::grammar::Shape::Duration as Time;
use crate::grammar::{Argument, Choice, Key, Shape};
use crate::limits;
use crate::reader::{Chosen, Section};
use crate::render;
use crate::source::At;

/// The spellings of `version`.
const VERSIONS: &[&str] = &["1.28", "1.29", "1.30", "1.31", "1.32", "1.33", "1.34"];
/// The spellings of `probe-path`.
const PATHS: &[&str] = &["apart", "queue"];

/// The defaults are those of the real system unless the text says otherwise.
pub(super) const KEYS: &[Key] = &[
    members_key("3"),
    ZONES,
    ZONE,
    Key::word("version", VERSIONS, "The release").or("\"1.34\""),
    Key::new("node-grace", Time(Positive), "How long a node may be silent before it is lost; by default that of the version: 40s, and 50s since 1.32"),
    Key::new("eviction", Time(Positive), "After how long the pods of a lost node are deleted").or("\"300s\""),
    Key::new("readiness", Shape::Choice(&READINESS), "What says whether a container takes requests").or("\"http\""),
    Key::new("liveness", Shape::Choice(&LIVENESS), "What says whether a container must be started anew").or("\"none\""),
    Key::word("probe-path", PATHS, "Whether probes are answered by themselves, or wait for their turn like requests (ours)")
        .or("\"apart\""),
    Key::new("kube-proxy", Shape::Flag, "Whether clients go by what their node's kube-proxy has programmed; otherwise they watch slices themselves")
        .or("true"),
    Key::new("min-sync-period", Time(Zero), "kube-proxy programs no more often than this").or("\"1s\""),
    Key::new("sync-duration", Shape::Distribution, "How long kube-proxy takes to program (ours; seconds where there are thousands of services)")
        .or("\"30ms\""),
    Key::new("fsync", Shape::Distribution, "How long one sync of etcd's log takes (ours, after etcd's hardware guide: p99 under 10ms)")
        .or("{ lognormal = { p50 = \"1ms\", p99 = \"8ms\" } }"),
];

/// `readiness`.
const READINESS: Choice = Choice {
    what: "readiness probe",
    names: || probes("ready"),
    argument: options,
    later: &["none", "http"],
};
/// `liveness`.
const LIVENESS: Choice =
    Choice { what: "liveness probe", names: || probes("alive"), argument: options, later: &["none", "http"] };

fn probes(what: &'static str) -> Vec<(&'static str, &'static str)> {
    let none = match what {
        "ready" => "no probe: a container is ready as soon as it runs",
        _ => "no probe: only a container that ends is started anew",
    };
    vec![("none", none), ("http", "the kubelet asks, and counts what it is told")]
}

fn options(name: &str) -> Argument {
    Argument::Options(if name == "http" { PROBE } else { &[] })
}

/// `readiness.http` and `liveness.http`: the fields of a probe.
const PROBE: &[Key] = &[
    Key::new("initial-delay", Time(Zero), "How long a container runs before it is probed").or("\"0s\""),
    Key::new("period", Time(Positive), "How often it is probed").or("\"10s\""),
    Key::new("timeout", Time(Positive), "How long an answer may take").or("\"1s\""),
    Key::new(
        "success-threshold",
        Shape::Count(limits::THRESHOLD),
        "How many successes in a row are believed",
    )
    .or("1"),
    Key::new("failure-threshold", Shape::Count(limits::THRESHOLD), "How many failures in a row are believed")
        .or("3"),
];

/// Those that have a counterpart: a controller manager that ends, a watch cache that is wrong, priority and fairness, and
/// slices that are stuck.
pub(super) const TROUBLES: &[&str] = &[
    "leader-change",
    "stale-snapshot",
    "watch-stall",
    "watch-gap",
    "compaction",
    "empty-list",
    "ghost-entry",
    "throttle",
];

/// `[registry.kubernetes]`, as written.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(super) members: Members,
    version: Version,
    node_grace: Option<At<Duration>>,
    eviction: Duration,
    readiness: Option<Probe>,
    liveness: Option<Probe>,
    probe_path: ProbePath,
    kube_proxy: Option<Proxy>,
    fsync: Distribution,
}

/// A probe, as written.
#[derive(Clone, Copy, Debug)]
struct Probe {
    initial_delay: At<Duration>,
    period: At<Duration>,
    timeout: At<Duration>,
    success: At<u32>,
    failure: At<u32>,
}

pub(super) fn read(section: &Section<'_>) -> Spec {
    let version: At<String> = section.value("version");
    let place = VERSIONS.iter().position(|&known| known == version.value).unwrap_or(VERSIONS.len() - 1);
    let proxy = Proxy {
        min_sync: section.value("min-sync-period").value,
        takes: section.value::<Distribution>("sync-duration").value,
    };
    Spec {
        members: super::members(section),
        version: Version { minor: Version::FIRST + place as u8 },
        node_grace: section.maybe("node-grace"),
        eviction: section.value("eviction").value,
        readiness: probe(section, "readiness"),
        liveness: probe(section, "liveness"),
        probe_path: match section.value::<String>("probe-path").value.as_str() {
            "queue" => ProbePath::Queue,
            _ => ProbePath::Apart,
        },
        kube_proxy: section.value::<bool>("kube-proxy").value.then_some(proxy),
        fsync: section.value::<Distribution>("fsync").value,
    }
}

fn probe(section: &Section<'_>, name: &str) -> Option<Probe> {
    let read = |chosen: &Chosen<'_>| {
        let table = chosen.options(name, if chosen.name == "http" { PROBE } else { &[] }, section.report);
        (chosen.name == "http").then(|| Probe {
            initial_delay: table.value("initial-delay"),
            period: table.value("period"),
            timeout: table.value("timeout"),
            success: table.value("success-threshold"),
            failure: table.value("failure-threshold"),
        })
    };
    section.choice(name, read).map(|at| at.value)
}

pub(super) fn check(spec: &Spec, report: &Report) -> Option<Config> {
    if let Some(grace) = spec.node_grace
        && grace.value <= limits::kubernetes::RENEWAL
    {
        let message =
            format!("a node is lost after {} of silence, and its kubelet is silent for 10s", grace.value);
        let problem = Problem::warning(grace.place, message);
        report
            .add(problem.help("write at least 45s, in which a kubelet notices that its connection is dead"));
    }
    Some(Config {
        members: spec.members.count.value,
        version: spec.version,
        node_grace: spec.node_grace.map_or(spec.version.node_grace(), |at| at.value),
        eviction: spec.eviction,
        readiness: spec.readiness.map(|probe| probe.check(Kind::Readiness, report)),
        liveness: spec.liveness.map(|probe| probe.check(Kind::Liveness, report)),
        probe_path: spec.probe_path,
        kube_proxy: spec.kube_proxy.clone(),
        fsync: spec.fsync.clone(),
    })
}

impl Probe {
    /// The rules of the API (pkg/apis/core/validation/validation.go, v1.28, `validateProbe` and
    /// `validateLivenessProbe`).
    fn check(self, kind: Kind, report: &Report) -> probe::Spec {
        for at in [self.initial_delay, self.period, self.timeout] {
            if !at.value.as_nanos().is_multiple_of(1_000_000_000) {
                let message = format!("Kubernetes takes whole seconds, not {}", at.value);
                report.add(Problem::error(at.place, message).help("write it in \"s\", without a fraction"));
            }
        }
        if kind == Kind::Liveness && self.success.value != 1 {
            let message =
                format!("Kubernetes refuses a success threshold of {} for liveness", self.success.value);
            report.add(Problem::error(self.success.place, message).help("it must be 1"));
        }
        probe::Spec {
            initial_delay: self.initial_delay.value,
            period: self.period.value,
            timeout: self.timeout.value,
            success: self.success.value,
            failure: self.failure.value,
        }
    }
}

pub(super) fn write(out: &mut Lines<'_>, config: &Config) {
    out.word("version", &format!("1.{}", config.version.minor));
    out.time("node-grace", config.node_grace);
    out.time("eviction", config.eviction);
    out.line("readiness", &spelt(config.readiness));
    out.line("liveness", &spelt(config.liveness));
    out.word(
        "probe-path",
        match config.probe_path {
            ProbePath::Apart => "apart",
            ProbePath::Queue => "queue",
        },
    );
    out.flag("kube-proxy", config.kube_proxy.is_some());
    if let Some(proxy) = &config.kube_proxy {
        out.time("min-sync-period", proxy.min_sync);
        out.line("sync-duration", &render::distribution(&proxy.takes));
    }
    out.line("fsync", &render::distribution(&config.fsync));
}

fn spelt(probe: Option<probe::Spec>) -> String {
    let Some(probe) = probe else { return render::text("none") };
    let times =
        [("initial-delay", probe.initial_delay), ("period", probe.period), ("timeout", probe.timeout)];
    let times = times.map(|(key, time)| format!("{key} = {}", render::time(time))).join(", ");
    let counts = format!("success-threshold = {}, failure-threshold = {}", probe.success, probe.failure);
    format!("{{ http = {{ {times}, {counts} }} }}")
}
