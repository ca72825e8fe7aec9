//! The plot: what of `[chaos]` a stage allows, and the faults that a seed draws of it.

use schism_core::{Duration, Seed};

use super::budget::{Budget, Claim};
use super::hand::Hand;
use super::kinds::{Blow, CATALOG, Kind, Lasts};
use super::{Chaos, Window};
use crate::check::{self, Stage};
use crate::diagnostics::{Problem, Report};
use crate::grammar::FAULT;
use crate::read;
use crate::reader::Section;
use crate::source::Place;
use crate::spec::{FaultSpec, Written};
use crate::swarm::quantity::{Quantity, Unit, between};
use crate::tree;

/// `[chaos]` with all that it leaves open decided by the stage.
pub(crate) struct Plot {
    place: Place,
    stage: Stage,
    most_down: Vec<u32>,
    /// Each kind with the groups that it may strike.
    kinds: Vec<(&'static Kind, Vec<usize>)>,
    window: Window,
    faults: (u32, u32),
    at_once: u32,
}

/// How often a fault is drawn anew that does not fit beside those before it. A fault for which that is not enough is left
/// out: the budget is then full.
const DRAWS: u32 = 32;

impl Plot {
    /// What this scenario allows; `None` if that is nothing, which is reported.
    pub(crate) fn new(chaos: &Chaos, written: &Written, report: &Report) -> Option<Plot> {
        let errors = report.errors();
        // What is wrong with the cast or the length, the check says.
        let stage = check::stage(written)?;
        written.length?;
        let most_down = chaos.most_down(&stage, report);
        let window = chaos.window(written, report);
        let kinds = kinds(chaos, &stage, &most_down, report);
        if report.errors() > errors {
            return None;
        }
        if kinds.is_empty() && chaos.faults.1 > 0 {
            let help = "name other families or groups, or let more of a group be down with `max-down`";
            let message = "there is nobody here whom any of the families could strike";
            report.add(Problem::error(chaos.place, message).help(help));
            return None;
        }
        let (faults, at_once) = (chaos.faults, chaos.at_once);
        Some(Plot { place: chaos.place, stage, most_down, kinds, window: window?, faults, at_once })
    }

    /// The faults that a seed draws. `is_right` says whether a plan would be taken, of which all but the last fault have
    /// been; what it refuses is drawn anew.
    pub(crate) fn draw(&self, seed: Seed, is_right: &mut dyn FnMut(&[FaultSpec]) -> bool) -> Vec<FaultSpec> {
        let (least, most) = self.faults;
        let count = least + seed.luck("chaos", "count", 0).below(most - least + 1);
        // Hardly ever is anything refused: all at once first.
        let plan = self.plan(seed, count, &mut |_| true);
        if is_right(&plan) {
            return plan;
        }
        let plan = self.plan(seed, count, is_right);
        is_right(&plan);
        plan
    }

    fn plan(&self, seed: Seed, count: u32, is_right: &mut dyn FnMut(&[FaultSpec]) -> bool) -> Vec<FaultSpec> {
        let mut budget = Budget::new(self.at_once, &self.most_down);
        let mut plan = Vec::new();
        for number in 1..=count {
            for draw in 0..DRAWS {
                let Some((spec, claim)) =
                    self.one(seed, number, draw).filter(|(_, claim)| budget.allows(claim))
                else {
                    continue;
                };
                plan.push(spec);
                if is_right(&plan) {
                    budget.take(claim);
                    break;
                }
                plan.pop();
            }
        }
        plan
    }

    /// The fault of this number, drawn from its own luck alone.
    fn one(&self, seed: Seed, number: u32, draw: u32) -> Option<(FaultSpec, Claim)> {
        let id = format!("chaos-{number}");
        let mut luck = seed.luck(&id, "chaos", draw);
        let (kind, on) = &self.kinds[luck.below(self.kinds.len() as u32) as usize];
        let time = |from: Duration, to: Duration, unit, draw| {
            let of = |time: Duration| Quantity { unit, parts: time.as_nanos() };
            Duration::from_nanos(between(of(from), of(to), draw).parts)
        };
        let Window { begins, lasts, heal_by } = self.window;
        let (when, how_long) = (luck.draw(), luck.draw());
        // Every moment is as likely, in whole milliseconds; and every order of magnitude of how long it lasts.
        let at = time(begins.0, begins.1, Unit::Count, when);
        let at = Duration::from_nanos(at.as_nanos() / MILLISECOND * MILLISECOND).max(begins.0);
        let lasts = time(lasts.0, lasts.1.min(heal_by.saturating_sub(at)).max(lasts.0), Unit::Time, how_long);
        let mut hand = Hand { stage: &self.stage, most_down: &self.most_down, on, luck };
        let blow = (kind.draw)(&mut hand)?;
        let to = match blow.lasts {
            Lasts::ATime => at + lasts,
            Lasts::AMoment => at,
        };
        let spec = self.spec(&id, at, lasts, &blow);
        Some((spec, Claim { from: at, to, down: blow.down }))
    }

    /// As if it had been written where `[chaos]` is.
    fn spec(&self, id: &str, at: Duration, lasts: Duration, blow: &Blow) -> FaultSpec {
        let lasts = match blow.lasts {
            Lasts::ATime => format!("for = \"{lasts}\", "),
            Lasts::AMoment => String::new(),
        };
        let what = &blow.what;
        // What chaos does may be in vain: a run in which it is says less, and not nothing.
        let text =
            format!("{{ id = \"{id}\", at = \"{at}\", {lasts}{what}, may-miss = true, may-overlap = true }}");
        let mut tree = tree::parse_value(0, 0, &text).unwrap_or_else(|| panic!("`{text}` is TOML"));
        tree.move_to(self.place);
        let report = Report::default();
        let spec = read::fault::read(&Section::open("fault", self.place, Some(&tree), FAULT, &report));
        assert!(!report.has_errors(), "`{text}` is a fault: {report:?}");
        spec
    }
}

const MILLISECOND: u64 = 1_000_000;

/// The kinds that can strike somebody. One that is asked for and cannot is reported.
fn kinds(
    chaos: &Chaos,
    stage: &Stage,
    most_down: &[u32],
    report: &Report,
) -> Vec<(&'static Kind, Vec<usize>)> {
    let strikes = |kind: &Kind, on: &[usize]| {
        let luck = Seed(0).luck("chaos", "anybody", 0);
        (kind.draw)(&mut Hand { stage, most_down, on, luck }).is_some()
    };
    let Some(families) = &chaos.families else {
        let on = chaos.groups(None, stage, report);
        let usual = CATALOG.iter().filter(|kind| kind.by_default && strikes(kind, &on));
        return usual.map(|kind| (kind, on.clone())).collect();
    };
    let mut kinds = Vec::new();
    for family in families {
        let on = chaos.groups(family.on.as_deref(), stage, report);
        if strikes(family.kind, &on) {
            kinds.push((family.kind, on));
        } else if !report.has_errors() {
            let message = format!("`{}` can strike nobody here: {}", family.kind.name, family.kind.about);
            let help = "name other groups, let more of a group be down with `max-down`, or leave it out";
            report.add(Problem::error(family.place, message).help(help));
        }
    }
    kinds
}
