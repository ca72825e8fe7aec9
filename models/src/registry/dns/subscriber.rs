//! How a client learns from DNS who is there: its resolver looks up, and it uses all addresses or the first.

use std::sync::Arc;

use schism_core::{Draws, Duration, NodeId, Time, ZoneId};

use super::Config;
use super::answer::{Answer, Kind, Preference, Records, Said};
use super::api::{Msg, Timer};
use super::cache::{Cache, Found};
use super::resolver::{Loop, Mode, Outcome, Verdict};
use super::srv;
use super::stub::{MOST_SERVERS, Query, Step, Stub};
use crate::cache::Reads;
use crate::failpoint::{Pass, Passes, Point};
use crate::listing::{Endpoint, Listing, ServiceId};
use crate::node::Ctx;
use crate::registry::{self, Address, News, Then};
use crate::waits::Wait;

/// Which of the addresses of an answer a client uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Using {
    /// All: its balancer picks. Of SRV records, all of the lowest priority.
    All,
    /// The first, and the next when its connection fails: what a program does that hands addresses to `connect` in turn.
    First,
}

/// A client's side of discovery by DNS.
#[derive(Clone, Debug)]
pub struct Subscriber {
    config: Arc<Config>,
    service: ServiceId,
    zone: ZoneId,
    stub: Stub,
    looks: Loop,
    /// What is remembered in the process itself.
    cache: Option<Cache<()>>,
    /// Whether it has been asked to stay current.
    mode: Option<Mode>,
    /// The records in use.
    held: Option<Records>,
    /// The greatest revision that it has been told of.
    revision: u64,
    /// Whose connections have failed, and until when they are passed over.
    failed: Vec<(NodeId, Time)>,
    /// The number of the time that is set for the next lookup.
    alarm: u32,
    /// An outcome that is told as soon as the event is over.
    settled: Option<Outcome>,
    luck: Draws,
    passes: Passes,
}

impl Subscriber {
    /// A client in `zone` that knows nothing yet.
    pub fn new(address: &Address<Config>, zone: ZoneId, service: ServiceId, ctx: &mut Ctx<'_>) -> Subscriber {
        let config = address.config.clone();
        let resolver = config.resolver;
        // Numbers of an earlier life must not come again: answers to them may still be on their way.
        let last = ctx.moment().as_nanos() as u32;
        let stub = resolver.stub(config.timeout, config.attempts);
        Subscriber {
            stub: Stub::new(stub, servers(address, zone, service, ctx), last),
            looks: resolver.start(),
            cache: resolver.cache().map(Cache::new),
            config,
            service,
            zone,
            mode: None,
            held: None,
            revision: 0,
            failed: Vec::new(),
            alarm: 0,
            settled: None,
            luck: ctx.luck("resolver").draw().many(),
            passes: Passes::default(),
        }
    }

    /// It looks up, unless it does so already.
    fn look_up(&mut self, ctx: &mut Ctx<'_>) {
        if self.stub.is_busy() || self.settled.is_some() {
            return;
        }
        if let Some(Found::Fresh(answer)) = self.cache.as_ref().map(|cache| cache.find(ctx.now(), &())) {
            return self.settle(ctx, told(answer));
        }
        let query = self.stub.begin(ctx.now());
        self.send(ctx, query);
    }

    fn send(&self, ctx: &mut Ctx<'_>, query: Query) {
        let msg = Msg::Query { number: query.number, service: self.service, zone: self.zone };
        ctx.send(query.server, msg.into());
        ctx.after(query.patience, Timer::Unanswered(query.number).into());
    }

    fn look_up_at(&mut self, ctx: &mut Ctx<'_>, at: Time) {
        self.alarm += 1;
        ctx.at(at, Timer::LookUp(self.alarm).into());
    }

    /// The outcome is there, and told as soon as this event is over.
    fn settle(&mut self, ctx: &mut Ctx<'_>, outcome: Outcome) {
        self.settled = Some(outcome);
        ctx.after(Duration::ZERO, Timer::Settle.into());
    }

    fn on_step(&mut self, ctx: &mut Ctx<'_>, step: Step) -> Option<News<'static>> {
        match step {
            Step::Waits => None,
            Step::Asks(query) => {
                self.send(ctx, query);
                None
            }
            Step::Ends(answer) => {
                let outcome = self.remember(ctx.now(), answer);
                self.on_outcome(ctx, outcome)
            }
        }
    }

    /// What a lookup has come to, where there is a cache in the process: what is past its time may do for want of better.
    fn remember(&mut self, now: Time, answer: Option<Answer>) -> Outcome {
        let Some(cache) = &mut self.cache else { return answer.map_or(Outcome::Failed, told) };
        let good = answer.as_ref().is_some_and(|answer| matches!(answer.said, Said::Records(_)));
        if !good && let Found::Stale(answer) = cache.find(now, &()) {
            return told(answer);
        }
        told(cache.store(now, (), answer.unwrap_or(Answer::SERVFAIL)))
    }

    fn on_outcome(&mut self, ctx: &mut Ctx<'_>, outcome: Outcome) -> Option<News<'static>> {
        let mode = self.mode.expect("who looks up has been asked to");
        let verdict = self.config.resolver.verdict(mode, &outcome);
        let luck = self.luck.draw();
        if let Some(next) = self.looks.on_outcome(ctx.now(), verdict, luck)
            && mode == Mode::Stays
        {
            self.look_up_at(ctx, next);
        }
        match (verdict, outcome) {
            (Verdict::Takes, Outcome::Told(Answer { said: Said::Records(records), .. })) => {
                self.revision = self.revision.max(records.listing.revision);
                self.held = Some(records);
                self.show()
            }
            (Verdict::Takes | Verdict::Empties, _) => {
                self.held = None;
                Some(News::listed(self.listing(Vec::new())))
            }
            (Verdict::Keeps, _) => None,
        }
    }

    /// What the SRV records in use go by, if they are that.
    fn preference(&self) -> Option<Preference> {
        match self.held.as_ref()?.kind {
            Kind::Address => None,
            Kind::Service(preference) => Some(preference),
        }
    }

    /// The addresses in use, of those that it has.
    fn show(&self) -> Option<News<'static>> {
        let records = self.held.as_ref()?;
        let failed: Vec<NodeId> = self.failed.iter().map(|&(node, _)| node).collect();
        let all = &records.listing;
        let listing = match (self.config.using, records.kind) {
            (Using::First, _) => self.listing(srv::first(records, &failed).into_iter().collect()),
            (Using::All, Kind::Address) => all.clone(),
            (Using::All, Kind::Service(preference)) => {
                let due = srv::due(&all.endpoints, preference, &failed);
                if due.len() == all.endpoints.len() { all.clone() } else { self.listing(due) }
            }
        };
        Some(News::listed(listing))
    }

    fn listing(&self, endpoints: Vec<Endpoint>) -> Arc<Listing> {
        Arc::new(Listing { service: self.service, revision: self.revision, endpoints })
    }
}

impl registry::Subscriber for Subscriber {
    type Msg = Msg;
    type Timer = Timer;

    fn waits(&self) -> Vec<Wait> {
        self.stub.waits()
    }

    /// How it reads is nothing that DNS knows of.
    fn list(&mut self, ctx: &mut Ctx<'_>, _: Reads, then: Then) {
        self.mode = Some(match then {
            Then::Rest => Mode::OnDemand,
            Then::Watch => Mode::Stays,
        });
        if self.stub.is_busy() || self.settled.is_some() {
            return;
        }
        match self.passes.pass(ctx, Point::ClientList) {
            Pass::Clear => self.look_up(ctx),
            Pass::Late(by) => ctx.after(by, Timer::Late.into()),
            Pass::Fails(_) => self.settle(ctx, Outcome::Failed),
            Pass::Ends => {}
        }
    }

    fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, _: NodeId, msg: &'a Msg) -> Option<News<'a>> {
        match msg {
            Msg::Answer { number, answer } => {
                let step = self.stub.on_answer(ctx.now(), *number, answer);
                self.on_step(ctx, step)
            }
            Msg::Query { .. } | Msg::Check | Msg::Checked => None,
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) -> Option<News<'static>> {
        match timer {
            Timer::Unanswered(number) => {
                let step = self.stub.on_timeout(ctx.now(), number);
                self.on_step(ctx, step)
            }
            Timer::LookUp(alarm) => {
                if alarm == self.alarm {
                    self.look_up(ctx);
                }
                None
            }
            Timer::Late => {
                self.look_up(ctx);
                None
            }
            Timer::Settle => {
                let outcome = self.settled.take()?;
                self.on_outcome(ctx, outcome)
            }
            Timer::Forgive => {
                let now = ctx.now();
                let before = self.failed.len();
                self.failed.retain(|&(_, until)| until > now);
                (self.failed.len() < before).then(|| self.show()).flatten()
            }
            Timer::Upstream(_) | Timer::CheckAgain(_) | Timer::Unchecked(..) => None,
        }
    }

    /// A host may say that nothing listens at its port.
    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match self.stub.on_unreachable(ctx.now(), peer) {
            Step::Waits => {}
            Step::Asks(query) => self.send(ctx, query),
            Step::Ends(answer) => {
                let outcome = self.remember(ctx.now(), answer);
                self.settle(ctx, outcome);
            }
        }
    }

    /// There is no connection to drop; it looks up.
    fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        if self.mode.is_some() {
            self.look_up(ctx);
        }
    }

    /// gRPC's channels ask their resolver to look up again, and programs do for the next connection.
    fn on_failure(&mut self, ctx: &mut Ctx<'_>, node: NodeId) -> Option<News<'static>> {
        let mode = self.mode?;
        if !self.held.as_ref()?.listing.lists(node) {
            return None;
        }
        if let Some(next) = self.looks.on_failure(ctx.now())
            && mode == Mode::Stays
            && !self.stub.is_busy()
        {
            self.look_up_at(ctx, next);
        }
        let selects = self.config.using == Using::First || self.preference().is_some();
        let known = self.failed.iter().any(|&(failed, _)| failed == node);
        if !selects || known || self.config.avoid == Duration::ZERO {
            return None;
        }
        self.failed.push((node, ctx.now() + self.config.avoid));
        ctx.after(self.config.avoid, Timer::Forgive.into());
        self.show()
    }

    /// Questions and answers are datagrams.
    fn peers(&self) -> Vec<NodeId> {
        Vec::new()
    }
}

/// An answer that says that it cannot tell is a failure.
fn told(answer: Answer) -> Outcome {
    match answer.said {
        Said::ServFail => Outcome::Failed,
        Said::Records(_) | Said::NoData | Said::NxDomain => Outcome::Told(answer),
    }
}

/// The servers that the client's resolver is configured with: those of its zone first, then the others, each part in an
/// order of its own.
fn servers(address: &Address<Config>, zone: ZoneId, service: ServiceId, ctx: &Ctx<'_>) -> Vec<NodeId> {
    let mut luck = ctx.luck("dns servers");
    let of_service = address.layout.dns_servers(service);
    let (mut near, mut far): (Vec<_>, Vec<_>) = of_service.partition(|server| server.1 == zone);
    luck.shuffle(&mut near);
    luck.shuffle(&mut far);
    near.into_iter().chain(far).map(|(node, _)| node).take(MOST_SERVERS).collect()
}
