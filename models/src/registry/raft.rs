//! Raft as etcd runs it: ticks, randomised elections, PreVote and CheckQuorum, replication, ReadIndex. What is
//! replicated is the registry's own: a command `C`.
//!
//! A machine of its own: it is stepped with messages and ticks, and it fills an outbox. What follows etcd's `raft`
//! package (v3.4 to v3.6) is the order of the checks in [`Raft::step`]; what is left out is what the model does not
//! use: learners, membership change and snapshots.

mod election;
mod heartbeat;
pub mod log;
mod message;
mod replication;
mod transfer;

pub use message::{Ballot, Body, Conflict, Message};

use std::collections::BTreeMap;

use schism_core::Luck;

use self::log::{Entry, Log};

/// A member's number within its group, from 0.
pub type Peer = u8;

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
    /// Who is to lead next: while it is getting ready nothing is proposed.
    successor: Option<Peer>,
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
pub enum Output<C> {
    /// Send this now.
    Send(Peer, Message<C>),
    /// Send this once all that has changed so far is on disk.
    SendAfterSync(Peer, Message<C>),
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

/// One member of a Raft group.
#[derive(Clone, Debug)]
pub struct Raft<C> {
    settings: Settings,
    luck: Luck,
    /// The current term.
    pub term: u64,
    /// Whom it voted for in that term.
    pub vote: Option<Peer>,
    /// Its log.
    pub log: Log<C>,
    /// Up to where the log is committed.
    pub commit: u64,
    /// Up to where the log is on disk.
    stable: u64,
    role: Role,
    leader: Option<Peer>,
    /// Ticks since the leader was last heard of, or since the last quorum check.
    elapsed: u32,
    /// Ticks by how many elections of several members are spread.
    spread: u32,
    /// Ticks after which this member stands for election.
    patience: u32,
    /// What is to be done.
    pub outbox: Vec<Output<C>>,
}

impl<C: Clone> Raft<C> {
    /// A member as it boots, with what its disk holds.
    pub fn new(settings: Settings, term: u64, vote: Option<Peer>, log: Log<C>, luck: Luck) -> Raft<C> {
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
            spread: settings.election_ticks,
            patience: 0,
            outbox: Vec::new(),
        };
        raft.draw_patience();
        raft
    }

    /// The same, but elections begin within so many ticks after the election time-out, where etcd spreads them over
    /// another whole one.
    #[must_use]
    pub fn with_spread(mut self, ticks: u32) -> Raft<C> {
        assert!(ticks > 0, "there is a tick to stand for election at");
        self.spread = ticks;
        self.draw_patience();
        self
    }

    /// Who leads, as far as this member knows.
    pub fn leader(&self) -> Option<Peer> {
        self.leader
    }

    /// Whether this member leads.
    pub fn leads(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// What this member waits for from the others, and from whom.
    pub fn waits(&self) -> Option<(&'static str, Vec<Peer>)> {
        let last = self.log.last_index();
        match (&self.role, self.leader) {
            (Role::Candidate { votes, .. }, _) => {
                Some(("votes", self.settings.others().filter(|peer| !votes.contains_key(peer)).collect()))
            }
            (Role::Leader(lead), _) if last > self.commit => {
                let behind = |&peer: &Peer| lead.progress[usize::from(peer)].matched < last;
                Some(("acknowledgements", self.settings.others().filter(behind).collect()))
            }
            (Role::Leader(_), _) => None,
            (Role::Follower, None) => Some(("a leader", self.settings.others().collect())),
            (Role::Follower, Some(_)) => None,
        }
    }

    /// One heartbeat interval has passed.
    pub fn tick(&mut self) {
        self.elapsed += 1;
        if self.leads() {
            if self.elapsed >= self.settings.election_ticks {
                self.elapsed = 0;
                self.keep_leading();
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
    pub fn propose(&mut self, entry: Entry<C>) -> Result<(), Entry<C>> {
        match (&self.role, self.leader) {
            (Role::Leader(Leadership { successor: Some(_), .. }), _) | (_, None) => Err(entry),
            (Role::Leader(_), Some(_)) => {
                self.append(vec![entry]);
                Ok(())
            }
            (Role::Follower | Role::Candidate { .. }, Some(leader)) => {
                self.send(leader, Body::Propose(entry));
                Ok(())
            }
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
    pub fn step(&mut self, from: Peer, message: Message<C>) {
        let Message { term, body } = message;
        if term > self.term {
            if let Body::Vote { ballot: Ballot::Pre | Ballot::Real, .. } = body
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
                | Body::TimeoutNow
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
                | Body::TimeoutNow
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
            Body::TimeoutNow => self.on_timeout_now(),
            Body::ReadIndex { id } => self.on_read_index(from, id),
            Body::ReadIndexReply { id, index } => self.outbox.push(Output::ReadReady { id, index }),
        }
    }

    fn send(&mut self, to: Peer, body: Body<C>) {
        self.outbox.push(Output::Send(to, Message { term: self.term, body }));
    }

    fn send_after_sync(&mut self, to: Peer, body: Body<C>) {
        self.outbox.push(Output::SendAfterSync(to, Message { term: self.term, body }));
    }

    fn quorum(&self) -> usize {
        self.settings.quorum()
    }
}

impl Settings {
    /// Everyone else in the group.
    fn others(self) -> impl Iterator<Item = Peer> {
        (0..self.members).filter(move |&peer| peer != self.me)
    }

    fn quorum(&self) -> usize {
        self.members as usize / 2 + 1
    }
}
