//! The answers to probes that a client holds, and the rule by which it picks one: section 4 of the paper.
//!
//! Wydrowski, Kleinberg, Rumble and Archer, "Load is not what you should balance: Introducing Prequal", NSDI 2024
//! (arXiv:2312.10172).

use schism_core::{Duration, Time};

/// What an endpoint said when it was last probed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Probe {
    /// The endpoint.
    pub(super) ordinal: u32,
    /// Its requests in flight, and what this client has sent it since.
    pub(super) in_flight: u32,
    /// How long it thinks a request would take it now.
    pub(super) latency: Duration,
    /// When the answer came.
    pub(super) at: Time,
    /// How often it was picked on the strength of this answer.
    pub(super) uses: u32,
}

/// What makes an endpoint hot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// Nothing: latency alone counts.
    None,
    /// More requests in flight than this.
    Above(u32),
    /// Being there: the requests in flight alone count.
    Any,
}

impl Limit {
    fn is_hot(self, probe: &Probe) -> bool {
        match self {
            Limit::None => false,
            Limit::Above(most) => probe.in_flight > most,
            Limit::Any => true,
        }
    }
}

/// The place of the best of a pool, by the hot-cold lexicographic rule: of the cold ones the fastest, or of hot ones alone
/// the one with the fewest requests in flight. Of equals it is the first, which has been there longest.
pub(super) fn best(pool: &[Probe], limit: Limit) -> Option<usize> {
    let cold = (0..pool.len()).filter(|&at| !limit.is_hot(&pool[at]));
    cold.min_by_key(|&at| pool[at].latency).or_else(|| (0..pool.len()).min_by_key(|&at| pool[at].in_flight))
}

/// The place of the worst: the rule turned round. Of hot ones that with the most requests in flight, or of cold ones alone
/// the slowest. Of equals it is the first.
pub(super) fn worst(pool: &[Probe], limit: Limit) -> Option<usize> {
    let last = |at: &usize| std::cmp::Reverse(*at);
    let hot = (0..pool.len()).filter(|&at| limit.is_hot(&pool[at]));
    hot.max_by_key(|at| (pool[*at].in_flight, last(at)))
        .or_else(|| (0..pool.len()).max_by_key(|at| (pool[*at].latency, last(at))))
}

/// How often the answer to a probe may be used: `max(1, (1 + delta) / ((1 - m/n) r_probe - r_remove))`, equation 1. Where
/// the pool is about as large as the service it is less than 1, or negative, and so once.
pub(super) fn reuse(delta: f64, pool: u32, endpoints: u32, per_request: f64, removed: f64) -> f64 {
    let kept = (1.0 - f64::from(pool) / f64::from(endpoints)) * per_request - removed;
    ((1.0 + delta) / kept).max(1.0)
}

/// The requests in flight that the last probes told of: what is much is relative. The paper does not say how many; 128 is
/// ours.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    /// In the order in which they came, from `next` on.
    came: Vec<u32>,
    next: usize,
    /// The same in order of size.
    sorted: Vec<u32>,
}

const RECENT: usize = 128;

impl Recent {
    pub(super) fn new() -> Recent {
        Recent { came: Vec::with_capacity(RECENT), next: 0, sorted: Vec::with_capacity(RECENT) }
    }

    /// A probe has told of so many.
    pub(super) fn note(&mut self, in_flight: u32) {
        if self.came.len() < RECENT {
            self.came.push(in_flight);
        } else {
            let oldest = std::mem::replace(&mut self.came[self.next], in_flight);
            let place = self.sorted.partition_point(|&other| other < oldest);
            self.sorted.remove(place);
            self.next = (self.next + 1) % RECENT;
        }
        let place = self.sorted.partition_point(|&other| other < in_flight);
        self.sorted.insert(place, in_flight);
    }

    /// The quantile of them, the smallest that at least this part of them does not exceed. The ends are what the paper
    /// says of them: at 0 all are hot, at 1 none is.
    pub(super) fn limit(&self, quantile: f64) -> Limit {
        if quantile <= 0.0 {
            return Limit::Any;
        }
        if quantile >= 1.0 || self.sorted.is_empty() {
            return Limit::None;
        }
        let rank = libm::ceil(quantile * self.sorted.len() as f64) as usize;
        Limit::Above(self.sorted[rank.clamp(1, self.sorted.len()) - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(of: &[(u32, u32, u64)]) -> Vec<Probe> {
        let probe = |&(ordinal, in_flight, millis)| Probe {
            ordinal,
            in_flight,
            latency: Duration::from_millis(millis),
            at: Time::START,
            uses: 0,
        };
        of.iter().map(probe).collect()
    }

    #[test]
    fn the_rule_is_hot_or_cold_then_latency_or_requests_in_flight() {
        let first = pool(&[(0, 1, 50), (1, 2, 40), (2, 9, 5)]);
        let second = pool(&[(0, 1, 50), (1, 4, 40), (2, 9, 5)]);
        let equal = pool(&[(0, 3, 10), (1, 3, 10)]);
        assert_eq!(best(&first, Limit::Above(5)), Some(1));
        assert_eq!(best(&second, Limit::Above(100)), Some(2));
        assert_eq!(best(&equal, Limit::Above(5)), Some(0));
        assert_eq!(best(&first, Limit::Above(0)), Some(0));
        assert_eq!(best(&first, Limit::Any), Some(0));
        assert_eq!(best(&first, Limit::None), Some(2));
        assert_eq!(best(&[], Limit::None), None);
    }

    #[test]
    fn the_worst_is_the_hottest_or_else_the_slowest() {
        let mixed = pool(&[(0, 1, 50), (1, 7, 40), (2, 9, 5), (3, 9, 6)]);
        assert_eq!(worst(&mixed, Limit::Above(5)), Some(2));
        assert_eq!(worst(&mixed, Limit::Above(100)), Some(0));
        assert_eq!(worst(&[], Limit::Any), None);
    }

    #[test]
    fn probes_are_used_as_often_as_the_paper_says() {
        for (per_request, times) in [(1.5, 7.692_307_692_307_692), (3.0, 1.315_789_473_684_210_6), (5.0, 1.0)]
        {
            let have = reuse(1.0, 16, 100, per_request, 1.0);
            assert!((have - times).abs() < 1e-15, "{have} is not {times}");
        }
        assert!((reuse(1.0, 16, 3, 3.0, 1.0) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn the_limit_is_a_quantile_of_the_last_128() {
        let mut recent = Recent::new();
        assert_eq!(recent.limit(0.5), Limit::None);
        (1..=100).for_each(|in_flight| recent.note(in_flight));
        assert_eq!(recent.limit(0.84), Limit::Above(84));
        assert_eq!(recent.limit(0.841), Limit::Above(85));
        assert_eq!(recent.limit(0.0), Limit::Any);
        assert_eq!(recent.limit(1.0), Limit::None);
        (0..128).for_each(|_| recent.note(7));
        assert_eq!(recent.limit(0.01), Limit::Above(7));
        assert_eq!(recent.limit(0.99), Limit::Above(7));
    }
}
