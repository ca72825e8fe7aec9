//! What a server thinks of the others: up, suspicious or down, from its own reports to them.

use std::collections::BTreeMap;

use schism_core::{Duration, NodeId};

use super::{Msg, Peer};
use crate::node::Ctx;

/// How often a server reports to the next of the others: 2 s (core/cluster/ServerMemberManager.java, 3.0.3,
/// `MemberInfoReportTask.after`).
pub const REPORT: Duration = Duration::from_secs(2);
/// How many failed reports in a row make a member down: more than 3 (core/cluster/MemberUtil.java, 3.0.3, `onFail`;
/// `nacos.core.member.fail-access-cnt`).
pub const MOST_FAILURES: u32 = 3;

/// What a server thinks of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// The last report was answered.
    Up,
    /// The last report was not answered, nor were perhaps a few before it. It still counts among those that answer for
    /// services, and nothing is synced to it.
    Suspicious,
    /// It refused the connection, or failed too often: it answers for nothing.
    Down,
}

/// How a report failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The host refused the connection: down at once (`TARGET_MEMBER_CONNECT_REFUSE_ERRMSG`).
    Refused,
    /// There was no answer.
    Silence,
}

/// What a server thinks of all.
#[derive(Clone, Debug)]
pub struct Membership {
    me: usize,
    others: Vec<Other>,
    /// To whom the last report went.
    cursor: usize,
    /// Reports that are not answered, and to whom they went.
    open: BTreeMap<u32, usize>,
}

#[derive(Clone, Copy, Debug)]
struct Other {
    standing: Standing,
    failures: u32,
    /// Whether it has been heard of by the connection that there is, so that a reset is no refusal of a new one.
    connected: bool,
}

impl Other {
    /// As a server that has just started takes it to be.
    const UNKNOWN: Other = Other { standing: Standing::Up, failures: 0, connected: false };
}

impl Membership {
    /// A server that has just started takes all others to be up (`Member`'s initial state).
    pub fn new(me: usize, members: usize) -> Membership {
        assert!(me < members, "a server is one of the members");
        Membership { me, others: vec![Other::UNKNOWN; members], cursor: me, open: BTreeMap::new() }
    }

    /// The place of the member that the next report goes to, if there is another: one after another.
    pub fn turn(&mut self) -> Option<usize> {
        let members = self.others.len();
        self.cursor = (self.cursor + 1) % members;
        if self.cursor == self.me {
            self.cursor = (self.cursor + 1) % members;
        }
        (self.cursor != self.me).then_some(self.cursor)
    }

    /// Reports to a member.
    pub(super) fn report(&mut self, ctx: &mut Ctx<'_>, to: NodeId, member: usize, number: u32) {
        self.open.insert(number, member);
        ctx.stream(to, Msg::Peer(Peer::Report { number }).into());
    }

    /// A member reports, or answers a report.
    pub(super) fn on_peer(&mut self, ctx: &mut Ctx<'_>, from: NodeId, member: usize, peer: Peer) {
        match peer {
            Peer::Report { number } => ctx.stream(from, Msg::Peer(Peer::Reported { number }).into()),
            Peer::Reported { number } => {
                self.open.remove(&number);
            }
        }
        self.on_heard(member);
    }

    /// A report may not have been answered: by which member, if it was not. The connection to that one is closed.
    pub(super) fn on_unreported(&mut self, number: u32) -> Option<usize> {
        let member = self.open.remove(&number)?;
        self.on_failed(member, Failure::Silence);
        self.on_closed(member);
        Some(member)
    }

    /// A member's host has reset the connection, and with that failed the reports that were under way.
    pub(super) fn on_reset(&mut self, member: usize) {
        let before = self.open.len();
        self.open.retain(|_, to| *to != member);
        let failure = self.on_closed(member);
        if self.open.len() < before {
            self.on_failed(member, failure);
        }
    }

    /// What is thought of a member.
    pub fn standing(&self, member: usize) -> Standing {
        self.others[member].standing
    }

    /// A member has answered, or has reported itself; whether those who answer for services are others now.
    pub fn on_heard(&mut self, member: usize) -> bool {
        let before = std::mem::replace(&mut self.others[member], Other { connected: true, ..Other::UNKNOWN });
        before.standing == Standing::Down
    }

    /// The connection to a member is closed: how a report has failed that was under way by it.
    pub fn on_closed(&mut self, member: usize) -> Failure {
        match std::mem::replace(&mut self.others[member].connected, false) {
            true => Failure::Silence,
            false => Failure::Refused,
        }
    }

    /// A report has failed; whether those who answer for services are others now.
    pub fn on_failed(&mut self, member: usize, failure: Failure) -> bool {
        let other = &mut self.others[member];
        let before = other.standing;
        other.failures += 1;
        let down = failure == Failure::Refused || other.failures > MOST_FAILURES;
        other.standing = if down { Standing::Down } else { Standing::Suspicious };
        (before == Standing::Down) != down
    }

    /// The members that answer for services, in their fixed order: itself, and those that are not down
    /// (naming/core/DistroMapper.java, 3.0.3, `onEvent`).
    pub fn answering(&self) -> Vec<usize> {
        let counts = |&member: &usize| member == self.me || self.others[member].standing != Standing::Down;
        (0..self.others.len()).filter(counts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fourth_silence_in_a_row_is_one_too_many() {
        let mut membership = Membership::new(0, 3);
        for _ in 0..MOST_FAILURES {
            assert!(!membership.on_failed(1, Failure::Silence));
            assert_eq!(membership.standing(1), Standing::Suspicious);
        }
        assert!(membership.on_failed(1, Failure::Silence));
        assert_eq!(membership.standing(1), Standing::Down);
        assert_eq!(membership.answering(), [0, 2]);
        assert!(membership.on_heard(1));
        assert_eq!(membership.answering(), [0, 1, 2]);
    }

    #[test]
    fn an_answer_in_between_begins_the_count_anew() {
        let mut membership = Membership::new(0, 3);
        (0..MOST_FAILURES).for_each(|_| assert!(!membership.on_failed(1, Failure::Silence)));
        assert!(!membership.on_heard(1));
        assert!(!membership.on_failed(1, Failure::Silence));
        assert_eq!(membership.standing(1), Standing::Suspicious);
    }

    #[test]
    fn who_refuses_is_down_at_once() {
        let mut membership = Membership::new(2, 3);
        membership.on_heard(0);
        assert_eq!(membership.on_closed(0), Failure::Silence, "the connection that there was is reset");
        assert_eq!(membership.on_closed(0), Failure::Refused, "there is no other");
        assert!(membership.on_failed(0, Failure::Refused));
        assert_eq!(membership.answering(), [1, 2]);
    }

    #[test]
    fn reports_go_round_and_never_to_oneself() {
        let mut membership = Membership::new(1, 3);
        let round: Vec<_> = (0..4).map(|_| membership.turn()).collect();
        assert_eq!(round, [Some(2), Some(0), Some(2), Some(0)]);
        assert_eq!(Membership::new(0, 1).turn(), None);
    }
}
