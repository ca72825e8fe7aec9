//! Clients: they offer load, look up whom to call, pick an endpoint, and wait no longer than their timeout.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use schism_core::{Distribution, Draw, Draws, Duration, NodeId, Time, ZoneId};

use crate::balancer::Balancer;
use crate::cache::{Cache, Feed, Reads};
use crate::listing::{Endpoint, InFlight, Listing, ServiceId, View};
use crate::node::{Attempt, Ctx, Message, Reply, Timer};
use crate::observation::{Observation, Outcome};
use crate::plight::Pushed;
use crate::registry::etcd::api::{Answer, Ask};
use crate::registry::etcd::session::Session;
use crate::registry::etcd::subscriber::{News, Then};
use crate::registry::etcd::{self, Address, Subscriber};
use crate::{balancer, cache};

/// One client group: all its members are alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What they call.
    pub calls: Callee,
    /// When they call.
    pub arrivals: Arrivals,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long one request may take, with the time spent finding an endpoint; `None` is no bound of its own.
    pub deadline: Option<Duration>,
    /// How an endpoint is picked.
    pub balancer: balancer::Config,
    /// How endpoints are learnt.
    pub cache: cache::Config,
}

/// What a client group calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// The service with this index in the scenario.
    Service(usize),
    /// The registry itself, as a key-value store.
    Registry(Operation),
}

/// One operation on the registry as a key-value store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Write a key of the client's own.
    Put,
    /// Read through the leader and a quorum.
    Get,
    /// Read what the member that was asked has.
    GetSerializable,
}

/// When requests arrive, per client.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Independent arrivals: exponential gaps with this mean.
    Poisson(Duration),
    /// One every so long, from a random phase.
    Constant(Duration),
    /// The next request a think time after the last has ended.
    Closed(Distribution),
}

/// Where a client sits.
#[derive(Clone, Debug)]
pub struct Desk {
    /// What it does.
    pub config: Arc<Config>,
    /// Where it runs.
    pub zone: ZoneId,
    /// Where it learns whom to call.
    pub directory: Directory,
}

/// Where a client learns whom to call.
#[derive(Clone, Debug)]
pub enum Directory {
    /// It is told at the start, once and for all.
    Fixed(Arc<Listing>),
    /// From the registry.
    Registry {
        /// Where that is.
        address: Address,
        /// The service it calls.
        service: ServiceId,
    },
    /// It calls the registry itself.
    Itself(Address),
}

/// One client.
#[derive(Clone, Debug)]
pub struct Client {
    desk: Arc<Desk>,
    /// One draw for each request, in order: a function of the client and the request's number alone. All that belongs
    /// to the request is derived from it.
    requests: Draws,
    gap: Gap,
    balancer: balancer::Any,
    source: Source,
    /// Whether the witnesses have been told of a list that may still be in use.
    sighted: bool,
    in_flight: InFlight,
    calls: Vec<Call>,
    /// The first free place among them.
    free: u32,
    /// Until when each attempt may take, soonest first; some are over by now. While there are any, a timer is set for
    /// the first of them or sooner: one timer for many attempts, nearly all of which end well before.
    patience: VecDeque<(Time, Attempt)>,
    /// How many requests there have been.
    offered: u32,
}

/// Where the client's lists come from.
#[derive(Clone, Debug)]
enum Source {
    Fixed(Arc<Listing>),
    Registry { subscriber: Subscriber, cache: cache::Any },
    Itself(Session),
}

/// When the next request comes.
#[derive(Clone, Debug)]
enum Gap {
    AfterLast(Distribution),
    AfterEnd(Distribution),
}

/// A request's life: it looks for an endpoint, tries one, and is over.
#[derive(Clone, Copy, Debug)]
struct Call {
    request: u32,
    /// The true moment at which it was offered, for the witnesses alone.
    offered: Time,
    /// The same by the client's own clock.
    since: Time,
    luck: Draw,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// No request: the place is free, and so is that.
    Over { next: u32 },
    /// It waits for a list.
    Resolving,
    /// An attempt is under way.
    Trying(Endpoint),
    /// The registry has been asked.
    Asking { member: NodeId, call: u32 },
}

/// No place is free.
const NO_PLACE: u32 = u32::MAX;

/// Labels of what is derived from a request's luck, and from an attempt's.
const GAP: u64 = 0;
const FIRST_ATTEMPT: u64 = 16;
const OUTWARD_HOP: u64 = 1;
const PICK: u64 = 4;

/// A closed loop whose requests and think time take no time at all would never let time pass.
const LEAST_CYCLE: Duration = Duration::from_nanos(1_000);
/// After a request that failed at once, a closed loop waits at least this long.
const LEAST_PAUSE: Duration = Duration::from_millis(1);

impl Client {
    /// A client starts: it learns whom to call, and its first request comes after a gap of its own.
    pub fn boot(desk: &Arc<Desk>, ctx: &mut Ctx<'_>) -> Client {
        let mut starts = ctx.luck("start");
        let (gap, first) = match &desk.config.arrivals {
            Arrivals::Poisson(mean) => {
                let gap = Distribution::exponential(*mean).expect("a checked scenario has a positive rate");
                (Gap::AfterLast(gap.clone()), starts.sample(&gap))
            }
            Arrivals::Constant(every) => {
                let phase = Duration::from_secs_f64(every.as_secs_f64() * starts.draw().unit());
                (
                    Gap::AfterLast(
                        Distribution::constant(*every).expect("a checked scenario's gap is in range"),
                    ),
                    phase,
                )
            }
            Arrivals::Closed(think) => (Gap::AfterEnd(think.clone()), starts.sample(think)),
        };
        ctx.after(first, Timer::Arrival);
        let source = match &desk.directory {
            Directory::Fixed(listing) => Source::Fixed(listing.clone()),
            Directory::Registry { address, service } => Source::Registry {
                subscriber: Subscriber::new(address, desk.zone, *service, ctx),
                cache: cache::Any::new(desk.config.cache),
            },
            Directory::Itself(address) => Source::Itself(Session::new(address, desk.zone, ctx)),
        };
        let mut client = Client {
            desk: desk.clone(),
            requests: ctx.luck("requests").draw().many(),
            gap,
            balancer: balancer::Any::new(desk.config.balancer, &mut ctx.luck("balancer")),
            source,
            sighted: false,
            in_flight: InFlight::default(),
            calls: Vec::new(),
            free: NO_PLACE,
            patience: VecDeque::new(),
            offered: 0,
        };
        client.begin_discovery(ctx);
        client
    }

    /// The instances that it has asked, and the registry member.
    pub fn peers(&self) -> Vec<NodeId> {
        let instances = self.calls.iter().filter_map(|call| match call.stage {
            Stage::Trying(endpoint) => Some(endpoint.node),
            Stage::Over { .. } | Stage::Resolving | Stage::Asking { .. } => None,
        });
        let member = match &self.source {
            Source::Fixed(_) => None,
            Source::Registry { subscriber, .. } => Some(subscriber.member()),
            Source::Itself(session) => Some(session.member()),
        };
        instances.chain(member).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// A request arrives.
    pub fn on_arrival(&mut self, ctx: &mut Ctx<'_>) {
        let luck = self.requests.draw();
        if let Gap::AfterLast(gap) = &self.gap {
            ctx.after(gap.sample(luck.derive(GAP)), Timer::Arrival);
        }
        ctx.observe(Observation::Offered);
        let request = self.offered;
        self.offered = self.offered.wrapping_add(1);
        let (offered, since) = (ctx.moment(), ctx.now());
        let slot = self.place(Call { request, offered, since, luck, stage: Stage::Resolving });
        self.seek(ctx, slot);
    }

    /// An instance has answered.
    pub fn on_reply(&mut self, ctx: &mut Ctx<'_>, from: NodeId, attempt: Attempt, reply: Reply) {
        if let Stage::Trying(endpoint) = self.stage(attempt)
            && endpoint.node == from
        {
            let outcome = match reply {
                Reply::Done => Outcome::Success,
                Reply::Full | Reply::Failed => Outcome::Rejected,
            };
            self.finish(ctx, attempt.slot, outcome);
        }
    }

    /// Time may be up for some attempts, or for requests that still look for an endpoint.
    pub fn on_time_out(&mut self, ctx: &mut Ctx<'_>) {
        while let Some(&(until, attempt)) = self.patience.front() {
            match self.stage(attempt) {
                Stage::Over { .. } | Stage::Asking { .. } => {}
                Stage::Resolving | Stage::Trying(_) if until > ctx.now() => {
                    return ctx.at(until, Timer::TimeOut);
                }
                Stage::Resolving => {
                    self.go_blind(ctx);
                    self.finish(ctx, attempt.slot, Outcome::NoEndpoint);
                }
                Stage::Trying(_) => {
                    let outcome = self.late(ctx.now(), attempt.slot);
                    self.finish(ctx, attempt.slot, outcome);
                }
            }
            self.patience.pop_front();
        }
    }

    /// A list that has run out is still what the client believes until a request has asked for another in vain.
    fn go_blind(&mut self, ctx: &mut Ctx<'_>) {
        if std::mem::replace(&mut self.sighted, false)
            && let Directory::Registry { service, .. } = self.desk.directory
        {
            ctx.observe(Observation::Blind(service));
        }
    }

    /// Waits for an attempt no longer than this.
    fn wait(&mut self, ctx: &mut Ctx<'_>, attempt: Attempt, patience: Duration) {
        let until = ctx.now() + patience;
        let place = self.patience.partition_point(|&(other, _)| other <= until);
        self.patience.insert(place, (until, attempt));
        if place == 0 {
            ctx.at(until, Timer::TimeOut);
        }
    }

    /// What ended an attempt that was not answered in time: its own time-out, or the request's deadline.
    fn late(&self, now: Time, slot: u32) -> Outcome {
        let spent = now.since(self.calls[slot as usize].since);
        let past = self.desk.config.deadline.is_some_and(|most| spent >= most);
        if past { Outcome::Deadline } else { Outcome::Timeout }
    }

    /// A peer's host has reset the connection: what was sent there has failed.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        for slot in 0..self.calls.len() as u32 {
            match self.calls[slot as usize].stage {
                Stage::Trying(endpoint) if endpoint.node == peer => self.finish(ctx, slot, Outcome::Connect),
                Stage::Asking { member, .. } if member == peer => self.finish(ctx, slot, Outcome::Connect),
                Stage::Over { .. } | Stage::Resolving | Stage::Trying(_) | Stage::Asking { .. } => {}
            }
        }
        match &mut self.source {
            Source::Fixed(_) => {}
            Source::Registry { subscriber, .. } => subscriber.on_reset(ctx, peer),
            Source::Itself(session) if session.member() == peer => session.turn_to_next(ctx),
            Source::Itself(_) => {}
        }
    }

    /// The registry has said something.
    pub fn on_registry(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &etcd::Msg) {
        match &mut self.source {
            Source::Fixed(_) => {}
            Source::Registry { subscriber, .. } => {
                if let Some(news) = subscriber.on_message(ctx, from, msg) {
                    self.on_news(ctx, news);
                }
            }
            Source::Itself(session) => {
                if let etcd::Msg::Answer { call, answer } = msg
                    && let Some(answer) = session.on_answer(ctx, *call, answer)
                {
                    self.on_operated(ctx, *call, answer);
                }
            }
        }
    }

    /// A call to the registry has taken too long.
    pub fn on_unanswered(&mut self, ctx: &mut Ctx<'_>, call: u32) {
        match &mut self.source {
            Source::Fixed(_) => {}
            Source::Registry { subscriber, .. } => subscriber.on_unanswered(ctx, call),
            Source::Itself(session) => {
                if session.on_unanswered(call) {
                    session.look_elsewhere();
                    if let Some(slot) = self.asked(call) {
                        self.finish(ctx, slot, Outcome::Timeout);
                    }
                }
            }
        }
    }

    /// It is time to try the registry again.
    pub fn on_resubscribe(&mut self, ctx: &mut Ctx<'_>) {
        if let Source::Registry { subscriber, .. } = &mut self.source {
            subscriber.on_retry(ctx);
        }
    }

    fn begin_discovery(&mut self, ctx: &mut Ctx<'_>) {
        match &mut self.source {
            Source::Fixed(listing) => {
                self.sighted = true;
                ctx.observe(Observation::View(listing.clone()));
            }
            Source::Registry { subscriber, .. } if self.desk.config.cache.feed() == Feed::Watch => {
                subscriber.list(ctx, Reads::Linearizable, Then::Watch);
            }
            Source::Registry { .. } | Source::Itself(_) => {}
        }
    }

    /// Sends the request to someone, or has it wait for a list.
    fn seek(&mut self, ctx: &mut Ctx<'_>, slot: u32) {
        let call = self.calls[slot as usize];
        match &mut self.source {
            Source::Fixed(listing) => {
                let listing = listing.clone();
                self.try_one(ctx, slot, &listing);
            }
            Source::Registry { cache, subscriber } => {
                if let Some(listing) = cache.view(ctx.now()) {
                    let listing = listing.clone();
                    return self.try_one(ctx, slot, &listing);
                }
                match self.desk.config.cache.feed() {
                    Feed::OnDemand(reads) => subscriber.list(ctx, reads, Then::Rest),
                    Feed::Watch if self.sighted => subscriber.list(ctx, Reads::Linearizable, Then::Watch),
                    // The first list is on its way.
                    Feed::Watch => {}
                }
                let patience =
                    self.desk.config.deadline.unwrap_or_else(|| timeout(ctx, self.desk.config.timeout));
                self.wait(ctx, Attempt { slot, request: call.request }, patience);
            }
            Source::Itself(session) => {
                let Callee::Registry(operation) = self.desk.config.calls else {
                    unreachable!("only who calls the registry has a session with it");
                };
                let member = session.member();
                ctx.observe(Observation::Attempt { to: member });
                let asked = session.ask(ctx, operation.ask(), self.desk.config.timeout);
                self.calls[slot as usize].stage = Stage::Asking { member, call: asked };
            }
        }
    }

    /// Sends the request to an endpoint of the list; there may be none.
    fn try_one(&mut self, ctx: &mut Ctx<'_>, slot: u32, listing: &Listing) {
        let Some(view) = View::new(&listing.endpoints, &self.in_flight) else {
            return self.finish(ctx, slot, Outcome::NoEndpoint);
        };
        let call = &mut self.calls[slot as usize];
        let luck = call.luck.derive(FIRST_ATTEMPT);
        let endpoint = view.endpoint(self.balancer.pick(&mut luck.derive(PICK).many(), view));
        call.stage = Stage::Trying(endpoint);
        self.in_flight.add(endpoint.ordinal);
        let attempt = Attempt { slot, request: call.request };
        let spent = ctx.now().since(call.since);
        let timeout = timeout(ctx, self.desk.config.timeout);
        let deadline = self.desk.config.deadline;
        let patience = deadline.map_or(timeout, |most| timeout.min(most.saturating_sub(spent)));
        ctx.observe(Observation::Attempt { to: endpoint.node });
        ctx.send_with(endpoint.node, Message::Request { attempt, luck }, luck.derive(OUTWARD_HOP));
        self.wait(ctx, attempt, patience);
    }

    /// The request is over, and its place free.
    fn finish(&mut self, ctx: &mut Ctx<'_>, slot: u32, outcome: Outcome) {
        let call = &mut self.calls[slot as usize];
        if let Stage::Trying(endpoint) = std::mem::replace(&mut call.stage, Stage::Over { next: self.free }) {
            self.in_flight.remove(endpoint.ordinal);
        }
        self.free = slot;
        ctx.observe(Observation::Done { offered: call.offered, outcome });
        if let Gap::AfterEnd(think) = &self.gap {
            let least = if outcome == Outcome::Success { LEAST_CYCLE } else { LEAST_PAUSE };
            let lasted = ctx.now().since(call.since);
            let think = think.sample(call.luck.derive(GAP)).max(least.saturating_sub(lasted));
            ctx.after(think, Timer::Arrival);
        }
    }

    fn on_news(&mut self, ctx: &mut Ctx<'_>, news: News<'_>) {
        let Source::Registry { cache, .. } = &mut self.source else { return };
        let now = ctx.now();
        let listing = match news {
            News::Listing(listing) => listing,
            News::Changes { changes, .. } => &changes.listing,
        };
        cache.on_listing(now, listing.clone());
        if let Some(held) = cache.view(now)
            && Arc::ptr_eq(held, listing)
        {
            let had = std::mem::replace(&mut self.sighted, true);
            tell(ctx, news, had);
        }
        let waiting: Vec<u32> = (0..self.calls.len() as u32)
            .filter(|&slot| matches!(self.calls[slot as usize].stage, Stage::Resolving))
            .collect();
        waiting.into_iter().for_each(|slot| self.try_one(ctx, slot, listing));
    }

    fn on_operated(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &Answer) {
        let outcome = match answer {
            Answer::Done | Answer::Granted { .. } | Answer::Listing(_) => Outcome::Success,
            Answer::Failed(_) => Outcome::Rejected,
        };
        if let Some(slot) = self.asked(call) {
            self.finish(ctx, slot, outcome);
        }
    }

    /// The place of the request that made this call to the registry.
    fn asked(&self, call: u32) -> Option<u32> {
        let asked = |place: &Call| matches!(place.stage, Stage::Asking { call: mine, .. } if mine == call);
        self.calls.iter().position(asked).map(|slot| slot as u32)
    }

    fn place(&mut self, call: Call) -> u32 {
        let slot = self.free;
        match self.calls.get_mut(slot as usize) {
            Some(place) => {
                if let Stage::Over { next } = std::mem::replace(place, call).stage {
                    self.free = next;
                }
                slot
            }
            None => {
                self.calls.push(call);
                self.calls.len() as u32 - 1
            }
        }
    }

    /// Where an attempt stands; it is over if its place has gone to another request.
    fn stage(&self, attempt: Attempt) -> Stage {
        let call = &self.calls[attempt.slot as usize];
        if call.request == attempt.request { call.stage } else { Stage::Over { next: NO_PLACE } }
    }
}

/// How long the client waits for an attempt: what was pushed to it last, or what it was given.
fn timeout(ctx: &mut Ctx<'_>, given: Duration) -> Duration {
    let pushed = ctx.plight().and_then(|plight| {
        plight.pushed().rev().find_map(|(by, pushed)| match pushed {
            Pushed::Timeout(timeout) => Some((by, timeout)),
            Pushed::Weight(_) => None,
        })
    });
    let Some((by, timeout)) = pushed else { return given };
    ctx.touch(by);
    timeout
}

/// Tells the witnesses what a client has come to believe: the change alone, if it held a list before.
fn tell(ctx: &mut Ctx<'_>, news: News<'_>, had: bool) {
    match news {
        News::Changes { changes, after } if had => {
            let service = changes.listing.service;
            for change in changes.changes.iter().filter(|change| change.revision > after) {
                ctx.observe(Observation::Believes { service, subject: change.endpoint.node, up: change.up });
            }
        }
        News::Changes { changes, .. } => ctx.observe(Observation::View(changes.listing.clone())),
        News::Listing(listing) => ctx.observe(Observation::View(listing.clone())),
    }
}

impl Operation {
    fn ask(self) -> Ask {
        match self {
            Operation::Put => Ask::Put,
            Operation::Get => Ask::Get { reads: Reads::Linearizable },
            Operation::GetSerializable => Ask::Get { reads: Reads::Serializable },
        }
    }
}
