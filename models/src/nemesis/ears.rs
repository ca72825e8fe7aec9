//! The nemesis's ears: what it listens for while it waits, beside whoever else watches.

use schism_core::{
    Actor, Deed, Effect, Fault as Primitive, FaultId, NodeId, Scene, Swallowed, Traced, Witness,
};

use super::Trigger;
use super::strike::{Audience, Struck};
use crate::observation::{Cause, Observation, Write};

/// A witness, and what the nemesis hears of what that is told.
#[derive(Clone, Debug)]
pub struct Ears<W> {
    /// Whoever else watches.
    pub audience: W,
    listening: Listening,
    /// What has been heard and not yet been acted on.
    heard: Vec<Heard>,
    /// The latest term that had a leader.
    term: u64,
    /// The latest write seen committed.
    committed: u64,
}

/// What has been heard.
#[derive(Clone, Copy, Debug)]
pub enum Heard {
    /// Something that a fault may wait for.
    Trigger(Trigger),
    /// A process has died by its own hand, because of a fault.
    Exit(NodeId, FaultId),
}

/// Whether any fault waits for something that can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listening {
    Yes,
    No,
}

impl<W> Ears<W> {
    pub(super) fn new(audience: W, listening: Listening) -> Ears<W> {
        Ears { audience, listening, heard: Vec::new(), term: 0, committed: 0 }
    }

    /// What has been heard since this was asked last.
    pub fn take(&mut self) -> Vec<Heard> {
        std::mem::take(&mut self.heard)
    }

    fn listen(&mut self, seen: &Observation) {
        match *seen {
            Observation::Leads { term } if term > self.term => {
                // The first leader of a run is no change of leader.
                if self.term > 0 {
                    self.heard.push(Heard::Trigger(Trigger::LeaderChanges));
                }
                self.term = term;
            }
            Observation::Committed { at, write } if at > self.committed => {
                self.committed = at;
                self.listen_to(write);
            }
            Observation::Wrote(write) => self.listen_to(write),
            Observation::Offered
            | Observation::Attempt { .. }
            | Observation::Done { .. }
            | Observation::Served { .. }
            | Observation::View(_)
            | Observation::Believes { .. }
            | Observation::Blind(_)
            | Observation::Registered
            | Observation::Renewed
            | Observation::LeaseLost
            | Observation::Leads { .. }
            | Observation::Deposed { .. }
            | Observation::Read
            | Observation::Committed { .. }
            | Observation::Extended
            | Observation::Deems { .. }
            | Observation::Acquired { .. }
            | Observation::Released { .. }
            | Observation::LockLost { .. }
            | Observation::GuardedWrite { .. }
            | Observation::Called { .. }
            | Observation::Written { .. }
            | Observation::Fetched { .. }
            | Observation::Unanswered { .. }
            | Observation::Saw { .. }
            | Observation::Holds { .. } => {}
        }
    }

    fn listen_to(&mut self, write: Write) {
        if let Write::Remove(_, Cause::Expired)
        | Write::Revoke(Cause::Expired)
        | Write::Release { cause: Cause::Expired, .. } = write
        {
            self.heard.push(Heard::Trigger(Trigger::LeaseExpires));
        }
    }
}

impl<A: Actor<Observation = Observation>, W: Witness<A>> Witness<A> for Ears<W> {
    const TRACES: bool = W::TRACES;

    #[inline]
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        if self.listening == Listening::Yes {
            self.listen(seen);
        }
        self.audience.observe(scene, by, seen);
    }

    fn on_fault(&mut self, scene: &Scene<'_>, fault: &Primitive) {
        self.audience.on_fault(scene, fault);
    }

    fn on_exit(&mut self, scene: &Scene<'_>, node: NodeId, by: FaultId) {
        self.heard.push(Heard::Exit(node, by));
        self.audience.on_exit(scene, node, by);
    }

    fn on_event(&mut self, scene: &Scene<'_>, event: &Traced<'_, A>) {
        self.audience.on_event(scene, event);
    }

    fn on_deed(&mut self, scene: &Scene<'_>, deed: &Deed<'_, A>) {
        self.audience.on_deed(scene, deed);
    }

    fn on_swallowed(&mut self, scene: &Scene<'_>, swallowed: &Swallowed<'_, A>) {
        self.audience.on_swallowed(scene, swallowed);
    }

    #[inline]
    fn on_effects(&mut self, scene: &Scene<'_>, by: NodeId, effects: &[Effect<A>]) {
        self.audience.on_effects(scene, by, effects);
    }

    #[inline]
    fn wants_attention(&self) -> bool {
        !self.heard.is_empty()
    }
}

impl<W: Audience> Audience for Ears<W> {
    fn fault_acts(&mut self, fault: usize) {
        self.audience.fault_acts(fault);
    }

    fn fault_began(&mut self, scene: &Scene<'_>, fault: usize, struck: &Struck) {
        self.audience.fault_began(scene, fault, struck);
    }

    fn fault_healed(&mut self, scene: &Scene<'_>, fault: usize, touched: u64) {
        self.audience.fault_healed(scene, fault, touched);
    }

    fn fault_lasts(&mut self, fault: usize, touched: u64) {
        self.audience.fault_lasts(fault, touched);
    }
}
