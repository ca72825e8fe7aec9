//! A client's side: a reflector lists slices and watches them, and a kube-proxy programs them into its node's kernel.

use std::borrow::Cow;
use std::sync::Arc;

use schism_core::{Duration, Luck, NodeId, ZoneId};

use super::api::{Answer, Msg, Slices, Verb};
use super::backoff::Retries;
use super::connection::Connection;
use super::runner::{self, Runner};
use super::{Config, Proxy};
use crate::cache::Reads;
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::{Change, Listing, ServiceId};
use crate::node::Ctx;
use crate::registry::{self, Address, News, Origin, Subscriber as _, Then};

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
    own: Option<Own>,
    retries: Retries,
    luck: Luck,
    proxy: Option<Programming>,
    passes: Passes,
}

/// A client's list, as it has made it of what it was told.
#[derive(Clone, Debug)]
struct Own {
    listing: Arc<Listing>,
    accord: Accord,
}

/// Whether it is the registry's of the same revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Accord {
    /// It has missed nothing since it listed.
    Whole,
    /// It has missed something, and does not know.
    Astray,
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

/// A kube-proxy at work.
#[derive(Clone, Debug)]
struct Programming {
    config: Proxy,
    runner: Runner,
    luck: Luck,
    /// What it has been told, and not begun to write.
    wanted: Option<Told>,
    /// What it is writing.
    writing: Option<Told>,
    reminded: Reminded,
}

/// A list, and how it came about since the one before.
#[derive(Clone, Debug)]
struct Told {
    listing: Arc<Listing>,
    since: Since,
}

#[derive(Clone, Debug)]
enum Since {
    Listed,
    Changed(Vec<Change>),
}

/// Whether there is a timer for the next sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reminded {
    Yes,
    No,
}

impl registry::Subscriber for Subscriber {
    type Msg = Msg;
    type Timer = super::Timer;

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
                proxy.reminded = Reminded::No;
                proxy.sync(ctx);
                None
            }
            super::Timer::Subscriber(Timer::Programmed) => {
                let proxy = self.proxy.as_mut().expect("only a kube-proxy programs");
                let told = proxy.writing.take();
                proxy.sync(ctx);
                told.map(Told::into_news)
            }
            super::Timer::Member(_) | super::Timer::Kubelet(_) => {
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
        let proxy = address.config.kube_proxy.clone().map(|config| Programming {
            runner: Runner::new(config.min_sync),
            config,
            luck: ctx.luck("kube-proxy"),
            wanted: None,
            writing: None,
            reminded: Reminded::No,
        });
        Subscriber {
            connection: Connection::new(&address.layout, ctx),
            service,
            stage: Stage::Idle,
            last_call: 0,
            seen: 0,
            own: None,
            retries: Retries::default(),
            luck: ctx.luck("retries"),
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
                self.own = Some(Own { listing: listing.clone(), accord: Accord::Whole });
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
            Answer::Done => None,
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
        own.change(fresh, slices);
        self.seen = last;
        let listing = own.listing.clone();
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
                let before = proxy.wanted.take();
                proxy.wanted = Some(told.after(before));
                proxy.sync(ctx);
                None
            }
            None => Some(told),
        }
    }
}

impl Programming {
    /// Writes what is wanted, if the runner says so and nothing is being written.
    fn sync(&mut self, ctx: &mut Ctx<'_>) {
        if self.wanted.is_none() || self.writing.is_some() || self.reminded == Reminded::Yes {
            return;
        }
        match self.runner.ask(ctx.now()) {
            runner::Answer::Run => {
                self.writing = self.wanted.take();
                let takes = self.luck.sample(&self.config.takes);
                ctx.after(takes, Timer::Programmed.into());
            }
            runner::Answer::Wait(wait) => {
                self.reminded = Reminded::Yes;
                ctx.after(wait, Timer::Sync.into());
            }
        }
    }
}

impl Told {
    /// The same, if what came before was never written.
    fn after(self, before: Option<Told>) -> Told {
        let Some(Told { since: earlier, .. }) = before else { return self };
        let since = match (earlier, self.since) {
            (Since::Changed(mut earlier), Since::Changed(later)) => {
                earlier.extend(later);
                Since::Changed(earlier)
            }
            (Since::Listed, _) | (Since::Changed(_), Since::Listed) => Since::Listed,
        };
        Told { listing: self.listing, since }
    }

    fn into_news(self) -> News<'static> {
        let from = match self.since {
            Since::Listed => Origin::Listed,
            Since::Changed(changes) => Origin::Changed(Cow::Owned(changes)),
        };
        News { listing: self.listing, from }
    }
}

impl Own {
    /// Makes the changes. While nothing was missed they lead to the registry's own list, which is taken as it is.
    fn change(&mut self, fresh: &[Change], told: &Slices) {
        let mut before = self.listing.revision;
        for change in fresh {
            if change.after > before {
                self.accord = Accord::Astray;
            }
            before = change.revision;
        }
        match self.accord {
            Accord::Whole => self.listing = told.listing.clone(),
            Accord::Astray => {
                let listing = Arc::make_mut(&mut self.listing);
                fresh.iter().for_each(|change| change.apply_to(listing));
            }
        }
    }
}
