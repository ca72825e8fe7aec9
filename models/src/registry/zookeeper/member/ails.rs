//! What faults make of a server: the orders that it obeys, and what is wrong with its answers.

use std::sync::Arc;

use schism_core::{Draw, Duration, FaultId, NodeId, Ratio, ratio};

use super::super::tree::{SessionId, Txn};
use super::super::zxid::Zxid;
use super::lag::ago;
use super::{Member, Role};
use crate::listing::{Endpoint, Listing, ServiceId};
use crate::node::Ctx;
use crate::observation::Cause;
use crate::plight::Ailment;
use crate::registry::ail::{Ail, Ill, Migration, Order, Race, ails, ills, leave_out};
use crate::registry::bucket::Bucket;

/// Nobody's session: what a fault has the leader propose.
const NOBODY: SessionId = SessionId(0);

impl Member {
    /// Obeys what is ordered, and begins or ceases to be ill.
    pub(super) fn mind_ails(&mut self, ctx: &mut Ctx<'_>) {
        for (ailment, ail) in ails(ctx) {
            if let Ail::Order(order) = ail {
                self.obey(ctx, ailment, order);
            }
        }
        self.mind_lag(ctx);
        self.let_go_of_watchers(ctx);
        let lasting: Vec<_> = ills(ctx).map(|(ailment, _)| ailment.by).collect();
        self.ghosts.retain(|_, ghost| lasting.contains(&ghost.by));
        self.buckets.retain(|by, _| lasting.contains(by));
    }

    /// Whoever leads obeys; the others have nothing to do with it.
    fn obey(&mut self, ctx: &mut Ctx<'_>, ailment: &Ailment, order: &Order) {
        if !matches!(&self.role, Role::Leading(leading) if leading.is_established()) {
            return;
        }
        match order {
            // No command of ZooKeeper's does it but a reconfiguration without the leader. It gives up as it does without
            // a quorum, and stands back in the next election, in which it would win again.
            Order::HandOver => {
                self.stands_back = true;
                ctx.touch(ailment.by);
                self.look(ctx);
            }
            Order::Expire(share) => {
                let sessions: Vec<SessionId> = self.tree.sessions().map(|(session, _)| session).collect();
                for session in sessions {
                    if ailment.luck.derive(session.0).chance(*share) {
                        ctx.touch(ailment.by);
                        self.expire(ctx, session);
                    }
                }
            }
            Order::Compact { .. } => unreachable!("a checked scenario compacts only what has a history"),
            Order::Restore { age } => {
                let zxid = Zxid::of_revision(self.history.as_of(ago(ctx.moment(), *age)));
                ctx.touch(ailment.by);
                self.propose(ctx, None, NOBODY, Txn::Restore { zxid });
            }
            Order::Lose(instances) => {
                for &node in instances.iter() {
                    if self.tree.znode(node).is_some() {
                        ctx.touch(ailment.by);
                        self.propose(ctx, None, NOBODY, Txn::Delete { node, cause: Cause::Lost });
                    }
                }
            }
        }
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

    /// What a reader is told of a service's children: as they are, unless something is wrong with the server.
    pub(super) fn list(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) -> Arc<Listing> {
        if let Some(by) = self.misled_by() {
            ctx.touch(by);
        }
        let mut list = self.shown().list(service).clone();
        for (ailment, ill) in ills(ctx) {
            if self.disfigure(ctx, ailment, ill, &mut list) {
                ctx.touch(ailment.by);
            }
        }
        list
    }

    /// Makes a list what an ailment makes of it; whether that is something else.
    fn disfigure(&self, ctx: &Ctx<'_>, ailment: &Ailment, ill: &Ill, list: &mut Arc<Listing>) -> bool {
        match *ill {
            Ill::Empty => leave_out(list, |_| true),
            Ill::Partial(share) => leave_out(list, |node| ailment.luck.derive(node.0.into()).chance(share)),
            Ill::Ghosts(_) => {
                let ghosts = self.ghosts.values().filter(|ghost| ghost.by == ailment.by);
                let ghosts: Vec<&Ghost> = ghosts.filter(|ghost| ghost.service == list.service).collect();
                ghosts.iter().for_each(|ghost| Arc::make_mut(list).insert(ghost.endpoint));
                !ghosts.is_empty()
            }
            Ill::Migrates(Migration { race: Race::Torn, buckets, each }) => {
                let Some(moving) = moving(ctx, ailment, buckets, each) else { return false };
                // Which of the bucket's instances have not arrived yet is the luck of the read.
                let read = ailment.luck.derive(self.last);
                leave_out(list, |node| {
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

    /// Whether a change is kept from watchers: an instance has gone, and haunts the list.
    pub(super) fn is_hidden(
        &mut self,
        ctx: &mut Ctx<'_>,
        service: ServiceId,
        endpoint: Endpoint,
        up: bool,
    ) -> bool {
        if up {
            self.ghosts.remove(&endpoint.node);
            return false;
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
        let Some((ailment, _)) = haunts else { return false };
        ctx.touch(ailment.by);
        self.ghosts.insert(endpoint.node, Ghost { by: ailment.by, service, endpoint });
        true
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
