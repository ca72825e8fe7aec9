//! The client library: one connection at a time, a session that outlives it, and when it pings, gives up and goes on
//! (ClientCnxn.java, StaticHostProvider.java, 3.8.0).

mod pulse;

use std::sync::Arc;

use schism_core::{Draws, Duration, NodeId, Time};

use super::Config;
use super::api::{Answer, Ask, Client, Msg, Server};
use super::tree::SessionId;
use super::zxid::Zxid;
use crate::failpoint::{Passes, Point};
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::registry::Address;
use crate::waits::Wait;

/// It waits up to 1 s before it connects again (`startConnect`), and 1 s more when it has been to every server since it
/// was connected last (`hostProvider.next(1000)`).
const PAUSE: Duration = Duration::from_secs(1);
/// What the library reminds itself of, on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// It is time to connect.
    Connect(u32),
    /// It may be time to ping, or to give up.
    Wake(u32),
    /// It is time for a ping that was put off at a failpoint.
    PingLate(u32),
}

/// What an application is told.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// Nothing.
    Nothing,
    /// It is connected, with a session that has just begun.
    Begun,
    /// It is connected, with the session that it had.
    Resumed,
    /// The connection to this server is lost, and nobody knows what became of the requests that were open. The session
    /// may live on.
    Lost(NodeId),
    /// The session is over.
    Expired(NodeId),
    /// The server has heard a ping.
    Kept,
    /// A request is answered.
    Reply(u32, &'a Answer),
    /// A watch has seen a change, and is gone.
    Changed(ServiceId),
    /// So has one of a node in the line for a lock: that is gone.
    Gone {
        /// The lock.
        lock: u32,
        /// The node's number.
        number: u32,
    },
}

/// A client's handle.
#[derive(Clone, Debug)]
pub struct Library {
    config: Arc<Config>,
    /// The servers in this handle's order, which is drawn once.
    servers: Vec<NodeId>,
    at: usize,
    /// Where it was connected last, or began.
    home: usize,
    /// The luck of its pauses, each by its connection.
    luck: Draws,
    state: State,
    /// Which connection it is.
    number: u32,
    session: Option<SessionId>,
    /// The time-out that was agreed upon, or is asked for.
    timeout: Duration,
    /// The last transaction that it has seen.
    seen: Zxid,
    last_xid: u32,
    /// Requests that wait for a connection.
    queue: Vec<(u32, Ask)>,
    /// When it has sent something last, and heard something on this connection.
    sent: Time,
    heard: Time,
    /// When it has heard of any server last.
    heard_any: Time,
    /// When it means to wake next.
    due: Time,
    /// The next moment that a timer is set for on this connection: the loop that sleeps is one.
    reminded: Option<Time>,
    /// What pings pass.
    point: Option<Point>,
    passes: Passes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// It has not begun, or is at its end.
    Closed,
    /// It will connect in a moment.
    Pausing,
    /// It has asked for a session.
    Connecting,
    /// It has one.
    Connected,
}

impl Library {
    /// A handle that is not connected.
    pub fn new(address: &Address<Config>, ctx: &Ctx<'_>) -> Library {
        let mut luck = ctx.luck("zookeeper handle");
        let mut servers: Vec<NodeId> = address.layout.members.iter().map(|member| member.0).collect();
        luck.shuffle(&mut servers);
        Library {
            config: address.config.clone(),
            at: 0,
            home: 0,
            servers,
            luck: luck.draw().many(),
            state: State::Closed,
            number: 0,
            session: None,
            timeout: address.config.session_timeout,
            seen: Zxid::ZERO,
            last_xid: 0,
            queue: Vec::new(),
            sent: ctx.now(),
            heard: ctx.now(),
            heard_any: ctx.now(),
            due: ctx.now(),
            reminded: None,
            point: None,
            passes: Passes::default(),
        }
    }

    /// The same, whose pings pass a failpoint.
    pub fn passing(self, point: Point) -> Library {
        Library { point: Some(point), ..self }
    }

    /// The constants.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The server that it is connected to, or will be next.
    pub fn server(&self) -> NodeId {
        self.servers[self.at]
    }

    /// Whether it has a connection, and a session on it.
    pub fn is_connected(&self) -> bool {
        self.state == State::Connected
    }

    /// Whether it has not begun, or is at its end.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// The last transaction that it has seen.
    pub fn seen(&self) -> Zxid {
        self.seen
    }

    /// The servers with an open connection.
    pub fn peers(&self) -> Vec<NodeId> {
        match self.state {
            State::Closed | State::Pausing => Vec::new(),
            State::Connecting | State::Connected => vec![self.server()],
        }
    }

    /// What the connection, and those requests that are not sent yet, wait for.
    pub fn waits(&self) -> Vec<Wait> {
        let connection = match self.state {
            State::Connecting => Some(
                Wait::new("session", "the server's answer", [self.server()])
                    .since(self.heard)
                    .until(self.due),
            ),
            State::Pausing => {
                Some(Wait::new("session", "its next attempt", []).by(Timer::Connect(self.number)))
            }
            State::Closed | State::Connected => None,
        };
        let queued = self
            .queue
            .iter()
            .map(|(xid, ask)| Wait::new(format!("request {xid} ({ask:?})"), "a connection", [self.server()]));
        connection.into_iter().chain(queued).collect()
    }

    /// Begins: a new session, whatever there was before.
    pub fn open(&mut self, ctx: &mut Ctx<'_>) {
        self.session = None;
        self.timeout = self.config.session_timeout;
        self.seen = Zxid::ZERO;
        self.home = self.at;
        self.heard_any = ctx.now();
        self.number += 1;
        self.connect(ctx);
    }

    /// Ends the session, if it is connected; else that runs out by itself.
    pub fn close(&mut self, ctx: &mut Ctx<'_>) {
        if self.state == State::Connected {
            self.ask(ctx, Ask::Close);
        }
        self.state = State::Closed;
        self.queue.clear();
    }

    /// Asks the server that it is connected to, or the next once it is.
    pub fn ask(&mut self, ctx: &mut Ctx<'_>, ask: Ask) -> u32 {
        self.last_xid += 1;
        let xid = self.last_xid;
        match self.state {
            State::Connected => self.send(ctx, Client::Ask { xid, ask }),
            State::Closed | State::Pausing | State::Connecting => self.queue.push((xid, ask)),
        }
        xid
    }

    /// Drops the connection, and goes on with the next server.
    pub fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        match self.state {
            State::Connecting | State::Connected => {
                self.lose(ctx);
            }
            State::Closed | State::Pausing => {}
        }
    }

    /// A server has said something.
    pub fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &'a Msg) -> Event<'a> {
        let Msg::Server(msg) = msg else { return Event::Nothing };
        if from != self.server() || !matches!(self.state, State::Connecting | State::Connected) {
            return Event::Nothing;
        }
        self.heard = ctx.now();
        self.heard_any = ctx.now();
        let event = match *msg {
            Server::Connected { session, timeout } => self.on_connected(ctx, session, timeout),
            Server::Expired => return self.expire(ctx),
            Server::Pong => Event::Kept,
            Server::Reply { xid, zxid, ref answer } => {
                self.seen = zxid;
                Event::Reply(xid, answer)
            }
            Server::Event { service } => Event::Changed(service),
            Server::Gone { lock, number } => Event::Gone { lock, number },
        };
        self.wake(ctx);
        event
    }

    /// A timer has fired.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) -> Event<'static> {
        match timer {
            Timer::Connect(number) if number == self.number && self.state == State::Pausing => {
                self.connect(ctx);
                Event::Nothing
            }
            Timer::Wake(number)
                if number == self.number && self.reminded.is_some_and(|at| at <= ctx.now()) =>
            {
                self.reminded = None;
                // A reminder of a time that has moved meanwhile.
                if ctx.now() < self.due {
                    self.remind(ctx);
                    return Event::Nothing;
                }
                self.wake(ctx)
            }
            Timer::PingLate(number) if number == self.number && self.state == State::Connected => {
                self.send(ctx, Client::Ping);
                Event::Nothing
            }
            Timer::Connect(_) | Timer::Wake(_) | Timer::PingLate(_) => Event::Nothing,
        }
    }

    /// The connection to a server is gone.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) -> Event<'static> {
        match self.state {
            State::Connecting | State::Connected if peer == self.server() => self.lose(ctx),
            State::Closed | State::Pausing | State::Connecting | State::Connected => Event::Nothing,
        }
    }

    fn connect(&mut self, ctx: &mut Ctx<'_>) {
        (self.state, self.reminded) = (State::Connecting, None);
        self.heard = ctx.now();
        let (session, timeout, seen) = (self.session, self.config.session_timeout, self.seen);
        self.send(ctx, Client::Connect { session, timeout, seen });
        self.due = ctx.now() + self.connect_timeout();
        self.remind(ctx);
    }

    fn on_connected(&mut self, ctx: &mut Ctx<'_>, session: SessionId, timeout: Duration) -> Event<'static> {
        let event = if self.session == Some(session) { Event::Resumed } else { Event::Begun };
        (self.session, self.timeout, self.state) = (Some(session), timeout, State::Connected);
        self.home = self.at;
        for (xid, ask) in std::mem::take(&mut self.queue) {
            self.send(ctx, Client::Ask { xid, ask });
        }
        event
    }

    fn expire(&mut self, ctx: &mut Ctx<'_>) -> Event<'static> {
        let server = self.server();
        if matches!(self.state, State::Connecting | State::Connected) {
            ctx.hang_up(server);
        }
        (self.state, self.session) = (State::Closed, None);
        self.queue.clear();
        Event::Expired(server)
    }

    /// The connection is lost, and so are all requests; it goes on with the next server in a moment.
    fn lose(&mut self, ctx: &mut Ctx<'_>) -> Event<'static> {
        let server = self.server();
        ctx.hang_up(server);
        self.queue.clear();
        self.number += 1;
        self.state = State::Pausing;
        self.at = (self.at + 1) % self.servers.len();
        let round = if self.at == self.home { PAUSE } else { Duration::ZERO };
        let pause =
            Duration::from_nanos(self.luck.at(self.number.into()).below(PAUSE.as_nanos() as u32).into());
        ctx.after(round + pause, Timer::Connect(self.number).into());
        Event::Lost(server)
    }

    fn send(&mut self, ctx: &mut Ctx<'_>, msg: Client) {
        self.sent = ctx.now();
        ctx.stream(self.server(), Msg::Client(msg).into());
    }
}
