//! A server: it takes what it is told, tells its peers, evicts what it no longer hears of, and answers from caches.

mod ails;
mod fetch;
mod late;
mod replicate;
mod start;
mod writes;

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Luck, NodeId, Time};

use self::late::Late;
use self::replicate::Peer;
use self::start::Stage;
use super::api::{Answer, Ask, Msg};
use super::apps::{Info, Stamp};
use super::cache::{Key, ResponseCache};
use super::clockwork::Clockwork;
use super::delta::Queue;
use super::history::History;
use super::preservation::{MINUTE, Preservation};
use super::table::Table;
use super::{Config, Disk, Start};
use crate::failpoint::Passes;
use crate::holdings::Keeps;
use crate::node::Ctx;
use crate::plight::Plight;
use crate::registry::ail::{Ghosts, Throttles};
use crate::registry::{Seat, Server};

/// What a server reminds itself of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// One of its timer threads wakes.
    Wakes(Thread),
    /// It tries once more to copy the registry from a peer.
    Sync,
    /// A batch may leave for a peer.
    Depart {
        /// The peer's place among the peers.
        peer: u16,
    },
    /// A batch has taken too long.
    Unanswered {
        /// The peer's place among the peers.
        peer: u16,
        /// The number of the batch.
        number: u32,
    },
    /// It is time for something that was put off.
    Late {
        /// Its number.
        number: u32,
    },
}

/// The timer threads of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Thread {
    /// A minute of renewals is over.
    Minute,
    /// Expired leases are evicted.
    Evict,
    /// Old changes are swept out of the delta queue.
    Sweep,
    /// What clients are told is copied.
    Copy,
    /// The number of instances that should be renewing is counted anew.
    Recount,
}

/// A server (eureka-core, registry/PeerAwareInstanceRegistryImpl.java, 1.10).
#[derive(Clone, Debug)]
pub struct Member {
    seat: Seat<Config>,
    stamp: Stamp,
    stage: Stage,
    table: Table,
    preservation: Preservation,
    queue: Queue,
    cache: ResponseCache,
    history: History,
    timers: Timers,
    /// When expired leases were last evicted, by the monotonic clock, which goes on while the wall clock steps.
    evicted: Option<Time>,
    /// Which of the expired are evicted.
    luck: Luck,
    peers: Vec<Peer>,
    clients: BTreeSet<NodeId>,
    /// Instances that have gone, and stay on the lists.
    ghosts: Ghosts<Info>,
    /// What is left of the requests that throttles let through.
    throttles: Throttles,
    passes: Passes,
    /// What was put off at a failpoint, by number.
    late: BTreeMap<u32, Late>,
    last_late: u32,
}

/// The timer threads.
#[derive(Clone, Copy, Debug)]
struct Timers {
    minute: Clockwork,
    evict: Clockwork,
    sweep: Clockwork,
    copy: Clockwork,
    recount: Clockwork,
}

impl Timers {
    fn of(&mut self, thread: Thread) -> &mut Clockwork {
        match thread {
            Thread::Minute => &mut self.minute,
            Thread::Evict => &mut self.evict,
            Thread::Sweep => &mut self.sweep,
            Thread::Copy => &mut self.copy,
            Thread::Recount => &mut self.recount,
        }
    }
}

impl Server for Member {
    type Msg = Msg;
    type Timer = super::Timer;

    fn keeps(&self) -> Keeps {
        Keeps { watches: 0, sessions: self.table.len(), pending: self.late.len() }
    }

    fn is_peer(&self) -> bool {
        true
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        if self.refuses(ctx, from, &msg) {
            return;
        }
        if self.hears(ctx, from, &msg) {
            self.hear(ctx, from, msg);
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) {
        match timer {
            super::Timer::Member(timer) => self.on_own_timer(ctx, timer),
            super::Timer::Unanswered { call, tries } => self.on_sync_unanswered(ctx, call, tries),
            super::Timer::Overdue { .. }
            | super::Timer::Heartbeat
            | super::Timer::RenewLate { .. }
            | super::Timer::Replicator
            | super::Timer::RegisterLate(_)
            | super::Timer::Refresh
            | super::Timer::RefreshLate { .. }
            | super::Timer::ListLate
            | super::Timer::Ribbon => unreachable!("a server has no {timer:?}"),
        }
    }

    /// A client has gone, and with it what was put off for it; or a peer has, and it is told again what it was told.
    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        self.clients.remove(&peer);
        self.forget_late(peer);
        self.on_peer_reset(ctx, peer);
        self.on_sync_reset(ctx, peer);
    }

    /// One that is told to end does so: what it has not told its peers is lost (`PeerAwareInstanceRegistryImpl`,
    /// `shutdown`).
    fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        self.mind_ails(ctx);
        if let Some((by, _)) = ctx.plight().and_then(Plight::stopping) {
            ctx.exit(by);
        }
    }

    fn peers(&self) -> Vec<NodeId> {
        let mut peers = self.clients.clone();
        peers.extend(self.peers.iter().filter(|peer| peer.is_open()).map(|peer| peer.node));
        peers.extend(self.sync_peers());
        peers.into_iter().collect()
    }
}

impl Member {
    /// A server that starts: with everything running, or with nothing, to copy from a peer.
    pub fn boot(seat: &Seat<Config>, _: &Disk, ctx: &mut Ctx<'_>) -> Member {
        let (config, services) = (&seat.config, seat.layout.services.len());
        let me = ctx.me();
        let others = seat.layout.members.iter().map(|member| member.0).filter(|&member| member != me);
        let runs = config.start == Start::Running && ctx.moment() == Time::START;
        let mut member = Member {
            stamp: Stamp { server: me, booted: ctx.moment() },
            stage: Stage::starting(seat, ctx),
            table: Table::new(services),
            preservation: Preservation::new(config.rules(), 0),
            queue: Queue::default(),
            cache: ResponseCache::new(config.response_cache_auto_expiration, config.read_only_response_cache),
            history: History::default(),
            timers: timers(config, ctx),
            evicted: None,
            luck: ctx.luck("eviction"),
            peers: others.map(Peer::new).collect(),
            clients: BTreeSet::new(),
            ghosts: Ghosts::default(),
            throttles: Throttles::default(),
            passes: Passes::default(),
            late: BTreeMap::new(),
            last_late: 0,
            seat: seat.clone(),
        };
        if runs {
            member.go_on(ctx);
        } else {
            member.begin(ctx);
        }
        member
    }

    /// Who is registered here.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// What self-preservation reckons with.
    pub fn preservation(&self) -> &Preservation {
        &self.preservation
    }

    fn config(&self) -> &Config {
        &self.seat.config
    }

    fn hear(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        match msg {
            Msg::Ask { call, ask } => {
                self.clients.insert(from);
                if let Some(answer) = self.on_ask(ctx, ask) {
                    ctx.stream(from, Msg::Answer { call, answer }.into());
                }
            }
            Msg::Answer { call, answer } => self.on_sync_answer(ctx, from, call, &answer),
            Msg::Batch { number, items } => self.on_batch(ctx, from, number, items),
            Msg::BatchDone { number, missing, newer } => {
                self.on_batch_done(ctx, from, number, &missing, newer);
            }
        }
    }

    fn on_ask(&mut self, ctx: &mut Ctx<'_>, ask: Ask) -> Option<Answer> {
        match ask {
            Ask::Register(info) => Some(self.on_register(ctx, info)),
            Ask::Renew { node, dirty } => Some(self.on_renew(ctx, node, dirty)),
            Ask::Cancel { node } => Some(self.on_cancel(ctx, node)),
            Ask::Full => Some(self.on_fetch(ctx, Key::Full)),
            Ask::Delta => Some(self.on_fetch(ctx, Key::Delta)),
        }
    }

    fn on_own_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match timer {
            Timer::Wakes(thread) => {
                if self.timers.of(thread).strike(ctx.wall()) {
                    self.work(ctx, thread);
                }
                self.sleep(ctx, thread);
            }
            Timer::Sync => self.sync(ctx),
            Timer::Depart { peer } => self.on_depart(ctx, peer),
            Timer::Unanswered { peer, number } => self.on_batch_unanswered(ctx, peer, number),
            Timer::Late { number } => self.on_late(ctx, number),
        }
    }

    fn work(&mut self, ctx: &mut Ctx<'_>, thread: Thread) {
        match thread {
            Thread::Minute => self.preservation.on_minute(),
            Thread::Evict => self.evict(ctx),
            Thread::Sweep => self.queue.sweep(ctx.wall(), self.seat.config.delta_retention),
            Thread::Copy => self.copy(ctx),
            Thread::Recount => self.recount(),
        }
    }

    fn sleep(&mut self, ctx: &mut Ctx<'_>, thread: Thread) {
        let sleep = self.timers.of(thread).sleep(ctx.wall());
        ctx.after(sleep, Timer::Wakes(thread).into());
    }
}

/// The timer threads of a server that starts now.
fn timers(config: &Config, ctx: &Ctx<'_>) -> Timers {
    let wall = ctx.wall();
    let every = |period| Clockwork::new(wall + period, period);
    Timers {
        minute: every(MINUTE),
        evict: every(config.eviction_interval),
        sweep: every(config.delta_sweep_interval),
        copy: Clockwork::aligned(wall, config.response_cache_update_interval),
        recount: every(config.renewal_threshold_update_interval),
    }
}

impl From<Timer> for crate::node::Timer {
    fn from(timer: Timer) -> crate::node::Timer {
        super::Timer::Member(timer).into()
    }
}
