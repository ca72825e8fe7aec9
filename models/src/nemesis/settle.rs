//! A plan settled by a seed: what the luck of its faults decides before the run is written as it came out.

use schism_core::{NodeSet, Seed, ZoneId};

use super::aim::{Base, Select, Target};
use super::find::Finder;
use super::foresight::Foresight;
use super::plan::{OnOverlap, Planned, Start, Wait, spans, unborn};
use super::{Fault, Nature, Partition, Standing};

/// The plan with times instead of intervals and of waits for other faults, the chosen fault instead of a choice, and
/// names instead of drawn targets, as far as that is known before the run. `zones` has the zone of every node, by number.
///
/// Each fault owns its luck, so nothing else in the run changes. What stays drawn: a start that waits for something that
/// only the run shows, targets that depend on who leads or on whom another fault brings, and shapes of partitions that
/// go on drawing from the luck that found their targets.
pub fn settled(plan: &[Planned], zones: Vec<ZoneId>, seed: Seed) -> Vec<Planned> {
    let spans = spans(plan, &zones, seed);
    let unborn = unborn(plan.iter());
    let foresight = Foresight::new(plan, zones.clone(), seed);
    let settle = |(planned, begins): (&Planned, Option<_>)| {
        let start = begins.map_or_else(|| planned.waiting(seed), Start::At);
        let fault = planned.chosen(seed);
        let fault = if foresight.whom(planned).is_some() && finds_them_once(fault) {
            planned.named(fault, &zones, &unborn, seed)
        } else {
            fault.clone()
        };
        if start == planned.start && fault == planned.fault {
            return planned.clone();
        }
        // That two faults met on one node was drawn: it is no mistake of whoever wrote them.
        Planned { start, fault, on_overlap: OnOverlap::Fine, ..planned.clone() }
    };
    plan.iter().zip(spans.iter().map(|span| span.from)).map(settle).collect()
}

/// Whether a fault looks for its targets once, side by side, and draws nothing more from the luck that finds them.
fn finds_them_once(fault: &Fault) -> bool {
    if let Fault::Partition(Partition { shape, .. }) = fault {
        !shape.is_drawn() && fault.standing() == Standing::OnOneSide
    } else {
        fault.sides().len() == 1
    }
}

impl Planned {
    /// When it begins, if that is for the run to show: the wait is as the seed draws it.
    fn waiting(&self, seed: Seed) -> Start {
        match self.start {
            Start::When(trigger, wait) => {
                let after = self.wait(seed, wait);
                Start::When(trigger, Wait { least: after, most: after })
            }
            Start::At(_) | Start::Between(..) => self.start,
        }
    }

    /// The fault with each drawn target replaced by the nodes that this seed draws for it.
    fn named(&self, fault: &Fault, zones: &[ZoneId], unborn: &NodeSet, seed: Seed) -> Fault {
        let mut finder = Finder::before(zones, unborn, self.luck(seed, super::hand::TARGETS, 0));
        let mut name = |targets: Vec<Target>| {
            let each = targets.into_iter().flat_map(|target| {
                if !is_drawn(&target) {
                    return vec![target];
                }
                let found: NodeSet = finder.find_all(std::slice::from_ref(&target));
                found.iter().map(|node| Target { base: Base::Node(node), select: None }).collect()
            });
            Some(each.collect())
        };
        fault.clone().aim(&mut name).expect("every target means somebody")
    }
}

impl Planned {
    /// Whether the seed decides something of it: when it begins, what it is, whom it strikes or whom it parts.
    pub fn draws(&self) -> bool {
        let when = match self.start {
            Start::At(_) => false,
            Start::Between(from, to) => from != to,
            Start::When(_, Wait { least, most }) => least != most,
        };
        let whom = self
            .fault
            .sides()
            .into_iter()
            .flatten()
            .any(|target| is_drawn(target) || target.select == Some(Select::Minority));
        let shape = if let Fault::Partition(partition) = &self.fault {
            partition.shape.is_drawn()
        } else {
            self.fault.alternatives().len() > 1
        };
        when || whom || shape
    }
}

fn is_drawn(target: &Target) -> bool {
    match target.select {
        Some(Select::Pick(_) | Select::Share(_) | Select::Majority) => true,
        None | Some(Select::Leader | Select::Followers | Select::Minority | Select::In(_)) => false,
    }
}
