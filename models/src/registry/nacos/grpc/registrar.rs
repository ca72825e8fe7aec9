//! An instance's side from 2.0 on: it registers by its connection, and again by each next one.

use schism_core::NodeId;

use super::Timer;
use super::api::{Answer, Ask, Msg};
use super::link::{Heard, Link};
use super::table::Published;
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::{Endpoint, ServiceId};
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::entry::{failing_probe, start, zombie};
use crate::registry::nacos::Config;
use crate::registry::{Address, Entry};
use crate::service::ReRegister;
use crate::waits::Wait;

/// An instance's side of its registration.
#[derive(Clone, Debug)]
pub struct Registrar {
    link: Link,
    service: ServiceId,
    /// As it registers: what the metadata say of its weight is another matter.
    endpoint: Endpoint,
    re_register: ReRegister,
    stage: Stage,
    /// Whether it has said that it is healthy, when it last registered.
    healthy: bool,
    /// The weight that it should have, and the one that the metadata are known to say.
    weight: u32,
    weighed: u32,
    weighing: Option<(u32, u32)>,
    passes: Passes,
}

/// Where the registration stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It has not begun.
    New,
    /// It is to be done, or done again.
    Unregistered,
    /// The server was asked; not yet, if a failpoint has put it off.
    Registering(Option<u32>),
    /// It is done.
    Registered,
    /// It was lost, and nobody does it again.
    Lost,
    /// The instance has left.
    Left,
}

impl Registrar {
    /// An instance that will register when it has started, up to half a second from now.
    pub fn boot(address: &Address<Config>, entry: Entry, ctx: &mut Ctx<'_>) -> Registrar {
        let Entry { service, endpoint, re_register } = entry;
        ctx.after(start(ctx), Timer::Redo.into());
        Registrar {
            link: Link::new(address, ctx),
            service,
            endpoint,
            re_register,
            stage: Stage::New,
            healthy: true,
            weight: endpoint.weight,
            weighed: endpoint.weight,
            weighing: None,
            passes: Passes::default(),
        }
    }

    /// A message has come.
    pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) {
        if zombie(ctx).is_none() {
            let heard = self.link.on_message(ctx, from, msg);
            self.on_heard(ctx, heard);
        }
    }

    /// A timer has fired.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match timer {
            Timer::Link(epoch) => self.on_link(ctx, epoch),
            Timer::Redo => self.on_redo(ctx),
            Timer::Unanswered(call) => self.on_unanswered(ctx, call),
            Timer::Late => {
                if self.stage == Stage::Registering(None) {
                    self.ask_to_register(ctx);
                }
            }
            // Subscribers' and servers'.
            Timer::Poll
            | Timer::Eject
            | Timer::Judge(_)
            | Timer::Pushes
            | Timer::Unacknowledged(_)
            | Timer::Syncs
            | Timer::Unsynced(_)
            | Timer::Verify
            | Timer::Clean
            | Timer::Load(_)
            | Timer::Report
            | Timer::Unreported(_)
            | Timer::Deferred(_)
            | Timer::Lag
            | Timer::End
            | Timer::Tick => unreachable!("an instance does not set {timer:?}"),
        }
    }

    /// The connection to a peer is gone.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match zombie(ctx) {
            Some(by) => ctx.touch(by),
            None => self.link.on_reset(ctx, peer),
        }
    }

    /// The instance leaves, in this life for good. Whether there was anything left to do.
    pub fn leave(&mut self, ctx: &mut Ctx<'_>) -> bool {
        match self.stage {
            Stage::Left => return false,
            Stage::New | Stage::Unregistered | Stage::Lost => {}
            Stage::Registering(_) | Stage::Registered => {
                self.link.ask(ctx, Ask::Deregister);
            }
        }
        self.stage = Stage::Left;
        true
    }

    /// The instance has this weight from now on: its metadata are to say so. Whether it was another.
    pub fn weigh(&mut self, ctx: &mut Ctx<'_>, weight: u32) -> bool {
        let before = std::mem::replace(&mut self.weight, weight);
        self.write_weight(ctx);
        before != weight
    }

    /// Whether the instance knows itself to be registered.
    pub fn is_registered(&self) -> bool {
        self.stage == Stage::Registered
    }

    /// What its tasks wait for.
    pub fn waits(&self) -> Vec<Wait> {
        let call = if let Stage::Registering(call) = self.stage {
            call
        } else {
            self.weighing.map(|(call, _)| call)
        };
        self.link.waits("registration", call)
    }

    /// Those with an open connection.
    pub fn peers(&self) -> Vec<NodeId> {
        self.link.peers()
    }

    /// Health is asked for at the point where leases are renewed.
    fn on_link(&mut self, ctx: &mut Ctx<'_>, epoch: u32) {
        if let Some(by) = zombie(ctx) {
            return ctx.touch(by);
        }
        if self.link.is_about_to_ask(epoch) {
            match self.passes.pass(ctx, Point::InstanceRenew) {
                Pass::Clear => {}
                Pass::Late(by) => return ctx.after(by, Timer::Link(epoch).into()),
                Pass::Fails(_) => return self.link.miss(ctx),
                Pass::Ends => return,
            }
        }
        let heard = self.link.on_timer(ctx, epoch);
        self.on_heard(ctx, heard);
    }

    fn on_heard(&mut self, ctx: &mut Ctx<'_>, heard: Heard<'_>) {
        match heard {
            Heard::Nothing | Heard::Push(_) | Heard::Recovered => {}
            Heard::Connected => self.on_connected(ctx),
            Heard::Healthy => {
                if self.is_registered() {
                    ctx.observe(Observation::Renewed);
                }
            }
            Heard::Answer(call, answer) => self.on_answer(ctx, call, answer),
        }
    }

    /// The first connection is used at once; on a later one, all waits for the next turn of the redo task
    /// (client/naming/remote/gprc/redo/RedoScheduledTask.java, 3.0.3).
    fn on_connected(&mut self, ctx: &mut Ctx<'_>) {
        match self.stage {
            Stage::New => {
                self.stage = Stage::Unregistered;
                self.register(ctx);
            }
            Stage::Registered => {
                ctx.observe(Observation::LeaseLost);
                self.stage = match self.re_register {
                    ReRegister::Always => Stage::Unregistered,
                    ReRegister::Never => Stage::Lost,
                };
            }
            Stage::Registering(_) => self.stage = Stage::Unregistered,
            Stage::Unregistered | Stage::Lost | Stage::Left => {}
        }
    }

    fn on_redo(&mut self, ctx: &mut Ctx<'_>) {
        ctx.after(self.link.config().redo, Timer::Redo.into());
        if zombie(ctx).is_some() {
            return;
        }
        if self.link.is_idle() {
            return self.link.connect(ctx);
        }
        match self.stage {
            Stage::Unregistered => self.register(ctx),
            Stage::Registered => self.report_health(ctx),
            Stage::New | Stage::Registering(_) | Stage::Lost | Stage::Left => {}
        }
        self.write_weight(ctx);
    }

    fn register(&mut self, ctx: &mut Ctx<'_>) {
        if !self.link.is_running() {
            return;
        }
        match self.passes.pass(ctx, Point::InstanceRegister) {
            Pass::Clear => self.ask_to_register(ctx),
            Pass::Late(by) => {
                self.stage = Stage::Registering(None);
                ctx.after(by, Timer::Late.into());
            }
            Pass::Fails(_) | Pass::Ends => {}
        }
    }

    fn ask_to_register(&mut self, ctx: &mut Ctx<'_>) {
        let failing = failing_probe(ctx);
        if let Some(by) = failing {
            ctx.touch(by);
        }
        self.healthy = failing.is_none();
        let published = Published { service: self.service, endpoint: self.endpoint, healthy: self.healthy };
        self.stage = match self.link.ask(ctx, Ask::Register(published)) {
            Some(call) => Stage::Registering(Some(call)),
            None => Stage::Unregistered,
        };
    }

    /// No server looks after an ephemeral instance's health. What checks it registers it anew with `healthy` as it is.
    fn report_health(&mut self, ctx: &mut Ctx<'_>) {
        if self.healthy == failing_probe(ctx).is_some() {
            self.ask_to_register(ctx);
        }
    }

    fn on_answer(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &Answer) {
        let done = *answer == Answer::Done;
        if self.stage == Stage::Registering(Some(call)) {
            self.stage = if done { Stage::Registered } else { Stage::Unregistered };
            if done {
                ctx.observe(Observation::Registered);
                self.write_weight(ctx);
            }
        }
        if self.weighing.is_some_and(|(mine, _)| mine == call) {
            let (_, weight) = self.weighing.take().expect("it was just seen");
            if done {
                self.weighed = weight;
                self.write_weight(ctx);
            }
        }
    }

    fn on_unanswered(&mut self, ctx: &mut Ctx<'_>, call: u32) {
        let registering = self.stage == Stage::Registering(Some(call));
        let weighing = self.weighing.is_some_and(|(mine, _)| mine == call);
        if registering {
            self.stage = Stage::Unregistered;
        }
        if weighing {
            self.weighing = None;
        }
        if (registering || weighing) && zombie(ctx).is_none() {
            self.link.on_unanswered(ctx);
        }
    }

    /// Writes the weight to the metadata, unless they say it already, or are being asked to.
    fn write_weight(&mut self, ctx: &mut Ctx<'_>) {
        if self.is_registered() && self.weighed != self.weight && self.weighing.is_none() {
            let ask = Ask::Weigh { service: self.service, node: self.endpoint.node, weight: self.weight };
            self.weighing = self.link.ask(ctx, ask).map(|call| (call, self.weight));
        }
    }
}
