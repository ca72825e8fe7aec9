//! A world of puppets: nodes that do what their script says when their own clocks say so, and tell what they find.

use schism_core::{
    Actor, Birth, Ctx, Distribution, Durable, Duration, Fault, FaultId, Link, NodeId, Part, Ratio, Scene,
    Seed, Time, Topology, Witness, World,
};

use crate::toy::LATENCY;

/// One line of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Line {
    /// When, by the puppet's monotonic clock.
    pub at: Time,
    /// What.
    pub act: Act,
}

/// What a puppet does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Looks at its clocks.
    Look,
    /// Hands this page to the operating system.
    Write(u32),
    /// Makes durable what it has written.
    Sync,
    /// Counts one thing for this fault.
    Touch(FaultId),
    /// Ends, and looks at its clocks after it has said so.
    Exit(FaultId),
    /// Has another's process killed, and started anew after a while.
    Recycle(NodeId, Duration),
}

/// What a puppet finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A life began with these pages on the disk, and this plight.
    Began(Vec<u32>, Option<u32>),
    /// What its clocks read, and what it had waited for the monotonic one to read.
    Clocks {
        /// That.
        due: Time,
        /// The monotonic clock.
        now: Time,
        /// The wall clock.
        wall: Time,
    },
    /// What ails it has changed, and is this.
    Plight(Option<u32>),
    /// A peer's host has reset the connection.
    Reset(NodeId),
}

/// Pages in the order in which they were written.
#[derive(Clone, Debug, Default)]
pub struct Pages(Vec<u32>);

impl Durable for Pages {
    type Record = u32;
    fn apply(&mut self, page: u32) {
        self.0.push(page);
    }
}

/// A node; every other is its peer.
#[derive(Clone)]
pub struct Puppet {
    peers: Vec<NodeId>,
}

/// What a puppet boots with.
#[derive(Clone)]
pub struct Script {
    peers: Vec<NodeId>,
    lines: Vec<Line>,
}

impl Actor for Puppet {
    type Config = Script;
    type Msg = ();
    type Timer = Line;
    type Durable = Pages;
    type Observation = Found;
    type Plight = u32;

    fn boot(script: &Script, pages: &Pages, ctx: &mut Ctx<'_, Self>) -> Puppet {
        ctx.observe(Found::Began(pages.0.clone(), ctx.plight().copied()));
        let now = ctx.now();
        script.lines.iter().filter(|line| line.at >= now).for_each(|line| ctx.at(line.at, *line));
        Puppet { peers: script.peers.clone() }
    }
    fn on_message(&mut self, _: &mut Ctx<'_, Self>, _: NodeId, (): ()) {}
    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, Line { at, act }: Line) {
        match act {
            Act::Look => look(ctx, at),
            Act::Write(page) => ctx.write(page),
            Act::Sync => ctx.sync(),
            Act::Touch(by) => ctx.touch(by),
            Act::Recycle(node, after) => ctx.recycle(node, after),
            Act::Exit(by) => {
                ctx.exit(by);
                look(ctx, at);
            }
        }
    }
    fn on_reset(&mut self, ctx: &mut Ctx<'_, Self>, peer: NodeId) {
        ctx.observe(Found::Reset(peer));
    }
    fn on_plight(&mut self, ctx: &mut Ctx<'_, Self>) {
        ctx.observe(Found::Plight(ctx.plight().copied()));
    }
    fn peers(&self) -> Vec<NodeId> {
        self.peers.clone()
    }
}

fn look(ctx: &mut Ctx<'_, Puppet>, due: Time) {
    ctx.observe(Found::Clocks { due, now: ctx.now(), wall: ctx.wall() });
}

/// All that was found, where and when, and who has ended by its own hand.
#[derive(Clone, Debug, Default)]
pub struct Finds {
    /// What was found.
    pub all: Vec<(Time, NodeId, Found)>,
    /// Who has ended, and driven to it by which fault.
    pub exits: Vec<(Time, NodeId, FaultId)>,
    /// Whose crashes were told.
    pub crashes: Vec<(Time, NodeId)>,
    /// Whether each look at a clock is called to the driver's attention.
    pub calls: bool,
    /// How many such looks the driver has not answered.
    pub unanswered: u32,
}

impl Finds {
    /// The looks of a node, in order: when, what it had waited for, and its two clocks.
    pub fn looks(&self, of: NodeId) -> Vec<(Time, Time, Time, Time)> {
        let look = |&(at, node, ref found): &(Time, NodeId, Found)| match *found {
            Found::Clocks { due, now, wall } if node == of => Some((at, due, now, wall)),
            Found::Clocks { .. } | Found::Began(..) | Found::Plight(_) | Found::Reset(_) => None,
        };
        self.all.iter().filter_map(look).collect()
    }

    /// What was on the disk of a node at the beginning of each life.
    pub fn disks(&self, of: NodeId) -> Vec<Vec<u32>> {
        let disk = |(_, node, found): &(Time, NodeId, Found)| match found {
            Found::Began(pages, _) if *node == of => Some(pages.clone()),
            Found::Began(..) | Found::Clocks { .. } | Found::Plight(_) | Found::Reset(_) => None,
        };
        self.all.iter().filter_map(disk).collect()
    }
}

impl Witness<Puppet> for Finds {
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, found: &Found) {
        if self.calls && matches!(found, Found::Clocks { .. }) {
            self.unanswered += 1;
        }
        self.all.push((scene.now(), by, found.clone()));
    }
    fn on_fault(&mut self, scene: &Scene<'_>, fault: &Fault) {
        if let Fault::Crash(node, _) = *fault {
            self.crashes.push((scene.now(), node));
        }
    }
    fn on_exit(&mut self, scene: &Scene<'_>, node: NodeId, by: FaultId) {
        self.exits.push((scene.now(), node, by));
    }
    fn wants_attention(&self) -> bool {
        self.unanswered > 0
    }
}

/// A world of puppets with these scripts in one zone.
pub fn world(scripts: &[(Birth, Vec<Line>)]) -> World<Puppet, Finds> {
    let mut topology = Topology::new();
    let latency = Distribution::constant(LATENCY).expect("ten milliseconds are in range");
    let zone = topology.add_zone("a", Link { latency, loss: Ratio::ZERO });
    let nodes = (0..scripts.len() as u32).map(NodeId);
    let part = |(me, (birth, lines)): (NodeId, &(Birth, Vec<Line>))| Part {
        name: format!("puppet-{}", me.0),
        zone,
        config: Script { peers: nodes.clone().filter(|&node| node != me).collect(), lines: lines.clone() },
        birth: *birth,
        host: None,
    };
    let cast = nodes.clone().zip(scripts).map(part).collect();
    World::new(&topology, cast, Seed(1), Finds::default())
}

/// A world of one puppet, which lives from the start.
pub fn one(lines: &[Line]) -> World<Puppet, Finds> {
    world(&[(Birth::AtStart, lines.to_vec())])
}

/// Inflicts each fault at its time, in their order, and runs until `end`.
pub fn run(world: &mut World<Puppet, Finds>, faults: &[(Time, Fault)], end: Time) {
    for (at, fault) in faults {
        world.run_until(*at);
        world.inflict(fault.clone());
    }
    world.run_until(end);
}
