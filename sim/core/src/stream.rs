//! Streams: the connections between nodes, one direction each. Messages arrive in order, and what is lost is sent again
//! by TCP's slots.

use std::collections::VecDeque;
use std::hash::BuildHasherDefault;

use rustc_hash::FxHasher;

use crate::{Duration, Life, NodeId, Time};

/// A stream's number: never used again, so that what an earlier one still has in flight is not taken for a later one's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StreamId(pub(crate) u32);

/// Looked up by sender and receiver for every message that is sent on one, and never walked.
#[expect(
    clippy::disallowed_types,
    reason = "looked up by key only, so the order of iteration decides nothing"
)]
type Index = std::collections::HashMap<(NodeId, NodeId), StreamId, BuildHasherDefault<FxHasher>>;

/// All streams there ever were, and which of them are open.
#[derive(Clone, Debug)]
pub(crate) struct Streams<M> {
    all: Vec<Stream<M>>,
    open: Index,
}

/// One direction of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Stream<M> {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    /// The receiver's life that it was opened with.
    pub(crate) life: Life,
    /// No message may arrive before this.
    pub(crate) last: Time,
    pub(crate) flow: Flow<M>,
}

/// Whether messages get through.
#[derive(Clone, Debug)]
pub(crate) enum Flow<M> {
    /// They do, as far as the sender knows.
    Open,
    /// One was lost: all wait for a retransmission.
    Stalled(Box<Stall<M>>),
    /// The connection is no more.
    Closed,
}

impl<M> Default for Streams<M> {
    fn default() -> Self {
        Streams { all: Vec::new(), open: Index::default() }
    }
}

impl<M> Streams<M> {
    /// The open stream from one node to another, opened now if there is none.
    pub(crate) fn open(&mut self, from: NodeId, to: NodeId, life: Life, now: Time) -> StreamId {
        let all = &mut self.all;
        *self.open.entry((from, to)).or_insert_with(|| {
            all.push(Stream { from, to, life, last: now, flow: Flow::Open });
            StreamId(all.len() as u32 - 1)
        })
    }

    /// Whether there is an open stream from one node to another.
    pub(crate) fn is_open(&self, from: NodeId, to: NodeId) -> bool {
        self.open.contains_key(&(from, to))
    }

    /// How many streams there have been.
    pub(crate) fn count(&self) -> u32 {
        self.all.len() as u32
    }

    /// Whether one node has opened a stream to another since there were so many.
    pub(crate) fn has_opened(&self, from: NodeId, to: NodeId, since: u32) -> bool {
        self.open.get(&(from, to)).is_some_and(|id| id.0 >= since)
    }

    pub(crate) fn get(&mut self, id: StreamId) -> &mut Stream<M> {
        &mut self.all[id.0 as usize]
    }

    /// Closes the stream from one node to another with all that it holds; whether there was one.
    pub(crate) fn close(&mut self, from: NodeId, to: NodeId) -> bool {
        let gone = self.open.remove(&(from, to));
        if let Some(id) = gone {
            self.get(id).flow = Flow::Closed;
        }
        gone.is_some()
    }

    /// Closes all streams from a node; those to it stay as their senders know them.
    pub(crate) fn close_all_from(&mut self, node: NodeId) {
        self.close_where(|stream| stream.from == node);
    }

    /// Closes all streams from and to a node.
    pub(crate) fn close_all_of(&mut self, node: NodeId) {
        self.close_where(|stream| stream.from == node || stream.to == node);
    }

    fn close_where(&mut self, is_meant: impl Fn(&Stream<M>) -> bool) {
        for stream in self.all.iter_mut().filter(|stream| is_meant(stream)) {
            if !matches!(stream.flow, Flow::Closed) {
                stream.flow = Flow::Closed;
                self.open.remove(&(stream.from, stream.to));
            }
        }
    }
}

/// What a stalled stream holds.
#[derive(Clone, Debug)]
pub(crate) struct Stall<M> {
    /// When the first message that was lost had been sent.
    pub(crate) since: Time,
    /// How many times it has been sent again.
    pub(crate) tries: u32,
    /// When it is sent again.
    pub(crate) next: Time,
    /// What has not arrived, in order.
    pub(crate) backlog: VecDeque<M>,
    /// How many of those were on their way when the stream stalled: they come before all that it was given since.
    under_way: usize,
}

/// Linux's smallest retransmission time-out: 200 ms (TCP_RTO_MIN, include/net/tcp.h). After n time-outs that each
/// double, the slots lie 0.2 s * (2^n - 1) after the first sending: 0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 25.4, 51 s.
const RTO_MIN: Duration = Duration::from_millis(200);
/// Linux's largest: 120 s (TCP_RTO_MAX), so from the tenth slot on they are 120 s apart.
const RTO_MAX: Duration = Duration::from_secs(120);

impl<M> Stall<M> {
    /// A stream that has nothing to send again yet, what was lost having been sent at `since`.
    pub(crate) fn new(since: Time) -> Stall<M> {
        Stall { since, tries: 0, next: since, backlog: VecDeque::new(), under_way: 0 }
    }

    /// The stream was given one more message.
    pub(crate) fn give(&mut self, msg: M) {
        self.backlog.push_back(msg);
    }

    /// A message that was on its way did not get through, or comes behind one that did not. Those arrive in order.
    pub(crate) fn fall_behind(&mut self, msg: M) {
        self.backlog.insert(self.under_way, msg);
        self.under_way += 1;
    }

    /// Moves on to the first retransmission slot after `now`.
    pub(crate) fn back_off(&mut self, now: Time) -> Time {
        while self.next <= now {
            self.tries += 1;
            self.next = self.since + slot(self.tries);
        }
        self.next
    }
}

/// How long after the first sending the `tries`-th retransmission leaves.
fn slot(tries: u32) -> Duration {
    (0..tries).fold(Duration::ZERO, |sum, n| sum + (RTO_MIN * (1 << n.min(20))).min(RTO_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retransmission_slots_double_up_to_two_minutes() {
        let slots: Vec<u64> = (1..=12).map(|n| slot(n).as_nanos() / 100_000_000).collect();
        assert_eq!(slots, [2, 6, 14, 30, 62, 126, 254, 510, 1022, 2046, 3246, 4446]);
    }
}
