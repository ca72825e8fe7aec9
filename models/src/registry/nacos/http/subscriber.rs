//! A client's side in the 1.x line: it polls, and is told by UDP by whom it has polled lately.

use std::sync::Arc;

use schism_core::{Duration, NodeId, ZoneId};

use super::Timer;
use super::agent::Agent;
use super::api::{Answer, Ask, Interest, Msg};
use crate::cache::Reads;
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::{Listing, ServiceId};
use crate::node::Ctx;
use crate::registry::nacos::{self, Config};
use crate::registry::{Address, News, Then};
use crate::waits::Wait;

/// How long it waits for its first poll, and after one that has failed, from as much on: 1 s (`DEFAULT_DELAY`;
/// client/naming/core/HostReactor.java, 1.4.6).
const DELAY: Duration = Duration::from_secs(1);
/// The longest that it waits after polls that have failed: 60 times that, and twice as long after each of up to 6
/// (the same, `UpdateTask`).
const MOST_DELAYS: u64 = 60;
const MOST_FAILURES: u32 = 6;

/// A client's side of discovery.
#[derive(Clone, Debug)]
pub struct Subscriber {
    agent: Agent,
    service: ServiceId,
    /// What it was asked for, until that is there.
    wanted: Option<Then>,
    /// The request that asks for it.
    call: Option<u32>,
    /// The request of a poll.
    poll: Option<u32>,
    watches: bool,
    /// Whether a push has come since the last poll: what that poll brings is then ignored (`refreshOnly`).
    pushed: bool,
    failures: u32,
    passes: Passes,
}

impl Subscriber {
    /// A client that knows nothing yet.
    pub fn new(address: &Address<Config>, _: ZoneId, service: ServiceId, ctx: &mut Ctx<'_>) -> Subscriber {
        Subscriber {
            agent: Agent::new(address, ctx),
            service,
            wanted: None,
            call: None,
            poll: None,
            watches: false,
            pushed: false,
            failures: 0,
            passes: Passes::default(),
        }
    }

    /// Asks for the list, unless it is being asked for. Every server answers from what it has.
    pub fn list(&mut self, ctx: &mut Ctx<'_>, _reads: Reads, then: Then) {
        if self.wanted.is_none() {
            self.wanted = Some(then);
            self.want(ctx);
        }
    }

    /// A message has come: what it tells, if that is news.
    pub fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &'a Msg) -> Option<News<'a>> {
        match msg {
            Msg::Answer { call, answer } => {
                let answer = self.agent.on_answer(ctx, *call, answer)?;
                self.on_ended(ctx, Agent::number(*call), answer)
            }
            Msg::Push { number, listing } => {
                ctx.send(from, nacos::Msg::Http(Msg::Pushed { number: *number }).into());
                let news = self.news(listing)?;
                self.pushed = true;
                Some(news)
            }
            // What clients tell servers, and servers each other.
            Msg::Ask { .. }
            | Msg::Pushed { .. }
            | Msg::Sync { .. }
            | Msg::Synced { .. }
            | Msg::Verify { .. }
            | Msg::Fetch { .. }
            | Msg::Fetched { .. }
            | Msg::Load
            | Msg::Loaded { .. } => None,
        }
    }

    /// A timer has fired: what it is time to know, if that is news.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) -> Option<News<'static>> {
        match timer {
            Timer::Unanswered(call) => {
                let of = self.agent.on_unanswered(ctx, call)?;
                self.on_failed(ctx, of);
            }
            Timer::Start => self.want(ctx),
            Timer::Late => self.ask(ctx),
            Timer::Poll => {
                let ask = Ask::List(self.service, Interest::Pushes);
                self.poll = Some(self.agent.ask(ctx, ask));
            }
            // Instances' and servers'.
            Timer::Beat
            | Timer::Check(_)
            | Timer::Push(_)
            | Timer::Unacknowledged(_)
            | Timer::Unforwarded(_)
            | Timer::Syncs
            | Timer::Unsynced(_)
            | Timer::Verify
            | Timer::Load(_)
            | Timer::Report
            | Timer::Unreported(_)
            | Timer::Deferred(_)
            | Timer::Lag => unreachable!("a client does not set {timer:?}"),
        }
        None
    }

    /// The connection to a peer is gone.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        for of in self.agent.on_reset(ctx, peer) {
            self.on_failed(ctx, of);
        }
    }

    /// Drops its connections. It asks a server drawn anew each time anyway.
    pub fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        for peer in self.agent.peers() {
            ctx.hang_up(peer);
            self.on_reset(ctx, peer);
        }
    }

    /// What its tasks wait for.
    pub fn waits(&self) -> Vec<Wait> {
        self.agent.waits("list")
    }

    /// Those with an open connection.
    pub fn peers(&self) -> Vec<NodeId> {
        self.agent.peers()
    }

    fn want(&mut self, ctx: &mut Ctx<'_>) {
        let Some(then) = self.wanted.filter(|_| self.call.is_none()) else { return };
        let point = match then {
            Then::Rest => Point::ClientList,
            Then::Watch => Point::ClientWatch,
        };
        match self.passes.pass(ctx, point) {
            Pass::Clear => self.ask(ctx),
            Pass::Late(by) => ctx.after(by, Timer::Late.into()),
            Pass::Fails(_) => ctx.after(DELAY, Timer::Start.into()),
            Pass::Ends => {}
        }
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(then) = self.wanted.filter(|_| self.call.is_none()) {
            let interest = match then {
                Then::Rest => Interest::Once,
                Then::Watch => Interest::Pushes,
            };
            self.call = Some(self.agent.ask(ctx, Ask::List(self.service, interest)));
        }
    }

    fn on_ended<'a>(&mut self, ctx: &mut Ctx<'_>, of: u32, answer: &'a Answer) -> Option<News<'a>> {
        let Answer::Listing(listing) = answer else {
            self.on_failed(ctx, of);
            return None;
        };
        if self.call == Some(of) {
            self.call = None;
            return match self.wanted.take()? {
                Then::Rest => Some(News::listed(listing.clone())),
                Then::Watch => {
                    if !std::mem::replace(&mut self.watches, true) {
                        ctx.after(DELAY, Timer::Poll.into());
                    }
                    self.news(listing)
                }
            };
        }
        if self.poll != Some(of) {
            return None;
        }
        self.poll = None;
        let refresh_only = std::mem::replace(&mut self.pushed, false);
        let news = if refresh_only { None } else { self.news(listing) };
        if listing.endpoints.is_empty() {
            self.fail(ctx);
        } else {
            self.failures = 0;
            ctx.after(self.agent.config().push_cache, Timer::Poll.into());
        }
        news
    }

    /// No server has answered. A first list is asked for again: the real client leaves that to the application.
    fn on_failed(&mut self, ctx: &mut Ctx<'_>, of: u32) {
        if self.call == Some(of) {
            self.call = None;
            ctx.after(DELAY, Timer::Start.into());
        }
        if self.poll == Some(of) {
            self.poll = None;
            self.fail(ctx);
        }
    }

    /// A poll has failed, or has brought an empty list, which counts as much.
    fn fail(&mut self, ctx: &mut Ctx<'_>) {
        self.failures = (self.failures + 1).min(MOST_FAILURES);
        ctx.after(DELAY * (1_u64 << self.failures).min(MOST_DELAYS), Timer::Poll.into());
    }

    /// A list has come. With protection an empty one is ignored (client/naming/core/HostReactor.java, 1.4.6,
    /// `processServiceJson`).
    fn news(&self, listing: &Arc<Listing>) -> Option<News<'static>> {
        let ignored = self.agent.config().empty_protection && listing.endpoints.is_empty();
        (self.watches && listing.service == self.service && !ignored).then(|| News::listed(listing.clone()))
    }
}
