//! What a member's tasks wait for.

use schism_core::NodeId;

use super::{Asker, Caller, Member, Timer, Waiting};
use crate::waits::Wait;

impl Member {
    /// Its requests wait for the quorum, by way of the leader.
    pub(super) fn tasks(&self) -> Vec<Wait> {
        let nodes = |peers: Vec<u8>| peers.into_iter().map(|peer| self.seat.members[usize::from(peer)]);
        let raft = self.raft.waits().map(|(what, peers)| (what, nodes(peers).collect::<Vec<NodeId>>()));
        let me = self.seat.members[usize::from(self.seat.me)];
        let leader = self.raft.leader().map(|leader| self.seat.members[usize::from(leader)]);
        // A leader waits for those that lag; anyone else for the leader, and where none is known for an election.
        let commit: Vec<NodeId> = match (leader, &raft) {
            (Some(leader), _) if leader != me => vec![leader],
            (_, Some((_, others))) => others.clone(),
            (_, None) => Vec::new(),
        };
        let write = |(&number, waiting): (&u64, &Waiting)| {
            let task = match waiting {
                Waiting::Write(Caller { client, call }) => format!("call {call} of {client:?}"),
                Waiting::Revoke => "revocation".to_owned(),
            };
            Wait::new(task, "its entry to be applied", commit.clone()).by(Timer::TimedOut(number))
        };
        let kept = |keeping: &super::Keeping| {
            let task = match keeping.asker {
                Asker::Client(client) => format!("keepalive of {client:?}"),
                Asker::Member(member, _) => format!("keepalive that {member:?} has passed on"),
            };
            Wait::new(task, "the leader's answer", commit.clone())
        };
        let read = |Caller { client, call }: Caller| {
            Wait::new(format!("read {call} of {client:?}"), "the index of a quorum", commit.clone())
        };
        let election = raft.iter().map(|(what, on)| Wait::new("raft", *what, on.clone()));
        election
            .chain(self.proposed.iter().map(write))
            .chain(self.keeps.values().map(kept))
            .chain(self.reads.callers().map(read))
            .collect()
    }
}
