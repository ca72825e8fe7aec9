//! The purse: how many events may still be simulated.

/// What is to be spent, and who hears of it.
pub(super) struct Purse<'t> {
    of: u64,
    spent: u64,
    told: &'t mut dyn FnMut(f64),
}

impl<'t> Purse<'t> {
    pub(super) fn new(of: u64, told: &'t mut dyn FnMut(f64)) -> Purse<'t> {
        Purse { of: of.max(1), spent: 0, told }
    }

    /// So many events have been simulated.
    pub(super) fn spend(&mut self, events: u64) {
        self.spent += events;
        (self.told)((self.spent as f64 / self.of as f64).min(1.0));
    }

    /// How many have been.
    pub(super) fn spent(&self) -> u64 {
        self.spent
    }

    /// A share of what is left.
    pub(super) fn part(&self, numerator: u64, denominator: u64) -> u64 {
        self.of.saturating_sub(self.spent) / denominator * numerator
    }
}
