//! The changes of the last minutes, which clients are told instead of the whole (`recentlyChangedQueue`).

use std::collections::VecDeque;
use std::sync::Arc;

use schism_core::{Duration, Time};

use super::apps::{Apps, Delta, Item, Stamp};

/// The queue of recent changes (AbstractInstanceRegistry.java, 1.10).
#[derive(Clone, Debug, Default)]
pub struct Queue {
    items: VecDeque<Recent>,
    /// The last version whose change is not in the queue: swept out, or never put in.
    lacks: u64,
}

#[derive(Clone, Copy, Debug)]
struct Recent {
    /// By the server's wall clock.
    at: Time,
    version: u64,
    item: Item,
}

impl Queue {
    /// A queue of a server that starts at a version.
    pub fn new(version: u64) -> Queue {
        Queue { items: VecDeque::new(), lacks: version }
    }

    /// A change has led to a version.
    pub fn push(&mut self, at: Time, version: u64, item: Item) {
        self.items.push_back(Recent { at, version, item });
    }

    /// A change has led to a version, and is left out.
    pub fn omit(&mut self, version: u64) {
        self.lacks = version;
    }

    /// Takes out from the front what is older than is kept; it stops at the first that is not
    /// (`getDeltaRetentionTask`).
    pub fn sweep(&mut self, now: Time, retention: Duration) {
        while let Some(oldest) = self.items.front()
            && oldest.at + retention < now
        {
            self.lacks = self.lacks.max(oldest.version);
            self.items.pop_front();
        }
    }

    /// What clients are told.
    pub fn delta(&self, apps: &Arc<Apps>, of: Stamp) -> Delta {
        let items = self.items.iter().map(|recent| recent.item).collect();
        Delta { items, census: apps.census(), apps: apps.clone(), since: Some((of, self.lacks)) }
    }
}

#[cfg(test)]
mod tests {
    use schism_core::{NodeId, ZoneId};

    use super::super::apps::{Action, Info, Status};
    use super::*;
    use crate::listing::{Endpoint, ServiceId};

    const KEPT: Duration = Duration::from_secs(180);

    fn at(seconds: u64) -> Time {
        Time::START + Duration::from_secs(seconds)
    }

    fn item(node: u32) -> Item {
        let endpoint = Endpoint { node: NodeId(node), ordinal: node, zone: ZoneId(0), weight: 1 };
        let info = Info { service: ServiceId(0), endpoint, status: Status::Up, dirty: Time::START };
        Item { action: Action::Added, info }
    }

    fn told(queue: &Queue) -> (Vec<u32>, u64) {
        let of = Stamp { server: NodeId(0), booted: Time::START };
        let delta = queue.delta(&Arc::new(Apps::empty(1)), of);
        let nodes = delta.items.iter().map(|item| item.info.endpoint.node.0).collect();
        (nodes, delta.since.expect("nothing is wrong with the server").1)
    }

    #[test]
    fn a_change_is_kept_for_its_time_and_not_an_instant_longer() {
        let mut queue = Queue::new(0);
        queue.push(at(10), 1, item(1));
        queue.push(at(20), 2, item(2));
        queue.sweep(at(190), KEPT);
        assert_eq!(told(&queue), (vec![1, 2], 0));
        queue.sweep(at(190) + Duration::from_nanos(1), KEPT);
        assert_eq!(told(&queue), (vec![2], 1));
    }

    #[test]
    fn one_that_is_young_by_a_stepped_clock_keeps_those_behind_it() {
        let mut queue = Queue::new(0);
        queue.push(at(1000), 1, item(1));
        // The clock was stepped back.
        queue.push(at(400), 2, item(2));
        queue.sweep(at(700), KEPT);
        assert_eq!(told(&queue), (vec![1, 2], 0));
    }

    #[test]
    fn what_was_left_out_is_lacking() {
        let mut queue = Queue::new(0);
        queue.push(at(10), 1, item(1));
        queue.omit(2);
        queue.push(at(20), 3, item(3));
        assert_eq!(told(&queue), (vec![1, 3], 2));
    }
}
