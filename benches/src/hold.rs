//! W1: actors that pass messages on, each with an exponential delay, to a uniform destination.

use schism_core::{
    Actor, Birth, Ctx, Distribution, Duration, Link, Luck, NodeId, Part, Ratio, Seed, Time, Topology, World,
};

/// How many actors there are.
pub const ACTORS: u32 = 1024;

/// Passes on whatever comes.
#[derive(Clone, Debug)]
pub struct Passer {
    luck: Luck,
}

impl Passer {
    fn pass_on(&mut self, ctx: &mut Ctx<'_, Passer>, msg: u32) {
        let luck = self.luck.draw();
        ctx.send_with(NodeId(luck.below(ACTORS)), msg.wrapping_add(1), luck.derive(1));
    }
}

impl Actor for Passer {
    /// How many messages each actor starts with.
    type Config = u32;
    type Msg = u32;
    type Timer = ();
    type Durable = ();
    type Observation = ();
    type Plight = ();

    fn boot(in_flight: &u32, (): &(), ctx: &mut Ctx<'_, Passer>) -> Passer {
        let mut passer = Passer { luck: ctx.luck("passes") };
        (0..*in_flight).for_each(|msg| passer.pass_on(ctx, msg));
        passer
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_, Passer>, _: NodeId, msg: u32) {
        self.pass_on(ctx, msg);
    }

    fn on_timer(&mut self, _: &mut Ctx<'_, Passer>, (): ()) {}
    fn on_reset(&mut self, _: &mut Ctx<'_, Passer>, _: NodeId) {}
    fn peers(&self) -> Vec<NodeId> {
        Vec::new()
    }
}

/// A world of passers with so many messages in flight each, 1 ms apart on average.
pub fn world(in_flight: u32) -> World<Passer, ()> {
    let mut topology = Topology::new();
    let mean = Duration::from_millis(1);
    let latency = Distribution::exponential(mean).expect("a positive mean");
    let zone = topology.add_zone("a", Link { latency, loss: Ratio::ZERO });
    let part =
        |n| Part { name: format!("passer-{n}"), zone, config: in_flight, birth: Birth::AtStart, host: None };
    let cast = (0..ACTORS).map(part).collect();
    World::new(&topology, cast, Seed(7), ())
}

/// Runs until so many events have happened, and returns how many did.
pub fn run(in_flight: u32, events: u64) -> u64 {
    let mut world = world(in_flight);
    while world.events() < events {
        world.run_until(world.now() + Duration::from_millis(100));
    }
    assert!(world.now() > Time::START);
    std::hint::black_box(world.digest());
    world.events()
}
