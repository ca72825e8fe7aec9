//! Changes: the smallest turn of one dial that avoids the failure, and no other expectation fails for it.
//!
//! Any change at all is another run, and avoids what was bad luck. So a change counts only if it also helps with other luck:
//! where the same plan of faults fails often enough with other luck for that to be seen, at most half as often as without.

use std::collections::BTreeSet;

use rayon::prelude::*;
use schism_core::{Seed, Time};
use schism_models::node::Process;
use schism_scenario::{Dial, Override, Quantity, Scenario};
use serde::Serialize;

use super::bench::{Bench, play_until_failed};
use super::purse::Purse;
use super::{Chance, Effort};
use crate::report::{Report, Verdict};
use crate::simulation::Variation;
use crate::{Ledger, Simulation};

/// What would have avoided it, each by itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changes {
    /// What a change is judged by.
    pub judged_by: JudgedBy,
    /// Of the quantities that could have been more or less, those that had to be changed least, relatively.
    pub smallest: Vec<Change>,
    /// What could have been something else: another strategy, another word. Those that help most come first.
    pub others: Vec<Change>,
    /// How many dials there are to turn.
    pub dials: u64,
    /// How many runs it took.
    pub runs: u64,
    /// Whether there was effort for all that there was to try.
    pub complete: bool,
}

/// What a change is judged by, besides the run of this seed, in which all holds that held, and what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JudgedBy {
    /// With other luck it fails at most half as often.
    OtherLuck,
    /// Nothing: with other luck it fails so seldom that nearly any change seems to help.
    ThisLuckAlone,
}

/// A change of one setting, after which the expectation holds, and all others that held.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Which setting: `registry.etcd.lease-ttl`.
    pub path: String,
    /// What it is.
    pub from: String,
    /// What it would have to be.
    pub to: String,
    /// How often the failure comes all the same, with other luck but the same plan of faults.
    pub still: Chance,
}

/// By how much a dial is turned, one turn after the other. Between the first that helps and none the least is sought.
const TURNS: [[f64; 2]; 3] = [[2.0, 0.5], [5.0, 0.2], [20.0, 0.05]];
/// How often the way between is halved: from twice as much, that is to the hundredth.
const HALVINGS: u32 = 6;
/// How many are told of each kind.
const TOLD: usize = 3;
/// Of how many turns of each kind the least is sought, or how much they help: more than are told.
const SOUGHT: usize = 6;
/// With how many lucks a change is tried, and with how many one that is told.
const LUCKS: u32 = 16;
const LUCKS_TOLD: u32 = 32;
/// What fails more seldom than this with other luck is not judged by it.
const SELDOM: f64 = 0.2;

pub(super) fn changes<P: Process + Sync>(
    bench: &Bench<'_, P>,
    report: &Report,
    before: Chance,
    effort: Effort,
    limit: u64,
    purse: &mut Purse<'_>,
) -> Changes {
    let dials = bench.scenario.dials();
    let text = bench.scenario.to_toml();
    let told_with = LUCKS_TOLD.min(effort.futures).max(1);
    // What is told in the end has to be tried with other luck, too.
    let kept_back = u64::from(told_with) * 2 * TOLD as u64;
    let left = (limit / report.events.max(1)).saturating_sub(kept_back);
    let judged_by = if before.share < SELDOM { JudgedBy::ThisLuckAlone } else { JudgedBy::OtherLuck };
    let allowed = match judged_by {
        JudgedBy::OtherLuck => Some(before.share / 2.0),
        JudgedBy::ThisLuckAlone => None,
    };
    let trial = Trial { bench, report, text: &text };
    let mut shop = Shop { trial, allowed, left, runs: 0, complete: true, purse };

    let least = shop.smallest(&dials);
    let tries: Vec<Try<'_>> =
        dials.iter().flat_map(|dial| dial.others.iter().map(move |other| (dial, other.clone()))).collect();
    let mut others = shop.all(&tries);
    others.sort_by(|one, other| one.1.total_cmp(&other.1));
    others.truncate(TOLD);

    let least: Vec<Try<'_>> = least.into_iter().map(|(dial, quantity)| (dial, quantity.written())).collect();
    let others: Vec<Try<'_>> = others.into_iter().map(|(at, _)| tries[at].clone()).collect();
    let mut tell = |tries: Vec<Try<'_>>| tries.iter().map(|it| shop.told(it, told_with)).collect();
    let (smallest, others) = (tell(least), tell(others));
    Changes {
        judged_by,
        smallest,
        others,
        dials: dials.len() as u64,
        runs: shop.runs,
        complete: shop.complete,
    }
}

/// A dial, and what it is to be.
type Try<'d> = (&'d Dial, String);

/// Where changes are tried.
struct Shop<'b, 's, 't, 'p, P: Process + Sync> {
    trial: Trial<'b, 's, P>,
    /// The share of other lucks with which it may fail all the same, if they are asked.
    allowed: Option<f64>,
    /// How many runs may still be tried.
    left: u64,
    runs: u64,
    complete: bool,
    purse: &'p mut Purse<'t>,
}

impl<P: Process + Sync> Shop<'_, '_, '_, '_, P> {
    /// The dials that have to be turned least, and how far.
    fn smallest<'d>(&mut self, dials: &'d [Dial]) -> Vec<(&'d Dial, Quantity)> {
        let mut helped: Vec<(&Dial, Quantity)> = Vec::new();
        for turns in TURNS {
            // A later turn goes further than all of these had to.
            if helped.len() >= TOLD {
                break;
            }
            let is_new = |dial: &&Dial| helped.iter().all(|(done, _)| done.path != dial.path);
            let turned = |dial: &Dial| turns.map(|by| dial.quantity.and_then(|quantity| quantity.times(by)));
            let ways: Vec<(&Dial, Quantity)> = dials
                .iter()
                .filter(is_new)
                .flat_map(|dial| turned(dial).into_iter().flatten().map(move |quantity| (dial, quantity)))
                .collect();
            let tries: Vec<Try<'_>> = ways.iter().map(|(dial, far)| (*dial, far.written())).collect();
            let helps = self.all(&tries);
            helped.extend(helps.into_iter().map(|(at, _)| ways[at]));
        }
        helped.truncate(SOUGHT);
        let mut least = self.least(helped);
        let apart = |(dial, quantity): &(&Dial, Quantity)| {
            dial.quantity.map_or(f64::INFINITY, |from| from.apart(*quantity))
        };
        least.sort_by(|one, other| apart(one).total_cmp(&apart(other)));
        let mut seen = BTreeSet::new();
        least.retain(|(dial, _)| seen.insert(&dial.path));
        least.truncate(TOLD);
        least
    }

    /// The least turn of each of these dials that helps, as far as halving the way finds it.
    fn least<'d>(&mut self, helped: Vec<(&'d Dial, Quantity)>) -> Vec<(&'d Dial, Quantity)> {
        let way = |(dial, far): (&'d Dial, Quantity)| Some((dial, dial.quantity?, far));
        let mut ways: Vec<(&Dial, Quantity, Quantity)> = helped.into_iter().filter_map(way).collect();
        for _ in 0..HALVINGS {
            let middles =
                ways.iter().enumerate().filter_map(|(at, (_, near, far))| Some((at, near.half_way(*far)?)));
            let middles: Vec<(usize, Quantity)> = middles.collect();
            let tries: Vec<Try<'_>> =
                middles.iter().map(|(at, middle)| (ways[*at].0, middle.written())).collect();
            let helps: BTreeSet<usize> = self.all(&tries).into_iter().map(|(at, _)| at).collect();
            for (number, (at, middle)) in middles.into_iter().enumerate() {
                let (_, near, far) = &mut ways[at];
                *if helps.contains(&number) { far } else { near } = middle;
            }
        }
        ways.into_iter().map(|(dial, _, far)| (dial, far)).collect()
    }

    /// Which of these changes help, by their places, and with what share of other lucks it fails all the same; as many
    /// are tried as there is effort for.
    fn all(&mut self, tries: &[Try<'_>]) -> Vec<(usize, f64)> {
        let tried = tries.len().min(self.left as usize);
        self.complete &= tried == tries.len();
        let trial = &self.trial;
        let this: Vec<(Option<Scenario>, u64)> =
            tries[..tried].par_iter().map(|it| trial.holds(it)).collect();
        self.spend(tried as u64, this.iter().map(|(_, events)| events).sum());
        let hold = this.into_iter().enumerate().filter_map(|(at, (scenario, _))| Some((at, scenario?)));
        let mut hold: Vec<(usize, Scenario)> = hold.collect();
        let Some(allowed) = self.allowed else { return hold.into_iter().map(|(at, _)| (at, 0.0)).collect() };
        let asked = hold.len().min((self.left / u64::from(LUCKS)) as usize);
        self.complete &= asked == hold.len();
        hold.truncate(asked);
        let trial = &self.trial;
        let chances: Vec<(Chance, u64)> =
            hold.par_iter().map(|(_, scenario)| trial.with_other_luck(scenario, LUCKS)).collect();
        self.spend(asked as u64 * u64::from(LUCKS), chances.iter().map(|(_, events)| events).sum());
        let shares = hold.into_iter().zip(chances).map(|((at, _), (chance, _))| (at, chance.share));
        shares.filter(|(_, share)| *share <= allowed).collect()
    }

    fn spend(&mut self, runs: u64, events: u64) {
        self.left -= runs;
        self.runs += runs;
        self.purse.spend(events);
    }

    /// A change that helps, and how much it does.
    fn told(&mut self, it: &Try<'_>, lucks: u32) -> Change {
        let scenario = changed(self.trial.text, it).expect("it has been tried");
        let (still, events) = self.trial.with_other_luck(&scenario, lucks);
        self.runs += u64::from(lucks);
        self.purse.spend(events);
        let (Dial { path, value, .. }, to) = it;
        Change { path: path.clone(), from: value.clone(), to: to.clone(), still }
    }
}

/// How a change is tried.
struct Trial<'b, 's, P> {
    bench: &'b Bench<'s, P>,
    /// The run as it was.
    report: &'b Report,
    text: &'b str,
}

impl<P: Process + Sync> Trial<'_, '_, P> {
    /// The changed scenario, if the expectation holds with it and everything that held; and how many events that took.
    fn holds(&self, it: &Try<'_>) -> (Option<Scenario>, u64) {
        let Some(scenario) = changed(self.text, it) else { return (None, 0) };
        let report = match self.run(&scenario, self.bench.seed) {
            Ok(report) => report,
            Err(events) => return (None, events),
        };
        let id = self.bench.id();
        let verdict = |id: &str| report.expect.iter().find(|it| it.id == id).map(|it| it.verdict);
        let held = self.report.expect.iter().all(|before| match before.verdict {
            Verdict::Fails => before.id != id || verdict(id) == Some(Verdict::Holds),
            Verdict::Holds | Verdict::Vacuous => verdict(&before.id) != Some(Verdict::Fails),
        });
        (held.then_some(scenario), report.events)
    }

    /// How often the expectation fails with other luck and the same plan of faults, and how many events that took.
    fn with_other_luck(&self, scenario: &Scenario, lucks: u32) -> (Chance, u64) {
        let id = self.bench.id();
        let run = |salt: u64| match self.run(scenario, self.bench.seed.redrawn(salt)) {
            Ok(report) => (report.failures().any(|failure| failure.expectation == id), report.events),
            Err(events) => (true, events),
        };
        let runs: Vec<(bool, u64)> = (0..u64::from(lucks)).into_par_iter().map(run).collect();
        (Chance::of(runs.iter().map(|(fails, _)| *fails)), runs.iter().map(|(_, events)| events).sum())
    }

    /// A run with the faults of the seed; if the expectation fails on the way, how many events it had come to.
    fn run(&self, scenario: &Scenario, luck: Seed) -> Result<Report, u64> {
        let variation = Variation { luck, ..Variation::of(self.bench.seed) };
        let mut run: Simulation<Ledger, P> = Simulation::with(scenario, variation, Ledger::new(scenario));
        let expected = scenario.expectations.iter().find(|expected| expected.id == self.bench.id());
        if play_until_failed(&mut run, Time::START + scenario.length, expected) {
            return Err(run.world().events());
        }
        Ok(run.into_report(scenario, luck))
    }
}

/// The scenario with another value; none if that cannot be run.
fn changed(text: &str, (dial, value): &Try<'_>) -> Option<Scenario> {
    let set = Override::new(format!("{}={value}", dial.path));
    schism_scenario::load("scenario.toml", text, &[set]).ok().map(|loaded| loaded.scenario)
}
