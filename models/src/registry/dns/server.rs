//! A DNS server: it answers from what it watches or from what it is told upstream, and remembers.

mod forwards;
mod ills;

use std::sync::Arc;

use schism_core::{Draws, Duration, NodeId, Time, ZoneId};

use self::forwards::{Asker, Forwards};
use super::answer::{Answer, Said};
use super::api::{Msg, Timer};
use super::cache::{Cache, Found};
use super::past::Past;
use super::zone::Priority;
use super::{Backing, Config};
use crate::cache::Reads;
use crate::listing::{Listing, ServiceId};
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::{self, AideSeat, AnyAddress, AnySubscriber, Layout, Layouts, News, Seat, Then};
use crate::waits::Wait;

/// Where a server sits.
#[derive(Clone, Debug)]
pub struct ServerSeat {
    seat: Seat<Config>,
    /// The registry that it watches; none, if it forwards to the servers of a zone.
    behind: Option<AnyAddress>,
}

/// One server of one service's name.
#[derive(Clone, Debug)]
pub struct Server {
    seat: Seat<Config>,
    service: ServiceId,
    source: Source,
    /// What was answered before: one answer for all, or one for each zone where servers prefer the near.
    cache: Option<Cache<Option<ZoneId>>>,
    luck: Draws,
    booted: Time,
}

/// So long does CoreDNS put off its start for the sake of a list (plugin/kubernetes/setup.go): nothing listens until then.
/// In the model it says that it cannot tell, and does not remember that.
const START: Duration = Duration::from_secs(5);

/// Where its answers come from.
#[derive(Clone, Debug)]
enum Source {
    /// It watches another registry.
    Watches(Box<Watches>),
    /// It asks the servers of the zone.
    Forwards(Forwards),
}

/// What a server knows of another registry.
#[derive(Clone, Debug)]
struct Watches {
    subscriber: AnySubscriber,
    listing: Option<Arc<Listing>>,
    past: Past,
}

impl Server {
    /// A server starts, and knows nothing.
    pub fn boot(ServerSeat { seat, behind }: &ServerSeat, ctx: &mut Ctx<'_>) -> Server {
        let service = seat.layout.service_of(seat.me);
        let zone = seat.layout.aides[seat.me].zone;
        let source = match behind {
            None => Source::Forwards(Forwards::new(seat, ctx)),
            Some(address) => {
                let mut subscriber = AnySubscriber::new(address, zone, service, ctx);
                // It answers from what it has, however old: CoreDNS from its informers' store, Consul from any server
                // (`allow_stale`, and up to ten years, `max_stale`).
                subscriber.list(ctx, Reads::Serializable, Then::Watch);
                Source::Watches(Box::new(Watches { subscriber, listing: None, past: Past::default() }))
            }
        };
        Server {
            seat: seat.clone(),
            service,
            source,
            cache: seat.config.cache.map(Cache::new),
            luck: ctx.luck("answers").draw().many(),
            booted: ctx.now(),
        }
    }

    /// A message has come: a datagram, or from the registry that it watches.
    pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &registry::Msg) {
        if let registry::Msg::Dns(msg) = msg {
            self.on_datagram(ctx, from, msg);
        } else if let Source::Watches(watches) = &mut self.source
            && let Some(news) = watches.subscriber.on_message(ctx, from, msg)
        {
            watches.on_news(ctx, news);
        }
    }

    /// A timer has fired: its own, or that of the registry that it watches.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: registry::Timer) {
        if let registry::Timer::Dns(timer) = timer {
            self.on_own_timer(ctx, timer);
        } else if let Source::Watches(watches) = &mut self.source
            && let Some(news) = watches.subscriber.on_timer(ctx, timer)
        {
            watches.on_news(ctx, news);
        }
    }

    fn on_datagram(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) {
        match msg {
            Msg::Query { number, service, zone } => {
                assert_eq!(*service, self.service, "each server answers for one name");
                self.on_query(ctx, Asker { node: from, number: *number, zone: *zone });
            }
            Msg::Answer { number, answer } => self.on_upstream(ctx, *number, answer),
            Msg::Check => ctx.send(from, Msg::Checked.into()),
            Msg::Checked => {
                if let Source::Forwards(forwards) = &mut self.source {
                    forwards.on_checked(from);
                }
            }
        }
    }

    fn on_own_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        let Source::Forwards(forwards) = &mut self.source else { return };
        match timer {
            Timer::Upstream(number) => {
                let failed = forwards.on_late(ctx, number);
                self.give_up(ctx, failed);
            }
            Timer::CheckAgain(upstream) => forwards.check(ctx, upstream),
            Timer::Unchecked(upstream, check) => forwards.on_unchecked(ctx, upstream, check),
            Timer::Unanswered(_) | Timer::LookUp(_) | Timer::Settle | Timer::Forgive | Timer::Late => {}
        }
    }

    /// The connection to a peer is gone, or nothing listens there.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match &mut self.source {
            Source::Watches(watches) => watches.subscriber.on_reset(ctx, peer),
            Source::Forwards(forwards) => forwards.on_unreachable(ctx, peer),
        }
    }

    /// What each of its tasks waits for.
    pub fn waits(&self) -> Vec<Wait> {
        match &self.source {
            Source::Watches(watches) => watches.subscriber.waits(),
            Source::Forwards(forwards) => forwards.waits(),
        }
    }

    /// Those with an open connection: of the registry's.
    pub fn peers(&self) -> Vec<NodeId> {
        match &self.source {
            Source::Watches(watches) => watches.subscriber.peers(),
            Source::Forwards(_) => Vec::new(),
        }
    }

    /// What answers to these askers may differ by.
    fn key(&self, zone: ZoneId) -> Option<ZoneId> {
        match self.seat.config.rules.priority {
            Priority::OwnZone => Some(zone),
            Priority::None | Priority::ZoneOrder => None,
        }
    }

    fn on_query(&mut self, ctx: &mut Ctx<'_>, asker: Asker) {
        let luck = self.luck.draw();
        if ills::ignores(ctx, luck) {
            return;
        }
        let now = ctx.now();
        match self.cache.as_ref().map_or(Found::Nothing, |cache| cache.find(now, &self.key(asker.zone))) {
            Found::Fresh(answer) => self.reply(ctx, asker, &answer),
            Found::Stale(answer) => {
                self.reply(ctx, asker, &answer);
                self.fetch(ctx, Asker { number: REFRESH, ..asker });
            }
            Found::Nothing => self.fetch(ctx, asker),
        }
    }

    /// Gets an answer from where answers come from.
    fn fetch(&mut self, ctx: &mut Ctx<'_>, asker: Asker) {
        let luck = self.luck.draw();
        match &mut self.source {
            Source::Watches(watches) => {
                let listing = watches.listing.as_ref();
                if listing.is_none() && ctx.now().since(self.booted) < START {
                    return self.give_up(ctx, Some(asker));
                }
                let listing = ills::aged(ctx, &watches.past, listing).or(listing);
                // It has not been told anything yet (plugin/kubernetes: SERVFAIL until it has synced).
                let answer = listing.map_or(Answer::SERVFAIL, |listing| {
                    self.seat.config.rules.answer(listing, asker.zone, luck)
                });
                self.take(ctx, asker, answer);
            }
            Source::Forwards(forwards) => {
                let failed = forwards.ask(ctx, asker, luck);
                self.give_up(ctx, failed);
            }
        }
    }

    fn on_upstream(&mut self, ctx: &mut Ctx<'_>, number: u32, answer: &Answer) {
        if let Source::Forwards(forwards) = &mut self.source
            && let Some(asker) = forwards.on_answer(number)
        {
            self.take(ctx, asker, answer.clone());
        }
    }

    /// An answer is there: it is remembered, and told to who waits for it.
    fn take(&mut self, ctx: &mut Ctx<'_>, asker: Asker, answer: Answer) {
        let luck = self.luck.draw();
        let mut answer = ills::spoilt(ctx, &self.seat, self.service, luck, answer);
        let key = self.key(asker.zone);
        if let Some(cache) = &mut self.cache {
            answer = cache.store(ctx.now(), key, answer);
        }
        self.reply(ctx, asker, &answer);
    }

    /// No upstream has answered: the asker is told, and nothing is remembered.
    fn give_up(&mut self, ctx: &mut Ctx<'_>, asker: Option<Asker>) {
        if let Some(asker) = asker {
            self.reply(ctx, asker, &Answer::SERVFAIL);
        }
    }

    fn reply(&mut self, ctx: &mut Ctx<'_>, asker: Asker, answer: &Answer) {
        if asker.number == REFRESH {
            return;
        }
        ctx.observe(Observation::Read);
        let luck = self.luck.draw();
        let answer = match answer.said {
            Said::Records(_) => ills::shuffled(ctx, luck, answer.reordered(luck)),
            Said::NoData | Said::NxDomain | Said::ServFail => answer.clone(),
        };
        ctx.send(asker.node, Msg::Answer { number: asker.number, answer }.into());
    }
}

/// The number of a question that nobody waits for: a server's own, to have a fresh answer in its cache.
const REFRESH: u32 = 0;

impl Watches {
    /// The list is another: what it is now is what is answered from.
    fn on_news(&mut self, ctx: &Ctx<'_>, News { listing, .. }: News<'_>) {
        self.past.note(ctx.now(), listing.clone());
        self.listing = Some(listing);
    }
}

impl Config {
    /// Where everyone is, without the DNS servers, and with no other aides than those: they are the last of those that
    /// are apart.
    pub(in crate::registry) fn layouts(&self, layout: Layout) -> (Arc<Layout>, Arc<Layout>) {
        let apart = layout.aides.iter().filter(|aide| aide.host.is_none()).count();
        let servers = self.servers as usize * layout.services.len();
        let own = apart - servers..apart;
        let front = Layout { aides: layout.aides[own.clone()].to_vec(), ..layout.clone() };
        let mut behind = layout;
        behind.aides.drain(own);
        (Arc::new(behind), Arc::new(front))
    }

    /// The seats of all aides: those of the registry behind that are apart, the DNS servers, and the others.
    pub(in crate::registry) fn aide_seats(&self, layouts: &Layouts) -> Vec<AideSeat> {
        let config = Arc::new(self.clone());
        let behind = match &self.backing {
            Backing::Zone => None,
            Backing::Registry(backing) => backing.address(&layouts.authority),
        };
        let servers = (0..layouts.front.aides.len()).map(|me| {
            let seat = Seat { config: config.clone(), me, layout: layouts.front.clone() };
            AideSeat::Dns(ServerSeat { seat, behind: behind.clone() })
        });
        let mut seats = match &self.backing {
            Backing::Zone => Vec::new(),
            Backing::Registry(backing) => {
                let layouts =
                    Layouts { authority: layouts.authority.clone(), front: layouts.authority.clone() };
                backing.aide_seats(&layouts)
            }
        };
        let apart = layouts.authority.aides.iter().filter(|aide| aide.host.is_none()).count();
        seats.splice(apart..apart, servers);
        seats
    }
}

impl Layout {
    /// The servers of a service's name, and their zones: with several services, the servers are shared out among them.
    pub(super) fn dns_servers(&self, service: ServiceId) -> impl Iterator<Item = (NodeId, ZoneId)> {
        let of_service = self.aides.iter().skip(service.0.into()).step_by(self.services.len().max(1));
        of_service.map(|aide| (aide.node, aide.zone))
    }

    fn service_of(&self, server: usize) -> ServiceId {
        ServiceId((server % self.services.len().max(1)) as u16)
    }
}
