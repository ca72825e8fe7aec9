//! From a scenario as written to a scenario as meant: names looked up, times compared, limits kept.

mod callee;
mod cast;
mod expect;
mod fault;
mod load;
mod locks;
mod needs;
pub(crate) mod picker;
mod stage;
mod target;
mod topology;

use schism_core::{Duration, Ranks, Seed};
use schism_models::client::{self, Arrivals, Callee};
use schism_models::keys::Keys;
use schism_models::service;

use self::cast::Cast;
pub(crate) use self::expect::ids as expectation_ids;
pub(crate) use self::fault::{LEADER_CHANGES, LEASE_EXPIRES, default_ids};
pub(crate) use self::stage::{Role, Stage, Troupe, stage};
use self::topology::Zones;
use crate::diagnostics::{Problem, Report, listed, nearest, shorten};
use crate::limits;
use crate::reader::too_many;
use crate::source::At;
use crate::spec::{ArrivalsSpec, ClientSpec, KeysSpec, ServiceSpec, Written};
use crate::{Group, Scenario, render};

/// The scenario as meant, if nothing is wrong with it.
pub(crate) fn scenario(written: &Written, report: &Report) -> Option<Scenario> {
    texts(written, report);
    let length = written.length.filter(|length| long(*length, report));
    warmup(written, length, report);
    let (topology, zones) = topology::check(written, report)?;
    let registry = written.registry.as_ref().and_then(|registry| registry.value.check(report));
    let mut cast = Cast::assemble(written, &zones, report)?;
    let services = services(&written.services, report);
    let (clients, offered) = clients(written, &zones, length, report).unzip();
    let asked = expect::ids(&written.expectations, report);
    let faults = fault::check(written, &asked, &mut cast, &zones, length, report);
    load::check(&faults, &offered.unwrap_or_default(), &cast, length, report);
    let expectations = expect::check(written, asked, &faults, length, report);
    needs::check(written, report);
    if report.has_errors() {
        return None;
    }
    let kinds = written.registry.as_ref().map_or_else(Vec::new, |at| at.value.aides(written.services.len()));
    let aides = cast.aides(&kinds);
    let mut scenario = Scenario {
        title: written.title.as_ref()?.value.clone(),
        why: written.why.as_ref().map(|at| at.value.clone()),
        source: written.source.as_ref().map(|at| at.value.clone()),
        length: length?.value,
        warmup: written.warmup.value,
        seed: Seed(written.seed.value),
        topology,
        registry: registry?,
        members: cast.members,
        services: groups(&written.services, services?, cast.services, |one| &one.name),
        clients: groups(&written.clients, clients?, cast.clients, |one| &one.name),
        aides,
        spares: cast.spares,
        faults: faults.planned.into_iter().flatten().collect(),
        lines: faults.lines,
        expectations,
        digest: render::digest_of(""),
    };
    scenario.digest = render::digest_of(&render::canonical(&scenario));
    Some(scenario)
}

fn groups<S, C>(
    specs: &[S],
    configs: Vec<C>,
    nodes: Vec<Vec<crate::Node>>,
    name: impl Fn(&S) -> &At<String>,
) -> Vec<Group<C>> {
    specs
        .iter()
        .zip(configs)
        .zip(nodes)
        .map(|((spec, config), nodes)| Group { name: name(spec).value.clone(), config, nodes })
        .collect()
}

fn texts(written: &Written, report: &Report) {
    if let Some(title) = &written.title
        && title.value.trim().is_empty()
    {
        report.add(
            Problem::error(title.place, "`title` is empty").help("write one line that names the scenario"),
        );
    }
    if let Some(title) = &written.title
        && title.value.contains(['\n', '\r'])
    {
        report.add(
            Problem::error(title.place, "`title` is more than one line").help("put the rest into `why`"),
        );
    }
}

fn long(length: At<Duration>, report: &Report) -> bool {
    let within = length.value <= limits::LENGTH;
    if !within {
        let days = limits::LENGTH.as_nanos() / 86_400_000_000_000;
        let message = format!("`length` is {}; the limit is {days} days", length.value);
        report.add(
            Problem::error(length.place, message).help("a fault and its recovery fit in minutes or hours"),
        );
    }
    within
}

fn warmup(written: &Written, length: Option<At<Duration>>, report: &Report) {
    if let Some(length) = length
        && written.warmup.value >= length.value
    {
        let message = format!(
            "`warmup` is {}, which leaves nothing of the length of {}",
            written.warmup.value, length.value
        );
        report.add(
            Problem::error(written.warmup.place, message)
                .related(length.place, "the length")
                .help("shorten `warmup` or raise `length`"),
        );
    }
}

fn services(specs: &[ServiceSpec], report: &Report) -> Option<Vec<service::Config>> {
    let config = |spec: &ServiceSpec| {
        Some(service::Config {
            service: spec.service.clone()?,
            slots: spec.slots,
            queue: spec.queue,
            weight: spec.weight,
            labels: picker::labels(spec, report),
            re_register: spec.re_register,
        })
    };
    specs.iter().map(config).collect()
}

/// What the client groups do, and how many requests each offers in the whole run.
type Clients = (Vec<client::Config>, Vec<u128>);

fn clients(
    written: &Written,
    zones: &Zones,
    length: Option<At<Duration>>,
    report: &Report,
) -> Option<Clients> {
    let mut requests = Vec::new();
    let (mut views, mut keys, mut tables) = (0, 0, 0_u64);
    let mut configs = Vec::new();
    for spec in &written.clients {
        let calls = callee::of(spec, written, report);
        let locking = locks::of(spec, calls, written, report);
        if let Some(calls) = calls {
            requests.push(offered(spec, written, calls, length, report));
            views += view_entries(spec, written, calls);
        }
        check_requests(spec, requests.iter().sum(), report)?;
        if views > limits::VIEWS.most {
            report.add(too_many(spec.name.place, limits::VIEWS, views));
            return None;
        }
        keys = table_of_keys(spec, keys, report)?;
        let picker = calls.and_then(|calls| picker::config(spec, calls, &written.services, zones, report));
        if let (Some(calls), Some(picker)) = (calls, &picker) {
            tables = tables.saturating_add(table_entries(spec, written, calls, picker));
        }
        if tables > limits::TABLES.most {
            report.add(too_many(spec.name.place, limits::TABLES, tables));
            return None;
        }
        configs.push(calls.and_then(|calls| config(spec, calls, locking?, picker?)));
    }
    Some((configs.into_iter().collect::<Option<_>>()?, requests))
}

fn config(
    spec: &ClientSpec,
    calls: Callee,
    locking: Option<client::Locking>,
    picker: schism_models::picker::Config,
) -> Option<client::Config> {
    Some(client::Config {
        calls,
        arrivals: match &spec.arrivals.as_ref()?.value {
            ArrivalsSpec::Poisson(rate) => Arrivals::Poisson(rate.gap),
            ArrivalsSpec::Constant(rate) => Arrivals::Constant(rate.gap),
            ArrivalsSpec::Varying(intensity) => Arrivals::Varying(*intensity),
            ArrivalsSpec::Closed(think) => Arrivals::Closed(think.clone()),
        },
        timeout: spec.timeout.value,
        deadline: spec.deadline,
        keys: match spec.keys? {
            KeysSpec::Unique => Keys::Unique,
            KeysSpec::Uniform(keys) => Keys::Uniform(keys),
            KeysSpec::Zipf { keys, s } => Keys::Zipf(Ranks::zipf(keys.value, s)),
        },
        picker,
        cache: spec.cache?,
        connections: spec.connections?.value,
        health_check: spec.health_check.map(|at| at.value),
        locking,
    })
}

/// How many requests a client group offers in the whole run, at most about.
fn offered(
    spec: &ClientSpec,
    written: &Written,
    calls: Callee,
    length: Option<At<Duration>>,
    report: &Report,
) -> u128 {
    let (Some(arrivals), Some(count), Some(length)) = (&spec.arrivals, spec.count, length) else { return 0 };
    let gap = match &arrivals.value {
        ArrivalsSpec::Poisson(rate) | ArrivalsSpec::Constant(rate) => rate.gap,
        ArrivalsSpec::Varying(intensity) => return u128::from(count.value) * intensity.offered(length.value),
        ArrivalsSpec::Closed(think) => {
            if think.median() < limits::THINK {
                let message = format!(
                    "`think` is {} in the median: a loop that takes no time never ends",
                    think.median()
                );
                report.add(
                    Problem::error(arrivals.place, message)
                        .help(format!("write at least \"{}\"", limits::THINK)),
                );
            }
            let served = match calls {
                Callee::Service(index) => {
                    written.services[index].service.as_ref().map(schism_core::Distribution::median)
                }
                Callee::Registry(_) => None,
                Callee::Locks => Some(spec.lock.hold.median()),
            };
            think.median() + served.unwrap_or_default() + written.same_zone.median() * 2
        }
    };
    u128::from(count.value) * u128::from(length.value.as_nanos()) / u128::from(gap.as_nanos().max(1))
}

fn check_requests(spec: &ClientSpec, requests: u128, report: &Report) -> Option<()> {
    if requests <= limits::REQUESTS {
        return Some(());
    }
    let message =
        format!("the clients would offer about {requests} requests; the limit is {}", limits::REQUESTS);
    let place = spec.arrivals.as_ref().map_or(spec.name.place, |at| at.place);
    report.add(Problem::error(place, message).help("lower the rate, the number of clients or the length"));
    None
}

/// How many keys have a place in a table, with those of the groups before.
fn table_of_keys(spec: &ClientSpec, before: u64, report: &Report) -> Option<u64> {
    let Some(KeysSpec::Zipf { keys, .. }) = spec.keys else { return Some(before) };
    let total = before + u64::from(keys.value);
    if total > limits::KEYS_TOTAL.most {
        report.add(too_many(keys.place, limits::KEYS_TOTAL, total));
        return None;
    }
    Some(total)
}

fn view_entries(spec: &ClientSpec, written: &Written, calls: Callee) -> u64 {
    let instances = match calls {
        Callee::Service(index) => written.services[index].instances.map_or(0, |at| at.value),
        Callee::Registry(_) | Callee::Locks => 0,
    };
    u64::from(spec.count.map_or(0, |at| at.value)) * u64::from(instances)
}

/// How many entries the rings and tables of a client group have.
fn table_entries(
    spec: &ClientSpec,
    written: &Written,
    calls: Callee,
    picker: &schism_models::picker::Config,
) -> u64 {
    let Callee::Service(index) = calls else { return 0 };
    let service = &written.services[index];
    let instances = u64::from(service.instances.map_or(0, |at| at.value));
    let weight = instances.saturating_mul(u64::from(service.weight));
    let each = picker.balancer.entries(instances, weight);
    u64::from(spec.count.map_or(0, |at| at.value)).saturating_mul(each)
}

/// "there is no zone `d`", with a guess.
fn no_zone(name: &At<String>, zones: &Zones) -> Problem {
    let given = name.value.strip_prefix("zone:").unwrap_or(&name.value);
    let message = format!("there is no zone `{}`", shorten(&name.value));
    let near = nearest(given, zones.names()).map(|zone| format!("did you mean `{zone}`?"));
    let names = || listed(zones.names()).map(|names| format!("there are: {names}"));
    Problem::error(name.place, message).maybe_help(near.or_else(names))
}
