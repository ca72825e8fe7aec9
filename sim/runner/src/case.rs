//! Cases: a run that failed, kept as a scenario of its own with what it came to.

use schism_core::{DigestValue, Duration, Seed, Time};
use schism_models::node::{Node, Process};
use schism_scenario::{CASE_FORMAT, Case, Mark, Scenario};

use crate::ledger::Listed;
use crate::{Failure, Ledger, Report, Simulation};

/// At how many moments of a run a case notes the digest.
const MARKS: u64 = 64;

/// How many of the faults that a case names in its story.
const MOST_TOLD: usize = 12;

/// A failure that is kept: a scenario in which nothing is left to draw before the run, and what its run came to.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The scenario, as its own text means it.
    pub scenario: Scenario,
    /// What is recorded.
    pub case: Case,
    /// What happened.
    pub report: Report,
    /// The faults of which something is drawn by the seed all the same: whom they strike, or when they begin, is for the
    /// run to show.
    pub drawn: Vec<String>,
}

/// Keeps a failure of a scenario with a seed; `None` if the run has no such failure.
///
/// What the seed draws before the run is written as it came out, and the run is the same: a fault whose luck cannot be
/// written without changing the run stays drawn.
pub fn keep(scenario: &Scenario, seed: Seed, failure: &Failure) -> Option<Kept> {
    keep_of::<Node>(scenario, seed, failure)
}

/// The same of a run of other processes than the models alone.
pub fn keep_of<P: Process>(scenario: &Scenario, seed: Seed, failure: &Failure) -> Option<Kept> {
    let explicit = explicit::<P>(scenario, seed);
    let (report, marks) = marked::<P>(&explicit, &grid(&explicit));
    let failure = report.failures().find(|found| found.is_like(failure))?;
    let case = Case {
        format: CASE_FORMAT,
        schism: report.version.to_owned(),
        engine: report.engine.to_owned(),
        digest: digest(&report),
        scenario_digest: explicit.digest,
        expectation: failure.expectation,
        at: failure.at_s.map(moment),
        why: failure.why,
        signature: failure.signature,
        marks,
    };
    let drawn = explicit.faults.iter().filter(|planned| planned.draws()).map(|planned| planned.id.clone());
    Some(Kept { drawn: drawn.collect(), scenario: explicit, case, report })
}

impl Kept {
    /// The text of the file, under the name that it will have. `more` is what else there is to tell, a paragraph each; a
    /// line that begins with a space stays as it is.
    pub fn file(&self, name: &str, more: &[String]) -> String {
        let mut story = vec![
            "A case: a run that failed, kept as a scenario of its own with what it came to. To run it again:"
                .to_owned(),
            format!("  schism replay {name}"),
            String::new(),
            self.what_fails(),
            String::new(),
        ];
        story.extend(self.what_went_wrong());
        if !self.drawn.is_empty() {
            let faults = listed(&self.drawn);
            story.push(String::new());
            story.push(format!(
                "What the luck of the seed still decides in the run: whom or when in {faults}."
            ));
        }
        if !more.is_empty() {
            story.push(String::new());
            story.extend_from_slice(more);
        }
        self.case.file(&story, &self.scenario)
    }

    fn what_fails(&self) -> String {
        let Case { expectation, at, why, .. } = &self.case;
        let at = at.map_or_else(|| "by the end".to_owned(), |at| format!("at {}", shown(at.as_secs_f64())));
        let stop = if why.ends_with('.') { "" } else { "." };
        format!("The expectation {expectation} fails {at}: {why}{stop}")
    }

    fn what_went_wrong(&self) -> Vec<String> {
        let faults = &self.report.faults;
        if faults.is_empty() {
            return vec!["It takes no fault for that.".to_owned()];
        }
        let line = |fault: &crate::report::Fault| {
            let from = shown(fault.from_s);
            let until = match fault.to_s {
                Some(to) if to > fault.from_s => format!("until {}", shown(to)),
                Some(_) => "at that moment".to_owned(),
                None => "to the end".to_owned(),
            };
            let on =
                if fault.on.is_empty() { String::new() } else { format!("; on {}", fault.on.join(" | ")) };
            format!("  {from:>8} {}: {}, {until}{on}", fault.id, fault.what)
        };
        let told = faults.iter().take(MOST_TOLD).map(line);
        let more = faults.len().saturating_sub(MOST_TOLD);
        let rest = (more > 0).then(|| format!("  and {more} more"));
        std::iter::once("With these faults:".to_owned()).chain(told).chain(rest).collect()
    }
}

/// A moment to the millisecond: exact ones are in the scenario.
fn shown(secs: f64) -> String {
    Duration::from_millis((secs * 1e3).round() as u64).to_string()
}

/// `a, b and 3 more`.
fn listed(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        [all @ .., last] if all.len() < MOST_TOLD => format!("{} and {last}", all.join(", ")),
        _ => format!("{} and {} more", names[..MOST_TOLD].join(", "), names.len() - MOST_TOLD),
    }
}

/// The scenario of one seed with nothing left to draw before the run, as far as that can be written.
///
/// # Panics
///
/// If a scenario's own text does not mean the scenario.
pub fn explicit<P: Process>(scenario: &Scenario, seed: Seed) -> Scenario {
    let drawn = Scenario { seed, ..scenario.clone() };
    let digest = digest_of::<P>(&drawn);
    let same =
        |changed: &Scenario| changed.reloaded().ok().filter(|reloaded| digest_of::<P>(reloaded) == digest);
    let settled = scenario.settled(seed);
    if let Some(all) = same(&settled) {
        return all;
    }
    // One of them stands for more than can be written: each is tried by itself.
    let mut kept =
        drawn.reloaded().unwrap_or_else(|errors| panic!("a scenario's own text is one:\n{errors}"));
    for fault in 0..drawn.faults.len() {
        let settled = &settled.faults[fault];
        let partly =
            schism_models::nemesis::Planned { fault: kept.faults[fault].fault.clone(), ..settled.clone() };
        for candidate in [settled, &partly].into_iter().filter(|candidate| **candidate != drawn.faults[fault])
        {
            let mut changed = kept.clone();
            changed.faults[fault] = candidate.clone();
            if let Some(reloaded) = same(&changed) {
                kept = reloaded;
                break;
            }
        }
    }
    kept
}

/// The digest of a run that nobody watches.
pub(crate) fn digest_of<P: Process>(scenario: &Scenario) -> DigestValue {
    let mut simulation: Simulation<(), P> = Simulation::new(scenario, scenario.seed, ());
    simulation.run_to_end();
    simulation.digest()
}

/// A run with the scenario's own seed, with what its digest was before each of these moments.
pub fn marked<P: Process>(scenario: &Scenario, moments: &[Time]) -> (Report, Vec<Mark>) {
    let mut simulation: Simulation<Ledger, P> =
        Simulation::new(scenario, scenario.seed, Ledger::listing(scenario, Listed::Wrong));
    let mark = |&at: &Time| {
        simulation.run_until(at);
        Mark { events: simulation.world().events(), at, prefix: Mark::prefix_of(simulation.digest()) }
    };
    let marks = moments.iter().map(mark).collect();
    simulation.run_to_end();
    (simulation.into_report(scenario, scenario.seed), marks)
}

/// The moments that a case of a scenario marks.
fn grid(scenario: &Scenario) -> Vec<Time> {
    (1..MARKS).map(|part| Time::START + scenario.length / MARKS * part).collect()
}

/// The digest that a report has as text.
pub(crate) fn digest(report: &Report) -> DigestValue {
    report.digest.parse().expect("a report has a digest")
}

/// A moment of a report.
pub fn moment(secs: f64) -> Time {
    Time::START + Duration::from_secs_f64(secs)
}
