//! Leadership transfer: the leader brings a follower up to date and has it stand for election at once (Ongaro,
//! "Consensus: bridging theory and practice", 2014, §3.10; raft.go, `leadershipTransfer`).

use schism_core::Time;

use super::{Alarm, Ballot, Body, Peer, Raft, Role};

impl<C: Clone> Raft<C> {
    /// The leader hands over to the follower that has most of its log; of equals, to the first by number. Returns whether
    /// there was one: who does not lead, or leads alone, cannot.
    pub fn hand_over(&mut self, now: Time) -> bool {
        let Some(successor) = self.heir() else { return false };
        let alarm = Alarm::Transfer(self.alarm_of_reign());
        self.remind(self.settings.election, alarm);
        let Role::Leader(lead) = &mut self.role else { return false };
        lead.successor = Some(successor);
        if !self.summon(successor) {
            self.replicate(now, successor);
        }
        true
    }

    /// A successor that has all entries is told to stand for election. Returns whether it was.
    pub(super) fn summon(&mut self, peer: Peer) -> bool {
        let Role::Leader(lead) = &self.role else { return false };
        let ready =
            lead.successor == Some(peer) && lead.followers[peer as usize].matched == self.log.last_index();
        if ready {
            self.send(peer, Body::TimeoutNow);
        }
        ready
    }

    /// A successor that has not taken over within an election timeout is given up.
    pub(super) fn give_up_successor(&mut self) {
        if let Role::Leader(lead) = &mut self.role {
            lead.successor = None;
        }
    }

    /// The leader wants this server to lead.
    pub(super) fn on_timeout_now(&mut self, now: Time) {
        if !self.leads() {
            self.believe(None);
            self.campaign(now, Ballot::Transfer);
        }
    }

    fn heir(&self) -> Option<Peer> {
        let Role::Leader(lead) = &self.role else { return None };
        self.others().max_by_key(|&peer| (lead.followers[peer as usize].matched, u8::MAX - peer))
    }
}
