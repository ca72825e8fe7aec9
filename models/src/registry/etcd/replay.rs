//! Replay: what the store was at an earlier moment, by applying the log anew up to there.

use super::log::Log;
use super::store::Store;

/// The store once the log is applied up to an index.
pub fn replay(log: &Log, services: u16, upto: u64) -> Store {
    let mut store = Store::new(services);
    for index in 1..=upto {
        if let Some(command) = log.get(index).and_then(|entry| entry.proposal.command.as_ref()) {
            store.apply(command, |earlier| replay(log, services, earlier));
        }
    }
    store
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::etcd::log::{Entry, Proposal};
    use crate::registry::etcd::store::Command;

    #[test]
    fn a_backup_takes_revisions_back_and_begins_another_cluster() {
        let mut log = Log::default();
        let commands =
            [Command::Put(None), Command::Put(None), Command::Restore { index: 1 }, Command::Put(None)];
        for command in commands {
            log.push(Entry { term: 1, proposal: Proposal { by: None, command: Some(command) } });
        }
        let headers = [2, 3, 4].map(|upto| replay(&log, 0, upto).header());
        assert_eq!(headers.map(|header| header.revision), [3, 2, 3]);
        assert_eq!(headers.map(|header| header.cluster), [0, 1, 1].map(Some));
    }
}
