//! Lines of a story: what happens at one rounded moment to several nodes is one of them.

use std::collections::BTreeSet;

use schism_core::{Duration, NodeId, Time};

use super::{MOST_LINES, What};

/// The lines so far.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    round: Duration,
    kept: Vec<Line>,
    /// Where the lines of the latest moment begin.
    latest: usize,
    left_out: u64,
}

/// When, what, and who.
type Line = (Duration, What, BTreeSet<NodeId>);

impl Lines {
    pub(super) fn new(round: Duration) -> Lines {
        let round = Duration::from_nanos(round.as_nanos().max(1));
        Lines { round, kept: Vec::new(), latest: 0, left_out: 0 }
    }

    pub(super) fn add(&mut self, at: Time, by: Option<NodeId>, what: What) {
        let (nanos, round) = (at.as_nanos(), self.round.as_nanos());
        let rounded = Duration::from_nanos((nanos + round / 2) / round * round);
        if self.kept.get(self.latest).is_some_and(|(moment, ..)| *moment != rounded) {
            self.latest = self.kept.len();
        }
        let now = self.latest.min(self.kept.len());
        if let Some((_, _, who)) = self.kept[now..].iter_mut().find(|(_, same, _)| *same == what) {
            who.extend(by);
        } else if self.kept.len() < MOST_LINES {
            self.kept.push((rounded, what, by.into_iter().collect()));
        } else {
            self.left_out += 1;
        }
    }

    pub(super) fn kept(&self) -> &[Line] {
        &self.kept
    }

    /// How many more there were, each counted for itself.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_do_at_one_rounded_moment_is_one_line() {
        let mut lines = Lines::new(Duration::from_secs(1));
        let at = |millis: u64| Time::START + Duration::from_millis(millis);
        lines.add(at(900), Some(NodeId(2)), What::Dies);
        lines.add(at(1_100), Some(NodeId(3)), What::Boots);
        lines.add(at(1_499), Some(NodeId(1)), What::Dies);
        lines.add(at(1_500), Some(NodeId(1)), What::Dies);
        let second = |secs: u64| Duration::from_secs(secs);
        let set = |nodes: &[u32]| nodes.iter().copied().map(NodeId).collect::<BTreeSet<_>>();
        let expected = [
            (second(1), What::Dies, set(&[1, 2])),
            (second(1), What::Boots, set(&[3])),
            (second(2), What::Dies, set(&[1])),
        ];
        assert_eq!((lines.kept(), lines.left_out()), (expected.as_slice(), 0));
    }
}
