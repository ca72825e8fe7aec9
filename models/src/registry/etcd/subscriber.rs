//! How a client learns who is there: it lists, and it may watch from there on.

use std::sync::Arc;

use schism_core::{Duration, NodeId, ZoneId};

use super::api::{Answer, Ask, Changes, Msg};
use super::session::{Address, RETRY, Session};
use crate::cache::Reads;
use crate::listing::{Listing, ServiceId};
use crate::node::{Ctx, Timer as NodeTimer};

/// A client's side of discovery.
#[derive(Clone, Debug)]
pub struct Subscriber {
    session: Session,
    service: ServiceId,
    stage: Stage,
    /// The revision that it has seen: a watch goes on from there.
    seen: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Idle,
    Listing { call: u32, reads: Reads, then: Then },
    Watching,
}

/// What follows a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Then {
    /// Nothing, until asked again.
    Rest,
    /// A watch of all that follows.
    Watch,
}

/// What has been learnt.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    /// A whole list.
    Listing(&'a Arc<Listing>),
    /// Changes; those up to `after` are known already.
    Changes {
        /// All that were told.
        changes: &'a Changes,
        /// What had been seen before.
        after: u64,
    },
}

impl Subscriber {
    /// A client in `zone` that knows nothing yet.
    pub fn new(address: &Address, zone: ZoneId, service: ServiceId, ctx: &Ctx<'_>) -> Subscriber {
        Subscriber { session: Session::new(address, zone, ctx), service, stage: Stage::Idle, seen: 0 }
    }

    /// The member that it is connected to.
    pub fn member(&self) -> NodeId {
        self.session.member()
    }

    /// Asks for the list, unless it is being asked for.
    pub fn list(&mut self, ctx: &mut Ctx<'_>, reads: Reads, then: Then) {
        if let Stage::Listing { .. } = self.stage {
            return;
        }
        let ask = Ask::List { service: self.service, reads };
        let call = self.session.ask(ctx, ask, self.session.config().request_timeout);
        self.stage = Stage::Listing { call, reads, then };
    }

    /// A message of the registry's has come: what it tells, if that is news.
    pub fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &'a Msg) -> Option<News<'a>> {
        match msg {
            Msg::Answer { call, answer } => {
                let answer = self.session.on_answer(ctx, *call, answer)?;
                self.on_answer(ctx, *call, answer)
            }
            Msg::Changes(changes) => self.on_changes(from, changes),
            // What clients and members tell members, and what holders of leases are told.
            Msg::Raft(_)
            | Msg::Forward { .. }
            | Msg::Forwarded { .. }
            | Msg::Ask { .. }
            | Msg::KeepAlive { .. }
            | Msg::KeptAlive { .. }
            | Msg::Watch { .. } => None,
        }
    }

    /// A call has taken too long: the next member is asked.
    pub fn on_unanswered(&mut self, ctx: &mut Ctx<'_>, call: u32) {
        if self.session.on_unanswered(call) {
            self.try_next(ctx, Duration::ZERO);
        }
    }

    /// The connection is gone: what was under way goes on with the next member.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        if peer == self.member() && self.stage != Stage::Idle {
            self.try_next(ctx, RETRY);
        }
    }

    /// Drops the connection, though nothing is wrong with it, and goes on with the next member at once.
    pub fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        self.try_next(ctx, Duration::ZERO);
    }

    /// It is time to try again.
    pub fn on_retry(&mut self, ctx: &mut Ctx<'_>) {
        match self.stage {
            Stage::Idle => {}
            Stage::Listing { reads, then, .. } => {
                self.stage = Stage::Idle;
                self.list(ctx, reads, then);
            }
            Stage::Watching => self.watch(ctx),
        }
    }

    fn try_next(&mut self, ctx: &mut Ctx<'_>, after: Duration) {
        self.session.turn_to_next(ctx);
        ctx.after(after, NodeTimer::Resubscribe);
    }

    fn on_answer<'a>(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &'a Answer) -> Option<News<'a>> {
        let Stage::Listing { call: mine, then, .. } = self.stage else { return None };
        match answer {
            Answer::Listing(listing) if mine == call => {
                self.stage = Stage::Idle;
                self.seen = self.seen.max(listing.revision);
                if then == Then::Watch {
                    self.watch(ctx);
                }
                Some(News::Listing(listing))
            }
            Answer::Failed(_) => {
                self.try_next(ctx, RETRY);
                None
            }
            Answer::Listing(_) | Answer::Granted { .. } | Answer::Done => None,
        }
    }

    fn watch(&mut self, ctx: &mut Ctx<'_>) {
        self.stage = Stage::Watching;
        self.session.send(ctx, Msg::Watch { service: self.service, after: self.seen });
    }

    /// The connection keeps its order and a broken one is resumed from what was seen, so nothing is ever missing.
    fn on_changes<'a>(&mut self, from: NodeId, changes: &'a Changes) -> Option<News<'a>> {
        if self.stage != Stage::Watching || from != self.member() || changes.listing.revision <= self.seen {
            return None;
        }
        let after = std::mem::replace(&mut self.seen, changes.listing.revision);
        Some(News::Changes { changes, after })
    }
}
