//! A client's connection to a registry of several members: one at a time, and the next when that one fails.

use std::sync::Arc;

use schism_core::{Duration, NodeId, Time, ZoneId};

use super::api::{Answer, Ask, Failure, Msg};
use super::{Config, Keepalive, claims};
use crate::node::Ctx;
use crate::registry::Address;
use crate::waits::Wait;

/// How long a client waits before it tries again: 500 ms (client/v3/lease.go, `retryConnWait`).
pub const RETRY: Duration = Duration::from_millis(500);

/// What a session reminds itself of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// A call has taken too long.
    Unanswered {
        /// Its number.
        call: u32,
    },
    /// The connection may have been silent for too long.
    Silence {
        /// Which.
        connection: u32,
    },
}

/// The connection.
#[derive(Clone, Debug)]
pub struct Session {
    config: Arc<Config>,
    /// The members in this client's order: those of its own zone first, each part shuffled.
    members: Vec<NodeId>,
    at: usize,
    last_call: u32,
    /// Calls that are not answered, with what they asked.
    open: Vec<Open>,
    line: Line,
}

/// A call that is not over.
#[derive(Clone, Copy, Debug)]
struct Open {
    call: u32,
    ask: Ask,
    /// Whom it went to.
    member: NodeId,
}

/// One connection, as far as its keepalive goes (grpc-go, internal/transport/http2_client.go, `keepalive`).
#[derive(Clone, Copy, Debug)]
struct Line {
    /// Which connection it is of this client's.
    number: u32,
    /// Whether something goes on for longer than a call: a watch, or the keepalives of a lease.
    streams: bool,
    /// When the member was last heard of.
    heard: Time,
    pulse: Pulse,
}

/// What the keepalive of a connection waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pulse {
    /// For something to be sent: nothing is open.
    Idle,
    /// For silence.
    Listening,
    /// For anything at all, after a ping.
    Pinged,
}

impl Line {
    /// A connection that nothing has been sent on.
    fn new(number: u32) -> Line {
        Line { number, streams: false, heard: Time::START, pulse: Pulse::Idle }
    }
}

impl Session {
    /// A client in `zone`, connected to nobody yet.
    pub fn new(address: &Address<Config>, zone: ZoneId, ctx: &Ctx<'_>) -> Session {
        let mut luck = ctx.luck("registry members");
        let (mut members, mut far) = address.layout.members_near(zone);
        luck.shuffle(&mut members);
        luck.shuffle(&mut far);
        members.extend(far);
        Session {
            config: address.config.clone(),
            members,
            at: 0,
            last_call: 0,
            open: Vec::new(),
            line: Line::new(0),
        }
    }

    /// The registry's constants.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The member it is connected to.
    pub fn member(&self) -> NodeId {
        self.members[self.at]
    }

    /// Sends a message to that member.
    pub fn send(&mut self, ctx: &mut Ctx<'_>, msg: Msg) {
        self.line.streams |=
            matches!(msg, Msg::Watch { .. } | Msg::WatchClaim { .. } | Msg::KeepAlive { .. });
        if let Some(Keepalive { time, .. }) = self.config.keepalive
            && self.line.pulse == Pulse::Idle
        {
            self.line = Line { heard: ctx.now(), pulse: Pulse::Listening, ..self.line };
            self.mind(ctx, time);
        }
        ctx.stream(self.member(), msg.into());
    }

    /// Something has been heard of a member.
    pub fn on_heard(&mut self, ctx: &Ctx<'_>, from: NodeId) {
        if from == self.member() && self.line.pulse != Pulse::Idle {
            self.line = Line { heard: ctx.now(), pulse: Pulse::Listening, ..self.line };
        }
    }

    /// A connection may have been silent for too long. Pings if it has; whether a ping was in vain.
    pub fn on_silence(&mut self, ctx: &mut Ctx<'_>, connection: u32) -> bool {
        let Some(Keepalive { time, timeout }) = self.config.keepalive else { return false };
        if connection != self.line.number {
            return false;
        }
        let silent = ctx.now().since(self.line.heard);
        match self.line.pulse {
            Pulse::Idle => {}
            Pulse::Pinged => return true,
            Pulse::Listening if silent < time => self.mind(ctx, time.saturating_sub(silent)),
            // Nobody pings for nothing (`PermitWithoutStream` is false).
            Pulse::Listening if !self.line.streams && self.open.is_empty() => self.line.pulse = Pulse::Idle,
            Pulse::Listening => {
                self.line.pulse = Pulse::Pinged;
                ctx.stream(self.member(), Msg::Ping.into());
                self.mind(ctx, timeout);
            }
        }
        false
    }

    fn mind(&self, ctx: &mut Ctx<'_>, after: Duration) {
        ctx.after(after, Timer::Silence { connection: self.line.number }.into());
    }

    /// What its calls wait for.
    pub fn waits(&self, task: &str) -> Vec<Wait> {
        let wait = |&Open { call, ask, member }: &Open| {
            Wait::new(task, format!("the answer to {ask:?}"), [member]).by(Timer::Unanswered { call })
        };
        self.open.iter().map(wait).collect()
    }

    /// Asks that member; the answer is waited for no longer than `timeout`.
    pub fn ask(&mut self, ctx: &mut Ctx<'_>, ask: Ask, timeout: Duration) -> u32 {
        self.last_call += 1;
        let call = self.last_call;
        self.open.push(Open { call, ask, member: self.member() });
        self.send(ctx, Msg::Ask { call, ask });
        ctx.after(timeout, Timer::Unanswered { call }.into());
        call
    }

    /// An answer has come. `None` if nobody waits for it any more; a read that met a change of leader is asked again,
    /// as the client library does with what it may safely repeat (client/v3/retry.go).
    pub fn on_answer<'a>(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &'a Answer) -> Option<&'a Answer> {
        let at = self.open.iter().position(|open| open.call == call)?;
        let ask = self.open[at].ask;
        let is_read = matches!(
            ask,
            Ask::List { .. }
                | Ask::Get { .. }
                | Ask::Claim(claims::Ask::Before { .. } | claims::Ask::Mine { .. })
        );
        if is_read && matches!(answer, Answer::Failed(Failure::LeaderChanged)) {
            self.open[at].member = self.member();
            self.send(ctx, Msg::Ask { call, ask });
            return None;
        }
        self.open.swap_remove(at);
        Some(answer)
    }

    /// Time is up for a call: whether it was still open.
    pub fn on_unanswered(&mut self, call: u32) -> bool {
        let before = self.open.len();
        self.open.retain(|open| open.call != call);
        self.open.len() < before
    }

    /// Sends what follows to the next member; what is open stays so.
    pub fn look_elsewhere(&mut self) {
        self.at = (self.at + 1) % self.members.len();
        self.line = Line::new(self.line.number + 1);
    }

    /// The connection to a member is gone, and with it the calls that went there. Calls that went to others stay open: who
    /// looks elsewhere has several connections.
    pub fn lose(&mut self, ctx: &mut Ctx<'_>, member: NodeId) {
        self.open.retain(|open| open.member != member);
        if member == self.member() {
            ctx.hang_up(member);
            self.look_elsewhere();
        }
    }

    /// Leaves the member for the next; no call is open any more.
    pub fn turn_to_next(&mut self, ctx: &mut Ctx<'_>) {
        ctx.hang_up(self.member());
        self.look_elsewhere();
        self.open.clear();
    }
}
