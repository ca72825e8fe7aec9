//! A client's connection to the API: HTTP/2 to one API server, which is asked whether it is there after a silence.

use schism_core::{Duration, NodeId, Time};

use super::api::Msg;
use crate::node::Ctx;
use crate::registry::Layout;

/// After how long a silence a client pings: 30 s (`HTTP2_READ_IDLE_TIMEOUT_SECONDS`;
/// staging/src/k8s.io/apimachinery/pkg/util/net/http.go, v1.28).
pub const READ_IDLE: Duration = Duration::from_secs(30);
/// How long it waits for the answer: 15 s (`HTTP2_PING_TIMEOUT_SECONDS`).
pub const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// What a connection reminds itself of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Silence {
    /// Of which connection.
    pub connection: u32,
}

/// The connection that is in use. Which API server it leads to is the luck of the load balancer before them; the next
/// one leads to the next.
#[derive(Clone, Debug)]
pub struct Connection {
    members: Vec<NodeId>,
    at: usize,
    number: u32,
    heard: Time,
    pulse: Pulse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pulse {
    /// Nothing has been said yet.
    New,
    Listening,
    Pinged,
}

impl Connection {
    /// A connection that is opened when first used.
    pub fn new(layout: &Layout, ctx: &Ctx<'_>) -> Connection {
        let mut members: Vec<NodeId> = layout.members.iter().map(|member| member.0).collect();
        ctx.luck("api servers").shuffle(&mut members);
        Connection { members, at: 0, number: 0, heard: ctx.now(), pulse: Pulse::New }
    }

    /// The API server that it leads to.
    pub fn member(&self) -> NodeId {
        self.members[self.at]
    }

    /// Says something.
    pub fn send(&mut self, ctx: &mut Ctx<'_>, msg: Msg) {
        if self.pulse == Pulse::New {
            self.pulse = Pulse::Listening;
            self.heard = ctx.now();
            self.mind(ctx, READ_IDLE);
        }
        ctx.stream(self.member(), msg.into());
    }

    /// Something was said by somebody: whether it was the API server of this connection.
    pub fn on_heard(&mut self, ctx: &mut Ctx<'_>, from: NodeId) -> bool {
        let ours = from == self.member() && self.pulse != Pulse::New;
        if ours {
            self.heard = ctx.now();
            // The timer of the ping is not over, and looks then how long the silence has been.
            self.pulse = Pulse::Listening;
        }
        ours
    }

    /// There may have been silence for too long. Pings if so; whether a ping was in vain.
    pub fn on_silence(&mut self, ctx: &mut Ctx<'_>, Silence { connection }: Silence) -> bool {
        if connection != self.number {
            return false;
        }
        let silent = ctx.now().since(self.heard);
        match self.pulse {
            Pulse::New => false,
            Pulse::Pinged => true,
            Pulse::Listening if silent < READ_IDLE => {
                self.mind(ctx, READ_IDLE.saturating_sub(silent));
                false
            }
            Pulse::Listening => {
                self.pulse = Pulse::Pinged;
                ctx.stream(self.member(), Msg::Ping.into());
                self.mind(ctx, PING_TIMEOUT);
                false
            }
        }
    }

    /// Drops it: the next leads to the next API server.
    pub fn turn(&mut self, ctx: &mut Ctx<'_>) {
        ctx.hang_up(self.member());
        self.at = (self.at + 1) % self.members.len();
        self.number += 1;
        self.pulse = Pulse::New;
    }

    fn mind(&self, ctx: &mut Ctx<'_>, after: Duration) {
        ctx.after(after, Silence { connection: self.number }.into());
    }
}
