//! The world: nodes, their network and what is still to come. A value; running it is a pure function.

use std::collections::{BTreeMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use crate::clock::{Clock, Clocks, Truth};
use crate::disk::{Disk, Syncs};
use crate::luck;
use crate::network::{Epoch, RECEIVED};
use crate::queue::{Best, Queue};
use crate::stream::{StreamId, Streams};
use crate::traced::{Origin, Thread};
use crate::witness::Pulse;
use crate::{
    Actor, Cause, Checkpoints, Ctx, Death, Digest, DigestValue, Doing, Duration, Effect, Farewell, Fault,
    FaultId, Hosts, Life, Luck, Network, NodeId, Scene, Seed, Setting, Status, Time, Topology, Witness,
    Wound, Wounds, ZoneId,
};

mod looking;
mod orphans;
mod tracing;
mod traffic;

pub use looking::{Coming, Connection, Held, Stalled, Waits};
use traffic::Hoard;

/// How many events lie between two checkpoints of the digest, at first.
const CHECKPOINT_EVERY: u64 = 4096;

/// Each time so many events have been handled, it is looked whether time has passed since; if not, the world stands still. A
/// power of two, so that it costs next to nothing, and more than four million: the busiest instant of all scenarios here has
/// 6,148, a million nodes that boot at once with four events each do not come to it, and it is over within a second or two.
const PATIENCE: u64 = 1 << 22;

/// One node of the cast.
#[derive(Clone, Debug)]
pub struct Part<C> {
    /// Its name, from which its luck comes.
    pub name: String,
    /// Where it runs.
    pub zone: ZoneId,
    /// What it boots with.
    pub config: C,
    /// When it first boots.
    pub birth: Birth,
    /// The node whose host it shares; none if it has its own.
    pub host: Option<NodeId>,
}

/// When a node's first life begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Birth {
    /// When the world does.
    AtStart,
    /// At its first restart. Until then its host answers that nothing listens there.
    Later,
}

/// Why the world has stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ran {
    /// All has happened that was to happen by then.
    ToEnd,
    /// The witness wants the driver's attention, at the moment of the last event.
    Called,
    /// More happens at one instant than can be meant: it would never end.
    StandsStill,
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
    /// The moment when it was last looked whether time passes.
    looked: Time,
    /// What the last handler asked for: empty between events, kept for its allocation.
    effects: Vec<Effect<A>>,
    thread: Thread,
}

#[derive(Clone)]
struct Node<A: Actor> {
    config: A::Config,
    disk: Disk<A::Durable>,
    /// The luck of messages that do not bring their own.
    luck: Luck,
    /// What came while the node stood still, and of what it came.
    held: VecDeque<(Cause, What<A>)>,
    plight: Option<Arc<A::Plight>>,
    clocks: Clocks,
    /// Timers that no moment is known for, since the monotonic clock has stopped; each with what it waits for that to
    /// read, and of what it came.
    dormant: Vec<(Time, Cause, A::Timer)>,
    host: Host,
    birth: Birth,
    upkeep: Upkeep,
}

/// Whether a dead process is started anew by another than a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Upkeep {
    /// It is not.
    None,
    /// A supervisor has killed it, and will start it.
    Supervised,
}

/// What becomes of a message to a node whose process is dead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Host {
    /// The host turns it away.
    Answers,
    /// The host is dead, too: nothing.
    Silent,
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
    /// What ails the node has changed while it stood still.
    Plight,
    Reset {
        peer: NodeId,
        /// How many streams there had been when it was sent: it is not about a later one.
        streams: u32,
    },
    /// A stream from this node may send again what it holds.
    Retransmit {
        stream: StreamId,
    },
    /// A supervisor starts the process that it has killed.
    Boot,
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
    /// After all that was sent on this stream, its end: a FIN. Its sender is dead.
    End {
        stream: StreamId,
        sent: Epoch,
    },
}

impl<A: Actor> What<A> {
    /// Whether the host deals with it alone, even while the process stands still.
    fn is_for_the_host(&self) -> bool {
        match self {
            What::Retransmit { .. } | What::Open { .. } | What::Accepted { .. } => true,
            What::Message { .. }
            | What::Timer(_)
            | What::Plight
            | What::Reset { .. }
            | What::Boot
            | What::End { .. } => false,
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
    Plight = 7,
    Exit = 8,
    Open = 9,
    Accepted = 10,
    Recycle = 11,
    Boot = 12,
}

impl Birth {
    /// How a node is before anything has happened.
    pub(crate) fn pulse(self) -> Pulse {
        let status = match self {
            Birth::AtStart => Status::Up,
            Birth::Later => Status::Down,
        };
        Pulse { life: Life(0), status, clocks: Truth::True }
    }
}

impl<A: Actor> Node<A> {
    /// What the node sees while it handles an event.
    #[inline]
    fn ctx<'w>(
        &'w self,
        moment: Time,
        me: NodeId,
        names: &'w [Arc<str>],
        pulse: Pulse,
        seed: Seed,
        effects: &'w mut Vec<Effect<A>>,
    ) -> Ctx<'w, A> {
        let (now, clocks) = match pulse.clocks {
            Truth::True => (moment, None),
            Truth::Apart => (self.clocks.monotonic.read(moment), Some(&self.clocks)),
        };
        Ctx { now, moment, clocks, me, names, life: pulse.life, seed, plight: &self.plight, effects }
    }
}

impl<A: Actor, W: Witness<A>, Q: Queue<Event<A>>> World<A, W, Q> {
    /// A world in which every node of the cast that is there from the start has just booted, in order.
    pub fn new(topology: &Topology, cast: Vec<Part<A::Config>>, seed: Seed, witness: W) -> Self {
        let hosts = Hosts::new(cast.iter().map(|part| part.host));
        let network = Network::new(topology, cast.iter().map(|part| part.zone).collect(), hosts);
        let names = cast.iter().map(|part| Arc::from(part.name.as_str())).collect();
        let pulses = cast.iter().map(|part| part.birth.pulse()).collect();
        let nodes: Vec<Node<A>> = cast
            .into_iter()
            .map(|part| Node {
                luck: seed.luck(&part.name, "network", 0),
                config: part.config,
                disk: Disk::default(),
                held: VecDeque::new(),
                plight: None,
                clocks: Clocks::TRUE,
                dormant: Vec::new(),
                host: Host::Answers,
                birth: part.birth,
                upkeep: Upkeep::None,
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
            looked: Time::START,
            effects: Vec::new(),
            thread: Thread::default(),
        };
        for node in (0..world.nodes.len() as u32).map(NodeId) {
            if world.pulses[node.index()].status == Status::Up {
                world.boot(node);
            }
        }
        world
    }

    /// A copy of the world as it is, whose luck is another's from here on: everyone goes on drawing where they are, but
    /// as if the seed had been another.
    ///
    /// What has been drawn stays as it came out: messages under way, requests begun, timers set, and all that a fault
    /// ails nodes with. Who plans faults keeps luck of their own, so a plan stays what it was. A pure function of the
    /// world and the salt; the world itself is not touched.
    pub fn redrawn(&self, salt: u64) -> Self {
        let mut other = luck::redrawing(salt, || self.clone());
        other.seed = self.seed.redrawn(salt);
        other.streams.redraw(salt);
        other
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

    /// What faults have done to the world and not undone. It looks at every node.
    pub fn wounds(&self) -> Wounds {
        let of = |(number, (node, pulse)): (u32, (&Node<A>, &Pulse))| {
            let status = match (pulse.status, node.birth) {
                (Status::Up, Birth::AtStart) | (Status::Down, Birth::Later) => None,
                (Status::Up, Birth::Later) => Some(Wound::Born),
                (Status::Down, Birth::AtStart) if node.upkeep == Upkeep::Supervised => None,
                (Status::Down, Birth::AtStart) => Some(Wound::Dead),
                (Status::Paused, _) => Some(Wound::Still),
            };
            let host = (node.host == Host::Silent).then_some(Wound::Dark);
            let ails = node.plight.is_some().then_some(Wound::Ails);
            let clocks = (!node.clocks.run_true()).then_some(Wound::ClocksWrong);
            let disk = (node.disk.syncs() == Syncs::Faked).then_some(Wound::FakesSyncs);
            [status, host, ails, clocks, disk].into_iter().flatten().map(move |wound| (NodeId(number), wound))
        };
        let nodes = (0..).zip(self.nodes.iter().zip(&self.pulses)).flat_map(of).collect();
        Wounds { nodes, ways: self.network.wounds() }
    }

    /// How many nodes there are, dead ones too.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// A node's actor, if its process lives.
    pub fn actor(&self, node: NodeId) -> Option<&A> {
        self.actors[node.index()].as_ref()
    }

    /// The luck of a node's messages that do not bring their own.
    pub fn luck_of_messages(&self, node: NodeId) -> &Luck {
        &self.nodes[node.index()].luck
    }

    /// Everything that happens before `end`, and then it is `end`; or until the witness wants attention, which it is
    /// asked for after each event. A witness that never does costs nothing.
    pub fn run_until(&mut self, end: Time) -> Ran {
        while self.advance(end) {
            if self.stands_still() {
                return Ran::StandsStill;
            }
            if self.witness.wants_attention() {
                return Ran::Called;
            }
        }
        self.now = self.now.max(end);
        Ran::ToEnd
    }

    /// Whether processes go round in circles at this instant. To be asked after each event, which it is where events are
    /// not [stepped](World::step) through one by one.
    #[inline]
    pub fn stands_still(&mut self) -> bool {
        self.events.is_multiple_of(PATIENCE) && std::mem::replace(&mut self.looked, self.now) == self.now
    }

    /// The next event, if it happens before `end`.
    #[inline(never)]
    pub fn step(&mut self, end: Time) -> bool {
        self.advance(end)
    }

    /// The same, as part of the loop that runs the world.
    #[expect(clippy::inline_always, reason = "a call for each event costs 2% of all instructions")]
    #[inline(always)]
    fn advance(&mut self, end: Time) -> bool {
        let number = if W::TRACES { self.queue.next_number(end) } else { None };
        let Some((at, event)) = self.queue.pop_until(end) else { return false };
        debug_assert!(at >= self.now, "time runs forward");
        self.now = at;
        self.events += 1;
        if let Some(number) = number {
            self.tell_event(number, &event);
        }
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
        self.tell_deed(Doing::Fault(&fault));
        self.mark(Mark::Fault, NodeId(0), NodeId(0));
        fault.hash(&mut self.digest);
        match &fault {
            Fault::Crash(node, death) => self.crash(*node, *death),
            Fault::Restart(node) => self.restart(*node),
            Fault::Pause(node) => self.pause(*node),
            Fault::Resume(node) => self.resume(*node),
            Fault::Cut(cut) => self.network.cut(cut.clone(), self.streams.count()),
            Fault::Mend(id) => self.mend(*id),
            Fault::Impair(impairment) => self.network.impair(impairment.clone()),
            Fault::Repair(id) => self.network.repair(*id),
            Fault::Sever { id, from, to } => self.sever(*id, from, to),
            Fault::FakeSyncs(node) => self.nodes[node.index()].disk.set_syncs(Syncs::Faked),
            Fault::PowerOn(node) => self.nodes[node.index()].host = Host::Answers,
            Fault::MakeSyncs(node) => self.nodes[node.index()].disk.set_syncs(Syncs::Made),
            Fault::SetClock(node, setting) => self.set_clocks(*node, *setting),
        }
        self.tell_fault(&fault);
    }

    /// What ails a node from now on, if anything does. A process that runs is told at once, one that stands still when
    /// it goes on, and one that is dead finds it when it boots.
    pub fn afflict(&mut self, node: NodeId, plight: Option<Arc<A::Plight>>) {
        self.tell_deed(Doing::Plight(node, plight.as_deref()));
        self.mark(Mark::Plight, node, node);
        plight.hash(&mut self.digest);
        self.nodes[node.index()].plight = plight;
        match self.pulses[node.index()].status {
            Status::Up => self.tell(node, |actor, ctx| actor.on_plight(ctx)),
            Status::Paused => self.nodes[node.index()].held.push_back((self.thread.now, What::Plight)),
            Status::Down => {}
        }
    }

    fn changes_nothing(&self, fault: &Fault) -> bool {
        match fault {
            Fault::Impair(impairment) => impairment.is_nothing(),
            Fault::Repair(id) => !self.network.is_impaired_by(*id),
            Fault::Crash(..)
            | Fault::Restart(_)
            | Fault::Pause(_)
            | Fault::Resume(_)
            | Fault::Cut(_)
            | Fault::Mend(_)
            | Fault::Sever { .. }
            | Fault::FakeSyncs(_)
            | Fault::MakeSyncs(_)
            | Fault::PowerOn(_)
            | Fault::SetClock(..) => false,
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
            What::Plight => {
                self.mark(Mark::Plight, to, to);
                self.tell(to, |actor, ctx| actor.on_plight(ctx));
            }
            // It lives already: a fault that had killed it meanwhile has healed.
            What::Boot => {}
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
            What::End { stream, sent } => self.on_end(to, stream, sent),
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
            What::End { stream, sent } => {
                if !self.has_ended(stream, sent) {
                    return;
                }
                What::Reset { peer: self.streams.look(stream).from, streams: stream.0 + 1 }
            }
            What::Timer(_)
            | What::Plight
            | What::Reset { .. }
            | What::Boot
            | What::Open { .. }
            | What::Accepted { .. }
            | What::Retransmit { .. } => what,
        };
        self.nodes[node.index()].held.push_back((self.thread.origin, what));
    }

    #[inline]
    fn mark(&mut self, mark: Mark, from: NodeId, to: NodeId) {
        self.digest.fold(self.now.as_nanos());
        self.digest.fold((mark as u64) << 56 ^ (from.0 as u64) << 28 ^ to.0 as u64);
    }

    fn boot(&mut self, node: NodeId) {
        let mut effects = std::mem::take(&mut self.effects);
        let state = &self.nodes[node.index()];
        let pulse = self.pulses[node.index()];
        let mut ctx = state.ctx(self.now, node, &self.names, pulse, self.seed, &mut effects);
        self.actors[node.index()] = Some(A::boot(&state.config, &state.disk.read(), &mut ctx));
        self.obey(node, effects);
    }

    #[inline]
    fn tell(&mut self, node: NodeId, handle: impl FnOnce(&mut A, &mut Ctx<'_, A>)) {
        let mut effects = std::mem::take(&mut self.effects);
        let actor = self.actors[node.index()].as_mut().expect("a live node has an actor");
        let state = &self.nodes[node.index()];
        let pulse = self.pulses[node.index()];
        handle(actor, &mut state.ctx(self.now, node, &self.names, pulse, self.seed, &mut effects));
        self.obey(node, effects);
    }

    #[inline]
    fn obey(&mut self, node: NodeId, mut effects: Vec<Effect<A>>) {
        let mut exit = None;
        if W::TRACES {
            let scene =
                Scene { now: self.now, names: &self.names, pulses: &self.pulses, network: &self.network };
            self.witness.on_effects(&scene, node, &effects);
        }
        for effect in effects.drain(..) {
            match effect {
                Effect::Timer { at, timer } => self.set_timer(node, at, self.thread.now, timer),
                Effect::Send { to, msg, luck } => self.send(node, to, msg, luck),
                Effect::Stream { to, msg, luck } => self.stream(node, to, msg, luck),
                Effect::HangUp { to } => self.hang_up(node, to),
                Effect::Write(record) => self.nodes[node.index()].disk.write(record),
                Effect::Sync => self.nodes[node.index()].disk.sync(),
                Effect::Touch { by } => self.touch(by),
                Effect::Exit { by } => exit = exit.or(Some(by)),
                Effect::Recycle { node, after } => self.recycle(node, after),
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
        if let Some(by) = exit {
            self.exit(node, by);
        }
    }

    /// The process has asked to end: to its host it is as if it had been killed.
    #[cold]
    fn exit(&mut self, node: NodeId, by: FaultId) {
        self.mark(Mark::Exit, node, node);
        by.hash(&mut self.digest);
        self.crash(node, Death::KILLED);
        let scene = Scene { now: self.now, names: &self.names, pulses: &self.pulses, network: &self.network };
        self.witness.on_fault(&scene, &Fault::Crash(node, Death::KILLED));
        self.witness.on_exit(&scene, node, by);
    }

    /// A supervisor has a process killed, and will start it anew.
    #[cold]
    fn recycle(&mut self, node: NodeId, after: Duration) {
        if self.pulses[node.index()].status == Status::Down {
            return;
        }
        self.mark(Mark::Recycle, node, node);
        after.hash(&mut self.digest);
        self.crash(node, Death::KILLED);
        self.nodes[node.index()].upkeep = Upkeep::Supervised;
        self.push(self.now + after, node, What::Boot);
        self.tell_fault(&Fault::Crash(node, Death::KILLED));
    }

    /// It is time to start a process that its supervisor has killed, unless a fault keeps it dead.
    pub(super) fn on_boot(&mut self, node: NodeId, life: Life) {
        let due =
            self.pulses[node.index()].life == life && self.nodes[node.index()].upkeep == Upkeep::Supervised;
        if due {
            self.mark(Mark::Boot, node, node);
            self.restart(node);
            self.tell_fault(&Fault::Restart(node));
        }
    }

    fn tell_fault(&mut self, fault: &Fault) {
        let scene = Scene { now: self.now, names: &self.names, pulses: &self.pulses, network: &self.network };
        self.witness.on_fault(&scene, fault);
    }

    /// A timer for when the node's monotonic clock reads `due`.
    #[inline]
    fn set_timer(&mut self, node: NodeId, due: Time, cause: Cause, timer: A::Timer) {
        match self.pulses[node.index()].clocks {
            Truth::True => self.push_for(cause, due, node, What::Timer(timer)),
            Truth::Apart => self.set_timer_apart(node, due, cause, timer),
        }
    }

    #[cold]
    fn set_timer_apart(&mut self, node: NodeId, due: Time, cause: Cause, timer: A::Timer) {
        match self.nodes[node.index()].clocks.monotonic.reaches(due, self.now) {
            Some(at) => self.push_for(cause, at, node, What::Timer(timer)),
            None => self.nodes[node.index()].dormant.push((due, cause, timer)),
        }
    }

    fn set_clocks(&mut self, node: NodeId, setting: Setting) {
        let clocks = &mut self.nodes[node.index()].clocks;
        let before = clocks.monotonic;
        clocks.set(self.now, setting);
        self.pulses[node.index()].clocks = clocks.truth();
        if clocks.monotonic != before {
            self.time_anew(node, before);
        }
    }

    /// The monotonic clock of a node is not what it was: all its timers get other moments, those of one moment in the
    /// order that they had. Takes out and puts back every event that waits, whosoever it is.
    ///
    /// What a timer waits for the clock to read is found from its moment, so it may be up to one step of a fast clock
    /// later than it was: less than a nanosecond of true time. What is due at the end of time is dropped.
    fn time_anew(&mut self, node: NodeId, before: Clock) {
        let pulse = self.pulses[node.index()];
        let mut waiting = std::mem::take(&mut self.queue);
        // The new queue numbers its events anew.
        let mut origins = std::mem::take(&mut self.thread.origins);
        loop {
            let number = if W::TRACES { waiting.next_number(Time::END) } else { None };
            let origin = number.and_then(|number| origins.remove(&number)).unwrap_or_default();
            let Some((at, event)) = waiting.pop_until(Time::END) else { break };
            match event {
                Event { to, life, what: What::Timer(timer) } if to == node && life == pulse.life => {
                    self.set_timer(node, before.read(at), origin.cause, timer);
                }
                other => self.schedule(origin, at, other),
            }
        }
        let mut dormant = std::mem::take(&mut self.nodes[node.index()].dormant);
        dormant.sort_by_key(|&(due, ..)| due);
        dormant.into_iter().for_each(|(due, cause, timer)| self.set_timer(node, due, cause, timer));
    }

    /// Something will happen to the life that a node lives now, because of what is under way.
    #[inline]
    fn push(&mut self, at: Time, to: NodeId, what: What<A>) {
        self.push_for(self.thread.now, at, to, what);
    }

    /// The same, because of something earlier.
    #[inline]
    fn push_for(&mut self, cause: Cause, at: Time, to: NodeId, what: What<A>) {
        let life = self.pulses[to.index()].life;
        self.schedule(Origin { cause, via: self.thread.now }, at, Event { to, life, what });
    }

    #[inline]
    fn schedule(&mut self, origin: Origin, at: Time, event: Event<A>) {
        let number = self.queue.push(at, event);
        if W::TRACES {
            self.thread.origins.insert(number, origin);
        }
    }

    /// The process dies, if it lives. What a death takes with it, it takes from the dead, too: a host may lose power
    /// after its process has been killed.
    fn crash(&mut self, node: NodeId, death: Death) {
        self.nodes[node.index()].upkeep = Upkeep::None;
        self.nodes[node.index()].disk.suffer(death.disk);
        if death.farewell == Farewell::Silence {
            self.nodes[node.index()].host = Host::Silent;
            self.streams.close_all_from(node);
        }
        let life = self.pulses[node.index()].life;
        let Some(actor) = self.actors[node.index()].take() else { return };
        self.pulses[node.index()].status = Status::Down;
        self.pulses[node.index()].life.0 += 1;
        self.nodes[node.index()].held.clear();
        self.nodes[node.index()].dormant.clear();
        match death.farewell {
            Farewell::Reset => self.leave_orphans(node, life, actor.peers()),
            Farewell::Silence => {}
        }
    }

    fn restart(&mut self, node: NodeId) {
        if self.pulses[node.index()].status == Status::Down {
            self.pulses[node.index()].status = Status::Up;
            self.nodes[node.index()].host = Host::Answers;
            self.nodes[node.index()].upkeep = Upkeep::None;
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
            for (cause, what) in std::mem::take(&mut self.nodes[node.index()].held) {
                self.push_for(cause, self.now, node, what);
            }
        }
    }
}
