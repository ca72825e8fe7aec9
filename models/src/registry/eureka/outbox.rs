//! What a server has to tell one peer: a queue of tasks, each in it once, that leave in batches.

use std::collections::{BTreeMap, VecDeque};

use schism_core::{Duration, NodeId, Time};

use super::apps::Info;

/// How long the oldest task waits for others: 500 ms (cluster/PeerEurekaNode.java, `MAX_BATCHING_DELAY_MS`).
pub const BATCHING_DELAY: Duration = Duration::from_millis(500);
/// How many tasks a batch has at most: 250 (PeerEurekaNode.java, `BATCH_SIZE`).
pub const BATCH_SIZE: usize = 250;
/// How many batches are under way at most: 20 (DefaultEurekaServerConfig.java, `maxThreadsForPeerReplication`).
pub const WORKERS: usize = 20;
/// How many tasks the queue holds: 10,000 (DefaultEurekaServerConfig.java, `maxElementsInPeerReplicationPool`).
pub const CAPACITY: usize = 10_000;
/// How long nothing leaves after a failure of the network: 100 ms (PeerEurekaNode.java, `RETRY_SLEEP_TIME_MS`).
pub const AFTER_FAILURE: Duration = Duration::from_millis(100);
/// How long nothing leaves after the peer was too slow: 1 s (PeerEurekaNode.java, `SERVER_UNAVAILABLE_SLEEP_TIME_MS`).
pub const AFTER_CONGESTION: Duration = Duration::from_millis(1000);

/// What is replicated. Evictions are not: every server evicts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Errand {
    /// A renewal, with the dirty timestamp.
    Heartbeat,
    /// A registration.
    Register,
    /// A cancellation.
    Cancel,
}

/// One thing to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// What.
    pub errand: Errand,
    /// Of whom.
    pub info: Info,
    /// When it was handed in, by the server's wall clock.
    pub submitted: Time,
    /// When it is no longer worth telling, by the same clock.
    pub expires: Time,
}

/// Of several tasks of one name the last is kept.
type Name = (NodeId, Errand);

impl Task {
    fn name(&self) -> Name {
        (self.info.endpoint.node, self.errand)
    }
}

/// Why a batch was in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection, or a broken one (`TransientError`).
    Network,
    /// No answer in time (`Congestion`).
    Congestion,
}

/// The queue (eureka-core, util/batcher/AcceptorExecutor.java and TrafficShaper.java, 1.10). All times are the wall
/// clock's, as there.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    order: VecDeque<Name>,
    pending: BTreeMap<Name, Task>,
    /// Nothing leaves before this.
    rests: Time,
    /// Batches that are not answered, by number.
    flying: BTreeMap<u32, Vec<Task>>,
    last: u32,
}

impl Outbox {
    /// Takes a task, in the place of the one of its name if there is one; if the queue is full, the oldest is dropped.
    pub fn submit(&mut self, task: Task) {
        if self.pending.len() >= CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.pending.remove(&oldest);
        }
        if self.pending.insert(task.name(), task).is_none() {
            self.order.push_back(task.name());
        }
    }

    /// When the next batch may leave, if there is anything to leave and a worker to take it.
    pub fn due(&self) -> Option<Time> {
        let oldest = self.pending.get(self.order.front()?)?;
        (self.flying.len() < WORKERS).then(|| (oldest.submitted + BATCHING_DELAY).max(self.rests))
    }

    /// Takes out the next batch, if it may leave now: its number and its tasks. What has expired is dropped.
    pub fn depart(&mut self, now: Time) -> Option<(u32, Vec<Task>)> {
        while self.due().is_some_and(|due| due <= now) {
            let many = self.order.len().min(BATCH_SIZE);
            let names: Vec<Name> = self.order.drain(..many).collect();
            let tasks =
                names.iter().map(|name| self.pending.remove(name).expect("what has a place is pending"));
            let tasks: Vec<Task> = tasks.filter(|task| task.expires > now).collect();
            if !tasks.is_empty() {
                self.last += 1;
                self.flying.insert(self.last, tasks.clone());
                return Some((self.last, tasks));
            }
        }
        None
    }

    /// A batch was answered: its tasks, if it was waited for.
    pub fn arrived(&mut self, number: u32) -> Option<Vec<Task>> {
        self.flying.remove(&number)
    }

    /// A batch was in vain, if it was waited for: its tasks go back to the front, except those that have expired or
    /// that a newer one of their name has replaced. Whether it was waited for.
    pub fn failed(&mut self, now: Time, number: u32, why: Failure) -> bool {
        let Some(tasks) = self.flying.remove(&number) else { return false };
        for task in tasks.into_iter().rev() {
            let name = task.name();
            if task.expires > now && self.pending.len() < CAPACITY && !self.pending.contains_key(&name) {
                self.pending.insert(name, task);
                self.order.push_front(name);
            }
        }
        let rest = match why {
            Failure::Network => AFTER_FAILURE,
            Failure::Congestion => AFTER_CONGESTION,
        };
        self.rests = self.rests.max(now + rest);
        true
    }

    /// The connection is gone: every batch under way was in vain. Whether there was one.
    pub fn cut_off(&mut self, now: Time) -> bool {
        let numbers: Vec<u32> = self.flying.keys().rev().copied().collect();
        numbers.iter().for_each(|&number| {
            self.failed(now, number, Failure::Network);
        });
        !numbers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use schism_core::ZoneId;

    use super::super::apps::Status;
    use super::*;
    use crate::listing::{Endpoint, ServiceId};

    fn at(millis: u64) -> Time {
        Time::START + Duration::from_millis(millis)
    }

    fn task(errand: Errand, node: u32, submitted: u64) -> Task {
        let endpoint = Endpoint { node: NodeId(node), ordinal: node, zone: ZoneId(0), weight: 1 };
        let info = Info { service: ServiceId(0), endpoint, status: Status::Up, dirty: at(submitted) };
        Task { errand, info, submitted: at(submitted), expires: at(submitted + 30_000) }
    }

    fn nodes(tasks: &[Task]) -> Vec<u32> {
        tasks.iter().map(|task| task.info.endpoint.node.0).collect()
    }

    #[test]
    fn a_batch_leaves_when_its_oldest_task_has_waited_for_others() {
        let mut outbox = Outbox::default();
        outbox.submit(task(Errand::Heartbeat, 1, 1000));
        outbox.submit(task(Errand::Heartbeat, 2, 1400));
        assert_eq!(outbox.due(), Some(at(1500)));
        assert_eq!(outbox.depart(at(1499)), None);
        let (_, tasks) = outbox.depart(at(1500)).expect("it is time");
        assert_eq!(nodes(&tasks), [1, 2]);
        assert_eq!(outbox.due(), None);
    }

    #[test]
    fn a_newer_task_takes_the_place_of_the_older_of_its_name_and_not_its_time() {
        let mut outbox = Outbox::default();
        outbox.submit(task(Errand::Heartbeat, 1, 1000));
        outbox.submit(task(Errand::Register, 1, 1100));
        outbox.submit(task(Errand::Heartbeat, 1, 1200));
        assert_eq!(outbox.due(), Some(at(1700)));
        let (_, tasks) = outbox.depart(at(1700)).expect("it is time");
        assert_eq!(
            tasks.iter().map(|task| task.errand).collect::<Vec<_>>(),
            [Errand::Heartbeat, Errand::Register]
        );
    }

    #[test]
    fn a_batch_has_a_size_and_the_rest_leaves_in_the_next() {
        let mut outbox = Outbox::default();
        (0..300).for_each(|node| outbox.submit(task(Errand::Heartbeat, node, 1000)));
        let sizes: Vec<usize> =
            std::iter::from_fn(|| outbox.depart(at(1500))).map(|(_, tasks)| tasks.len()).collect();
        assert_eq!(sizes, [250, 50]);
    }

    #[test]
    fn what_was_in_vain_is_told_again_after_a_rest_unless_it_has_expired() {
        let mut outbox = Outbox::default();
        outbox.submit(task(Errand::Cancel, 1, 0));
        outbox.submit(task(Errand::Heartbeat, 2, 400));
        let (number, _) = outbox.depart(at(500)).expect("it is time");
        assert!(outbox.failed(at(1500), number, Failure::Network));
        assert_eq!(outbox.due(), Some(at(1600)));
        let (number, tasks) = outbox.depart(at(1600)).expect("it is time again");
        assert_eq!(nodes(&tasks), [1, 2]);
        assert!(outbox.failed(at(30_000), number, Failure::Congestion));
        assert_eq!(outbox.due(), Some(at(31_000)));
        assert_eq!(outbox.depart(at(31_000)), None, "both have expired meanwhile");
        assert!(!outbox.failed(at(31_000), number, Failure::Congestion), "nobody waits for it any more");
    }

    #[test]
    fn what_was_in_vain_does_not_displace_a_newer_task_of_its_name() {
        let mut outbox = Outbox::default();
        outbox.submit(task(Errand::Heartbeat, 1, 0));
        let (number, _) = outbox.depart(at(500)).expect("it is time");
        outbox.submit(task(Errand::Heartbeat, 1, 900));
        outbox.failed(at(1000), number, Failure::Network);
        let (_, tasks) = outbox.depart(at(1400)).expect("it is time");
        assert_eq!(tasks[0].submitted, at(900));
        assert_eq!(tasks.len(), 1);
    }

    #[test]
    fn no_more_batches_are_under_way_than_there_are_workers() {
        let mut outbox = Outbox::default();
        (0..30).for_each(|node| {
            outbox.submit(task(Errand::Heartbeat, node, u64::from(node) * 1000));
            outbox.depart(at(u64::from(node) * 1000 + 500));
        });
        assert_eq!(outbox.due(), None, "every worker waits");
        assert!(outbox.cut_off(at(29_500)));
        assert_eq!(outbox.due(), Some(at(29_600)));
        let (_, tasks) = outbox.depart(at(29_600)).expect("the workers are free");
        assert_eq!(nodes(&tasks), (0..30).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_queue_drops_the_oldest() {
        let mut outbox = Outbox::default();
        (0..=CAPACITY as u32).for_each(|node| outbox.submit(task(Errand::Heartbeat, node, 0)));
        let (_, tasks) = outbox.depart(at(500)).expect("it is time");
        assert_eq!(tasks[0].info.endpoint.node, NodeId(1));
    }
}
