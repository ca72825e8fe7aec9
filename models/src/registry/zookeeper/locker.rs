//! A lock as ZooKeeper's recipe has it: a sequential ephemeral node; the lowest holds, and each of the others watches the
//! one before its own (zookeeper-docs, recipes.md, "Locks", 3.8).
//!
//! The holder believes in its lock until its handle says that its session is over: in most releases only when a server says
//! so to a client that has come back.

use std::sync::Arc;

use schism_core::{Duration, NodeId, ZoneId};

use super::Config;
use super::api::{Answer, Ask, Msg};
use super::library::{Event, Library};
use super::line;
use crate::node::Ctx;
use crate::observation::Outcome;
use crate::registry::{self, Address, Turn};

/// A client's handle, and its place in a line.
#[derive(Clone, Debug)]
pub struct Locker {
    library: Library,
    stage: Stage,
}

/// No request has this number.
const NEVER: u32 = 0;

#[derive(Clone, Copy, Debug)]
enum Stage {
    Idle,
    /// Its node is being created.
    Standing {
        xid: u32,
        lock: u32,
    },
    /// It looks whether its node was created, after the answer was lost.
    Searching {
        xid: u32,
        lock: u32,
    },
    /// It looks who is before it.
    Looking {
        xid: u32,
        lock: u32,
        mine: u32,
    },
    /// It asks whether that one is there, and to be told when it is not.
    Asking {
        xid: u32,
        lock: u32,
        mine: u32,
        before: u32,
    },
    Waiting {
        lock: u32,
        mine: u32,
        before: u32,
    },
    Held {
        lock: u32,
        mine: u32,
    },
    /// Its node is being deleted.
    Stepping {
        xid: u32,
        lock: u32,
        mine: u32,
    },
}

impl registry::Locker for Locker {
    type Msg = Msg;
    type Timer = super::Timer;

    fn lock(&mut self, ctx: &mut Ctx<'_>, lock: u32) {
        assert!(matches!(self.stage, Stage::Idle), "one thing after the other");
        if self.library.is_closed() {
            self.library.open(ctx);
        }
        self.stand(ctx, lock);
    }

    /// Who gives up before its node is there for sure ends its session, and the node goes with that.
    fn unlock(&mut self, ctx: &mut Ctx<'_>) {
        match self.stage {
            Stage::Idle | Stage::Stepping { .. } => {}
            Stage::Standing { .. } | Stage::Searching { .. } => {
                self.library.close(ctx);
                self.stage = Stage::Idle;
            }
            Stage::Looking { lock, mine, .. }
            | Stage::Asking { lock, mine, .. }
            | Stage::Waiting { lock, mine, .. }
            | Stage::Held { lock, mine } => self.step(ctx, lock, mine),
        }
    }

    fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> Option<Turn> {
        let event = self.library.on_message(ctx, from, msg);
        self.on_event(ctx, &event)
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) -> Option<Turn> {
        let super::Timer::Library(timer) = timer else { unreachable!("a locker has no {timer:?}") };
        let event = self.library.on_timer(ctx, timer);
        self.on_event(ctx, &event)
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) -> Option<Turn> {
        let event = self.library.on_reset(ctx, peer);
        self.on_event(ctx, &event)
    }

    fn reconnect(&mut self, ctx: &mut Ctx<'_>) -> Option<Turn> {
        let server = self.library.server();
        self.library.reconnect(ctx);
        self.on_event(ctx, &Event::Lost(server))
    }

    fn member(&self) -> NodeId {
        self.library.server()
    }
}

impl Locker {
    /// A client that wants no lock yet. Its sessions ask for this time-out.
    pub fn new(address: &Address<Config>, _: ZoneId, ttl: Duration, ctx: &Ctx<'_>) -> Locker {
        let config = Arc::new(Config { session_timeout: ttl, ..(*address.config).clone() });
        let address = Address { config, layout: address.layout.clone() };
        Locker { library: Library::new(&address, ctx), stage: Stage::Idle }
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, ask: line::Ask) -> u32 {
        self.library.ask(ctx, Ask::Line(ask))
    }

    fn stand(&mut self, ctx: &mut Ctx<'_>, lock: u32) {
        let xid = self.ask(ctx, line::Ask::Stand { lock });
        self.stage = Stage::Standing { xid, lock };
    }

    fn look(&mut self, ctx: &mut Ctx<'_>, lock: u32, mine: u32) {
        let xid = self.ask(ctx, line::Ask::Before { lock, number: mine });
        self.stage = Stage::Looking { xid, lock, mine };
    }

    fn step(&mut self, ctx: &mut Ctx<'_>, lock: u32, mine: u32) {
        let xid = self.ask(ctx, line::Ask::Step { lock, number: mine });
        self.stage = Stage::Stepping { xid, lock, mine };
    }

    fn on_event(&mut self, ctx: &mut Ctx<'_>, event: &Event<'_>) -> Option<Turn> {
        match *event {
            Event::Nothing | Event::Kept | Event::Changed(_) => None,
            Event::Begun => {
                self.begin(ctx);
                None
            }
            Event::Lost(_) => {
                self.forget_calls();
                None
            }
            Event::Resumed => {
                self.resume(ctx);
                None
            }
            Event::Expired(_) => self.on_expired(),
            Event::Gone { lock, number } => {
                if let Stage::Waiting { lock: mine_of, mine, before } = self.stage
                    && (mine_of, before) == (lock, number)
                {
                    self.look(ctx, lock, mine);
                }
                None
            }
            Event::Reply(xid, answer) => {
                self.stage.waits_for(xid).then(|| self.on_answer(ctx, answer)).flatten()
            }
        }
    }

    fn on_answer(&mut self, ctx: &mut Ctx<'_>, answer: &Answer) -> Option<Turn> {
        let Answer::Line(answer) = *answer else { return self.on_refused(ctx) };
        match (self.stage, answer) {
            (Stage::Standing { lock, .. }, line::Answer::Stands(mine))
            | (Stage::Searching { lock, .. }, line::Answer::Found(Some(mine))) => {
                self.look(ctx, lock, mine);
            }
            (Stage::Searching { lock, .. }, line::Answer::Found(None)) => {
                self.stand(ctx, lock);
            }
            (Stage::Looking { lock, mine, .. }, line::Answer::Found(None)) => {
                self.stage = Stage::Held { lock, mine };
                return Some(Turn::Held { token: mine.into() });
            }
            (Stage::Looking { lock, mine, .. }, line::Answer::Found(Some(before))) => {
                let xid = self.ask(ctx, line::Ask::Exists { lock, number: before });
                self.stage = Stage::Asking { xid, lock, mine, before };
            }
            (Stage::Asking { lock, mine, before, .. }, line::Answer::Exists(true)) => {
                self.stage = Stage::Waiting { lock, mine, before };
            }
            (Stage::Asking { lock, mine, .. }, line::Answer::Exists(false)) => self.look(ctx, lock, mine),
            (Stage::Stepping { .. }, line::Answer::Stepped) => {
                self.stage = Stage::Idle;
                return Some(Turn::Freed);
            }
            (stage, answer) => unreachable!("{answer:?} is no answer to {stage:?}"),
        }
        None
    }

    /// The server would not do it: the session is given up, and with it the node.
    fn on_refused(&mut self, ctx: &mut Ctx<'_>) -> Option<Turn> {
        self.library.close(ctx);
        self.end(Outcome::Rejected)
    }

    /// The session is over, as far as the client knows.
    fn on_expired(&mut self) -> Option<Turn> {
        self.end(Outcome::Failed)
    }

    fn end(&mut self, outcome: Outcome) -> Option<Turn> {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => None,
            Stage::Held { .. } => Some(Turn::Lost),
            Stage::Stepping { .. } => Some(Turn::Freed),
            Stage::Standing { .. }
            | Stage::Searching { .. }
            | Stage::Looking { .. }
            | Stage::Asking { .. }
            | Stage::Waiting { .. } => Some(Turn::Failed(outcome)),
        }
    }

    /// It has a session for the first time: what was asked of servers that did not give it one is asked again.
    fn begin(&mut self, ctx: &mut Ctx<'_>) {
        if let Stage::Standing { xid: NEVER, lock } = self.stage {
            self.stand(ctx, lock);
        }
    }

    /// The connection is lost: no answer will come.
    fn forget_calls(&mut self) {
        match &mut self.stage {
            Stage::Idle | Stage::Waiting { .. } | Stage::Held { .. } => {}
            Stage::Standing { xid, .. }
            | Stage::Searching { xid, .. }
            | Stage::Looking { xid, .. }
            | Stage::Asking { xid, .. }
            | Stage::Stepping { xid, .. } => *xid = NEVER,
        }
    }

    /// It is back, with the session that it had: what was asked is asked again, and whoever waits looks once more.
    fn resume(&mut self, ctx: &mut Ctx<'_>) {
        match self.stage {
            Stage::Idle | Stage::Held { .. } => {}
            Stage::Standing { lock, .. } | Stage::Searching { lock, .. } => {
                let xid = self.ask(ctx, line::Ask::Mine { lock });
                self.stage = Stage::Searching { xid, lock };
            }
            Stage::Looking { lock, mine, .. }
            | Stage::Asking { lock, mine, .. }
            | Stage::Waiting { lock, mine, .. } => self.look(ctx, lock, mine),
            Stage::Stepping { lock, mine, .. } => self.step(ctx, lock, mine),
        }
    }
}

impl Stage {
    fn waits_for(self, answered: u32) -> bool {
        match self {
            Stage::Idle | Stage::Waiting { .. } | Stage::Held { .. } => false,
            Stage::Standing { xid, .. }
            | Stage::Searching { xid, .. }
            | Stage::Looking { xid, .. }
            | Stage::Asking { xid, .. }
            | Stage::Stepping { xid, .. } => xid == answered,
        }
    }
}
