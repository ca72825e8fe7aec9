//! The budget: how many faults may last at once, and how many of each group they may hold down together.

use schism_core::Duration;

/// What has been drawn so far, against what may be.
pub(super) struct Budget<'p> {
    at_once: usize,
    most_down: &'p [u32],
    taken: Vec<Claim>,
}

/// When a fault lasts, and who is down by it.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) from: Duration,
    pub(super) to: Duration,
    pub(super) down: Vec<(usize, u32)>,
}

impl Claim {
    /// Whether it lasts at this moment; one that is over at once does at that.
    fn is_at(&self, at: Duration) -> bool {
        self.from <= at && (at < self.to || at == self.from)
    }
}

impl<'p> Budget<'p> {
    pub(super) fn new(at_once: u32, most_down: &'p [u32]) -> Budget<'p> {
        Budget { at_once: at_once as usize, most_down, taken: Vec::new() }
    }

    /// Whether there is room for it beside all that have been taken.
    pub(super) fn allows(&self, claim: &Claim) -> bool {
        // What is taken at once changes when something begins: the moments to look at are those, while it lasts.
        let begins = self.taken.iter().map(|other| other.from).filter(|from| claim.is_at(*from));
        std::iter::once(claim.from).chain(begins).all(|at| self.allows_at(claim, at))
    }

    fn allows_at(&self, claim: &Claim, at: Duration) -> bool {
        let there = || self.taken.iter().filter(|other| other.is_at(at));
        let down = |claim: &Claim, group: usize| -> u32 {
            claim.down.iter().filter(|(other, _)| *other == group).map(|(_, count)| *count).sum()
        };
        let held = |group: usize| there().map(|other| down(other, group)).sum::<u32>() + down(claim, group);
        there().count() < self.at_once
            && (0..self.most_down.len()).all(|group| held(group) <= self.most_down[group])
    }

    pub(super) fn take(&mut self, claim: Claim) {
        self.taken.push(claim);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(from: u64, to: u64, down: u32) -> Claim {
        Claim { from: Duration::from_secs(from), to: Duration::from_secs(to), down: vec![(0, down)] }
    }

    #[test]
    fn no_more_are_down_together_than_may_be() {
        let mut budget = Budget::new(9, &[2]);
        budget.take(claim(10, 20, 1));
        budget.take(claim(15, 30, 1));
        assert!(!budget.allows(&claim(12, 16, 1)), "three would be down from 15 s on");
        assert!(budget.allows(&claim(12, 15, 1)), "it is over when the third begins");
        assert!(budget.allows(&claim(20, 25, 1)), "it begins when the first is over");
        assert!(!budget.allows(&claim(40, 41, 3)));
    }

    #[test]
    fn no_more_last_at_once_than_may() {
        let mut budget = Budget::new(1, &[9]);
        budget.take(claim(10, 20, 0));
        assert!(!budget.allows(&claim(5, 11, 0)));
        assert!(!budget.allows(&claim(15, 15, 0)), "what happens at one moment lasts for that moment");
        assert!(budget.allows(&claim(20, 30, 0)));
    }
}
