//! The active controller manager: it keeps slices as pods are, and nodes as their kubelets are heard of.

use std::collections::BTreeMap;

use schism_core::{Duration, NodeId, Time};

use super::lifecycle::{Lifecycle, MONITOR, Order, Ready, TAINT_PASS, Taint};
use super::member::{Member, Timer, Waiting};
use super::slices::{self, Condition, Placed};
use super::store::{Command, Effect};
use super::workqueue::Queue;
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::Cause;
use crate::registry::ail::haunters;

/// How many services are worked on at once: 5 (`--concurrent-service-endpoint-syncs`).
const WORKERS: usize = 5;
/// What a failure waits: 1 s, doubled up to 1000 s (pkg/controller/endpointslice/endpointslice_controller.go, v1.28,
/// `defaultSyncBackOff`, `maxSyncBackOff`; 100 s in some later releases).
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(1000));
/// How long its own write takes to come back to a controller by its watch: 5 ms, ours. Who works on a service before
/// that has a stale cache, and tries again after the back-off (`EndpointSliceTracker.StaleSlices`).
const INFORMER_LAG: Duration = Duration::from_millis(5);
/// How long a look at all nodes takes: 1 ms, and 10 us for each; ours. The next look is a period after the end of it.
const LOOK: (Duration, Duration) = (Duration::from_millis(1), Duration::from_nanos(10_000));

/// What an active controller manager remembers; the next begins anew.
#[derive(Clone, Debug)]
pub(super) struct Manager {
    /// How many there have been before it: whose timers are its own.
    pub(super) term: u32,
    lifecycle: Lifecycle,
    queue: Queue<ServiceId>,
    /// The slices of each service that are being written: how many, and whether one could not be.
    writing: BTreeMap<ServiceId, (usize, Wrote)>,
    /// Until when the cache of each service's slices is stale.
    stale: BTreeMap<ServiceId, Time>,
    /// When the pods of each tainted node are due to go.
    evictions: BTreeMap<NodeId, Time>,
    passes: Passes,
}

/// Whether the queues of nodes to taint are being worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passes {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrote {
    All,
    NotAll,
}

impl Member {
    /// This member's controller manager is active from now on.
    pub(super) fn activate(&mut self, ctx: &mut Ctx<'_>, term: u32) {
        self.manager = Some(Box::new(Manager {
            term,
            lifecycle: Lifecycle::new(self.seat.config.node_grace),
            queue: Queue::new(WORKERS, BACKOFF),
            writing: BTreeMap::new(),
            stale: BTreeMap::new(),
            evictions: BTreeMap::new(),
            passes: Passes::No,
        }));
        ctx.after(Duration::ZERO, Timer::Monitor(term).into());
        let tainted: Vec<NodeId> = self.store.tainted().collect();
        tainted.into_iter().for_each(|node| self.plan_eviction(ctx, node));
        for service in 0..self.seat.layout.services.len() as u16 {
            self.enqueue(ServiceId(service));
        }
        self.work(ctx);
    }

    /// Something has been written that controllers look at.
    pub(super) fn control(&mut self, ctx: &mut Ctx<'_>, effect: &Effect) {
        if self.manager.is_none() {
            return;
        }
        match *effect {
            Effect::Pod(service, _) => {
                self.enqueue(service);
                self.work(ctx);
            }
            Effect::Node(node) if self.store.is_tainted(node) => self.plan_eviction(ctx, node),
            Effect::Node(node) => self.forgive(node),
            Effect::Refused
            | Effect::Beat(_)
            | Effect::Slice(..)
            | Effect::Lead(_)
            | Effect::Lock(..)
            | Effect::Unseen => {}
        }
    }

    fn enqueue(&mut self, service: ServiceId) {
        if let Some(manager) = &mut self.manager {
            manager.queue.add(service);
        }
    }

    /// It is time for a service that was put off.
    pub(super) fn on_sync(&mut self, ctx: &mut Ctx<'_>, term: u32, service: ServiceId) {
        if self.is_manager(term) {
            self.enqueue(service);
            self.work(ctx);
        }
    }

    /// The workers take what waits (`syncService`).
    fn work(&mut self, ctx: &mut Ctx<'_>) {
        while let Some(service) = self.manager.as_mut().and_then(|manager| manager.queue.take()) {
            self.sync_service(ctx, service);
        }
    }

    fn sync_service(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) {
        let now = ctx.now();
        let manager = self.manager.as_mut().expect("who works is active");
        if manager.stale.get(&service).is_some_and(|&until| now < until) {
            return self.put_off(ctx, service);
        }
        let mut desired = self.store.desired(service);
        self.haunt(ctx, service, &mut desired);
        let changes = slices::reconcile(self.store.slices(service), desired);
        let manager = self.manager.as_mut().expect("who works is active");
        if changes.is_empty() {
            manager.queue.forget(service);
            return manager.queue.done(service);
        }
        manager.writing.insert(service, (changes.len(), Wrote::All));
        for slices::Change { number, slice } in changes {
            self.propose(ctx, Waiting::Slice(service), Command::Slice { service, number, slice });
        }
    }

    fn put_off(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) {
        let Some(manager) = &mut self.manager else { return };
        let wait = manager.queue.fail(service);
        manager.queue.done(service);
        ctx.after(wait, Timer::Sync { term: manager.term, service }.into());
    }

    /// A slice that a worker has written is in etcd, or could not be written in time.
    pub(super) fn on_slice_written(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, done: bool) {
        let Some(manager) = &mut self.manager else { return };
        let Some((left, wrote)) = manager.writing.get_mut(&service) else { return };
        *left -= 1;
        if !done {
            *wrote = Wrote::NotAll;
        }
        if *left > 0 {
            return;
        }
        let wrote = *wrote;
        manager.writing.remove(&service);
        match wrote {
            Wrote::All => {
                manager.stale.insert(service, ctx.now() + INFORMER_LAG);
                manager.queue.forget(service);
                manager.queue.done(service);
            }
            Wrote::NotAll => self.put_off(ctx, service),
        }
        self.work(ctx);
    }

    /// Endpoints that should go and stay ready all the same, because of a fault: #117193 and its like.
    fn haunt(&self, ctx: &mut Ctx<'_>, service: ServiceId, desired: &mut BTreeMap<NodeId, Placed>) {
        for (ailment, share) in haunters(ctx) {
            let held = self.store.slices(service).values().flat_map(|slice| slice.iter());
            for placed in held.filter(|placed| placed.condition == Condition::Ready) {
                let node = placed.endpoint.node;
                let stays = desired.get(&node).is_some_and(|wanted| wanted.condition == Condition::Ready);
                if !stays && ailment.luck.derive(node.0.into()).chance(share) {
                    ctx.touch(ailment.by);
                    desired.insert(node, *placed);
                }
            }
        }
    }

    /// Looks at all nodes.
    pub(super) fn on_monitor(&mut self, ctx: &mut Ctx<'_>, term: u32) {
        if !self.is_manager(term) {
            return;
        }
        let sights = self.store.sights();
        let manager = self.manager.as_mut().expect("it is active");
        let orders = manager.lifecycle.monitor(ctx.now(), &sights);
        if manager.lifecycle.has_queue() && manager.passes == Passes::No {
            manager.passes = Passes::Yes;
            ctx.after(TAINT_PASS, Timer::Taint(term).into());
        }
        for order in orders {
            match order {
                Order::Lose(node) => {
                    let ready = Ready::Unknown;
                    self.propose(ctx, Waiting::Nobody, Command::Condition { node, ready });
                    self.propose(ctx, Waiting::Nobody, Command::Unready { node });
                }
                Order::Clear(node) => {
                    let taint = Taint::None;
                    self.propose(ctx, Waiting::Nobody, Command::Taint { node, taint });
                }
            }
        }
        let look = LOOK.0 + LOOK.1 * sights.len() as u64;
        ctx.after(MONITOR + look, Timer::Monitor(term).into());
    }

    /// Works on the queues of nodes to taint, again and again while someone waits.
    pub(super) fn on_taint(&mut self, ctx: &mut Ctx<'_>, term: u32) {
        if !self.is_manager(term) {
            return;
        }
        let manager = self.manager.as_mut().expect("it is active");
        let due = manager.lifecycle.taint(ctx.now());
        if manager.lifecycle.has_queue() {
            ctx.after(TAINT_PASS, Timer::Taint(term).into());
        } else {
            manager.passes = Passes::No;
        }
        for node in due {
            let taint = Taint::Unreachable;
            self.propose(ctx, Waiting::Nobody, Command::Taint { node, taint });
        }
    }

    /// The pods of a tainted node go when their toleration is over (pkg/controller/tainteviction/taint_eviction.go,
    /// v1.29).
    fn plan_eviction(&mut self, ctx: &mut Ctx<'_>, node: NodeId) {
        let Some(manager) = &mut self.manager else { return };
        let due = ctx.now() + self.seat.config.eviction;
        manager.evictions.entry(node).or_insert_with(|| {
            ctx.at(due, Timer::Evict { term: manager.term, node }.into());
            due
        });
    }

    fn forgive(&mut self, node: NodeId) {
        if let Some(manager) = &mut self.manager {
            manager.evictions.remove(&node);
        }
    }

    /// A node's pods may be due to go.
    pub(super) fn on_evict(&mut self, ctx: &mut Ctx<'_>, term: u32, node: NodeId) {
        if !self.is_manager(term) {
            return;
        }
        let manager = self.manager.as_mut().expect("it is active");
        match manager.evictions.get(&node) {
            // The taint was taken off and put on again meanwhile.
            Some(&due) if due > ctx.now() => ctx.at(due, Timer::Evict { term, node }.into()),
            Some(_) => {
                manager.evictions.remove(&node);
                if let Some(pod) = self.store.pod(node) {
                    let command = Command::Delete { pod: pod.name, cause: Cause::Expired };
                    self.propose(ctx, Waiting::Nobody, command);
                }
            }
            None => {}
        }
    }

    /// A fault that kept endpoints has begun or healed: all services are looked at anew. The real ones stay stuck until
    /// something else touches the service, or the controller manager is restarted.
    pub(super) fn look_for_ghosts(&mut self, ctx: &mut Ctx<'_>) {
        if self.manager.is_some() {
            (0..self.seat.layout.services.len() as u16).for_each(|service| self.enqueue(ServiceId(service)));
            self.work(ctx);
        }
    }

    fn is_manager(&self, term: u32) -> bool {
        self.manager.as_ref().is_some_and(|manager| manager.term == term)
    }
}
