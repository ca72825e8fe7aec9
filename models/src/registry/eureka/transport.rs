//! How instances and clients reach the servers: they keep to one, and try up to three when it fails.

use std::collections::BTreeSet;
use std::sync::Arc;

use schism_core::{Draws, NodeId, Time};

use super::api::{Answer, Ask, Msg};
use super::registrar::portion;
use super::{Config, Timer};
use crate::node::Ctx;
use crate::waits::Wait;

/// How often a request is tried: 3 times (decorator/RetryableEurekaHttpClient.java, `DEFAULT_NUMBER_OF_RETRIES`).
const TRIES: u32 = 3;

/// The client library's way to the servers (eureka-client, shared/transport/decorator/RetryableEurekaHttpClient.java
/// within SessionedEurekaHttpClient.java, 1.10).
#[derive(Clone, Debug)]
pub struct Http {
    config: Arc<Config>,
    /// The servers in this client's order, which it keeps: those of its zone first, each part shuffled
    /// (resolver/aws/ZoneAffinityClusterResolver.java; the seed is the client's address).
    order: Vec<NodeId>,
    /// The server that the last request succeeded with.
    delegate: Option<NodeId>,
    /// Servers of the list that have failed.
    quarantine: BTreeSet<NodeId>,
    /// Servers that have answered on a connection that is still open.
    connected: BTreeSet<NodeId>,
    session: Session,
    last_call: u32,
    calls: Vec<Call>,
}

/// For how long the client keeps to one server.
#[derive(Clone, Debug)]
struct Session {
    luck: Draws,
    /// When it begins another, by its wall clock.
    ends: Option<Time>,
}

/// One request that is under way.
#[derive(Clone, Debug)]
struct Call {
    number: u32,
    ask: Ask,
    tries: u32,
    at: NodeId,
    origin: Origin,
    /// The servers that are left of the list, once it was looked at.
    candidates: Option<std::vec::IntoIter<NodeId>>,
}

/// Where the server of a try came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// It is the one that the client keeps to.
    Delegate,
    /// From the list. Only such a one is quarantined when it fails.
    List,
}

/// A request is over.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Its number.
    pub number: u32,
    /// What was asked.
    pub ask: Ask,
    /// What was answered; nothing, if no server would.
    pub answer: Option<Answer>,
}

impl Http {
    /// A client of these servers, in this order, that has asked nobody yet.
    pub fn new(config: &Arc<Config>, order: Vec<NodeId>, ctx: &Ctx<'_>) -> Http {
        Http {
            config: config.clone(),
            order,
            delegate: None,
            quarantine: BTreeSet::new(),
            connected: BTreeSet::new(),
            session: Session { luck: ctx.luck("session").draw().many(), ends: None },
            last_call: 0,
            calls: Vec::new(),
        }
    }

    /// What its requests wait for.
    pub fn waits(&self, task: &str) -> Vec<Wait> {
        let wait = |call: &Call| Wait::new(task, format!("the answer to {:?}", call.ask), [call.at]);
        self.calls.iter().map(wait).collect()
    }

    /// The servers with an open connection, or one that is being opened.
    pub fn peers(&self) -> Vec<NodeId> {
        let mut peers = self.connected.clone();
        peers.extend(self.calls.iter().map(|call| call.at));
        peers.into_iter().collect()
    }

    /// Asks a server: the number of the request. With no server at all it is never answered.
    pub fn ask(&mut self, ctx: &mut Ctx<'_>, ask: Ask) -> u32 {
        self.mind_session(ctx);
        self.last_call += 1;
        let (number, at) = (self.last_call, ctx.me());
        self.calls.push(Call { number, ask, tries: 0, at, origin: Origin::Delegate, candidates: None });
        let ending = self.attempt(ctx, self.calls.len() - 1);
        assert!(ending.is_none(), "there is a server to try first");
        number
    }

    /// An answer has come: what it ends, if somebody waits for it and no other server is tried.
    pub fn on_answer(
        &mut self,
        ctx: &mut Ctx<'_>,
        from: NodeId,
        number: u32,
        answer: &Answer,
    ) -> Option<Ending> {
        let at = self.calls.iter().position(|call| call.number == number && call.at == from)?;
        self.connected.insert(from);
        if !is_accepted(self.calls[at].ask, answer) {
            return self.fail(ctx, at);
        }
        self.delegate = Some(from);
        let call = self.calls.swap_remove(at);
        Some(Ending { number, ask: call.ask, answer: Some(answer.clone()) })
    }

    /// A try has taken too long: what that ends, if no other server is tried.
    pub fn on_unanswered(&mut self, ctx: &mut Ctx<'_>, number: u32, tries: u32) -> Option<Ending> {
        let at = self.calls.iter().position(|call| call.number == number && call.tries == tries)?;
        let server = self.calls[at].at;
        self.connected.remove(&server);
        ctx.hang_up(server);
        self.fail(ctx, at)
    }

    /// A server's host has reset the connection, or there was none: what that ends.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) -> Vec<Ending> {
        self.connected.remove(&peer);
        let lost = self.calls.iter().filter(|call| call.at == peer);
        let lost: Vec<u32> = lost.map(|call| call.number).collect();
        let fail = |number| {
            let at = self.calls.iter().position(|call| call.number == number)?;
            self.fail(ctx, at)
        };
        lost.into_iter().filter_map(fail).collect()
    }

    /// Drops its connections, and goes on with the first server of its list.
    pub fn reconnect(&mut self, ctx: &mut Ctx<'_>) -> Vec<Ending> {
        let peers = self.peers();
        self.delegate = None;
        peers
            .into_iter()
            .flat_map(|peer| {
                ctx.hang_up(peer);
                self.on_reset(ctx, peer)
            })
            .collect()
    }

    /// Begins a session if it is time: with the first server of the list, and the connections are closed.
    fn mind_session(&mut self, ctx: &mut Ctx<'_>) {
        if self.session.ends.is_some_and(|ends| ctx.wall() < ends) {
            return;
        }
        let length = self.config.session_reconnect_interval;
        // From half to one and a half (`randomizeSessionDuration`).
        self.session.ends = Some(ctx.wall() + length / 2 + portion(length, self.session.luck.draw().word()));
        self.delegate = None;
        self.quarantine.clear();
        let idle = |peer: &NodeId| self.calls.iter().all(|call| call.at != *peer);
        let closed: Vec<NodeId> = self.connected.iter().copied().filter(idle).collect();
        for peer in closed {
            self.connected.remove(&peer);
            ctx.hang_up(peer);
        }
    }

    fn fail(&mut self, ctx: &mut Ctx<'_>, place: usize) -> Option<Ending> {
        let call = &mut self.calls[place];
        call.tries += 1;
        if self.delegate == Some(call.at) {
            self.delegate = None;
        }
        if call.origin == Origin::List {
            self.quarantine.insert(call.at);
        }
        self.attempt(ctx, place)
    }

    /// Tries the server that it keeps to, or the next of the list: what is over if there is none.
    fn attempt(&mut self, ctx: &mut Ctx<'_>, place: usize) -> Option<Ending> {
        let next = if self.calls[place].tries < TRIES { self.next_server(place) } else { None };
        let Some((server, origin)) = next else {
            let call = self.calls.swap_remove(place);
            return Some(Ending { number: call.number, ask: call.ask, answer: None });
        };
        let call = &mut self.calls[place];
        (call.at, call.origin) = (server, origin);
        let (number, ask, tries) = (call.number, call.ask, call.tries);
        ctx.stream(server, Msg::Ask { call: number, ask }.into());
        let patience = if self.connected.contains(&server) {
            self.config.read_timeout
        } else {
            self.config.connect_timeout
        };
        ctx.after(patience, Timer::Unanswered { call: number, tries }.into());
        None
    }

    fn next_server(&mut self, place: usize) -> Option<(NodeId, Origin)> {
        if let Some(delegate) = self.delegate {
            return Some((delegate, Origin::Delegate));
        }
        if self.calls[place].candidates.is_none() {
            self.calls[place].candidates = Some(self.candidates().into_iter());
        }
        let server = self.calls[place].candidates.as_mut()?.next()?;
        Some((server, Origin::List))
    }

    /// The list without those in quarantine; all of it, if two thirds of them are (`getHostCandidates`, with
    /// `retryableClientQuarantineRefreshPercentage` = 0.66).
    fn candidates(&mut self) -> Vec<NodeId> {
        if self.quarantine.len() >= self.order.len() * 66 / 100 {
            self.quarantine.clear();
        }
        self.order.iter().copied().filter(|server| !self.quarantine.contains(server)).collect()
    }
}

/// Whether an answer is taken, and no other server is tried (decorator/ServerStatusEvaluators.java,
/// `legacyEvaluator`).
fn is_accepted(ask: Ask, answer: &Answer) -> bool {
    match (answer, ask) {
        (Answer::Done | Answer::Full(_) | Answer::Delta(_), _)
        | (_, Ask::Cancel { .. })
        | (Answer::NotFound, Ask::Register(_) | Ask::Renew { .. } | Ask::Delta)
        | (Answer::Forbidden, Ask::Delta) => true,
        (Answer::NotFound, Ask::Full)
        | (Answer::Forbidden, Ask::Register(_) | Ask::Renew { .. } | Ask::Full)
        | (Answer::Unavailable, Ask::Register(_) | Ask::Renew { .. } | Ask::Full | Ask::Delta) => false,
    }
}

#[cfg(test)]
mod tests;
