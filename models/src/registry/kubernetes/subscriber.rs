//! A client's side: a reflector lists slices and watches them, and a kube-proxy programs them into its node's kernel.

mod proxy;

use std::borrow::Cow;
use std::sync::Arc;

use schism_core::{Duration, NodeId, ZoneId};

use self::proxy::{Programming, Since, Told};
use super::Config;
use super::api::{Answer, Msg, Slices, Verb};
use super::backoff::{Draws, Retries};
use super::connection::Connection;
use crate::cache::Reads;
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::{Listing, ServiceId};
use crate::node::Ctx;
use crate::registry::replica::Replica;
use crate::registry::{self, Address, News, Origin, Subscriber as _, Then};
use crate::waits::Wait;

/// What it reminds itself of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// It is time to list or to watch again.
    Again,
    /// What was put off at a failpoint is asked now.
    Late,
    /// kube-proxy may write its rules.
    Sync,
    /// They are written.
    Programmed,
}

/// A client's side of discovery.
#[derive(Clone, Debug)]
pub struct Subscriber {
    connection: Connection,
    service: ServiceId,
    stage: Stage,
    last_call: u32,
    /// The revision that it has seen: a watch goes on from there.
    seen: u64,
    /// The list as this client has it, once it has one.
    own: Option<Replica>,
    retries: Retries,
    luck: Draws,
    proxy: Option<Box<Programming>>,
    passes: Passes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Idle,
    /// No call yet, if something has put it off.
    Listing {
        call: Option<u32>,
        then: Then,
    },
    Watching,
}

impl registry::Subscriber for Subscriber {
    type Msg = Msg;
    type Timer = super::Timer;

    fn waits(&self) -> Vec<Wait> {
        let (task, what) = match self.stage {
            Stage::Listing { call: Some(_), .. } => ("list", "the answer"),
            Stage::Watching => ("watch", "the next change"),
            Stage::Idle | Stage::Listing { call: None, .. } => return Vec::new(),
        };
        vec![Wait::new(task, what, [self.connection.member()])]
    }

    /// However it is to be read, a list comes from the watch cache of an API server: reflectors ask for no more.
    fn list(&mut self, ctx: &mut Ctx<'_>, reads: Reads, then: Then) {
        if let Stage::Listing { .. } = self.stage {
            return;
        }
        let (Reads::Linearizable | Reads::Serializable) = reads;
        self.stage = Stage::Listing { call: None, then };
        match self.passes.pass(ctx, Point::ClientList) {
            Pass::Clear => self.ask(ctx, then),
            Pass::Late(by) => ctx.after(by, Timer::Late.into()),
            Pass::Fails(_) => self.try_later(ctx),
            Pass::Ends => {}
        }
    }

    fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &'a Msg) -> Option<News<'a>> {
        if !self.connection.on_heard(ctx, from) {
            return None;
        }
        match msg {
            Msg::Answer { call, answer } => self.on_answer(ctx, *call, answer),
            Msg::Slices(slices) => self.on_slices(ctx, slices),
            Msg::Gone { service } if *service == self.service && self.stage == Stage::Watching => {
                self.list(ctx, Reads::Serializable, Then::Watch);
                None
            }
            // What others tell each other.
            Msg::Gone { .. }
            | Msg::Raft(_)
            | Msg::Call { .. }
            | Msg::Watch { .. }
            | Msg::WatchPod { .. }
            | Msg::Pod(_)
            | Msg::Ping
            | Msg::Pong
            | Msg::Running { .. }
            | Msg::Inspect
            | Msg::Terminate
            | Msg::Exited
            | Msg::Leave
            | Msg::Told(_) => None,
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) -> Option<News<'static>> {
        match timer {
            super::Timer::Silence(silence) => {
                if self.connection.on_silence(ctx, silence) {
                    self.reconnect(ctx);
                }
                None
            }
            super::Timer::Subscriber(Timer::Again) => {
                self.on_again(ctx);
                None
            }
            super::Timer::Subscriber(Timer::Late) => {
                self.on_late(ctx);
                None
            }
            super::Timer::Subscriber(Timer::Sync) => {
                let proxy = self.proxy.as_mut().expect("only a kube-proxy syncs");
                proxy.on_sync(ctx);
                None
            }
            super::Timer::Subscriber(Timer::Programmed) => {
                let proxy = self.proxy.as_mut().expect("only a kube-proxy programs");
                let told = proxy.writing.take();
                proxy.sync(ctx);
                told.map(Told::into_news)
            }
            super::Timer::Member(_) | super::Timer::Kubelet(_) | super::Timer::Locker(_) => {
                unreachable!("a subscriber has no {timer:?}")
            }
        }
    }

    /// The connection is refused, reset or given up: the next is tried after a while.
    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        if peer == self.connection.member() && self.stage != Stage::Idle {
            self.try_later(ctx);
        }
    }

    fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        self.connection.turn(ctx);
        ctx.after(Duration::ZERO, Timer::Again.into());
    }

    fn peers(&self) -> Vec<NodeId> {
        vec![self.connection.member()]
    }
}

impl Subscriber {
    /// A client that knows nothing yet.
    pub fn new(address: &Address<Config>, _: ZoneId, service: ServiceId, ctx: &mut Ctx<'_>) -> Subscriber {
        let proxy = address.config.kube_proxy.clone();
        let proxy = proxy.map(|config| Box::new(Programming::new(config, ctx)));
        Subscriber {
            connection: Connection::new(&address.layout, ctx),
            service,
            stage: Stage::Idle,
            last_call: 0,
            seen: 0,
            own: None,
            retries: Retries::default(),
            luck: Draws::new(ctx.luck("retries")),
            proxy,
            passes: Passes::default(),
        }
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, then: Then) {
        self.last_call += 1;
        let call = self.last_call;
        self.stage = Stage::Listing { call: Some(call), then };
        self.connection.send(ctx, Msg::Call { call, verb: Verb::List { service: self.service } });
    }

    fn try_later(&mut self, ctx: &mut Ctx<'_>) {
        self.connection.turn(ctx);
        let wait = self.retries.fail(ctx.now(), self.luck.draw());
        ctx.after(wait, Timer::Again.into());
    }

    fn on_again(&mut self, ctx: &mut Ctx<'_>) {
        match self.stage {
            Stage::Idle => {}
            Stage::Listing { then, .. } => {
                self.stage = Stage::Idle;
                self.list(ctx, Reads::Serializable, then);
            }
            Stage::Watching => self.watch(ctx),
        }
    }

    fn on_late(&mut self, ctx: &mut Ctx<'_>) {
        match self.stage {
            Stage::Listing { call: None, then } => self.ask(ctx, then),
            Stage::Watching => self.ask_to_watch(ctx),
            Stage::Idle | Stage::Listing { call: Some(_), .. } => {}
        }
    }

    fn on_answer(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &Answer) -> Option<News<'static>> {
        let Stage::Listing { call: mine, then } = self.stage else { return None };
        if mine != Some(call) {
            return None;
        }
        match answer {
            Answer::Listing(revision, listing) => {
                self.stage = Stage::Idle;
                self.seen = *revision;
                self.own = Some(Replica::listed(listing.clone()));
                match then {
                    Then::Rest => Some(News::listed(listing.clone())),
                    Then::Watch => {
                        self.watch(ctx);
                        self.pass_on(ctx, listing.clone(), Since::Listed).map(Told::into_news)
                    }
                }
            }
            // The server lives, and is asked again after a while; 429 says so itself.
            Answer::Failed(_) => {
                let wait = self.retries.fail(ctx.now(), self.luck.draw());
                ctx.after(wait, Timer::Again.into());
                None
            }
            Answer::Done | Answer::Lease(_) => None,
        }
    }

    fn watch(&mut self, ctx: &mut Ctx<'_>) {
        self.stage = Stage::Watching;
        match self.passes.pass(ctx, Point::ClientWatch) {
            Pass::Clear => self.ask_to_watch(ctx),
            Pass::Late(by) => ctx.after(by, Timer::Late.into()),
            Pass::Fails(_) => self.try_later(ctx),
            Pass::Ends => {}
        }
    }

    fn ask_to_watch(&mut self, ctx: &mut Ctx<'_>) {
        self.connection.send(ctx, Msg::Watch { service: self.service, after: self.seen });
    }

    fn on_slices<'a>(&mut self, ctx: &mut Ctx<'_>, slices: &'a Slices) -> Option<News<'a>> {
        if self.stage != Stage::Watching {
            return None;
        }
        let fresh = slices.after(self.seen);
        let last = fresh.last()?.revision;
        let own = self.own.as_mut().expect("a watch follows a list");
        own.change(fresh, own.listing().revision, &slices.listing);
        self.seen = last;
        let listing = own.listing().clone();
        match self.proxy {
            Some(_) => {
                let told = self.pass_on(ctx, listing, Since::Changed(fresh.to_vec()));
                told.map(Told::into_news)
            }
            None => Some(News { listing, from: Origin::Changed(Cow::Borrowed(fresh)) }),
        }
    }

    /// A client goes by its own list at once, if there is no kube-proxy between.
    fn pass_on(&mut self, ctx: &mut Ctx<'_>, listing: Arc<Listing>, since: Since) -> Option<Told> {
        let told = Told { listing, since };
        match &mut self.proxy {
            Some(proxy) => {
                proxy.take(ctx, told);
                None
            }
            None => Some(told),
        }
    }
}
