//! The weather: what madsim's network does to every message alike. It has one range of latencies and one rate of loss for
//! all of it (madsim 0.2.34, `sim/net/network.rs`, `Config`).

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use madsim::net;
use schism_core::{Distribution, FaultId, Harm, Impairment, Ratio, Topology, ZoneId};
use schism_scenario::Scenario;

/// Which part of a distribution counts for the range, at both ends: the tenth that is least and the tenth that is most do
/// not, so that a tail which hardly any message meets does not become what every other one does.
const BELOW: f64 = 0.1;
const ABOVE: f64 = 0.9;

/// The weather of a scenario, and what faults add to it.
pub(super) struct Weather {
    latency: Range<Duration>,
    loss: f64,
    harms: BTreeMap<FaultId, Vec<Ill>>,
}

/// What a fault does to all messages.
#[derive(Clone, Debug, PartialEq)]
enum Ill {
    Later(Range<Duration>),
    Lost(Ratio),
}

/// What madsim begins with.
pub(super) fn config(scenario: &Scenario) -> madsim::Config {
    madsim::Config { net: Weather::of(scenario).sum(), ..madsim::Config::default() }
}

impl Weather {
    /// The weather before any fault.
    pub(super) fn of(scenario: &Scenario) -> Weather {
        let topology = &scenario.topology;
        let zones = scenario.zones();
        let peopled: Vec<ZoneId> = topology.zones().filter(|zone| zones.contains(zone)).collect();
        let ways = peopled.iter().flat_map(|&from| peopled.iter().map(move |&to| (from, to)));
        let ranges: Vec<Range<Duration>> = ways.map(|(from, to)| way(topology, from, to)).collect();
        let start = ranges.iter().map(|range| range.start).min().unwrap_or_default();
        let end = ranges.iter().map(|range| range.end).max().unwrap_or_default();
        let loss = peopled.first().map_or(0.0, |&zone| topology.within(zone).loss.as_f64());
        Weather { latency: start..end, loss, harms: BTreeMap::new() }
    }

    /// Something gets worse for all messages.
    pub(super) fn worsen(&mut self, Impairment { id, harm, .. }: &Impairment) {
        let ill = match harm {
            Harm::Delay { extra, .. } => Ill::Later(range(extra)),
            Harm::Lose { rate } => Ill::Lost(*rate),
            Harm::Burst(_)
            | Harm::Duplicate { .. }
            | Harm::Reorder { .. }
            | Harm::Corrupt { .. }
            | Harm::Throttle { .. } => panic!("a scenario that fits madsim has no {harm:?}"),
        };
        // A fault of all ways has one impairment for each node.
        let ills = self.harms.entry(*id).or_default();
        if !ills.contains(&ill) {
            ills.push(ill);
        }
    }

    /// All that a fault has made worse is as it was.
    pub(super) fn repair(&mut self, id: FaultId) {
        self.harms.remove(&id);
    }

    /// The faults that every message meets.
    pub(super) fn faults(&self) -> Vec<FaultId> {
        self.harms.keys().copied().collect()
    }

    /// All together, as madsim is told of it.
    pub(super) fn sum(&self) -> net::Config {
        let mut latency = self.latency.clone();
        let mut passes = 1.0 - self.loss;
        for ill in self.harms.values().flatten() {
            match ill {
                Ill::Later(by) => latency = latency.start + by.start..latency.end + by.end,
                Ill::Lost(rate) => passes *= 1.0 - rate.as_f64(),
            }
        }
        // madsim draws from a range that is not empty.
        let end = latency.end.max(latency.start + Duration::from_nanos(1));
        net::Config { packet_loss_rate: 1.0 - passes, send_latency: latency.start..end }
    }
}

/// What a message takes between two zones.
fn way(topology: &Topology, from: ZoneId, to: ZoneId) -> Range<Duration> {
    let links = topology.route(from, to).expect("every zone reaches every other");
    let ranges = links.iter().map(|link| range(&link.latency));
    ranges.fold(Duration::ZERO..Duration::ZERO, |sum, next| sum.start + next.start..sum.end + next.end)
}

fn range(of: &Distribution) -> Range<Duration> {
    let at = |part| Duration::from_nanos(of.quantile(part).as_nanos());
    at(BELOW)..at(ABOVE)
}

#[cfg(test)]
mod tests {
    use schism_core::{Classes, Draw, NodeId, NodeSet};

    use super::*;

    fn scenario(zones: &str, network: &str) -> Scenario {
        let text = format!(
            "title = \"t\"\nlength = \"1s\"\nregistry = \"static\"\n[topology]\nzones = [{zones}]\n\
             [network]\n{network}\n\
             [services.s]\ninstances = 2\nservice = \"1ms\"\n"
        );
        schism_scenario::load("t.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}")).scenario
    }

    fn millis(from: u64, to: u64) -> Range<Duration> {
        Duration::from_millis(from)..Duration::from_millis(to)
    }

    fn impairment(id: u32, harm: Harm) -> Impairment {
        let all: NodeSet = [NodeId(0), NodeId(1)].into_iter().collect();
        let (id, salt, classes) = (FaultId(id), Draw::new(1), Classes::ALL);
        Impairment { id, salt, from: all.clone(), to: all, classes, harm }
    }

    #[test]
    fn the_range_is_that_of_all_ways_between_zones_that_have_nodes() {
        let two = "same-zone = \"1ms\"\ncross-zone = \"9ms\"\nloss = \"2%\"";
        let config = config(&scenario("\"a\", \"b\"", two)).net;
        assert_eq!(config.send_latency, millis(1, 9));
        assert!((config.packet_loss_rate - 0.02).abs() < 1e-12);
        let one = "same-zone = { uniform = { from = \"0ms\", to = \"10ms\" } }";
        let Range { start, end } = super::config(&scenario("\"a\"", one)).net.send_latency;
        assert!(start.abs_diff(Duration::from_millis(1)) < Duration::from_micros(1), "{start:?}");
        assert!(end.abs_diff(Duration::from_millis(9)) < Duration::from_micros(1), "{end:?}");
    }

    #[test]
    fn what_faults_add_is_counted_once_each_and_goes_with_them() {
        let calm = Weather::of(&scenario("\"a\"", "same-zone = \"5ms\""));
        let mut weather = Weather::of(&scenario("\"a\"", "same-zone = \"5ms\""));
        let extra = Distribution::constant(schism_core::Duration::from_millis(20)).expect("it is short");
        let later = Harm::Delay { extra, correlation: Ratio::ZERO };
        // One impairment for each node that the fault is aimed at.
        weather.worsen(&impairment(1, later.clone()));
        weather.worsen(&impairment(1, later));
        weather.worsen(&impairment(2, Harm::Lose { rate: Ratio::new(1, 2) }));
        weather.worsen(&impairment(3, Harm::Lose { rate: Ratio::new(1, 2) }));
        let net::Config { send_latency, packet_loss_rate } = weather.sum();
        assert_eq!(send_latency.start, Duration::from_millis(25));
        assert!((packet_loss_rate - 0.75).abs() < 1e-12);
        assert_eq!(weather.faults(), [FaultId(1), FaultId(2), FaultId(3)]);
        [1, 2, 3].into_iter().for_each(|id| weather.repair(FaultId(id)));
        assert_eq!(weather.sum(), calm.sum());
        assert!(!calm.sum().send_latency.is_empty(), "madsim draws from a range that is not empty");
    }
}
