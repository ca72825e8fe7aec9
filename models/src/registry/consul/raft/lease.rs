//! Heartbeats, the leader's lease, and the rounds of heartbeats that verify that a leader still leads.

use schism_core::{Duration, Time};

use super::{Alarm, Body, Follower, Output, Peer, Raft, Role};

/// A heartbeat is sent every tenth of the heartbeat timeout up to twice that, drawn (replication.go, `heartbeat`).
const BEATS_PER_TIMEOUT: u64 = 10;
/// The least time between two looks at the lease (raft.go, `minCheckInterval`).
const LEAST_CHECK: Duration = Duration::from_millis(10);
/// The first pause after a call that has failed (replication.go, `failureWait`), and how often it may double before it
/// stays as long as it is, the first two failures not counted (`maxFailureScale`).
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const MOST_FAILURES: u32 = 12;

/// The pause after so many failures (util.go, `backoff`): 10 ms twice, then doubled each time up to 10.24 s.
pub(super) fn backoff(failures: u32) -> Duration {
    FIRST_PAUSE * (1 << failures.min(MOST_FAILURES).saturating_sub(2))
}

impl<C: Clone> Raft<C> {
    /// What it knows of a follower, if it leads.
    pub(super) fn follower(&mut self, peer: Peer) -> Option<&mut Follower> {
        match &mut self.role {
            Role::Leader(lead) => Some(&mut lead.followers[peer as usize]),
            Role::Follower | Role::Candidate { .. } => None,
        }
    }

    /// Asks whether it still leads: the answer comes as [`Output::Verified`].
    pub fn verify(&mut self, now: Time, id: u64) {
        let Role::Leader(lead) = &mut self.role else {
            return self.outbox.push(Output::Verified { id, leads: false });
        };
        lead.round += 1;
        lead.verifying.push((lead.round, id));
        self.others().for_each(|peer| self.beat(now, peer));
        self.settle_verifying();
    }

    /// Sends a heartbeat, unless one is not answered yet.
    fn beat(&mut self, now: Time, peer: Peer) {
        let Role::Leader(lead) = &mut self.role else { return };
        let (round, follower) = (lead.round, &mut lead.followers[peer as usize]);
        if follower.beating.is_none() {
            follower.beating = Some(round);
            follower.beat_alarm += 1;
            self.watch(now, peer);
            self.send(peer, Body::Heartbeat { round });
        }
    }

    /// The next heartbeat is due some time from now, after a pause if the last one has failed.
    pub(super) fn await_beat(&mut self, peer: Peer) {
        let after = self.draw(self.settings.heartbeat / BEATS_PER_TIMEOUT);
        let longest = self.settings.longest_backoff;
        let Some(follower) = self.follower(peer) else { return };
        let pause = match follower.beats_failed {
            0 => Duration::ZERO,
            failures => backoff(failures).min(longest),
        };
        follower.beat_alarm += 1;
        let alarm = Alarm::Beat(peer, follower.beat_alarm);
        self.remind(pause + after, alarm);
    }

    pub(super) fn on_beat_due(&mut self, now: Time, peer: Peer, number: u32) {
        if self.follower(peer).is_some_and(|follower| follower.beat_alarm == number) {
            self.beat(now, peer);
        }
    }

    /// A heartbeat has come. It does not wait for the disk (raft.go, `processHeartbeat`).
    pub(super) fn on_heartbeat(&mut self, now: Time, from: Peer, term: u64, round: u64) {
        let accepted = self.heed(now, from, term);
        if accepted {
            self.contact = Some(now);
        }
        self.send(from, Body::HeartbeatReply { round, accepted });
    }

    /// A leader of this term, or of a later one, has spoken; whether it is heeded.
    pub(super) fn heed(&mut self, now: Time, leader: Peer, term: u64) -> bool {
        if term < self.term {
            return false;
        }
        self.follow(now, term, Some(leader));
        true
    }

    /// Any answer shows that the follower is there, also one that says that there is another leader: only an answer to
    /// entries makes a leader step down (replication.go, `heartbeat`).
    pub(super) fn on_heartbeat_reply(&mut self, now: Time, from: Peer, round: u64, accepted: bool) {
        let Role::Leader(lead) = &mut self.role else { return };
        let (latest, follower) = (lead.round, &mut lead.followers[from as usize]);
        if follower.beating != Some(round) {
            return;
        }
        follower.contact = now;
        follower.asked = now;
        follower.beating = None;
        follower.beats_failed = 0;
        if accepted {
            follower.round = follower.round.max(round);
        }
        if round < latest {
            self.beat(now, from);
        } else {
            self.await_beat(from);
        }
        if accepted {
            self.settle_verifying();
        } else {
            self.fail_verifying(now);
        }
    }

    /// Tells those who wait for rounds that a quorum has answered.
    fn settle_verifying(&mut self) {
        let (me, quorum) = (self.settings.me as usize, self.quorum());
        let Role::Leader(lead) = &mut self.role else { return };
        lead.followers[me].round = lead.round;
        let mut rounds: Vec<u64> = lead.followers.iter().map(|follower| follower.round).collect();
        rounds.sort_unstable();
        let verified = rounds[rounds.len() - quorum];
        let (done, waiting) = lead.verifying.iter().partition(|(round, _)| *round <= verified);
        lead.verifying = waiting;
        let done: Vec<(u64, u64)> = done;
        self.outbox.extend(done.into_iter().map(|(_, id)| Output::Verified { id, leads: true }));
    }

    /// A follower has another leader: who waits to know is told so by a leader that steps down (raft.go, `leaderLoop`,
    /// `verifyCh`).
    fn fail_verifying(&mut self, now: Time) {
        if let Role::Leader(lead) = &self.role
            && !lead.verifying.is_empty()
        {
            self.follow(now, self.term, None);
        }
    }

    /// A leader looks whether it has heard of a quorum within its lease, and steps down if not (raft.go,
    /// `checkLeaderLease`).
    pub(super) fn check_lease(&mut self, now: Time) {
        let (me, quorum, lease) = (self.settings.me, self.quorum(), self.settings.lease);
        let Role::Leader(lead) = &self.role else { return };
        let silent = |peer: Peer| now.since(lead.followers[peer as usize].contact);
        let others = (0..self.settings.members).filter(|&peer| peer != me);
        let within: Vec<Duration> = others.map(silent).filter(|&silent| silent <= lease).collect();
        if within.len() + 1 < quorum {
            return self.follow(now, self.term, None);
        }
        let longest = within.into_iter().max().unwrap_or(Duration::ZERO);
        let after = lease.saturating_sub(longest).max(LEAST_CHECK);
        self.remind(after, Alarm::Lease(self.alarm));
    }
}
