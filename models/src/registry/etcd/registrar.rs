//! How an instance keeps itself registered: a lease, a key that belongs to it, and a keepalive every third of its
//! time to live, as the Go client library does it.

use schism_core::{Duration, NodeId};

use super::Config;
use super::api::{Answer, Ask, Failure, Msg};
use super::kept::{Beat, Kept, WAKE};
use super::session::{self, RETRY, Session};
use super::store::LeaseId;
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::{Endpoint, ServiceId};
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::entry::{failing_probe, start, zombie};
use crate::registry::{self, Address, Entry, Registrar as _};
use crate::service::ReRegister;
use crate::waits::Wait;

/// What the registrar reminds itself of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Begin, or begin again.
    Register,
    /// The keepalive loop of a lease wakes.
    Wake(LeaseId),
    /// It is time to ask for a lease, after a delay at a failpoint.
    GrantLate,
    /// It is time to ask to keep a lease alive, after a delay at a failpoint.
    RenewLate(LeaseId),
}

/// An instance's side of its registration.
#[derive(Clone, Debug)]
pub struct Registrar {
    session: Session,
    service: ServiceId,
    endpoint: Endpoint,
    re_register: ReRegister,
    /// The weight that its key was written with last.
    written: u32,
    stage: Stage,
    passes: Passes,
}

/// Grant, then register, then keep; back to the start when the lease is lost. Who has left does not come back.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Idle,
    /// No call yet, if something has put it off.
    Granting {
        call: Option<u32>,
    },
    Registering {
        call: u32,
        lease: LeaseId,
    },
    Keeping(Kept),
    Left,
}

impl registry::Registrar for Registrar {
    type Msg = Msg;
    type Timer = super::Timer;

    fn waits(&self) -> Vec<Wait> {
        let mut waits = self.session.waits("registration");
        if let Stage::Keeping(Kept { deadline, .. }) = self.stage {
            let answer = Wait::new("lease", "the next answer to a keepalive", [self.session.member()]);
            waits.push(answer.until(deadline));
        }
        waits
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) {
        self.session.on_heard(ctx, from);
        match *msg {
            Msg::Answer { call, ref answer } => {
                if let Some(answer) = self.session.on_answer(ctx, call, answer) {
                    self.on_answer(ctx, call, answer);
                }
            }
            Msg::KeptAlive { lease, ttl } => self.on_kept_alive(ctx, lease, ttl),
            // What clients and members tell members, and what watchers are told.
            Msg::Raft(_)
            | Msg::Forward { .. }
            | Msg::Forwarded { .. }
            | Msg::Ask { .. }
            | Msg::KeepAlive { .. }
            | Msg::Watch { .. }
            | Msg::Changes(_)
            | Msg::Compacted { .. }
            | Msg::NoLeader { .. }
            | Msg::WatchClaim { .. }
            | Msg::ClaimGone { .. }
            | Msg::Ping
            | Msg::Pong => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) {
        match timer {
            super::Timer::Registrar(timer) => self.on_own_timer(ctx, timer),
            super::Timer::Session(session::Timer::Unanswered { call }) => self.on_unanswered(ctx, call),
            super::Timer::Session(session::Timer::Silence { connection }) => self.on_silence(ctx, connection),
            super::Timer::Member(_) | super::Timer::Subscriber(_) | super::Timer::Locker(_) => {
                unreachable!("a registrar has no {timer:?}")
            }
        }
    }

    /// The connection is gone. A lease that is kept survives that: its keepalives go on with the next member.
    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        if peer != self.session.member() {
            return;
        }
        match self.stage {
            Stage::Keeping(_) => self.session.turn_to_next(ctx),
            Stage::Idle | Stage::Left => {}
            Stage::Granting { .. } | Stage::Registering { .. } => self.start_over(ctx, RETRY),
        }
    }

    /// It revokes its lease, and does not ask twice (client/v3/lease.go, `Revoke`).
    ///
    /// A lease that is granted only after that has no key, and runs out by itself.
    fn leave(&mut self, ctx: &mut Ctx<'_>) -> bool {
        match self.stage {
            Stage::Left => return false,
            Stage::Idle | Stage::Granting { .. } => {}
            Stage::Registering { lease, .. } | Stage::Keeping(Kept { lease, .. }) => {
                self.session.ask(ctx, Ask::Revoke { lease }, self.session.config().request_timeout);
            }
        }
        self.stage = Stage::Left;
        true
    }

    /// Its key is written again, if there is one.
    fn weigh(&mut self, ctx: &mut Ctx<'_>, weight: u32) -> bool {
        let before = std::mem::replace(&mut self.endpoint.weight, weight);
        if let Stage::Keeping(Kept { lease, .. }) = self.stage {
            self.write_anew(ctx, lease);
        }
        before != weight
    }

    fn is_registered(&self) -> bool {
        matches!(self.stage, Stage::Keeping(_))
    }

    fn peers(&self) -> Vec<NodeId> {
        vec![self.session.member()]
    }
}

impl Registrar {
    /// An instance that will register when it has started, up to half a second from now.
    pub fn boot(address: &Address<Config>, entry: Entry, ctx: &mut Ctx<'_>) -> Registrar {
        let Entry { service, endpoint, re_register } = entry;
        ctx.after(start(ctx), Timer::Register.into());
        let session = Session::new(address, endpoint.zone, ctx);
        let written = endpoint.weight;
        Registrar {
            session,
            service,
            endpoint,
            re_register,
            written,
            stage: Stage::Idle,
            passes: Passes::default(),
        }
    }

    /// A timer of its own has fired.
    fn on_own_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match timer {
            Timer::Register => {
                if let Stage::Idle = self.stage {
                    self.begin(ctx);
                }
            }
            Timer::Wake(lease) => self.on_wake(ctx, lease),
            Timer::GrantLate => {
                if let Stage::Granting { call: None } = self.stage {
                    self.ask_for_lease(ctx);
                }
            }
            Timer::RenewLate(lease) => {
                if let Stage::Keeping(keeping) = self.stage
                    && keeping.lease == lease
                {
                    self.session.send(ctx, Msg::KeepAlive { lease });
                }
            }
        }
    }

    /// A call has taken too long.
    fn on_unanswered(&mut self, ctx: &mut Ctx<'_>, call: u32) {
        if self.session.on_unanswered(call) && !self.has_left() {
            self.start_over(ctx, Duration::ZERO);
        }
    }

    /// The connection may have been silent for too long.
    fn on_silence(&mut self, ctx: &mut Ctx<'_>, connection: u32) {
        if self.session.on_silence(ctx, connection) {
            self.on_reset(ctx, self.session.member());
        }
    }

    /// Asks for a lease; later, if what checks the instance's health would not keep it alive.
    fn begin(&mut self, ctx: &mut Ctx<'_>) {
        match failing_probe(ctx) {
            Some(by) => {
                ctx.touch(by);
                ctx.after(RETRY, Timer::Register.into());
            }
            None => self.grant(ctx),
        }
    }

    fn grant(&mut self, ctx: &mut Ctx<'_>) {
        match self.passes.pass(ctx, Point::InstanceRegister) {
            Pass::Clear => self.ask_for_lease(ctx),
            Pass::Late(by) => {
                self.stage = Stage::Granting { call: None };
                ctx.after(by, Timer::GrantLate.into());
            }
            Pass::Fails(_) => self.start_over(ctx, RETRY),
            Pass::Ends => {}
        }
    }

    fn ask_for_lease(&mut self, ctx: &mut Ctx<'_>) {
        let ask = Ask::Grant { ttl: self.session.config().lease_ttl };
        let call = self.session.ask(ctx, ask, self.session.config().request_timeout);
        self.stage = Stage::Granting { call: Some(call) };
    }

    fn on_answer(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &Answer) {
        match (self.stage, answer) {
            (Stage::Granting { call: mine }, &Answer::Granted { lease, .. }) if mine == Some(call) => {
                let call = self.write(ctx, lease);
                self.stage = Stage::Registering { call, lease };
            }
            (Stage::Registering { call: mine, lease }, Answer::Done) if mine == call => {
                ctx.observe(Observation::Registered);
                self.stage = Stage::Keeping(Kept::new(lease, ctx.now()));
                self.on_wake(ctx, lease);
                self.write_anew(ctx, lease);
            }
            (Stage::Left, Answer::Failed(_)) => {}
            (_, Answer::Failed(_)) => self.start_over(ctx, RETRY),
            // Late answers to what is no longer asked, and that to a revocation.
            (
                _,
                Answer::Granted { .. }
                | Answer::Done
                | Answer::Listing(..)
                | Answer::Put(_)
                | Answer::Value(..)
                | Answer::Claim(_),
            ) => {}
        }
    }

    /// Writes the instance's key.
    fn write(&mut self, ctx: &mut Ctx<'_>, lease: LeaseId) -> u32 {
        self.written = self.endpoint.weight;
        let ask = Ask::Register { service: self.service, endpoint: self.endpoint, lease };
        self.session.ask(ctx, ask, self.session.config().request_timeout)
    }

    /// Writes it once more if it is not what it was when it was written.
    fn write_anew(&mut self, ctx: &mut Ctx<'_>, lease: LeaseId) {
        if self.written != self.endpoint.weight {
            self.write(ctx, lease);
        }
    }

    fn on_wake(&mut self, ctx: &mut Ctx<'_>, lease: LeaseId) {
        let Stage::Keeping(keeping) = &mut self.stage else { return };
        if keeping.lease != lease {
            return;
        }
        if let Some(by) = zombie(ctx) {
            if keeping.is_overdue(ctx.now()) {
                ctx.touch(by);
            }
            return ctx.after(WAKE, Timer::Wake(lease).into());
        }
        match keeping.beat(ctx.now()) {
            Beat::Lost => return self.on_lost(ctx),
            Beat::Renew => match failing_probe(ctx) {
                Some(by) => ctx.touch(by),
                None => self.renew(ctx, lease),
            },
            Beat::Rest => {}
        }
        ctx.after(WAKE, Timer::Wake(lease).into());
    }

    fn renew(&mut self, ctx: &mut Ctx<'_>, lease: LeaseId) {
        match self.passes.pass(ctx, Point::InstanceRenew) {
            Pass::Clear => self.session.send(ctx, Msg::KeepAlive { lease }),
            Pass::Late(by) => ctx.after(by, Timer::RenewLate(lease).into()),
            Pass::Fails(_) | Pass::Ends => {}
        }
    }

    fn on_kept_alive(&mut self, ctx: &mut Ctx<'_>, lease: LeaseId, ttl: Result<Duration, Failure>) {
        let Stage::Keeping(keeping) = &mut self.stage else { return };
        if keeping.lease != lease || zombie(ctx).is_some() {
            return;
        }
        match ttl {
            Ok(Duration::ZERO) => self.on_lost(ctx),
            Ok(ttl) => {
                ctx.observe(Observation::Renewed);
                keeping.on_kept(ttl, ctx.now());
            }
            // The member cannot reach a leader: the stream ends, and goes on with another.
            Err(_) => self.session.turn_to_next(ctx),
        }
    }

    fn on_lost(&mut self, ctx: &mut Ctx<'_>) {
        ctx.observe(Observation::LeaseLost);
        match self.re_register {
            ReRegister::Always => self.start_over(ctx, Duration::ZERO),
            ReRegister::Never => self.stage = Stage::Idle,
        }
    }

    fn has_left(&self) -> bool {
        matches!(self.stage, Stage::Left)
    }

    fn start_over(&mut self, ctx: &mut Ctx<'_>, after: Duration) {
        self.session.turn_to_next(ctx);
        self.stage = Stage::Idle;
        ctx.after(after, Timer::Register.into());
    }
}
