//! What one node holds of all others, as exceptions from a rule: most are alive and always were.

use std::collections::BTreeMap;

use schism_core::{Duration, Time};

use super::{Peer, Roster, Rule, Status};

/// The incarnation with which every life begins (`nextIncarnation`, from zero).
pub const FIRST: u32 = 1;

/// How one peer is. 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// How it is.
    pub status: Status,
    /// The latest incarnation known.
    pub incarnation: u32,
    /// When its status changed.
    pub since: Time,
}

/// What one node holds of all.
#[derive(Clone, Debug)]
pub struct View {
    rule: Rule,
    exceptions: BTreeMap<Peer, Entry>,
    peers: u32,
    /// Those who are not unknown.
    listed: u32,
    /// Those who are alive or suspected.
    up: u32,
}

impl View {
    /// Everybody is alive.
    pub fn full(peers: u32) -> View {
        View { rule: Rule::Alive, exceptions: BTreeMap::new(), peers, listed: peers, up: peers }
    }

    /// Nobody is known but `me`.
    pub fn alone(peers: u32, me: Peer, now: Time) -> View {
        let mut view = View { rule: Rule::Unknown, exceptions: BTreeMap::new(), peers, listed: 0, up: 0 };
        view.set(me, Status::Alive, FIRST, now);
        view
    }

    /// How a peer is.
    pub fn get(&self, peer: Peer) -> Entry {
        self.exceptions.get(&peer).copied().unwrap_or_else(|| ordinary(self.rule))
    }

    /// How a peer is.
    pub fn status(&self, peer: Peer) -> Status {
        self.get(peer).status
    }

    /// A peer is so from now on; nothing changed if it was before, except its incarnation.
    pub fn set(&mut self, peer: Peer, status: Status, incarnation: u32, now: Time) {
        let old = self.get(peer);
        self.count(old.status, status);
        let since = if old.status == status { old.since } else { now };
        let is_ordinary = (status, self.rule) == (Status::Unknown, Rule::Unknown)
            || (status, incarnation, self.rule) == (Status::Alive, FIRST, Rule::Alive);
        if is_ordinary {
            self.exceptions.remove(&peer);
        } else {
            self.exceptions.insert(peer, Entry { status, incarnation, since });
        }
    }

    fn count(&mut self, old: Status, new: Status) {
        self.listed = self.listed + u32::from(is_listed(new)) - u32::from(is_listed(old));
        self.up = self.up + u32::from(is_up(new)) - u32::from(is_up(old));
    }

    /// How many there may be at all, known or not.
    pub fn peers(&self) -> u32 {
        self.peers
    }

    /// How many are known, the recently dead with them (`estNumNodes`).
    pub fn listed(&self) -> u32 {
        self.listed
    }

    /// How many are alive or suspected.
    pub fn up(&self) -> u32 {
        self.up
    }

    /// What holds of everybody else.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Everybody who is an exception and in a status.
    pub fn all(&self, status: Status) -> Vec<Peer> {
        let are = self.exceptions.iter().filter(|(_, entry)| entry.status == status);
        are.map(|(&peer, _)| peer).collect()
    }

    /// Everybody known, where few are.
    pub fn known(&self) -> Vec<Peer> {
        assert!(self.rule == Rule::Unknown, "where most are known, they are not written down");
        let are = self.exceptions.iter().filter(|(_, entry)| is_listed(entry.status));
        are.map(|(&peer, _)| peer).collect()
    }

    /// Forgets those who have been dead or gone for longer than this (`resetNodes`).
    pub fn forget_the_dead(&mut self, now: Time, after: Duration) {
        let is_old = |entry: &Entry| now.since(entry.since) > after;
        let are = |status| self.all(status).into_iter().filter(|&peer| is_old(&self.get(peer)));
        let old: Vec<Peer> = are(Status::Dead).chain(are(Status::Left)).collect();
        old.into_iter().for_each(|peer| self.set(peer, Status::Unknown, 0, now));
    }

    /// Learns of everybody from who knows them. Who is not alive there stays unknown: of whom one has never heard, one
    /// believes no ill.
    pub fn adopt(&mut self, roster: &Roster, now: Time) {
        assert!((self.rule, roster.rule) == (Rule::Unknown, Rule::Alive), "a newcomer asks who knows them");
        let before = std::mem::replace(self, View::full(self.peers));
        for &(peer, status, incarnation) in &roster.exceptions {
            match status {
                Status::Alive => self.set(peer, Status::Alive, incarnation, now),
                Status::Suspect | Status::Dead | Status::Left | Status::Unknown => {
                    self.set(peer, Status::Unknown, 0, now);
                }
            }
        }
        for (peer, Entry { status, incarnation, .. }) in before.exceptions {
            self.set(peer, status, incarnation, now);
        }
    }

    /// All this, to be sent.
    pub fn roster(&self) -> Roster {
        let exception = |(&peer, entry): (&Peer, &Entry)| (peer, entry.status, entry.incarnation);
        let exceptions = self.exceptions.iter().map(exception).collect();
        Roster { rule: self.rule, exceptions, listed: self.listed }
    }
}

fn ordinary(rule: Rule) -> Entry {
    match rule {
        Rule::Alive => Entry { status: Status::Alive, incarnation: FIRST, since: Time::START },
        Rule::Unknown => Entry { status: Status::Unknown, incarnation: 0, since: Time::START },
    }
}

fn is_up(status: Status) -> bool {
    match status {
        Status::Alive | Status::Suspect => true,
        Status::Dead | Status::Left | Status::Unknown => false,
    }
}

fn is_listed(status: Status) -> bool {
    match status {
        Status::Alive | Status::Suspect | Status::Dead | Status::Left => true,
        Status::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_as_always_costs_nothing() {
        let mut view = View::full(5);
        view.set(3, Status::Suspect, 1, Time::START);
        assert_eq!((view.up(), view.listed(), view.roster().exceptions.len()), (5, 5, 1));
        view.set(3, Status::Dead, 1, Time::START);
        assert_eq!((view.up(), view.listed()), (4, 5));
        view.set(3, Status::Alive, 1, Time::START);
        assert_eq!((view.up(), view.roster().exceptions.len()), (5, 0));
    }

    #[test]
    fn the_dead_are_forgotten_when_their_time_is_over_and_not_before() {
        let mut view = View::full(5);
        view.set(3, Status::Dead, 1, Time::START);
        let after = Duration::from_secs(30);
        view.forget_the_dead(Time::START + after, after);
        assert_eq!((view.status(3), view.listed()), (Status::Dead, 5));
        view.forget_the_dead(Time::START + after + Duration::from_nanos(1), after);
        assert_eq!((view.status(3), view.listed()), (Status::Unknown, 4));
    }

    #[test]
    fn a_newcomer_learns_of_the_living() {
        let mut other = View::full(5);
        other.set(0, Status::Dead, 1, Time::START);
        other.set(1, Status::Alive, 4, Time::START);
        other.set(2, Status::Suspect, 1, Time::START);
        let mut view = View::alone(5, 0, Time::START);
        assert_eq!((view.listed(), view.known()), (1, vec![0]));
        view.adopt(&other.roster(), Time::START);
        let statuses: Vec<Status> = (0..5).map(|peer| view.status(peer)).collect();
        assert_eq!(statuses, [Status::Alive, Status::Alive, Status::Unknown, Status::Alive, Status::Alive]);
        assert_eq!((view.get(0).incarnation, view.get(1).incarnation, view.listed()), (1, 4, 4));
    }
}
