//! Clients of a server: their sessions, and their requests, one after another (server/ZooKeeperServer.java,
//! server/quorum/CommitProcessor.java, 3.8.0).

use std::collections::VecDeque;

use schism_core::{Duration, NodeId};

use super::super::api::{Answer, Ask, Client, Learner, Msg, Server, Watch};
use super::super::line;
use super::super::tree::{SessionId, Txn};
use super::super::zxid::Zxid;
use super::{Member, Role, Timer};
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::{Cause, Observation};
use crate::registry::ail::{Meeting, meet};

/// A client's connection.
#[derive(Clone, Debug)]
pub(super) struct Conn {
    /// The session that it has, or will have.
    session: Option<SessionId>,
    /// Requests that wait: for the ensemble, or for one of their own session before them.
    queue: VecDeque<Queued>,
}

#[derive(Clone, Copy, Debug)]
struct Queued {
    xid: u32,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// It has been handed on, under this number.
    Handed(u64),
    /// It is answered here, when it is its turn.
    Read(Ask),
    /// So is a ping, which waits behind a write as all else does (`CommitProcessor.run`).
    Ping,
}

impl Member {
    /// A client has said something.
    pub(super) fn hear_client(&mut self, ctx: &mut Ctx<'_>, client: NodeId, msg: Client) {
        if !self.serves() {
            // "ZooKeeperServer not running": the connection is closed (server/NIOServerCnxn.java).
            self.conns.remove(&client);
            return ctx.hang_up(client);
        }
        match msg {
            Client::Connect { session, timeout, seen } => {
                self.on_connect(ctx, client, session, timeout, seen);
            }
            Client::Ping => {
                if self.hear_session(ctx, client).is_some() {
                    self.take_turn(ctx, client, Queued { xid: 0, what: What::Ping });
                }
            }
            Client::Ask { xid, ask } => {
                if let Some(session) = self.hear_session(ctx, client) {
                    self.on_ask(ctx, client, session, xid, ask);
                }
            }
        }
    }

    /// The session that a client has here. Whatever it says keeps that alive.
    fn hear_session(&mut self, ctx: &mut Ctx<'_>, client: NodeId) -> Option<SessionId> {
        let session = self.conns.get(&client)?.session?;
        match self.role {
            Role::Leading(_) => {
                self.touch(ctx, session);
            }
            Role::Following(_) => self.note_touch(session),
            Role::Looking => {}
        }
        Some(session)
    }

    /// A client has connected. Who has seen more than this server has is sent away.
    fn on_connect(
        &mut self,
        ctx: &mut Ctx<'_>,
        client: NodeId,
        session: Option<SessionId>,
        timeout: Duration,
        seen: Zxid,
    ) {
        self.forget_client(client);
        if seen > self.tree.zxid() {
            return ctx.hang_up(client);
        }
        self.conns.insert(client, Conn { session: None, queue: VecDeque::new() });
        match session {
            Some(session) => match &self.role {
                Role::Leading(_) => {
                    let timeout = self.touch(ctx, session);
                    self.on_validated(ctx, client, session, timeout);
                }
                Role::Following(_) => self.tell_leader(ctx, Learner::Revalidate { session, client }),
                Role::Looking => unreachable!("it serves clients"),
            },
            None => {
                let number = self.number();
                let session = SessionId(u64::from(self.me) << 56 | number & ((1 << 56) - 1));
                let timeout = self.seat.config.negotiated(timeout);
                self.asked.insert(number, client);
                self.hand_on(ctx, number, session, Txn::CreateSession { session, timeout });
            }
        }
    }

    /// The leader has said whether a client's session lives.
    pub(super) fn on_validated(
        &mut self,
        ctx: &mut Ctx<'_>,
        client: NodeId,
        session: SessionId,
        timeout: Option<Duration>,
    ) {
        let Some(conn) = self.conns.get_mut(&client) else { return };
        match timeout {
            Some(timeout) => {
                conn.session = Some(session);
                self.note_touch(session);
                self.reply(ctx, client, Server::Connected { session, timeout });
            }
            None => {
                self.conns.remove(&client);
                self.reply(ctx, client, Server::Expired);
            }
        }
    }

    fn on_ask(&mut self, ctx: &mut Ctx<'_>, client: NodeId, session: SessionId, xid: u32, ask: Ask) {
        if self.throttles.refuse(ctx) {
            return self.answer(ctx, client, xid, Answer::Throttled);
        }
        let txn = match ask {
            Ask::Create { service, endpoint } => Txn::Create { service, endpoint, session },
            Ask::Delete { node } => Txn::Delete { node, cause: Cause::Revoked },
            Ask::SetData { endpoint } => Txn::SetData { endpoint },
            Ask::Put(pair) => Txn::Put(pair),
            Ask::Line(line::Ask::Stand { lock }) => Txn::Stand { lock, session, by: client },
            Ask::Line(line::Ask::Step { lock, number }) => Txn::Step { lock, number },
            Ask::Close => Txn::CloseSession { session, cause: Cause::Revoked },
            Ask::Sync => return self.sync_up(ctx, client, xid),
            Ask::Get(_)
            | Ask::Children { .. }
            | Ask::SetWatches { .. }
            | Ask::Line(line::Ask::Before { .. } | line::Ask::Mine { .. } | line::Ask::Exists { .. }) => {
                return self.take_turn(ctx, client, Queued { xid, what: What::Read(ask) });
            }
        };
        let number = self.wait_for(client, xid);
        self.hand_on(ctx, number, session, txn);
    }

    /// A request goes to the leader.
    fn hand_on(&mut self, ctx: &mut Ctx<'_>, number: u64, session: SessionId, txn: Txn) {
        match self.role {
            Role::Leading(_) => self.submit(ctx, Some((self.me, number)), session, txn),
            Role::Following(_) => self.tell_leader(ctx, Learner::Submit { number, session, txn }),
            Role::Looking => {}
        }
    }

    fn sync_up(&mut self, ctx: &mut Ctx<'_>, client: NodeId, xid: u32) {
        let number = self.wait_for(client, xid);
        match self.role {
            Role::Leading(_) => self.on_sync(ctx, self.me, number),
            Role::Following(_) => self.tell_leader(ctx, Learner::Sync { number }),
            Role::Looking => {}
        }
    }

    /// A number for a request that is handed on; those of the session that come later wait for it.
    fn wait_for(&mut self, client: NodeId, xid: u32) -> u64 {
        let number = self.number();
        self.asked.insert(number, client);
        if let Some(conn) = self.conns.get_mut(&client) {
            conn.queue.push_back(Queued { xid, what: What::Handed(number) });
        }
        number
    }

    /// Answers what needs nobody else, once all that its session has asked before is answered.
    fn take_turn(&mut self, ctx: &mut Ctx<'_>, client: NodeId, queued: Queued) {
        let Some(conn) = self.conns.get_mut(&client) else { return };
        conn.queue.push_back(queued);
        if conn.queue.len() == 1 {
            self.go_on(ctx, client);
        }
    }

    /// Answers all that waits for nobody else any more.
    fn go_on(&mut self, ctx: &mut Ctx<'_>, client: NodeId) {
        while let Some(conn) = self.conns.get_mut(&client)
            && let Some(&Queued { xid, what }) = conn.queue.front()
        {
            match what {
                What::Handed(_) => return,
                What::Ping => self.reply(ctx, client, Server::Pong),
                What::Read(ask) => self.read(ctx, client, xid, ask),
            }
            if let Some(conn) = self.conns.get_mut(&client) {
                conn.queue.pop_front();
            }
        }
    }

    /// A transaction has been applied that a client of this server waits for.
    pub(super) fn on_applied(&mut self, ctx: &mut Ctx<'_>, number: u64, txn: &Txn) {
        let Some(client) = self.asked.remove(&number) else { return };
        match *txn {
            Txn::CreateSession { session, timeout } => {
                self.on_validated(ctx, client, session, Some(timeout));
            }
            Txn::Error(refusal) => self.end(ctx, client, number, Answer::Refused(refusal)),
            Txn::CloseSession { .. }
            | Txn::Create { .. }
            | Txn::SetData { .. }
            | Txn::Delete { .. }
            | Txn::Restore { .. } => self.end(ctx, client, number, Answer::Done),
            Txn::Put(_) => {
                let zxid = self.tree.zxid().revision();
                self.end(ctx, client, number, Answer::Put(zxid));
            }
            Txn::Stand { lock, session, .. } => {
                let stands = self.tree.lines().mine(lock, session).expect("its node has just been created");
                self.end(ctx, client, number, Answer::Line(line::Answer::Stands(stands)));
            }
            Txn::Step { .. } => self.end(ctx, client, number, Answer::Line(line::Answer::Stepped)),
        }
    }

    /// All that was committed when a client asked has been applied.
    pub(super) fn on_synced_up(&mut self, ctx: &mut Ctx<'_>, number: u64) {
        if let Some(client) = self.asked.remove(&number) {
            self.end(ctx, client, number, Answer::Done);
        }
    }

    /// A request is over, and those that waited for it alone have their turn.
    fn end(&mut self, ctx: &mut Ctx<'_>, client: NodeId, number: u64, answer: Answer) {
        let Some(conn) = self.conns.get_mut(&client) else { return };
        let is_it = |queued: &Queued| matches!(queued.what, What::Handed(handed) if handed == number);
        let Some(at) = conn.queue.iter().position(is_it) else { return };
        let xid = conn.queue[at].xid;
        conn.queue.remove(at);
        self.answer(ctx, client, xid, answer);
        self.go_on(ctx, client);
    }

    /// Reads are of what this server has applied, whoever leads.
    fn read(&mut self, ctx: &mut Ctx<'_>, client: NodeId, xid: u32, ask: Ask) {
        match ask {
            Ask::Children { service, watch } => {
                if watch == Watch::Once {
                    self.watchers.entry(service).or_default().insert(client);
                }
                self.meet_list(ctx, client, xid, service);
            }
            Ask::SetWatches { service, seen } => {
                self.set_watch(ctx, client, service, seen);
                self.answer(ctx, client, xid, Answer::Done);
            }
            Ask::Get(key) => {
                ctx.observe(Observation::Read);
                let value = key.and_then(|key| self.shown().lines().value(key));
                self.answer(ctx, client, xid, Answer::Value(value));
            }
            Ask::Line(ask) => {
                ctx.observe(Observation::Read);
                let session = self.conns.get(&client).and_then(|conn| conn.session);
                let answer = self.read_line(client, session, ask);
                self.answer(ctx, client, xid, Answer::Line(answer));
            }
            Ask::Create { .. }
            | Ask::Delete { .. }
            | Ask::SetData { .. }
            | Ask::Put(_)
            | Ask::Sync
            | Ask::Close => unreachable!("it is no read"),
        }
    }

    fn meet_list(&mut self, ctx: &mut Ctx<'_>, client: NodeId, xid: u32, service: ServiceId) {
        match meet(ctx) {
            None => self.answer_list(ctx, client, xid, service),
            Some(Meeting::Lock(left)) => {
                self.locked.push((client, xid, service));
                ctx.after(left, Timer::Moved.into());
            }
            Some(Meeting::Error) => self.answer(ctx, client, xid, Answer::Failed),
            Some(Meeting::Death(by)) => ctx.exit(by),
        }
    }

    /// A bucket has moved: whoever waited for that reads before the next one is locked.
    pub(super) fn unlock_reads(&mut self, ctx: &mut Ctx<'_>) {
        for (client, xid, service) in std::mem::take(&mut self.locked) {
            self.answer_list(ctx, client, xid, service);
        }
    }

    fn answer_list(&mut self, ctx: &mut Ctx<'_>, client: NodeId, xid: u32, service: ServiceId) {
        ctx.observe(Observation::Read);
        let list = self.list(ctx, service);
        self.answer(ctx, client, xid, Answer::Children(list));
    }

    /// Answers a request, if the client that made it is still there.
    pub(super) fn answer(&mut self, ctx: &mut Ctx<'_>, client: NodeId, xid: u32, answer: Answer) {
        if self.conns.contains_key(&client) {
            let zxid = self.shown().zxid();
            self.reply(ctx, client, Server::Reply { xid, zxid, answer });
        }
    }

    pub(super) fn reply(&self, ctx: &mut Ctx<'_>, client: NodeId, msg: Server) {
        ctx.stream(client, Msg::Server(msg).into());
    }

    /// A session has ended. A client that has it here is sent away, unless it has asked for that.
    pub(super) fn close_session(&mut self, ctx: &mut Ctx<'_>, session: SessionId) {
        let holder = self.conns.iter().find(|(_, conn)| conn.session == Some(session));
        if let Some(client) = holder.map(|(&client, _)| client) {
            self.forget_client(client);
            ctx.hang_up(client);
        }
    }

    /// All clients are sent away.
    pub(super) fn drop_clients(&mut self, ctx: &mut Ctx<'_>) {
        for client in std::mem::take(&mut self.conns).into_keys() {
            ctx.hang_up(client);
        }
        self.asked.clear();
        self.watchers.clear();
        self.line_watchers.clear();
        self.held_back.clear();
        self.late.retain(|_, late| !late.is_of_a_client());
        self.locked.clear();
    }

    /// A client has gone, and with it all that it waits for. What it has asked for may still come about, and its session
    /// lives on.
    pub(super) fn forget_client(&mut self, client: NodeId) {
        let Some(conn) = self.conns.remove(&client) else { return };
        for queued in conn.queue {
            if let What::Handed(number) = queued.what {
                self.asked.remove(&number);
            }
        }
        self.watchers.values_mut().for_each(|watchers| {
            watchers.remove(&client);
        });
        self.held_back.retain(|(_, watcher)| *watcher != client);
        self.forget_line_watches(client);
        self.forget_late(client);
        self.locked.retain(|(reader, ..)| *reader != client);
    }
}
