//! How a client learns who is there: it asks for a service's instances, and it may ask again and again for what comes
//! after the index that it was told (blocking queries; api/watch/plan.go).

use std::borrow::Cow;

use schism_core::{Duration, NodeId, Time, ZoneId};

use super::api::{Answer, Ask, Found, Msg, Timer};
use super::link::{Link, RETRY};
use super::{Config, Mode};
use crate::cache::Reads;
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::registry::{self, Address, News, Origin, Then};
use crate::waits::Wait;

/// A client that was told of an error tries again after 5 s, times the square of how often that was so in a row, and after
/// 3 min at most (api/watch/plan.go, `retryInterval`, `maxBackoffTime`).
const BACKOFF: Duration = Duration::from_secs(5);
const LONGEST_BACKOFF: Duration = Duration::from_secs(180);

/// A client's side of discovery.
#[derive(Clone, Debug)]
pub struct Subscriber {
    link: Link,
    service: ServiceId,
    stage: Stage,
    /// The index that it knows; 0 is not to wait.
    index: u64,
    /// Of which catalog its list is, and as of which index, if it is that of a server.
    held: Option<(u32, u64)>,
    failures: u64,
    /// When it last asked.
    asked: Time,
    last_timer: u32,
    passes: Passes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Idle,
    /// The call, unless something has put it off.
    Asking {
        call: Option<u32>,
        mode: Mode,
        then: Then,
    },
}

impl Subscriber {
    /// A client in `zone` that knows nothing yet.
    pub fn new(address: &Address<Config>, zone: ZoneId, service: ServiceId, ctx: &Ctx<'_>) -> Subscriber {
        Subscriber {
            link: Link::new(address, zone, ctx),
            service,
            stage: Stage::Idle,
            index: 0,
            held: None,
            failures: 0,
            asked: Time::START,
            last_timer: 0,
            passes: Passes::default(),
        }
    }

    /// Begins a query: for what there is, or for what comes after the index that is known.
    fn query(&mut self, ctx: &mut Ctx<'_>, mode: Mode, then: Then) {
        self.stage = Stage::Asking { call: None, mode, then };
        let point = if self.index == 0 { Point::ClientList } else { Point::ClientWatch };
        match self.passes.pass(ctx, point) {
            Pass::Clear => self.ask(ctx, mode, then),
            Pass::Late(by) => self.remind(ctx, by),
            Pass::Fails(_) => self.fail(ctx),
            Pass::Ends => {}
        }
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, mode: Mode, then: Then) {
        let (service, index) = (self.service, self.index);
        let wait = self.link.config().wait;
        let timeout = self.link.config().request_timeout;
        let call = self.link.ask(ctx, Ask::List { service, mode, index, wait }, timeout);
        self.asked = ctx.now();
        self.stage = Stage::Asking { call: Some(call), mode, then };
    }

    fn on_answer<'a>(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &'a Answer) -> Option<News<'a>> {
        let Stage::Asking { call: mine, mode, then } = self.stage else { return None };
        match answer {
            Answer::Found(found) if mine == Some(call) => {
                let too_old = |most| found.last_contact > most;
                if mode == Mode::Stale && self.link.config().max_stale.is_some_and(too_old) {
                    // Too old: the leader is asked (agent/dns.go).
                    self.query(ctx, Mode::Default, then);
                    return None;
                }
                Some(self.take(ctx, found, mode, then))
            }
            Answer::Failed(_) if mine == Some(call) => {
                self.fail(ctx);
                None
            }
            Answer::Found(_)
            | Answer::Failed(_)
            | Answer::Host(_)
            | Answer::Put { .. }
            | Answer::Value(_)
            | Answer::Key(_)
            | Answer::Done => None,
        }
    }

    fn take<'a>(&mut self, ctx: &mut Ctx<'_>, found: &'a Found, mode: Mode, then: Then) -> News<'a> {
        self.failures = 0;
        let asked_with = std::mem::replace(&mut self.index, found.index);
        let held = std::mem::replace(
            &mut self.held,
            found.trail.as_ref().map(|trail| (trail.generation, found.index)),
        );
        let from = match &found.trail {
            Some(trail) if asked_with > 0 && held == Some((trail.generation, asked_with)) => {
                Origin::Changed(Cow::Borrowed(&trail.changes))
            }
            Some(_) | None => Origin::Listed,
        };
        if found.index < asked_with {
            // It has gone backwards: the client begins anew (website, api-docs/features/blocking; api/watch/funcs.go,
            // `WaitIndexVal`).
            self.index = 0;
        }
        match then {
            Then::Rest => {
                self.stage = Stage::Idle;
                self.index = 0;
            }
            Then::Watch => self.query_soon(ctx, mode),
        }
        News { listing: found.listing.clone(), from }
    }

    /// The next query, no sooner than the client's own limit lets it.
    fn query_soon(&mut self, ctx: &mut Ctx<'_>, mode: Mode) {
        let next = self.asked + self.link.config().min_interval;
        if next <= ctx.now() {
            return self.query(ctx, mode, Then::Watch);
        }
        self.stage = Stage::Asking { call: None, mode, then: Then::Watch };
        let wait = next.since(ctx.now());
        self.last_timer = self.last_timer.wrapping_add(1);
        ctx.after(wait, Timer::Retry(self.last_timer).into());
    }

    /// A query has failed with an error: the next is for what there is, after a pause that grows.
    fn fail(&mut self, ctx: &mut Ctx<'_>) {
        self.failures += 1;
        self.index = 0;
        let wait = (BACKOFF * (self.failures * self.failures).min(36)).min(LONGEST_BACKOFF);
        self.link.turn_to_next(ctx);
        self.again(ctx, wait);
    }

    /// Asks again, some time from now.
    fn again(&mut self, ctx: &mut Ctx<'_>, after: Duration) {
        if let Stage::Asking { mode, then, .. } = self.stage {
            self.stage = Stage::Asking { call: None, mode, then };
            self.last_timer = self.last_timer.wrapping_add(1);
            ctx.after(after, Timer::Retry(self.last_timer).into());
        }
    }

    /// Asks what a failpoint has put off, after that.
    fn remind(&mut self, ctx: &mut Ctx<'_>, after: Duration) {
        self.last_timer = self.last_timer.wrapping_add(1);
        ctx.after(after, Timer::Late(self.last_timer).into());
    }
}

impl registry::Subscriber for Subscriber {
    type Msg = Msg;
    type Timer = Timer;

    fn waits(&self) -> Vec<Wait> {
        self.link.waits("list")
    }

    fn list(&mut self, ctx: &mut Ctx<'_>, reads: Reads, then: Then) {
        // A query that waits for the next change is no list: it is given up for one.
        if matches!(self.stage, Stage::Asking { .. }) && self.index == 0 {
            return;
        }
        let mode = match reads {
            Reads::Linearizable => self.link.config().reads,
            Reads::Serializable => Mode::Stale,
        };
        self.index = 0;
        self.query(ctx, mode, then);
    }

    fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &'a Msg) -> Option<News<'a>> {
        let (call, answer) = self.link.on_message(ctx, from, msg)?;
        self.on_answer(ctx, call, answer)
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) -> Option<News<'static>> {
        match timer {
            Timer::Call(call) => {
                if self.link.on_unanswered(call) {
                    self.link.turn_to_next(ctx);
                    self.again(ctx, Duration::ZERO);
                }
            }
            Timer::Pulse(number) => {
                if self.link.on_pulse(ctx, number) {
                    self.link.turn_to_next(ctx);
                    self.again(ctx, RETRY);
                }
            }
            Timer::Retry(number) if number == self.last_timer => {
                if let Stage::Asking { call: None, mode, then } = self.stage {
                    self.query(ctx, mode, then);
                }
            }
            Timer::Late(number) if number == self.last_timer => {
                if let Stage::Asking { call: None, mode, then } = self.stage {
                    self.ask(ctx, mode, then);
                }
            }
            Timer::Retry(_) | Timer::Late(_) => {}
            Timer::Session
            | Timer::Look(_)
            | Timer::Renew(_)
            | Timer::Raft(_)
            | Timer::Gossip(_)
            | Timer::Entropy(_)
            | Timer::Synced
            | Timer::Wake
            | Timer::Reconcile(_)
            | Timer::Lag
            | Timer::Ttl
            | Timer::Reap
            | Timer::Tell(_)
            | Timer::Pass(_) => unreachable!("a subscriber has no {timer:?}"),
        }
        None
    }

    /// The connection broke: that is an error like any other, but it is noticed at once.
    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        if peer == self.link.server() && self.stage != Stage::Idle {
            self.fail(ctx);
        }
    }

    fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        self.link.turn_to_next(ctx);
        self.again(ctx, Duration::ZERO);
    }

    fn peers(&self) -> Vec<NodeId> {
        vec![self.link.server()]
    }
}
