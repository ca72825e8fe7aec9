//! Leases: what the registry did, and each registration of each instance from beginning to end.

use schism_core::{NodeId, Time};
use schism_models::observation::{Cause, Observation, Write};

use crate::figures::secs;
use crate::report;

/// What the registry did over the whole run, as far as its members and the instances told.
#[derive(Clone)]
pub(crate) struct Leases {
    pub(crate) counts: report::Registry,
    entries: Vec<Entry>,
    /// By node: its latest entry.
    latest: Vec<Option<u32>>,
}

#[derive(Clone, Copy)]
struct Entry {
    instance: NodeId,
    registered: Time,
    renewed: Option<Time>,
    /// Since when it has not counted as healthy.
    failed: Option<Time>,
    removed: Option<(Time, &'static str)>,
}

impl Leases {
    pub(crate) fn new(nodes: usize) -> Leases {
        Leases { counts: report::Registry::default(), entries: Vec::new(), latest: vec![None; nodes] }
    }

    /// Something was observed that has to do with the registry.
    pub(crate) fn observe(&mut self, now: Time, by: NodeId, seen: &Observation) {
        match seen {
            // An answer that comes after the removal still belongs to the registration that was removed.
            Observation::Registered | Observation::Renewed => {
                if let Some(entry) = self.latest(by) {
                    entry.renewed = Some(now);
                }
            }
            Observation::Leads { .. } => self.counts.leaders += 1,
            Observation::Read => self.counts.reads += 1,
            Observation::Extended => self.counts.leases.renewed += 1,
            // Counted when first committed: see `on_commit`.
            Observation::Committed { .. } | Observation::Wrote(_) => {}
            Observation::LeaseLost
            | Observation::Deposed { .. }
            | Observation::View(_)
            | Observation::Believes { .. }
            | Observation::Blind(_)
            | Observation::Offered
            | Observation::Attempt { .. }
            | Observation::Done { .. }
            | Observation::Served { .. }
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

    /// A write was committed. A lease that holds a key is gone when its key is; one without, when it is revoked.
    pub(crate) fn on_commit(&mut self, now: Time, write: Write) {
        self.counts.writes += 1;
        match write {
            Write::Grant => self.counts.leases.granted += 1,
            Write::Register(node) => {
                self.close(now, node, "replaced");
                self.latest[node.index()] = Some(self.entries.len() as u32);
                self.entries.push(Entry {
                    instance: node,
                    registered: now,
                    renewed: None,
                    failed: None,
                    removed: None,
                });
            }
            Write::Remove(node, cause) => {
                self.count(cause);
                self.close(now, node, word(cause));
            }
            Write::Revoke(cause) | Write::Release { cause, .. } => self.count(cause),
            Write::Fail(node) => {
                if let Some(entry) = self.latest(node) {
                    entry.failed.get_or_insert(now);
                }
            }
            Write::Recover(node) => {
                if let Some(entry) = self.latest(node) {
                    entry.failed = None;
                }
            }
            Write::Put | Write::Claim { .. } => {}
        }
    }

    /// Each registration of each instance, by instance and time.
    pub(crate) fn report(&self, name: impl Fn(NodeId) -> String) -> Vec<report::Lease> {
        let mut entries = self.entries.clone();
        entries.sort_by_key(|entry| (entry.instance, entry.registered));
        let lease = |entry: Entry| report::Lease {
            instance: name(entry.instance),
            registered_s: secs(entry.registered),
            last_renewal_s: entry.renewed.map(secs),
            unhealthy_s: entry.failed.map(secs),
            removed_s: entry.removed.map(|(at, _)| secs(at)),
            cause: entry.removed.map(|(_, cause)| cause),
        };
        entries.into_iter().map(lease).collect()
    }

    fn count(&mut self, cause: Cause) {
        match cause {
            Cause::Expired => self.counts.leases.expired += 1,
            Cause::Revoked | Cause::Lost => {}
        }
    }

    fn close(&mut self, now: Time, node: NodeId, cause: &'static str) {
        if let Some(entry) = self.latest(node) {
            entry.removed.get_or_insert((now, cause));
        }
    }

    fn latest(&mut self, node: NodeId) -> Option<&mut Entry> {
        let entry = self.latest[node.index()]?;
        Some(&mut self.entries[entry as usize])
    }
}

fn word(cause: Cause) -> &'static str {
    match cause {
        Cause::Expired => "expired",
        Cause::Revoked => "revoked",
        Cause::Lost => "lost",
    }
}
