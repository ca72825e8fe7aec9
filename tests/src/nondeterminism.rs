//! Planted nondeterminism: the models with a machine around one of them that breaks what the models keep, in six ways.
//!
//! Here alone is done what `clippy.toml` forbids everywhere else, to show that `schism verify` finds it.

use std::collections::hash_map::RandomState;
use std::fmt::Debug;
use std::hash::BuildHasher;
use std::sync::Mutex;
use std::time::SystemTime;

use schism_core::{Actor, Class, Ctx, Duration, Effect, Luck, NodeId, Seed, Time};
use schism_models::node::{Message, Node, Process, Role, Timer};
use schism_models::observation::Observation;
use schism_models::plight::Plight;
use schism_models::registry::Disk;

/// The node that is not deterministic, and from when on.
pub const CULPRIT: &str = "web-1";
/// From when on it is not.
pub const FROM: Duration = Duration::from_secs(5);
/// What its luck is for.
pub const PURPOSE: &str = "planted";

/// One way to break determinism.
pub trait Plant: Clone + Debug + Default + Send {
    /// A number that two runs of one seed do not share.
    fn number(&mut self) -> u64;

    /// Does with its luck what the number says, and gives a word that was drawn.
    fn draw(&mut self, luck: &mut Luck) -> u64 {
        for _ in 0..self.number() % 5 {
            luck.draw();
        }
        luck.word()
    }
}

/// The order of a hash table whose keys differ from table to table.
#[derive(Clone, Copy, Debug, Default)]
pub struct HashOrder;

impl Plant for HashOrder {
    fn number(&mut self) -> u64 {
        let names = RandomState::new();
        (0..5).min_by_key(|name: &u64| names.hash_one(name)).expect("there are five")
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Plant for WallClock {
    fn number(&mut self) -> u64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later");
        u64::from(since.subsec_nanos() / 64)
    }
}

/// Which thread runs the world.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadIdentity;

impl Plant for ThreadIdentity {
    fn number(&mut self) -> u64 {
        let digits = format!("{:?}", std::thread::current().id());
        digits.chars().filter_map(|c| c.to_digit(10)).fold(0, |sum, digit| sum * 10 + u64::from(digit))
    }
}

/// Where something lies in memory, as the key that it is found by.
#[derive(Clone, Debug, Default)]
pub struct Address {
    #[expect(clippy::vec_box, reason = "it is about where each of them lies")]
    kept: Vec<Box<u64>>,
}

impl Plant for Address {
    fn number(&mut self) -> u64 {
        self.kept.push(Box::new(0));
        let last = self.kept.last().expect("one was just put there");
        (std::ptr::from_ref::<u64>(last).addr() / 16) as u64 % 1021
    }
}

/// Which process runs the world: the same for all runs of one.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessIdentity;

impl Plant for ProcessIdentity {
    fn number(&mut self) -> u64 {
        u64::from(std::process::id())
    }

    /// Processes that follow each other have other numbers whatever their remainder by a small one.
    fn draw(&mut self, luck: &mut Luck) -> u64 {
        for _ in 0..self.number() % 1021 {
            luck.draw();
        }
        luck.word()
    }
}

/// A stream that whoever comes first draws from: a run finds it where the last one has left it, and takes its own two
/// words in the one order or in the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct DrawOrder;

static SHARED: Mutex<Option<Luck>> = Mutex::new(None);

impl Plant for DrawOrder {
    fn number(&mut self) -> u64 {
        let mut shared = SHARED.lock().expect("nobody has panicked with it");
        shared.get_or_insert_with(|| Seed(0).luck("everybody", PURPOSE, 0)).word()
    }

    fn draw(&mut self, luck: &mut Luck) -> u64 {
        let (one, other) = (luck.word(), luck.word());
        if self.number().is_multiple_of(2) { one } else { other }
    }
}

/// A process with a machine around it that is not deterministic at [`CULPRIT`].
#[derive(Clone, Debug)]
pub struct Planted<T> {
    node: Node,
    /// None at all others.
    plant: Option<(T, Luck)>,
}

impl<T: Plant> Planted<T> {
    /// Lends the process the context, and asks for what it asks for.
    fn with<R>(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        act: impl FnOnce(&mut Node, &mut Ctx<'_, Node>) -> R,
    ) -> R {
        let (answer, effects) = ctx.within(|inner| act(&mut self.node, inner));
        ask(ctx, effects);
        answer
    }
}

fn ask<T: Plant>(ctx: &mut Ctx<'_, Planted<T>>, effects: Vec<Effect<Node>>) {
    effects.into_iter().for_each(|effect| ctx.ask(effect));
}

impl<T: Plant> Actor for Planted<T> {
    type Config = Role;
    type Msg = Message;
    type Timer = Timer;
    type Durable = Disk;
    type Observation = Observation;
    type Plight = Plight;

    fn boot(role: &Role, disk: &Disk, ctx: &mut Ctx<'_, Self>) -> Self {
        let (node, effects) = ctx.within(|inner| Node::boot(role, disk, inner));
        ask(ctx, effects);
        let is_culprit = ctx.name() == CULPRIT;
        Planted { node, plant: is_culprit.then(|| (T::default(), ctx.luck(PURPOSE))) }
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_, Self>, from: NodeId, msg: Message) {
        self.with(ctx, |node, ctx| node.on_message(ctx, from, msg));
    }

    /// With each request that arrives, the culprit also sets a timer for a moment that it draws. Only an instance could leak:
    /// to a client such a timer means nothing.
    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, timer: Timer) {
        if self.plant.is_some() && matches!(timer, Timer::Leaked) {
            return;
        }
        if let (Some((plant, luck)), Timer::Arrival) = (&mut self.plant, &timer)
            && ctx.now() >= Time::START + FROM
        {
            let word = plant.draw(luck);
            ctx.after(Duration::from_nanos(word % 1_000_000), Timer::Leaked);
        }
        self.with(ctx, |node, ctx| node.on_timer(ctx, timer));
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_, Self>, peer: NodeId) {
        self.with(ctx, |node, ctx| node.on_reset(ctx, peer));
    }

    fn on_plight(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.with(ctx, |node, ctx| node.on_plight(ctx));
    }

    fn peers(&self) -> Vec<NodeId> {
        self.node.peers()
    }

    fn class(msg: &Message) -> Class {
        msg.class()
    }

    fn size(msg: &Message) -> u64 {
        msg.size()
    }
}

impl<T: Plant> Process for Planted<T> {
    fn node(&self) -> &Node {
        &self.node
    }
}
