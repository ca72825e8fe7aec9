//! The keepalive of a connection over which someone waits for an answer: pings, and the end of it when they are in vain.

use schism_core::{Duration, NodeId, Time};

use super::api::{Msg, Timer};
use crate::node::Ctx;

/// How often to ask whether someone is there, and how long to wait for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// It asks when it has heard nothing for this long.
    every: Duration,
    /// It hangs up when it has heard nothing for this long after that.
    patience: Duration,
    how: How,
}

/// How it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Once, with a message of its own, in order with all others.
    Message,
    /// With a probe of TCP's, and again with another each time: none waits for what was lost before.
    Probes,
}

/// Between Consul's processes: every 30 s, and 10 s (yamux, mux.go, `DefaultConfig`: `KeepAliveInterval`,
/// `ConnectionWriteTimeout`).
pub const YAMUX: Rhythm =
    Rhythm { every: Duration::from_secs(30), patience: Duration::from_secs(10), how: How::Message };
/// Of an HTTP client's connection TCP takes care: after 30 s, then 9 times every 30 s (go-cleanhttp, `DefaultPooledTransport`:
/// `KeepAlive`; Linux, `tcp_keepalive_probes`).
pub const TCP: Rhythm =
    Rhythm { every: Duration::from_secs(30), patience: Duration::from_secs(270), how: How::Probes };

/// One connection's.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    rhythm: Rhythm,
    /// Which connection it is, of this process's.
    number: u32,
    /// How much further on the number of the next one is.
    stride: u32,
    heard: Time,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Nobody waits for anything.
    Idle,
    /// It waits for silence.
    Listening,
    /// It waits for anything at all, after a ping.
    Pinged,
}

impl Pulse {
    /// A connection that nothing is awaited on.
    pub fn new(rhythm: Rhythm) -> Pulse {
        Pulse::of(rhythm, 0, 1)
    }

    /// The same, of one of so many connections at a time: its number, modulo that, says which.
    pub fn of(rhythm: Rhythm, which: u32, many: u32) -> Pulse {
        Pulse { rhythm, number: which, stride: many, heard: Time::START, state: State::Idle }
    }

    /// From now on something is awaited.
    pub fn listen(&mut self, ctx: &mut Ctx<'_>) {
        if self.state == State::Idle {
            self.heard = ctx.now();
            self.state = State::Listening;
            self.remind(ctx, self.rhythm.every);
        }
    }

    /// The other end has been heard.
    pub fn hear(&mut self, now: Time) {
        if self.state != State::Idle {
            self.heard = now;
            self.state = State::Listening;
        }
    }

    /// What follows is another connection.
    pub fn renew(&mut self) {
        self.number += self.stride;
        self.state = State::Idle;
    }

    /// It may have been silent for too long; whether nobody is at the other end.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, number: u32, peer: NodeId, awaits: bool) -> bool {
        if number != self.number {
            return false;
        }
        let silent = ctx.now().since(self.heard);
        match self.state {
            State::Idle => {}
            State::Pinged if silent >= self.rhythm.every + self.rhythm.patience => return true,
            State::Pinged => self.ask(ctx, peer),
            State::Listening if silent < self.rhythm.every => {
                self.remind(ctx, self.rhythm.every.saturating_sub(silent));
            }
            State::Listening if !awaits => self.state = State::Idle,
            State::Listening => {
                self.state = State::Pinged;
                self.ask(ctx, peer);
            }
        }
        false
    }

    fn ask(&self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match self.rhythm.how {
            How::Message => {
                ctx.stream(peer, Msg::Ping.into());
                self.remind(ctx, self.rhythm.patience);
            }
            How::Probes => {
                ctx.send(peer, Msg::Probe.into());
                self.remind(ctx, self.rhythm.every);
            }
        }
    }

    fn remind(&self, ctx: &mut Ctx<'_>, after: Duration) {
        ctx.after(after, Timer::Pulse(self.number).into());
    }
}
