//! Lease expiry: a lease was removed because its time was up.

use schism_core::NodeId;

use super::{Cast, Moment, Oracle, Shown, Sighting};
use crate::observation::{Cause, Observation, Write};

/// Sees the first one.
#[derive(Clone)]
pub struct LeaseExpiry;

impl Oracle for LeaseExpiry {
    const SHOWN: Shown = Shown::Beliefs;

    fn new(_: &Cast) -> Self {
        LeaseExpiry
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, _: &Observation) -> Option<Sighting> {
        moment.record.register.fresh().iter().find_map(|write| match *write {
            Write::Remove(node, Cause::Expired) => {
                let why = format!("the lease of {} expired", moment.scene.name(node));
                Some(Sighting::of(why, [node, by]))
            }
            Write::Revoke(Cause::Expired) => {
                Some(Sighting::of("a lease without a key expired".to_owned(), [by]))
            }
            Write::Remove(..)
            | Write::Revoke(_)
            | Write::Grant
            | Write::Register(_)
            | Write::Fail(_)
            | Write::Recover(_)
            | Write::Put
            | Write::Claim { .. }
            | Write::Release { .. } => None,
        })
    }
}
