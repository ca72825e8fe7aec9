//! Leadership transfer: the leader brings a follower up to date and has it stand for election at once (Ongaro,
//! "Consensus: bridging theory and practice", 2014, §3.10; etcd's `MoveLeader`).

use super::{Ballot, Body, Leadership, Output, Peer, Progress, Raft, Role};

impl<C: Clone> Raft<C> {
    /// The leader hands over to the most up-to-date of its followers, rather to one that it has heard of lately; of
    /// equals, to the next by number. Returns whether there was one: who does not lead, or leads alone, cannot.
    pub fn hand_over(&mut self) -> bool {
        let Some(successor) = self.heir() else { return false };
        let Role::Leader(lead) = &mut self.role else { return false };
        lead.successor = Some(successor);
        // It has one election time-out to take over (raft.go, `stepLeader`, `MsgTransferLeader`).
        self.elapsed = 0;
        if !self.summon(successor) {
            self.replicate_probe(successor);
        }
        true
    }

    /// A successor that has all entries is told to stand for election. Returns whether it was.
    pub(super) fn summon(&mut self, peer: Peer) -> bool {
        let Role::Leader(lead) = &self.role else { return false };
        let ready =
            lead.successor == Some(peer) && lead.progress[peer as usize].matched == self.log.last_index();
        if ready {
            self.send(peer, Body::TimeoutNow);
        }
        ready
    }

    /// A successor that has not taken over within an election time-out is given up (raft.go, `tickHeartbeat`), and what
    /// could not be proposed meanwhile can be again.
    pub(super) fn keep_leading(&mut self) {
        if let Role::Leader(lead) = &mut self.role
            && lead.successor.take().is_some()
        {
            self.outbox.push(Output::Leader(self.leader));
        }
    }

    /// The leader wants this member to lead.
    pub(super) fn on_timeout_now(&mut self) {
        if !self.leads() {
            self.campaign(Ballot::Transfer);
        }
    }

    fn heir(&self) -> Option<Peer> {
        let Role::Leader(Leadership { progress, .. }) = &self.role else { return None };
        let (me, members) = (self.settings.me, self.settings.members);
        let near = |peer: Peer| (members + me - peer) % members;
        self.settings.others().max_by_key(|&peer| {
            let Progress { recent, matched, .. } = progress[peer as usize];
            (recent, matched, near(peer))
        })
    }
}

#[cfg(test)]
mod tests {
    use schism_core::Seed;

    use super::super::Settings;
    use super::super::log::{Entry, Log, Proposal};

    use super::*;

    fn group() -> Vec<Raft<()>> {
        let settings = |me| Settings { me, members: 3, election_ticks: 10, pre_vote: true };
        let luck = |me: u8| Seed(1).luck(&format!("member {me}"), "election", 0);
        (0..3).map(|me| Raft::new(settings(me), 0, None, Log::default(), luck(me))).collect()
    }

    /// Delivers all messages, and those that they lead to, in order; whoever is cut off gets none.
    fn settle(group: &mut [Raft<()>], cut_off: Option<Peer>) {
        while group.iter().any(|raft| !raft.outbox.is_empty()) {
            for from in 0..group.len() {
                let (term, last) = group[from].log.last();
                group[from].on_stable(last, term);
                for output in std::mem::take(&mut group[from].outbox) {
                    if let Output::Send(to, message) | Output::SendAfterSync(to, message) = output
                        && ![Some(to), Some(from as Peer)].contains(&cut_off)
                    {
                        group[to as usize].step(from as Peer, message);
                    }
                }
            }
        }
    }

    fn elected() -> Vec<Raft<()>> {
        let mut group = group();
        while !group[0].leads() {
            group[0].tick();
            settle(&mut group, None);
        }
        group
    }

    fn put() -> Entry<()> {
        Entry { term: 0, proposal: Proposal::empty() }
    }

    fn leaders(group: &[Raft<()>]) -> Vec<usize> {
        (0..group.len()).filter(|&peer| group[peer].leads()).collect()
    }

    #[test]
    fn leadership_moves_within_the_old_leaders_lease_and_one_term_on() {
        let mut group = elected();
        let term = group[0].term;
        assert!(group[0].hand_over());
        settle(&mut group, None);
        assert_eq!(leaders(&group), [1]);
        assert_eq!(group[1].term, term + 1);
    }

    #[test]
    fn the_follower_that_has_more_of_the_log_is_preferred() {
        let mut group = elected();
        assert!(group[0].propose(put()).is_ok());
        settle(&mut group, Some(1));
        assert!(group[0].hand_over());
        settle(&mut group, Some(1));
        assert_eq!(leaders(&group), [2]);
    }

    #[test]
    fn nothing_is_proposed_until_the_successor_leads_or_is_given_up() {
        let mut group = elected();
        assert!(group[0].hand_over());
        group[0].outbox.clear();
        assert!(group[0].propose(put()).is_err());
        (0..10).for_each(|_| group[0].tick());
        assert!(group[0].propose(put()).is_ok());
    }
}
