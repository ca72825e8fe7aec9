//! What faults make of a member: the orders that it obeys, and what is wrong with its answers.

use std::sync::Arc;

use schism_core::{Draw, Duration, FaultId, NodeId, Ratio, ratio};

use super::super::api::Answer;
use super::super::lessor::Lessor;
use super::super::log::{Entry, Proposal};
use super::super::store::{Command, LeaseId};
use super::Member;
use super::lag::ago;
use crate::listing::{Change, Endpoint, Listing, ServiceId};
use crate::node::Ctx;
use crate::plight::Ailment;
use crate::registry::ail::{Ail, Ill, Migration, Order, Race, ails, ills, leave_out};
use crate::registry::bucket::Bucket;

impl Member {
    /// Obeys what is ordered, and begins or ceases to be ill.
    pub(super) fn mind_ails(&mut self, ctx: &mut Ctx<'_>) {
        for (ailment, ail) in ails(ctx) {
            if let Ail::Order(order) = ail {
                self.obey_order(ctx, ailment, order);
            }
        }
        self.mind_lag(ctx);
        self.let_go_of_watchers(ctx);
        let lasting: Vec<_> = ills(ctx).map(|(ailment, _)| ailment.by).collect();
        self.ghosts.retain(|_, ghost| lasting.contains(&ghost.by));
        self.buckets.retain(|by, _| lasting.contains(by));
        self.settle(ctx);
    }

    fn obey_order(&mut self, ctx: &mut Ctx<'_>, ailment: &Ailment, order: &Order) {
        match order {
            Order::HandOver => {
                if self.raft.hand_over() {
                    ctx.touch(ailment.by);
                }
            }
            Order::Expire(share) => {
                let now = self.lease_time(ctx);
                let Lessor::Primary(primary) = &mut self.lessor else { return };
                let chosen = |lease: LeaseId| ailment.luck.derive(lease.0).chance(*share);
                (0..primary.expire(now, chosen)).for_each(|_| ctx.touch(ailment.by));
            }
            Order::Compact { keep } => {
                let revision = self.store.header().revision.saturating_sub(*keep);
                if revision > self.store.compacted() {
                    self.decree(Command::Compact { revision });
                    ctx.touch(ailment.by);
                }
            }
            Order::Restore { age } => {
                self.decree(Command::Restore { index: self.history.as_of(ago(ctx.moment(), *age)) });
                ctx.touch(ailment.by);
            }
            Order::Lose(instances) => {
                for &node in instances.iter() {
                    if self.store.has_key(node) {
                        self.decree(Command::Delete { node });
                        ctx.touch(ailment.by);
                    }
                }
            }
        }
    }

    /// Proposes something that nobody waits for.
    pub(super) fn decree(&mut self, command: Command) {
        let proposal = Proposal { by: None, command: Some(command) };
        self.put_to_raft(Entry { term: 0, proposal });
    }

    /// Whether one more request is too many. Every bucket of several is asked, and one that is empty refuses.
    pub(super) fn is_throttled(&mut self, ctx: &mut Ctx<'_>) -> bool {
        let mut refused = false;
        for (ailment, ill) in ills(ctx) {
            if let Ill::Throttled { gap, burst } = *ill {
                let bucket = self.buckets.entry(ailment.by).or_insert_with(|| Bucket::new(gap, burst));
                if !bucket.take(ctx.now()) {
                    ctx.touch(ailment.by);
                    refused = true;
                }
            }
        }
        refused
    }

    /// What a reader is told of a service's list: as it is, unless something is wrong with the member.
    pub(super) fn list(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) -> Answer {
        if let Some(by) = self.misled_by() {
            ctx.touch(by);
        }
        let store = self.shown();
        let mut header = store.header();
        let mut listing = store.listing(service).clone();
        for (ailment, ill) in ills(ctx) {
            if self.disfigure(ctx, ailment, ill, &mut listing) {
                ctx.touch(ailment.by);
                header.cluster = None;
            }
        }
        Answer::Listing(header, listing)
    }

    /// Makes a list what an ailment makes of it; whether that is something else.
    fn disfigure(&self, ctx: &Ctx<'_>, ailment: &Ailment, ill: &Ill, listing: &mut Arc<Listing>) -> bool {
        match *ill {
            Ill::Empty => leave_out(listing, |_| true),
            Ill::Partial(share) => {
                leave_out(listing, |node| ailment.luck.derive(node.0.into()).chance(share))
            }
            Ill::Ghosts(_) => {
                let ghosts = self.ghosts.values().filter(|ghost| ghost.by == ailment.by);
                let ghosts: Vec<&Ghost> = ghosts.filter(|ghost| ghost.service == listing.service).collect();
                ghosts.iter().for_each(|ghost| Arc::make_mut(listing).insert(ghost.endpoint));
                !ghosts.is_empty()
            }
            Ill::Migrates(Migration { race: Race::Torn, buckets, each }) => {
                let Some(moving) = moving(ctx, ailment, buckets, each) else { return false };
                // Which of the bucket's instances have not arrived yet is the luck of the read.
                let read = ailment.luck.derive(self.last);
                leave_out(listing, |node| {
                    bucket_of(node, buckets) == moving.bucket && read.derive(node.0.into()).chance(HALF)
                })
            }
            Ill::Migrates(Migration { race: Race::Guarded | Race::Error | Race::Fatal, .. })
            | Ill::Stale(_)
            | Ill::Stalls
            | Ill::Gaps(_)
            | Ill::Throttled { .. } => false,
        }
    }

    /// Takes what watchers must not hear out of the changes of a list: instances that have gone, and haunt it.
    pub(super) fn hide_ghosts(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, changes: &mut Vec<Change>) {
        changes.retain(|&Change { endpoint, up, .. }| {
            if up {
                self.ghosts.remove(&endpoint.node);
                return true;
            }
            let haunts = ills(ctx).find(|(ailment, ill)| match **ill {
                Ill::Ghosts(share) => ailment.luck.derive(endpoint.node.0.into()).chance(share),
                Ill::Stale(_)
                | Ill::Stalls
                | Ill::Gaps(_)
                | Ill::Empty
                | Ill::Partial(_)
                | Ill::Throttled { .. }
                | Ill::Migrates(_) => false,
            });
            let Some((ailment, _)) = haunts else { return true };
            ctx.touch(ailment.by);
            self.ghosts.insert(endpoint.node, Ghost { by: ailment.by, service, endpoint });
            false
        });
    }

    /// What a list meets that is read while the table moves, if that is more than a wrong list.
    pub(super) fn meet(&mut self, ctx: &mut Ctx<'_>) -> Option<Meeting> {
        for (ailment, ill) in ills(ctx) {
            let Ill::Migrates(Migration { buckets, each, race }) = *ill else { continue };
            let Some(moving) = moving(ctx, ailment, buckets, each) else { continue };
            let meeting = match race {
                Race::Torn => continue,
                Race::Guarded => Meeting::Lock(moving.left),
                Race::Error => Meeting::Error,
                Race::Fatal => Meeting::Death(ailment.by),
            };
            ctx.touch(ailment.by);
            return Some(meeting);
        }
        None
    }
}

/// What a read meets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meeting {
    /// It waits for so long.
    Lock(Duration),
    /// It fails.
    Error,
    /// The process ends, because of this fault.
    Death(FaultId),
}

/// An instance that has gone and stays listed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ghost {
    by: FaultId,
    service: ServiceId,
    endpoint: Endpoint,
}

const HALF: Ratio = ratio(1, 2);

/// The bucket that is on its way, and how long it still takes.
struct Moving {
    bucket: u32,
    left: Duration,
}

/// Buckets move one after another from the beginning of the fault; none, once all have.
fn moving(ctx: &Ctx<'_>, ailment: &Ailment, buckets: u32, each: Duration) -> Option<Moving> {
    let spent = ctx.moment().since(ailment.since).as_nanos();
    let bucket = spent / each.as_nanos();
    let left = Duration::from_nanos(each.as_nanos() - spent % each.as_nanos());
    (bucket < buckets.into()).then_some(Moving { bucket: bucket as u32, left })
}

/// The bucket that an instance is in: a hash of its number, which no luck decides.
fn bucket_of(node: NodeId, buckets: u32) -> u32 {
    Draw::new(node.0.into()).derive(0).below(buckets)
}
