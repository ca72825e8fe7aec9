//! Ensembles that vote: who is elected, and when.

use super::*;

fn vote(epoch: u32, counter: u32, leader: Sid) -> Vote {
    Vote { epoch, zxid: Zxid::new(epoch, counter), leader }
}

/// Servers that hear each other at once, unless they are down.
struct Ensemble {
    servers: Vec<Election>,
    down: Vec<Sid>,
    waits: Vec<u32>,
    elected: Vec<Option<Sid>>,
}

impl Ensemble {
    fn new(down: &[Sid]) -> Ensemble {
        let servers = (0..3).map(|me| Election::new(me, 3)).collect();
        Ensemble { servers, down: down.to_vec(), waits: vec![0; 3], elected: vec![None; 3] }
    }

    fn look(&mut self, votes: &[Vote]) {
        for &own in votes {
            self.elected[own.leader as usize] = None;
            self.servers[own.leader as usize].look(own);
        }
        self.settle();
    }

    /// Everyone's wait is over.
    fn wait(&mut self) {
        for server in 0..3 {
            self.servers[server].on_wait(self.waits[server]);
        }
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            let outputs: Vec<(Sid, Output)> = (0..3)
                .flat_map(|me| self.servers[me as usize].take().into_iter().map(move |out| (me, out)))
                .collect();
            if outputs.is_empty() {
                return;
            }
            for (me, output) in outputs {
                match output {
                    Output::Tell(to, _) if self.down.contains(&to) || self.down.contains(&me) => {}
                    Output::Tell(to, told) => self.servers[to as usize].on_notification(me, told),
                    Output::Wait(_, number) => self.waits[me as usize] = number,
                    Output::Elected(leader) => self.elected[me as usize] = Some(leader),
                }
            }
        }
    }
}

#[test]
fn the_longest_log_of_the_latest_epoch_wins_and_then_the_greatest_server() {
    for (votes, leader) in [
        ([vote(1, 5, 0), vote(1, 5, 1), vote(1, 5, 2)], 2),
        ([vote(1, 5, 0), vote(1, 6, 1), vote(1, 5, 2)], 1),
        ([vote(2, 1, 0), vote(1, 9, 1), vote(1, 9, 2)], 0),
    ] {
        let mut ensemble = Ensemble::new(&[]);
        ensemble.look(&votes);
        assert_eq!(ensemble.elected, [None; 3], "a quorum that agrees waits for a better vote");
        ensemble.wait();
        assert_eq!(ensemble.elected, [Some(leader); 3]);
    }
}

#[test]
fn one_of_three_elects_nobody_and_asks_less_and_less_often() {
    let mut ensemble = Ensemble::new(&[1, 2]);
    ensemble.look(&[vote(1, 1, 0)]);
    let mut lone = ensemble.servers[0].clone();
    let mut waits = Vec::new();
    for _ in 0..10 {
        lone.on_wait(lone.wait);
        let wait = lone.take().into_iter().find_map(|output| match output {
            Output::Wait(wait, _) => Some(wait),
            Output::Tell(..) | Output::Elected(_) => None,
        });
        waits.push(wait.expect("it waits").as_nanos() / 1_000_000);
    }
    assert_eq!(waits, [400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000]);
}

#[test]
fn who_comes_late_joins_a_leader_at_once_though_its_own_vote_is_better() {
    let mut ensemble = Ensemble::new(&[2]);
    ensemble.look(&[vote(1, 5, 0), vote(1, 5, 1)]);
    ensemble.wait();
    assert_eq!(ensemble.elected, [Some(1), Some(1), None]);
    ensemble.down.clear();
    ensemble.look(&[vote(1, 9, 2)]);
    assert_eq!(ensemble.elected[2], Some(1));
    assert_eq!(ensemble.servers[2].state(), State::Following);
}

#[test]
fn followers_of_a_leader_that_says_nothing_are_not_enough() {
    let mut election = Election::new(0, 3);
    election.look(vote(1, 1, 0));
    let told = |state| Notification { vote: vote(1, 1, 2), round: 1, state };
    election.on_notification(1, told(State::Following));
    assert_eq!(election.state(), State::Looking);
    election.on_notification(2, told(State::Leading));
    assert_eq!(election.state(), State::Following);
}

#[test]
fn a_better_vote_while_a_quorum_waits_begins_the_wait_anew() {
    let mut ensemble = Ensemble::new(&[2]);
    ensemble.look(&[vote(1, 5, 0), vote(1, 5, 1)]);
    ensemble.down.clear();
    ensemble.look(&[vote(1, 6, 2)]);
    assert_eq!(ensemble.elected, [None; 3]);
    ensemble.wait();
    assert_eq!(ensemble.elected, [Some(2); 3]);
}
