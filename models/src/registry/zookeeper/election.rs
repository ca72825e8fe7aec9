//! Fast leader election: servers tell each other whom they would follow until a quorum agrees.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schism_core::Duration;

use super::log::Sid;
use super::zxid::Zxid;

/// How long a server waits for a better vote once a quorum agrees: 200 ms (`finalizeWait`); and how long it waits at
/// first for anything at all (`minNotificationInterval`, server/quorum/FastLeaderElection.java, 3.8.0).
pub const FINALIZE_WAIT: Duration = Duration::from_millis(200);
/// How long it waits at most before it tells its vote again: 60 s (`maxNotificationInterval`).
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A vote. The later epoch wins, then the longer log, then the greater server (`totalOrderPredicate`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    /// The epoch that the proposed leader has followed last.
    pub epoch: u32,
    /// The last transaction of its log.
    pub zxid: Zxid,
    /// The proposed leader.
    pub leader: Sid,
}

/// What a server does, as it tells others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// It has no leader.
    Looking,
    /// It follows one, or tries to.
    Following,
    /// It leads, or tries to.
    Leading,
}

/// What a server tells another of its vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Notification {
    /// The vote.
    pub vote: Vote,
    /// The round of elections that it is of (`electionEpoch`).
    pub round: u64,
    /// What the sender does.
    pub state: State,
}

/// What the election asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Tell a server.
    Tell(Sid, Notification),
    /// Call [`Election::on_wait`] with this number after this long. A later one takes the place of an earlier one.
    Wait(Duration, u32),
    /// It is decided who leads.
    Elected(Sid),
}

/// One server's part in elections (`lookForLeader`).
#[derive(Clone, Debug)]
pub struct Election {
    me: Sid,
    servers: Sid,
    state: State,
    round: u64,
    /// What the server itself stands for.
    own: Vote,
    /// Whom it would follow, or follows.
    vote: Vote,
    /// Votes of this round, its own among them.
    votes: BTreeMap<Sid, Notification>,
    /// What servers have told that look for nobody.
    settled: BTreeMap<Sid, Notification>,
    stage: Stage,
    wait: u32,
    outbox: Vec<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// For so long it waits for something to come.
    Gathering(Duration),
    /// A quorum agrees, and a better vote may still come.
    Finalizing,
    /// There is no election.
    Settled,
}

impl Election {
    /// A server of so many that has not looked for a leader yet.
    pub fn new(me: Sid, servers: Sid) -> Election {
        let own = Vote { epoch: 0, zxid: Zxid::ZERO, leader: me };
        Election {
            me,
            servers,
            state: State::Looking,
            round: 0,
            own,
            vote: own,
            votes: BTreeMap::new(),
            settled: BTreeMap::new(),
            stage: Stage::Settled,
            wait: 0,
            outbox: Vec::new(),
        }
    }

    /// What the server does.
    pub fn state(&self) -> State {
        self.state
    }

    /// What is asked for since the last time.
    pub fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outbox)
    }

    /// Begins a new round, and stands for this.
    pub fn look(&mut self, own: Vote) {
        self.state = State::Looking;
        self.round += 1;
        self.own = own;
        self.votes.clear();
        self.settled.clear();
        self.propose(own);
        self.gather(FINALIZE_WAIT);
    }

    /// The leader that was elected leads this epoch: it is what the server tells those that look for one
    /// (`updateElectionVote`, server/quorum/QuorumPeer.java, 3.8.0).
    pub fn set_epoch(&mut self, epoch: u32) {
        self.vote.epoch = epoch;
    }

    /// Another server has told its vote.
    pub fn on_notification(&mut self, from: Sid, told: Notification) {
        if self.state != State::Looking {
            if told.state == State::Looking {
                self.outbox.push(Output::Tell(from, self.notification()));
            }
            return;
        }
        match told.state {
            State::Looking => {
                if told.round < self.round {
                    self.outbox.push(Output::Tell(from, self.notification()));
                }
                match self.stage {
                    Stage::Gathering(_) => self.on_vote(from, told),
                    // The election takes out of its queue what is no better, and waits anew.
                    Stage::Finalizing if told.vote <= self.vote => self.wait(FINALIZE_WAIT),
                    Stage::Finalizing => {
                        self.gather(FINALIZE_WAIT);
                        self.on_vote(from, told);
                    }
                    // It has not begun to look.
                    Stage::Settled => {}
                }
            }
            State::Following | State::Leading => self.on_settled(from, told),
        }
    }

    /// A wait is over: it tells its vote again, or goes with what a quorum has agreed upon.
    pub fn on_wait(&mut self, number: u32) {
        if number != self.wait {
            return;
        }
        match self.stage {
            Stage::Gathering(waited) => {
                self.tell_all();
                self.gather((waited * 2).min(LONGEST_WAIT));
            }
            Stage::Finalizing => self.settle(self.vote, self.round),
            Stage::Settled => {}
        }
    }

    fn on_vote(&mut self, from: Sid, told: Notification) {
        if told.round < self.round {
            return self.rewait();
        }
        if told.round > self.round {
            self.round = told.round;
            self.votes.clear();
            self.propose(told.vote.max(self.own));
        } else if told.vote > self.vote {
            self.propose(told.vote);
        }
        self.votes.insert(from, told);
        let agree = self.votes.values().filter(|other| other.vote == self.vote).count();
        if self.is_quorum(agree) {
            self.stage = Stage::Finalizing;
            self.wait(FINALIZE_WAIT);
        } else {
            self.rewait();
        }
    }

    /// A server that looks for nobody says whom it follows. A quorum of those, with the leader among them, is joined at
    /// once.
    fn on_settled(&mut self, from: Sid, told: Notification) {
        self.settled.insert(from, told);
        let same = |other: &Notification| {
            (other.vote.leader, other.vote.epoch) == (told.vote.leader, told.vote.epoch)
        };
        let agree = self.settled.values().filter(|other| same(other)).count();
        if self.is_quorum(agree) && self.is_led_by(told.vote.leader, told.round) {
            self.settle(told.vote, told.round);
        } else {
            self.rewait();
        }
    }

    /// Whether the leader itself says that it leads (`checkLeader`).
    fn is_led_by(&self, leader: Sid, round: u64) -> bool {
        if leader == self.me {
            return round == self.round;
        }
        self.settled.get(&leader).is_some_and(|told| told.state == State::Leading)
    }

    fn is_quorum(&self, servers: usize) -> bool {
        servers > self.servers as usize / 2
    }

    fn propose(&mut self, vote: Vote) {
        self.vote = vote;
        self.votes.insert(self.me, self.notification());
        self.tell_all();
    }

    fn settle(&mut self, vote: Vote, round: u64) {
        (self.vote, self.round, self.stage) = (vote, round, Stage::Settled);
        self.state = if vote.leader == self.me { State::Leading } else { State::Following };
        self.outbox.push(Output::Elected(vote.leader));
    }

    fn tell_all(&mut self) {
        let notification = self.notification();
        let others = (0..self.servers).filter(|&server| server != self.me);
        self.outbox.extend(others.map(|server| Output::Tell(server, notification)));
    }

    fn notification(&self) -> Notification {
        Notification { vote: self.vote, round: self.round, state: self.state }
    }

    fn gather(&mut self, wait: Duration) {
        self.stage = Stage::Gathering(wait);
        self.wait(wait);
    }

    /// Something has come, and the same time begins anew.
    fn rewait(&mut self) {
        match self.stage {
            Stage::Gathering(wait) => self.wait(wait),
            Stage::Finalizing => self.wait(FINALIZE_WAIT),
            Stage::Settled => {}
        }
    }

    fn wait(&mut self, wait: Duration) {
        self.wait += 1;
        self.outbox.push(Output::Wait(wait, self.wait));
    }
}
