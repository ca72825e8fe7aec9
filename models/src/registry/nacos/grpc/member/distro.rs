//! Distro: what a server tells the others of its own connections, has them verify, and learns of theirs.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{Duration, NodeId, Time};

use super::super::Timer;
use super::super::api::{Item, Msg};
use super::super::table::ConnectionId;
use super::{CLEAN, Member, send};
use crate::node::Ctx;
use crate::observation::Cause;
use crate::registry::nacos::Version;
use crate::registry::nacos::delays::Delays;
use crate::registry::nacos::loading::{Attempt, Loading};
use crate::registry::nacos::membership::Standing;

/// What is to be told, what is under way, and whether this server has what the others have.
#[derive(Clone, Debug)]
pub(super) struct Distro {
    due: Delays<(usize, ConnectionId), Action>,
    /// What the others have not said that they have: to whom, and what.
    open: BTreeMap<u32, (usize, Vec<(ConnectionId, Action)>)>,
    loading: Loading,
}

/// What is told of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Action {
    /// What it publishes when it is told.
    Change,
    /// That it is gone.
    Delete(Cause),
}

impl Distro {
    /// A server that has nothing to tell; the engine has a turn at `phase`.
    pub(super) fn new(phase: Time, loading: Loading) -> Distro {
        Distro { due: Delays::new(phase), open: BTreeMap::new(), loading }
    }

    /// Whether all that the others are to be told has been.
    pub(super) fn is_quiet(&self) -> bool {
        self.due.is_empty() && self.open.is_empty()
    }
}

impl Member {
    /// The others are to be told what a connection publishes now.
    pub(super) fn tell_others(&mut self, ctx: &mut Ctx<'_>, id: ConnectionId) {
        self.plan_for_all(ctx, id, Action::Change);
    }

    /// The others are to be told that a connection is gone.
    pub(super) fn tell_others_gone(&mut self, ctx: &mut Ctx<'_>, id: ConnectionId, cause: Cause) {
        self.plan_for_all(ctx, id, Action::Delete(cause));
    }

    fn plan_for_all(&mut self, ctx: &mut Ctx<'_>, id: ConnectionId, action: Action) {
        for member in self.others() {
            self.plan_sync(ctx, member, id, action, self.seat.config.sync_delay);
        }
    }

    fn plan_sync(&mut self, ctx: &mut Ctx<'_>, to: usize, id: ConnectionId, action: Action, after: Duration) {
        let wakes = self.distro.due.add(ctx.now(), (to, id), after, action, |_, later| later);
        if let Some(wakes) = wakes {
            ctx.at(wakes, Timer::Syncs.into());
        }
    }

    /// Tells each of the others what is due, or later, if it does not seem to be there.
    pub(super) fn sync_due(&mut self, ctx: &mut Ctx<'_>) {
        let mut batches: BTreeMap<usize, Vec<(ConnectionId, Action)>> = BTreeMap::new();
        for ((to, id), action) in self.distro.due.take(ctx.now()) {
            batches.entry(to).or_default().push((id, action));
        }
        for (to, batch) in batches {
            if self.membership.standing(to) == Standing::Up {
                self.sync(ctx, to, batch);
            } else {
                self.sync_again(ctx, to, batch);
            }
        }
        if let Some(wakes) = self.distro.due.wake(ctx.now()) {
            ctx.at(wakes, Timer::Syncs.into());
        }
    }

    /// What has changed since and is gone by now is told by another task.
    fn sync(&mut self, ctx: &mut Ctx<'_>, to: usize, batch: Vec<(ConnectionId, Action)>) {
        let item = |&(id, action): &(ConnectionId, Action)| match action {
            Action::Delete(cause) => Some(Item { id, state: Err(cause) }),
            Action::Change => Some(Item { id, state: Ok(self.table.client(id)?) }),
        };
        let items: Arc<[Item]> = batch.iter().filter_map(item).collect();
        if !items.is_empty() {
            let number = self.number();
            send(ctx, self.node(to), Msg::Sync { number, items });
            self.distro.open.insert(number, (to, batch));
            ctx.after(self.seat.config.sync_timeout, Timer::Unsynced(number).into());
        }
    }

    fn sync_again(&mut self, ctx: &mut Ctx<'_>, to: usize, batch: Vec<(ConnectionId, Action)>) {
        for (id, action) in batch {
            // What was asked for meanwhile is newer.
            let after = self.seat.config.sync_retry;
            let wakes = self.distro.due.add(ctx.now(), (to, id), after, action, |newer, _| newer);
            if let Some(wakes) = wakes {
                ctx.at(wakes, Timer::Syncs.into());
            }
        }
    }

    pub(super) fn on_unsynced(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        if let Some((to, batch)) = self.distro.open.remove(&number) {
            self.sync_again(ctx, to, batch);
        }
    }

    pub(super) fn on_synced(&mut self, from: NodeId, number: u32) {
        if let Some((to, _)) = self.distro.open.get(&number)
            && self.node(*to) == from
        {
            self.distro.open.remove(&number);
        }
    }

    /// The connection to another server is gone: what it has not said that it has is told again.
    pub(super) fn on_unreachable(&mut self, ctx: &mut Ctx<'_>, member: usize) {
        let failed: Vec<u32> =
            self.distro.open.iter().filter(|(_, (to, _))| *to == member).map(|(number, _)| *number).collect();
        failed.into_iter().for_each(|number| self.on_unsynced(ctx, number));
        let attempt = self.distro.loading.on_unreachable(member);
        self.mind_load(ctx, attempt);
    }

    /// Another server tells what its connections publish.
    pub(super) fn on_sync(&mut self, ctx: &mut Ctx<'_>, from: NodeId, number: u32, items: &[Item]) {
        self.take(ctx, items);
        send(ctx, from, Msg::Synced { number });
    }

    fn take(&mut self, ctx: &mut Ctx<'_>, items: &[Item]) {
        for &Item { id, state } in items {
            match state {
                Ok(state) => {
                    let (wall, moment) = (ctx.wall(), ctx.moment());
                    let turn = self.table.replicate(id, state, wall, moment);
                    self.on_turn(ctx, turn, Cause::Revoked);
                }
                Err(cause) => {
                    let turn = self.table.remove(id, ctx.moment());
                    self.on_turn(ctx, turn, cause);
                }
            }
        }
    }

    /// Has the others verify what they hold of this server's connections, once it has what they have.
    pub(super) fn verify(&mut self, ctx: &mut Ctx<'_>) {
        ctx.after(self.seat.config.verify, Timer::Verify.into());
        if !self.distro.loading.is_done() {
            return;
        }
        let by_revision = self.seat.config.version >= Version::V2_1;
        let clients: Arc<[(ConnectionId, Option<u64>)]> =
            self.table.native().map(|(id, revision)| (id, by_revision.then_some(revision))).collect();
        if clients.is_empty() {
            return;
        }
        for member in self.others().filter(|&member| self.membership.standing(member) == Standing::Up) {
            send(ctx, self.node(member), Msg::Verify { clients: clients.clone() });
        }
    }

    pub(super) fn on_verify(
        &mut self,
        ctx: &mut Ctx<'_>,
        from: NodeId,
        clients: &[(ConnectionId, Option<u64>)],
    ) {
        let wall = ctx.wall();
        let unverified: Vec<ConnectionId> = clients
            .iter()
            .filter(|&&(id, revision)| !self.table.verify(id, revision, wall))
            .map(|(id, _)| *id)
            .collect();
        if !unverified.is_empty() {
            send(ctx, from, Msg::Unverified { clients: unverified });
        }
    }

    /// What another does not have as it should is told at once.
    pub(super) fn on_unverified(&mut self, ctx: &mut Ctx<'_>, from: NodeId, clients: Vec<ConnectionId>) {
        if let Some(member) = self.seat.layout.member_at(from) {
            for id in clients {
                self.plan_sync(ctx, member, id, Action::Change, Duration::ZERO);
            }
        }
    }

    /// Removes replicas that nobody has verified for too long, and forgets metadata of who is gone.
    pub(super) fn clean(&mut self, ctx: &mut Ctx<'_>) {
        ctx.after(CLEAN, Timer::Clean.into());
        let wall = ctx.wall();
        for id in self.table.expired(self.seat.config.client_expiry, wall) {
            let turn = self.table.remove(id, ctx.moment());
            self.on_turn(ctx, turn, Cause::Expired);
        }
        self.table.forget_weights(self.seat.config.metadata_expiry, wall);
    }

    /// A server that has started asks the first of the others for all that it has.
    pub(super) fn load(&mut self, ctx: &mut Ctx<'_>) {
        let attempt = self.distro.loading.begin();
        self.mind_load(ctx, attempt);
    }

    /// Asks the next for all that it has, or nobody for a while.
    fn mind_load(&mut self, ctx: &mut Ctx<'_>, attempt: Option<Attempt>) {
        let Some(Attempt { number, from }) = attempt else { return };
        let config = &self.seat.config;
        let takes = if from.is_some() { config.load_timeout } else { config.load_retry };
        ctx.after(takes, Timer::Load(number).into());
        if let Some(member) = from {
            send(ctx, self.node(member), Msg::Load);
        }
    }

    pub(super) fn on_load_timer(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        let attempt = self.distro.loading.on_timer(number);
        self.mind_load(ctx, attempt);
    }

    /// A snapshot has every connection that this server knows of, whoever's it is.
    pub(super) fn on_load(&mut self, ctx: &mut Ctx<'_>, from: NodeId) {
        let item = |(id, published, revision)| Item { id, state: Ok((Some(published), revision)) };
        let items: Arc<[Item]> = self.table.publishers().map(item).collect();
        send(ctx, from, Msg::Loaded { items });
    }

    pub(super) fn on_loaded(&mut self, ctx: &mut Ctx<'_>, from: NodeId, items: &[Item]) {
        if let Some(member) = self.seat.layout.member_at(from)
            && self.distro.loading.on_loaded(member)
        {
            self.take(ctx, items);
        }
    }

    pub(super) fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let me = self.seat.me;
        (0..self.seat.layout.members.len()).filter(move |&member| member != me)
    }
}
