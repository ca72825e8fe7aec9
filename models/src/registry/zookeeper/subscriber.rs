//! How a client learns who is there: it reads the children of a service's parent, and leaves a watch that tells it once
//! that they have changed.

use std::sync::Arc;

use schism_core::{Duration, NodeId, ZoneId};

use super::Config;
use super::api::{Answer, Ask, Msg, Watch};
use super::library::{Event, Library};
use crate::cache::Reads;
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::{Listing, ServiceId};
use crate::node::Ctx;
use crate::registry::{self, Address, News, Then};
use crate::waits::Wait;

/// How long an application waits before it tries again what was refused: 1 s, the base of the retries in Curator's
/// examples (`ExponentialBackoffRetry(1000, 3)`).
const RETRY: Duration = Duration::from_secs(1);

/// What the subscriber reminds itself of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// It reads, again or after a delay at a failpoint.
    Read,
}

/// A client's side of discovery.
#[derive(Clone, Debug)]
pub struct Subscriber {
    library: Library,
    service: ServiceId,
    stage: Stage,
    /// Whether it means to stay current once it has read.
    watches: bool,
    passes: Passes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It wants nothing.
    Idle,
    /// It is about to read, or does so under this number.
    Reading(Option<u32>, Reads, Then),
    /// It has read, and waits for the watch.
    Watching,
}

impl Subscriber {
    /// A client that knows nothing yet. Servers are taken in an order that is drawn, wherever they are.
    pub fn new(address: &Address<Config>, _: ZoneId, service: ServiceId, ctx: &mut Ctx<'_>) -> Subscriber {
        Subscriber {
            library: Library::new(address, ctx),
            service,
            stage: Stage::Idle,
            watches: false,
            passes: Passes::default(),
        }
    }

    fn on_event(&mut self, ctx: &mut Ctx<'_>, event: Event<'_>) -> Option<News<'static>> {
        match event {
            Event::Nothing | Event::Kept => {}
            Event::Begun => match self.stage {
                Stage::Idle => {}
                Stage::Reading(_, reads, then) => self.read(ctx, reads, then),
                // Watches end with their session.
                Stage::Watching => self.read_again(ctx),
            },
            Event::Resumed => match self.stage {
                Stage::Idle => {}
                Stage::Reading(_, reads, then) => self.read(ctx, reads, then),
                Stage::Watching => {
                    let seen = self.library.seen();
                    self.library.ask(ctx, Ask::SetWatches { service: self.service, seen });
                }
            },
            Event::Lost(_) | Event::Gone { .. } => {}
            Event::Expired(_) => self.library.open(ctx),
            Event::Reply(xid, answer) => return self.on_reply(ctx, xid, answer),
            Event::Changed(service) => {
                if service == self.service && self.stage == Stage::Watching {
                    self.read_again(ctx);
                }
            }
        }
        None
    }

    /// Reads what has become of the children since: only their last state, whatever there was in between.
    fn read_again(&mut self, ctx: &mut Ctx<'_>) {
        self.stage = Stage::Reading(None, Reads::Serializable, Then::Watch);
        self.pass(ctx, Point::ClientWatch);
    }

    fn pass(&mut self, ctx: &mut Ctx<'_>, point: Point) {
        match self.passes.pass(ctx, point) {
            Pass::Clear => self.on_turn(ctx),
            Pass::Late(by) => ctx.after(by, Timer::Read.into()),
            Pass::Fails(_) => ctx.after(RETRY, Timer::Read.into()),
            Pass::Ends => {}
        }
    }

    /// It is time to read, if it still wants to and can.
    fn on_turn(&mut self, ctx: &mut Ctx<'_>) {
        if let Stage::Reading(_, reads, then) = self.stage
            && self.library.is_connected()
        {
            self.read(ctx, reads, then);
        }
    }

    /// Whoever wants to see all that is committed asks for a `sync` first; who watches is told of what comes later.
    fn read(&mut self, ctx: &mut Ctx<'_>, reads: Reads, then: Then) {
        let watch = match then {
            Then::Watch => Watch::Once,
            Then::Rest if self.watches => Watch::Once,
            Then::Rest => Watch::Never,
        };
        if (reads, then) == (Reads::Linearizable, Then::Rest) {
            self.library.ask(ctx, Ask::Sync);
        }
        let xid = self.library.ask(ctx, Ask::Children { service: self.service, watch });
        self.stage = Stage::Reading(Some(xid), reads, then);
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, xid: u32, answer: &Answer) -> Option<News<'static>> {
        let Stage::Reading(Some(mine), ..) = self.stage else { return None };
        if mine != xid {
            return None;
        }
        match answer {
            Answer::Children(list) => {
                self.stage = if self.watches { Stage::Watching } else { Stage::Idle };
                Some(self.news(list))
            }
            Answer::Done
            | Answer::Put(_)
            | Answer::Value(_)
            | Answer::Line(_)
            | Answer::Refused(_)
            | Answer::Throttled
            | Answer::Failed => {
                ctx.after(RETRY, Timer::Read.into());
                None
            }
        }
    }

    fn news(&self, list: &Arc<Listing>) -> News<'static> {
        News::listed(list.clone())
    }
}

impl registry::Subscriber for Subscriber {
    type Msg = Msg;
    type Timer = super::Timer;

    fn waits(&self) -> Vec<Wait> {
        let asked = match self.stage {
            Stage::Reading(Some(_), ..) if self.library.is_connected() => Some(("list", "the answer")),
            Stage::Watching if self.library.is_connected() => Some(("watch", "the next change")),
            Stage::Idle | Stage::Reading(..) | Stage::Watching => None,
        };
        let asked = asked.map(|(task, what)| Wait::new(task, what, [self.library.server()]));
        self.library.waits().into_iter().chain(asked).collect()
    }

    fn list(&mut self, ctx: &mut Ctx<'_>, reads: Reads, then: Then) {
        if let Stage::Reading(..) = self.stage {
            return;
        }
        self.watches |= then == Then::Watch;
        self.stage = Stage::Reading(None, reads, then);
        if self.library.is_closed() {
            self.library.open(ctx);
        } else {
            self.pass(ctx, Point::ClientList);
        }
    }

    fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &'a Msg) -> Option<News<'a>> {
        let event = self.library.on_message(ctx, from, msg);
        self.on_event(ctx, event)
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) -> Option<News<'static>> {
        match timer {
            super::Timer::Library(timer) => {
                let event = self.library.on_timer(ctx, timer);
                self.on_event(ctx, event)
            }
            super::Timer::Subscriber(Timer::Read) => {
                self.on_turn(ctx);
                None
            }
            super::Timer::Member(_) | super::Timer::Registrar(_) | super::Timer::Caller(_) => {
                unreachable!("a client has no {timer:?}")
            }
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        let event = self.library.on_reset(ctx, peer);
        self.on_event(ctx, event);
    }

    fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        self.library.reconnect(ctx);
    }

    fn peers(&self) -> Vec<NodeId> {
        self.library.peers()
    }
}
