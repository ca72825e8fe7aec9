//! Actors: state machines that are told what happened and ask, through effects, for what should.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use crate::clock::Clocks;
use crate::{Class, Draw, Duration, FaultId, Life, Luck, NodeId, Seed, Time};

/// One kind of process. It does no input or output: it is told, and it asks; a driver obeys.
///
/// A crash loses the actor whole. [`Actor::boot`] then gets nothing but the configuration and what was saved.
pub trait Actor: Clone + Sized {
    /// What a node is given when it boots, every time the same.
    type Config: Clone;
    /// What nodes tell each other.
    type Msg: Clone + Debug + Hash;
    /// What a node reminds itself of. A timer is a question: does this still matter?
    type Timer: Clone + Debug + Hash;
    /// What survives a crash.
    type Durable: Durable;
    /// What a node tells the witnesses.
    type Observation: Clone + Debug;
    /// What ails a node from outside. The kernel keeps it, so it outlives crashes; actors look at it.
    type Plight: Clone + Debug + Hash;

    /// A new life begins.
    fn boot(config: &Self::Config, durable: &Self::Durable, ctx: &mut Ctx<'_, Self>) -> Self;
    /// A message arrived.
    fn on_message(&mut self, ctx: &mut Ctx<'_, Self>, from: NodeId, msg: Self::Msg);
    /// A timer that this life set has fired.
    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, timer: Self::Timer);
    /// A peer's host said that there is no such connection: its process died, hung up, or was never there.
    fn on_reset(&mut self, ctx: &mut Ctx<'_, Self>, peer: NodeId);
    /// What ails this node is not what it was: [`Ctx::plight`] has it. A paused process is told when it goes on.
    fn on_plight(&mut self, ctx: &mut Ctx<'_, Self>) {
        let _ = ctx;
    }
    /// Whom this node's host tells when the process dies: the peers with an open connection or a call in progress.
    fn peers(&self) -> Vec<NodeId>;

    /// Which kind of traffic a message belongs to. Asked only while a fault of the network is in force.
    fn class(_: &Self::Msg) -> Class {
        Class(0)
    }
    /// How many bytes a message has on the wire. Asked only while a fault of the network is in force.
    fn size(_: &Self::Msg) -> u64 {
        0
    }
}

/// What is on a node's disk, written one record at a time.
pub trait Durable: Clone + Default {
    /// One write.
    type Record: Clone + Debug;
    /// The write is on the disk, or seen as if it were by a process that reads it.
    fn apply(&mut self, record: Self::Record);
}

/// No disk at all.
impl Durable for () {
    type Record = std::convert::Infallible;
    fn apply(&mut self, record: Self::Record) {
        match record {}
    }
}

/// What an actor asks for. Data: a driver obeys.
#[derive(Clone, Debug)]
pub enum Effect<A: Actor> {
    /// A message of its own, like one exchange over an open connection: it may be lost, and may overtake others.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        msg: A::Msg,
        /// The luck of this hop, where it belongs to something; else the sender's own.
        luck: Option<Draw>,
    },
    /// A message on the connection to a peer: in order, and sent again by TCP's slots until it arrives or the
    /// connection is gone.
    Stream {
        /// To whom.
        to: NodeId,
        /// What.
        msg: A::Msg,
        /// The luck of this hop, and of the connection if it opens one, where it belongs to something; else the
        /// sender's own.
        luck: Option<Draw>,
    },
    /// The connection to a peer is dropped, with all that it still holds.
    HangUp {
        /// The peer, which is told with a reset if it can be reached.
        to: NodeId,
    },
    /// A reminder, which dies with this life.
    Timer {
        /// When, by the node's monotonic clock.
        at: Time,
        /// Of what.
        timer: A::Timer,
    },
    /// A write, handed to the operating system: it survives the process, but not yet its host.
    Write(<A::Durable as Durable>::Record),
    /// All that was written is durable now.
    Sync,
    /// A fault of the plan has touched something here, and this is counted for it.
    Touch {
        /// The fault.
        by: FaultId,
    },
    /// The process ends by its own hand, once all else that the handler asked for is done.
    Exit {
        /// The fault of the plan that drove it to that.
        by: FaultId,
    },
    /// The process of another node on the same host is killed, and started anew after a while.
    Recycle {
        /// Whose.
        node: NodeId,
        /// After how long, in true time.
        after: Duration,
    },
    /// Something for the witnesses.
    Observe(A::Observation),
}

/// What an actor sees of the world while it handles one event, and the list of what it asks for.
pub struct Ctx<'w, A: Actor> {
    /// What the node's monotonic clock reads.
    pub(crate) now: Time,
    /// The true time.
    pub(crate) moment: Time,
    /// The node's clocks, if they are not true.
    pub(crate) clocks: Option<&'w Clocks>,
    pub(crate) me: NodeId,
    pub(crate) names: &'w [Arc<str>],
    pub(crate) life: Life,
    pub(crate) seed: Seed,
    pub(crate) plight: &'w Option<Arc<A::Plight>>,
    pub(crate) effects: &'w mut Vec<Effect<A>>,
}

impl<'w, A: Actor> Ctx<'w, A> {
    /// For drivers other than the world, such as a unit test: the effects are theirs to obey. The clocks are true, and
    /// nothing ails the node.
    pub fn new(
        now: Time,
        me: NodeId,
        names: &'w [Arc<str>],
        seed: Seed,
        effects: &'w mut Vec<Effect<A>>,
    ) -> Self {
        let (moment, life) = (now, Life(0));
        Ctx { now, moment, clocks: None, me, names, life, seed, plight: &None, effects }
    }

    /// Lends a machine within this one a context of its own. Both speak the same language; what the inner one asks for is
    /// handed back, for the outer one to [ask](Ctx::ask) for, to change or to drop.
    pub fn within<B, T>(&self, act: impl FnOnce(&mut Ctx<'_, B>) -> T) -> (T, Vec<Effect<B>>)
    where
        B: Actor<
                Msg = A::Msg,
                Timer = A::Timer,
                Durable = A::Durable,
                Observation = A::Observation,
                Plight = A::Plight,
            >,
    {
        let mut effects = Vec::new();
        let Ctx { now, moment, clocks, me, names, life, seed, plight, effects: _ } = *self;
        let mut inner = Ctx { now, moment, clocks, me, names, life, seed, plight, effects: &mut effects };
        let answer = act(&mut inner);
        (answer, effects)
    }

    /// Asks for what a machine within this one has asked for.
    pub fn ask<B>(&mut self, effect: Effect<B>)
    where
        B: Actor<Msg = A::Msg, Timer = A::Timer, Durable = A::Durable, Observation = A::Observation>,
    {
        self.effects.push(match effect {
            Effect::Send { to, msg, luck } => Effect::Send { to, msg, luck },
            Effect::Stream { to, msg, luck } => Effect::Stream { to, msg, luck },
            Effect::HangUp { to } => Effect::HangUp { to },
            Effect::Timer { at, timer } => Effect::Timer { at, timer },
            Effect::Write(record) => Effect::Write(record),
            Effect::Sync => Effect::Sync,
            Effect::Touch { by } => Effect::Touch { by },
            Effect::Exit { by } => Effect::Exit { by },
            Effect::Recycle { node, after } => Effect::Recycle { node, after },
            Effect::Observe(seen) => Effect::Observe(seen),
        });
    }

    /// What the node's own monotonic clock reads: the time that its timers go by.
    pub fn now(&self) -> Time {
        self.now
    }

    /// What the node's own wall clock reads.
    pub fn wall(&self) -> Time {
        self.clocks.map_or(self.moment, |clocks| clocks.wall(self.moment))
    }

    /// The true moment at which the event happens. No process can know it: it is for what witnesses are told, and for
    /// numbers that must not come again.
    pub fn moment(&self) -> Time {
        self.moment
    }

    /// What ails the node from outside, if anything does.
    pub fn plight(&self) -> Option<&'w A::Plight> {
        self.plight.as_deref()
    }

    /// The name of the node that is being told.
    pub fn name(&self) -> &'w str {
        &self.names[self.me.index()]
    }

    /// The node that is being told.
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// A stream of luck of this node's own: the same for the same seed, name, purpose and life, whatever else runs.
    pub fn luck(&self, purpose: &'static str) -> Luck {
        self.seed.luck(&self.names[self.me.index()], purpose, self.life.0)
    }

    /// Sends a message that may be lost or overtake others.
    pub fn send(&mut self, to: NodeId, msg: A::Msg) {
        self.effects.push(Effect::Send { to, msg, luck: None });
    }

    /// Sends such a message with the hop's own luck, so that it fares alike whoever else sends.
    pub fn send_with(&mut self, to: NodeId, msg: A::Msg, luck: Draw) {
        self.effects.push(Effect::Send { to, msg, luck: Some(luck) });
    }

    /// Sends a message on the connection to a peer: in order, and again until it arrives.
    pub fn stream(&mut self, to: NodeId, msg: A::Msg) {
        self.effects.push(Effect::Stream { to, msg, luck: None });
    }

    /// Sends such a message with the hop's own luck.
    pub fn stream_with(&mut self, to: NodeId, msg: A::Msg, luck: Draw) {
        self.effects.push(Effect::Stream { to, msg, luck: Some(luck) });
    }

    /// Drops the connection to a peer.
    pub fn hang_up(&mut self, to: NodeId) {
        self.effects.push(Effect::HangUp { to });
    }

    /// Asks to be reminded after `delay`, by the node's monotonic clock.
    pub fn after(&mut self, delay: Duration, timer: A::Timer) {
        self.effects.push(Effect::Timer { at: self.now + delay, timer });
    }

    /// Asks to be reminded when the node's monotonic clock reads `at`, or at once if that has passed.
    pub fn at(&mut self, at: Time, timer: A::Timer) {
        self.effects.push(Effect::Timer { at: at.max(self.now), timer });
    }

    /// Hands a write to the operating system: a later life reads it, if the host lives on or a sync comes first.
    pub fn write(&mut self, record: <A::Durable as Durable>::Record) {
        self.effects.push(Effect::Write(record));
    }

    /// Makes all that was written durable. How long that takes is the actor's own to say, with a timer before it.
    pub fn sync(&mut self) {
        self.effects.push(Effect::Sync);
    }

    /// Counts one thing that a fault of the plan has touched here.
    pub fn touch(&mut self, by: FaultId) {
        self.effects.push(Effect::Touch { by });
    }

    /// Ends the process, driven to it by a fault of the plan, after all else that this handler asks for.
    pub fn exit(&mut self, by: FaultId) {
        self.effects.push(Effect::Exit { by });
    }

    /// Has the process of another node on the same host killed now, and started anew after a while, as a supervisor does.
    /// A fault that kills the node meanwhile keeps it dead until it heals. Nothing is done to the dead.
    pub fn recycle(&mut self, node: NodeId, after: Duration) {
        self.effects.push(Effect::Recycle { node, after });
    }

    /// Tells the witnesses.
    pub fn observe(&mut self, seen: A::Observation) {
        self.effects.push(Effect::Observe(seen));
    }
}
