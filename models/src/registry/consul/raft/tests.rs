//! Groups of three, with a network that loses nothing and takes a millisecond.

use std::collections::BTreeMap;

use schism_core::Seed;

use super::*;
use crate::registry::raft::log::Proposal;

const HOP: Duration = Duration::from_millis(1);

/// A group, its clock, and what is on its way.
struct Group {
    now: Time,
    servers: Vec<Raft<u32>>,
    /// Whoever is cut off hears nobody and is not heard.
    cut_off: Option<Peer>,
    events: BTreeMap<(Time, u64), (usize, Event)>,
    count: u64,
}

enum Event {
    Message(Peer, Message<u32>),
    Alarm(Alarm),
}

impl Group {
    fn new(seed: u64, pre_vote: bool) -> Group {
        let settings = |me| Settings {
            me,
            members: 3,
            heartbeat: Duration::from_secs(5),
            election: Duration::from_secs(5),
            lease: Duration::from_millis(2_500),
            commit: Duration::from_millis(50),
            pre_vote,
            longest_backoff: Duration::from_millis(2_500),
        };
        let luck = |me: u8| Seed(seed).luck(&format!("server {me}"), "election", 0);
        let servers = (0..3).map(|me| Raft::new(settings(me), 0, None, Log::default(), luck(me))).collect();
        let mut group = Group { now: Time::START, servers, cut_off: None, events: BTreeMap::new(), count: 0 };
        group.collect();
        group
    }

    /// Sends what is to be sent; disks take no time.
    fn collect(&mut self) {
        for me in 0..self.servers.len() {
            loop {
                let (term, last) = self.servers[me].log.last();
                let now = self.now;
                self.servers[me].on_stable(now, last, term);
                let outputs = std::mem::take(&mut self.servers[me].outbox);
                if outputs.is_empty() {
                    break;
                }
                for output in outputs {
                    match output {
                        Output::Send(to, message) | Output::SendAfterSync(to, message) => {
                            let cut = [Some(to), Some(me as Peer)].contains(&self.cut_off);
                            if !cut {
                                self.push(HOP, to as usize, Event::Message(me as Peer, message));
                            }
                        }
                        Output::Remind(after, alarm) => self.push(after, me, Event::Alarm(alarm)),
                        Output::HangUp(_) | Output::Verified { .. } | Output::Leader(_) => {}
                    }
                }
            }
        }
    }

    fn push(&mut self, after: Duration, to: usize, event: Event) {
        self.count += 1;
        self.events.insert((self.now + after, self.count), (to, event));
    }

    /// Runs until something holds, or for so long; whether it came to hold.
    fn run_until(&mut self, most: Duration, holds: impl Fn(&Group) -> bool) -> bool {
        let end = self.now + most;
        while !holds(self) {
            let next = self.events.first_entry().filter(|next| next.key().0 <= end);
            let Some(next) = next else {
                self.now = end;
                return false;
            };
            let ((at, _), (to, event)) = next.remove_entry();
            self.now = at;
            match event {
                Event::Message(from, message) => self.servers[to].step(at, from, message),
                Event::Alarm(alarm) => self.servers[to].on_alarm(at, alarm),
            }
            self.collect();
        }
        true
    }

    fn leader(&self) -> Option<Peer> {
        let leads = |server: &&Raft<u32>| server.leads() && Some(server.settings.me) != self.cut_off;
        self.servers.iter().filter(leads).max_by_key(|server| server.term).map(|server| server.settings.me)
    }

    fn elect(&mut self) -> Peer {
        assert!(self.run_until(Duration::from_secs(120), |group| group.leader().is_some()), "nobody leads");
        self.run_until(Duration::from_secs(1), |_| false);
        self.leader().expect("it leads on")
    }
}

fn put(value: u32) -> Entry<u32> {
    Entry { term: 0, proposal: Proposal { by: None, command: Some(value) } }
}

#[test]
fn the_first_leader_comes_after_one_heartbeat_timeout_and_followers_hear_of_commits() {
    for seed in 0..20 {
        let mut group = Group::new(seed, true);
        let leader = group.elect();
        assert!(group.now >= Time::START + Duration::from_secs(5));
        group.servers[leader as usize].propose(put(1)).expect("it leads");
        group.collect();
        let all = |group: &Group| group.servers.iter().all(|server| server.commit == server.log.last_index());
        // Two hops to commit, then at most 100 ms until followers learn of it.
        assert!(group.run_until(Duration::from_millis(104), all), "seed {seed}");
    }
}

#[test]
fn a_leader_that_is_cut_off_steps_down_between_one_lease_and_two() {
    for seed in 0..20 {
        let mut group = Group::new(seed, true);
        let old = group.elect();
        let since = group.now;
        group.cut_off = Some(old);
        assert!(group.run_until(Duration::from_secs(10), |group| !group.servers[old as usize].leads()));
        let after = group.now.since(since);
        assert!(after <= Duration::from_secs(5), "{after}");
        assert!(after >= Duration::from_millis(2_300), "{after}");
    }
}

#[test]
fn failover_waits_until_both_others_have_missed_the_leader() {
    for seed in 0..50 {
        let mut group = Group::new(seed, true);
        let old = group.elect();
        let since = group.now;
        group.cut_off = Some(old);
        assert!(group.run_until(Duration::from_secs(90), |group| group.leader().is_some()), "seed {seed}");
        let after = group.now.since(since);
        assert!(after >= Duration::from_millis(4_800), "{after}");
    }
}

#[test]
fn without_a_pre_vote_who_comes_back_deposes_the_leader_and_with_one_it_does_not() {
    let terms = |pre_vote| {
        let mut changed = 0;
        for seed in 0..20 {
            let mut group = Group::new(seed, pre_vote);
            let leader = group.elect();
            let (term, away) = (group.servers[leader as usize].term, (leader + 1) % 3);
            group.cut_off = Some(away);
            group.run_until(Duration::from_secs(60), |_| false);
            group.cut_off = None;
            for peer in 0..3 {
                // The connections broke.
                let now = group.now;
                group.servers[peer as usize].on_reset(now, away);
            }
            group.run_until(Duration::from_secs(60), |_| false);
            let leader = group.leader().expect("someone leads");
            changed += u32::from(group.servers[leader as usize].term > term);
        }
        changed
    };
    assert_eq!(terms(true), 0);
    assert!(terms(false) >= 18, "{}", terms(false));
}

#[test]
fn leadership_moves_at_once_when_it_is_handed_over() {
    let mut group = Group::new(1, true);
    let leader = group.elect();
    let term = group.servers[leader as usize].term;
    let now = group.now;
    assert!(group.servers[leader as usize].hand_over(now));
    assert!(group.servers[leader as usize].propose(put(1)).is_err());
    group.collect();
    let moved = |group: &Group| group.leader().is_some_and(|new| new != leader);
    assert!(group.run_until(Duration::from_millis(10), moved));
    let new = group.leader().expect("it has moved");
    assert_eq!(group.servers[new as usize].term, term + 1);
}

#[test]
fn pauses_between_failures_double_up_to_ten_seconds() {
    let pauses = [1, 2, 3, 4, 11, 12, 13].map(lease::backoff);
    assert_eq!(pauses, [10, 10, 20, 40, 5_120, 10_240, 10_240].map(Duration::from_millis));
}
