//! Streams: the connections between nodes, one direction each. Messages arrive in order, and what is lost is sent again
//! by TCP's slots. The first of a connection's two directions is opened with a handshake.

use std::collections::{BTreeSet, VecDeque};
use std::hash::BuildHasherDefault;

use rustc_hash::FxHasher;

use crate::{Cause, Draw, Duration, FaultId, Life, NodeId, Time};

mod orphans;

use orphans::Orphans;
pub(crate) use orphans::{End, Orphan};

/// A stream's number: never used again, so that what an earlier one still has in flight is not taken for a later one's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
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
    /// Those that are open, by each of their two nodes.
    of: BTreeSet<(NodeId, StreamId)>,
    /// Those that are not, but whose dead sender's host goes on.
    orphans: Orphans,
}

/// One direction of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Stream<M> {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    /// The receiver's life that it was opened with.
    pub(crate) life: Life,
    /// The number of the connection: that of the stream that opened it.
    pub(crate) connection: StreamId,
    /// Whether the other direction has come to it; never, of one that has come to another itself.
    joined: bool,
    /// How many segments have left with the stream's own luck.
    turns: u32,
    luck: Draw,
    /// No message may arrive before this.
    pub(crate) last: Time,
    pub(crate) flow: Flow<M>,
}

/// Whether messages get through.
#[derive(Clone, Debug)]
pub(crate) enum Flow<M> {
    /// They do, as far as the sender knows.
    Open,
    /// They wait: for the handshake, for a retransmission, or for a mend.
    Stalled(Box<Stall<M>>),
    /// The connection is no more.
    Closed,
}

impl<M> Default for Streams<M> {
    fn default() -> Self {
        Streams { all: Vec::new(), open: Index::default(), of: BTreeSet::new(), orphans: Orphans::default() }
    }
}

impl<M> Streams<M> {
    /// The open stream from one node to another.
    #[inline]
    pub(crate) fn find(&self, from: NodeId, to: NodeId) -> Option<StreamId> {
        self.open.get(&(from, to)).copied()
    }

    /// The other direction of a connection that the peer has opened, which needs no handshake: from this life of the one
    /// to that of the other. The peer may have died since, if its end of the connection has not come yet.
    pub(crate) fn join(
        &mut self,
        (from, own): (NodeId, Life),
        (to, life): (NodeId, Life),
        luck: Draw,
        now: Time,
    ) -> Option<StreamId> {
        let orphan = || self.orphans.between(to, from).next_back();
        let back = self.find(to, from).or_else(orphan)?;
        let life = self.orphans.get((to, from), back).map_or(life, |orphan| orphan.life);
        let peer = self.get(back);
        if !peer.is_established() || peer.connection != back || peer.joined || peer.life != own {
            return None;
        }
        peer.joined = true;
        Some(self.begin(from, to, life, back, luck, now, Flow::Open))
    }

    /// A new connection, which is still to be opened.
    pub(crate) fn connect(&mut self, from: NodeId, to: NodeId, luck: Draw, now: Time) -> StreamId {
        let stall = Flow::Stalled(Box::new(Stall::new(Stage::Opening, now)));
        let next = StreamId(self.count());
        self.begin(from, to, Life(0), next, luck, now, stall)
    }

    #[expect(clippy::too_many_arguments, reason = "it is all that tells one stream from another")]
    fn begin(
        &mut self,
        from: NodeId,
        to: NodeId,
        life: Life,
        connection: StreamId,
        luck: Draw,
        now: Time,
        flow: Flow<M>,
    ) -> StreamId {
        let id = StreamId(self.count());
        self.all.push(Stream { from, to, life, connection, joined: false, turns: 0, luck, last: now, flow });
        self.open.insert((from, to), id);
        self.of.extend([(from, id), (to, id)]);
        id
    }

    /// Whether there is an open stream from one node to another.
    pub(crate) fn is_open(&self, from: NodeId, to: NodeId) -> bool {
        self.open.contains_key(&(from, to))
    }

    /// Every stream's own luck is another from here on.
    pub(crate) fn redraw(&mut self, salt: u64) {
        self.all.iter_mut().for_each(|stream| stream.luck = stream.luck.redrawn(salt));
    }

    /// How many streams there have been.
    pub(crate) fn count(&self) -> u32 {
        self.all.len() as u32
    }

    /// Whether one node has opened a stream to another since there were so many.
    pub(crate) fn has_opened(&self, from: NodeId, to: NodeId, since: u32) -> bool {
        self.open.get(&(from, to)).is_some_and(|id| id.0 >= since)
    }

    #[inline]
    pub(crate) fn get(&mut self, id: StreamId) -> &mut Stream<M> {
        &mut self.all[id.0 as usize]
    }

    /// A stream, to look at.
    pub(crate) fn look(&self, id: StreamId) -> &Stream<M> {
        &self.all[id.0 as usize]
    }

    /// Those that are open, by their senders and then by number; each once.
    pub(crate) fn all_open(&self) -> impl Iterator<Item = &Stream<M>> {
        let of = |&(node, id): &(NodeId, StreamId)| {
            let stream = self.look(id);
            (stream.from == node).then_some(stream)
        };
        self.of.iter().filter_map(of)
    }

    /// The connection between two nodes that is established, by either's stream.
    pub(crate) fn connection(&self, a: NodeId, b: NodeId) -> Option<StreamId> {
        let ways = [self.find(a, b), self.find(b, a)];
        let mut streams = ways.into_iter().flatten().map(|id| &self.all[id.0 as usize]);
        streams.find(|stream| stream.is_established()).map(|stream| stream.connection)
    }

    /// Closes the stream from one node to another with all that it holds; whether there was one.
    pub(crate) fn close(&mut self, from: NodeId, to: NodeId) -> bool {
        let gone = self.find(from, to);
        if let Some(id) = gone {
            self.get(id).flow = Flow::Closed;
            self.forget(from, to, id);
        }
        gone.is_some()
    }

    /// A stream is not the one from one node to another any more.
    fn forget(&mut self, from: NodeId, to: NodeId, id: StreamId) {
        self.open.remove(&(from, to));
        self.of.remove(&(from, id));
        self.of.remove(&(to, id));
    }

    /// Closes all streams from a node whose host dies with it, those of earlier lives, too; those to it stay as their
    /// senders know them.
    pub(crate) fn close_all_from(&mut self, node: NodeId) {
        let gone: Vec<StreamId> = self.of(node).filter(|&id| self.all[id.0 as usize].from == node).collect();
        self.close_each(gone);
        let orphans: Vec<StreamId> = self.orphans.from(node).map(|(_, id)| id).collect();
        self.close_each_orphan(orphans);
    }

    /// The streams of a node whose process has died, while its host lives on. Those that are being opened are closed: who
    /// is asking it for a connection goes on, since its host will answer. Of the established ones those from it are
    /// orphans from now on, which are handed back. Those to it stay as their senders know them, until they are told; those
    /// of senders that would not be are closed.
    pub(crate) fn orphan(&mut self, node: NodeId, life: Life, told: &BTreeSet<NodeId>) -> Vec<StreamId> {
        let mut orphans = Vec::new();
        for id in self.of(node).collect::<Vec<_>>() {
            let stream = self.look(id);
            let (from, to, is_established) = (stream.from, stream.to, stream.is_established());
            if from == node && is_established {
                self.forget(from, to, id);
                let end = if told.contains(&to) { End::Told } else { End::Untold };
                self.orphans.add((from, to), id, Orphan { life, end });
                orphans.push(id);
            } else if from == node || is_established && !told.contains(&from) {
                self.close(from, to);
            }
        }
        orphans
    }

    /// What is to be known of a stream if it is an orphan.
    pub(crate) fn orphaned(&self, id: StreamId) -> Option<Orphan> {
        let stream = self.look(id);
        self.orphans.get((stream.from, stream.to), id)
    }

    /// Closes an orphan with all that it holds; what it was, if it was one.
    pub(crate) fn close_orphan(&mut self, id: StreamId) -> Option<Orphan> {
        let stream = self.look(id);
        let orphan = self.orphans.remove((stream.from, stream.to), id)?;
        self.get(id).flow = Flow::Closed;
        Some(orphan)
    }

    /// Closes the orphans from one node to another that do not get through: there is nothing that waits for them any more.
    pub(crate) fn close_stalled_orphans(&mut self, from: NodeId, to: NodeId) {
        let stalled = |id: &StreamId| matches!(self.look(*id).flow, Flow::Stalled(_));
        let gone: Vec<StreamId> = self.orphans.between(from, to).filter(stalled).collect();
        self.close_each_orphan(gone);
    }

    /// Closes all orphans from one node to another.
    pub(crate) fn close_orphans(&mut self, from: NodeId, to: NodeId) {
        let gone: Vec<StreamId> = self.orphans.between(from, to).collect();
        self.close_each_orphan(gone);
    }

    fn close_each_orphan(&mut self, gone: Vec<StreamId>) {
        for id in gone {
            self.close_orphan(id);
        }
    }

    /// Whether the two nodes of a stream have a later connection, which is established.
    pub(crate) fn has_later(&self, id: StreamId) -> bool {
        let stream = self.look(id);
        self.connection(stream.from, stream.to).is_some_and(|later| later > stream.connection)
    }

    fn close_each(&mut self, gone: Vec<StreamId>) {
        for id in gone {
            let Stream { from, to, .. } = *self.get(id);
            self.close(from, to);
        }
    }

    /// The nodes that a node has an established connection with, perhaps twice.
    pub(crate) fn peers(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let streams = self.of(node).map(|id| &self.all[id.0 as usize]);
        let peer = move |stream: &Stream<M>| if stream.from == node { stream.to } else { stream.from };
        let established = streams.filter(|stream| stream.is_established()).map(peer);
        established.chain(self.orphans.from(node).map(|(to, _)| to))
    }

    /// This life of the receiver has accepted the connection that this life of the sender has asked for: what it had with
    /// the sender on an earlier one is over, and so is what it had opened to an earlier life.
    pub(crate) fn accept(&mut self, id: StreamId, sender: Life, life: Life) {
        let stream = self.get(id);
        stream.life = life;
        let (from, to) = (stream.from, stream.to);
        let Some(back) = self.find(to, from) else { return };
        let other = self.look(back);
        if other.connection != back || other.is_established() && other.life != sender {
            self.close(to, from);
        }
    }

    fn of(&self, node: NodeId) -> impl Iterator<Item = StreamId> {
        self.of.range((node, StreamId(0))..=(node, StreamId(u32::MAX))).map(|&(_, id)| id)
    }
}

impl<M> Stream<M> {
    /// Whether the handshake is over, as far as the sender knows.
    pub(crate) fn is_established(&self) -> bool {
        match &self.flow {
            Flow::Open => true,
            Flow::Stalled(stall) => stall.stage == Stage::Established,
            Flow::Closed => false,
        }
    }

    /// The luck of its next segment that carries no message of its own, or more than one.
    pub(crate) fn next_luck(&mut self) -> Draw {
        self.turns += 1;
        self.luck.derive(u64::from(self.turns))
    }

    /// Stops until it is told what to wait for.
    pub(crate) fn stall(&mut self, now: Time) -> &mut Stall<M> {
        self.flow = Flow::Stalled(Box::new(Stall::new(Stage::Established, now)));
        self.stalled().expect("it has just stalled")
    }

    /// What it holds, if it is stalled.
    pub(crate) fn stalled(&mut self) -> Option<&mut Stall<M>> {
        match &mut self.flow {
            Flow::Stalled(stall) => Some(stall),
            Flow::Open | Flow::Closed => None,
        }
    }

    /// Goes on; what has waited is to be sent.
    pub(crate) fn go_on(&mut self) -> VecDeque<Asked<M>> {
        match std::mem::replace(&mut self.flow, Flow::Open) {
            Flow::Stalled(stall) => stall.backlog,
            Flow::Open | Flow::Closed => unreachable!("only a stalled stream goes on"),
        }
    }
}

/// A message that waits, and during what it was asked for: known where somebody [traces](crate::Witness::TRACES).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<M> {
    pub(crate) cause: Cause,
    pub(crate) msg: M,
}

/// What a stalled stream holds.
#[derive(Clone, Debug)]
pub(crate) struct Stall<M> {
    pub(crate) stage: Stage,
    pub(crate) wait: Wait,
    /// When the first segment that was lost had been sent.
    pub(crate) since: Time,
    /// How many times it has been sent again.
    pub(crate) tries: u32,
    /// What has not arrived, in order.
    pub(crate) backlog: VecDeque<Asked<M>>,
    /// How many of those were on their way when the stream stalled: they come before all that it was given since.
    under_way: usize,
}

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// The handshake is not over.
    Opening,
    /// It is.
    Established,
}

/// What a stalled stream waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wait {
    /// The peer's answer to the handshake, which is on its way as far as anybody knows.
    Answer,
    /// The moment to send again.
    Slot(Time),
    /// The end of a cut of this fault, which holds what was sent.
    Mend(FaultId),
}

impl Stage {
    /// The time-out after which a segment is first sent again. For a SYN 1 s (RFC 6298, section 2.1); else Linux's smallest:
    /// 200 ms (TCP_RTO_MIN, include/net/tcp.h). After n time-outs that each double, the slots lie (2^n - 1) times as long
    /// after the first sending: 1, 3, 7, 15, 31, 63 s for a SYN, and 0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 25.4, 51 s.
    const fn rto(self) -> Duration {
        match self {
            Stage::Opening => Duration::from_secs(1),
            Stage::Established => Duration::from_millis(200),
        }
    }

    /// How often a segment is sent again: 6 times for a SYN (tcp_syn_retries), so it gives up after 127 s, and else 15
    /// times (tcp_retries2), so it gives up after 924.6 s (Linux, Documentation/networking/ip-sysctl.rst).
    const fn most_tries(self) -> u32 {
        match self {
            Stage::Opening => 6,
            Stage::Established => 15,
        }
    }
}

/// How often the host of a dead process sends a segment again, so it gives up after 102.2 s (Linux, tcp_orphan_retries in
/// net/ipv4/tcp_timer.c: 8 while the time-out is below its largest).
const MOST_TRIES_OF_AN_ORPHAN: u32 = 8;

/// Linux's largest: 120 s (TCP_RTO_MAX), so from the tenth slot on they are 120 s apart.
const RTO_MAX: Duration = Duration::from_secs(120);

impl<M> Stall<M> {
    /// A stream that has nothing to send again yet; its slots are counted from `since`.
    fn new(stage: Stage, since: Time) -> Stall<M> {
        Stall { stage, wait: Wait::Answer, since, tries: 0, backlog: VecDeque::new(), under_way: 0 }
    }

    /// The stream was given one more message.
    pub(crate) fn give(&mut self, cause: Cause, msg: M) {
        self.backlog.push_back(Asked { cause, msg });
    }

    /// A message that was on its way did not get through, or comes behind one that did not. Those arrive in order.
    pub(crate) fn fall_behind(&mut self, cause: Cause, msg: M) {
        self.backlog.insert(self.under_way, Asked { cause, msg });
        self.under_way += 1;
    }

    /// The message that goes first.
    pub(crate) fn first(&self) -> Option<&M> {
        self.backlog.front().map(|asked| &asked.msg)
    }

    /// Whether something is missing that was on its way, so that what follows it has to wait.
    pub(crate) fn has_gap(&self) -> bool {
        self.under_way > 0
    }

    /// Begins to count its slots anew, at this stage.
    pub(crate) fn start_over(&mut self, stage: Stage, now: Time) {
        (self.stage, self.wait, self.since, self.tries) = (stage, Wait::Answer, now, 0);
    }

    /// Whether the slot that has come is one too many.
    pub(crate) fn has_given_up(&self) -> bool {
        self.tries > self.stage.most_tries()
    }

    /// Whether it is, of an orphan.
    pub(crate) fn has_given_up_as_orphan(&self) -> bool {
        self.tries > MOST_TRIES_OF_AN_ORPHAN
    }

    /// Moves on to the first slot after `now`.
    pub(crate) fn back_off(&mut self, now: Time) -> Time {
        let mut next = self.since;
        while next <= now {
            self.tries += 1;
            next = self.since + slot(self.stage.rto(), self.tries);
        }
        self.wait = Wait::Slot(next);
        next
    }
}

/// How long after the first sending the `tries`-th retransmission leaves, the first time-out being `rto`.
fn slot(rto: Duration, tries: u32) -> Duration {
    (0..tries).fold(Duration::ZERO, |sum, n| sum + (rto * (1 << n.min(20))).min(RTO_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retransmission_slots_double_up_to_two_minutes() {
        let rto = Stage::Established.rto();
        let slots: Vec<u64> = (1..=12).map(|n| slot(rto, n).as_nanos() / 100_000_000).collect();
        assert_eq!(slots, [2, 6, 14, 30, 62, 126, 254, 510, 1022, 2046, 3246, 4446]);
    }

    #[test]
    fn linux_gives_up_when_its_last_time_out_is_over() {
        let ends = |stage: Stage| slot(stage.rto(), stage.most_tries() + 1);
        assert_eq!(ends(Stage::Opening), Duration::from_secs(127));
        assert_eq!(ends(Stage::Established), Duration::from_millis(924_600));
        let orphan = slot(Stage::Established.rto(), MOST_TRIES_OF_AN_ORPHAN + 1);
        assert_eq!(orphan, Duration::from_millis(102_200));
    }
}
