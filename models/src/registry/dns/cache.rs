//! A cache of answers: by their time to live between bounds, denials and failures by their own, and stale for a while.

use schism_core::{Duration, Time};

use super::answer::{Answer, Said};

/// For how long answers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Records.
    pub positive: Span,
    /// Denials.
    pub negative: Span,
    /// What said that it cannot tell.
    pub failure: Duration,
    /// For how long past its time an answer may be given for want of a better one.
    pub stale: Duration,
}

/// The least and the most of a time to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// An answer that allows less is kept for this long.
    pub least: Duration,
    /// An answer that allows more is kept for this long; less than `least` wins.
    pub most: Duration,
}

/// A time that is never up.
pub const FOREVER: Duration = Duration::from_nanos(u64::MAX);

impl Span {
    /// Whatever an answer allows, it is kept for this long.
    pub fn exactly(ttl: Duration) -> Span {
        Span { least: ttl, most: ttl }
    }

    fn bound(self, ttl: Duration) -> Duration {
        ttl.max(self.least).min(self.most)
    }
}

/// The cache; `K` is what answers differ by.
#[derive(Clone, Debug)]
pub struct Cache<K> {
    limits: Limits,
    /// A name has few keys: one, or one for each zone.
    entries: Vec<(K, Entry)>,
}

#[derive(Clone, Debug)]
struct Entry {
    answer: Answer,
    stored: Time,
}

/// What a cache has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// An answer whose time is not up, with what is left of it in whole seconds.
    Fresh(Answer),
    /// One whose time is up, with a time to live of nothing.
    Stale(Answer),
    /// Nothing that may be given.
    Nothing,
}

impl<K: PartialEq> Cache<K> {
    /// An empty cache.
    pub fn new(limits: Limits) -> Cache<K> {
        Cache { limits, entries: Vec::new() }
    }

    /// Remembers an answer; gives it back with the time for which it is remembered, which CoreDNS tells the one who
    /// asked, too (plugin/cache/cache.go, `WriteMsg`: "Apply capped TTL to this reply").
    pub fn store(&mut self, now: Time, key: K, answer: Answer) -> Answer {
        let ttl = match &answer.said {
            Said::Records(_) => self.limits.positive.bound(answer.ttl),
            Said::NoData | Said::NxDomain => self.limits.negative.bound(answer.ttl),
            Said::ServFail => self.limits.failure,
        };
        let answer = Answer { ttl, ..answer };
        self.entries.retain(|entry| entry.0 != key);
        if ttl > Duration::ZERO {
            self.entries.push((key, Entry { answer: answer.clone(), stored: now }));
        }
        answer
    }

    /// What it has.
    pub fn find(&self, now: Time, key: &K) -> Found {
        let Some((_, entry)) = self.entries.iter().find(|entry| entry.0 == *key) else {
            return Found::Nothing;
        };
        let Answer { said, ttl } = entry.answer.clone();
        let age = now.since(entry.stored);
        if age < ttl {
            // Whole seconds of age count (plugin/cache/item.go, `ttl`).
            let left = ttl.saturating_sub(Duration::from_secs(age.as_nanos() / SECOND));
            Found::Fresh(Answer { said, ttl: left })
        } else if age.saturating_sub(ttl) < self.limits.stale {
            Found::Stale(Answer { said, ttl: Duration::ZERO })
        } else {
            Found::Nothing
        }
    }
}

const SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    /// CoreDNS's `cache 30`.
    const LIMITS: Limits = Limits {
        positive: Span { least: Duration::from_secs(5), most: Duration::from_secs(30) },
        negative: Span { least: Duration::from_secs(5), most: Duration::from_secs(30) },
        failure: Duration::from_secs(5),
        stale: Duration::ZERO,
    };

    fn denial(ttl: u64) -> Answer {
        Answer { said: Said::NxDomain, ttl: secs(ttl) }
    }

    #[test]
    fn an_answer_is_fresh_until_its_time_is_up() {
        let mut cache = Cache::new(LIMITS);
        cache.store(Time::START, (), denial(10));
        let just_before = Time::START + secs(10).saturating_sub(Duration::from_nanos(1));
        assert_eq!(cache.find(just_before, &()), Found::Fresh(denial(1)));
        assert_eq!(cache.find(Time::START + secs(10), &()), Found::Nothing);
    }

    #[test]
    fn times_are_kept_between_the_bounds_and_told_so() {
        let mut cache = Cache::new(LIMITS);
        assert_eq!(
            cache.store(Time::START, (), denial(0)).ttl,
            secs(5),
            "even nothing is remembered for a while"
        );
        assert_eq!(cache.store(Time::START, (), denial(5)).ttl, secs(5));
        assert_eq!(cache.store(Time::START, (), denial(30)).ttl, secs(30));
        assert_eq!(cache.store(Time::START, (), denial(31)).ttl, secs(30));
        assert_eq!(cache.store(Time::START, (), Answer::SERVFAIL).ttl, secs(5));
    }

    #[test]
    fn a_stale_answer_is_given_for_so_long_and_to_nobody_for_longer() {
        let mut cache = Cache::new(Limits { stale: secs(60), ..LIMITS });
        cache.store(Time::START, (), denial(10));
        let stale = Found::Stale(denial(0));
        assert_eq!(cache.find(Time::START + secs(10), &()), stale);
        let just_before = Time::START + secs(70).saturating_sub(Duration::from_nanos(1));
        assert_eq!(cache.find(just_before, &()), stale);
        assert_eq!(cache.find(Time::START + secs(70), &()), Found::Nothing);
    }

    #[test]
    fn answers_for_one_are_not_given_to_another() {
        let mut cache = Cache::new(LIMITS);
        cache.store(Time::START, 1, denial(10));
        assert_eq!(cache.find(Time::START, &2), Found::Nothing);
        assert_eq!(cache.find(Time::START, &1), Found::Fresh(denial(10)));
    }

    #[test]
    fn what_may_not_be_remembered_is_not() {
        let none = Span { least: Duration::ZERO, most: FOREVER };
        let mut cache =
            Cache::new(Limits { positive: none, negative: none, failure: Duration::ZERO, stale: secs(9) });
        cache.store(Time::START, (), denial(0));
        assert_eq!(cache.find(Time::START, &()), Found::Nothing);
    }
}
