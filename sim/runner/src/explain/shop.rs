//! The shop: where dials are turned until something helps, and turned back until it just does.

use std::collections::BTreeSet;

use rayon::prelude::*;
use schism_models::node::Process;
use schism_scenario::{Dial, Quantity, Scenario};

use super::changes::{Change, Figure, JudgedBy, TOLD, effect};
use super::paired::Fates;
use super::purse::Purse;
use super::trial::{BREAKS, Trial};

/// A dial, and what it is to be.
pub(super) type Try<'d> = (&'d Dial, String);

/// By how much a dial is turned, one turn after the other. Between the first that helps and none the least is sought.
const TURNS: [[f64; 2]; 3] = [[2.0, 0.5], [5.0, 0.2], [20.0, 0.05]];
/// How often the way between is halved: from twice as much, that is to the hundredth.
const HALVINGS: u32 = 6;
/// Of how many turns of each kind the least is sought, or how much they help: more than are told.
const SOUGHT: usize = 6;
/// With how many lucks a change is tried.
const LUCKS: u32 = 16;
/// How many times as far a dial is turned to see whether more of the same helps at least as much.
const FURTHER: [f64; 2] = [1.5, 3.0];

/// Where changes are tried.
pub(super) struct Shop<'b, 's, 't, 'p, P: Process + Sync> {
    pub(super) trial: Trial<'b, 's, P>,
    pub(super) judged_by: JudgedBy,
    /// How many runs may still be tried.
    pub(super) left: u64,
    pub(super) runs: u64,
    pub(super) complete: bool,
    pub(super) purse: &'p mut Purse<'t>,
}

impl<P: Process + Sync> Shop<'_, '_, '_, '_, P> {
    /// The dials that have to be turned least, and how far.
    pub(super) fn smallest(&mut self, dials: &[Dial], breaking: &mut Vec<Change>) -> Vec<Change> {
        let mut helped: Vec<(&Dial, Quantity)> = Vec::new();
        for turns in TURNS {
            // A later turn goes further than all of these had to.
            if helped.len() >= SOUGHT {
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
        let apart = |(dial, near, _): &(&Dial, Quantity, Quantity)| {
            dial.quantity.map_or(f64::INFINITY, |from| from.apart(*near))
        };
        least.sort_by(|one, other| apart(one).total_cmp(&apart(other)));
        let mut seen = BTreeSet::new();
        let mut told: Vec<Change> = Vec::new();
        for (dial, near, far) in least {
            if told.len() >= TOLD {
                break;
            }
            if !seen.contains(&dial.path)
                && let Some(change) = self.confirmed(dial, near, far)
            {
                seen.insert(&dial.path);
                if breaks(&change) { breaking.push(change) } else { told.push(change) }
            }
        }
        // What helps for its direction comes before what helps at one value.
        told.sort_by_key(|change| change.only_here);
        told
    }

    /// Other words, those that help most first.
    pub(super) fn others(&mut self, tries: &[Try<'_>], breaking: &mut Vec<Change>) -> Vec<Change> {
        let mut helped = self.all(tries);
        helped.sort_by(|one, other| one.1.total_cmp(&other.1));
        let mut told: Vec<Change> = Vec::new();
        for (at, _) in helped.into_iter().take(SOUGHT) {
            if told.len() < TOLD
                && let Some(change) = self.told(&tries[at], None)
            {
                if breaks(&change) { breaking.push(change) } else { told.push(change) }
            }
        }
        told
    }

    /// The least turn of each of these dials that helps, as far as halving the way finds it; and one that is known to.
    fn least<'d>(&mut self, helped: Vec<(&'d Dial, Quantity)>) -> Vec<(&'d Dial, Quantity, Quantity)> {
        let way = |(dial, far): (&'d Dial, Quantity)| Some((dial, dial.quantity?, far));
        let mut ways: Vec<(&Dial, Quantity, Quantity)> = helped.iter().copied().filter_map(way).collect();
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
        let known =
            |dial: &Dial| helped.iter().find(|(other, _)| other.path == dial.path).map(|(_, far)| *far);
        ways.into_iter().map(|(dial, _, far)| (dial, far, known(dial).unwrap_or(far))).collect()
    }

    /// The change as one would write it down; a larger one, if it takes that to help with all the lucks that there are.
    fn confirmed(&mut self, dial: &Dial, near: Quantity, far: Quantity) -> Option<Change> {
        let from = dial.quantity?;
        let mut amounts = vec![near.plain(from)];
        amounts.extend(near.half_way(far).map(|middle| middle.plain(from)));
        amounts.extend([far.plain(from), near]);
        let mut tried = BTreeSet::new();
        amounts.into_iter().find_map(|amount| {
            tried.insert(amount).then(|| self.told(&(dial, amount.written()), Some((from, amount)))).flatten()
        })
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
        if self.judged_by == JudgedBy::ThisLuckAlone {
            return hold.into_iter().map(|(at, _)| (at, 0.0)).collect();
        }
        let lucks = LUCKS.min(self.trial.before.0.len() as u32);
        let asked = hold.len().min((self.left / u64::from(lucks)) as usize);
        self.complete &= asked == hold.len();
        hold.truncate(asked);
        let trial = &self.trial;
        let fates: Vec<(Fates, u64)> =
            hold.par_iter().map(|(_, scenario)| trial.futures(scenario, lucks)).collect();
        self.spend(asked as u64 * u64::from(lucks), fates.iter().map(|(_, events)| events).sum());
        let judged = hold.into_iter().zip(fates).map(|((at, _), (fates, _))| (at, fates));
        let helps = judged.filter(|(_, fates)| fates.halves(&self.trial.before));
        helps.map(|(at, fates)| (at, fates.chance().share)).collect()
    }

    fn spend(&mut self, runs: u64, events: u64) {
        self.left = self.left.saturating_sub(runs);
        self.runs += runs;
        self.purse.spend(events);
    }

    /// A change with all that is told of it, if it helps in all the futures that there are.
    fn told(&mut self, it: &Try<'_>, turned: Option<(Quantity, Quantity)>) -> Option<Change> {
        let (scenario, events) = self.trial.holds(it);
        self.count(1, events);
        let scenario = scenario?;
        let futures = self.trial.before.0.len() as u32;
        let (fates, events) = self.trial.futures(&scenario, futures);
        self.count(u64::from(futures), events);
        let helps = fates.halves(&self.trial.before) && fates.is_better_than(&self.trial.before);
        if self.judged_by == JudgedBy::OtherLuck && !helps {
            return None;
        }
        let (prices, events) = self.trial.prices(&scenario);
        self.count(futures.min(8).into(), events);
        let (Dial { path, value, .. }, to) = it;
        Some(Change {
            path: path.clone(),
            from: value.clone(),
            to: to.clone(),
            effect: effect(self.trial.scenario(), &scenario),
            still: fates.chance(),
            was: self.trial.before.chance(),
            only_here: turned.is_some_and(|turned| self.is_only_here(it.0, turned, &fates)),
            prices,
        })
    }

    /// Whether more of a turn that helps fails more often, and not by chance.
    fn is_only_here(&mut self, dial: &Dial, (from, to): (Quantity, Quantity), here: &Fates) -> bool {
        if self.judged_by == JudgedBy::ThisLuckAlone {
            return false;
        }
        let futures = (here.0.len() as u32 / 2).max(1);
        FURTHER.into_iter().any(|times| {
            let by = if to > from { times } else { 1.0 / times };
            let Some(far) = to.times(by) else { return false };
            let Some(scenario) = self.trial.changed(&(dial, far.plain(from).written())) else { return false };
            let (there, events) = self.trial.futures(&scenario, futures);
            self.count(u64::from(futures), events);
            here.first(there.0.len()).is_better_than(&there)
        })
    }

    /// So many more runs, which were kept back for it.
    fn count(&mut self, runs: u64, events: u64) {
        self.runs += runs;
        self.purse.spend(events);
    }
}

/// Whether a change avoids the failure by breaking what clients are there for.
fn breaks(change: &Change) -> bool {
    let is_broken = |from: f64, to: f64| from - to > BREAKS;
    change.prices.iter().any(|price| price.of == Figure::Success && is_broken(price.from, price.to))
}
