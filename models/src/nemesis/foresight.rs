//! Foresight: whom the faults of a plan will strike, where that is certain before the run.

use schism_core::{NodeId, NodeSet, Seed, Time, ZoneId};

use super::aim::{Base, Select, Target, service};
use super::find::Finder;
use super::plan::{Planned, unborn};
use super::{Fault, Nature, Scale, Standing, Wants, Way};

/// What is known before a run of who will be there.
#[derive(Clone, Debug)]
pub struct Foresight {
    zones: Vec<ZoneId>,
    unborn: NodeSet,
    changes: Vec<Change>,
    seed: Seed,
}

/// A fault that brings instances of a service, or takes some away.
#[derive(Clone, Debug)]
struct Change {
    /// Not before this.
    from: Time,
    /// Its name.
    id: String,
    /// The first of the service's own instances.
    service: NodeId,
}

impl Foresight {
    /// What is known of a plan with this seed. `zones` has the zone of every node, by number.
    pub fn new(plan: &[Planned], zones: Vec<ZoneId>, seed: Seed) -> Foresight {
        let changes = plan.iter().filter(|planned| planned.fault.wants() == Wants::Service);
        let change = |planned: &Planned| Change {
            from: planned.starts(seed).unwrap_or(Time::START),
            id: planned.id.clone(),
            service: service(planned.fault.sides()[0])[0],
        };
        Foresight { zones, unborn: unborn(plan.iter()), changes: changes.map(change).collect(), seed }
    }

    /// Whom a fault of the plan will strike, side by side, where that is certain or drawn by its own luck alone; `None`
    /// where it depends on who leads, or on what another fault brings or takes away before.
    pub fn whom(&self, planned: &Planned) -> Option<Vec<Vec<NodeId>>> {
        let chosen = planned.chosen(self.seed);
        if let Fault::Scale(Scale { way: Way::Out(_), spares, .. }) = chosen {
            return Some(vec![spares.clone()]);
        }
        let sides: Vec<_> = chosen.sides().into_iter().map(<[_]>::to_vec).collect();
        if !sides.iter().flatten().all(|target| self.is_certain(target, planned)) {
            return None;
        }
        if let Fault::Scale(Scale { way: Way::In(count), targets, .. }) = chosen {
            let own = service(targets);
            return Some(vec![own[own.len() - *count as usize..].to_vec()]);
        }
        let mut finder =
            Finder::before(&self.zones, &self.unborn, planned.luck(self.seed, super::hand::TARGETS, 0));
        // The two of each pair are told apart pair by pair: a node may stand in several.
        let at_once = match chosen.standing() {
            Standing::OnOneSide => sides.len().max(1),
            Standing::Anywhere => 2,
        };
        let found = sides.chunks(at_once).flat_map(|sides| finder.find_sides(sides));
        Some(found.map(|side| side.without(&self.unborn).iter().collect()).collect())
    }

    /// Whether a target of a fault means the same whatever the run does.
    fn is_certain(&self, target: &Target, by: &Planned) -> bool {
        let begins = by.starts(self.seed).unwrap_or(Time::END);
        let mut before = self.changes.iter().filter(|change| change.from <= begins && change.id != by.id);
        let stays = match &target.base {
            Base::Node(_) | Base::Rest => true,
            Base::Group(own) => !before.any(|change| own.first() == Some(&change.service)),
            Base::Zone(_) => before.next().is_none(),
        };
        stays && !target.select.as_ref().is_some_and(Select::depends_on_the_leader)
    }
}
