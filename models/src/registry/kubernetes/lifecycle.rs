//! The node lifecycle controller: who has not been heard of is not ready, and after a while its pods must go.

use std::collections::BTreeMap;

use schism_core::{Duration, NodeId, Time, ZoneId};

use crate::registry::bucket::Bucket;

/// How often nodes are looked at: 5 s (`--node-monitor-period`, kube-controller-manager, v1.28).
pub const MONITOR: Duration = Duration::from_secs(5);
/// How often the queues of nodes to taint are worked on: 100 ms
/// (pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go, v1.28, `NodeEvictionPeriod`).
pub const TAINT_PASS: Duration = Duration::from_millis(100);
/// One node of a zone is tainted every so often: 0.1 a second (`--node-eviction-rate`).
const TAINT_GAP: Duration = Duration::from_secs(10);
/// In a zone most of whose nodes are lost, if it is large: 0.01 a second (`--secondary-node-eviction-rate`).
const SLOW_TAINT_GAP: Duration = Duration::from_secs(100);
/// A zone of more nodes is large: 50 (`--large-cluster-size-threshold`). In a small one nothing is tainted then.
const LARGE: usize = 50;

/// What is seen of a node in the API.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// Whose node it is: its instance's.
    pub node: NodeId,
    /// Its zone.
    pub zone: ZoneId,
    /// How often its kubelet has renewed its lease or posted its status.
    pub beats: u64,
    /// Its condition `Ready`.
    pub ready: Ready,
    /// Whether its pods are to go.
    pub taint: Taint,
}

/// A node's condition `Ready`; that a kubelet itself says it is not does not happen here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ready {
    /// Its kubelet says that it is.
    True,
    /// Its kubelet has not been heard of.
    Unknown,
}

/// Whether a node has the taint `node.kubernetes.io/unreachable:NoExecute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Taint {
    /// It has.
    Unreachable,
    /// It has not.
    None,
}

/// What is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The node is not heard of: its condition is unknown, and its pods are not ready.
    Lose(NodeId),
    /// The node is not to be tainted.
    Clear(NodeId),
}

/// What an active controller remembers; another begins with nothing, and gives every node a whole grace period.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    grace: Duration,
    nodes: BTreeMap<NodeId, Health>,
    zones: BTreeMap<ZoneId, Zone>,
}

#[derive(Clone, Copy, Debug)]
struct Health {
    beats: u64,
    /// When a beat was last noticed, by this controller's own clock: clocks of others do not matter.
    noticed: Time,
}

#[derive(Clone, Debug)]
struct Zone {
    state: State,
    /// None: nothing is tainted.
    limiter: Option<Bucket>,
    /// Who waits to be tainted, in order, and each one's turn.
    queue: BTreeMap<u64, NodeId>,
    turns: BTreeMap<NodeId, u64>,
    last: u64,
}

/// How much of a zone is lost (`ComputeZoneState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Initial,
    Normal,
    /// More than two nodes, and 55% (`--unhealthy-zone-threshold`).
    Partial,
    Full,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    ready: usize,
    lost: usize,
}

impl Count {
    fn state(self) -> State {
        match self {
            Count { ready: 0, lost: 1.. } => State::Full,
            Count { ready, lost: 3.. } if self.lost * 100 >= (ready + self.lost) * 55 => State::Partial,
            Count { .. } => State::Normal,
        }
    }

    fn size(self) -> usize {
        self.ready + self.lost
    }
}

impl Lifecycle {
    /// A controller that has just become active.
    pub fn new(grace: Duration) -> Lifecycle {
        Lifecycle { grace, nodes: BTreeMap::new(), zones: BTreeMap::new() }
    }

    /// Looks at every node (pkg/controller/nodelifecycle/node_lifecycle_controller.go, v1.28, `monitorNodeHealth`).
    pub fn monitor(&mut self, now: Time, nodes: &[Sight]) -> Vec<Order> {
        let mut orders = Vec::new();
        let mut counts: BTreeMap<ZoneId, Count> = BTreeMap::new();
        for sight in nodes {
            let lost = self.look(now, sight, &mut orders);
            let count = counts.entry(sight.zone).or_default();
            if lost { count.lost += 1 } else { count.ready += 1 }
        }
        self.mind_disruption(now, nodes, &counts, &mut orders);
        orders
    }

    /// Looks at one node: whether it is lost from now on.
    fn look(&mut self, now: Time, sight: &Sight, orders: &mut Vec<Order>) -> bool {
        let health = self.nodes.entry(sight.node).or_insert(Health { beats: sight.beats, noticed: now });
        if health.beats < sight.beats {
            *health = Health { beats: sight.beats, noticed: now };
        }
        let silent = now > health.noticed + self.grace;
        let zone = self.zones.entry(sight.zone).or_insert_with(Zone::new);
        // What the node was before this look decides of its taint (`processTaintBaseEviction`).
        match (sight.ready, sight.taint) {
            (Ready::Unknown, Taint::None) => zone.enlist(sight.node),
            (Ready::Unknown, Taint::Unreachable) => {}
            (Ready::True, taint) => {
                zone.strike(sight.node);
                if taint == Taint::Unreachable {
                    orders.push(Order::Clear(sight.node));
                }
            }
        }
        if silent && sight.ready == Ready::True {
            orders.push(Order::Lose(sight.node));
        }
        silent || sight.ready == Ready::Unknown
    }

    /// Of a zone that is lost as a whole it is likelier that we are (`handleDisruption`).
    fn mind_disruption(
        &mut self,
        now: Time,
        nodes: &[Sight],
        counts: &BTreeMap<ZoneId, Count>,
        orders: &mut Vec<Order>,
    ) {
        let all_are = counts.values().all(|count| count.state() == State::Full);
        let all_were = self.zones.values().all(|zone| zone.state == State::Full);
        match (all_were, all_are) {
            (true, true) => {}
            (false, true) => {
                let tainted = nodes.iter().filter(|sight| sight.taint == Taint::Unreachable);
                orders.extend(tainted.map(|sight| Order::Clear(sight.node)));
                for zone in self.zones.values_mut() {
                    zone.queue.clear();
                    zone.turns.clear();
                    zone.swap(now, None);
                    zone.state = State::Full;
                }
            }
            (true, false) => {
                self.nodes.values_mut().for_each(|health| health.noticed = now);
                self.set_limiters(now, counts, |_, _| true);
            }
            (false, false) => self.set_limiters(now, counts, |before, after| before != after),
        }
    }

    fn set_limiters(
        &mut self,
        now: Time,
        counts: &BTreeMap<ZoneId, Count>,
        is_due: fn(State, State) -> bool,
    ) {
        for (zone, count) in counts {
            let zone = self.zones.get_mut(zone).expect("what has nodes was looked at");
            let state = count.state();
            if is_due(zone.state, state) {
                zone.swap(now, state.gap(count.size()));
                zone.state = state;
            }
        }
    }

    /// Whom to taint now; the rest of each queue waits for its limiter (`doNoExecuteTaintingPass`).
    pub fn taint(&mut self, now: Time) -> Vec<NodeId> {
        let mut due = Vec::new();
        for zone in self.zones.values_mut() {
            while !zone.queue.is_empty() && zone.limiter.as_mut().is_some_and(|bucket| bucket.take(now)) {
                due.extend(zone.next());
            }
        }
        due
    }

    /// Whether anyone waits to be tainted.
    pub fn has_queue(&self) -> bool {
        self.zones.values().any(|zone| !zone.queue.is_empty())
    }
}

impl State {
    /// How often a node is tainted in a zone of so many; never, if nothing is said.
    fn gap(self, size: usize) -> Option<Duration> {
        match self {
            // A zone that is lost while others are not is treated like any other (`HealthyQPSFunc`).
            State::Initial | State::Normal | State::Full => Some(TAINT_GAP),
            State::Partial => (size > LARGE).then_some(SLOW_TAINT_GAP),
        }
    }
}

impl Zone {
    fn new() -> Zone {
        Zone {
            state: State::Initial,
            limiter: Some(Bucket::new(TAINT_GAP, 1)),
            queue: BTreeMap::new(),
            turns: BTreeMap::new(),
            last: 0,
        }
    }

    fn enlist(&mut self, node: NodeId) {
        if !self.turns.contains_key(&node) {
            self.last += 1;
            self.turns.insert(node, self.last);
            self.queue.insert(self.last, node);
        }
    }

    fn strike(&mut self, node: NodeId) {
        if let Some(turn) = self.turns.remove(&node) {
            self.queue.remove(&turn);
        }
    }

    fn next(&mut self) -> Option<NodeId> {
        let (_, node) = self.queue.pop_first()?;
        self.turns.remove(&node);
        Some(node)
    }

    /// Another limit; who waited for a token goes on waiting for one (`SwapLimiter`).
    fn swap(&mut self, now: Time, gap: Option<Duration>) {
        let waits = !self.limiter.as_mut().is_some_and(|bucket| bucket.take(now));
        self.limiter = gap.map(|gap| Bucket::new(gap, 1));
        if let (true, Some(bucket)) = (waits, &mut self.limiter) {
            bucket.take(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(40);

    fn at(secs: u64) -> Time {
        Time::START + Duration::from_secs(secs)
    }

    fn sight(node: u32, beats: u64) -> Sight {
        Sight { node: NodeId(node), zone: ZoneId(0), beats, ready: Ready::True, taint: Taint::None }
    }

    fn lost(node: u32) -> Sight {
        Sight { ready: Ready::Unknown, ..sight(node, 0) }
    }

    #[test]
    fn a_node_is_lost_a_grace_period_after_its_last_beat_was_noticed_and_not_before() {
        let mut lifecycle = Lifecycle::new(GRACE);
        let others = [sight(1, 1), sight(2, 1)];
        let mut look = |secs, beats| lifecycle.monitor(at(secs), &[sight(0, beats), others[0], others[1]]);
        look(0, 1);
        assert_eq!(look(5, 2), []);
        // The others have not beaten since the start, and are lost first.
        assert!(!look(45, 2).contains(&Order::Lose(NodeId(0))));
        assert!(look(46, 2).contains(&Order::Lose(NodeId(0))));
    }

    #[test]
    fn a_lost_node_is_tainted_one_every_ten_seconds() {
        let mut lifecycle = Lifecycle::new(GRACE);
        let nodes: Vec<Sight> = (0..2).map(lost).chain((2..9).map(|node| sight(node, 1))).collect();
        lifecycle.monitor(at(0), &nodes);
        assert_eq!(lifecycle.taint(at(0)), [NodeId(0)]);
        assert_eq!(lifecycle.taint(Time::from_nanos(9_999_999_999)), []);
        assert_eq!(lifecycle.taint(at(10)), [NodeId(1)]);
    }

    #[test]
    fn who_is_heard_of_again_is_not_tainted_and_a_taint_is_taken_off() {
        let mut lifecycle = Lifecycle::new(GRACE);
        let others = [sight(1, 1), sight(2, 1)];
        lifecycle.monitor(at(0), &[lost(0), others[0], others[1]]);
        let back = Sight { taint: Taint::Unreachable, ..sight(0, 9) };
        assert_eq!(lifecycle.monitor(at(5), &[back, others[0], others[1]]), [Order::Clear(NodeId(0))]);
        assert_eq!(lifecycle.taint(at(60)), []);
    }

    #[test]
    fn in_a_small_zone_that_is_mostly_lost_nobody_is_tainted() {
        let shares = [(10, 5, 1), (10, 6, 0)];
        for (all, gone, tainted) in shares {
            let mut lifecycle = Lifecycle::new(GRACE);
            let nodes: Vec<Sight> =
                (0..gone).map(lost).chain((gone..all).map(|node| sight(node, 1))).collect();
            lifecycle.monitor(at(0), &nodes);
            assert_eq!(lifecycle.taint(at(0)).len(), tainted, "{gone} of {all}");
        }
    }

    #[test]
    fn when_all_are_lost_nobody_is_tainted_and_who_was_is_no_more() {
        let mut lifecycle = Lifecycle::new(GRACE);
        let tainted = Sight { taint: Taint::Unreachable, ..lost(0) };
        assert_eq!(lifecycle.monitor(at(0), &[tainted, lost(1)]), [Order::Clear(NodeId(0))]);
        assert_eq!(lifecycle.taint(at(60)), []);
    }
}
