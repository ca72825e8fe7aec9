//! Replication: entries go to the followers once they are on the leader's disk, and are committed when a quorum has
//! them. Followers learn of the commit with the next message, which comes soon even if there are no entries.

use schism_core::{Duration, Time};

use super::lease::backoff;
use super::{Alarm, Body, Output, Peer, Raft, Role};
use crate::registry::raft::log::Entry;

/// Entries in one message at most (config.go, `MaxAppendEntries`).
const MOST_ENTRIES: usize = 64;
/// Messages of a pipeline that may wait for answers (net_transport.go, `rpcMaxPipeline`, 128 by default).
const MOST_IN_FLIGHT: u32 = 128;
/// How long an answer may take: 10 s (Consul's `raft.NewNetworkTransport`, agent/consul/server.go, `setupRaft`).
const PATIENCE: Duration = Duration::from_secs(10);

impl<C: Clone> Raft<C> {
    /// Sends what a follower has not been sent, up to what is on the leader's disk; nothing but the commit index, if
    /// there are no entries.
    pub(super) fn replicate(&mut self, now: Time, peer: Peer) {
        self.await_commit(peer);
        let (stable, commit) = (self.stable, self.commit);
        let Role::Leader(lead) = &mut self.role else { return };
        let follower = &mut lead.followers[peer as usize];
        let most = if follower.pipeline { MOST_IN_FLIGHT } else { 1 };
        if follower.in_flight >= most || now < follower.ready {
            return;
        }
        let index = follower.next - 1;
        let entries = self.log.after(index, MOST_ENTRIES.min(stable.saturating_sub(index) as usize));
        follower.in_flight += 1;
        if follower.pipeline {
            follower.next += entries.len() as u64;
        }
        let prev = (self.log.term_at(index).expect("a leader has all that it has sent"), index);
        let more = follower.pipeline && follower.next <= stable;
        self.watch(now, peer);
        self.send(peer, Body::Append { prev, entries, commit });
        if more {
            self.replicate(now, peer);
        }
    }

    /// The follower is told the commit index some time from now, if nothing is sent before (replication.go,
    /// `replicate`, `CommitTimeout`).
    fn await_commit(&mut self, peer: Peer) {
        let after = self.draw(self.settings.commit);
        let Some(follower) = self.follower(peer) else { return };
        follower.commit_alarm += 1;
        let alarm = Alarm::Commit(peer, follower.commit_alarm);
        self.remind(after, alarm);
    }

    pub(super) fn on_commit_due(&mut self, now: Time, peer: Peer, number: u32) {
        if self.follower(peer).is_some_and(|follower| follower.commit_alarm == number) {
            self.replicate(now, peer);
        }
    }

    /// Entries have come, or the commit index.
    pub(super) fn on_append(
        &mut self,
        now: Time,
        from: Peer,
        term: u64,
        prev: (u64, u64),
        entries: &[Entry<C>],
        commit: u64,
    ) {
        let last = self.log.last_index();
        if !self.heed(now, from, term) {
            return self.send(from, Body::AppendReply { accepted: None, last });
        }
        let (prev_term, index) = prev;
        if self.log.term_at(index) != Some(prev_term) {
            return self.send(from, Body::AppendReply { accepted: None, last });
        }
        let matched = index + entries.len() as u64;
        if let Some(cut) = self.log.merge(index, entries) {
            assert!(cut >= self.commit, "a committed entry is never replaced");
            self.stable = self.stable.min(cut);
        }
        self.commit = self.commit.max(commit.min(matched.max(index)));
        self.contact = Some(now);
        let reply = Body::AppendReply { accepted: Some(matched), last: self.log.last_index() };
        if entries.is_empty() {
            self.send(from, reply);
        } else {
            self.send_after_sync(from, reply);
        }
    }

    pub(super) fn on_append_reply(
        &mut self,
        now: Time,
        from: Peer,
        term: u64,
        accepted: Option<u64>,
        last: u64,
    ) {
        if !self.leads() {
            return;
        }
        if term > self.term {
            // It steps down, though not into that term (replication.go, `handleStaleTerm`).
            return self.follow(now, self.term, None);
        }
        let Some(follower) = self.follower(from) else { return };
        follower.contact = now;
        follower.asked = now;
        follower.in_flight = follower.in_flight.saturating_sub(1);
        follower.failures = 0;
        match accepted {
            Some(matched) => {
                let news = matched > follower.matched;
                follower.matched = follower.matched.max(matched);
                follower.next = follower.next.max(matched + 1);
                let more = !std::mem::replace(&mut follower.pipeline, true) || follower.in_flight == 0;
                let behind = follower.next <= self.stable;
                if news {
                    self.advance_commit();
                }
                if more && behind {
                    self.replicate(now, from);
                }
                self.summon(from);
            }
            None => {
                // What else is in the pipeline is refused, too; it begins anew, one message at a time.
                follower.pipeline = false;
                follower.next = (follower.next - 1).min(last + 1).max(follower.matched + 1);
                self.replicate(now, from);
            }
        }
    }

    /// An entry of its own term that a quorum has is committed, and all before it (commitment.go).
    pub(super) fn advance_commit(&mut self) {
        let (me, stable, quorum) = (self.settings.me as usize, self.stable, self.quorum());
        let Role::Leader(lead) = &mut self.role else { return };
        lead.followers[me].matched = stable;
        let mut matched: Vec<u64> = lead.followers.iter().map(|follower| follower.matched).collect();
        matched.sort_unstable();
        let index = matched[matched.len() - quorum];
        if index >= lead.first {
            self.commit = self.commit.max(index);
        }
    }

    /// Sees to it that answers that do not come are noticed.
    pub(super) fn watch(&mut self, now: Time, peer: Peer) {
        let alarm = Alarm::Unanswered(peer, self.alarm_of_reign());
        let Some(follower) = self.follower(peer) else { return };
        if !std::mem::replace(&mut follower.watched, true) {
            follower.asked = now;
            self.remind(PATIENCE, alarm);
        }
    }

    /// Answers may have been missing for too long: then the connection is dropped.
    pub(super) fn on_unanswered(&mut self, now: Time, peer: Peer) {
        let alarm = Alarm::Unanswered(peer, self.alarm_of_reign());
        let Some(follower) = self.follower(peer) else { return };
        follower.watched = false;
        if follower.in_flight == 0 && follower.beating.is_none() {
            return;
        }
        let silent = now.since(follower.asked);
        if silent < PATIENCE {
            follower.watched = true;
            return self.remind(PATIENCE.saturating_sub(silent), alarm);
        }
        self.outbox.push(Output::HangUp(peer));
        self.fail(now, peer);
    }

    /// What was asked of a follower has failed: it is asked again after a pause.
    pub(super) fn fail(&mut self, now: Time, peer: Peer) {
        let Some(follower) = self.follower(peer) else { return };
        if std::mem::replace(&mut follower.in_flight, 0) > 0 {
            follower.pipeline = false;
            follower.failures += 1;
            follower.ready = now + backoff(follower.failures);
            follower.next = follower.matched + 1;
        }
        if follower.beating.take().is_some() {
            follower.beats_failed += 1;
            self.await_beat(peer);
        }
    }
}
