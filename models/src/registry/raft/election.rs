//! Elections: who votes for whom, who leads, and when a leader gives up.

use std::collections::BTreeMap;

use super::log::{Entry, Proposal};
use super::{Ballot, Body, Leadership, Message, Output, Peer, Progress, Raft, Role};

impl<C: Clone> Raft<C> {
    pub(super) fn on_vote(&mut self, from: Peer, term: u64, ballot: Ballot, last: (u64, u64)) {
        let free = self.vote == Some(from)
            || (self.vote.is_none() && self.leader.is_none())
            || (ballot == Ballot::Pre && term > self.term);
        let granted = free && last >= self.log.last();
        if granted && ballot != Ballot::Pre {
            self.elapsed = 0;
            self.vote = Some(from);
        }
        // A pre-vote is granted for the term that was asked about, and refused in our own.
        let term = if granted { term } else { self.term };
        self.outbox
            .push(Output::SendAfterSync(from, Message { term, body: Body::VoteReply { ballot, granted } }));
    }

    pub(super) fn on_vote_reply(&mut self, from: Peer, of: Ballot, granted: bool) {
        if let Role::Candidate { ballot, votes } = &mut self.role
            && *ballot == of
        {
            votes.insert(from, granted);
            self.count_votes();
        }
    }

    /// A leader of this term has spoken.
    pub(super) fn heed(&mut self, leader: Peer) {
        if self.leads() {
            return;
        }
        self.role = Role::Follower;
        self.elapsed = 0;
        self.believe(Some(leader));
    }

    pub(super) fn follow(&mut self, term: u64, leader: Option<Peer>) {
        self.begin(term);
        self.role = Role::Follower;
        self.believe(leader);
    }

    fn begin(&mut self, term: u64) {
        if term != self.term {
            self.term = term;
            self.vote = None;
        }
        self.elapsed = 0;
        self.draw_patience();
    }

    fn believe(&mut self, leader: Option<Peer>) {
        if self.leader != leader {
            self.leader = leader;
            self.outbox.push(Output::Leader(leader));
        }
    }

    /// Anew at every change of term or role: from one election time-out up to two, less a tick, unless elections are
    /// spread otherwise.
    pub(super) fn draw_patience(&mut self) {
        self.patience = self.settings.election_ticks + self.luck.below(self.spread);
    }

    pub(super) fn campaign(&mut self, ballot: Ballot) {
        let term = match ballot {
            // A pre-candidate's term, vote and patience stay as they are.
            Ballot::Pre => self.term + 1,
            Ballot::Real | Ballot::Transfer => {
                self.begin(self.term + 1);
                self.vote = Some(self.settings.me);
                self.term
            }
        };
        self.believe(None);
        self.role = Role::Candidate { ballot, votes: BTreeMap::from([(self.settings.me, true)]) };
        let last = self.log.last();
        for peer in self.settings.others() {
            self.outbox
                .push(Output::SendAfterSync(peer, Message { term, body: Body::Vote { ballot, last } }));
        }
        self.count_votes();
    }

    fn count_votes(&mut self) {
        let Role::Candidate { ballot, votes } = &self.role else { return };
        let (ballot, granted) = (*ballot, votes.values().filter(|&&granted| granted).count());
        if granted >= self.quorum() {
            match ballot {
                Ballot::Pre => self.campaign(Ballot::Real),
                Ballot::Real | Ballot::Transfer => self.lead(),
            }
        } else if votes.len() - granted >= self.quorum() {
            self.follow(self.term, None);
        }
    }

    fn lead(&mut self) {
        let last = self.log.last_index();
        let progress = Progress { matched: 0, next: last + 1, recent: false, probing: false, read: 0 };
        let mut lead = Leadership {
            progress: vec![progress; self.settings.members as usize],
            reads: Vec::new(),
            round: 0,
            early: Vec::new(),
            successor: None,
        };
        lead.progress[self.settings.me as usize].matched = self.stable;
        self.role = Role::Leader(lead);
        self.elapsed = 0;
        self.believe(Some(self.settings.me));
        // An empty entry commits all that came before it.
        self.append(vec![Entry { term: 0, proposal: Proposal::empty() }]);
    }

    /// A leader that has not heard of a quorum for an election time-out steps down.
    pub(super) fn check_quorum(&mut self) {
        let (me, quorum) = (self.settings.me as usize, self.quorum());
        let Role::Leader(lead) = &mut self.role else { return };
        lead.progress[me].recent = true;
        let active = lead.progress.iter().filter(|progress| progress.recent).count();
        lead.progress.iter_mut().for_each(|progress| progress.recent = false);
        if active < quorum {
            self.follow(self.term, None);
        }
    }
}
