//! A server that asks others, and checks on them when they do not answer.

use std::collections::BTreeMap;

use schism_core::{Draw, Duration, NodeId, ZoneId};

use super::super::Config;
use super::super::api::{Msg, Timer};
use super::super::forward::{CHECK_TIMEOUT, Passage, READ_TIMEOUT, Upstreams};
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::registry::Seat;
use crate::waits::Wait;

/// Who has asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    pub(super) node: NodeId,
    /// Its number for the question.
    pub(super) number: u32,
    pub(super) zone: ZoneId,
}

/// The upstream servers, and what is under way to them.
#[derive(Clone, Debug)]
pub(super) struct Forwards {
    service: ServiceId,
    upstreams: Upstreams,
    /// Questions under way, by the number of the query that asks them now.
    open: BTreeMap<u32, Open>,
    /// Numbers of an earlier life must not come again.
    last: u32,
    /// The checks that are not answered.
    checks: BTreeMap<NodeId, u32>,
}

#[derive(Clone, Debug)]
struct Open {
    asker: Asker,
    passage: Passage,
    upstream: NodeId,
    answer: Awaited,
}

/// Whether an answer may still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Yes,
    /// The upstream's host has said that no server listens there.
    No,
}

/// How long after such a refusal the next upstream is asked: 10 ms, ours. CoreDNS asks it at once, and so goes round and
/// round until its health checks have failed; a run has better things to do.
const PAUSE: Duration = Duration::from_millis(10);

impl Forwards {
    /// What the questions that it passes on wait for.
    pub(super) fn waits(&self) -> Vec<Wait> {
        let wait = |(&number, open): (&u32, &Open)| {
            let task = format!("query {} of {:?}", open.asker.number, open.asker.node);
            Wait::new(task, "the upstream's answer", [open.upstream]).by(Timer::Upstream(number))
        };
        self.open.iter().map(wait).collect()
    }

    pub(super) fn new(seat: &Seat<Config>, ctx: &Ctx<'_>) -> Forwards {
        let members = seat.layout.members.iter().map(|&(node, _)| node);
        Forwards {
            service: seat.layout.service_of(seat.me),
            upstreams: Upstreams::new(seat.config.forward, members),
            open: BTreeMap::new(),
            last: ctx.moment().as_nanos() as u32,
            checks: BTreeMap::new(),
        }
    }

    /// Asks an upstream; gives the asker back, if there is none to ask.
    pub(super) fn ask(&mut self, ctx: &mut Ctx<'_>, asker: Asker, luck: Draw) -> Option<Asker> {
        let passage = self.upstreams.begin(ctx.now(), luck);
        self.pass_on(ctx, asker, passage)
    }

    fn pass_on(&mut self, ctx: &mut Ctx<'_>, asker: Asker, mut passage: Passage) -> Option<Asker> {
        let Some(upstream) = self.upstreams.next(ctx.now(), &mut passage) else { return Some(asker) };
        self.last = self.last.wrapping_add(1);
        let msg = Msg::Query { number: self.last, service: self.service, zone: asker.zone };
        ctx.send(upstream, msg.into());
        ctx.after(READ_TIMEOUT, Timer::Upstream(self.last).into());
        self.open.insert(self.last, Open { asker, passage, upstream, answer: Awaited::Yes });
        None
    }

    /// An upstream has answered: who waits for that.
    pub(super) fn on_answer(&mut self, number: u32) -> Option<Asker> {
        self.open.remove(&number).map(|open| open.asker)
    }

    /// Time is up for a query: the next upstream is asked. Gives the asker back, if there is none to ask.
    pub(super) fn on_late(&mut self, ctx: &mut Ctx<'_>, number: u32) -> Option<Asker> {
        let open = self.open.remove(&number)?;
        if self.upstreams.on_failure(open.upstream) {
            self.check(ctx, open.upstream);
        }
        self.pass_on(ctx, open.asker, open.passage)
    }

    /// An upstream's host says of one datagram, the first of those under way, that no server listens there.
    pub(super) fn on_unreachable(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        let mut open = self.open.iter_mut();
        let first = open.find(|(_, open)| open.upstream == peer && open.answer == Awaited::Yes);
        let check = self.checks.get(&peer).copied();
        match first {
            Some((number, open)) if check.is_none_or(|check| *number < check) => {
                open.answer = Awaited::No;
                ctx.after(PAUSE, Timer::Upstream(*number).into());
            }
            _ => self.on_unchecked(ctx, peer, check.unwrap_or_default()),
        }
    }

    /// Checks an upstream.
    pub(super) fn check(&mut self, ctx: &mut Ctx<'_>, upstream: NodeId) {
        self.last = self.last.wrapping_add(1);
        self.checks.insert(upstream, self.last);
        ctx.send(upstream, Msg::Check.into());
        ctx.after(CHECK_TIMEOUT, Timer::Unchecked(upstream, self.last).into());
    }

    /// A check was not answered in time, or could not be.
    pub(super) fn on_unchecked(&mut self, ctx: &mut Ctx<'_>, upstream: NodeId, check: u32) {
        if self.checks.get(&upstream) == Some(&check) {
            self.checks.remove(&upstream);
            if let Some(wait) = self.upstreams.on_check_failed(upstream) {
                ctx.after(wait, Timer::CheckAgain(upstream).into());
            }
        }
    }

    /// A check was answered.
    pub(super) fn on_checked(&mut self, upstream: NodeId) {
        if self.checks.remove(&upstream).is_some() {
            self.upstreams.on_checked(upstream);
        }
    }
}
