//! Exchanges of all that is known, over TCP: one with anybody now and then, to join, and to find the failed again.

use std::sync::Arc;

use schism_core::Time;

use super::formula::push_pull_interval;
use super::order::Order;
use super::{Body, Event, Gossip, Output, Peer, Roster, Start, Status, Timer};

/// Why a peer is asked for all it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Now and then, anybody (`pushPull`, state.go).
    Routine,
    /// To join (`Join`, memberlist.go).
    Join,
    /// It had failed: is it back? (serf's `reconnect`.)
    Reconnect,
}

/// Whom a newcomer asks.
#[derive(Clone, Debug)]
pub(super) enum Seeds {
    /// Nobody: it is of the cluster, or has been told of it.
    None,
    /// Whom it knew in its last life, in an order drawn at random; one is enough.
    Known(Order),
    /// All of these, from the one of this number on; one is enough, but all are asked.
    Listed(Vec<Peer>, usize),
}

impl Seeds {
    /// Who is next.
    fn next(&mut self) -> Option<Peer> {
        match self {
            Seeds::None => None,
            Seeds::Known(order) => order.next(),
            Seeds::Listed(peers, next) => {
                *next += 1;
                peers.get(*next - 1).copied()
            }
        }
    }
}

impl Gossip {
    // Routine.

    /// The next routine exchange, an interval after the last.
    pub(super) fn wait_to_exchange(&mut self) {
        let wait = push_pull_interval(self.config.push_pull_interval, self.view.listed());
        self.after(wait, Timer::PushPull);
    }

    pub(super) fn on_push_pull(&mut self) {
        match self.pick(1, |view, peer| view.status(peer) == Status::Alive).first() {
            Some(&peer) => self.ask(peer, Why::Routine),
            None => self.wait_to_exchange(),
        }
    }

    // Asking and answering.

    fn ask(&mut self, peer: Peer, why: Why) {
        let serial = self.number();
        self.asking.insert(serial, (peer, why));
        let roster = Arc::new(self.view.roster());
        self.stream(peer, Body::Push(roster));
        self.after(self.config.tcp_timeout, Timer::Unanswered(serial));
    }

    /// Another tells all it knows, and is told first what I know.
    pub(super) fn on_push(&mut self, now: Time, from: Peer, roster: &Roster) {
        let mine = Arc::new(self.view.roster());
        self.stream(from, Body::Pull(mine));
        self.merge(now, roster);
    }

    pub(super) fn on_pull(&mut self, now: Time, from: Peer, roster: &Roster) {
        let asked = self.asking.iter().find(|(_, (peer, _))| *peer == from).map(|(&serial, _)| serial);
        // An answer after the deadline finds its connection closed.
        let Some(serial) = asked else { return };
        self.merge(now, roster);
        self.stop_asking(now, serial, true);
    }

    /// There will be no answer to this.
    pub(super) fn stop_asking(&mut self, now: Time, serial: u32, answered: bool) {
        match self.asking.remove(&serial) {
            Some((_, Why::Routine)) => self.wait_to_exchange(),
            Some((_, Why::Join)) => self.join_next(answered),
            Some((_, Why::Reconnect)) => {
                self.is_reconnecting = false;
                self.watch_the_failed(now);
            }
            None => {}
        }
    }

    /// All exchanges with a peer whose host has no such connection.
    pub(super) fn stop_asking_peer(&mut self, now: Time, peer: Peer) {
        let with = self.asking.iter().filter(|(_, (asked, _))| *asked == peer);
        let serials: Vec<u32> = with.map(|(&serial, _)| serial).collect();
        serials.into_iter().for_each(|serial| self.stop_asking(now, serial, false));
    }

    // Joining.

    /// Asks the first seed, or all once more.
    pub(super) fn join(&mut self) {
        self.seeds = match &self.start {
            Start::Standing => Seeds::None,
            Start::Rejoining => Seeds::Known(Order::new(self.view.peers(), &mut self.luck)),
            Start::Joining(peers) => Seeds::Listed(peers.clone(), 0),
        };
        self.join_next(false);
    }

    fn join_next(&mut self, answered: bool) {
        if answered && matches!(self.seeds, Seeds::Known(_)) {
            self.seeds = Seeds::None;
        }
        let me = self.me;
        match std::iter::from_fn(|| self.seeds.next()).find(|&peer| peer != me) {
            Some(peer) => self.ask(peer, Why::Join),
            None if self.is_known => self.seeds = Seeds::None,
            None => {
                self.after(self.config.join_retry, Timer::Join);
            }
        }
    }

    pub(super) fn on_join_timer(&mut self) {
        // Somebody may have come to know it meanwhile.
        if !self.is_known {
            self.join();
        }
    }

    // The failed.

    /// Sets the reminders for those who failed, if there are any.
    pub(super) fn watch_the_failed(&mut self, now: Time) {
        let Some(&oldest) = self.failed.values().min() else { return };
        if !self.is_reconnecting {
            self.is_reconnecting = true;
            let next = self.grid.next(now, self.config.reconnect_interval);
            self.after(next.since(now), Timer::Reconnect);
        }
        if !self.is_reaping {
            self.is_reaping = true;
            let due = (oldest + self.config.reconnect_timeout).max(now);
            let next = self.grid.next(due, self.config.reap_interval);
            self.after(next.since(now), Timer::Reap);
        }
    }

    /// One of the failed is asked whether it is back. All nodes together ask each of them once in an interval.
    pub(super) fn on_reconnect(&mut self, now: Time) {
        self.is_reconnecting = false;
        let failed = self.failed.len() as u32;
        if failed == 0 {
            return;
        }
        let asks = self.luck.below(self.view.up().max(1)) < failed;
        let nth = self.luck.below(failed) as usize;
        let peer = *self.failed.keys().nth(nth).expect("the number is below theirs");
        if asks {
            self.is_reconnecting = true;
            self.ask(peer, Why::Reconnect);
        } else {
            self.watch_the_failed(now);
        }
    }

    pub(super) fn on_reap(&mut self, now: Time) {
        self.is_reaping = false;
        let is_old = |since: Time| now.since(since) > self.config.reconnect_timeout;
        let old: Vec<Peer> =
            self.failed.iter().filter(|(_, since)| is_old(**since)).map(|(&peer, _)| peer).collect();
        for peer in old {
            self.failed.remove(&peer);
            self.outputs.push(Output::Tell(Event::Reaped(peer)));
        }
        self.watch_the_failed(now);
    }
}
