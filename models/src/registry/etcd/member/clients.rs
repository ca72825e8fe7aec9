//! Clients: what they ask for, and what goes with those that go.

use schism_core::NodeId;

use super::super::api::{Answer, Ask, Failure, Msg};
use super::super::claims;
use super::super::store::{Command, LeaseId};
use super::keeps::Asker;
use super::{Caller, Member, Waiting};
use crate::cache::Reads;
use crate::node::Ctx;
use crate::observation::Cause;

impl Member {
    /// A client asks for something.
    pub(super) fn on_ask(&mut self, ctx: &mut Ctx<'_>, caller: Caller, ask: Ask) {
        if self.throttles.refuse(ctx) {
            return self.answer(ctx, caller, Answer::Failed(Failure::Overloaded));
        }
        match ask {
            Ask::Grant { ttl } => {
                let lease = LeaseId((self.seat.me as u64) << 56 | self.last);
                let ttl = self.seat.config.granted(ttl);
                self.propose(ctx, Waiting::Write(caller), Command::Grant { lease, ttl });
            }
            Ask::Register { service, endpoint, lease } => {
                self.propose(ctx, Waiting::Write(caller), Command::Register { service, endpoint, lease });
            }
            Ask::Revoke { lease } => {
                let command = Command::Revoke { lease, cause: Cause::Revoked };
                self.propose(ctx, Waiting::Write(caller), command);
            }
            Ask::Put(pair) => {
                self.propose(ctx, Waiting::Write(caller), Command::Put(pair));
            }
            Ask::Claim(claims::Ask::Take { lock, lease }) => {
                let command = claims::Command::Take { lock, lease, by: caller.client };
                self.propose(ctx, Waiting::Write(caller), Command::Claim(command));
            }
            Ask::Claim(claims::Ask::Drop { lock, lease }) => {
                let command = claims::Command::Drop { lock, lease };
                self.propose(ctx, Waiting::Write(caller), Command::Claim(command));
            }
            Ask::Claim(claims::Ask::Before { .. } | claims::Ask::Mine { .. }) => {
                self.read(ctx, caller, ask, Reads::Linearizable);
            }
            Ask::List { reads, .. } | Ask::Get { reads, .. } => self.read(ctx, caller, ask, reads),
        }
    }

    pub(super) fn answer(&mut self, ctx: &mut Ctx<'_>, Caller { client, call }: Caller, answer: Answer) {
        ctx.stream(client, Msg::Answer { call, answer }.into());
    }

    /// A client has gone, and with it all that it waits for: its keepalives are not extended for nobody. What it has
    /// proposed may still be committed.
    pub(super) fn forget(&mut self, peer: NodeId) {
        self.clients.remove(&peer);
        self.watchers.forget(peer);
        self.forget_waits(peer);
        self.keeps.retain(|_, keeping| !matches!(keeping.asker, Asker::Client(client) if client == peer));
        self.proposed
            .retain(|_, waiting| !matches!(waiting, Waiting::Write(caller) if caller.client == peer));
        self.reads.forget(peer);
        self.forget_late(peer);
    }
}
