//! What servers of a Raft group tell each other.

use std::sync::Arc;

use crate::registry::raft::log::Entry;

pub use crate::registry::raft::Ballot;

/// What servers tell each other, with the sender's term; a pre-vote carries the next.
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
        /// Term and index of the candidate's last entry.
        last: (u64, u64),
    },
    /// An answer to that.
    VoteReply {
        /// Which question it answers.
        ballot: Ballot,
        /// Whether the vote is given.
        granted: bool,
    },
    /// Entries that follow the one at `prev`; none, to tell the commit index.
    Append {
        /// Term and index of the entry before the first.
        prev: (u64, u64),
        /// The entries.
        entries: Arc<[Entry<C>]>,
        /// The leader's commit index.
        commit: u64,
    },
    /// An answer to that.
    AppendReply {
        /// Up to where the follower's log agrees with the leader's; nothing, if it does not at `prev`.
        accepted: Option<u64>,
        /// The last index of the follower's log.
        last: u64,
    },
    /// The leader lives.
    Heartbeat {
        /// The round that it belongs to: who verifies that it leads begins another.
        round: u64,
    },
    /// So does the follower.
    HeartbeatReply {
        /// The round of the heartbeat.
        round: u64,
        /// Whether the follower takes the sender for its leader.
        accepted: bool,
    },
    /// The leader wants this follower to lead: it stands for election at once.
    TimeoutNow,
}

impl<C> Message<C> {
    /// Whether it is a heartbeat, or an answer to one.
    pub fn is_heartbeat(&self) -> bool {
        matches!(self.body, Body::Heartbeat { .. } | Body::HeartbeatReply { .. })
    }

    /// How many log entries it carries.
    pub fn entries(&self) -> usize {
        match &self.body {
            Body::Append { entries, .. } => entries.len(),
            Body::Vote { .. }
            | Body::VoteReply { .. }
            | Body::AppendReply { .. }
            | Body::Heartbeat { .. }
            | Body::HeartbeatReply { .. }
            | Body::TimeoutNow => 0,
        }
    }
}
