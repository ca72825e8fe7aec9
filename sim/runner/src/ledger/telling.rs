//! Telling: the report, assembled from the ledger's parts when the run is over.

use std::collections::BTreeMap;

use schism_core::{DigestValue, NodeId, Seed, Time};
use schism_models::oracle::Told;
use schism_scenario::Scenario;

use super::Ledger;
use super::faults::Span;
use super::tally::Tally;
use crate::figures::{length, millis, secs};
use crate::judge;
use crate::report::{About, Client, Phase, Recovery, Report};

impl Ledger {
    /// The report of a run that has ended.
    pub fn report(
        mut self,
        scenario: &Scenario,
        seed: Seed,
        digest: DigestValue,
        events: u64,
        end: Time,
    ) -> Report {
        self.beliefs.end(end);
        self.watch.close(end, &self.record);
        let recovery = self.recovered(end);
        let (expect, verdict) = judge::judge(&self, scenario, end, &recovery);
        let names = self.names.clone();
        let name = |node: NodeId| names.one(node);
        let (beliefs, beliefs_omitted) = self.beliefs.intervals.report(name);
        let (phases, phases_omitted) = self.phases(scenario, end);
        Report {
            schema: "schism.report/1",
            version: env!("CARGO_PKG_VERSION"),
            engine: "des",
            repeatability: None,
            scenario: About { title: scenario.title.clone(), digest: scenario.digest.to_string() },
            seed: seed.0,
            digest: digest.to_string(),
            events,
            simulated_s: secs(end),
            requests: self.total().report(),
            latency_ms: self.total().latencies.report(),
            clients: self.clients(scenario),
            services: self.services.report(scenario, end),
            registry: self.leases.counts.clone(),
            locks: self.locks.report(end),
            leases: self.leases.report(name),
            beliefs,
            beliefs_omitted,
            wrong_beliefs: self.beliefs.intervals.sums(|node| names.group(node).to_owned()),
            faults: self.faults.report(scenario, seed),
            phases,
            phases_omitted,
            timeline: self.timeline.report(),
            recovery,
            expect,
            verdict,
        }
    }

    fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.requests.groups().iter().for_each(|group| total.add(group));
        total
    }

    fn clients(&self, scenario: &Scenario) -> BTreeMap<String, Client> {
        let groups = scenario.clients.iter().zip(self.requests.groups());
        let client =
            |tally: &Tally| Client { requests: tally.report(), latency_ms: tally.latencies.report() };
        groups.map(|(group, tally)| (group.name.clone(), client(tally))).collect()
    }

    fn phases(&self, scenario: &Scenario, end: Time) -> (Vec<Phase>, u64) {
        let (spans, omitted) = self.faults.phases(scenario, self.warmup, end);
        let phases = spans.into_iter().map(|(name, span)| self.phase(name, span)).collect();
        (phases, omitted as u64)
    }

    fn phase(&self, name: String, span: Span) -> Phase {
        let tally = self.requests.sum(span).tally;
        Phase {
            name,
            from_s: secs(span.0),
            to_s: secs(span.1),
            offered: tally.offered,
            success_rate: tally.success_rate(),
            p99_ms: tally.latencies.quantile(990).map(millis),
        }
    }

    fn recovered(&self, end: Time) -> Recovery {
        let before = self.faults.span(&schism_scenario::Window::Before, self.warmup, end);
        let before = before.and_then(|span| self.requests.sum(span).tally.success_rate());
        let (dip, dip_for) = self.recovery.dip(end, before);
        Recovery {
            detect_s: self.recovery.detect().map(length),
            reroute_s: self.recovery.reroute(self.faults.all_healed()).map(length),
            failover_s: self.recovery.failover().map(length),
            two_leaders_s: self.reign.rivals(end).map(length),
            dip,
            dip_for_s: dip_for.map(|seconds| seconds as f64),
            converge_s: self
                .faults
                .last_heal()
                .zip(self.record.agreement.since())
                .map(|(heal, since)| length(since.since(heal))),
            false_evictions: self.false_evictions,
            ghost_window_s: self.beliefs.ghost.map(length),
        }
    }

    /// Attempts that clients sent after the warm-up.
    pub(crate) fn attempts(&self) -> u64 {
        self.requests.groups().iter().map(|group| group.attempts).sum()
    }

    /// What oracles are told of the whole run.
    pub(crate) fn told(&self, scenario: &Scenario) -> Told<'_> {
        let registry = &self.leases.counts;
        Told {
            record: &self.record,
            attempts: self.attempts(),
            has_leader: scenario.registry.has_leader(),
            leaders: registry.leaders,
            granted: registry.leases.granted,
            renewed: registry.leases.renewed,
            expired: registry.leases.expired,
            client_heard: self.beliefs.client_heard,
        }
    }

    pub(crate) fn warmup(&self) -> Time {
        self.warmup
    }
}
