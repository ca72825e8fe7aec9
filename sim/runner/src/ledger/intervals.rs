//! Intervals: beliefs that are over, the earliest of them kept, all of them summed up by group.

use std::collections::BTreeMap;

use schism_core::{Duration, NodeId, Time};
use schism_models::oracle::{Cast, Role};

use crate::figures::{length, secs};
use crate::report;

/// How many beliefs a report lists: the earliest; of those that began together, the first by observer and subject.
pub const MOST_BELIEFS: usize = 10_000;

/// One belief, for as long as it and the truth stayed as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) from: Time,
    /// `None` if it outlasted the run.
    pub(crate) to: Option<Time>,
    pub(crate) observer: NodeId,
    pub(crate) subject: NodeId,
    pub(crate) believes_up: bool,
    pub(crate) is_true: bool,
}

/// Beliefs that are over.
#[derive(Clone, Default)]
pub(crate) struct Intervals {
    /// The earliest so far, and some more.
    earliest: Vec<Interval>,
    total: u64,
    /// By observer, subject and belief: how many were wrong, and the longest. Nodes stand for their groups; see
    /// [`Intervals::keep`].
    sums: BTreeMap<(NodeId, NodeId, bool), Sum>,
    /// The sum that was last added to: beliefs end in droves of a kind.
    latest: Option<((NodeId, NodeId, bool), Sum)>,
    /// By node: the first of its group.
    heads: Vec<NodeId>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    count: u64,
    longest: Duration,
}

impl Intervals {
    pub(crate) fn new(cast: &Cast) -> Intervals {
        let group = |node: NodeId| match cast.role(node) {
            Role::Member => (0, 0),
            Role::Instance(service, _) => (1, service.0),
            Role::Client(group) => (2, group),
            Role::Aide => (3, 0),
        };
        let mut heads: Vec<NodeId> = Vec::with_capacity(cast.nodes());
        for node in (0..cast.nodes() as u32).map(NodeId) {
            let head = heads.last().copied().filter(|&head| group(head) == group(node));
            heads.push(head.unwrap_or(node));
        }
        Intervals { heads, ..Intervals::default() }
    }

    /// Keeps one that has just ended, or would go on after `now`, the end of the run.
    pub(crate) fn keep(&mut self, interval: Interval, now: Time) {
        self.total += 1;
        self.earliest.push(interval);
        if self.earliest.len() >= 2 * MOST_BELIEFS {
            self.earliest.select_nth_unstable_by_key(MOST_BELIEFS, key);
            self.earliest.truncate(MOST_BELIEFS);
        }
        if !interval.is_true {
            let head = |node: NodeId| self.heads[node.index()];
            let kind = (head(interval.observer), head(interval.subject), interval.believes_up);
            self.add(kind, now.since(interval.from));
        }
    }

    fn add(&mut self, kind: (NodeId, NodeId, bool), lasted: Duration) {
        let mut sum = match self.latest.take() {
            Some((latest, sum)) if latest == kind => sum,
            other => {
                self.put_back(other);
                self.sums.get(&kind).copied().unwrap_or_default()
            }
        };
        sum.count += 1;
        sum.longest = sum.longest.max(lasted);
        self.latest = Some((kind, sum));
    }

    fn put_back(&mut self, latest: Option<((NodeId, NodeId, bool), Sum)>) {
        if let Some((kind, sum)) = latest {
            self.sums.insert(kind, sum);
        }
    }

    /// The beliefs that are listed, and how many are not.
    pub(crate) fn report(&mut self, name: impl Fn(NodeId) -> String) -> (Vec<report::Belief>, u64) {
        self.earliest.sort_unstable_by_key(key);
        self.earliest.truncate(MOST_BELIEFS);
        let belief = |interval: &Interval| report::Belief {
            observer: name(interval.observer),
            subject: name(interval.subject),
            believes: word(interval.believes_up),
            from_s: secs(interval.from),
            to_s: interval.to.map(secs),
            is_true: interval.is_true,
        };
        let listed: Vec<report::Belief> = self.earliest.iter().map(belief).collect();
        let omitted = self.total - listed.len() as u64;
        (listed, omitted)
    }

    /// The wrong ones by group: what was said of a group's first node is said of all.
    pub(crate) fn sums(&mut self, group: impl Fn(NodeId) -> String) -> Vec<report::Wrong> {
        let latest = self.latest.take();
        self.put_back(latest);
        let wrong = |(&(observer, subject, up), sum): (&(NodeId, NodeId, bool), &Sum)| report::Wrong {
            observers: group(observer),
            subjects: group(subject),
            believes: word(up),
            beliefs: sum.count,
            longest_s: length(sum.longest),
        };
        self.sums.iter().map(wrong).collect()
    }
}

fn word(up: bool) -> &'static str {
    if up { "up" } else { "down" }
}

fn key(interval: &Interval) -> (Time, NodeId, NodeId, Option<Time>) {
    (interval.from, interval.observer, interval.subject, interval.to)
}
