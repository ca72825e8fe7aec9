//! Steady: who has been up without a break since the registry last had a sign of life of it.

use schism_core::{Fault, NodeId, Time};

use super::Cast;
use crate::observation::{Observation, Write};

/// Who has been up without a break since the registry last had a sign of life of it.
///
/// A break is a death or a pause. A sign of life that ends it is one that comes after it: the write by which the instance is
/// registered or healthy again, or the answer that its lease lives on. What was held for a paused process and reaches it at the
/// moment at which it goes on is older than the pause, and no sign of life after it.
#[derive(Clone, Debug)]
pub struct Steady(Vec<State>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Up, and heard of since it last was not.
    Steady,
    /// Dead, paused, or both.
    Broken,
    /// Up again since then, and not heard of yet.
    Back(Time),
}

impl Steady {
    pub(super) fn new(cast: &Cast) -> Steady {
        Steady(vec![State::Steady; cast.nodes()])
    }

    /// Whether a node has been up without a break since the registry last had a sign of life of it.
    pub fn is(&self, node: NodeId) -> bool {
        self.0[node.index()] == State::Steady
    }

    pub(super) fn observe(&mut self, now: Time, by: NodeId, seen: &Observation) {
        if let Observation::Renewed = seen {
            self.hear_of(now, by);
        }
        if let Observation::Committed { write, .. } | Observation::Wrote(write) = *seen
            && let Write::Register(node) | Write::Recover(node) = write
        {
            self.hear_of(now, node);
        }
    }

    pub(super) fn on_fault(&mut self, now: Time, fault: &Fault) {
        if let Fault::Crash(node, _) | Fault::Pause(node) = fault {
            self.0[node.index()] = State::Broken;
        }
        if let Fault::Restart(node) | Fault::Resume(node) = fault {
            self.0[node.index()] = State::Back(now);
        }
    }

    fn hear_of(&mut self, now: Time, node: NodeId) {
        let state = &mut self.0[node.index()];
        match *state {
            State::Back(since) if since < now => *state = State::Steady,
            State::Back(_) | State::Steady | State::Broken => {}
        }
    }
}
