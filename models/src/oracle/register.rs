//! The register: the registry's committed state, as far as instances go, read off the writes that members apply.

use schism_core::NodeId;

use super::Cast;
use crate::observation::Write;

/// Which instances are in the registry's committed state.
#[derive(Clone, Debug)]
pub struct Register {
    listed: Vec<bool>,
    /// The revision that was applied last by the member that is furthest.
    furthest: Option<u64>,
    /// What was committed with the last observation, if anything.
    fresh: Option<Write>,
}

impl Register {
    /// Before the first write.
    pub fn new(cast: &Cast) -> Register {
        let nodes = (0..cast.nodes() as u32).map(NodeId);
        let listed = nodes.map(|node| cast.is_listed_at_first(node)).collect();
        Register { listed, furthest: None, fresh: None }
    }

    /// Whether a node is registered. Members always are, and so is everyone where nobody registers.
    #[inline]
    pub fn lists(&self, node: NodeId) -> bool {
        self.listed[node.index()]
    }

    /// What was committed by the last observation: nothing if a member only repeated what another had done.
    pub fn fresh(&self) -> Option<Write> {
        self.fresh
    }

    /// A member has applied a write. Revisions grow from one to the next, so one that is not new is a repetition.
    pub(super) fn on_committed(&mut self, at: u64, write: Write) {
        let repeated = self.furthest.is_some_and(|furthest| at <= furthest);
        self.fresh = (!repeated).then_some(write);
        if repeated {
            return;
        }
        self.furthest = Some(at);
        match write {
            Write::Register(node) => self.listed[node.index()] = true,
            Write::Remove(node, _) => self.listed[node.index()] = false,
            Write::Grant | Write::Revoke(_) | Write::Put => {}
        }
    }

    pub(super) fn settle(&mut self) {
        self.fresh = None;
    }
}
