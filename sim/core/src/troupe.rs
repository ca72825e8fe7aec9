//! A troupe: a cast without a world. It is for drivers that carry messages, keep time and kill processes by other means,
//! such as another simulator: it keeps what nodes and witnesses see, and hands back what is theirs to do.

use std::hash::Hash;
use std::sync::Arc;

use crate::disk::{Disk, Syncs};
use crate::network::{By, Segment};
use crate::witness::Pulse;
use crate::{
    Actor, Ctx, Death, Digest, DigestValue, Effect, Fault, FaultId, Hosts, Life, Network, NodeId, Part,
    Scene, Seed, Status, Time, Topology, Witness,
};

/// The processes of a cast, their disks and what ails them, and the truth of the moment that a witness is shown.
///
/// The clocks of all nodes are true. Of the network it knows only who is cut off from whom: that is what a witness asks
/// for, and what faults are counted by.
pub struct Troupe<A: Actor, W> {
    now: Time,
    seed: Seed,
    names: Vec<Arc<str>>,
    pulses: Vec<Pulse>,
    network: Network,
    members: Vec<Member<A>>,
    witness: W,
    digest: Digest,
    events: u64,
}

struct Member<A: Actor> {
    config: A::Config,
    actor: Option<A>,
    disk: Disk<A::Durable>,
    plight: Option<Arc<A::Plight>>,
}

/// What a process is told.
#[derive(Clone, Debug)]
pub enum Told<A: Actor> {
    /// A message arrives.
    Message {
        /// From whom.
        from: NodeId,
        /// What.
        msg: A::Msg,
    },
    /// A timer that this life set has fired.
    Timer(A::Timer),
    /// There is no such connection as that with this peer.
    Reset {
        /// The peer.
        peer: NodeId,
    },
    /// What ails it is not what it was.
    Plight,
}

impl<A: Actor, W: Witness<A>> Troupe<A, W> {
    /// A cast of which nobody has booted yet. Who is there [from the start](crate::Birth::AtStart) counts as up.
    pub fn new(topology: &Topology, cast: Vec<Part<A::Config>>, seed: Seed, witness: W) -> Self {
        let hosts = Hosts::new(cast.iter().map(|part| part.host));
        let network = Network::new(topology, cast.iter().map(|part| part.zone).collect(), hosts);
        let member = |part: Part<A::Config>| Member {
            config: part.config,
            actor: None,
            disk: Disk::default(),
            plight: None,
        };
        Troupe {
            now: Time::START,
            seed,
            names: cast.iter().map(|part| Arc::from(part.name.as_str())).collect(),
            pulses: cast.iter().map(|part| part.birth.pulse()).collect(),
            network,
            members: cast.into_iter().map(member).collect(),
            witness,
            digest: Digest::new(),
            events: 0,
        }
    }

    /// It is now this late.
    ///
    /// # Panics
    ///
    /// If it has been later.
    pub fn go_on(&mut self, now: Time) {
        assert!(now >= self.now, "time runs forward");
        self.now = now;
    }

    /// The truth of the moment.
    pub fn scene(&self) -> Scene<'_> {
        Scene { now: self.now, names: &self.names, pulses: &self.pulses, network: &self.network }
    }

    /// What watches.
    pub fn witness(&self) -> &W {
        &self.witness
    }

    /// What watches, to be told of what only the driver knows, with the truth of the moment.
    pub fn witness_mut(&mut self) -> (&mut W, Scene<'_>) {
        let Troupe { now, names, pulses, network, witness, .. } = self;
        (witness, Scene { now: *now, names, pulses, network })
    }

    /// How many nodes there are, dead ones too.
    pub fn nodes(&self) -> usize {
        self.members.len()
    }

    /// A node's actor, if its process lives and has booted.
    pub fn actor(&self, node: NodeId) -> Option<&A> {
        self.members[node.index()].actor.as_ref()
    }

    /// Of all that the processes have been told so far, of the faults, and of when.
    pub fn digest(&self) -> DigestValue {
        self.digest.value()
    }

    /// How many times a process has been told something.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How much a fault has changed, as far as the driver has counted it.
    pub fn touched(&self, by: FaultId) -> u64 {
        self.network.touched(by)
    }

    /// Counts something that a fault has changed.
    pub fn touch(&mut self, by: FaultId) {
        self.network.touch(by);
    }

    /// Whether a cut that is in force stops this message, which is counted for it.
    pub fn is_stopped(&mut self, from: NodeId, to: NodeId, msg: &A::Msg) -> bool {
        let segment = || Segment::whole(By::Exchange, Some(A::class(msg)), A::size(msg));
        self.network.is_troubled() && self.network.stop((from, to), &segment()).is_some()
    }

    /// A node that is up begins its life, if it has not: what it asks of the driver.
    pub fn boot(&mut self, node: NodeId) -> Vec<Effect<A>> {
        let pulse = self.pulses[node.index()];
        if pulse.status != Status::Up || self.members[node.index()].actor.is_some() {
            return Vec::new();
        }
        self.mark(Mark::Boot, node, node);
        let mut effects = Vec::new();
        let member = &self.members[node.index()];
        let Troupe { now, seed, ref names, .. } = *self;
        let plight = &member.plight;
        let life = pulse.life;
        let effects_of = &mut effects;
        let mut ctx =
            Ctx { now, moment: now, clocks: None, me: node, names, life, seed, plight, effects: effects_of };
        let actor = A::boot(&member.config, &member.disk.read(), &mut ctx);
        self.members[node.index()].actor = Some(actor);
        self.obey(node, effects)
    }

    /// A process that runs is told something: what it asks of the driver. Nobody is told where none runs.
    pub fn tell(&mut self, node: NodeId, told: Told<A>) -> Vec<Effect<A>> {
        let pulse = self.pulses[node.index()];
        if pulse.status != Status::Up || self.members[node.index()].actor.is_none() {
            return Vec::new();
        }
        self.mark(Mark::of(&told), told.from().unwrap_or(node), node);
        match &told {
            Told::Message { msg, .. } => msg.hash(&mut self.digest),
            Told::Timer(timer) => timer.hash(&mut self.digest),
            Told::Reset { .. } | Told::Plight => {}
        }
        self.act(node, |actor, ctx| match told {
            Told::Message { from, msg } => actor.on_message(ctx, from, msg),
            Told::Timer(timer) => actor.on_timer(ctx, timer),
            Told::Reset { peer } => actor.on_reset(ctx, peer),
            Told::Plight => actor.on_plight(ctx),
        })
    }

    /// A process that runs is made to do something by the driver: what it asks of it.
    pub fn prompt(&mut self, node: NodeId, act: impl FnOnce(&mut A, &mut Ctx<'_, A>)) -> Vec<Effect<A>> {
        if self.pulses[node.index()].status != Status::Up || self.members[node.index()].actor.is_none() {
            return Vec::new();
        }
        self.mark(Mark::Prompt, node, node);
        self.act(node, act)
    }

    fn act(&mut self, node: NodeId, act: impl FnOnce(&mut A, &mut Ctx<'_, A>)) -> Vec<Effect<A>> {
        let mut effects = Vec::new();
        let Troupe { now, seed, ref names, .. } = *self;
        let Member { actor, plight, .. } = &mut self.members[node.index()];
        let actor = actor.as_mut().expect("a process that runs has an actor");
        let life = self.pulses[node.index()].life;
        let effects_of = &mut effects;
        let mut ctx =
            Ctx { now, moment: now, clocks: None, me: node, names, life, seed, plight, effects: effects_of };
        act(actor, &mut ctx);
        self.obey(node, effects)
    }

    /// A process of the driver's own, which no actor acts for, tells the witnesses something. It is part of the digest, by
    /// its `Debug` text.
    pub fn observe(&mut self, node: NodeId, seen: &A::Observation) {
        self.mark(Mark::Observe, node, node);
        format!("{seen:?}").hash(&mut self.digest);
        let (witness, scene) = self.witness_mut();
        witness.observe(&scene, node, seen);
    }

    /// Obeys what concerns a node's disk and the witnesses; the rest is the driver's.
    fn obey(&mut self, node: NodeId, effects: Vec<Effect<A>>) -> Vec<Effect<A>> {
        let mut left = Vec::new();
        for effect in effects {
            match effect {
                Effect::Write(record) => self.members[node.index()].disk.write(record),
                Effect::Sync => self.members[node.index()].disk.sync(),
                Effect::Touch { by } => self.touch(by),
                Effect::Observe(seen) => {
                    let (witness, scene) = self.witness_mut();
                    witness.observe(&scene, node, &seen);
                }
                Effect::Send { .. }
                | Effect::Stream { .. }
                | Effect::HangUp { .. }
                | Effect::Timer { .. }
                | Effect::Exit { .. }
                | Effect::Recycle { .. } => left.push(effect),
            }
        }
        left
    }

    /// What ails a node from now on. Whether its process is to be [told](Told::Plight), and when, is for the driver.
    pub fn afflict(&mut self, node: NodeId, plight: Option<Arc<A::Plight>>) {
        self.mark(Mark::Afflict, node, node);
        plight.hash(&mut self.digest);
        self.members[node.index()].plight = plight;
    }

    /// A fault, now, as far as nodes and witnesses see it: its own part the driver does. What is left of a process that
    /// has died of it is handed back, for whom it was connected to.
    pub fn suffer(&mut self, fault: &Fault) -> Option<A> {
        if matches!(fault, Fault::Impair(impairment) if impairment.is_nothing()) {
            return None;
        }
        self.mark(Mark::Fault, NodeId(0), NodeId(0));
        fault.hash(&mut self.digest);
        let mut dead = None;
        match fault {
            Fault::Crash(node, death) => dead = self.die(*node, *death),
            Fault::Restart(node) | Fault::Resume(node) => {
                let from = if matches!(fault, Fault::Restart(_)) { Status::Down } else { Status::Paused };
                self.turn(*node, from, Status::Up);
            }
            Fault::Pause(node) => self.turn(*node, Status::Up, Status::Paused),
            Fault::Cut(cut) => self.network.cut(cut.clone(), 0),
            Fault::Mend(id) => self.network.mend(*id),
            Fault::FakeSyncs(node) => self.members[node.index()].disk.set_syncs(Syncs::Faked),
            Fault::MakeSyncs(node) => self.members[node.index()].disk.set_syncs(Syncs::Made),
            Fault::Impair(_) | Fault::Repair(_) | Fault::Sever { .. } | Fault::PowerOn(_) => {}
            Fault::SetClock(..) => panic!("the clocks of a troupe are true"),
        }
        let (witness, scene) = self.witness_mut();
        witness.on_fault(&scene, fault);
        dead
    }

    /// A process ends by its own hand: what is left of it.
    pub fn exit(&mut self, node: NodeId, by: FaultId) -> Option<A> {
        let dead = self.suffer(&Fault::Crash(node, Death::KILLED));
        let (witness, scene) = self.witness_mut();
        witness.on_exit(&scene, node, by);
        dead
    }

    fn turn(&mut self, node: NodeId, from: Status, to: Status) {
        let status = &mut self.pulses[node.index()].status;
        if *status == from {
            *status = to;
        }
    }

    fn die(&mut self, node: NodeId, death: Death) -> Option<A> {
        let member = &mut self.members[node.index()];
        member.disk.suffer(death.disk);
        let pulse = &mut self.pulses[node.index()];
        if pulse.status == Status::Down {
            return None;
        }
        pulse.status = Status::Down;
        pulse.life = Life(pulse.life.0 + 1);
        member.actor.take()
    }

    fn mark(&mut self, mark: Mark, from: NodeId, to: NodeId) {
        self.events += 1;
        self.digest.fold(self.now.as_nanos());
        self.digest.fold((mark as u64) << 56 ^ u64::from(from.0) << 28 ^ u64::from(to.0));
    }
}

/// How each thing that happens begins in the digest.
#[derive(Clone, Copy)]
enum Mark {
    Boot = 1,
    Message = 2,
    Timer = 3,
    Reset = 4,
    Plight = 5,
    Afflict = 6,
    Fault = 7,
    Observe = 8,
    Prompt = 9,
}

impl Mark {
    fn of<A: Actor>(told: &Told<A>) -> Mark {
        match told {
            Told::Message { .. } => Mark::Message,
            Told::Timer(_) => Mark::Timer,
            Told::Reset { .. } => Mark::Reset,
            Told::Plight => Mark::Plight,
        }
    }
}

impl<A: Actor> Told<A> {
    /// Whom it comes from, if from another.
    fn from(&self) -> Option<NodeId> {
        match self {
            Told::Message { from: peer, .. } | Told::Reset { peer } => Some(*peer),
            Told::Timer(_) | Told::Plight => None,
        }
    }
}
