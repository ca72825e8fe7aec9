//! History: up to where a member had applied its log at an earlier moment.

use schism_core::Time;

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

#[cfg(test)]
mod tests {
    use schism_core::Duration;

    use super::*;

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
}
