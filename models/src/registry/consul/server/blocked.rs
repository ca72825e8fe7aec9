//! Blocking queries: reads that wait until their service has changed, or for long enough (agent/consul/rpc.go,
//! `blockingQuery`).

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Duration, NodeId, Time};

use super::super::api::{Ask, Timer};
use super::super::stagger::stagger;
use super::Member;
use super::route::{Held, JITTER};
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::ail::stalled_by;

/// The longest that a query may ask to wait: 10 min (`max_query_time`; agent/config/default.go).
const LONGEST: Duration = Duration::from_secs(600);

/// All that wait at one server.
#[derive(Clone, Debug)]
pub(super) struct Blocked {
    /// Those who wait, by the service, and in the order in which they came.
    waiting: Vec<BTreeMap<u64, Waiting>>,
    /// When each has waited for long enough.
    ends: BTreeSet<(Time, u64, ServiceId)>,
    /// The moment that a timer is set for.
    reminded: Option<Time>,
    last: u64,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    held: Held,
    index: u64,
    ends: Time,
}

impl Blocked {
    /// Nobody waits for any of so many services.
    pub(super) fn new(services: usize) -> Blocked {
        Blocked { waiting: vec![BTreeMap::new(); services], ends: BTreeSet::new(), reminded: None, last: 0 }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A client has gone: its queries are nobody's.
    pub(super) fn forget(&mut self, node: NodeId) {
        for (service, waiting) in self.waiting.iter_mut().enumerate() {
            waiting.retain(|&number, waiting| {
                let stays = !waiting.held.asker.is(node);
                if !stays {
                    self.ends.remove(&(waiting.ends, number, ServiceId(service as u16)));
                }
                stays
            });
        }
    }

    fn take(&mut self, service: ServiceId, number: u64) -> Option<Waiting> {
        let waiting = self.waiting[service.0 as usize].remove(&number)?;
        self.ends.remove(&(waiting.ends, number, service));
        Some(waiting)
    }
}

impl Member {
    /// A query waits.
    pub(super) fn block(
        &mut self,
        ctx: &mut Ctx<'_>,
        held: Held,
        service: ServiceId,
        index: u64,
        wait: Duration,
    ) {
        let wait = wait.min(LONGEST);
        let ends = ctx.now() + wait + stagger(wait / JITTER, self.luck.draw());
        self.blocked.last += 1;
        let number = self.blocked.last;
        self.blocked.ends.insert((ends, number, service));
        self.blocked.waiting[service.0 as usize].insert(number, Waiting { held, index, ends });
        self.mind_wake(ctx);
    }

    /// Some have waited for long enough: they are told what there is, though it be nothing new.
    pub(super) fn on_wake(&mut self, ctx: &mut Ctx<'_>) {
        // A timer that was set before a sooner one was needed leaves that of the next in force.
        self.blocked.reminded = self.blocked.reminded.filter(|at| *at > ctx.now());
        while let Some(&(ends, number, service)) = self.blocked.ends.first()
            && ends <= ctx.now()
        {
            let waiting = self.blocked.take(service, number).expect("who is to be woken waits");
            self.tell(ctx, service, waiting);
        }
        self.mind_wake(ctx);
    }

    /// Wakes those who wait for less than the services' indexes; nobody, while a fault keeps them from being told.
    pub(super) fn wake(&mut self, ctx: &mut Ctx<'_>, services: &BTreeSet<ServiceId>) {
        for &service in services {
            let index = self.shown().index(service);
            let waiting = &self.blocked.waiting[service.0 as usize];
            let due: Vec<u64> = waiting
                .iter()
                .filter(|(_, waiting)| waiting.index < index)
                .map(|(&number, _)| number)
                .collect();
            if due.is_empty() {
                continue;
            }
            if let Some(by) = stalled_by(ctx) {
                ctx.touch(by);
                continue;
            }
            for number in due {
                let waiting = self.blocked.take(service, number).expect("who is due waits");
                self.serve_woken(ctx, service, waiting);
            }
        }
    }

    /// Wakes everybody: the catalog that they waited at is no more (`AbandonCh`).
    pub(super) fn wake_all(&mut self, ctx: &mut Ctx<'_>) {
        for service in 0..self.services {
            let service = ServiceId(service as u16);
            for (number, waiting) in std::mem::take(&mut self.blocked.waiting[service.0 as usize]) {
                self.blocked.ends.remove(&(waiting.ends, number, service));
                self.tell(ctx, service, waiting);
            }
        }
    }

    /// A query that has something to tell: one that is to be consistent asks a quorum once more.
    fn serve_woken(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, waiting: Waiting) {
        match waiting.held.ask.mode() {
            Some(super::super::Mode::Consistent) => self.read(ctx, waiting.held),
            Some(super::super::Mode::Default | super::super::Mode::Stale) | None => {
                self.tell(ctx, service, waiting);
            }
        }
    }

    fn tell(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, Waiting { held, index, .. }: Waiting) {
        debug_assert!(matches!(held.ask, Ask::List { .. }), "only lists are waited for");
        ctx.observe(Observation::Read);
        let answer = self.find(ctx, service, index);
        self.answer(ctx, held.asker, answer);
    }

    fn mind_wake(&mut self, ctx: &mut Ctx<'_>) {
        let Some(&(first, ..)) = self.blocked.ends.first() else { return };
        if self.blocked.reminded.is_none_or(|reminded| first < reminded) {
            self.blocked.reminded = Some(first);
            ctx.at(first, Timer::Wake.into());
        }
    }
}
