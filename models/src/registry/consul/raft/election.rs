//! Elections: who votes for whom, and who leads.

use std::collections::BTreeMap;

use schism_core::Time;

use super::super::stagger::stagger;
use super::{Alarm, Ballot, Body, Follower, Leadership, Message, Output, Peer, Raft, Role};
use crate::registry::raft::log::{Entry, Proposal};

impl<C: Clone> Raft<C> {
    /// A follower begins to look whether there is a leader.
    pub(super) fn look_out(&mut self) {
        self.alarm += 1;
        let after = self.draw(self.settings.heartbeat);
        self.remind(after, Alarm::Heartbeat(self.alarm));
    }

    /// Looks out within a tenth of the time that it would else take at least. For the start of a run, when the servers have
    /// been up for long: without that the first leader would come after ten seconds or so of a run in which nothing has
    /// happened yet.
    pub fn hurry(&mut self) {
        self.alarm += 1;
        let after = stagger(self.settings.heartbeat / 10, self.luck.draw());
        self.remind(after, Alarm::Heartbeat(self.alarm));
    }

    /// A follower looks whether it has heard of a leader. It does so on its own clock, which hearing of one does not
    /// set back: so it may notice at once, or only the next time (raft.go, `runFollower`).
    pub(super) fn on_heartbeat_due(&mut self, now: Time) {
        self.look_out();
        if self.contact.is_none_or(|contact| now.since(contact) >= self.settings.heartbeat) {
            self.believe(None);
            self.stand(now);
        }
    }

    /// Stands for election, or asks first whether that is worth it.
    pub(super) fn stand(&mut self, now: Time) {
        self.campaign(now, if self.settings.pre_vote { Ballot::Pre } else { Ballot::Real });
    }

    pub(super) fn campaign(&mut self, now: Time, ballot: Ballot) {
        let term = match ballot {
            Ballot::Pre => self.term + 1,
            Ballot::Real | Ballot::Transfer => {
                self.term += 1;
                self.vote = Some(self.settings.me);
                self.term
            }
        };
        self.role = Role::Candidate { ballot, votes: BTreeMap::from([(self.settings.me, true)]) };
        self.alarm += 1;
        let after = self.draw(self.settings.election);
        self.remind(after, Alarm::Election(self.alarm));
        let last = self.log.last();
        for peer in self.others() {
            self.outbox
                .push(Output::SendAfterSync(peer, Message { term, body: Body::Vote { ballot, last } }));
        }
        self.count_votes(now);
    }

    /// Someone asks for a vote (raft.go, `requestVote` and `requestPreVote`). Who knows of a leader votes for nobody
    /// else, and does not even take note of the term.
    pub(super) fn on_vote(&mut self, now: Time, from: Peer, term: u64, ballot: Ballot, last: (u64, u64)) {
        let has_leader = ballot != Ballot::Transfer && self.leader.is_some_and(|leader| leader != from);
        if has_leader || term < self.term {
            return self.send(from, Body::VoteReply { ballot, granted: false });
        }
        if ballot == Ballot::Pre {
            let granted = last >= self.log.last();
            return self.send(from, Body::VoteReply { ballot, granted });
        }
        if term > self.term {
            self.follow(now, term, None);
        }
        let granted = match self.vote {
            Some(candidate) => candidate == from,
            None => last >= self.log.last(),
        };
        if granted {
            self.vote = Some(from);
            self.contact = Some(now);
        }
        self.send_after_sync(from, Body::VoteReply { ballot, granted });
    }

    pub(super) fn on_vote_reply(&mut self, now: Time, from: Peer, term: u64, of: Ballot, granted: bool) {
        let Role::Candidate { ballot, votes } = &mut self.role else { return };
        if *ballot != of {
            return;
        }
        if term > self.term {
            return self.follow(now, term, None);
        }
        votes.insert(from, granted);
        self.count_votes(now);
    }

    /// A lost vote is no reason to give up: a candidate waits for a leader, or for its election timeout.
    fn count_votes(&mut self, now: Time) {
        let Role::Candidate { ballot, votes } = &self.role else { return };
        let (ballot, granted) = (*ballot, votes.values().filter(|&&granted| granted).count());
        if granted >= self.quorum() {
            match ballot {
                Ballot::Pre => self.campaign(now, Ballot::Real),
                Ballot::Real | Ballot::Transfer => self.lead(now),
            }
        }
    }

    /// It follows from now on, in this term.
    pub(super) fn follow(&mut self, now: Time, term: u64, leader: Option<Peer>) {
        if term > self.term {
            self.term = term;
            self.vote = None;
        }
        match std::mem::replace(&mut self.role, Role::Follower) {
            Role::Follower => {}
            Role::Candidate { .. } => self.look_out(),
            Role::Leader(lead) => {
                self.step_down(now, lead);
                self.look_out();
            }
        }
        self.believe(leader);
    }

    /// What a leader leaves when it ceases to be one: nobody is to think that its data is older than it is, and who
    /// waits to know whether it leads is told (raft.go, `runLeader`).
    fn step_down(&mut self, now: Time, lead: Leadership) {
        self.contact = Some(now);
        for (_, id) in lead.verifying {
            self.outbox.push(Output::Verified { id, leads: false });
        }
    }

    fn lead(&mut self, now: Time) {
        let first = self.log.last_index() + 1;
        let follower = Follower {
            matched: 0,
            next: first,
            contact: now,
            pipeline: false,
            in_flight: 0,
            failures: 0,
            ready: now,
            beating: None,
            beats_failed: 0,
            round: 0,
            asked: now,
            beat_alarm: 0,
            commit_alarm: 0,
            watched: false,
        };
        self.role = Role::Leader(Leadership {
            first,
            followers: vec![follower; self.settings.members as usize],
            round: 0,
            verifying: Vec::new(),
            successor: None,
        });
        self.alarm += 1;
        self.remind(self.settings.lease, Alarm::Lease(self.alarm));
        self.believe(Some(self.settings.me));
        for peer in self.others() {
            self.await_beat(peer);
            self.replicate(now, peer);
        }
        // An empty entry commits all that came before it.
        self.log.push(Entry { term: self.term, proposal: Proposal::empty() });
    }
}
