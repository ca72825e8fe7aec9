//! Lease expiry: a lease was removed because its time was up.

use schism_core::NodeId;

use super::{Cast, Moment, Mood, Need, Oracle, Shown, Sighting, Told};
use crate::observation::{Cause, Observation, Write};
use crate::options::Nothing;

/// Sees the first one.
#[derive(Clone)]
pub struct LeaseExpiry;

impl Oracle for LeaseExpiry {
    type Config = Nothing;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Sometimes, Mood::Never];
    const NEEDS: &'static [Need] = &[Need::Registrations];

    fn new(_: &Nothing, _: &Cast) -> Self {
        LeaseExpiry
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, _: &Observation) -> Option<Sighting> {
        moment.record.register.fresh().iter().find_map(|write| match *write {
            Write::Remove(node, Cause::Expired) => {
                let why = format!("the lease of {} expired", moment.scene.name(node));
                Some(Sighting::of(why, [node, by]))
            }
            Write::Release { by: holder, cause: Cause::Expired, .. } => {
                let why = format!(
                    "the lease of {} expired, and with it its claim on a lock",
                    moment.scene.name(holder)
                );
                Some(Sighting::of(why, [holder, by]))
            }
            Write::Revoke(Cause::Expired) => Some(Sighting::of("a lease without a key expired", [by])),
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

    fn instead(&self, told: &Told<'_>) -> String {
        let Told { granted, renewed, .. } = told;
        format!("{granted} leases were granted and {renewed} renewals answered; none expired")
    }
}
