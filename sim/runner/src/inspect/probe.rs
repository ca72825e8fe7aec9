//! The probe: the witness of a run that is looked at. The ledger, and what it does not keep: since when everyone thinks
//! what they think, which faults are in force, when the last events were.

use std::collections::{BTreeMap, VecDeque};

use schism_core::{Deed, Effect, Fault, FaultId, NodeId, Scene, Status, Swallowed, Time, Traced, Witness};
use schism_models::nemesis::{Audience, Struck};
use schism_models::node::Process;
use schism_models::observation::{Cause, Observation, Write};
use schism_models::oracle::{Change, Opinion};
use schism_scenario::Scenario;

use super::locks::Locks;
use crate::Ledger;

/// What a run is looked at through.
#[derive(Clone)]
pub(crate) struct Probe {
    pub(crate) ledger: Ledger,
    /// By instance and observer: what it thinks, and since when.
    pub(crate) minds: BTreeMap<(NodeId, NodeId), (Opinion, Time)>,
    /// How often anybody has changed its mind about an instance.
    pub(crate) turns: BTreeMap<NodeId, u64>,
    /// Whether each process runs, and since when: of those that have ever changed.
    pub(crate) statuses: BTreeMap<NodeId, (Status, Time)>,
    /// How often each fault of the plan has begun, and been healed.
    pub(crate) begun: BTreeMap<usize, u64>,
    pub(crate) healed: BTreeMap<usize, u64>,
    /// The faults in force, and since when.
    pub(crate) active: BTreeMap<usize, Time>,
    pub(crate) leader_changes: u64,
    pub(crate) expiries: u64,
    /// The latest term that had a leader, and the latest write seen committed.
    term: u64,
    committed: u64,
    /// What has been observed of locks.
    pub(super) locks: Locks,
    /// How many deeds of the driver there have been.
    pub(crate) deeds: u64,
    /// When the newest events were; the last is the latest.
    times: VecDeque<Time>,
    events: u64,
}

/// Of how many events the times are kept: older ones are not known any more.
const TIMES: usize = 1 << 17;

impl Probe {
    pub(crate) fn new(scenario: &Scenario) -> Probe {
        Probe {
            ledger: Ledger::new(scenario),
            minds: BTreeMap::new(),
            turns: BTreeMap::new(),
            statuses: BTreeMap::new(),
            begun: BTreeMap::new(),
            healed: BTreeMap::new(),
            active: BTreeMap::new(),
            leader_changes: 0,
            expiries: 0,
            term: 0,
            committed: 0,
            locks: Locks::default(),
            deeds: 0,
            times: VecDeque::new(),
            events: 0,
        }
    }

    /// When something happened, if it was lately.
    pub(crate) fn time_of(&self, cause: schism_core::Cause) -> Option<Time> {
        match cause {
            schism_core::Cause::Start => Some(Time::START),
            schism_core::Cause::Event(number) => {
                let ago = usize::try_from(self.events.checked_sub(number)?).ok()?;
                self.times.get(self.times.len().checked_sub(ago + 1)?).copied()
            }
            schism_core::Cause::Deed(_) => None,
        }
    }

    fn follow_changes(&mut self, now: Time) {
        for change in self.ledger.record.opinions.changes() {
            match *change {
                Change::Turns { observer, service, place, to, .. } => {
                    let subject = self.ledger.record.cast.instance(service, place);
                    self.minds.insert((subject, observer), (to, now));
                    *self.turns.entry(subject).or_default() += 1;
                }
                Change::Takes(..) | Change::Drops(..) => {}
            }
        }
    }

    fn on_write(&mut self, now: Time, write: Write) {
        if let Write::Claim { by, lock } = write {
            self.locks.claim(lock, by, now);
        } else if let Write::Release { by, lock, cause } = write {
            self.locks.drop_claim(lock, by, cause, now);
        } else if let Write::Remove(_, Cause::Expired) | Write::Revoke(Cause::Expired) = write {
            self.expiries += 1;
        }
    }
}

impl<P: Process> Witness<P> for Probe {
    const TRACES: bool = true;

    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        Witness::<P>::observe(&mut self.ledger, scene, by, seen);
        // The words of the triggers, as the nemesis hears them; the rest is the ledger's.
        if let Observation::Leads { term } = *seen
            && term > self.term
        {
            // The first leader of a run is no change of leader.
            self.leader_changes += u64::from(self.term > 0);
            self.term = term;
        } else if let Observation::Committed { at, write } = *seen
            && at > self.committed
        {
            self.committed = at;
            self.on_write(scene.now(), write);
        } else if let Observation::Wrote(write) = *seen {
            self.on_write(scene.now(), write);
        } else if matches!(seen, Observation::View(_) | Observation::Believes { .. } | Observation::Blind(_))
        {
            self.follow_changes(scene.now());
        } else if let Observation::Acquired { lock, token } = *seen {
            self.locks.acquired(lock, by, token, scene.now());
        } else if let Observation::Released { lock } | Observation::LockLost { lock } = *seen {
            self.locks.given_up(lock, by);
        }
    }

    fn on_fault(&mut self, scene: &Scene<'_>, fault: &Fault) {
        Witness::<P>::on_fault(&mut self.ledger, scene, fault);
        self.follow_changes(scene.now());
        if let Fault::Crash(node, _) = *fault {
            self.locks.died(node);
        }
        if let Fault::Crash(node, _) | Fault::Restart(node) | Fault::Pause(node) | Fault::Resume(node) =
            *fault
        {
            let status = scene.status(node);
            if self.statuses.get(&node).is_none_or(|&(before, _)| before != status) {
                self.statuses.insert(node, (status, scene.now()));
            }
        }
    }

    fn on_exit(&mut self, scene: &Scene<'_>, node: NodeId, by: FaultId) {
        Witness::<P>::on_exit(&mut self.ledger, scene, node, by);
    }

    fn on_effects(&mut self, scene: &Scene<'_>, by: NodeId, effects: &[Effect<P>]) {
        Witness::<P>::on_effects(&mut self.ledger, scene, by, effects);
    }

    fn on_event(&mut self, scene: &Scene<'_>, event: &Traced<'_, P>) {
        self.events = event.number;
        if self.times.len() == TIMES {
            self.times.pop_front();
        }
        self.times.push_back(scene.now());
    }

    fn on_deed(&mut self, _: &Scene<'_>, deed: &Deed<'_, P>) {
        self.deeds = deed.number;
    }

    fn on_swallowed(&mut self, _: &Scene<'_>, _: &Swallowed<'_, P>) {}

    fn wants_attention(&self) -> bool {
        Witness::<P>::wants_attention(&self.ledger)
    }
}

impl Audience for Probe {
    fn fault_began(&mut self, scene: &Scene<'_>, fault: usize, struck: &Struck) {
        *self.begun.entry(fault).or_default() += 1;
        self.active.insert(fault, scene.now());
        self.ledger.fault_began(scene, fault, struck);
    }

    fn fault_healed(&mut self, scene: &Scene<'_>, fault: usize, touched: u64) {
        *self.healed.entry(fault).or_default() += 1;
        self.active.remove(&fault);
        self.ledger.fault_healed(scene, fault, touched);
    }

    fn fault_lasts(&mut self, fault: usize, touched: u64) {
        self.ledger.fault_lasts(fault, touched);
    }
}
