//! How a server starts: it copies the registry from a peer, and waits if there is none that has any.

use schism_core::{NodeId, Time};

use super::super::api::{Answer, Ask, Msg};
use super::super::apps::{Info, Status};
use super::super::cache::ReadOnly;
use super::super::preservation::{MINUTE, Preservation};
use super::super::registrar::portion;
use super::super::transport::{Ending, Http};
use super::super::{Config, clockwork::Clockwork};
use super::{Member, Thread, Timer};
use crate::node::Ctx;
use crate::observation::{Observation, Write};
use crate::registry::Seat;

/// Where a server stands.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// It copies from a peer. Its port is closed: the servlet container opens it when the context is there
    /// (EurekaBootStrap.java, `initEurekaServerContext`).
    Starting {
        http: Box<Http>,
        /// How often it has tried.
        tries: u32,
        call: Option<u32>,
    },
    /// It serves, and clients may fetch after this time, by its wall clock.
    Open { fetches: Fetches },
}

/// Whether clients may fetch the registry (`shouldAllowAccess`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetches {
    /// Yes.
    Allowed,
    /// Only after this time, by the wall clock: nobody was there to copy.
    After(Time),
}

impl Stage {
    pub(super) fn starting(seat: &Seat<Config>, ctx: &Ctx<'_>) -> Stage {
        let (_, zone) = seat.layout.members[seat.me];
        let (mut order, far) = seat.layout.members_near(zone);
        order.extend(far);
        order.retain(|&member| member != ctx.me());
        Stage::Starting { http: Box::new(Http::new(&seat.config, order, ctx)), tries: 0, call: None }
    }
}

impl Member {
    /// It has been running, and everybody is registered and has just renewed; its timers are where they are after some
    /// time. One without peers expects as many as it opened with, and those that have registered since.
    pub(super) fn go_on(&mut self, ctx: &mut Ctx<'_>) {
        let config = self.seat.config.clone();
        let (wall, layout) = (ctx.wall(), self.seat.layout.clone());
        for listing in &layout.services {
            for &endpoint in &listing.endpoints {
                let node = endpoint.node;
                let info =
                    Info { service: listing.service, endpoint, status: Status::Up, dirty: Time::START };
                self.table.register(info, wall, config.lease_duration, 0);
                self.table.renew(node, wall);
                ctx.observe(Observation::Wrote(Write::Register(node)));
            }
        }
        let (count, opened) = (self.table.len() as u32, config.default_open_for_traffic_count);
        let expected = match (self.peers.is_empty(), opened) {
            (false, _) => count,
            (true, 0) => 0,
            (true, opened) => opened + count,
        };
        let renewals = u64::from(count) * MINUTE.as_nanos() / config.renewal_interval.as_nanos();
        self.preservation = Preservation::running(config.rules(), expected, renewals as u32);
        self.queue = super::Queue::new(self.table.apps().version);
        let up = portion(MINUTE * 60, ctx.luck("uptime").word());
        let threads = [Thread::Minute, Thread::Evict, Thread::Sweep, Thread::Recount];
        threads.iter().for_each(|&thread| self.timers.of(thread).backdate(up));
        self.stage = Stage::Open { fetches: Fetches::Allowed };
        self.tell_all(ctx);
        self.wind_up(ctx, &threads);
    }

    /// It starts with nothing.
    pub(super) fn begin(&mut self, ctx: &mut Ctx<'_>) {
        self.tell_all(ctx);
        self.wind_up(ctx, &[Thread::Sweep, Thread::Recount]);
        self.sync(ctx);
    }

    /// Its timer threads start, and that of the cache, if it has a copy.
    fn wind_up(&mut self, ctx: &mut Ctx<'_>, threads: &[Thread]) {
        threads.iter().for_each(|&thread| self.sleep(ctx, thread));
        if self.seat.config.read_only_response_cache == ReadOnly::Used {
            self.sleep(ctx, Thread::Copy);
        }
    }

    /// Tells the witnesses whom it lists.
    fn tell_all(&self, ctx: &mut Ctx<'_>) {
        for listing in &self.table.apps().listings {
            ctx.observe(Observation::View(listing.clone()));
        }
    }

    /// Tries to copy the registry from a peer, so and so often (`syncUp`); then it opens.
    pub(super) fn sync(&mut self, ctx: &mut Ctx<'_>) {
        let Stage::Starting { http, tries, call } = &mut self.stage else { return };
        if *tries >= self.seat.config.registry_sync_retries {
            return self.open(ctx, 0);
        }
        *tries += 1;
        if self.peers.is_empty() {
            self.sync_failed(ctx);
        } else {
            *call = Some(http.ask(ctx, Ask::Full));
        }
    }

    /// The try was in vain. It waits before the next; after the last it waits for nothing.
    fn sync_failed(&mut self, ctx: &mut Ctx<'_>) {
        let Stage::Starting { tries, call, .. } = &mut self.stage else { return };
        *call = None;
        if *tries < self.seat.config.registry_sync_retries {
            ctx.after(self.seat.config.registry_sync_retry_wait, Timer::Sync.into());
        } else {
            self.open(ctx, 0);
        }
    }

    pub(super) fn on_sync_answer(&mut self, ctx: &mut Ctx<'_>, from: NodeId, number: u32, answer: &Answer) {
        let Stage::Starting { http, .. } = &mut self.stage else { return };
        if let Some(ending) = http.on_answer(ctx, from, number, answer) {
            self.on_sync_ending(ctx, ending);
        }
    }

    pub(super) fn on_sync_unanswered(&mut self, ctx: &mut Ctx<'_>, number: u32, tries: u32) {
        let Stage::Starting { http, .. } = &mut self.stage else { return };
        if let Some(ending) = http.on_unanswered(ctx, number, tries) {
            self.on_sync_ending(ctx, ending);
        }
    }

    pub(super) fn on_sync_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        let Stage::Starting { http, .. } = &mut self.stage else { return };
        for ending in http.on_reset(ctx, peer) {
            self.on_sync_ending(ctx, ending);
        }
    }

    /// The peers that it is connected to in order to copy from them.
    pub(super) fn sync_peers(&self) -> Vec<NodeId> {
        match &self.stage {
            Stage::Starting { http, .. } => http.peers(),
            Stage::Open { .. } => Vec::new(),
        }
    }

    fn on_sync_ending(&mut self, ctx: &mut Ctx<'_>, Ending { number, answer, .. }: Ending) {
        let Stage::Starting { call, .. } = &self.stage else { return };
        if *call != Some(number) {
            return;
        }
        let Some(Answer::Full(full)) = answer else { return self.sync_failed(ctx) };
        let told = |info: &&Info| full.apps.knows(info.service, info.endpoint.node);
        let infos: Vec<Info> = full.infos.iter().filter(told).copied().collect();
        let count = infos.len() as u32;
        if count == 0 {
            return self.sync_failed(ctx);
        }
        for info in infos {
            self.register(ctx, info);
        }
        self.open(ctx, count);
    }

    /// It opens for traffic, with so many instances copied (`openForTraffic`).
    fn open(&mut self, ctx: &mut Ctx<'_>, copied: u32) {
        let config = self.seat.config.clone();
        let count = if copied == 0 { config.default_open_for_traffic_count } else { copied };
        self.preservation = Preservation::new(config.rules(), count);
        let fetches = match count {
            0 => Fetches::After(ctx.wall() + config.wait_time_when_sync_empty),
            _ => Fetches::Allowed,
        };
        self.stage = Stage::Open { fetches };
        self.timers.minute = Clockwork::new(ctx.wall() + MINUTE, MINUTE);
        self.timers.evict = Clockwork::new(ctx.wall() + config.eviction_interval, config.eviction_interval);
        self.sleep(ctx, Thread::Minute);
        self.sleep(ctx, Thread::Evict);
    }

    /// Whether it turns a message away because its port is closed. It hears answers to its own requests; a batch of
    /// the peer that it is asking is not refused, for that would end the connection that it asks on.
    pub(super) fn refuses(&self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> bool {
        match (&self.stage, msg) {
            (Stage::Open { .. }, _) | (_, Msg::Answer { .. }) => false,
            (Stage::Starting { http, .. }, Msg::Batch { .. }) if http.peers().contains(&from) => true,
            (Stage::Starting { .. }, Msg::Ask { .. } | Msg::Batch { .. } | Msg::BatchDone { .. }) => {
                ctx.hang_up(from);
                true
            }
        }
    }

    /// Whether clients may fetch the registry now.
    pub(super) fn allows_fetches(&self, ctx: &Ctx<'_>) -> bool {
        match self.stage {
            Stage::Starting { .. } => false,
            Stage::Open { fetches: Fetches::Allowed } => true,
            Stage::Open { fetches: Fetches::After(time) } => ctx.wall() > time,
        }
    }
}
