//! An instance's side in the 1.x line: it registers once, and sends beats.

use schism_core::NodeId;

use super::Timer;
use super::agent::Agent;
use super::api::{Answer, Ask, Msg};
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
    agent: Agent,
    service: ServiceId,
    endpoint: Endpoint,
    re_register: ReRegister,
    stage: Stage,
    /// The request that registers it, or changes its registration.
    registering: Option<u32>,
    /// The beat that is not answered: the next is sent a while after that.
    beat: Option<u32>,
    passes: Passes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    New,
    Unregistered,
    Registered,
    Left,
}

impl Registrar {
    /// An instance that will register when it has started, up to half a second from now.
    pub fn boot(address: &Address<Config>, entry: Entry, ctx: &mut Ctx<'_>) -> Registrar {
        let Entry { service, endpoint, re_register } = entry;
        ctx.after(start(ctx), Timer::Start.into());
        Registrar {
            agent: Agent::new(address, ctx),
            service,
            endpoint,
            re_register,
            stage: Stage::New,
            registering: None,
            beat: None,
            passes: Passes::default(),
        }
    }

    /// A message has come.
    pub fn on_message(&mut self, ctx: &mut Ctx<'_>, msg: &Msg) {
        if zombie(ctx).is_some() {
            return;
        }
        if let Msg::Answer { call, answer } = msg
            && let Some(answer) = self.agent.on_answer(ctx, *call, answer)
        {
            self.on_ended(ctx, Agent::number(*call), answer);
        }
    }

    /// A timer has fired.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match timer {
            // The first beat comes an interval after the registration has been asked for (client/naming/
            // NacosNamingService.java, 1.4.6, `registerInstance`).
            Timer::Start => {
                self.stage = Stage::Unregistered;
                ctx.after(self.agent.config().beat, Timer::Beat.into());
                self.register(ctx);
            }
            Timer::Beat => self.send_beat(ctx),
            Timer::Late => self.ask_to_register(ctx),
            Timer::Unanswered(call) => {
                if let Some(of) = self.agent.on_unanswered(ctx, call) {
                    self.on_ended(ctx, of, &Answer::Failed);
                }
            }
            // Subscribers' and servers'.
            Timer::Poll
            | Timer::Check(_)
            | Timer::Push(_)
            | Timer::Unacknowledged(_)
            | Timer::Unforwarded(_)
            | Timer::Syncs
            | Timer::Unsynced(_)
            | Timer::Verify
            | Timer::Load(_)
            | Timer::Report
            | Timer::Unreported(_)
            | Timer::Deferred(_)
            | Timer::Lag => unreachable!("an instance does not set {timer:?}"),
        }
    }

    /// The connection to a peer is gone.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        for of in self.agent.on_reset(ctx, peer) {
            self.on_ended(ctx, of, &Answer::Failed);
        }
    }

    /// The instance leaves, in this life for good. Whether there was anything left to do.
    pub fn leave(&mut self, ctx: &mut Ctx<'_>) -> bool {
        match self.stage {
            Stage::Left => return false,
            Stage::New => {}
            Stage::Unregistered | Stage::Registered => {
                self.agent.ask(ctx, Ask::Deregister(self.service, self.endpoint.node));
            }
        }
        self.stage = Stage::Left;
        true
    }

    /// The instance has this weight from now on: its registration is changed. Whether it was another.
    pub fn weigh(&mut self, ctx: &mut Ctx<'_>, weight: u32) -> bool {
        let before = std::mem::replace(&mut self.endpoint.weight, weight);
        if before != weight && self.stage == Stage::Registered {
            self.ask_to_register(ctx);
        }
        before != weight
    }

    /// Whether the instance knows itself to be registered.
    pub fn is_registered(&self) -> bool {
        self.stage == Stage::Registered
    }

    /// What its tasks wait for.
    pub fn waits(&self) -> Vec<Wait> {
        self.agent.waits("registration")
    }

    /// Those with an open connection.
    pub fn peers(&self) -> Vec<NodeId> {
        self.agent.peers()
    }

    fn register(&mut self, ctx: &mut Ctx<'_>) {
        match self.passes.pass(ctx, Point::InstanceRegister) {
            Pass::Clear => self.ask_to_register(ctx),
            Pass::Late(by) => ctx.after(by, Timer::Late.into()),
            Pass::Fails(_) | Pass::Ends => {}
        }
    }

    fn ask_to_register(&mut self, ctx: &mut Ctx<'_>) {
        if self.stage != Stage::Left {
            self.registering = Some(self.agent.ask(ctx, Ask::Register(self.service, self.endpoint)));
        }
    }

    /// Sends a beat. What checks the instance's health and finds it not well sends none.
    fn send_beat(&mut self, ctx: &mut Ctx<'_>) {
        if self.stage == Stage::Left {
            return;
        }
        if let Some(by) = zombie(ctx).or_else(|| failing_probe(ctx)) {
            ctx.touch(by);
            return self.mind_beat(ctx);
        }
        match self.passes.pass(ctx, Point::InstanceRenew) {
            Pass::Clear => self.beat = Some(self.agent.ask(ctx, Ask::Beat(self.service, self.endpoint.node))),
            Pass::Late(by) => ctx.after(by, Timer::Beat.into()),
            Pass::Fails(_) => self.mind_beat(ctx),
            Pass::Ends => {}
        }
    }

    fn mind_beat(&self, ctx: &mut Ctx<'_>) {
        ctx.after(self.agent.config().beat, Timer::Beat.into());
    }

    /// A request is over, one way or another.
    fn on_ended(&mut self, ctx: &mut Ctx<'_>, of: u32, answer: &Answer) {
        if self.beat == Some(of) {
            self.beat = None;
            self.on_beat_answered(ctx, answer);
            self.mind_beat(ctx);
        }
        if self.registering == Some(of) {
            self.registering = None;
            if *answer == Answer::Done && self.stage != Stage::Left {
                self.stage = Stage::Registered;
                ctx.observe(Observation::Registered);
            }
        }
    }

    /// Who is told that it is not registered registers (client/naming/beat/BeatReactor.java, 1.4.6).
    fn on_beat_answered(&mut self, ctx: &mut Ctx<'_>, answer: &Answer) {
        match (answer, self.stage) {
            (_, Stage::New | Stage::Left) | (Answer::Failed | Answer::Listing(_), _) => {}
            (Answer::Done, Stage::Registered) => ctx.observe(Observation::Renewed),
            // The answer to the registration was lost.
            (Answer::Done, Stage::Unregistered) => {
                self.stage = Stage::Registered;
                ctx.observe(Observation::Registered);
            }
            (Answer::NotFound, stage) => {
                if stage == Stage::Registered {
                    ctx.observe(Observation::LeaseLost);
                    self.stage = Stage::Unregistered;
                }
                match self.re_register {
                    ReRegister::Always => self.register(ctx),
                    ReRegister::Never => {}
                }
            }
        }
    }
}
