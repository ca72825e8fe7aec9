//! How a client learns who is there: it lists, and it may watch from there on.

use std::borrow::Cow;

use schism_core::{Duration, NodeId, ZoneId};

use super::Config;
use super::api::{Answer, Ask, Changes, Msg};
use super::session::{self, RETRY, Session};
use crate::cache::Reads;
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::registry::replica::Replica;
use crate::registry::{self, Address, News, Origin, Subscriber as _, Then};
use crate::waits::Wait;

/// A client's side of discovery.
#[derive(Clone, Debug)]
pub struct Subscriber {
    session: Session,
    service: ServiceId,
    stage: Stage,
    /// The revision that it has seen: a watch goes on from there.
    seen: u64,
    /// The list as this client has it, once it has one.
    own: Option<Own>,
    passes: Passes,
}

/// A client's list.
#[derive(Clone, Debug)]
struct Own {
    replica: Replica,
    /// Of which cluster it was listed, if of any.
    cluster: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Idle,
    /// No call yet, if something has put it off.
    Listing {
        call: Option<u32>,
        reads: Reads,
        then: Then,
    },
    Watching,
}

/// What the subscriber reminds itself of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// It is time to try again.
    Again,
    /// What was put off at a failpoint is asked now.
    Late,
}

impl registry::Subscriber for Subscriber {
    type Msg = Msg;
    type Timer = super::Timer;

    fn waits(&self) -> Vec<Wait> {
        let mut waits = self.session.waits("list");
        if self.stage == Stage::Watching {
            waits.push(Wait::new("watch", "the next change", [self.session.member()]));
        }
        waits
    }

    fn list(&mut self, ctx: &mut Ctx<'_>, reads: Reads, then: Then) {
        if let Stage::Listing { .. } = self.stage {
            return;
        }
        self.stage = Stage::Listing { call: None, reads, then };
        match self.passes.pass(ctx, Point::ClientList) {
            Pass::Clear => self.ask(ctx, reads, then),
            Pass::Late(by) => ctx.after(by, Timer::Late.into()),
            Pass::Fails(_) => self.try_next(ctx, RETRY),
            Pass::Ends => {}
        }
    }

    fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &'a Msg) -> Option<News<'a>> {
        self.session.on_heard(ctx, from);
        match msg {
            Msg::Answer { call, answer } => {
                let answer = self.session.on_answer(ctx, *call, answer)?;
                self.on_answer(ctx, *call, answer)
            }
            Msg::Changes(changes) => self.on_changes(from, changes),
            Msg::Compacted { service } => {
                self.on_compacted(ctx, from, *service);
                None
            }
            Msg::NoLeader { service } => {
                if self.stage == Stage::Watching && from == self.session.member() && *service == self.service
                {
                    self.try_next(ctx, RETRY);
                }
                None
            }
            // What clients and members tell members, and what holders of leases are told.
            Msg::Raft(_)
            | Msg::Forward { .. }
            | Msg::Forwarded { .. }
            | Msg::Ask { .. }
            | Msg::KeepAlive { .. }
            | Msg::KeptAlive { .. }
            | Msg::Watch { .. }
            | Msg::WatchClaim { .. }
            | Msg::ClaimGone { .. }
            | Msg::Ping
            | Msg::Pong => None,
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) -> Option<News<'static>> {
        match timer {
            super::Timer::Session(session::Timer::Unanswered { call }) => self.on_unanswered(ctx, call),
            super::Timer::Session(session::Timer::Silence { connection }) => self.on_silence(ctx, connection),
            super::Timer::Subscriber(Timer::Again) => self.on_retry(ctx),
            super::Timer::Subscriber(Timer::Late) => self.on_late(ctx),
            super::Timer::Member(_) | super::Timer::Registrar(_) | super::Timer::Locker(_) => {
                unreachable!("a subscriber has no {timer:?}")
            }
        }
        None
    }

    /// The connection is gone: what was under way goes on with the next member.
    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        if peer == self.session.member() && self.stage != Stage::Idle {
            self.try_next(ctx, RETRY);
        }
    }

    fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        self.try_next(ctx, Duration::ZERO);
    }

    fn peers(&self) -> Vec<NodeId> {
        vec![self.session.member()]
    }
}

impl Subscriber {
    /// A client in `zone` that knows nothing yet.
    pub fn new(address: &Address<Config>, zone: ZoneId, service: ServiceId, ctx: &mut Ctx<'_>) -> Subscriber {
        Subscriber {
            session: Session::new(address, zone, ctx),
            service,
            stage: Stage::Idle,
            seen: 0,
            own: None,
            passes: Passes::default(),
        }
    }

    /// What was put off at a failpoint is asked now.
    fn on_late(&mut self, ctx: &mut Ctx<'_>) {
        match self.stage {
            Stage::Listing { call: None, reads, then } => self.ask(ctx, reads, then),
            Stage::Watching => self.ask_to_watch(ctx),
            Stage::Idle | Stage::Listing { call: Some(_), .. } => {}
        }
    }

    /// A call has taken too long: the next member is asked.
    fn on_unanswered(&mut self, ctx: &mut Ctx<'_>, call: u32) {
        if self.session.on_unanswered(call) {
            self.try_next(ctx, Duration::ZERO);
        }
    }

    /// The connection may have been silent for too long.
    fn on_silence(&mut self, ctx: &mut Ctx<'_>, connection: u32) {
        if self.session.on_silence(ctx, connection) {
            self.on_reset(ctx, self.session.member());
        }
    }

    /// It is time to try again.
    fn on_retry(&mut self, ctx: &mut Ctx<'_>) {
        match self.stage {
            Stage::Idle => {}
            Stage::Listing { reads, then, .. } => {
                self.stage = Stage::Idle;
                self.list(ctx, reads, then);
            }
            Stage::Watching => self.watch(ctx),
        }
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, reads: Reads, then: Then) {
        let ask = Ask::List { service: self.service, reads };
        let call = self.session.ask(ctx, ask, self.session.config().request_timeout);
        self.stage = Stage::Listing { call: Some(call), reads, then };
    }

    fn try_next(&mut self, ctx: &mut Ctx<'_>, after: Duration) {
        self.session.turn_to_next(ctx);
        ctx.after(after, Timer::Again.into());
    }

    fn on_answer<'a>(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &'a Answer) -> Option<News<'a>> {
        let Stage::Listing { call: mine, then, .. } = self.stage else { return None };
        match answer {
            Answer::Listing(header, listing) if mine == Some(call) => {
                self.stage = Stage::Idle;
                self.seen = header.revision;
                if then == Then::Watch {
                    self.watch(ctx);
                }
                let replica = Replica::listed(listing.clone());
                self.own = Some(Own { replica, cluster: header.cluster });
                Some(News { listing: listing.clone(), from: Origin::Listed })
            }
            Answer::Failed(_) => {
                self.try_next(ctx, RETRY);
                None
            }
            Answer::Listing(..)
            | Answer::Granted { .. }
            | Answer::Put(_)
            | Answer::Value(..)
            | Answer::Claim(_)
            | Answer::Done => None,
        }
    }

    fn watch(&mut self, ctx: &mut Ctx<'_>) {
        self.stage = Stage::Watching;
        match self.passes.pass(ctx, Point::ClientWatch) {
            Pass::Clear => self.ask_to_watch(ctx),
            Pass::Late(by) => ctx.after(by, Timer::Late.into()),
            Pass::Fails(_) => self.try_next(ctx, RETRY),
            Pass::Ends => {}
        }
    }

    fn ask_to_watch(&mut self, ctx: &mut Ctx<'_>) {
        self.session.send(ctx, Msg::Watch { service: self.service, after: self.seen });
    }

    /// What the watch was to go on from is forgotten. The bare client ends the watch with `ErrCompacted`
    /// (client/v3/watch.go, v3.6.14); whoever keeps a list then lists anew and watches on, as a Kubernetes reflector
    /// does (client-go, tools/cache/reflector.go).
    fn on_compacted(&mut self, ctx: &mut Ctx<'_>, from: NodeId, service: ServiceId) {
        if self.stage == Stage::Watching && from == self.session.member() && service == self.service {
            self.list(ctx, Reads::Linearizable, Then::Watch);
        }
    }

    /// The connection keeps its order and a broken one is resumed from what was seen, so nothing is missing unless the
    /// member left something out.
    fn on_changes<'a>(&mut self, from: NodeId, changes: &'a Changes) -> Option<News<'a>> {
        if self.stage != Stage::Watching || from != self.session.member() {
            return None;
        }
        let fresh = changes.after(self.seen);
        let last = fresh.last()?;
        let own = self.own.as_mut().expect("a watch follows a list");
        if Some(changes.cluster) != own.cluster {
            own.replica.go_astray();
        }
        own.replica.change(fresh, self.seen, &changes.listing);
        self.seen = last.revision;
        Some(News { listing: own.replica.listing().clone(), from: Origin::Changed(Cow::Borrowed(fresh)) })
    }
}
