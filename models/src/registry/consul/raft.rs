//! Raft as hashicorp/raft runs it: timers instead of ticks, a leader's lease, votes that a known leader forbids, and
//! replication that follows its own clock.
//!
//! A machine of its own: it is stepped with messages and alarms, and it fills an outbox. It follows hashicorp/raft
//! v1.7.3 (raft.go, replication.go); what is left out is what the model does not use: membership change and snapshots.
//! Heartbeats and entries go over one connection here, where the real one keeps several to a peer.

mod election;
mod lease;
mod message;
mod replication;
#[cfg(test)]
mod tests;
mod transfer;

pub use message::{Ballot, Body, Message};

use std::collections::BTreeMap;

use schism_core::{Duration, Luck, Time};

use super::stagger::stagger;
pub use crate::registry::raft::Peer;
use crate::registry::raft::log::{Entry, Log};

/// What a server needs to know of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// This server.
    pub me: Peer,
    /// How many servers there are.
    pub members: u8,
    /// A follower looks once every so long up to twice that, drawn, whether it has heard of a leader within this time.
    pub heartbeat: Duration,
    /// A candidate begins again after so long up to twice that, drawn.
    pub election: Duration,
    /// A leader that has not heard of a quorum within this time steps down.
    pub lease: Duration,
    /// Followers learn the commit index after so long up to twice that, drawn, when nothing else is sent.
    pub commit: Duration,
    /// Whether an election is preceded by a pre-vote: since hashicorp/raft v1.7.0.
    pub pre_vote: bool,
    /// The longest pause between two heartbeats that fail. Half a heartbeat timeout since hashicorp/raft #494 (2022),
    /// without limit of its own before: up to 10.24 s.
    pub longest_backoff: Duration,
}

/// What a server is in its term.
#[derive(Clone, Debug)]
enum Role {
    Follower,
    Candidate { ballot: Ballot, votes: BTreeMap<Peer, bool> },
    Leader(Leadership),
}

/// What a leader keeps track of.
#[derive(Clone, Debug)]
struct Leadership {
    /// The first entry of its term: only from there on does it commit by counting.
    first: u64,
    followers: Vec<Follower>,
    /// The latest round of heartbeats that was begun to verify leadership.
    round: u64,
    /// Who waits for which round.
    verifying: Vec<(u64, u64)>,
    /// Who is to lead next: while it is getting ready nothing is proposed.
    successor: Option<Peer>,
}

/// What a leader knows of a follower.
#[derive(Clone, Copy, Debug)]
struct Follower {
    matched: u64,
    next: u64,
    /// When it was last heard of.
    contact: Time,
    /// Entries are sent one message at a time, each after the answer to the last; or in a pipeline.
    pipeline: bool,
    /// Messages with entries, or with a commit index, that are not answered.
    in_flight: u32,
    /// How often sending entries has failed since the last answer, and until when nothing is sent for that.
    failures: u32,
    ready: Time,
    /// The round of the heartbeat that is not answered.
    beating: Option<u64>,
    /// How often a heartbeat has failed since the last answer.
    beats_failed: u32,
    /// The latest round that it has answered.
    round: u64,
    /// Since when something is not answered.
    asked: Time,
    beat_alarm: u32,
    commit_alarm: u32,
    /// Whether an alarm for answers that do not come is set.
    watched: bool,
}

/// What the machine reminds itself of. Of alarms with a number only the latest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alarm {
    /// A follower looks whether it has heard of a leader.
    Heartbeat(u32),
    /// An election has taken too long.
    Election(u32),
    /// A leader looks whether it still has a quorum.
    Lease(u32),
    /// A heartbeat is due.
    Beat(Peer, u32),
    /// A follower is to learn the commit index.
    Commit(Peer, u32),
    /// An answer may have taken too long.
    Unanswered(Peer, u32),
    /// A successor has not taken over.
    Transfer(u32),
}

/// What must be done about it, by whoever runs the machine.
#[derive(Clone, Debug)]
pub enum Output<C> {
    /// Send this now.
    Send(Peer, Message<C>),
    /// Send this once all that has changed so far is on disk.
    SendAfterSync(Peer, Message<C>),
    /// Drop the connection to a peer.
    HangUp(Peer),
    /// Ring after so long.
    Remind(Duration, Alarm),
    /// A quorum has agreed that this server leads since it was asked to verify that, or that has failed.
    Verified {
        /// The number it was asked with.
        id: u64,
        /// Whether it leads.
        leads: bool,
    },
    /// The server's view of who leads has changed.
    Leader(Option<Peer>),
}

/// One server of a Raft group whose entries are of type `C`.
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
    /// When the leader was last heard of, in this life.
    contact: Option<Time>,
    /// The number of the latest alarm that is about the role.
    alarm: u32,
    /// What is to be done.
    pub outbox: Vec<Output<C>>,
}

impl<C: Clone> Raft<C> {
    /// A server as it boots, with what its disk holds.
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
            contact: None,
            alarm: 0,
            outbox: Vec::new(),
        };
        raft.look_out();
        raft
    }

    /// Who leads, as far as this server knows.
    pub fn leader(&self) -> Option<Peer> {
        self.leader
    }

    /// Whether this server leads.
    pub fn leads(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// What this server waits for from the others, and from whom.
    pub fn waits(&self) -> Option<(&'static str, Vec<Peer>)> {
        let last = self.log.last_index();
        match (&self.role, self.leader) {
            (Role::Candidate { votes, .. }, _) => {
                Some(("votes", self.others().filter(|peer| !votes.contains_key(peer)).collect()))
            }
            (Role::Leader(lead), _) if last > self.commit => {
                let behind = |&peer: &Peer| lead.followers[usize::from(peer)].matched < last;
                Some(("acknowledgements", self.others().filter(behind).collect()))
            }
            (Role::Leader(_), _) => None,
            (Role::Follower, None) => Some(("a leader", self.others().collect())),
            (Role::Follower, Some(_)) => None,
        }
    }

    /// When the leader was last heard of, in this life.
    pub fn contact(&self) -> Option<Time> {
        self.contact
    }

    /// Takes a proposal; gives it back if this server does not lead, or is handing over.
    pub fn propose(&mut self, entry: Entry<C>) -> Result<(), Entry<C>> {
        match &self.role {
            Role::Leader(Leadership { successor: None, .. }) => {
                self.log.push(Entry { term: self.term, ..entry });
                Ok(())
            }
            Role::Leader(Leadership { successor: Some(_), .. }) | Role::Follower | Role::Candidate { .. } => {
                Err(entry)
            }
        }
    }

    /// The log is on disk up to `index`, if that is still the entry of `term`. A leader replicates only what is on its
    /// own disk (raft.go, `dispatchLogs`).
    pub fn on_stable(&mut self, now: Time, index: u64, term: u64) {
        if self.log.term_at(index) != Some(term) || index <= self.stable {
            return;
        }
        self.stable = index;
        if self.leads() {
            self.advance_commit();
            self.others().for_each(|peer| self.replicate(now, peer));
        }
    }

    /// A message has come.
    pub fn step(&mut self, now: Time, from: Peer, message: Message<C>) {
        let Message { term, body } = message;
        match body {
            Body::Vote { ballot, last } => self.on_vote(now, from, term, ballot, last),
            Body::VoteReply { ballot, granted } => self.on_vote_reply(now, from, term, ballot, granted),
            Body::Append { prev, entries, commit } => self.on_append(now, from, term, prev, &entries, commit),
            Body::AppendReply { accepted, last } => self.on_append_reply(now, from, term, accepted, last),
            Body::Heartbeat { round } => self.on_heartbeat(now, from, term, round),
            Body::HeartbeatReply { round, accepted } => {
                self.on_heartbeat_reply(now, from, round, accepted);
            }
            Body::TimeoutNow => self.on_timeout_now(now),
        }
    }

    /// An alarm rings.
    pub fn on_alarm(&mut self, now: Time, alarm: Alarm) {
        match alarm {
            Alarm::Heartbeat(number) if number == self.alarm => self.on_heartbeat_due(now),
            Alarm::Election(number) if number == self.alarm => self.stand(now),
            Alarm::Lease(number) if number == self.alarm => self.check_lease(now),
            Alarm::Beat(peer, number) => self.on_beat_due(now, peer, number),
            Alarm::Commit(peer, number) => self.on_commit_due(now, peer, number),
            Alarm::Unanswered(peer, number) if number == self.alarm_of_reign() => {
                self.on_unanswered(now, peer);
            }
            Alarm::Transfer(number) if number == self.alarm_of_reign() => self.give_up_successor(),
            Alarm::Heartbeat(_)
            | Alarm::Election(_)
            | Alarm::Lease(_)
            | Alarm::Unanswered(..)
            | Alarm::Transfer(_) => {}
        }
    }

    /// The connection to a peer is gone: what was asked over it is not answered.
    pub fn on_reset(&mut self, now: Time, peer: Peer) {
        self.fail(now, peer);
    }

    /// A time drawn from once up to twice `least` (util.go, `randomTimeout`).
    fn draw(&mut self, least: Duration) -> Duration {
        least + stagger(least, self.luck.draw())
    }

    fn remind(&mut self, after: Duration, alarm: Alarm) {
        self.outbox.push(Output::Remind(after, alarm));
    }

    /// A number that stays the same for as long as this server leads: its term.
    fn alarm_of_reign(&self) -> u32 {
        self.term as u32
    }

    fn send(&mut self, to: Peer, body: Body<C>) {
        self.outbox.push(Output::Send(to, Message { term: self.term, body }));
    }

    fn send_after_sync(&mut self, to: Peer, body: Body<C>) {
        self.outbox.push(Output::SendAfterSync(to, Message { term: self.term, body }));
    }

    fn believe(&mut self, leader: Option<Peer>) {
        if self.leader != leader {
            self.leader = leader;
            self.outbox.push(Output::Leader(leader));
        }
    }

    fn quorum(&self) -> usize {
        self.settings.members as usize / 2 + 1
    }

    fn others(&self) -> impl Iterator<Item = Peer> + use<C> {
        let me = self.settings.me;
        (0..self.settings.members).filter(move |&peer| peer != me)
    }
}
