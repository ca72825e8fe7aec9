//! Raft as etcd runs it: ticks, randomised elections, PreVote and CheckQuorum, replication, ReadIndex.
//!
//! A machine of its own: it is stepped with messages and ticks, and it fills an outbox. What follows etcd's `raft`
//! package (v3.4 to v3.6) is the order of the checks in [`Raft::step`]; what is left out is what the model does not
//! use: learners, membership change, snapshots and leadership transfer.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::Luck;

use super::log::{Entry, Log, Proposal};

/// A member's number within its group, from 0.
pub type Peer = u8;

/// What members tell each other. Every message carries its sender's term, except that a pre-vote carries the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// The sender's term.
    pub term: u64,
    /// What it says.
    pub body: Body,
}

/// What a Raft message says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// Vote for me.
    Vote {
        /// For the real vote, or to learn whether it is worth asking.
        ballot: Ballot,
        /// The candidate's last entry.
        last: (u64, u64),
    },
    /// An answer to that.
    VoteReply {
        /// Which question it answers.
        ballot: Ballot,
        /// Whether the vote is given.
        granted: bool,
    },
    /// Entries that follow the one at `prev`.
    Append {
        /// Term and index of the entry before the first.
        prev: (u64, u64),
        /// The entries.
        entries: Arc<[Entry]>,
        /// The leader's commit index.
        commit: u64,
    },
    /// The follower's log agrees with the leader's up to `matched`, or not at `prev`.
    AppendReply(Result<u64, Conflict>),
    /// The leader lives.
    Heartbeat {
        /// The commit index, as far as this follower's log is known to reach.
        commit: u64,
        /// The latest read that waits for a quorum.
        read: u64,
    },
    /// So does the follower.
    HeartbeatReply {
        /// The read named in the heartbeat.
        read: u64,
    },
    /// A follower passes a proposal on.
    Propose(Entry),
    /// A follower asks at which index a read is current.
    ReadIndex {
        /// The follower's number for it.
        id: u64,
    },
    /// The answer.
    ReadIndexReply {
        /// The follower's number for it.
        id: u64,
        /// Apply up to here, then read.
        index: u64,
    },
}

impl Message {
    /// How many log entries it carries.
    pub fn entries(&self) -> usize {
        match &self.body {
            Body::Append { entries, .. } => entries.len(),
            Body::Propose(_) => 1,
            Body::Vote { .. }
            | Body::VoteReply { .. }
            | Body::AppendReply(_)
            | Body::Heartbeat { .. }
            | Body::HeartbeatReply { .. }
            | Body::ReadIndex { .. }
            | Body::ReadIndexReply { .. } => 0,
        }
    }
}

/// A follower's log does not have the entry before the first that it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conflict {
    /// The index it was asked for.
    pub asked: u64,
    /// The last index that it could have.
    pub hint: u64,
}

/// Which vote is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ballot {
    /// Whether an election could be won: no term changes.
    Pre,
    /// The election.
    Real,
}

/// What a member needs to know of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// This member.
    pub me: Peer,
    /// How many members there are.
    pub members: u8,
    /// Ticks without a leader after which an election may begin; it does after that many up to twice as many, drawn.
    pub election_ticks: u32,
    /// Whether an election is preceded by a pre-vote: off in etcd 3.4, on since 3.5.
    pub pre_vote: bool,
}

/// What a member is in its term.
#[derive(Clone, Debug)]
pub enum Role {
    /// It follows a leader, or waits for one.
    Follower,
    /// It asks for votes.
    Candidate {
        /// Which.
        ballot: Ballot,
        /// The answers so far.
        votes: BTreeMap<Peer, bool>,
    },
    /// It leads.
    Leader(Leadership),
}

/// What a leader keeps track of.
#[derive(Clone, Debug)]
pub struct Leadership {
    progress: Vec<Progress>,
    /// Reads that wait for a quorum's heartbeats, by the number of the round that was begun for them.
    reads: Vec<PendingRead>,
    round: u64,
    /// Reads that wait for the first commit of the term.
    early: Vec<(Peer, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Progress {
    matched: u64,
    next: u64,
    /// Heard of since the last quorum check.
    recent: bool,
    /// Nothing is sent ahead until the follower has said where its log ends.
    probing: bool,
    /// The latest read round that it has acknowledged.
    read: u64,
}

#[derive(Clone, Copy, Debug)]
struct PendingRead {
    round: u64,
    from: Peer,
    id: u64,
    index: u64,
}

/// What must be done about it, by whoever runs the machine.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send this now.
    Send(Peer, Message),
    /// Send this once all that has changed so far is on disk.
    SendAfterSync(Peer, Message),
    /// A read that this member asked for is current once this index is applied.
    ReadReady {
        /// The number it was asked with.
        id: u64,
        /// The index.
        index: u64,
    },
    /// The member's view of who leads has changed.
    Leader(Option<Peer>),
}

/// Entries in one message at most; etcd bounds them by bytes (`MaxSizePerMsg`, 1 MiB).
const MOST_ENTRIES: usize = 4096;

/// One member of a Raft group.
#[derive(Clone, Debug)]
pub struct Raft {
    settings: Settings,
    luck: Luck,
    /// The current term.
    pub term: u64,
    /// Whom it voted for in that term.
    pub vote: Option<Peer>,
    /// Its log.
    pub log: Log,
    /// Up to where the log is committed.
    pub commit: u64,
    /// Up to where the log is on disk.
    stable: u64,
    role: Role,
    leader: Option<Peer>,
    /// Ticks since the leader was last heard of, or since the last quorum check.
    elapsed: u32,
    /// Ticks after which this member stands for election.
    patience: u32,
    /// What is to be done.
    pub outbox: Vec<Output>,
}

impl Raft {
    /// A member as it boots, with what its disk holds.
    pub fn new(settings: Settings, term: u64, vote: Option<Peer>, log: Log, luck: Luck) -> Raft {
        let stable = log.last_index();
        let mut raft = Raft {
            settings,
            luck,
            term,
            vote,
            log,
            commit: 0,
            stable,
            role: Role::Follower,
            leader: None,
            elapsed: 0,
            patience: 0,
            outbox: Vec::new(),
        };
        raft.draw_patience();
        raft
    }

    /// Who leads, as far as this member knows.
    pub fn leader(&self) -> Option<Peer> {
        self.leader
    }

    /// Whether this member leads.
    pub fn leads(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// One heartbeat interval has passed.
    pub fn tick(&mut self) {
        self.elapsed += 1;
        if self.leads() {
            if self.elapsed >= self.settings.election_ticks {
                self.elapsed = 0;
                self.check_quorum();
            }
            if self.leads() {
                self.beat();
            }
        } else if self.elapsed >= self.patience {
            self.elapsed = 0;
            self.campaign(if self.settings.pre_vote { Ballot::Pre } else { Ballot::Real });
        }
    }

    /// Takes a proposal, or passes it on to the leader; gives it back if there is none.
    pub fn propose(&mut self, entry: Entry) -> Result<(), Entry> {
        if self.leads() {
            self.append(vec![entry]);
            return Ok(());
        }
        match self.leader {
            Some(leader) => {
                self.send(leader, Body::Propose(entry));
                Ok(())
            }
            None => Err(entry),
        }
    }

    /// Asks at which index a read would be current. Without a leader the question is lost.
    pub fn read_index(&mut self, id: u64) {
        let me = self.settings.me;
        match self.leader {
            Some(leader) if leader == me => self.on_read_index(me, id),
            Some(leader) => self.send(leader, Body::ReadIndex { id }),
            None => {}
        }
    }

    /// The log is on disk up to `index`, if that is still the entry of `term`.
    pub fn on_stable(&mut self, index: u64, term: u64) {
        if self.log.term_at(index) != Some(term) {
            return;
        }
        self.stable = self.stable.max(index);
        let (me, stable) = (self.settings.me, self.stable);
        if let Role::Leader(lead) = &mut self.role {
            lead.progress[me as usize].matched = stable;
            self.advance_commit();
        }
    }

    /// A message has come.
    pub fn step(&mut self, from: Peer, message: Message) {
        let Message { term, body } = message;
        if term > self.term {
            if let Body::Vote { .. } = body
                && self.leader.is_some()
                && self.elapsed < self.settings.election_ticks
            {
                // Within a leader's lease nobody votes (CheckQuorum).
                return;
            }
            match body {
                // A pre-vote, and the answer that it would be granted, are about a term that is not yet.
                Body::Vote { ballot: Ballot::Pre, .. }
                | Body::VoteReply { ballot: Ballot::Pre, granted: true } => {}
                Body::Append { .. } | Body::Heartbeat { .. } => self.follow(term, Some(from)),
                Body::Vote { .. }
                | Body::VoteReply { .. }
                | Body::AppendReply(_)
                | Body::HeartbeatReply { .. }
                | Body::Propose(_)
                | Body::ReadIndex { .. }
                | Body::ReadIndexReply { .. } => self.follow(term, None),
            }
        } else if term < self.term {
            match body {
                // A leader of the past is told so by our term, and steps down: this is how a member that came back
                // with a higher term deposes a leader.
                Body::Append { .. } | Body::Heartbeat { .. } => {
                    let here = self.log.last_index();
                    self.send(from, Body::AppendReply(Ok(here.min(self.commit))));
                }
                Body::Vote { ballot: Ballot::Pre, .. } => {
                    self.send(from, Body::VoteReply { ballot: Ballot::Pre, granted: false });
                }
                Body::Vote { .. }
                | Body::VoteReply { .. }
                | Body::AppendReply(_)
                | Body::HeartbeatReply { .. }
                | Body::Propose(_)
                | Body::ReadIndex { .. }
                | Body::ReadIndexReply { .. } => {}
            }
            return;
        }
        match body {
            Body::Vote { ballot, last } => self.on_vote(from, term, ballot, last),
            Body::VoteReply { ballot, granted } => self.on_vote_reply(from, ballot, granted),
            Body::Append { prev, entries, commit } => self.on_append(from, prev, &entries, commit),
            Body::AppendReply(reply) => self.on_append_reply(from, reply),
            Body::Heartbeat { commit, read } => self.on_heartbeat(from, commit, read),
            Body::HeartbeatReply { read } => self.on_heartbeat_reply(from, read),
            Body::Propose(entry) => {
                // Lost if nobody leads here any more: its member's client waits for the request time-out.
                let _ = self.propose(entry);
            }
            Body::ReadIndex { id } => self.on_read_index(from, id),
            Body::ReadIndexReply { id, index } => self.outbox.push(Output::ReadReady { id, index }),
        }
    }

    fn on_vote(&mut self, from: Peer, term: u64, ballot: Ballot, last: (u64, u64)) {
        let free = self.vote == Some(from)
            || (self.vote.is_none() && self.leader.is_none())
            || (ballot == Ballot::Pre && term > self.term);
        let granted = free && last >= self.log.last();
        if granted && ballot == Ballot::Real {
            self.elapsed = 0;
            self.vote = Some(from);
        }
        // A pre-vote is granted for the term that was asked about, and refused in our own.
        let term = if granted { term } else { self.term };
        self.outbox
            .push(Output::SendAfterSync(from, Message { term, body: Body::VoteReply { ballot, granted } }));
    }

    fn on_vote_reply(&mut self, from: Peer, of: Ballot, granted: bool) {
        if let Role::Candidate { ballot, votes } = &mut self.role
            && *ballot == of
        {
            votes.insert(from, granted);
            self.count_votes();
        }
    }

    fn on_append(&mut self, from: Peer, prev: (u64, u64), entries: &[Entry], commit: u64) {
        self.heed(from);
        let (term, index) = prev;
        if index < self.commit {
            let here = self.commit;
            return self.send_after_sync(from, Body::AppendReply(Ok(here)));
        }
        if self.log.term_at(index) != Some(term) {
            let hint = index.saturating_sub(1).min(self.log.last_index());
            return self.send(from, Body::AppendReply(Err(Conflict { asked: index, hint })));
        }
        let matched = index + entries.len() as u64;
        if let Some(cut) = self.log.merge(index, entries) {
            assert!(cut >= self.commit, "a committed entry is never replaced");
            self.stable = self.stable.min(cut);
        }
        self.commit = self.commit.max(commit.min(matched));
        self.send_after_sync(from, Body::AppendReply(Ok(matched)));
    }

    fn on_append_reply(&mut self, from: Peer, reply: Result<u64, Conflict>) {
        let Role::Leader(lead) = &mut self.role else { return };
        let progress = &mut lead.progress[from as usize];
        progress.recent = true;
        match reply {
            Ok(matched) => {
                let news = matched > progress.matched;
                progress.matched = progress.matched.max(matched);
                progress.next = progress.next.max(matched + 1);
                let was_probing = std::mem::replace(&mut progress.probing, false);
                if news {
                    self.advance_commit();
                }
                if was_probing {
                    self.replicate(from);
                }
            }
            Err(Conflict { asked, hint }) => {
                if asked > progress.matched {
                    progress.next = (hint + 1).clamp(progress.matched + 1, asked.max(progress.matched + 1));
                    progress.probing = true;
                    self.replicate_probe(from);
                }
            }
        }
    }

    fn on_heartbeat(&mut self, from: Peer, commit: u64, read: u64) {
        self.heed(from);
        self.commit = self.commit.max(commit.min(self.log.last_index()));
        self.send(from, Body::HeartbeatReply { read });
    }

    fn on_heartbeat_reply(&mut self, from: Peer, read: u64) {
        let Role::Leader(lead) = &mut self.role else { return };
        let progress = &mut lead.progress[from as usize];
        progress.recent = true;
        progress.read = progress.read.max(read);
        let behind = progress.matched < self.log.last_index();
        self.confirm_reads();
        if behind {
            self.replicate_probe(from);
        }
    }

    fn on_read_index(&mut self, from: Peer, id: u64) {
        let settled = self.log.term_at(self.commit) == Some(self.term);
        let index = self.commit;
        let Role::Leader(lead) = &mut self.role else { return };
        if !settled {
            // Kept until the first commit of the term (raft.go, `pendingReadIndexMessages`: since 3.5.0 and 3.4.20).
            return lead.early.push((from, id));
        }
        lead.round += 1;
        lead.reads.push(PendingRead { round: lead.round, from, id, index });
        self.beat();
        self.confirm_reads();
    }

    fn confirm_reads(&mut self) {
        let (me, quorum) = (self.settings.me, self.quorum());
        let Role::Leader(lead) = &mut self.role else { return };
        lead.progress[me as usize].read = lead.round;
        let mut rounds: Vec<u64> = lead.progress.iter().map(|progress| progress.read).collect();
        rounds.sort_unstable();
        let confirmed = rounds[rounds.len() - quorum];
        let (ready, waiting) = lead.reads.iter().partition(|read| read.round <= confirmed);
        lead.reads = waiting;
        let ready: Vec<PendingRead> = ready;
        for PendingRead { from, id, index, .. } in ready {
            if from == me {
                self.outbox.push(Output::ReadReady { id, index });
            } else {
                self.send(from, Body::ReadIndexReply { id, index });
            }
        }
    }

    /// A leader of this term has spoken.
    fn heed(&mut self, leader: Peer) {
        if self.leads() {
            return;
        }
        self.role = Role::Follower;
        self.elapsed = 0;
        self.believe(Some(leader));
    }

    fn follow(&mut self, term: u64, leader: Option<Peer>) {
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

    /// Anew at every change of term or role: from one election time-out up to two, less a tick.
    fn draw_patience(&mut self) {
        let ticks = self.settings.election_ticks;
        self.patience = ticks + self.luck.below(ticks);
    }

    fn campaign(&mut self, ballot: Ballot) {
        let term = match ballot {
            // A pre-candidate's term, vote and patience stay as they are.
            Ballot::Pre => self.term + 1,
            Ballot::Real => {
                self.begin(self.term + 1);
                self.vote = Some(self.settings.me);
                self.term
            }
        };
        self.believe(None);
        self.role = Role::Candidate { ballot, votes: BTreeMap::from([(self.settings.me, true)]) };
        let last = self.log.last();
        for peer in self.others() {
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
                Ballot::Real => self.lead(),
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
        };
        lead.progress[self.settings.me as usize].matched = self.stable;
        self.role = Role::Leader(lead);
        self.elapsed = 0;
        self.believe(Some(self.settings.me));
        // An empty entry commits all that came before it.
        self.append(vec![Entry { term: 0, proposal: Proposal::empty() }]);
    }

    /// A leader that has not heard of a quorum for an election time-out steps down.
    fn check_quorum(&mut self) {
        let (me, quorum) = (self.settings.me as usize, self.quorum());
        let Role::Leader(lead) = &mut self.role else { return };
        lead.progress[me].recent = true;
        let active = lead.progress.iter().filter(|progress| progress.recent).count();
        lead.progress.iter_mut().for_each(|progress| progress.recent = false);
        if active < quorum {
            self.follow(self.term, None);
        }
    }

    fn append(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            self.log.push(Entry { term: self.term, ..entry });
        }
        self.others().for_each(|peer| self.replicate(peer));
    }

    /// Sends what a follower has not been sent; nothing ahead of a probe's answer.
    fn replicate(&mut self, peer: Peer) {
        let Role::Leader(lead) = &self.role else { return };
        let progress = lead.progress[peer as usize];
        if !progress.probing && progress.next <= self.log.last_index() {
            self.replicate_probe(peer);
        }
    }

    /// Sends from the follower's next entry on, even if that is nothing: its answer says where its log ends.
    fn replicate_probe(&mut self, peer: Peer) {
        let Role::Leader(lead) = &mut self.role else { return };
        let progress = &mut lead.progress[peer as usize];
        let index = progress.next - 1;
        let entries = self.log.after(index, MOST_ENTRIES);
        if !progress.probing {
            progress.next += entries.len() as u64;
        }
        let term = self.log.term_at(index).expect("a leader has all that it has sent");
        let body = Body::Append { prev: (term, index), entries, commit: self.commit };
        self.send(peer, body);
    }

    fn advance_commit(&mut self) {
        let Role::Leader(lead) = &mut self.role else { return };
        let mut matched: Vec<u64> = lead.progress.iter().map(|progress| progress.matched).collect();
        matched.sort_unstable();
        let index = matched[matched.len() - self.settings.quorum()];
        // Only an entry of its own term does a leader commit by counting (Raft, 5.4.2).
        if index <= self.commit || self.log.term_at(index) != Some(self.term) {
            return;
        }
        let first_of_term = self.log.term_at(self.commit) != Some(self.term);
        self.commit = index;
        if first_of_term {
            let early = std::mem::take(&mut lead.early);
            early.into_iter().for_each(|(from, id)| self.on_read_index(from, id));
        }
        // Followers learn the commit index with the next entries; if there are none, at once, as etcd does.
        self.others().for_each(|peer| self.tell_commit(peer));
    }

    fn tell_commit(&mut self, peer: Peer) {
        let Role::Leader(lead) = &self.role else { return };
        if !lead.progress[peer as usize].probing {
            self.replicate_probe(peer);
        }
    }

    /// A heartbeat to everyone, naming the latest read that waits.
    fn beat(&mut self) {
        let Role::Leader(lead) = &self.role else { return };
        let (round, commit) = (lead.round, self.commit);
        let matched: Vec<u64> = lead.progress.iter().map(|progress| progress.matched).collect();
        for peer in self.others() {
            self.send(peer, Body::Heartbeat { commit: commit.min(matched[peer as usize]), read: round });
        }
    }

    fn send(&mut self, to: Peer, body: Body) {
        self.outbox.push(Output::Send(to, Message { term: self.term, body }));
    }

    fn send_after_sync(&mut self, to: Peer, body: Body) {
        self.outbox.push(Output::SendAfterSync(to, Message { term: self.term, body }));
    }

    fn quorum(&self) -> usize {
        self.settings.quorum()
    }

    fn others(&self) -> impl Iterator<Item = Peer> + use<> {
        let me = self.settings.me;
        (0..self.settings.members).filter(move |&peer| peer != me)
    }
}

impl Settings {
    fn quorum(&self) -> usize {
        self.members as usize / 2 + 1
    }
}
