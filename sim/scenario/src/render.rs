//! A scenario as meant, written down again: every default spelled out, and one spelling for one meaning.

use std::fmt::Write as _;
use std::hash::Hasher as _;

use schism_core::{Digest, DigestValue, Distribution, Duration, Law, Link, NodeId, Ratio, Time, ZoneId};
use schism_models::balancer::slow_start::SlowStart;
use schism_models::balancer::{self, Entry};
use schism_models::client::{Arrivals, Callee, Connections, Intensity, OnTimeout, Operation, Pooling};
use schism_models::keys::Keys;
use schism_models::nemesis::{Base, End, OnMiss, OnOverlap, Planned, Select, Start, Target, Trigger, Wait};
use schism_models::node::ProbePath;
use schism_models::oracle::{self, Mood};
use schism_models::service::ReRegister;
use schism_models::{cache, client, locality, registry, service, subset};

use crate::check::{LEADER_CHANGES, LEASE_EXPIRES};
use crate::fault::Spell;
use crate::knobs;
use crate::read::{Unit, spelling};
use crate::units::{self, Rate};
use crate::{Ask, Expectation, Group, Line, Metric, Node, Scenario, Window};

impl Scenario {
    /// The scenario with every default spelled out. It is a scenario file itself, and means the same.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        line(&mut out, "title", &text(&self.title));
        for (key, value) in [("why", &self.why), ("source", &self.source)] {
            if let Some(value) = value {
                line(&mut out, key, &text(value));
            }
        }
        // An integer of TOML has 63 bits and a sign.
        let seed = self.seed.0.to_string();
        line(&mut out, "seed", &if i64::try_from(self.seed.0).is_ok() { seed } else { text(&seed) });
        out + &canonical(self)
    }

    /// What a fault waits for, in words: `cut.heals`, `leader-changes`, `success-rate below 90% over 2s`.
    pub fn trigger(&self, trigger: Trigger) -> String {
        let Trigger::Crosses(number) = trigger else { return named(trigger, self) };
        let Line { metric, at_least, at_most, over } = &self.lines[number];
        let bound = |word: &str, of: &Option<f64>| of.map(|of| format!("{word} {}", figure(*metric, of)));
        let bounds = [bound("below", at_least), bound("above", at_most)];
        let bounds = bounds.into_iter().flatten().collect::<Vec<_>>().join(" or ");
        format!("{} {bounds} over {over}", metric.name())
    }
}

/// The digest of a canonical text.
pub(crate) fn digest_of(canonical: &str) -> DigestValue {
    let mut digest = Digest::new();
    digest.write(canonical.as_bytes());
    digest.value()
}

/// All that decides what happens, but for the seed: the prose is not part of the meaning.
pub(crate) fn canonical(scenario: &Scenario) -> String {
    let mut out = String::new();
    let names = Names { scenario };
    line(&mut out, "length", &time(scenario.length));
    line(&mut out, "warmup", &time(scenario.warmup));
    if scenario.registry == registry::Config::Static {
        line(&mut out, "registry", "\"static\"");
    }
    topology(&mut out, scenario);
    registry(&mut out, scenario, &names);
    for group in &scenario.services {
        service(&mut out, group, &names);
    }
    for group in &scenario.clients {
        client(&mut out, group, &names);
    }
    for fault in &scenario.faults {
        self::fault(&mut out, fault, &names);
    }
    for expectation in &scenario.expectations {
        expect(&mut out, expectation, scenario);
    }
    out
}

pub(crate) fn line(out: &mut String, key: &str, value: &str) {
    let _ = writeln!(out, "{key} = {value}");
}

fn header(out: &mut String, header: &str) {
    let _ = writeln!(out, "\n{header}");
}

pub(crate) fn text(value: &str) -> String {
    toml::Value::from(value).to_string()
}

pub(crate) fn time(value: Duration) -> String {
    format!("\"{value}\"")
}

fn moment(value: Time) -> String {
    time(value.since(Time::START))
}

fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(", "))
}

fn topology(out: &mut String, scenario: &Scenario) {
    let topology = &scenario.topology;
    header(out, "[topology]");
    let zones: Vec<ZoneId> = topology.zones().collect();
    line(out, "zones", &list(zones.iter().map(|zone| text(topology.name(*zone)))));
    let within = topology.within(zones[0]);
    let alike = alike(scenario, within);
    if alike.is_none() && zones.len() > 1 {
        let _ = writeln!(out, "links = [");
        for (a, b, link) in links(scenario) {
            let ends = list([text(topology.name(a)), text(topology.name(b))]);
            let latency = distribution(&link.latency);
            let loss = units::show_ratio(link.loss);
            let _ = writeln!(out, "  {{ between = {ends}, latency = {latency}, loss = \"{loss}\" }},");
        }
        let _ = writeln!(out, "]");
    }
    header(out, "[network]");
    line(out, "same-zone", &distribution(&within.latency));
    if let Some(link) = alike {
        line(out, "cross-zone", &distribution(&link.latency));
    }
    line(out, "loss", &format!("\"{}\"", units::show_ratio(within.loss)));
}

/// The links, each from the earlier zone to the later, in the order of the zones.
fn links(scenario: &Scenario) -> Vec<(ZoneId, ZoneId, &Link)> {
    let mut links: Vec<_> =
        scenario.topology.links().map(|(a, b, link)| (a.min(b), a.max(b), link)).collect();
    links.sort_by_key(|(a, b, _)| (*a, *b));
    links
}

/// The link between every two zones, if there is one and all are the same but for their ends.
fn alike<'s>(scenario: &'s Scenario, within: &Link) -> Option<&'s Link> {
    let links = links(scenario);
    let zones = scenario.topology.zones().len();
    let (_, _, first) = links.first()?;
    let same = links.iter().all(|(_, _, link)| link == first) && first.loss == within.loss;
    (links.len() == zones * (zones - 1) / 2 && same).then_some(*first)
}

/// A distribution in TOML.
pub(crate) fn distribution(of: &Distribution) -> String {
    let law = match of.law() {
        Law::Constant(value) => return time(value),
        Law::Uniform { from, to } => format!("uniform = {{ from = {}, to = {} }}", time(from), time(to)),
        Law::Exponential { mean } => format!("exponential = {{ mean = {} }}", time(mean)),
        Law::Normal { mean, sd } => format!("normal = {{ mean = {}, sd = {} }}", time(mean), time(sd)),
        Law::Lognormal { p50, p99 } => format!("lognormal = {{ p50 = {}, p99 = {} }}", time(p50), time(p99)),
        Law::Pareto { scale, shape } => {
            let cap = of.cap().map_or_else(String::new, |cap| format!(", cap = {}", time(cap)));
            format!("pareto = {{ scale = {}, shape = {shape:?}{cap} }}", time(scale))
        }
        Law::Empirical(times) => format!("empirical = {}", list(times.into_iter().map(time))),
    };
    format!("{{ {law} }}")
}

fn registry(out: &mut String, scenario: &Scenario, names: &Names<'_>) {
    if scenario.registry == registry::Config::Static {
        return;
    }
    header(out, &format!("[registry.{}]", scenario.registry.name()));
    line(out, "members", &scenario.members.len().to_string());
    line(out, "zones", &names.zones(&scenario.members));
    crate::registry::write(&mut crate::registry::Lines::after(out), &scenario.registry);
}

fn service(out: &mut String, group: &Group<service::Config>, names: &Names<'_>) {
    let config = &group.config;
    header(out, &format!("[services.{}]", group.name));
    line(out, "instances", &group.nodes.len().to_string());
    line(out, "zones", &names.zones(&group.nodes));
    line(out, "service", &distribution(&config.service));
    line(out, "slots", &config.slots.to_string());
    line(out, "queue", &config.queue.map_or_else(|| text("unlimited"), |queue| queue.to_string()));
    line(out, "discipline", &text("fifo"));
    line(out, "weight", &config.weight.to_string());
    if !config.labels.is_empty() {
        let counts = |label: &service::Label| {
            knobs::table_of(label.values.iter().map(|(value, count)| (value, count.to_string())))
        };
        let labels = config.labels.iter().map(|label| (&label.name, counts(label)));
        line(out, "labels", &knobs::table_of(labels));
    }
    line(
        out,
        "re-register",
        match config.re_register {
            ReRegister::Always => "true",
            ReRegister::Never => "false",
        },
    );
}

fn client(out: &mut String, group: &Group<client::Config>, names: &Names<'_>) {
    let config = &group.config;
    header(out, &format!("[clients.{}]", group.name));
    line(out, "count", &group.nodes.len().to_string());
    line(out, "zones", &names.zones(&group.nodes));
    match config.calls {
        Callee::Service(index) => line(out, "calls", &text(&names.scenario.services[index].name)),
        Callee::Locks => {
            line(out, "calls", &text("registry"));
            line(out, "operation", &text("lock"));
        }
        Callee::Registry(operation) => {
            line(out, "calls", &text("registry"));
            line(
                out,
                "operation",
                &text(match operation {
                    Operation::Put => "put",
                    Operation::Get => "get",
                    Operation::GetSerializable => "get-serializable",
                }),
            );
        }
    }
    if let Some(locking) = &config.locking {
        line(out, "lock", &lock(locking, names));
    }
    line(out, "arrivals", &arrivals(&config.arrivals));
    line(out, "timeout", &time(config.timeout));
    line(out, "deadline", &config.deadline.map_or_else(|| text("none"), time));
    line(out, "key", &keys(&config.keys));
    let (balancer, locality) = (&config.picker.balancer, &config.picker.locality);
    let knobs = |catalog: &'static [Entry], name| {
        catalog.iter().find(|entry| entry.name == name).map_or(&[][..], |entry| entry.knobs)
    };
    let options = knobs(balancer::CATALOG, balancer.name());
    line(out, "balancer", &knobs::strategy(balancer.name(), options, &balancer.values()));
    if locality.name() != "none" {
        let options = knobs(locality::CATALOG, locality.name());
        line(out, "locality", &knobs::strategy(locality.name(), options, &locality.values()));
    }
    subset(out, &config.picker.subset);
    if let Some(SlowStart { window, aggression, least }) = &config.picker.slow_start {
        let least = units::show_ratio(Ratio::parts_per_billion((least * 1e9).round() as u64));
        let (window, least) = (time(*window), text(&least));
        let keys = format!("window = {window}, aggression = {aggression:?}, min-weight = {least}");
        line(out, "slow-start", &format!("{{ {keys} }}"));
    }
    if let Some(check) = &config.health_check {
        line(out, "health-check", &health_check(check));
    }
    line(out, "cache", &cache(&config.cache));
    line(out, "connections", &connections(&config.connections));
}

fn lock(locking: &client::Locking, names: &Names<'_>) -> String {
    let mut keys = vec![format!("ttl = {}", time(locking.ttl))];
    keys.push(format!("hold = {}", distribution(&locking.hold)));
    if let Some(client::Writes { service, every, fencing }) = locking.writes {
        keys.push(format!("writes = {}", text(&names.scenario.services[service].name)));
        keys.push(format!("every = {}, fencing = {}", time(every), fencing == client::Fencing::On));
    }
    format!("{{ {} }}", keys.join(", "))
}

fn subset(out: &mut String, subset: &subset::Config) {
    let texts =
        |labels: &[(String, String)]| knobs::table_of(labels.iter().map(|(name, value)| (name, text(value))));
    let selector = |selector: &subset::Selector| {
        let keys = list(selector.keys.iter().map(|name| text(name)));
        match selector.fallback {
            None => keys,
            Some(fallback) => format!("{{ keys = {keys}, fallback = {} }}", text(fallback.word())),
        }
    };
    match subset {
        subset::Config::All => {}
        subset::Config::Random { size } => {
            line(out, "subset", &format!("{{ random = {{ size = {size} }} }}"));
        }
        subset::Config::Labels(subset::Labels { wanted, selectors, fallback, default }) => {
            let mut keys = vec![format!("selectors = {}", list(selectors.iter().map(selector)))];
            keys.push(format!("fallback = {}", text(fallback.word())));
            if !default.is_empty() {
                keys.push(format!("default = {}", texts(default)));
            }
            line(out, "subset", &format!("{{ labels = {{ {} }} }}", keys.join(", ")));
            if !wanted.is_empty() {
                line(out, "match", &texts(wanted));
            }
        }
    }
}

fn health_check(check: &client::HealthCheck) -> String {
    let path = match check.path {
        ProbePath::Apart => "apart",
        ProbePath::Queue => "queue",
    };
    let keys = [
        ("interval", time(check.interval)),
        ("timeout", time(check.timeout)),
        ("unhealthy-threshold", check.unhealthy_threshold.to_string()),
        ("healthy-threshold", check.healthy_threshold.to_string()),
        ("no-traffic-interval", time(check.no_traffic_interval)),
        ("initial-jitter", time(check.initial_jitter)),
        ("interval-jitter", time(check.interval_jitter)),
        ("ignore-new", check.ignore_new.to_string()),
        ("update-merge-window", time(check.update_merge_window)),
        ("path", text(path)),
    ];
    let keys: Vec<String> = keys.map(|(key, value)| format!("{key} = {value}")).into();
    format!("{{ {} }}", keys.join(", "))
}

fn rate(gap: Duration) -> String {
    format!("\"{}\"", Rate { gap })
}

fn arrivals(arrivals: &Arrivals) -> String {
    match arrivals {
        Arrivals::Poisson(gap) => format!("{{ poisson = {} }}", rate(*gap)),
        Arrivals::Constant(gap) => format!("{{ constant = {} }}", rate(*gap)),
        Arrivals::Varying(intensity) => format!("{{ {} }}", self::intensity(intensity)),
        Arrivals::Closed(think) => format!("{{ closed = {{ think = {} }} }}", distribution(think)),
    }
}

fn intensity(intensity: &Intensity) -> String {
    match *intensity {
        Intensity::Ramp { from, to, after, over } => {
            let (from, to, over, after) = (rate(from), rate(to), time(over), time(after));
            format!("ramp = {{ from = {from}, to = {to}, over = {over}, after = {after} }}")
        }
        Intensity::Burst { base, peak, every, lasts } => {
            let (base, peak, every, lasts) = (rate(base), rate(peak), time(every), time(lasts));
            format!("burst = {{ base = {base}, peak = {peak}, every = {every}, lasts = {lasts} }}")
        }
        Intensity::Diurnal { low, high, period } => {
            format!("diurnal = {{ low = {}, high = {}, period = {} }}", rate(low), rate(high), time(period))
        }
    }
}

fn connections(connections: &Connections) -> String {
    let Connections::Pooled(pooling) = connections else { return text("warm") };
    let Pooling { connect_timeout, on_timeout, keepalive_time, keepalive_timeout } = pooling;
    let on_timeout = match on_timeout {
        OnTimeout::Keep => "keep",
        OnTimeout::Close => "close",
    };
    let keys = [
        ("connect-timeout", time(*connect_timeout)),
        ("on-timeout", text(on_timeout)),
        ("keepalive-time", keepalive_time.map_or_else(|| text("none"), time)),
        ("keepalive-timeout", time(*keepalive_timeout)),
    ];
    let keys: Vec<String> = keys.map(|(key, value)| format!("{key} = {value}")).into();
    format!("{{ pooled = {{ {} }} }}", keys.join(", "))
}

fn keys(keys: &Keys) -> String {
    match keys {
        Keys::Unique => text("unique"),
        Keys::Uniform(keys) => format!("{{ uniform = {{ keys = {keys} }} }}"),
        Keys::Zipf(ranks) => {
            format!("{{ zipf = {{ keys = {}, s = {:?} }} }}", ranks.count(), ranks.exponent())
        }
    }
}

fn cache(config: &cache::Config) -> String {
    let reads = |reads: &cache::Reads| match reads {
        cache::Reads::Linearizable => "reads = \"linearizable\"",
        cache::Reads::Serializable => "reads = \"serializable\"",
    };
    match config {
        cache::Config::None(how) => format!("{{ none = {{ {} }} }}", reads(how)),
        cache::Config::Ttl { ttl, reads: how } => {
            format!("{{ ttl = {{ ttl = {}, {} }} }}", time(*ttl), reads(how))
        }
        cache::Config::Watch { on_empty, max_stale } => {
            let on_empty = match on_empty {
                cache::OnEmpty::Keep => "keep",
                cache::OnEmpty::Accept => "accept",
            };
            let max_stale = max_stale.map_or_else(|| text("forever"), time);
            format!("{{ watch = {{ on-empty = \"{on_empty}\", max-stale = {max_stale} }} }}")
        }
    }
}

fn fault(out: &mut String, fault: &Planned, names: &Names<'_>) {
    header(out, "[[fault]]");
    line(out, "id", &text(&fault.id));
    match fault.start {
        Start::At(at) => line(out, "at", &moment(at)),
        Start::Between(from, to) => line(out, "between", &list([moment(from), moment(to)])),
        Start::When(trigger, after) => {
            line(out, "when", &when(trigger, names.scenario));
            line(out, "after", &wait(after));
        }
    }
    match fault.end {
        End::After(after) => line(out, "for", &time(after)),
        End::At(at) => line(out, "until", &moment(at)),
        End::Never => {}
    }
    let (kind, what) = crate::fault::write(&fault.fault, names);
    line(out, kind, &what);
    line(
        out,
        "may-miss",
        match fault.on_miss {
            OnMiss::Vacuous => "false",
            OnMiss::Fine => "true",
        },
    );
    line(
        out,
        "may-overlap",
        match fault.on_overlap {
            OnOverlap::Refused => "false",
            OnOverlap::Fine => "true",
        },
    );
}

fn when(trigger: Trigger, scenario: &Scenario) -> String {
    let Trigger::Crosses(number) = trigger else { return text(&named(trigger, scenario)) };
    let Line { metric, at_least, at_most, over } = &scenario.lines[number];
    let written = |key: &str, of: &Option<f64>| {
        of.map_or_else(String::new, |of| format!(", {key} = {}", bound(*metric, of)))
    };
    let (below, above) = (written("below", at_least), written("above", at_most));
    format!("{{ metric = {}{below}{above}, over = {} }}", text(metric.name()), time(*over))
}

/// What has a name of its own to wait for.
fn named(trigger: Trigger, scenario: &Scenario) -> String {
    match trigger {
        Trigger::Begins(other) => format!("{}.begins", scenario.faults[other].id),
        Trigger::Heals(other) => format!("{}.heals", scenario.faults[other].id),
        Trigger::LeaderChanges => LEADER_CHANGES.to_owned(),
        Trigger::LeaseExpires => LEASE_EXPIRES.to_owned(),
        Trigger::Crosses(number) => unreachable!("line {number} has no name"),
    }
}

fn wait(Wait { least, most }: Wait) -> String {
    if least == most { time(least) } else { list([time(least), time(most)]) }
}

fn expect(out: &mut String, expectation: &Expectation, scenario: &Scenario) {
    header(out, "[[expect]]");
    line(out, "id", &text(&expectation.id));
    match &expectation.ask {
        Ask::Oracle { oracle, mood, within } => {
            let entry = oracle::CATALOG.iter().find(|entry| entry.name == oracle.name());
            let knobs = entry.expect("an oracle comes from the catalog").knobs;
            line(out, spelling(*mood), &knobs::strategy(oracle.name(), knobs, &oracle.values()));
            if *mood == Mood::Eventually {
                line(out, "within", &time(*within));
            }
        }
        Ask::Metric { metric, during, at_least, at_most } => {
            line(out, "metric", &text(metric.name()));
            line(out, "during", &window(during, scenario));
            for (key, bound) in [("at-least", at_least), ("at-most", at_most)] {
                if let Some(bound) = bound {
                    line(out, key, &self::bound(*metric, *bound));
                }
            }
        }
        Ask::Slo { bounds, during } => {
            let objective = |(metric, bound): &(Metric, f64)| {
                format!("{} = {}", metric.name(), self::bound(*metric, *bound))
            };
            let objectives: Vec<String> = bounds.iter().map(objective).collect();
            line(out, "slo", &format!("{{ {} }}", objectives.join(", ")));
            line(out, "during", &window(during, scenario));
        }
    }
}

fn window(window: &Window, scenario: &Scenario) -> String {
    match window {
        Window::All => text("all"),
        Window::Before => text("before"),
        Window::After => text("after"),
        Window::Fault(index) => text(&scenario.faults[*index].id),
        Window::Between(from, to) => format!("{{ from = {}, to = {} }}", moment(*from), moment(*to)),
    }
}

fn bound(metric: Metric, bound: f64) -> String {
    let figure = figure(metric, bound);
    match metric.unit() {
        Unit::Share | Unit::PerSecond | Unit::Seconds | Unit::Milliseconds => text(&figure),
        Unit::Count | Unit::Number => figure,
    }
}

/// A value of a metric, with its unit.
fn figure(metric: Metric, value: f64) -> String {
    match metric.unit() {
        Unit::Share => units::show_share(value),
        Unit::PerSecond => format!("{value}/s"),
        Unit::Count | Unit::Number => format!("{value}"),
        Unit::Seconds => Duration::from_secs_f64(value).to_string(),
        Unit::Milliseconds => Duration::from_secs_f64(value / 1e3).to_string(),
    }
}

/// Numbers back to names.
struct Names<'s> {
    scenario: &'s Scenario,
}

impl Names<'_> {
    /// The zones that the nodes take turns in: the shortest list that gives them all.
    fn zones(&self, nodes: &[Node]) -> String {
        let turn = (1..=nodes.len())
            .find(|turn| nodes.iter().zip(&nodes[*turn..]).all(|(a, b)| a.zone == b.zone))
            .unwrap_or_default();
        list(nodes[..turn].iter().map(|node| text(self.scenario.topology.name(node.zone))))
    }

    fn groups(&self) -> impl Iterator<Item = (&str, &[Node])> {
        let members = std::iter::once(("registry", &self.scenario.members[..]));
        let services = self.scenario.services.iter().map(|group| (group.name.as_str(), &group.nodes[..]));
        let clients = self.scenario.clients.iter().map(|group| (group.name.as_str(), &group.nodes[..]));
        members.chain(services).chain(clients)
    }

    fn group_of(&self, id: NodeId) -> (&str, &[Node]) {
        let has = |nodes: &[Node]| {
            nodes.first().is_some_and(|first| (first.id.0..first.id.0 + nodes.len() as u32).contains(&id.0))
        };
        self.groups().find(|(_, nodes)| has(nodes)).expect("a node is in a group")
    }

    /// The name of a process of the registry's besides its members.
    fn aide(&self, id: NodeId) -> Option<&str> {
        self.scenario.aides.iter().find(|aide| aide.node.id == id).map(|aide| aide.node.name.as_str())
    }

    /// The name of a node.
    fn node(&self, id: NodeId) -> &str {
        self.aide(id).unwrap_or_else(|| {
            let (_, nodes) = self.group_of(id);
            &nodes[id.index() - nodes[0].id.index()].name
        })
    }

    /// The name of the group that begins with a node.
    fn group(&self, first: NodeId) -> &str {
        let aides = self.aide(first).and_then(|name| name.rsplit_once('-'));
        aides.map_or_else(|| self.group_of(first).0, |(group, _)| group)
    }
}

impl Spell for Names<'_> {
    fn targets(&self, targets: &[Target]) -> String {
        list(targets.iter().map(|target| self.target(target)))
    }

    fn zone(&self, zone: &[Target]) -> String {
        let name = |target: &Target| match target.base {
            Base::Zone(zone) => text(self.scenario.topology.name(zone)),
            Base::Node(_) | Base::Group(_) | Base::Rest => unreachable!("it is aimed at a zone"),
        };
        zone.iter().map(name).collect()
    }

    fn target(&self, target: &Target) -> String {
        let base = match &target.base {
            Base::Node(id) => self.node(*id).to_owned(),
            Base::Group(ids) => self.group(ids[0]).to_owned(),
            Base::Zone(zone) => format!("zone:{}", self.scenario.topology.name(*zone)),
            Base::Rest => "rest".to_owned(),
        };
        let select = match &target.select {
            None => String::new(),
            Some(Select::Leader) => ":leader".to_owned(),
            Some(Select::Followers) => ":followers".to_owned(),
            Some(Select::Minority) => ":minority".to_owned(),
            Some(Select::Majority) => ":majority".to_owned(),
            Some(Select::Pick(1)) => ":one".to_owned(),
            Some(Select::Pick(count)) => format!(":pick({count})"),
            Some(Select::Share(share)) => format!(":{}", units::show_ratio(*share)),
            Some(Select::In(zone)) => format!(":in(zone:{})", self.scenario.topology.name(*zone)),
        };
        text(&(base + &select))
    }
}
