//! Replication: entries go to the followers, and are committed when a quorum has them.

use super::log::Entry;
use super::{Body, Conflict, Peer, Raft, Role};

/// Entries in one message at most; etcd bounds them by bytes (`MaxSizePerMsg`, 1 MiB).
const MOST_ENTRIES: usize = 4096;

impl<C: Clone> Raft<C> {
    pub(super) fn on_append(&mut self, from: Peer, prev: (u64, u64), entries: &[Entry<C>], commit: u64) {
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

    pub(super) fn on_append_reply(&mut self, from: Peer, reply: Result<u64, Conflict>) {
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
                self.summon(from);
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

    pub(super) fn append(&mut self, entries: Vec<Entry<C>>) {
        for entry in entries {
            self.log.push(Entry { term: self.term, ..entry });
        }
        self.settings.others().for_each(|peer| self.replicate(peer));
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
    pub(super) fn replicate_probe(&mut self, peer: Peer) {
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

    pub(super) fn advance_commit(&mut self) {
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
        self.settings.others().for_each(|peer| self.tell_commit(peer));
    }

    fn tell_commit(&mut self, peer: Peer) {
        let Role::Leader(lead) = &self.role else { return };
        if !lead.progress[peer as usize].probing {
            self.replicate_probe(peer);
        }
    }
}
