//! The world: nodes, their network and what is still to come. A value; running it is a pure function.

use std::collections::{BTreeMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use crate::network::{Epoch, RECEIVED};
use crate::queue::{Best, Queue};
use crate::stream::{StreamId, Streams};
use crate::witness::Pulse;
use crate::{
    Actor, Checkpoints, Ctx, Digest, DigestValue, Durable, Effect, Fault, FaultId, Life, Luck, Network,
    NodeId, Scene, Seed, Status, Time, Topology, Witness, ZoneId,
};

mod traffic;

use traffic::Hoard;

/// How many events lie between two checkpoints of the digest, at first.
const CHECKPOINT_EVERY: u64 = 4096;

/// One node of the cast.
#[derive(Clone, Debug)]
pub struct Part<C> {
    /// Its name, from which its luck comes.
    pub name: String,
    /// Where it runs.
    pub zone: ZoneId,
    /// What it boots with.
    pub config: C,
}

/// Everything there is in a run: cloning it forks the run.
#[derive(Clone)]
pub struct World<A: Actor, W, Q = Best<Event<A>>> {
    now: Time,
    seed: Seed,
    queue: Q,
    actors: Vec<Option<A>>,
    nodes: Vec<Node<A>>,
    names: Vec<Arc<str>>,
    pulses: Vec<Pulse>,
    network: Network,
    streams: Streams<A::Msg>,
    /// What the network keeps for each held cut, in order.
    hoards: BTreeMap<FaultId, Hoard<A>>,
    witness: W,
    digest: Digest,
    checkpoints: Checkpoints,
    events: u64,
    /// What the last handler asked for: empty between events, kept for its allocation.
    effects: Vec<Effect<A>>,
}

#[derive(Clone)]
struct Node<A: Actor> {
    config: A::Config,
    disk: A::Durable,
    /// The luck of messages that do not bring their own.
    luck: Luck,
    /// What came while the node stood still.
    held: VecDeque<What<A>>,
}

/// Something that will happen to a node.
#[derive(Clone, Debug)]
pub struct Event<A: Actor> {
    to: NodeId,
    /// The life of `to` that it is meant for.
    life: Life,
    what: What<A>,
}

#[derive(Clone, Debug)]
enum What<A: Actor> {
    Message {
        by: Carrier,
        sent: Epoch,
        msg: A::Msg,
    },
    Timer(A::Timer),
    Reset {
        peer: NodeId,
        /// How many streams there had been when it was sent: it is not about a later one.
        streams: u32,
    },
    /// A stream from this node may send again what it holds.
    Retransmit {
        stream: StreamId,
    },
    /// A peer asks for a connection: a SYN.
    Open {
        stream: StreamId,
        sent: Epoch,
    },
    /// The peer has accepted the connection: a SYN-ACK.
    Accepted {
        stream: StreamId,
        sent: Epoch,
    },
}

impl<A: Actor> What<A> {
    /// Whether the host deals with it alone, even while the process stands still.
    fn is_for_the_host(&self) -> bool {
        match self {
            What::Retransmit { .. } | What::Open { .. } | What::Accepted { .. } => true,
            What::Message { .. } | What::Timer(_) | What::Reset { .. } => false,
        }
    }
}

/// What carries a message: a stream, or its sender's own luck. Packed, so that an event leaves room for its time in a
/// cache line.
#[derive(Clone, Copy, Debug)]
struct Carrier(u32);

enum Carried {
    Alone(NodeId),
    On(StreamId),
}

impl Carrier {
    const STREAM: u32 = 1 << 31;

    fn alone(from: NodeId) -> Carrier {
        debug_assert!(from.0 < Carrier::STREAM, "nodes are numbered below 2^31");
        Carrier(from.0)
    }

    fn on(stream: StreamId) -> Carrier {
        debug_assert!(stream.0 < Carrier::STREAM, "streams are numbered below 2^31");
        Carrier(stream.0 | Carrier::STREAM)
    }

    #[inline]
    fn carried(self) -> Carried {
        match self.0 & Carrier::STREAM {
            0 => Carried::Alone(NodeId(self.0)),
            _ => Carried::On(StreamId(self.0 & !Carrier::STREAM)),
        }
    }
}

/// How each kind of event begins in the digest.
#[derive(Clone, Copy)]
enum Mark {
    Message = 1,
    Streamed = 2,
    Timer = 3,
    Reset = 4,
    Retransmit = 5,
    Fault = 6,
    Open = 7,
    Accepted = 8,
}

impl<A: Actor, W: Witness<A>, Q: Queue<Event<A>>> World<A, W, Q> {
    /// A world in which every node of the cast has just booted, in order.
    pub fn new(topology: &Topology, cast: Vec<Part<A::Config>>, seed: Seed, witness: W) -> Self {
        let network = Network::new(topology, cast.iter().map(|part| part.zone).collect());
        let names = cast.iter().map(|part| Arc::from(part.name.as_str())).collect();
        let pulses = vec![Pulse { life: Life(0), status: Status::Up }; cast.len()];
        let nodes: Vec<Node<A>> = cast
            .into_iter()
            .map(|part| Node {
                luck: seed.luck(&part.name, "network", 0),
                config: part.config,
                disk: A::Durable::default(),
                held: VecDeque::new(),
            })
            .collect();
        let mut world = World {
            now: Time::START,
            seed,
            queue: Q::default(),
            actors: vec![None; nodes.len()],
            nodes,
            names,
            pulses,
            network,
            streams: Streams::default(),
            hoards: BTreeMap::new(),
            witness,
            digest: Digest::new(),
            checkpoints: Checkpoints::new(CHECKPOINT_EVERY),
            events: 0,
            effects: Vec::new(),
        };
        (0..world.nodes.len() as u32).map(NodeId).for_each(|node| world.boot(node));
        world
    }

    /// The moment of the last event.
    pub fn now(&self) -> Time {
        self.now
    }

    /// How many events there have been.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many events are still to come, as far as is known.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// Of all events so far.
    pub fn digest(&self) -> DigestValue {
        self.digest.value()
    }

    /// The digest at some moments, to find where two runs part.
    pub fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    /// How much a fault has changed: messages that it stopped, held, changed or dropped, connections that it severed, and
    /// what the driver has counted.
    pub fn touched(&self, id: FaultId) -> u64 {
        self.network.touched(id)
    }

    /// Counts something else that a fault has changed.
    pub fn touch(&mut self, id: FaultId) {
        self.network.touch(id);
    }

    /// What watches.
    pub fn witness(&self) -> &W {
        &self.witness
    }

    /// What watches, to be told of what only the driver knows, with the truth of the moment.
    pub fn witness_mut(&mut self) -> (&mut W, Scene<'_>) {
        (
            &mut self.witness,
            Scene { now: self.now, names: &self.names, pulses: &self.pulses, network: &self.network },
        )
    }

    /// Takes the witness out, at the end.
    pub fn into_witness(self) -> W {
        self.witness
    }

    /// The truth of the moment.
    pub fn scene(&self) -> Scene<'_> {
        Scene { now: self.now, names: &self.names, pulses: &self.pulses, network: &self.network }
    }

    /// How many nodes there are, dead ones too.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// A node's actor, if its process lives.
    pub fn actor(&self, node: NodeId) -> Option<&A> {
        self.actors[node.index()].as_ref()
    }

    /// Everything that happens before `end`; then it is `end`.
    pub fn run_until(&mut self, end: Time) {
        while self.step(end) {}
        self.now = self.now.max(end);
    }

    /// The next event, if it happens before `end`.
    pub fn step(&mut self, end: Time) -> bool {
        let Some((at, event)) = self.queue.pop_until(end) else { return false };
        debug_assert!(at >= self.now, "time runs forward");
        self.now = at;
        self.events += 1;
        self.happen(event);
        self.checkpoints.on_event(self.events, self.now, &self.digest);
        true
    }

    /// A fault, now. Inflicting what already is, such as crashing the dead, changes nothing; an impairment of no intensity
    /// leaves no trace at all.
    pub fn inflict(&mut self, fault: Fault) {
        if self.changes_nothing(&fault) {
            return;
        }
        self.mark(Mark::Fault, NodeId(0), NodeId(0));
        fault.hash(&mut self.digest);
        match &fault {
            Fault::Crash(node) => self.crash(*node),
            Fault::Restart(node) => self.restart(*node),
            Fault::Pause(node) => self.pause(*node),
            Fault::Resume(node) => self.resume(*node),
            Fault::Cut(cut) => self.network.cut(cut.clone(), self.streams.count()),
            Fault::Mend(id) => self.mend(*id),
            Fault::Impair(impairment) => self.network.impair(impairment.clone()),
            Fault::Repair(id) => self.network.repair(*id),
            Fault::Sever { id, from, to } => self.sever(*id, from, to),
        }
        let scene = Scene { now: self.now, names: &self.names, pulses: &self.pulses, network: &self.network };
        self.witness.on_fault(&scene, &fault);
    }

    fn changes_nothing(&self, fault: &Fault) -> bool {
        match fault {
            Fault::Impair(impairment) => impairment.is_nothing(),
            Fault::Repair(id) => !self.network.is_impaired_by(*id),
            Fault::Crash(_)
            | Fault::Restart(_)
            | Fault::Pause(_)
            | Fault::Resume(_)
            | Fault::Cut(_)
            | Fault::Mend(_)
            | Fault::Sever { .. } => false,
        }
    }

    fn happen(&mut self, event: Event<A>) {
        let Event { to, life, what } = event;
        let index = to.index();
        if self.pulses[index].life != life || self.pulses[index].status == Status::Down {
            return self.miss(to, life, what);
        }
        if self.pulses[index].status == Status::Paused && !what.is_for_the_host() {
            return self.hold(to, life, what);
        }
        match what {
            What::Timer(timer) => {
                self.mark(Mark::Timer, to, to);
                timer.hash(&mut self.digest);
                self.tell(to, |actor, ctx| actor.on_timer(ctx, timer));
            }
            What::Message { by, sent, msg } => {
                let (mark, from) = match by.carried() {
                    Carried::Alone(from) => (Mark::Message, from),
                    Carried::On(stream) => (Mark::Streamed, self.streams.get(stream).from),
                };
                if self.gets_through(to, life, by, sent, &msg) {
                    self.mark(mark, from, to);
                    msg.hash(&mut self.digest);
                    self.tell(to, |actor, ctx| actor.on_message(ctx, from, msg));
                }
            }
            What::Reset { peer, streams } => {
                // The peer has come back by now: this is about the connection before.
                if !self.streams.has_opened(peer, to, streams) {
                    self.mark(Mark::Reset, peer, to);
                    self.tell(to, |actor, ctx| actor.on_reset(ctx, peer));
                }
            }
            What::Retransmit { stream } => {
                let peer = self.streams.get(stream).to;
                self.mark(Mark::Retransmit, to, peer);
                self.on_slot(stream);
            }
            What::Open { stream, sent } => self.on_open(to, stream, sent),
            What::Accepted { stream, sent } => self.on_accepted(to, stream, sent),
        }
    }

    /// A process that stands still has a host that does not: what reaches that is kept until the process goes on.
    fn hold(&mut self, node: NodeId, life: Life, what: What<A>) {
        let what = match what {
            What::Message { by, sent, msg } => {
                if !self.gets_through(node, life, by, sent, &msg) {
                    return;
                }
                What::Message { by, sent: RECEIVED, msg }
            }
            What::Timer(_)
            | What::Reset { .. }
            | What::Open { .. }
            | What::Accepted { .. }
            | What::Retransmit { .. } => what,
        };
        self.nodes[node.index()].held.push_back(what);
    }

    #[inline]
    fn mark(&mut self, mark: Mark, from: NodeId, to: NodeId) {
        self.digest.fold(self.now.as_nanos());
        self.digest.fold((mark as u64) << 56 ^ (from.0 as u64) << 28 ^ to.0 as u64);
    }

    fn boot(&mut self, node: NodeId) {
        let Node { config, disk, .. } = &self.nodes[node.index()];
        let life = self.pulses[node.index()].life;
        let mut effects = std::mem::take(&mut self.effects);
        let mut ctx =
            Ctx { now: self.now, me: node, names: &self.names, life, seed: self.seed, effects: &mut effects };
        self.actors[node.index()] = Some(A::boot(config, disk, &mut ctx));
        self.obey(node, effects);
    }

    #[inline]
    fn tell(&mut self, node: NodeId, handle: impl FnOnce(&mut A, &mut Ctx<'_, A>)) {
        let mut effects = std::mem::take(&mut self.effects);
        let actor = self.actors[node.index()].as_mut().expect("a live node has an actor");
        let mut ctx = Ctx {
            now: self.now,
            me: node,
            names: &self.names,
            life: self.pulses[node.index()].life,
            seed: self.seed,
            effects: &mut effects,
        };
        handle(actor, &mut ctx);
        self.obey(node, effects);
    }

    #[inline]
    fn obey(&mut self, node: NodeId, mut effects: Vec<Effect<A>>) {
        for effect in effects.drain(..) {
            match effect {
                Effect::Timer { at, timer } => self.push(at, node, What::Timer(timer)),
                Effect::Send { to, msg, luck } => self.send(node, to, msg, luck),
                Effect::Stream { to, msg, luck } => self.stream(node, to, msg, luck),
                Effect::HangUp { to } => self.hang_up(node, to),
                Effect::Save(record) => self.nodes[node.index()].disk.apply(record),
                Effect::Observe(seen) => {
                    let scene = Scene {
                        now: self.now,
                        names: &self.names,
                        pulses: &self.pulses,
                        network: &self.network,
                    };
                    self.witness.observe(&scene, node, &seen);
                }
            }
        }
        self.effects = effects;
    }

    #[inline]
    fn push(&mut self, at: Time, to: NodeId, what: What<A>) {
        let life = self.pulses[to.index()].life;
        self.queue.push(at, Event { to, life, what });
    }

    fn crash(&mut self, node: NodeId) {
        let Some(actor) = self.actors[node.index()].take() else { return };
        self.pulses[node.index()].status = Status::Down;
        self.pulses[node.index()].life.0 += 1;
        self.nodes[node.index()].held.clear();
        actor.peers().into_iter().for_each(|peer| self.reset(node, peer));
        self.streams.close_all_of(node);
    }

    fn restart(&mut self, node: NodeId) {
        if self.pulses[node.index()].status == Status::Down {
            self.pulses[node.index()].status = Status::Up;
            self.boot(node);
        }
    }

    fn pause(&mut self, node: NodeId) {
        if self.pulses[node.index()].status == Status::Up {
            self.pulses[node.index()].status = Status::Paused;
        }
    }

    fn resume(&mut self, node: NodeId) {
        if self.pulses[node.index()].status == Status::Paused {
            self.pulses[node.index()].status = Status::Up;
            for what in std::mem::take(&mut self.nodes[node.index()].held) {
                self.push(self.now, node, what);
            }
        }
    }
}
