//! A client's discovery: where its lists come from, and what it does with one.

use std::sync::Arc;

use schism_core::{Duration, NodeId};

use super::lock::Contender;
use super::requests::Stage;
use super::{Client, Desk};
use crate::cache::{self, Cache, Feed, Reads};
use crate::listing::{Listing, ServiceId};
use crate::node::Ctx;
use crate::observation::Observation;
use crate::plight::Rush;
use crate::registry::{
    AnyAddress, AnyCaller, AnyLocker, AnySubscriber, Ending, Msg, News, Origin, Then, Timer, Turn,
};

/// Where a client learns whom to call.
#[derive(Clone, Debug)]
pub enum Directory {
    /// It is told at the start, once and for all.
    Fixed(Arc<Listing>),
    /// From the registry.
    Registry {
        /// Where that is.
        address: AnyAddress,
        /// The service it calls.
        service: ServiceId,
    },
    /// It calls the registry itself.
    Itself(AnyAddress),
    /// It contends for locks of the registry's.
    Locks {
        /// Where that is.
        address: AnyAddress,
        /// What the locks guard, if it writes to that.
        guarded: Option<Arc<Listing>>,
    },
}

/// Where the client's lists come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Fixed(Arc<Listing>),
    Registry { subscriber: AnySubscriber, cache: cache::Any },
    Itself(AnyCaller),
    Locks(Box<Contender>),
}

/// What the witnesses have been told of the list in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sight {
    /// That there is none.
    Blind,
    /// All that is in it.
    Told,
    /// The same, but the registry has said since what the cache did not take: the next change is not the only one.
    Behind,
}

impl Source {
    /// A client at this desk has found out nothing yet.
    pub(super) fn new(desk: &Desk, ctx: &mut Ctx<'_>) -> Source {
        let zone = desk.site.zone;
        match &desk.directory {
            Directory::Fixed(listing) => Source::Fixed(listing.clone()),
            Directory::Registry { address, service } => Source::Registry {
                subscriber: AnySubscriber::new(address, zone, *service, ctx),
                cache: cache::Any::new(desk.config.cache),
            },
            Directory::Itself(address) => Source::Itself(AnyCaller::new(address, zone, ctx)),
            Directory::Locks { address, guarded } => {
                let ttl = desk.config.locking.as_ref().map_or(Duration::ZERO, |locking| locking.ttl);
                let locker = AnyLocker::new(address, zone, ttl, ctx);
                Source::Locks(Box::new(Contender::new(locker, guarded.clone())))
            }
        }
    }

    /// The processes of the registry that it is connected to.
    pub(super) fn peers(&self) -> Vec<NodeId> {
        match self {
            Source::Fixed(_) => Vec::new(),
            Source::Registry { subscriber, .. } => subscriber.peers(),
            Source::Itself(caller) => vec![caller.member()],
            Source::Locks(contender) => vec![contender.member()],
        }
    }

    /// A peer's host has reset the connection.
    pub(super) fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) -> Option<Turn> {
        match self {
            Source::Fixed(_) => {}
            Source::Registry { subscriber, .. } => subscriber.on_reset(ctx, peer),
            Source::Itself(caller) => caller.on_reset(ctx, peer),
            Source::Locks(contender) => return contender.locker().on_reset(ctx, peer),
        }
        None
    }
}

impl Client {
    /// The registry has said something.
    pub fn on_registry(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) {
        match &mut self.source {
            Source::Fixed(_) => {}
            Source::Registry { subscriber, .. } => {
                if let Some(news) = subscriber.on_message(ctx, from, msg) {
                    self.on_news(ctx, news);
                }
            }
            Source::Itself(caller) => {
                let ending = caller.on_message(ctx, from, msg);
                self.on_ending(ctx, ending);
            }
            Source::Locks(contender) => {
                let turn = contender.locker().on_message(ctx, from, msg);
                self.on_turn(ctx, turn);
            }
        }
    }

    /// A timer has fired that has to do with the registry.
    pub fn on_registry_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match &mut self.source {
            Source::Fixed(_) => {}
            Source::Registry { subscriber, .. } => {
                if let Some(news) = subscriber.on_timer(ctx, timer) {
                    self.on_news(ctx, news);
                }
            }
            Source::Itself(caller) => {
                let ending = caller.on_timer(ctx, timer);
                self.on_ending(ctx, ending);
            }
            Source::Locks(contender) => {
                let turn = contender.locker().on_timer(ctx, timer);
                self.on_turn(ctx, turn);
            }
        }
    }

    fn on_ending(&mut self, ctx: &mut Ctx<'_>, ending: Option<Ending>) {
        match ending {
            Some(Ending::Call { call, outcome, learnt }) => {
                if let Some(slot) = self.requests.asking(call) {
                    self.tell_of_key(ctx, slot, learnt);
                    self.finish(ctx, slot, outcome);
                }
            }
            Some(Ending::Connection(member)) => self.on_reset(ctx, member),
            None => {}
        }
    }

    pub(super) fn begin_discovery(&mut self, ctx: &mut Ctx<'_>) {
        match &mut self.source {
            Source::Fixed(listing) => {
                self.sight = Sight::Told;
                let listing = listing.clone();
                ctx.observe(Observation::View(listing.clone()));
                self.heed(ctx, &listing);
            }
            Source::Registry { subscriber, .. } if self.desk.config.cache.feed() == Feed::Watch => {
                subscriber.list(ctx, Reads::Linearizable, Then::Watch);
            }
            Source::Registry { .. } | Source::Itself(_) | Source::Locks(_) => {}
        }
    }

    /// A list that has run out is still what the client believes until a request has asked for another in vain.
    pub(super) fn go_blind(&mut self, ctx: &mut Ctx<'_>) {
        if std::mem::replace(&mut self.sight, Sight::Blind) != Sight::Blind
            && let Directory::Registry { service, .. } = self.desk.directory
        {
            ctx.observe(Observation::Blind(service));
        }
    }

    /// Does once what a fault has it do to its list, or to its connection to the registry; whether there was anything to
    /// do it to.
    pub(super) fn rush_discovery(&mut self, ctx: &mut Ctx<'_>, what: Rush) -> bool {
        match (what, &mut self.source) {
            (Rush::Refresh, Source::Registry { subscriber, .. }) => {
                match self.desk.config.cache.feed() {
                    Feed::OnDemand(reads) => subscriber.list(ctx, reads, Then::Rest),
                    Feed::Watch => subscriber.list(ctx, Reads::Linearizable, Then::Watch),
                }
                true
            }
            (Rush::Forget, Source::Registry { cache, .. }) => {
                let had = cache.view(ctx.now()).is_some();
                cache.forget();
                self.go_blind(ctx);
                self.begin_discovery(ctx);
                had
            }
            (Rush::Reconnect, Source::Registry { subscriber, .. }) => {
                subscriber.reconnect(ctx);
                true
            }
            (Rush::Reconnect, Source::Itself(caller)) => {
                let member = caller.member();
                caller.reconnect(ctx);
                self.on_disconnected(ctx, member);
                true
            }
            (Rush::Reconnect, Source::Locks(contender)) => {
                let turn = contender.locker().reconnect(ctx);
                self.on_turn(ctx, turn);
                true
            }
            (Rush::Refresh | Rush::Forget | Rush::Retry, Source::Itself(_) | Source::Locks(_))
            | (Rush::Retry, Source::Registry { .. })
            | (_, Source::Fixed(_)) => false,
        }
    }

    /// The connection to an instance has failed, which may have whoever looks for instances look again.
    pub(super) fn tell_of_failure(&mut self, ctx: &mut Ctx<'_>, instance: NodeId) {
        if let Source::Registry { subscriber, .. } = &mut self.source
            && let Some(news) = subscriber.on_failure(ctx, instance)
        {
            self.on_news(ctx, news);
        }
    }

    /// A list has come: where instances are checked, it is looked at before anybody asks for it.
    fn heed(&mut self, ctx: &mut Ctx<'_>, listing: &Arc<Listing>) {
        if self.checks.is_some() {
            self.look_at(ctx, listing);
        }
    }

    fn on_news(&mut self, ctx: &mut Ctx<'_>, News { listing, from }: News<'_>) {
        let Source::Registry { cache, .. } = &mut self.source else { return };
        let now = ctx.now();
        cache.on_listing(now, listing.clone());
        let view = cache.view(now).cloned();
        match &view {
            Some(held) if Arc::ptr_eq(held, &listing) => {
                let before = std::mem::replace(&mut self.sight, Sight::Told);
                tell(ctx, &listing, from, before);
                if let Some(pool) = &mut self.pool {
                    pool.release(ctx, &listing);
                }
            }
            Some(held) => {
                let before = std::mem::replace(&mut self.sight, Sight::Behind);
                if before == Sight::Blind {
                    ctx.observe(Observation::View(held.clone()));
                }
            }
            None => {}
        }
        if let Some(view) = &view {
            self.heed(ctx, view);
        }
        let listing = view.unwrap_or(listing);
        let waiting = self.requests.at(|stage| matches!(stage, Stage::Resolving));
        waiting.into_iter().for_each(|slot| self.try_one(ctx, slot, &listing));
    }
}

/// Tells the witnesses what a client has come to believe: the changes alone, if they know what it believed before.
fn tell(ctx: &mut Ctx<'_>, listing: &Arc<Listing>, from: Origin<'_>, before: Sight) {
    match from {
        Origin::Changed(changes) if before == Sight::Told => {
            for change in changes.iter() {
                let (service, subject) = (listing.service, change.endpoint.node);
                ctx.observe(Observation::Believes { service, subject, up: change.up });
            }
        }
        Origin::Changed(_) | Origin::Listed => ctx.observe(Observation::View(listing.clone())),
    }
}
