//! A world of nodes that do nothing but gossip, on loopback, and a witness of what they say of each other.

use std::sync::Arc;

use schism_core::{
    Actor, Birth, Class, Ctx, Death, Distribution, Duration, Fault, Link, NodeId, Part, Ratio, Scene, Seed,
    Time, Topology, Witness, World,
};
use schism_models::registry::consul::gossip::{Body, Config, Event, Gossip, Output, Packet, Start, Timer};

/// The class of datagrams.
pub const DATAGRAMS: Class = Class(0);
/// The class of what goes over connections.
pub const CONNECTIONS: Class = Class(1);

/// One node: the machine, and nothing around it.
#[derive(Clone)]
pub struct Gossiper(Gossip);

/// What a gossiper is given.
#[derive(Clone)]
pub struct Place {
    /// The constants of all.
    pub config: Arc<Config>,
    /// How many there are.
    pub nodes: u32,
    /// When it leaves of its own will, if it does.
    pub leaves: Option<Time>,
}

/// What a gossiper reminds itself of.
#[derive(Clone, Debug, Hash)]
pub enum Reminder {
    /// What the machine asked for.
    Gossip(Timer),
    /// To leave.
    Leave,
}

impl Gossiper {
    /// The machine, to be looked into.
    pub fn gossip(&self) -> &Gossip {
        &self.0
    }

    fn obey(&mut self, ctx: &mut Ctx<'_, Gossiper>) {
        for output in self.0.outputs() {
            match output {
                Output::Send(peer, packet) => ctx.send(NodeId(peer), packet),
                Output::Stream(peer, packet) => ctx.stream(NodeId(peer), packet),
                Output::After(wait, timer) => ctx.after(wait, Reminder::Gossip(timer)),
                Output::Tell(event) => ctx.observe(event),
                Output::Deem(..) => {}
            }
        }
    }
}

impl Actor for Gossiper {
    type Config = Place;
    type Msg = Packet;
    type Timer = Reminder;
    type Durable = ();
    type Observation = Event;
    type Plight = ();

    fn boot(place: &Place, (): &(), ctx: &mut Ctx<'_, Self>) -> Gossiper {
        let start = if ctx.now() == Time::START { Start::Standing } else { Start::Rejoining };
        let (config, me, luck) = (Arc::clone(&place.config), ctx.me().0, ctx.luck("gossip"));
        let mut gossiper = Gossiper(Gossip::new(config, me, place.nodes, start, ctx.now(), luck));
        if let Some(at) = place.leaves.filter(|at| *at > ctx.now()) {
            ctx.at(at, Reminder::Leave);
        }
        gossiper.obey(ctx);
        gossiper
    }
    fn on_message(&mut self, ctx: &mut Ctx<'_, Self>, from: NodeId, packet: Packet) {
        self.0.on_message(ctx.now(), from.0, packet);
        self.obey(ctx);
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, reminder: Reminder) {
        match reminder {
            Reminder::Gossip(timer) => self.0.on_timer(ctx.now(), timer),
            Reminder::Leave => self.0.leave(ctx.now()),
        }
        self.obey(ctx);
    }
    fn on_reset(&mut self, ctx: &mut Ctx<'_, Self>, peer: NodeId) {
        self.0.on_reset(ctx.now(), peer.0);
        self.obey(ctx);
    }
    fn peers(&self) -> Vec<NodeId> {
        self.0.connected().map(NodeId).collect()
    }
    fn class(packet: &Packet) -> Class {
        match packet.body {
            Body::Gossip | Body::Ping(_) | Body::PingFor(..) | Body::Ack(_) | Body::Nack(_) => DATAGRAMS,
            Body::Call(_) | Body::Answer(_) | Body::Push(_) | Body::Pull(_) => CONNECTIONS,
        }
    }
    fn size(packet: &Packet) -> u64 {
        packet.size(&Config::lan())
    }
}

/// All that was said, by whom, of whom and when.
#[derive(Clone, Debug, Default)]
pub struct Gossips(pub Vec<(Time, NodeId, Event)>);

impl Witness<Gossiper> for Gossips {
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, said: &Event) {
        self.0.push((scene.now(), by, *said));
    }
    fn on_fault(&mut self, _: &Scene<'_>, _: &Fault) {}
}

/// A world of so many, 0.1 ms from each other, and whoever leaves.
pub fn world(nodes: u32, seed: u64, leaver: Option<(u32, Time)>) -> World<Gossiper, Gossips> {
    let mut topology = Topology::new();
    let latency = Distribution::constant(Duration::from_nanos(100_000)).expect("it is in range");
    let zone = topology.add_zone("a", Link { latency, loss: Ratio::ZERO });
    let config = Arc::new(Config::lan());
    let part = |node| Part {
        host: None,
        name: format!("node-{node}"),
        zone,
        birth: Birth::AtStart,
        config: Place {
            config: Arc::clone(&config),
            nodes,
            leaves: leaver.filter(|(who, _)| *who == node).map(|(_, at)| at),
        },
    };
    World::new(&topology, (0..nodes).map(part).collect(), Seed(seed), Gossips::default())
}

/// Kills a process; its host lives on.
pub fn kill(world: &mut World<Gossiper, Gossips>, node: u32) {
    world.inflict(Fault::Crash(NodeId(node), Death::KILLED));
}
