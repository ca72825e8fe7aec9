//! What members of a Raft group tell each other.

use std::sync::Arc;

use super::log::Entry;

/// What members tell each other. Every message carries its sender's term, except that a pre-vote carries the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message<C> {
    /// The sender's term.
    pub term: u64,
    /// What it says.
    pub body: Body<C>,
}

/// What a Raft message says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body<C> {
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
        entries: Arc<[Entry<C>]>,
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
    Propose(Entry<C>),
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
    /// The leader wants this follower to lead: it stands for election at once (`MsgTimeoutNow`).
    TimeoutNow,
}

impl<C> Message<C> {
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
            | Body::ReadIndexReply { .. }
            | Body::TimeoutNow => 0,
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
    /// The election, at the leader's own wish: nobody waits until it is no longer heard.
    Transfer,
}
