//! What a node makes of what it hears of others, and of itself (state.go: `aliveNode`, `suspectNode`, `deadNode`).

use schism_core::{Duration, Time};

use super::doubt::Doubt;
use super::view::FIRST;
use super::{Event, Gossip, News, Output, Peer, Roster, Rule, Standing, Status, Timer, What};

impl Gossip {
    pub(super) fn on_news(&mut self, now: Time, News { of, incarnation, what }: News) {
        match what {
            What::Alive => self.on_alive(now, of, incarnation),
            What::Suspect(by) => self.on_suspect(now, of, incarnation, by),
            What::Dead(by) => self.on_dead(now, of, incarnation, by),
            What::Leaving => self.on_leaving(now, of, incarnation),
        }
    }

    fn on_alive(&mut self, now: Time, of: Peer, incarnation: u32) {
        let entry = self.view.get(of);
        if of == self.me {
            if incarnation > entry.incarnation && !self.has_left() {
                self.refute(now, incarnation);
            }
            return;
        }
        if entry.status != Status::Unknown && incarnation <= entry.incarnation {
            return;
        }
        self.doubts.remove(&of);
        self.tell(now, News { of, incarnation, what: What::Alive });
        self.view.set(of, Status::Alive, incarnation, now);
        if entry.status == Status::Suspect {
            self.outputs.push(Output::Deem(of, Standing::Cleared));
        }
        match entry.status {
            Status::Dead | Status::Left | Status::Unknown => {
                self.failed.remove(&of);
                self.leaving.remove(&of);
                self.outputs.push(Output::Tell(Event::Joined(of)));
            }
            Status::Alive | Status::Suspect => {}
        }
    }

    pub(super) fn on_suspect(&mut self, now: Time, of: Peer, incarnation: u32, by: Peer) {
        let entry = self.view.get(of);
        if entry.status == Status::Unknown || incarnation < entry.incarnation {
            return;
        }
        if let Some(doubt) = self.doubts.get_mut(&of) {
            if doubt.confirm(by) {
                // Word of each confirmation goes on, so that the others' suspicions shorten, too.
                self.tell(now, News { of, incarnation, what: What::Suspect(by) });
                self.wait_for_refutation(now, of);
            }
            return;
        }
        if entry.status != Status::Alive {
            return;
        }
        if of == self.me {
            return self.refute(now, incarnation);
        }
        self.tell(now, News { of, incarnation, what: What::Suspect(by) });
        self.view.set(of, Status::Suspect, incarnation, now);
        self.outputs.push(Output::Deem(of, Standing::Suspect));
        let doubt = Doubt::new(&self.config, self.view.listed(), by, now, 0);
        self.doubts.insert(of, doubt);
        self.wait_for_refutation(now, of);
    }

    /// Sets the reminder that counts from now on.
    fn wait_for_refutation(&mut self, now: Time, of: Peer) {
        let serial = self.number();
        let doubt = self.doubts.get_mut(&of).expect("whoever may refute is suspected");
        doubt.serial = serial;
        match doubt.remaining(now) {
            Duration::ZERO => self.on_suspicion(now, of, serial),
            remaining => self.after(remaining, Timer::Suspicion(of, serial)),
        }
    }

    /// A suspicion has run out.
    pub(super) fn on_suspicion(&mut self, now: Time, of: Peer, serial: u32) {
        if self.doubts.get(&of).is_some_and(|doubt| doubt.serial == serial) {
            self.on_dead(now, of, self.view.get(of).incarnation, self.me);
        }
    }

    pub(super) fn on_dead(&mut self, now: Time, of: Peer, incarnation: u32, by: Peer) {
        let entry = self.view.get(of);
        if entry.status == Status::Unknown || incarnation < entry.incarnation {
            return;
        }
        self.doubts.remove(&of);
        if matches!(entry.status, Status::Dead | Status::Left) {
            return;
        }
        if of == self.me && !self.has_left() {
            return self.refute(now, incarnation);
        }
        self.tell(now, News { of, incarnation, what: What::Dead(by) });
        let status = if of == by { Status::Left } else { Status::Dead };
        self.view.set(of, status, incarnation, now);
        if of != self.me {
            self.lose(now, of);
        }
    }

    /// A peer is no more. Whether it left or failed, serf tells by its intent alone (`handleNodeLeave`).
    fn lose(&mut self, now: Time, peer: Peer) {
        if self.leaving.contains(&peer) {
            self.outputs.push(Output::Tell(Event::Left(peer)));
        } else {
            self.failed.insert(peer, now);
            self.outputs.push(Output::Deem(peer, Standing::Dead));
            self.watch_the_failed(now);
            self.outputs.push(Output::Tell(Event::Failed(peer)));
        }
    }

    /// A peer intends to leave (serf's `handleNodeLeaveIntent`; its Lamport time is the incarnation here). One that had
    /// failed has left, then.
    fn on_leaving(&mut self, now: Time, of: Peer, incarnation: u32) {
        let entry = self.view.get(of);
        let is_old = incarnation < entry.incarnation || entry.status == Status::Unknown;
        if of == self.me || is_old || !self.leaving.insert(of) {
            return;
        }
        self.intents.push(News { of, incarnation, what: What::Leaving }, &self.config);
        self.wait_to_gossip(now);
        if self.failed.remove(&of).is_some() {
            self.outputs.push(Output::Tell(Event::Left(of)));
        }
    }

    /// I am alive, and my next incarnation says so: one above what was said of the last.
    fn refute(&mut self, now: Time, accused: u32) {
        let incarnation = self.view.get(self.me).incarnation.max(accused) + 1;
        self.view.set(self.me, Status::Alive, incarnation, now);
        self.weaken(1);
        self.tell(now, News { of: self.me, incarnation, what: What::Alive });
    }

    /// All that another knows. Those whom it holds to be dead are only suspected: they may refute (`mergeState`).
    pub(super) fn merge(&mut self, now: Time, roster: &Roster) {
        let learns = (self.view.rule(), roster.rule) == (Rule::Unknown, Rule::Alive);
        if learns {
            self.view.adopt(roster, now);
        } else {
            self.recall(now, roster);
        }
        for &(peer, status, incarnation) in &roster.exceptions {
            match status {
                Status::Alive => self.on_alive(now, peer, incarnation),
                Status::Suspect | Status::Dead => self.on_suspect(now, peer, incarnation, self.me),
                Status::Left => {
                    self.on_leaving(now, peer, incarnation);
                    self.on_dead(now, peer, incarnation, peer);
                }
                Status::Unknown => {}
            }
        }
        if learns || !self.is_known {
            self.is_known = true;
            self.outputs.push(Output::Tell(Event::Known));
        }
    }

    /// Whom I have forgotten and the other has as ever, is alive.
    fn recall(&mut self, now: Time, roster: &Roster) {
        if roster.rule == Rule::Alive {
            let is_exception = |peer: &Peer| roster.exceptions.binary_search_by_key(peer, |it| it.0).is_ok();
            let forgotten = self.view.all(Status::Unknown).into_iter().filter(|peer| !is_exception(peer));
            forgotten.for_each(|peer| self.on_alive(now, peer, FIRST));
        }
    }
}
