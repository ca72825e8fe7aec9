//! A toy world: nodes that send what they are told to, when they are told to, and a witness of what comes.

use std::collections::BTreeSet;

use schism_core::{
    Actor, Birth, Class, Classes, Ctx, Cut, Distribution, Draw, Duration, Fault, FaultId, Feel, Flows, Harm,
    Impairment, Link, NodeId, NodeSet, Part, Ratio, Scene, Seed, Time, Topology, Witness, World,
};

/// How long every message takes.
pub const LATENCY: Duration = Duration::from_millis(10);

/// One message to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Letter {
    /// When.
    pub at: Time,
    /// Who sends it.
    pub from: NodeId,
    /// To whom.
    pub to: NodeId,
    /// How.
    pub by: Post,
    /// Its number.
    pub number: u32,
}

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Post {
    /// On its own.
    Alone,
    /// On the connection.
    Stream,
}

/// Something that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arrival {
    /// A message, by its number.
    Letter(u32),
    /// A reset from this node.
    Reset(NodeId),
}

/// How many bytes every message has.
pub const BYTES: u64 = 1_000;
/// How many numbers a class of messages has: those below it are of class 0, the next of class 1, and so on.
pub const NUMBERS: u32 = 1_000_000;

/// One node, and whom it has sent messages of their own.
#[derive(Clone, Debug)]
pub struct Toy(BTreeSet<NodeId>);

impl Actor for Toy {
    type Config = Vec<Letter>;
    type Msg = u32;
    type Timer = Letter;
    type Durable = ();
    type Observation = Arrival;
    type Plight = ();

    fn boot(letters: &Vec<Letter>, (): &(), ctx: &mut Ctx<'_, Self>) -> Toy {
        let due: Vec<Letter> = letters.iter().filter(|letter| letter.at >= ctx.now()).copied().collect();
        due.into_iter().for_each(|letter| ctx.at(letter.at, letter));
        Toy(BTreeSet::new())
    }
    fn on_message(&mut self, ctx: &mut Ctx<'_, Self>, _: NodeId, number: u32) {
        ctx.observe(Arrival::Letter(number));
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, Letter { to, by, number, .. }: Letter) {
        match by {
            Post::Alone => {
                self.0.insert(to);
                ctx.send(to, number);
            }
            Post::Stream => ctx.stream(to, number),
        }
    }
    fn on_reset(&mut self, ctx: &mut Ctx<'_, Self>, peer: NodeId) {
        ctx.observe(Arrival::Reset(peer));
    }
    fn peers(&self) -> Vec<NodeId> {
        self.0.iter().copied().collect()
    }
    fn class(number: &u32) -> Class {
        Class((number / NUMBERS) as u8)
    }
    fn size(_: &u32) -> u64 {
        BYTES
    }
}

/// All that came, and where and when.
#[derive(Clone, Debug, Default)]
pub struct Mailbox(pub Vec<(Time, NodeId, Arrival)>);

impl Witness<Toy> for Mailbox {
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Arrival) {
        self.0.push((scene.now(), by, *seen));
    }
    fn on_fault(&mut self, _: &Scene<'_>, _: &Fault) {}
}

/// A world of so many nodes in one zone, with these letters to send.
pub fn world(nodes: u32, letters: &[Letter]) -> World<Toy, Mailbox> {
    world_born(nodes, Birth::AtStart, letters)
}

/// The same, but for when the first node is born.
pub fn world_born(nodes: u32, first: Birth, letters: &[Letter]) -> World<Toy, Mailbox> {
    world_sharing(nodes, &[], first, letters)
}

/// The same, with these nodes aboard the hosts of those.
pub fn world_sharing(
    nodes: u32,
    aboard: &[(u32, u32)],
    first: Birth,
    letters: &[Letter],
) -> World<Toy, Mailbox> {
    world_told(nodes, aboard, first, letters, Mailbox::default())
}

/// The same, watched by this witness.
pub fn world_told<W: Witness<Toy>>(
    nodes: u32,
    aboard: &[(u32, u32)],
    first: Birth,
    letters: &[Letter],
    witness: W,
) -> World<Toy, W> {
    let host_of = |node| aboard.iter().find(|(one, _)| *one == node).map(|&(_, host)| NodeId(host));
    let mut topology = Topology::new();
    let latency = Distribution::constant(LATENCY).expect("ten milliseconds are in range");
    let zone = topology.add_zone("a", Link { latency, loss: Ratio::ZERO });
    let part = |node| Part {
        name: format!("toy-{node}"),
        zone,
        birth: if node == 0 { first } else { Birth::AtStart },
        host: host_of(node),
        config: letters.iter().filter(|letter| letter.from == NodeId(node)).copied().collect(),
    };
    World::new(&topology, (0..nodes).map(part).collect(), Seed(1), witness)
}

/// Inflicts each fault at its time, in their order, and runs until `end`.
pub fn run<A: Actor, W: Witness<A>>(world: &mut World<A, W>, faults: &[(Time, Fault)], end: Time) {
    for (at, fault) in faults {
        world.run_until(*at);
        world.inflict(fault.clone());
    }
    world.run_until(end);
}

/// The nodes of these numbers.
pub fn set(nodes: &[u32]) -> NodeSet {
    nodes.iter().copied().map(NodeId).collect()
}

/// A silent cut from some nodes to others.
pub fn cut(id: u32, from: &[u32], to: &[u32]) -> Fault {
    cut_with(id, from, to, Feel::Silent, Flows::All)
}

/// A cut of all classes.
pub fn cut_with(id: u32, from: &[u32], to: &[u32], feel: Feel, flows: Flows) -> Fault {
    let (from, to) = (set(from), set(to));
    Fault::Cut(Cut { id: FaultId(id), from, to, feel, classes: Classes::ALL, flows })
}

/// An impairment of all classes.
pub fn impair(id: u32, from: &[u32], to: &[u32], harm: Harm) -> Fault {
    let (from, to) = (set(from), set(to));
    let salt = Draw::new(u64::from(id));
    Fault::Impair(Impairment { id: FaultId(id), salt, from, to, classes: Classes::ALL, harm })
}

/// The end of the impairments of this fault.
pub fn repair(id: u32) -> Fault {
    Fault::Repair(FaultId(id))
}

/// The end of the cuts of this name.
pub fn mend(id: u32) -> Fault {
    Fault::Mend(FaultId(id))
}

/// So many milliseconds after the start.
pub fn ms(millis: u64) -> Time {
    Time::START + Duration::from_millis(millis)
}
