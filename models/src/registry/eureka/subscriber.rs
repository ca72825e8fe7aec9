//! A client's side of discovery: the whole once, what has changed every 30 s, and Ribbon's own copy of that.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use schism_core::{Duration, NodeId, Time, ZoneId};

use super::api::{Answer, Ask, Msg};
use super::apps::{Copy, Reconciled};
use super::registrar::portion;
use super::supervisor::Supervisor;
use super::transport::{Ending, Http};
use super::{Config, Start, Timer, order};
use crate::cache::Reads;
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::{Change, Endpoint, Listing, ServiceId};
use crate::node::Ctx;
use crate::registry::{self, Address, News, Origin, Then};
use crate::waits::Wait;

/// Ribbon first copies the list 1 s after it was made (ribbon-loadbalancer 2.x, PollingServerListUpdater.java,
/// `LISTOFSERVERS_CACHE_UPDATE_DELAY`).
const FIRST_COPY: Duration = Duration::from_secs(1);

/// A client's side of discovery (eureka-client, discovery/DiscoveryClient.java, 1.10, and Ribbon above it).
#[derive(Clone, Debug)]
pub struct Subscriber {
    http: Box<Http>,
    service: ServiceId,
    stage: Stage,
    /// The client's copy of all applications.
    copy: Option<Copy>,
    refreshes: Supervisor,
    fetches: Fetches,
    /// The list as the balancer has it.
    told: Option<Arc<Listing>>,
    /// Whether a server was heard of since that was last looked at.
    heard: Heard,
    ribbon: Option<Duration>,
    start: Start,
    passes: Passes,
}

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing.
    Idle,
    /// It fetches the whole, for somebody who waits for it: no call yet, if something has put it off.
    Listing { call: Option<u32>, then: Then },
    /// It stays current; perhaps it is just fetching something.
    Following { call: Option<u32> },
}

/// What it fetches when it has the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fetches {
    Changes,
    /// The whole again (`shouldDisableDelta`).
    Whole,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Yes,
    No,
}

impl registry::Subscriber for Subscriber {
    type Msg = Msg;
    type Timer = Timer;

    fn waits(&self) -> Vec<Wait> {
        self.http.waits("list")
    }

    fn list(&mut self, ctx: &mut Ctx<'_>, _: Reads, then: Then) {
        if let Stage::Listing { .. } = self.stage {
            return;
        }
        if let Stage::Following { call: Some(_) } = self.stage {
            self.end_refresh(ctx);
        }
        let then = if let Stage::Following { .. } = self.stage { Then::Watch } else { then };
        let first = self.stage == Stage::Idle && then == Then::Watch;
        self.stage = Stage::Listing { call: None, then };
        if first {
            self.set_going(ctx);
        }
        match self.passes.pass(ctx, Point::ClientList) {
            Pass::Clear => self.ask(ctx, Ask::Full),
            Pass::Late(by) => ctx.after(by, Timer::ListLate.into()),
            Pass::Fails(_) => self.rest(),
            Pass::Ends => {}
        }
    }

    fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &'a Msg) -> Option<News<'a>> {
        match msg {
            Msg::Answer { call, answer } => {
                let ending = self.http.on_answer(ctx, from, *call, answer)?;
                self.on_ending(ctx, ending)
            }
            // What servers are told.
            Msg::Ask { .. } | Msg::Batch { .. } | Msg::BatchDone { .. } => None,
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) -> Option<News<'static>> {
        match timer {
            Timer::Unanswered { call, tries } => {
                let ending = self.http.on_unanswered(ctx, call, tries)?;
                self.on_ending(ctx, ending)
            }
            Timer::ListLate => {
                if let Stage::Listing { call: None, .. } = self.stage {
                    self.ask(ctx, Ask::Full);
                }
                None
            }
            Timer::Refresh => {
                self.refresh(ctx);
                None
            }
            Timer::RefreshLate { round } => {
                if self.refreshes.is_running(round) {
                    self.ask(ctx, self.due());
                }
                None
            }
            Timer::Overdue { round } => {
                if let Some(delay) = self.refreshes.overdue(round) {
                    self.rest();
                    ctx.after(delay, Timer::Refresh.into());
                }
                None
            }
            Timer::Ribbon => {
                ctx.after(self.ribbon?, Timer::Ribbon.into());
                self.look()
            }
            Timer::Heartbeat
            | Timer::Replicator
            | Timer::RenewLate { .. }
            | Timer::RegisterLate(_)
            | Timer::Member(_) => unreachable!("a client has no {timer:?}"),
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        for ending in self.http.on_reset(ctx, peer) {
            // Nothing was answered, so nothing is news.
            self.on_ending(ctx, ending);
        }
    }

    fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        for ending in self.http.reconnect(ctx) {
            self.on_ending(ctx, ending);
        }
    }

    fn peers(&self) -> Vec<NodeId> {
        self.http.peers()
    }
}

impl Subscriber {
    /// A client in `zone` that knows nothing yet.
    pub fn new(address: &Address<Config>, zone: ZoneId, service: ServiceId, ctx: &mut Ctx<'_>) -> Subscriber {
        let config = &address.config;
        Subscriber {
            http: Box::new(Http::new(config, order(address, zone, ctx), ctx)),
            service,
            stage: Stage::Idle,
            copy: None,
            refreshes: Supervisor::new(config.fetch_interval, config.back_off_bound),
            fetches: if config.delta { Fetches::Changes } else { Fetches::Whole },
            told: None,
            heard: Heard::No,
            ribbon: config.list_refresh,
            start: config.start,
            passes: Passes::default(),
        }
    }

    /// Sets its timers going. In a run that begins with everything running, each is somewhere between two; else the
    /// first refresh is one interval after the start, and Ribbon's, which is made with the first list, soon after that.
    fn set_going(&mut self, ctx: &mut Ctx<'_>) {
        let mut luck = ctx.luck("phases");
        let mut first = |of: Duration, fresh: Duration| {
            let word = luck.draw().word();
            let runs = self.start == Start::Running && ctx.moment() == Time::START;
            if runs { portion(of, word) } else { fresh }
        };
        let interval = self.refreshes.interval();
        let refresh = first(interval, interval);
        let copy = self.ribbon.map(|every| first(every, FIRST_COPY));
        ctx.after(refresh, Timer::Refresh.into());
        if let Some(copy) = copy {
            ctx.after(copy, Timer::Ribbon.into());
        }
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, ask: Ask) {
        let number = Some(self.http.ask(ctx, ask));
        match &mut self.stage {
            Stage::Idle => unreachable!("who is idle asks for nothing"),
            Stage::Listing { call, .. } | Stage::Following { call } => *call = number,
        }
    }

    /// What there was to fetch has come, or has not.
    fn rest(&mut self) {
        self.stage = match self.stage {
            Stage::Idle | Stage::Listing { then: Then::Rest, .. } => Stage::Idle,
            Stage::Listing { then: Then::Watch, .. } | Stage::Following { .. } => {
                Stage::Following { call: None }
            }
        };
    }

    /// It is time to fetch what has changed; whoever fetches already does so for itself.
    fn refresh(&mut self, ctx: &mut Ctx<'_>) {
        let round = self.refreshes.begin();
        if self.stage != (Stage::Following { call: None }) {
            return self.end_refresh(ctx);
        }
        ctx.after(self.refreshes.interval(), Timer::Overdue { round }.into());
        match self.passes.pass(ctx, Point::ClientWatch) {
            Pass::Clear => self.ask(ctx, self.due()),
            Pass::Late(by) => ctx.after(by, Timer::RefreshLate { round }.into()),
            Pass::Fails(_) => self.end_refresh(ctx),
            Pass::Ends => {}
        }
    }

    /// What a refresh fetches: the whole, if the client has nobody at all.
    fn due(&self) -> Ask {
        let has_any = self.copy.as_ref().is_some_and(|copy| !copy.apps().is_empty());
        if has_any && self.fetches == Fetches::Changes { Ask::Delta } else { Ask::Full }
    }

    fn end_refresh(&mut self, ctx: &mut Ctx<'_>) {
        if let Stage::Following { .. } = self.stage {
            self.rest();
        }
        if let Some(delay) = self.refreshes.finish() {
            ctx.after(delay, Timer::Refresh.into());
        }
    }

    fn on_ending(&mut self, ctx: &mut Ctx<'_>, ending: Ending) -> Option<News<'static>> {
        let waiting = match self.stage {
            Stage::Idle => None,
            Stage::Listing { call, .. } | Stage::Following { call } => call,
        };
        if waiting != Some(ending.number) {
            return None;
        }
        let listed = matches!(self.stage, Stage::Listing { .. });
        match ending.answer {
            Some(Answer::Full(full)) => {
                self.copy = Some(Copy::of(&full));
                self.heard = Heard::Yes;
            }
            Some(Answer::Delta(delta)) => {
                let copy = self.copy.as_mut().expect("changes are fetched by who has the whole");
                self.heard = Heard::Yes;
                if copy.apply(&delta) == Reconciled::Differs {
                    self.ask(ctx, Ask::Full);
                    return None;
                }
            }
            // The server would rather be asked for the whole.
            Some(Answer::Forbidden | Answer::NotFound) if ending.ask == Ask::Delta => {
                self.ask(ctx, Ask::Full);
                return None;
            }
            // What it has stays as it is.
            Some(Answer::Done | Answer::Forbidden | Answer::NotFound | Answer::Unavailable) | None => {
                self.rest();
                self.end_refresh(ctx);
                return None;
            }
        }
        self.rest();
        self.end_refresh(ctx);
        match self.ribbon {
            // Somebody waits for the list.
            _ if listed => {
                self.told = None;
                self.look()
            }
            Some(_) => None,
            None => self.look(),
        }
    }

    /// The balancer's list becomes the client's: what is new in it.
    fn look(&mut self) -> Option<News<'static>> {
        if std::mem::replace(&mut self.heard, Heard::No) == Heard::No {
            return None;
        }
        let listing = self.copy.as_ref()?.apps().listing(self.service).clone();
        let Some(before) = self.told.replace(listing.clone()) else { return Some(News::listed(listing)) };
        let changes = if Arc::ptr_eq(&before, &listing) { Vec::new() } else { changes(&before, &listing) };
        Some(News { listing, from: Origin::Changed(Cow::Owned(changes)) })
    }
}

/// What has changed from one list to another.
fn changes(before: &Listing, after: &Listing) -> Vec<Change> {
    let (mut old, mut new) = (before.endpoints.iter().peekable(), after.endpoints.iter().peekable());
    let mut changes = Vec::new();
    let mut change = |endpoint: Endpoint, up: bool| {
        changes.push(Change { revision: after.revision, after: before.revision, endpoint, up });
    };
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return changes,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.node.cmp(&new.node),
        };
        if order == Ordering::Less {
            old.next().into_iter().for_each(|&gone| change(gone, false));
        } else {
            let was = if order == Ordering::Equal { old.next() } else { None };
            new.next().into_iter().filter(|&is| was != Some(is)).for_each(|&is| change(is, true));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(revision: u64, nodes: &[(u32, u32)]) -> Listing {
        let endpoint =
            |&(node, weight)| Endpoint { node: NodeId(node), ordinal: node, zone: ZoneId(0), weight };
        Listing { service: ServiceId(0), revision, endpoints: nodes.iter().map(endpoint).collect() }
    }

    #[test]
    fn what_has_gone_come_and_changed_is_told_by_node() {
        let (before, after) =
            (listing(1, &[(1, 1), (2, 1), (4, 1)]), listing(2, &[(2, 5), (3, 1), (4, 1), (5, 1)]));
        let changes = changes(&before, &after);
        let told: Vec<_> = changes.iter().map(|change| (change.endpoint.node.0, change.up)).collect();
        assert_eq!(told, [(1, false), (2, true), (3, true), (5, true)]);
    }

    #[test]
    fn the_changes_lead_from_one_list_to_the_other() {
        let (mut before, after) = (listing(1, &[(1, 1), (2, 1)]), listing(2, &[(2, 1), (9, 1)]));
        changes(&before, &after).iter().for_each(|change| change.apply_to(&mut before));
        assert_eq!(before, after);
    }
}
