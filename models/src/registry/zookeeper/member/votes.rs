//! Votes on their way: each server keeps a connection to each of the others for elections alone, and the last thing that it
//! told on it until that has arrived.

use schism_core::{Duration, NodeId};

use super::super::api::Msg;
use super::super::election::{Notification, Output};
use super::super::log::Sid;
use super::{Member, Timer};
use crate::node::Ctx;

/// The time-out after which Linux first sends a segment again, which doubles each time: TCP_RTO_MIN (200 ms) and the round
/// trip with the kernel's own ticks. Measured on cut connections: 0.2, 0.6, 1.5, 3.1, 6.4, 13, 26.5 s after the first.
const RTO: Duration = Duration::from_nanos(206_500_000);

/// One connection of the election port. It is apart from the one between leader and follower, which the network keeps: so
/// it does not wait for what is stuck there. Its queue holds one message, and the last that was sent is sent again on a
/// new connection (server/quorum/QuorumCnxManager.java, `SEND_CAPACITY`, `lastMessageSent`, 3.8.0), so that all it comes
/// to is that the latest vote arrives, at the slots of TCP.
#[derive(Clone, Debug, Default)]
pub(super) struct Cable {
    unheard: Option<Unheard>,
    /// The number of the last message that has come.
    heard: u64,
}

#[derive(Clone, Copy, Debug)]
struct Unheard {
    /// The number of the first message that has not been heard: its slots go on for those that take its place.
    first: u64,
    number: u64,
    told: Notification,
    /// How often it, or what it took the place of, has been sent again.
    tries: u32,
}

impl Member {
    /// Does all that the election has asked for.
    pub(super) fn settle_election(&mut self, ctx: &mut Ctx<'_>) {
        for output in self.election.take() {
            match output {
                Output::Tell(to, told) => self.tell_vote(ctx, to, told),
                Output::Wait(wait, number) => ctx.after(wait, Timer::Wait(number).into()),
                Output::Elected(leader) => self.on_elected(ctx, leader),
            }
        }
    }

    /// Another server has told its vote.
    pub(super) fn on_told(&mut self, ctx: &mut Ctx<'_>, from: NodeId, number: u64, told: Notification) {
        let Some(sid) = self.sid(from) else { return };
        ctx.send(from, Msg::Heard { number }.into());
        let cable = self.cables.get_mut(&sid).expect("there is a cable to each of the others");
        if number > cable.heard {
            cable.heard = number;
            self.election.on_notification(sid, told);
            self.settle_election(ctx);
        }
    }

    /// A vote has arrived.
    pub(super) fn on_vote_heard(&mut self, from: NodeId, number: u64) {
        let Some(sid) = self.sid(from) else { return };
        if let Some(cable) = self.cables.get_mut(&sid) {
            cable.unheard = cable.unheard.filter(|unheard| unheard.number > number);
        }
    }

    /// A vote has not arrived, unless there is a later one, or nothing left to say.
    pub(super) fn on_resend(&mut self, ctx: &mut Ctx<'_>, to: Sid, first: u64) {
        let node = self.node(to);
        let Some(cable) = self.cables.get_mut(&to) else { return };
        let Some(unheard) = cable.unheard.as_mut().filter(|unheard| unheard.first == first) else { return };
        unheard.tries += 1;
        let Unheard { number, told, tries, .. } = *unheard;
        ctx.send(node, Msg::Vote { number, told }.into());
        ctx.after(RTO * (1 << tries.min(9)), Timer::Resend(to, first).into());
    }

    /// What follows a message that is being sent again waits for that one's next slot.
    fn tell_vote(&mut self, ctx: &mut Ctx<'_>, to: Sid, told: Notification) {
        let (number, node) = (self.number(), self.node(to));
        let cable = self.cables.get_mut(&to).expect("there is a cable to each of the others");
        match &mut cable.unheard {
            Some(unheard) => (unheard.number, unheard.told) = (number, told),
            None => {
                cable.unheard = Some(Unheard { first: number, number, told, tries: 0 });
                ctx.after(RTO, Timer::Resend(to, number).into());
            }
        }
        if cable.unheard.is_some_and(|unheard| unheard.tries == 0) {
            ctx.send(node, Msg::Vote { number, told }.into());
        }
    }
}
