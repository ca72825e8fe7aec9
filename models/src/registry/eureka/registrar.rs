//! An instance's side of its registration: a heartbeat every 30 s, and a look every 30 s at what it has to say.

use schism_core::{Duration, NodeId, Time};

use super::api::{Answer, Ask, Msg};
use super::apps::{Info, Status};
use super::supervisor::Supervisor;
use super::transport::{Ending, Http};
use super::{Config, Registration, Start, Timer, order};
use crate::failpoint::{Pass, Passes, Point};
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::entry::{failing_probe, zombie};
use crate::registry::{self, Address, Entry};
use crate::service::ReRegister;
use crate::waits::Wait;

/// An instance's side of its registration (eureka-client, discovery/DiscoveryClient.java and
/// InstanceInfoReplicator.java, 1.10).
#[derive(Clone, Debug)]
pub struct Registrar {
    http: Http,
    info: Info,
    /// Since when it has something to say that no server knows, by its wall clock.
    unsaid: Option<Time>,
    healthcheck: Healthcheck,
    re_register: ReRegister,
    standing: Standing,
    heartbeats: Supervisor,
    /// The request that the heartbeat waits for.
    beating: Option<u32>,
    /// How often it looks at what it has to say, and the request that this waits for.
    looks: Duration,
    saying: Option<u32>,
    passes: Passes,
}

/// What the instance knows of its registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It has never been registered.
    New,
    /// It is.
    Registered,
    /// It was, and was told that nobody knows it.
    Lost,
    /// It has left for good.
    Left,
}

/// Whether it tells of what its health check finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Healthcheck {
    Told,
    Ignored,
}

/// Which of an instance's two threads does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Thread {
    /// The heartbeat.
    Heartbeat,
    /// The `InstanceInfoReplicator`.
    Replicator,
}

impl registry::Registrar for Registrar {
    type Msg = Msg;
    type Timer = Timer;

    fn waits(&self) -> Vec<Wait> {
        self.http.waits("registration")
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) {
        match msg {
            Msg::Answer { call, answer } => {
                let ending = self.http.on_answer(ctx, from, *call, answer);
                self.on_ending(ctx, ending);
            }
            // What servers are told.
            Msg::Ask { .. } | Msg::Batch { .. } | Msg::BatchDone { .. } => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match timer {
            Timer::Unanswered { call, tries } => {
                let ending = self.http.on_unanswered(ctx, call, tries);
                self.on_ending(ctx, ending);
            }
            Timer::Heartbeat => self.beat(ctx),
            Timer::Replicator => self.look(ctx),
            Timer::Overdue { round } => {
                if let Some(delay) = self.heartbeats.overdue(round) {
                    self.beating = None;
                    ctx.after(delay, Timer::Heartbeat.into());
                }
            }
            Timer::RenewLate { round } => {
                if self.heartbeats.is_running(round) && !self.has_left() {
                    self.renew(ctx);
                }
            }
            Timer::RegisterLate(thread) => {
                if !self.has_left() {
                    self.register(ctx, thread);
                }
            }
            Timer::Refresh
            | Timer::RefreshLate { .. }
            | Timer::ListLate
            | Timer::Ribbon
            | Timer::Member(_) => {
                unreachable!("an instance has no {timer:?}")
            }
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        for ending in self.http.on_reset(ctx, peer) {
            self.on_ending(ctx, Some(ending));
        }
    }

    /// It stops its threads and cancels its registration (`DiscoveryClient.shutdown`).
    fn leave(&mut self, ctx: &mut Ctx<'_>) -> bool {
        if self.has_left() {
            return false;
        }
        self.standing = Standing::Left;
        (self.beating, self.saying) = (None, None);
        self.http.ask(ctx, Ask::Cancel { node: self.info.endpoint.node });
        true
    }

    /// It has something to say. The next heartbeat has a newer dirty timestamp than any server knows, so it is told to
    /// register again, unless the replicator runs first.
    fn weigh(&mut self, ctx: &mut Ctx<'_>, weight: u32) -> bool {
        let before = std::mem::replace(&mut self.info.endpoint.weight, weight);
        if before != weight {
            self.mark(ctx);
        }
        before != weight
    }

    fn is_registered(&self) -> bool {
        self.standing == Standing::Registered
    }

    fn peers(&self) -> Vec<NodeId> {
        self.http.peers()
    }
}

impl Registrar {
    /// An instance that starts. In a run that begins with everything running it is registered already, and its
    /// heartbeat is somewhere between two.
    pub fn boot(address: &Address<Config>, entry: Entry, ctx: &mut Ctx<'_>) -> Registrar {
        let Entry { service, endpoint, re_register } = entry;
        let config = &address.config;
        let mut registrar = Registrar {
            http: Http::new(config, order(address, endpoint.zone, ctx), ctx),
            info: Info { service, endpoint, status: Status::Up, dirty: Time::START },
            unsaid: None,
            healthcheck: if config.healthcheck { Healthcheck::Told } else { Healthcheck::Ignored },
            re_register,
            standing: Standing::New,
            heartbeats: Supervisor::new(config.renewal_interval, config.back_off_bound),
            beating: None,
            looks: config.instance_info_replication_interval,
            saying: None,
            passes: Passes::default(),
        };
        let listed = address.layout.services[usize::from(service.0)].lists(endpoint.node);
        if config.start == Start::Running && ctx.moment() == Time::START && listed {
            registrar.go_on(ctx);
        } else {
            registrar.start(ctx, config.registration, config.initial_instance_info_replication);
        }
        registrar
    }

    /// It has been running.
    fn go_on(&mut self, ctx: &mut Ctx<'_>) {
        self.standing = Standing::Registered;
        ctx.observe(Observation::Registered);
        let mut luck = ctx.luck("phases");
        ctx.after(portion(self.heartbeats.interval(), luck.draw().word()), Timer::Heartbeat.into());
        ctx.after(portion(self.looks, luck.draw().word()), Timer::Replicator.into());
    }

    fn start(&mut self, ctx: &mut Ctx<'_>, registration: Registration, initial: Duration) {
        self.mark(ctx);
        ctx.after(self.heartbeats.interval(), Timer::Heartbeat.into());
        match registration {
            Registration::OnStatusChange => self.look(ctx),
            Registration::Lazy => ctx.after(initial, Timer::Replicator.into()),
        }
    }

    fn has_left(&self) -> bool {
        self.standing == Standing::Left
    }

    /// It has something new to say (`InstanceInfo.setIsDirtyWithTime`).
    fn mark(&mut self, ctx: &Ctx<'_>) {
        self.info.dirty = ctx.wall();
        self.unsaid = Some(ctx.wall());
    }

    /// The replicator runs: it looks at the health check, and registers if there is anything to say.
    fn look(&mut self, ctx: &mut Ctx<'_>) {
        if self.has_left() {
            return;
        }
        self.check_health(ctx);
        if self.unsaid.is_some() && zombie(ctx).is_none() {
            self.register(ctx, Thread::Replicator);
        } else {
            ctx.after(self.looks, Timer::Replicator.into());
        }
    }

    fn check_health(&mut self, ctx: &mut Ctx<'_>) {
        let failing = failing_probe(ctx);
        let status = match (self.healthcheck, failing) {
            (Healthcheck::Told, Some(_)) => Status::Down,
            (Healthcheck::Told, None) | (Healthcheck::Ignored, _) => Status::Up,
        };
        if status != self.info.status {
            self.info.status = status;
            self.mark(ctx);
            if let Some(by) = failing {
                ctx.touch(by);
            }
        }
    }

    /// The heartbeat runs.
    fn beat(&mut self, ctx: &mut Ctx<'_>) {
        if self.has_left() {
            return;
        }
        let round = self.heartbeats.begin();
        if let Some(by) = zombie(ctx) {
            ctx.touch(by);
            return self.end_beat(ctx);
        }
        ctx.after(self.heartbeats.interval(), Timer::Overdue { round }.into());
        match self.passes.pass(ctx, Point::InstanceRenew) {
            Pass::Clear => self.renew(ctx),
            Pass::Late(by) => ctx.after(by, Timer::RenewLate { round }.into()),
            Pass::Fails(_) => self.end_beat(ctx),
            Pass::Ends => {}
        }
    }

    fn renew(&mut self, ctx: &mut Ctx<'_>) {
        let ask = Ask::Renew { node: self.info.endpoint.node, dirty: self.info.dirty };
        self.beating = Some(self.http.ask(ctx, ask));
    }

    fn end_beat(&mut self, ctx: &mut Ctx<'_>) {
        self.beating = None;
        if let Some(delay) = self.heartbeats.finish() {
            ctx.after(delay, Timer::Heartbeat.into());
        }
    }

    fn end_look(&mut self, ctx: &mut Ctx<'_>) {
        self.saying = None;
        ctx.after(self.looks, Timer::Replicator.into());
    }

    fn end(&mut self, ctx: &mut Ctx<'_>, thread: Thread) {
        match thread {
            Thread::Heartbeat => self.end_beat(ctx),
            Thread::Replicator => self.end_look(ctx),
        }
    }

    fn register(&mut self, ctx: &mut Ctx<'_>, thread: Thread) {
        match self.passes.pass(ctx, Point::InstanceRegister) {
            Pass::Clear => {
                let call = Some(self.http.ask(ctx, Ask::Register(self.info)));
                match thread {
                    Thread::Heartbeat => self.beating = call,
                    Thread::Replicator => self.saying = call,
                }
            }
            Pass::Late(by) => ctx.after(by, Timer::RegisterLate(thread).into()),
            Pass::Fails(_) => self.end(ctx, thread),
            Pass::Ends => {}
        }
    }

    fn on_ending(&mut self, ctx: &mut Ctx<'_>, ending: Option<Ending>) {
        let Some(Ending { number, ask, answer }) = ending else { return };
        let thread = match number {
            _ if self.beating == Some(number) => Thread::Heartbeat,
            _ if self.saying == Some(number) => Thread::Replicator,
            // A cancellation, or what a thread no longer waits for.
            _ => return,
        };
        match (ask, answer) {
            (Ask::Renew { .. }, Some(Answer::Done)) => {
                self.standing = Standing::Registered;
                ctx.observe(Observation::Renewed);
                self.end_beat(ctx);
            }
            (Ask::Renew { .. }, Some(Answer::NotFound)) => self.on_unknown(ctx),
            (Ask::Register(told), Some(Answer::Done)) => {
                // What has changed meanwhile is still to be said (`unsetIsDirty`).
                self.unsaid = self.unsaid.filter(|&since| since > told.dirty);
                self.standing = Standing::Registered;
                ctx.observe(Observation::Registered);
                self.end(ctx, thread);
            }
            (_, _) => self.end(ctx, thread),
        }
    }

    /// No server knows it, or what it says: it registers again at once.
    fn on_unknown(&mut self, ctx: &mut Ctx<'_>) {
        let knew = self.standing;
        // A server that only knows something older has not lost it.
        if knew == Standing::Registered && self.unsaid.is_none() {
            self.standing = Standing::Lost;
            ctx.observe(Observation::LeaseLost);
        }
        if self.standing == Standing::Lost && self.re_register == ReRegister::Never {
            return self.end_beat(ctx);
        }
        self.mark(ctx);
        self.register(ctx, Thread::Heartbeat);
    }
}

/// A share of a duration, by one word of luck.
pub(super) fn portion(whole: Duration, word: u64) -> Duration {
    Duration::from_nanos(((u128::from(word) * u128::from(whole.as_nanos())) >> 64) as u64)
}
