//! How an instance keeps itself registered: it tells the agent on its host, and says time and again that it passes.

use schism_core::{Duration, NodeId};

use super::Config;
use super::api::{Msg, Tell, Timer};
use super::cluster::Cluster;
use super::link::RETRY;
use super::stagger::stagger;
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::{Endpoint, ServiceId};
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::entry::{failing_probe, zombie};
use crate::registry::{self, Address, Entry};
use crate::service::ReRegister;
use crate::waits::Wait;

/// An instance registers up to so long after it has started. Ours.
const START: Duration = Duration::from_millis(500);

/// An instance's side of its registration.
#[derive(Clone, Debug)]
pub struct Registrar {
    /// How often it says that it passes.
    pass_every: Duration,
    /// How long it waits for the agent.
    timeout: Duration,
    agent: NodeId,
    service: ServiceId,
    endpoint: Endpoint,
    re_register: ReRegister,
    stage: Stage,
    /// The number of the last call, and of the last timer.
    last: u32,
    passes: Passes,
}

/// Register, then pass; back to the start when the agent does not know the check any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Idle,
    /// The call, unless something has put it off.
    Registering(u32),
    /// The call that says that it passes, if one is not answered, and the timer for the next.
    Passing {
        call: Option<u32>,
        next: u32,
    },
    Left,
}

impl Registrar {
    /// An instance that will register when it has started, up to half a second from now.
    ///
    /// # Panics
    ///
    /// If there is no agent on its host.
    pub fn boot(address: &Address<Config>, entry: Entry, ctx: &mut Ctx<'_>) -> Registrar {
        let Entry { service, endpoint, re_register } = entry;
        let Address { config, layout } = address;
        let cluster = Cluster::new(layout.clone());
        let agent = cluster.agent_of(ctx.me()).expect("there is an agent on each instance's host");
        let mut registrar = Registrar {
            pass_every: config.pass_every,
            timeout: config.request_timeout,
            agent: cluster.node(agent),
            service,
            endpoint,
            re_register,
            stage: Stage::Idle,
            last: 0,
            passes: Passes::default(),
        };
        let start = stagger(START, ctx.luck("start").draw());
        registrar.try_again(ctx, start);
        registrar
    }

    /// Registers some time from now.
    fn try_again(&mut self, ctx: &mut Ctx<'_>, after: Duration) {
        self.stage = Stage::Idle;
        self.last = self.last.wrapping_add(1);
        ctx.after(after, Timer::Retry(self.last).into());
    }

    fn tell(&mut self, ctx: &mut Ctx<'_>, tell: Tell) -> u32 {
        self.last = self.last.wrapping_add(1);
        let call = self.last;
        ctx.stream(self.agent, Msg::Tell { call, tell }.into());
        ctx.after(self.timeout, Timer::Call(call).into());
        call
    }

    /// Registers; later, if what checks the instance's health would not let it pass.
    fn register(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(by) = failing_probe(ctx) {
            ctx.touch(by);
            return self.try_again(ctx, RETRY);
        }
        match self.passes.pass(ctx, Point::InstanceRegister) {
            Pass::Clear => self.register_now(ctx),
            Pass::Late(by) => {
                self.last = self.last.wrapping_add(1);
                self.stage = Stage::Registering(self.last);
                ctx.after(by, Timer::Late(self.last).into());
            }
            Pass::Fails(_) => self.try_again(ctx, RETRY),
            Pass::Ends => {}
        }
    }

    fn register_now(&mut self, ctx: &mut Ctx<'_>) {
        let call = self.tell(ctx, Tell::Register(self.service, self.endpoint));
        self.stage = Stage::Registering(call);
    }

    /// Says that it passes, if it does, and will again after a while.
    fn pass(&mut self, ctx: &mut Ctx<'_>) {
        let blamed = zombie(ctx).or_else(|| failing_probe(ctx));
        let call = match blamed {
            Some(by) => {
                ctx.touch(by);
                None
            }
            None => match self.passes.pass(ctx, Point::InstanceRenew) {
                Pass::Clear => Some(self.tell(ctx, Tell::Pass)),
                Pass::Late(by) => {
                    self.last = self.last.wrapping_add(1);
                    ctx.after(by, Timer::Late(self.last).into());
                    Some(self.last)
                }
                Pass::Fails(_) | Pass::Ends => None,
            },
        };
        self.last = self.last.wrapping_add(1);
        self.stage = Stage::Passing { call, next: self.last };
        ctx.after(self.pass_every, Timer::Pass(self.last).into());
    }

    /// It is time for what a failpoint has put off.
    fn on_late(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        match self.stage {
            Stage::Registering(call) if call == number => self.register_now(ctx),
            Stage::Passing { call: Some(call), next } if call == number => {
                let call = Some(self.tell(ctx, Tell::Pass));
                self.stage = Stage::Passing { call, next };
            }
            Stage::Idle | Stage::Registering(_) | Stage::Passing { .. } | Stage::Left => {}
        }
    }

    /// The agent has answered.
    fn on_told(&mut self, ctx: &mut Ctx<'_>, number: u32, known: bool) {
        match self.stage {
            Stage::Registering(call) if call == number => {
                ctx.observe(Observation::Registered);
                self.pass(ctx);
            }
            Stage::Passing { call, next } if call == Some(number) => {
                self.stage = Stage::Passing { call: None, next };
                match (zombie(ctx), known) {
                    (Some(by), _) => ctx.touch(by),
                    (None, true) => ctx.observe(Observation::Renewed),
                    (None, false) => self.on_lost(ctx),
                }
            }
            Stage::Idle | Stage::Registering(_) | Stage::Passing { .. } | Stage::Left => {}
        }
    }

    /// The agent does not know the check: it was reaped, or the agent has lost its disk.
    fn on_lost(&mut self, ctx: &mut Ctx<'_>) {
        ctx.observe(Observation::LeaseLost);
        match self.re_register {
            ReRegister::Always => self.register(ctx),
            ReRegister::Never => self.stage = Stage::Idle,
        }
    }
}

impl registry::Registrar for Registrar {
    type Msg = Msg;
    type Timer = Timer;

    fn waits(&self) -> Vec<Wait> {
        let (task, call) = match self.stage {
            Stage::Registering(call) => ("registration", call),
            Stage::Passing { call: Some(call), .. } => ("check", call),
            Stage::Idle | Stage::Passing { call: None, .. } | Stage::Left => return Vec::new(),
        };
        vec![Wait::new(task, "its agent's answer", [self.agent]).by(Timer::Call(call))]
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, _: NodeId, msg: &Msg) {
        match *msg {
            Msg::Told { call, known } => self.on_told(ctx, call, known),
            // What servers, agents and clients tell each other.
            Msg::Raft(_)
            | Msg::Gossip(_)
            | Msg::Ask { .. }
            | Msg::Answer { .. }
            | Msg::Tell { .. }
            | Msg::Ping
            | Msg::Pong
            | Msg::Probe
            | Msg::Probed => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match timer {
            Timer::Retry(number) => {
                if self.stage == Stage::Idle && number == self.last {
                    self.register(ctx);
                }
            }
            Timer::Pass(number) => {
                if matches!(self.stage, Stage::Passing { next, .. } if next == number) {
                    self.pass(ctx);
                }
            }
            Timer::Call(call) => {
                if self.stage == Stage::Registering(call) {
                    ctx.hang_up(self.agent);
                    self.try_again(ctx, Duration::ZERO);
                }
            }
            Timer::Late(number) => self.on_late(ctx, number),
            Timer::Raft(_)
            | Timer::Gossip(_)
            | Timer::Entropy(_)
            | Timer::Pulse(_)
            | Timer::Synced
            | Timer::Wake
            | Timer::Reconcile(_)
            | Timer::Lag
            | Timer::Ttl
            | Timer::Reap
            | Timer::Session
            | Timer::Look(_)
            | Timer::Renew(_)
            | Timer::Tell(_) => unreachable!("a registrar has no {timer:?}"),
        }
    }

    /// The agent is gone. Whoever passes goes on: the agent comes back with what it had.
    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        if peer == self.agent && matches!(self.stage, Stage::Registering(_)) {
            self.try_again(ctx, RETRY);
        }
    }

    fn leave(&mut self, ctx: &mut Ctx<'_>) -> bool {
        match self.stage {
            Stage::Left => return false,
            Stage::Idle => {}
            Stage::Registering(_) | Stage::Passing { .. } => {
                self.tell(ctx, Tell::Deregister);
            }
        }
        self.stage = Stage::Left;
        true
    }

    /// It registers again with that: the agent keeps what the check says.
    fn weigh(&mut self, ctx: &mut Ctx<'_>, weight: u32) -> bool {
        let before = std::mem::replace(&mut self.endpoint.weight, weight);
        if before != weight && matches!(self.stage, Stage::Passing { .. }) {
            self.tell(ctx, Tell::Register(self.service, self.endpoint));
        }
        before != weight
    }

    fn is_registered(&self) -> bool {
        matches!(self.stage, Stage::Passing { .. })
    }

    fn peers(&self) -> Vec<NodeId> {
        vec![self.agent]
    }
}
