//! How an instance keeps itself registered: a session, and an ephemeral node under its service's parent.

use schism_core::{Duration, NodeId};

use super::api::{Answer, Ask, Msg};
use super::library::{Event, Library};
use super::tree::Refusal;
use super::{Config, NodeExists};
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::{Endpoint, ServiceId};
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::entry::{failing_probe, start, zombie};
use crate::registry::{self, Address, Entry};
use crate::service::ReRegister;
use crate::waits::Wait;

/// How long an application waits before it tries again what was refused: 1 s, the base of the retries in Curator's
/// examples (`ExponentialBackoffRetry(1000, 3)`).
const RETRY: Duration = Duration::from_secs(1);

/// What the registrar reminds itself of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Begin.
    Begin,
    /// Create the node, again or after a delay at a failpoint.
    Create,
}

/// An instance's side of its registration.
#[derive(Clone, Debug)]
pub struct Registrar {
    library: Library,
    service: ServiceId,
    endpoint: Endpoint,
    re_register: ReRegister,
    /// The weight that its node was written with last.
    written: u32,
    stage: Stage,
    /// Whether the node is of its own session, as far as it can know: not one that it has found and kept.
    owns: bool,
    passes: Passes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It has no node, and no request under way; if it has a session, it creates one soon.
    Idle,
    /// It has asked for its node.
    Creating(u32),
    /// It has asked to delete the node that was there before.
    Clearing(u32),
    /// It takes a node for its own.
    Registered,
    /// What checks its health has taken its node away.
    Withdrawn,
    /// Its session has ended, and it begins no other.
    Lost,
    /// It has left.
    Left,
}

impl Registrar {
    /// An instance that will register when it has started, up to half a second from now.
    pub fn boot(address: &Address<Config>, entry: Entry, ctx: &mut Ctx<'_>) -> Registrar {
        let Entry { service, endpoint, re_register } = entry;
        ctx.after(start(ctx), Timer::Begin.into());
        Registrar {
            library: Library::new(address, ctx).passing(Point::InstanceRenew),
            service,
            endpoint,
            re_register,
            written: endpoint.weight,
            stage: Stage::Idle,
            owns: false,
            passes: Passes::default(),
        }
    }

    fn on_event(&mut self, ctx: &mut Ctx<'_>, event: &Event<'_>) {
        match *event {
            Event::Nothing | Event::Changed(_) | Event::Gone { .. } => {}
            Event::Begun => {
                self.owns = false;
                self.create(ctx);
            }
            // The node lives with its session. What was asked for may have come about or not, so it is asked again.
            Event::Resumed => match self.stage {
                Stage::Registered => self.write_anew(ctx),
                Stage::Idle | Stage::Creating(_) | Stage::Clearing(_) => self.create(ctx),
                Stage::Withdrawn | Stage::Lost | Stage::Left => {}
            },
            Event::Lost(_) => match self.stage {
                Stage::Creating(_) => (self.stage, self.owns) = (Stage::Idle, true),
                Stage::Clearing(_) => self.stage = Stage::Idle,
                Stage::Idle | Stage::Registered | Stage::Withdrawn | Stage::Lost | Stage::Left => {}
            },
            Event::Expired(_) => self.on_expired(ctx),
            Event::Kept => self.on_kept(ctx),
            Event::Reply(xid, answer) => self.on_reply(ctx, xid, answer),
        }
    }

    fn on_expired(&mut self, ctx: &mut Ctx<'_>) {
        if self.stage == Stage::Left {
            return;
        }
        ctx.observe(Observation::LeaseLost);
        match self.re_register {
            ReRegister::Always => {
                self.stage = Stage::Idle;
                self.library.open(ctx);
            }
            ReRegister::Never => self.stage = Stage::Lost,
        }
    }

    /// The session lives on. What watches over the instance beside it deletes its node while it is not well, and creates it
    /// again, as Nerve does (airbnb/nerve, lib/nerve/reporter/zookeeper.rb, `report_down`, `report_up`).
    fn on_kept(&mut self, ctx: &mut Ctx<'_>) {
        // A node that another session made, of an earlier life, does not live on with this one.
        if self.owns {
            ctx.observe(Observation::Renewed);
        }
        match (self.stage, failing_probe(ctx)) {
            (Stage::Registered, Some(by)) => {
                ctx.touch(by);
                self.stage = Stage::Withdrawn;
                self.library.ask(ctx, Ask::Delete { node: self.endpoint.node });
            }
            (Stage::Withdrawn, None) => self.create(ctx),
            (
                Stage::Idle
                | Stage::Creating(_)
                | Stage::Clearing(_)
                | Stage::Registered
                | Stage::Withdrawn
                | Stage::Lost
                | Stage::Left,
                _,
            ) => {}
        }
    }

    fn create(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(by) = failing_probe(ctx) {
            ctx.touch(by);
            self.stage = Stage::Withdrawn;
            return;
        }
        match self.passes.pass(ctx, Point::InstanceRegister) {
            Pass::Clear => self.ask_for_node(ctx),
            Pass::Late(by) => self.try_later(ctx, by),
            Pass::Fails(_) => self.try_later(ctx, RETRY),
            Pass::Ends => {}
        }
    }

    fn try_later(&mut self, ctx: &mut Ctx<'_>, after: Duration) {
        self.stage = Stage::Idle;
        ctx.after(after, Timer::Create.into());
    }

    fn ask_for_node(&mut self, ctx: &mut Ctx<'_>) {
        self.written = self.endpoint.weight;
        let ask = Ask::Create { service: self.service, endpoint: self.endpoint };
        self.stage = Stage::Creating(self.library.ask(ctx, ask));
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, xid: u32, answer: &Answer) {
        match (self.stage, answer) {
            (Stage::Creating(mine), Answer::Done) if mine == xid => {
                self.owns = true;
                self.on_registered(ctx);
            }
            (Stage::Creating(mine), Answer::Refused(Refusal::NodeExists)) if mine == xid => {
                match self.library.config().node_exists {
                    NodeExists::Keep => self.on_registered(ctx),
                    NodeExists::Replace => {
                        let ask = Ask::Delete { node: self.endpoint.node };
                        self.stage = Stage::Clearing(self.library.ask(ctx, ask));
                    }
                }
            }
            (Stage::Clearing(mine), Answer::Done | Answer::Refused(Refusal::NoNode)) if mine == xid => {
                self.ask_for_node(ctx);
            }
            (
                Stage::Creating(mine) | Stage::Clearing(mine),
                Answer::Refused(Refusal::SessionExpired | Refusal::NodeExists | Refusal::NoNode),
            ) if mine == xid => {
                // The server closes the connection of who has no session, and another says that it has expired.
                self.stage = Stage::Idle;
                self.library.reconnect(ctx);
            }
            (Stage::Creating(mine) | Stage::Clearing(mine), Answer::Throttled | Answer::Failed)
                if mine == xid =>
            {
                self.try_later(ctx, RETRY);
            }
            // Answers to what nobody waits for: other data, a node that was taken away, the end of a session.
            (
                Stage::Idle
                | Stage::Creating(_)
                | Stage::Clearing(_)
                | Stage::Registered
                | Stage::Withdrawn
                | Stage::Lost
                | Stage::Left,
                Answer::Done
                | Answer::Children(_)
                | Answer::Put(_)
                | Answer::Value(_)
                | Answer::Line(_)
                | Answer::Refused(_)
                | Answer::Throttled
                | Answer::Failed,
            ) => {}
        }
    }

    fn on_registered(&mut self, ctx: &mut Ctx<'_>) {
        ctx.observe(Observation::Registered);
        self.stage = Stage::Registered;
        self.write_anew(ctx);
    }

    /// Writes the node once more if the instance is not what it was when it was written.
    fn write_anew(&mut self, ctx: &mut Ctx<'_>) {
        if self.written != self.endpoint.weight && self.library.is_connected() {
            self.written = self.endpoint.weight;
            self.library.ask(ctx, Ask::SetData { endpoint: self.endpoint });
        }
    }
}

impl registry::Registrar for Registrar {
    type Msg = Msg;
    type Timer = super::Timer;

    fn waits(&self) -> Vec<Wait> {
        let asked = match self.stage {
            Stage::Creating(_) => Some("its node to be created"),
            Stage::Clearing(_) => Some("its old node to be deleted"),
            Stage::Idle | Stage::Registered | Stage::Withdrawn | Stage::Lost | Stage::Left => None,
        };
        let asked = asked.filter(|_| self.library.is_connected());
        let asked = asked.map(|what| Wait::new("registration", what, [self.library.server()]));
        self.library.waits().into_iter().chain(asked).collect()
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) {
        if zombie(ctx).is_none() {
            let event = self.library.on_message(ctx, from, msg);
            self.on_event(ctx, &event);
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) {
        if let Some(by) = zombie(ctx) {
            // Its library's thread stands still, and is woken in vain.
            ctx.touch(by);
            return ctx.after(RETRY, timer.into());
        }
        match timer {
            super::Timer::Library(timer) => {
                let event = self.library.on_timer(ctx, timer);
                self.on_event(ctx, &event);
            }
            super::Timer::Registrar(Timer::Begin) => {
                if self.stage == Stage::Idle && self.library.is_closed() {
                    self.library.open(ctx);
                }
            }
            super::Timer::Registrar(Timer::Create) => {
                if self.stage == Stage::Idle && self.library.is_connected() {
                    self.create(ctx);
                }
            }
            super::Timer::Member(_) | super::Timer::Subscriber(_) | super::Timer::Caller(_) => {
                unreachable!("an instance has no {timer:?}")
            }
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        let event = self.library.on_reset(ctx, peer);
        self.on_event(ctx, &event);
    }

    /// The instance ends its session, and its node goes with that.
    fn leave(&mut self, ctx: &mut Ctx<'_>) -> bool {
        if self.stage == Stage::Left {
            return false;
        }
        self.stage = Stage::Left;
        self.library.close(ctx);
        true
    }

    fn weigh(&mut self, ctx: &mut Ctx<'_>, weight: u32) -> bool {
        let before = std::mem::replace(&mut self.endpoint.weight, weight);
        if self.stage == Stage::Registered {
            self.write_anew(ctx);
        }
        before != weight
    }

    fn is_registered(&self) -> bool {
        self.stage == Stage::Registered
    }

    fn peers(&self) -> Vec<NodeId> {
        self.library.peers()
    }
}
