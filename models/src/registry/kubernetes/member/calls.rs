//! Calls: what clients want of an API server, and what failpoints make of that.

use schism_core::{Duration, NodeId};

use super::super::api::{Answer, Failure, Msg, Verb};
use super::super::lifecycle::Ready;
use super::super::store::Command;
use super::{Caller, Member, Timer, Waiting};
use crate::failpoint::{Pass, Point};
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::{Cause, Observation};
use crate::registry::raft::log::Entry;

/// What was put off at a failpoint.
#[derive(Clone, Debug)]
pub(super) enum Late {
    Entry(Entry<Command>),
    Heard(NodeId, Msg),
}

impl Member {
    /// Whether a message that has come is heard now; a failpoint may refuse it, or put it off.
    pub(super) fn hears(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> bool {
        let Some(point) = point_of(msg) else { return true };
        match self.passes.pass(ctx, point) {
            Pass::Clear => true,
            Pass::Late(by) => {
                self.postpone(ctx, by, Late::Heard(from, msg.clone()));
                false
            }
            Pass::Fails(_) => {
                if let Msg::Call { call, .. } = *msg {
                    let answer = Answer::Failed(Failure::Internal);
                    self.answer(ctx, Caller { client: from, call }, answer);
                }
                false
            }
            Pass::Ends => false,
        }
    }

    pub(super) fn postpone(&mut self, ctx: &mut Ctx<'_>, by: Duration, late: Late) {
        self.last += 1;
        self.late.insert(self.last, late);
        ctx.after(by, Timer::Late(self.last).into());
    }

    pub(super) fn on_late(&mut self, ctx: &mut Ctx<'_>, number: u64) {
        match self.late.remove(&number) {
            Some(Late::Entry(entry)) => {
                self.etcd.propose(entry);
                self.settle(ctx);
            }
            Some(Late::Heard(from, msg)) => self.hear(ctx, from, msg),
            None => {}
        }
    }

    pub(super) fn on_call(&mut self, ctx: &mut Ctx<'_>, caller: Caller, verb: Verb) {
        if self.throttles.refuse(ctx) {
            return self.answer(ctx, caller, Answer::Failed(Failure::TooMany));
        }
        let waiting = Waiting::Call(caller);
        match verb {
            Verb::Beat { node, zone } => self.propose(ctx, waiting, Command::Beat { node, zone }),
            // A kubelet reads its node from the watch cache, and writes its status only if that is another.
            Verb::Post { node } if self.store.ready(node) == Some(Ready::True) => {
                self.answer(ctx, caller, Answer::Done);
            }
            Verb::Post { node } => {
                self.propose(ctx, waiting, Command::Condition { node, ready: Ready::True });
            }
            Verb::Status { pod, service, endpoint, ready } => {
                self.propose(ctx, waiting, Command::Status { pod, service, endpoint, ready });
            }
            Verb::Delete { pod } => {
                self.propose(ctx, waiting, Command::Delete { pod, cause: Cause::Revoked });
            }
            Verb::Purge { pod } => self.propose(ctx, waiting, Command::Purge { pod }),
            Verb::List { service } => self.list(ctx, caller, service),
            Verb::GetLease { lock } => {
                ctx.observe(Observation::Read);
                self.answer(ctx, caller, Answer::Lease(self.store.lease(lock)));
            }
            Verb::WriteLease { lock, holder, version, by } => {
                self.propose(ctx, waiting, Command::Lock { lock, holder, version, by });
            }
        }
    }

    /// A list from the watch cache, as a reflector's first is (`resourceVersion=0`): no quorum is asked.
    fn list(&mut self, ctx: &mut Ctx<'_>, caller: Caller, service: ServiceId) {
        ctx.observe(Observation::Read);
        let listing = self.disfigured(ctx, service);
        let revision = self.shown_revision();
        self.answer(ctx, caller, Answer::Listing(revision, listing));
    }
}

/// The point that a message passes.
fn point_of(msg: &Msg) -> Option<Point> {
    match msg {
        Msg::Call { verb, .. } => match verb {
            Verb::Beat { .. } => Some(Point::RegistryRenew),
            Verb::Status { .. } => Some(Point::RegistryRegister),
            Verb::List { .. } => Some(Point::RegistryList),
            Verb::Post { .. }
            | Verb::Delete { .. }
            | Verb::Purge { .. }
            | Verb::GetLease { .. }
            | Verb::WriteLease { .. } => None,
        },
        Msg::Watch { .. } => Some(Point::RegistryWatch),
        Msg::Raft(_)
        | Msg::Answer { .. }
        | Msg::Slices(_)
        | Msg::Gone { .. }
        | Msg::WatchPod { .. }
        | Msg::Pod(_)
        | Msg::Ping
        | Msg::Pong
        | Msg::Running { .. }
        | Msg::Inspect
        | Msg::Terminate
        | Msg::Exited
        | Msg::Leave
        | Msg::Told(_) => None,
    }
}
