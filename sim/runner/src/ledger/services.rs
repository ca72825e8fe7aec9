//! Services: how much each instance was given to do.

use std::collections::BTreeMap;

use schism_core::{Duration, NodeId, Time};
use schism_scenario::{Node, Scenario};

use crate::figures::share;
use crate::report;

/// What each node was given to do after the warm-up.
#[derive(Clone)]
pub(crate) struct Services {
    warmup: Time,
    loads: Vec<Load>,
}

#[derive(Clone, Copy, Default)]
struct Load {
    attempts: u64,
    busy_ns: u64,
    waited_ns: u64,
}

impl Services {
    pub(crate) fn new(nodes: usize, warmup: Time) -> Services {
        Services { warmup, loads: vec![Load::default(); nodes] }
    }

    #[inline]
    pub(crate) fn on_attempt(&mut self, to: NodeId) {
        self.loads[to.index()].attempts += 1;
    }

    /// An instance has just served an attempt: first it waited, then it was served, and only what lies after the
    /// warm-up counts.
    #[inline]
    pub(crate) fn on_served(&mut self, now: Time, by: NodeId, waited: Duration, took: Duration) {
        let load = &mut self.loads[by.index()];
        let began = now - took;
        load.busy_ns += now.since(began.max(self.warmup)).as_nanos();
        load.waited_ns += began.since((began - waited).max(self.warmup)).as_nanos();
    }

    pub(crate) fn report(&self, scenario: &Scenario, end: Time) -> BTreeMap<String, report::Service> {
        let measured = end.since(self.warmup);
        let service = |(index, group): (usize, &schism_scenario::Group<_>)| {
            let nodes = group.nodes.iter().chain(spares(scenario, index));
            let instances = nodes.map(|node| {
                let instance = self.loads[node.id.index()].report(measured);
                (node.name.clone(), serde_json::to_value(instance).expect("plain numbers"))
            });
            let attempts = |node: &Node| self.loads[node.id.index()].attempts;
            let peak_to_mean = peak_to_mean(scenario, index, attempts).unwrap_or(0.0);
            (group.name.clone(), report::Service { peak_to_mean, instances: instances.collect() })
        };
        scenario.services.iter().enumerate().map(service).collect()
    }
}

/// The instances of a service that only a fault boots.
fn spares(scenario: &Scenario, service: usize) -> impl Iterator<Item = &Node> {
    scenario.spares.iter().filter(move |spare| spare.service == service).map(|spare| &spare.node)
}

impl Load {
    fn report(self, measured: Duration) -> report::Instance {
        let mean = |nanos| share(nanos, measured.as_nanos()).unwrap_or(0.0);
        report::Instance {
            attempts: self.attempts,
            busy: mean(self.busy_ns),
            queue_mean: mean(self.waited_ns),
        }
    }
}

/// The attempts at the busiest instance of a service against the mean; `None` if there were none. An instance that only a
/// fault boots is one of them if it got any.
pub(crate) fn peak_to_mean(
    scenario: &Scenario,
    service: usize,
    attempts: impl Fn(&Node) -> u64,
) -> Option<f64> {
    let late = spares(scenario, service).map(&attempts).filter(|&count| count > 0);
    let counts: Vec<u64> = scenario.services[service].nodes.iter().map(&attempts).chain(late).collect();
    peak_of(&counts)
}

/// The largest of some counts against their mean; `None` if there is nothing to compare.
fn peak_of(counts: &[u64]) -> Option<f64> {
    share(counts.iter().max()? * counts.len() as u64, counts.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_before_the_warm_up_is_left_out() {
        let at = |millis| Time::START + Duration::from_millis(millis);
        let mut services = Services::new(1, at(100));
        services.on_served(at(110), NodeId(0), Duration::from_millis(30), Duration::from_millis(20));
        services.on_served(at(200), NodeId(0), Duration::from_millis(30), Duration::from_millis(20));
        let load = services.loads[0].report(Duration::from_millis(100));
        assert_eq!((load.busy, load.queue_mean), (0.3, 0.3));
    }

    #[test]
    fn the_peak_is_measured_against_the_mean() {
        assert_eq!(peak_of(&[1, 1, 4]), Some(2.0));
        assert_eq!(peak_of(&[0, 0]), None);
        assert_eq!(peak_of(&[]), None);
    }
}
