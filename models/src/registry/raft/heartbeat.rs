//! Heartbeats, and the reads that a round of them confirms: a leader that a quorum has just heard still leads.

use super::{Body, Output, Peer, PendingRead, Raft, Role};

impl<C: Clone> Raft<C> {
    pub(super) fn on_heartbeat(&mut self, from: Peer, commit: u64, read: u64) {
        self.heed(from);
        self.commit = self.commit.max(commit.min(self.log.last_index()));
        self.send(from, Body::HeartbeatReply { read });
    }

    pub(super) fn on_heartbeat_reply(&mut self, from: Peer, read: u64) {
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

    pub(super) fn on_read_index(&mut self, from: Peer, id: u64) {
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

    /// A heartbeat to everyone, naming the latest read that waits.
    pub(super) fn beat(&mut self) {
        let Role::Leader(lead) = &self.role else { return };
        let (round, commit) = (lead.round, self.commit);
        let matched: Vec<u64> = lead.progress.iter().map(|progress| progress.matched).collect();
        for peer in self.settings.others() {
            self.send(peer, Body::Heartbeat { commit: commit.min(matched[peer as usize]), read: round });
        }
    }
}
