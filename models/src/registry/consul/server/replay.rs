//! What the catalog was at an earlier moment, by applying the log anew up to there.

use super::super::Health;
use super::super::catalog::{Catalog, Command};
use super::super::cluster::Cluster;
use super::Member;
use crate::registry::raft::log::Log;

/// The catalog once the log is applied up to an index.
pub(super) fn replay(log: &Log<Command>, new: &dyn Fn() -> Catalog, upto: u64) -> Catalog {
    let mut catalog = new();
    for index in 1..=upto {
        if let Some(command) = log.get(index).and_then(|entry| entry.proposal.command.as_ref()) {
            catalog.apply(index, command, |earlier| replay(log, new, earlier));
        }
    }
    catalog
}

impl Member {
    /// The catalog as it was once an entry was applied.
    pub(super) fn as_of(&self, upto: u64) -> Catalog {
        replay(&self.raft.log, &|| self.blank(), upto)
    }

    /// The catalog before the first entry.
    fn blank(&self) -> Catalog {
        blank(self.services, self.config.health, &self.cluster)
    }
}

pub(super) fn blank(services: usize, health: Health, cluster: &Cluster) -> Catalog {
    Catalog::new(services, health, cluster.hosts())
}
