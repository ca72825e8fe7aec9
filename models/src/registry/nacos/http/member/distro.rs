//! Distro in the 1.x line: whole services are told to the others, and compared by checksums.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{Duration, NodeId, Time};

use super::super::Timer;
use super::super::api::{Datum, Msg};
use super::{Member, send};
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::Cause;
use crate::registry::nacos::delays::Delays;
use crate::registry::nacos::loading::{Attempt, Loading};

/// After how long a server tells another again that has not said that it has what it was told: 5 s
/// (`syncRetryDelay`; naming/misc/GlobalConfig.java, 1.4.6).
const RETRY: Duration = Duration::from_secs(5);

/// What is to be told, what is under way, and whether this server has what the others have.
#[derive(Clone, Debug)]
pub(super) struct Distro {
    due: Delays<(usize, ServiceId), ()>,
    open: BTreeMap<u32, (usize, Vec<ServiceId>)>,
    loading: Loading,
}

impl Distro {
    /// A server that has nothing to tell; the engine has a turn at `phase`.
    pub(super) fn new(phase: Time, loading: Loading) -> Distro {
        Distro { due: Delays::new(phase), open: BTreeMap::new(), loading }
    }
}

impl Member {
    /// The others are to be told what this server has of a service.
    pub(super) fn tell_others(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) {
        for member in self.others() {
            self.plan_sync(ctx, member, service, self.seat.config.sync_delay);
        }
    }

    fn plan_sync(&mut self, ctx: &mut Ctx<'_>, to: usize, service: ServiceId, after: Duration) {
        if let Some(wakes) = self.distro.due.add(ctx.now(), (to, service), after, (), |(), ()| ()) {
            ctx.at(wakes, Timer::Syncs.into());
        }
    }

    /// Tells each of the others what is due.
    pub(super) fn sync_due(&mut self, ctx: &mut Ctx<'_>) {
        let mut batches: BTreeMap<usize, Vec<ServiceId>> = BTreeMap::new();
        for ((to, service), ()) in self.distro.due.take(ctx.now()) {
            batches.entry(to).or_default().push(service);
        }
        for (to, services) in batches {
            let number = self.number();
            let data = services.iter().filter_map(|service| self.table.datum(*service)).collect();
            send(ctx, self.node(to), Msg::Sync { number, data });
            self.distro.open.insert(number, (to, services));
            ctx.after(self.seat.config.sync_timeout, Timer::Unsynced(number).into());
        }
        if let Some(wakes) = self.distro.due.wake(ctx.now()) {
            ctx.at(wakes, Timer::Syncs.into());
        }
    }

    pub(super) fn on_unsynced(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        if let Some((to, services)) = self.distro.open.remove(&number) {
            services.into_iter().for_each(|service| self.plan_sync(ctx, to, service, RETRY));
        }
    }

    pub(super) fn on_synced(&mut self, number: u32) {
        self.distro.open.remove(&number);
    }

    /// The connection to another server is gone: what it has not said that it has is told again.
    pub(super) fn on_unreachable(&mut self, ctx: &mut Ctx<'_>, member: usize) {
        let failed = self.distro.open.iter().filter(|(_, (to, _))| *to == member);
        let failed: Vec<u32> = failed.map(|(number, _)| *number).collect();
        failed.into_iter().for_each(|number| self.on_unsynced(ctx, number));
        let attempt = self.distro.loading.on_unreachable(member);
        self.mind_load(ctx, attempt);
    }

    /// Another server tells what it has of some services.
    pub(super) fn on_sync(&mut self, ctx: &mut Ctx<'_>, from: NodeId, number: u32, data: &[Datum]) {
        self.take(ctx, data);
        send(ctx, from, Msg::Synced { number });
    }

    /// Another server's word takes the place of what is here.
    pub(super) fn take(&mut self, ctx: &mut Ctx<'_>, data: &[Datum]) {
        for datum in data {
            let turns = self.table.replace(datum, ctx.moment());
            self.on_turns(ctx, turns, Cause::Expired);
        }
    }

    /// Tells the others the checksums of what this server answers for, as it sees that.
    pub(super) fn verify(&mut self, ctx: &mut Ctx<'_>) {
        ctx.after(self.seat.config.verify, Timer::Verify.into());
        let mine: Vec<ServiceId> = self.services().filter(|&service| self.is_mine(service)).collect();
        let sum = |service: ServiceId| Some((service, self.table.sum(service)?));
        let sums: Arc<[(ServiceId, u64)]> = mine.into_iter().filter_map(sum).collect();
        if !sums.is_empty() {
            for member in self.others() {
                send(ctx, self.node(member), Msg::Verify { sums: sums.clone() });
            }
        }
    }

    /// Another server's checksums. If it claims a service that this one answers for, as this one sees that, nothing is
    /// compared. Otherwise what differs is fetched; and what the other should answer for and does not name is *removed*
    /// (naming/consistency/ephemeral/distro/DistroConsistencyServiceImpl.java, 1.4.6, `onReceiveChecksums`; #10323).
    pub(super) fn on_verify(&mut self, ctx: &mut Ctx<'_>, from: NodeId, sums: &[(ServiceId, u64)]) {
        if sums.iter().any(|(service, _)| self.is_mine(*service)) {
            return;
        }
        let Some(sender) = self.seat.layout.member_at(from) else { return };
        let named = |service| sums.iter().any(|(named, _)| *named == service);
        let gone: Vec<ServiceId> = self
            .services()
            .filter(|&service| self.answers_for(service) == sender && !named(service))
            .collect();
        for service in gone {
            let turns = self.table.forget(service, ctx.moment());
            self.on_turns(ctx, turns, Cause::Lost);
        }
        let differ = |&&(service, sum): &&(ServiceId, u64)| self.table.sum(service) != Some(sum);
        let services: Vec<ServiceId> = sums.iter().filter(differ).map(|(service, _)| *service).collect();
        if !services.is_empty() {
            send(ctx, from, Msg::Fetch { services });
        }
    }

    pub(super) fn on_fetch(&mut self, ctx: &mut Ctx<'_>, from: NodeId, services: &[ServiceId]) {
        let data = services.iter().filter_map(|service| self.table.datum(*service)).collect();
        send(ctx, from, Msg::Fetched { data });
    }

    /// A server that has started asks the first of the others for all that it has. It answers clients meanwhile
    /// (`nacos.naming.data.warmup` is false).
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

    pub(super) fn on_load(&mut self, ctx: &mut Ctx<'_>, from: NodeId) {
        send(ctx, from, Msg::Loaded { data: self.table.data() });
    }

    pub(super) fn on_loaded(&mut self, ctx: &mut Ctx<'_>, from: NodeId, data: &[Datum]) {
        if let Some(member) = self.seat.layout.member_at(from)
            && self.distro.loading.on_loaded(member)
        {
            self.take(ctx, data);
        }
    }
}
