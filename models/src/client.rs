//! Clients: they offer load, look up whom to call, pick an endpoint, and wait no longer than their timeout.

mod arrivals;
mod calls;
mod connections;
mod discovery;
mod health;
mod lock;
mod requests;
mod standings;
mod strains;
mod waits;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use schism_core::{Draw, Draws, Duration, NodeId, Time};

pub use self::arrivals::{Arrivals, Intensity, Pace};
pub use self::calls::Operation;
pub use self::connections::{Connections, OnTimeout, Pooling};
pub use self::discovery::Directory;
pub use self::health::HealthCheck;
pub use self::lock::{Fencing, GuardedWrite, Locking, Writes};

use self::connections::{Pool, Verdict};
use self::discovery::{Sight, Source};
use self::health::Checks;
use self::requests::{Origin, Request, Requests, Stage};
use self::strains::Strains;
use crate::balancer::Call;
use crate::cache::{self, Cache, Feed, Reads};
use crate::dice::Dice;
use crate::failpoint::{Pass, Passes, Point};
use crate::keys::Keys;
use crate::listing::{InFlight, Listing};
use crate::load::{Feedback, Load};
use crate::node::{Attempt, Ctx, Message, Reply, Timer};
use crate::observation::{Observation, Outcome};
use crate::picker::{self, Picker, Site};
use crate::plight::Pushed;
use crate::registry::Then;

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
    /// What each request is about.
    pub keys: Keys,
    /// How an endpoint is picked.
    pub picker: picker::Config,
    /// How endpoints are learnt.
    pub cache: cache::Config,
    /// How endpoints are reached.
    pub connections: Connections,
    /// How instances are checked, if they are.
    pub health_check: Option<HealthCheck>,
    /// How locks are used, if they call for those.
    pub locking: Option<Locking>,
}

/// What a client group calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// The service with this index in the scenario.
    Service(usize),
    /// The registry itself, as a key-value store.
    Registry(Operation),
    /// The same, for its locks.
    Locks,
}

/// Where a client sits.
#[derive(Clone, Debug)]
pub struct Desk {
    /// What it does.
    pub config: Arc<Config>,
    /// Where it runs, and among whom.
    pub site: Site,
    /// Where it learns whom to call.
    pub directory: Directory,
}

/// One client.
#[derive(Clone, Debug)]
pub struct Client {
    desk: Arc<Desk>,
    /// One draw for each request, in order: a function of the client and the request's number alone. All that belongs
    /// to the request is derived from it.
    luck: Draws,
    pace: Pace,
    picker: Picker,
    /// What the picker draws when its list has changed, or its time has come.
    changes: Draws,
    /// When the picker will be woken, if a timer is set for that.
    wakes: Option<Time>,
    source: Source,
    sight: Sight,
    in_flight: InFlight,
    /// The connections to instances, where attempts share them.
    pool: Option<Pool>,
    checks: Option<Checks>,
    /// Whether it has sent a request to an instance.
    has_called: bool,
    requests: Requests,
    strains: Strains,
    /// Until when each attempt may take, soonest first; some are over by now. While there are any, a timer is set for
    /// the first of them or sooner: one timer for many attempts, nearly all of which end well before.
    patience: VecDeque<(Time, Attempt)>,
    /// How many requests there have been.
    offered: u32,
    passes: Passes,
}

/// Labels of what is derived from a request's luck, and from an attempt's.
const GAP: u64 = 0;
const KEY: u64 = 1;
const FIRST_ATTEMPT: u64 = 16;
const OUTWARD_HOP: u64 = 1;
const CONNECTION: u64 = 5;
const PICK: u64 = 4;
const PROBE: u64 = 6;

impl Client {
    /// A client starts: it learns whom to call, and its first request comes after a gap of its own.
    pub fn boot(desk: &Arc<Desk>, ctx: &mut Ctx<'_>) -> Client {
        let (pace, first) = Pace::start(&desk.config.arrivals, ctx.now(), &mut ctx.luck("start"));
        ctx.after(first, Timer::Arrival);
        let pool = match desk.config.connections {
            Connections::Warm => None,
            Connections::Pooled(pooling) => Some(Pool::new(pooling, ctx.luck("pings").draw().many())),
        };
        let mut changes = ctx.luck("balancer").draw().many();
        let picker = Picker::new(&desk.config.picker, &desk.site, &mut Dice::new(changes.draw().many()));
        let mut client = Client {
            desk: desk.clone(),
            luck: ctx.luck("requests").draw().many(),
            pace,
            picker,
            changes,
            wakes: None,
            source: Source::new(desk, ctx),
            sight: Sight::Blind,
            in_flight: InFlight::default(),
            pool,
            checks: desk
                .config
                .health_check
                .map(|check| Checks::new(check, ctx.luck("health").draw().many())),
            has_called: false,
            requests: Requests::new(),
            strains: Strains::default(),
            patience: VecDeque::new(),
            // Numbers of an earlier life must not come again: its answers may still be on their way.
            offered: ctx.moment().as_nanos() as u32,
            passes: Passes::default(),
        };
        client.begin_discovery(ctx);
        client.on_plight(ctx);
        client
    }

    /// The instances that it has asked or is connected to, and the registry member.
    pub fn peers(&self) -> Vec<NodeId> {
        let instances = self.requests.stages().filter_map(|stage| match stage {
            Stage::Trying(endpoint) => Some(endpoint.node),
            Stage::Over { .. } | Stage::Resolving | Stage::Asking { .. } | Stage::Locking => None,
        });
        let connected = self.pool.iter().flat_map(Pool::peers);
        let checked = self.checks.iter().flat_map(Checks::peers);
        instances
            .chain(connected)
            .chain(checked)
            .chain(self.source.peers())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// A request arrives.
    pub fn on_arrival(&mut self, ctx: &mut Ctx<'_>) {
        let luck = self.luck.draw();
        if let Some(gap) = self.pace.on_arrival(ctx.now(), luck.derive(GAP)) {
            ctx.after(gap, Timer::Arrival);
        }
        let number = self.offered;
        self.offered = self.offered.wrapping_add(1);
        self.offer(ctx, luck, number, Origin::Own);
    }

    fn offer(&mut self, ctx: &mut Ctx<'_>, luck: Draw, number: u32, origin: Origin) {
        ctx.observe(Observation::Offered);
        let (offered, since) = (ctx.moment(), ctx.now());
        let (sent, stage) = (since, Stage::Resolving);
        let slot = self.requests.open(Request { number, offered, since, sent, luck, origin, stage });
        self.seek(ctx, slot);
    }

    /// An instance has answered.
    pub fn on_reply(
        &mut self,
        ctx: &mut Ctx<'_>,
        from: NodeId,
        attempt: Attempt,
        reply: Reply,
        load: Option<&Load>,
    ) {
        self.on_heard(ctx, from);
        if let Stage::Trying(endpoint) = self.requests.stage(attempt)
            && endpoint.node == from
        {
            let outcome = match reply {
                Reply::Done => Outcome::Success,
                Reply::Full => Outcome::Rejected,
                Reply::Failed => Outcome::Failed,
            };
            self.end(ctx, attempt.slot, outcome, load);
        }
    }

    /// An instance has said how loaded it is.
    pub fn on_load(&mut self, ctx: &mut Ctx<'_>, ordinal: u32, load: &Load) {
        self.picker.on_probed(ctx.now(), ordinal, load);
        self.set_alarm(ctx);
    }

    /// The picker may have something to do.
    pub fn on_wake(&mut self, ctx: &mut Ctx<'_>) {
        if self.wakes.is_some_and(|at| at <= ctx.now()) {
            self.wakes = None;
            let luck = self.changes.draw();
            self.picker.on_due(ctx.now(), &self.in_flight, &mut Dice::new(luck.many()));
            self.probe(ctx, luck.derive(PROBE));
            self.set_alarm(ctx);
        }
    }

    /// Sees to it that the picker is woken when it wants to be.
    #[inline]
    fn set_alarm(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(due) = self.picker.due()
            && self.wakes.is_none_or(|at| at > due)
        {
            self.wakes = Some(due);
            ctx.at(due, Timer::Wake);
        }
    }

    /// Asks those endpoints for their load that the picker wants to know of.
    #[inline]
    fn probe(&mut self, ctx: &mut Ctx<'_>, luck: Draw) {
        let mut luck = luck.many();
        while let Some(endpoint) = self.picker.next_probe() {
            let luck = luck.draw();
            let message = Message::LoadProbe { ordinal: endpoint.ordinal, luck };
            ctx.send_with(endpoint.node, message, luck.derive(OUTWARD_HOP));
        }
    }

    /// Time may be up for some attempts, or for requests that still look for an endpoint.
    pub fn on_time_out(&mut self, ctx: &mut Ctx<'_>) {
        while let Some(&(until, attempt)) = self.patience.front() {
            match self.requests.stage(attempt) {
                Stage::Over { .. } | Stage::Asking { .. } => {}
                Stage::Resolving | Stage::Trying(_) | Stage::Locking if until > ctx.now() => {
                    return ctx.at(until, Timer::TimeOut);
                }
                Stage::Locking => self.give_up_lock(ctx, attempt.slot),
                Stage::Resolving => {
                    self.go_blind(ctx);
                    self.finish(ctx, attempt.slot, Outcome::NoEndpoint);
                }
                Stage::Trying(endpoint) => {
                    let outcome = self.late(ctx.now(), attempt.slot);
                    self.finish(ctx, attempt.slot, outcome);
                    if self.pool.as_ref().is_some_and(|pool| pool.on_timeout() == OnTimeout::Close) {
                        self.give_up(ctx, endpoint.node);
                    }
                }
            }
            self.patience.pop_front();
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
        let spent = now.since(self.requests.get(slot).since);
        let past = self.desk.config.deadline.is_some_and(|most| spent >= most);
        if past { Outcome::Deadline } else { Outcome::Timeout }
    }

    /// An instance has said something.
    #[inline]
    pub fn on_heard(&mut self, ctx: &mut Ctx<'_>, from: NodeId) {
        if let Some(pool) = &mut self.pool {
            pool.on_heard(ctx, from);
        }
    }

    /// It may be time to do something about the connection of this number to an instance.
    pub fn on_connection(&mut self, ctx: &mut Ctx<'_>, peer: NodeId, number: u32) {
        let verdict = self.pool.as_mut().map(|pool| pool.on_due(ctx, peer, number));
        if verdict == Some(Verdict::GiveUp) {
            self.give_up(ctx, peer);
        }
    }

    /// Closes the connection to an instance, unless that has been done: what is on it has failed.
    fn give_up(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        ctx.hang_up(peer);
        self.on_disconnected(ctx, peer);
    }

    fn on_disconnected(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        if let Some(pool) = &mut self.pool {
            pool.forget(peer);
        }
        let sent = self.requests.at(|stage| match stage {
            Stage::Trying(endpoint) => endpoint.node == peer,
            Stage::Asking { member, .. } => member == peer,
            Stage::Over { .. } | Stage::Resolving | Stage::Locking => false,
        });
        for slot in sent {
            if let Stage::Asking { .. } = self.requests.get(slot).stage {
                self.tell_of_key(ctx, slot, None);
            }
            self.finish(ctx, slot, Outcome::Connect);
        }
        self.tell_of_failure(ctx, peer);
    }

    /// A peer's host has reset the connection: what was sent there has failed.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        self.on_disconnected(ctx, peer);
        self.on_check_reset(ctx, peer);
        let turn = self.source.on_reset(ctx, peer);
        self.on_turn(ctx, turn);
    }

    /// Sends the request to someone, or has it wait for a list.
    fn seek(&mut self, ctx: &mut Ctx<'_>, slot: u32) {
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
                    // The first list is on its way.
                    Feed::Watch if self.sight == Sight::Blind => {}
                    Feed::Watch => subscriber.list(ctx, Reads::Linearizable, Then::Watch),
                }
                let patience =
                    self.desk.config.deadline.unwrap_or_else(|| timeout(ctx, self.desk.config.timeout));
                let request = self.requests.get(slot).number;
                self.wait(ctx, Attempt { slot, request }, patience);
            }
            Source::Itself(_) => self.call(ctx, slot),
            Source::Locks(_) => self.contend(ctx, slot),
        }
    }

    /// Sends the request to an endpoint of the list; there may be none.
    fn try_one(&mut self, ctx: &mut Ctx<'_>, slot: u32, listing: &Arc<Listing>) {
        self.look_at(ctx, listing);
        let request = self.requests.get(slot);
        let luck = request.luck.derive(FIRST_ATTEMPT);
        let hot = self.hot_key(ctx, request.luck);
        let call = Call::new(&self.desk.config.keys, request.luck.derive(KEY), hot)
            .from_source(self.desk.site.seat.index.into());
        let dice = &mut Dice::new(luck.derive(PICK).many());
        let Some(endpoint) = self.picker.pick(ctx.now(), &self.in_flight, &call, dice) else {
            return self.finish(ctx, slot, Outcome::NoEndpoint);
        };
        // Keys that requests share are numbered from 0, with fewer than 2^32 of them.
        let key = call.key().map(|key| key as u32);
        self.requests.send(slot, endpoint, ctx.now());
        self.in_flight.add(endpoint.ordinal);
        self.has_called = true;
        self.probe(ctx, luck.derive(PROBE));
        let attempt = Attempt { slot, request: request.number };
        let spent = ctx.now().since(request.since);
        let timeout = timeout(ctx, self.desk.config.timeout);
        let deadline = self.desk.config.deadline;
        let patience = deadline.map_or(timeout, |most| timeout.min(most.saturating_sub(spent)));
        ctx.observe(Observation::Attempt { to: endpoint.node, request: request.number, key });
        if let Some(pool) = &mut self.pool {
            pool.take(ctx, endpoint.node, luck.derive(CONNECTION));
        }
        match self.passes.pass(ctx, Point::ClientSend) {
            Pass::Clear => self.deliver(ctx, endpoint.node, attempt, luck),
            Pass::Late(by) => ctx.after(by, Timer::SendLate { attempt }),
            Pass::Fails(_) => return self.finish(ctx, slot, Outcome::Connect),
            Pass::Ends => {}
        }
        self.wait(ctx, attempt, patience);
    }

    /// An attempt that was put off at a failpoint is sent now, unless it is over.
    pub fn on_send_late(&mut self, ctx: &mut Ctx<'_>, attempt: Attempt) {
        if let Stage::Trying(endpoint) = self.requests.stage(attempt) {
            let luck = self.requests.get(attempt.slot).luck.derive(FIRST_ATTEMPT);
            self.deliver(ctx, endpoint.node, attempt, luck);
        }
    }

    /// Sends an attempt, on the connection to the instance where there is one.
    fn deliver(&self, ctx: &mut Ctx<'_>, to: NodeId, attempt: Attempt, luck: Draw) {
        let (message, hop) = (Message::Request { attempt, luck }, luck.derive(OUTWARD_HOP));
        match self.pool {
            None => ctx.send_with(to, message, hop),
            Some(_) => ctx.stream_with(to, message, hop),
        }
    }

    /// The picker is to pick from this list from now on.
    #[inline]
    fn look_at(&mut self, ctx: &mut Ctx<'_>, listing: &Arc<Listing>) {
        if !self.picker.holds(listing) {
            self.check_health_of(ctx, listing);
            let dice = &mut Dice::new(self.changes.draw().many());
            self.picker.on_listing(ctx.now(), listing, &self.in_flight, dice);
            self.set_alarm(ctx);
        }
    }

    /// The request is over, and its place free.
    fn finish(&mut self, ctx: &mut Ctx<'_>, slot: u32, outcome: Outcome) {
        self.end(ctx, slot, outcome, None);
    }

    /// The same, with what the instance said of its load.
    fn end(&mut self, ctx: &mut Ctx<'_>, slot: u32, outcome: Outcome, load: Option<&Load>) {
        let request = self.requests.close(slot);
        if let Stage::Trying(endpoint) = request.stage {
            self.in_flight.remove(endpoint.ordinal);
            let latency = ctx.now().since(request.sent);
            self.picker.on_reply(ctx.now(), endpoint.ordinal, &Feedback { latency, outcome, load });
            if let Some(pool) = &mut self.pool {
                pool.leave(endpoint.node);
            }
        }
        ctx.observe(Observation::Done { offered: request.offered, outcome });
        let lasted = ctx.now().since(request.since);
        if let Some(pause) = self.pace.on_end(request.luck.derive(GAP), lasted, outcome) {
            match request.origin {
                Origin::Own => ctx.after(pause, Timer::Arrival),
                Origin::Surge(number) => self.on_surge_end(ctx, number, pause),
            }
        }
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
