//! Forwarding: which upstream server is asked, and which is held to be down (CoreDNS, plugin/forward and plugin/pkg/proxy).

use schism_core::{Draw, Draws, Duration, NodeId, Time};

/// How upstream servers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// With more failed checks than this in a row an upstream is down; 0 is never. 2 (`max_fails`).
    pub max_fails: u32,
    /// How long after a failed check the next one follows: 500 ms (`health_check`, forward.go `hcInterval`).
    pub check_interval: Duration,
}

/// How long an upstream's answer is waited for: 2 s (plugin/pkg/proxy/proxy.go, `readTimeout`).
pub const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// After how long no other upstream is tried for a query: 5 s (forward.go, `defaultTimeout`).
pub const GIVE_UP: Duration = Duration::from_secs(5);
/// How long a health check waits for its answer: 1 s (plugin/pkg/proxy/health.go).
pub const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// The upstream servers, and what is known of them.
#[derive(Clone, Debug)]
pub struct Upstreams {
    config: Config,
    all: Vec<Upstream>,
}

#[derive(Clone, Copy, Debug)]
struct Upstream {
    node: NodeId,
    /// Checks that have failed in a row.
    fails: u32,
    /// Whether it is being checked: only after a query to it has failed, and until a check succeeds.
    checked: bool,
}

/// One query on its way through the upstream servers.
#[derive(Clone, Debug)]
pub struct Passage {
    /// The places of the upstream servers, in the order drawn for it (the policy `random`).
    order: Vec<usize>,
    at: usize,
    /// How many were found to be down since the order was gone through.
    fails: usize,
    until: Time,
    luck: Draws,
}

impl Upstreams {
    /// Nothing is known to be wrong with these.
    pub fn new(config: Config, nodes: impl Iterator<Item = NodeId>) -> Upstreams {
        let upstream = |node| Upstream { node, fails: 0, checked: false };
        Upstreams { config, all: nodes.map(upstream).collect() }
    }

    /// A query sets out.
    pub fn begin(&self, now: Time, luck: Draw) -> Passage {
        let mut luck = luck.many();
        let mut order: Vec<usize> = (0..self.all.len()).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, luck.below(last as u32 + 1) as usize);
        }
        Passage { order, at: 0, fails: 0, until: now + GIVE_UP, luck }
    }

    /// The upstream that the query goes to next. When all are down, health checking is taken to be what is broken, and any
    /// of them is asked (forward.go, "assume healthcheck is completely broken").
    pub fn next(&self, now: Time, passage: &mut Passage) -> Option<NodeId> {
        if passage.fails >= self.all.len() || now >= passage.until {
            return None;
        }
        loop {
            if passage.at >= passage.order.len() {
                passage.at = 0;
                passage.fails = 0;
            }
            let upstream = self.all[passage.order[passage.at]];
            passage.at += 1;
            if !self.is_down(upstream) {
                return Some(upstream.node);
            }
            passage.fails += 1;
            if passage.fails >= self.all.len() {
                return Some(self.all[passage.luck.below(self.all.len() as u32) as usize].node);
            }
        }
    }

    /// A query to an upstream has failed: whether checks of it begin now.
    pub fn on_failure(&mut self, node: NodeId) -> bool {
        let checks = self.config.max_fails > 0;
        self.find(node).is_some_and(|upstream| checks && !std::mem::replace(&mut upstream.checked, true))
    }

    /// A check has failed: the next one follows after this long.
    pub fn on_check_failed(&mut self, node: NodeId) -> Option<Duration> {
        let interval = self.config.check_interval;
        self.find(node).map(|upstream| {
            upstream.fails = upstream.fails.saturating_add(1);
            interval
        })
    }

    /// A check has succeeded.
    pub fn on_checked(&mut self, node: NodeId) {
        if let Some(upstream) = self.find(node) {
            *upstream = Upstream { node, fails: 0, checked: false };
        }
    }

    fn is_down(&self, upstream: Upstream) -> bool {
        self.config.max_fails > 0 && upstream.fails > self.config.max_fails
    }

    fn find(&mut self, node: NodeId) -> Option<&mut Upstream> {
        self.all.iter_mut().find(|upstream| upstream.node == node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: Config = Config { max_fails: 2, check_interval: Duration::from_millis(500) };

    fn three() -> Upstreams {
        Upstreams::new(CONFIG, (0..3).map(NodeId))
    }

    fn fail(upstreams: &mut Upstreams, node: u32, times: u32) {
        for _ in 0..times {
            assert_eq!(upstreams.on_check_failed(NodeId(node)), Some(CONFIG.check_interval));
        }
    }

    #[test]
    fn two_failed_checks_leave_it_up_and_three_do_not() {
        let mut upstreams = three();
        fail(&mut upstreams, 1, 2);
        fail(&mut upstreams, 2, 3);
        let asked = |upstreams: &Upstreams| -> Vec<u32> {
            let mut passage = upstreams.begin(Time::START, Draw::new(5));
            let mut asked: Vec<u32> =
                (0..2).filter_map(|_| upstreams.next(Time::START, &mut passage)).map(|node| node.0).collect();
            asked.sort_unstable();
            asked
        };
        assert_eq!(asked(&upstreams), [0, 1]);
        upstreams.on_checked(NodeId(2));
        fail(&mut upstreams, 1, 1);
        assert_eq!(asked(&upstreams), [0, 2]);
    }

    #[test]
    fn when_all_are_down_any_one_is_asked_and_then_no_other() {
        let mut upstreams = three();
        (0..3).for_each(|node| fail(&mut upstreams, node, 3));
        let mut counts = [0; 3];
        for word in 0..300 {
            let mut passage = upstreams.begin(Time::START, Draw::new(word).derive(1));
            let node = upstreams.next(Time::START, &mut passage).expect("someone is asked");
            counts[node.index()] += 1;
            assert_eq!(upstreams.next(Time::START, &mut passage), None, "and that is all");
        }
        assert!(counts.iter().all(|count| (60..=140).contains(count)), "{counts:?}");
    }

    #[test]
    fn upstreams_that_are_up_are_tried_in_turn_until_five_seconds_have_passed() {
        let upstreams = three();
        let mut passage = upstreams.begin(Time::START, Draw::new(5));
        let just_before = Time::START + GIVE_UP.saturating_sub(Duration::from_nanos(1));
        let asked: Vec<_> = (0..4).filter_map(|_| upstreams.next(just_before, &mut passage)).collect();
        assert_eq!(asked.len(), 4);
        assert_eq!(asked[0], asked[3], "after the last comes the first again");
        assert_eq!(upstreams.next(Time::START + GIVE_UP, &mut passage), None);
    }

    #[test]
    fn one_failure_begins_checks_and_the_next_finds_them_under_way() {
        let mut upstreams = three();
        assert!(upstreams.on_failure(NodeId(0)));
        assert!(!upstreams.on_failure(NodeId(0)));
        upstreams.on_checked(NodeId(0));
        assert!(upstreams.on_failure(NodeId(0)));
    }

    #[test]
    fn where_no_fails_count_nobody_is_ever_down() {
        let mut upstreams = Upstreams::new(Config { max_fails: 0, ..CONFIG }, (0..1).map(NodeId));
        assert!(!upstreams.on_failure(NodeId(0)));
        let mut passage = upstreams.begin(Time::START, Draw::new(5));
        assert_eq!(upstreams.next(Time::START, &mut passage), Some(NodeId(0)));
    }
}
