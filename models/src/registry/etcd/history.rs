//! History: what the store was at an earlier moment, by applying the log anew up to there.

use schism_core::Time;

use super::log::Log;
use super::store::Store;

/// Up to where a member had applied the log, and when. It is kept in memory: who has restarted remembers no earlier
/// moment than that, and takes what it had then for what it had before.
#[derive(Clone, Debug)]
pub struct History {
    /// In order; never none.
    marks: Vec<(Time, u64)>,
}

impl History {
    /// A member begins with what its disk holds.
    pub fn new(now: Time, applied: u64) -> History {
        History { marks: vec![(now, applied)] }
    }

    /// The log is applied up to here now.
    pub fn note(&mut self, now: Time, applied: u64) {
        match self.marks.last_mut() {
            Some(last) if last.0 == now => last.1 = applied,
            Some(_) | None => self.marks.push((now, applied)),
        }
    }

    /// Up to where the log was applied at a moment.
    pub fn as_of(&self, then: Time) -> u64 {
        let later = self.marks.partition_point(|mark| mark.0 <= then);
        self.marks[later.saturating_sub(1)].1
    }

    /// When the log was first applied further than up to an index, if it has been.
    pub fn passed(&self, index: u64) -> Option<Time> {
        self.marks.get(self.marks.partition_point(|mark| mark.1 <= index)).map(|mark| mark.0)
    }
}

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
    use schism_core::Duration;

    use super::*;
    use crate::registry::etcd::log::{Entry, Proposal};
    use crate::registry::etcd::store::Command;

    fn at(secs: u64) -> Time {
        Time::START + Duration::from_secs(secs)
    }

    #[test]
    fn the_state_of_a_moment_is_that_of_the_last_mark_before_it() {
        let mut history = History::new(at(1), 4);
        history.note(at(3), 5);
        history.note(at(3), 7);
        let applied = [0, 1, 2, 3, 4].map(|secs| history.as_of(at(secs)));
        assert_eq!(applied, [4, 4, 4, 7, 7]);
        assert_eq!(
            (history.passed(4), history.passed(6), history.passed(7)),
            (Some(at(3)), Some(at(3)), None)
        );
    }

    #[test]
    fn a_backup_takes_revisions_back_and_begins_another_cluster() {
        let mut log = Log::default();
        let commands = [Command::Put, Command::Put, Command::Restore { index: 1 }, Command::Put];
        for command in commands {
            log.push(Entry { term: 1, proposal: Proposal { by: None, command: Some(command) } });
        }
        let headers = [2, 3, 4].map(|upto| replay(&log, 0, upto).header());
        assert_eq!(headers.map(|header| header.revision), [3, 2, 3]);
        assert_eq!(headers.map(|header| header.cluster), [0, 1, 1].map(Some));
    }
}
