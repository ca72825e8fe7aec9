//! A client's side from 2.0 on: it subscribes by its connection and is pushed to, or asks once.

use std::sync::Arc;

use schism_core::{Duration, NodeId, ZoneId};

use super::Timer;
use super::api::{Answer, Ask, Msg};
use super::link::{Heard, Link};
use crate::cache::Reads;
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::{Listing, ServiceId};
use crate::node::Ctx;
use crate::registry::nacos::Config;
use crate::registry::{Address, News, Then};
use crate::waits::Wait;

/// How long a client that polls waits for its first poll: 1 s (`DEFAULT_DELAY`; client/naming/core/
/// ServiceInfoUpdateService.java, 3.0.3).
const FIRST_POLL: Duration = Duration::from_secs(1);
/// It polls every so many cache times: 6, of 10 s (the same, `DEFAULT_UPDATE_CACHE_TIME_MULTIPLE`).
const POLL_TIMES: u64 = 6;

/// A client's side of discovery.
#[derive(Clone, Debug)]
pub struct Subscriber {
    link: Link,
    service: ServiceId,
    /// What it was asked for, until that is there.
    wanted: Option<Then>,
    /// The call that asks for it, if it is being asked.
    call: Option<u32>,
    /// The call of a poll.
    poll: Option<u32>,
    watch: Watch,
    passes: Passes,
}

/// Whether the client stays current.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Watch {
    /// It does not.
    Off,
    /// It did, by a connection that is gone.
    Interrupted,
    /// It does.
    On,
}

impl Subscriber {
    /// A client that knows nothing yet.
    pub fn new(address: &Address<Config>, _: ZoneId, service: ServiceId, ctx: &mut Ctx<'_>) -> Subscriber {
        Subscriber {
            link: Link::new(address, ctx),
            service,
            wanted: None,
            call: None,
            poll: None,
            watch: Watch::Off,
            passes: Passes::default(),
        }
    }

    /// Asks for the list, unless it is being asked for. Every server answers from what it has.
    pub fn list(&mut self, ctx: &mut Ctx<'_>, _reads: Reads, then: Then) {
        if self.wanted.is_some() {
            return;
        }
        self.wanted = Some(then);
        if self.link.is_idle() {
            ctx.after(self.link.config().redo, Timer::Redo.into());
            self.link.connect(ctx);
        } else {
            self.want(ctx);
        }
    }

    /// A message has come: what it tells, if that is news.
    pub fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &'a Msg) -> Option<News<'a>> {
        let heard = self.link.on_message(ctx, from, msg);
        self.on_heard(ctx, heard)
    }

    /// A timer has fired: what it is time to know, if that is news.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) -> Option<News<'static>> {
        match timer {
            Timer::Link(epoch) => {
                let heard = self.link.on_timer(ctx, epoch);
                return self.on_heard(ctx, heard);
            }
            Timer::Unanswered(call) => self.on_unanswered(ctx, call),
            Timer::Redo => {
                ctx.after(self.link.config().redo, Timer::Redo.into());
                self.redo(ctx);
            }
            Timer::Late => self.ask(ctx),
            Timer::Poll => self.on_poll(ctx),
            // Instances' and servers'.
            Timer::Eject
            | Timer::Judge(_)
            | Timer::Pushes
            | Timer::Unacknowledged(_)
            | Timer::Syncs
            | Timer::Unsynced(_)
            | Timer::Verify
            | Timer::Clean
            | Timer::Load(_)
            | Timer::Report
            | Timer::Unreported(_)
            | Timer::Deferred(_)
            | Timer::Lag
            | Timer::End
            | Timer::Tick => unreachable!("a client does not set {timer:?}"),
        }
        None
    }

    /// The connection to a peer is gone.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        self.link.on_reset(ctx, peer);
    }

    /// Drops its connection, and goes on with another at once.
    pub fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        if !self.link.is_idle() {
            self.link.reconnect(ctx);
        }
    }

    /// What its tasks wait for.
    pub fn waits(&self) -> Vec<Wait> {
        self.link.waits("list", self.call.or(self.poll))
    }

    /// Those with an open connection.
    pub fn peers(&self) -> Vec<NodeId> {
        self.link.peers()
    }

    fn on_heard<'a>(&mut self, ctx: &mut Ctx<'_>, heard: Heard<'a>) -> Option<News<'a>> {
        match heard {
            Heard::Nothing | Heard::Healthy => None,
            Heard::Connected => {
                self.call = None;
                self.poll = None;
                if self.watch == Watch::On {
                    self.watch = Watch::Interrupted;
                }
                self.want(ctx);
                None
            }
            Heard::Recovered => {
                self.want(ctx);
                None
            }
            Heard::Answer(call, answer) => self.on_answer(ctx, call, answer),
            Heard::Push(listing) => self.news(listing),
        }
    }

    /// A connection has been lost: what was subscribed by it is, at the next turn of the redo task, by the next
    /// (client/naming/remote/gprc/redo/RedoScheduledTask.java, 3.0.3).
    fn redo(&mut self, ctx: &mut Ctx<'_>) {
        if self.watch == Watch::Interrupted && self.wanted.is_none() {
            self.wanted = Some(Then::Watch);
        }
        self.want(ctx);
    }

    /// Asks for what is wanted, if it is not being asked.
    fn want(&mut self, ctx: &mut Ctx<'_>) {
        let Some(then) = self.wanted.filter(|_| self.call.is_none() && self.link.is_running()) else {
            return;
        };
        let point = match then {
            Then::Rest => Point::ClientList,
            Then::Watch => Point::ClientWatch,
        };
        match self.passes.pass(ctx, point) {
            Pass::Clear => self.ask(ctx),
            Pass::Late(by) => ctx.after(by, Timer::Late.into()),
            // The next turn of the redo task tries again.
            Pass::Fails(_) | Pass::Ends => {}
        }
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>) {
        if self.call.is_none()
            && let Some(then) = self.wanted
        {
            let ask = match then {
                Then::Rest => Ask::Query(self.service),
                Then::Watch => Ask::Subscribe(self.service),
            };
            self.call = self.link.ask(ctx, ask);
        }
    }

    fn on_answer<'a>(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &'a Answer) -> Option<News<'a>> {
        if self.poll == Some(call) {
            self.poll = None;
            return match answer {
                Answer::Listing(listing) => self.news(listing),
                Answer::Done | Answer::Refused | Answer::Failed | Answer::Unknown => None,
            };
        }
        if self.call != Some(call) {
            return None;
        }
        self.call = None;
        match answer {
            Answer::Listing(listing) => match self.wanted.take().expect("what is asked is wanted") {
                Then::Rest => Some(News::listed(listing.clone())),
                Then::Watch => {
                    self.begin_to_watch(ctx);
                    self.news(listing)
                }
            },
            Answer::Done | Answer::Refused | Answer::Failed | Answer::Unknown => None,
        }
    }

    fn begin_to_watch(&mut self, ctx: &mut Ctx<'_>) {
        let first = std::mem::replace(&mut self.watch, Watch::On) == Watch::Off;
        if first && self.link.config().async_query {
            ctx.after(FIRST_POLL, Timer::Poll.into());
        }
    }

    fn on_poll(&mut self, ctx: &mut Ctx<'_>) {
        ctx.after(self.link.config().push_cache * POLL_TIMES, Timer::Poll.into());
        if self.poll.is_none() {
            self.poll = self.link.ask(ctx, Ask::Query(self.service));
        }
    }

    fn on_unanswered(&mut self, ctx: &mut Ctx<'_>, call: u32) {
        let asked = self.call == Some(call);
        let polled = self.poll == Some(call);
        if asked {
            self.call = None;
        }
        if polled {
            self.poll = None;
        }
        if asked || polled {
            self.link.on_unanswered(ctx);
        }
    }

    /// A list that has come to a subscriber. With protection an empty one is ignored
    /// (client/naming/cache/ServiceInfoHolder.java, 3.0.3, `isEmptyOrErrorPush`).
    fn news(&self, listing: &Arc<Listing>) -> Option<News<'static>> {
        let ignored = self.link.config().empty_protection && listing.endpoints.is_empty();
        let mine = self.watch != Watch::Off && listing.service == self.service;
        (mine && !ignored).then(|| News::listed(listing.clone()))
    }
}
