//! Leaving: the intent is told, then the end, and then there is a pause for both to spread (serf.go, `Leave`).

use schism_core::Time;

use super::{Event, Gossip, News, Output, Peer, Status, Timer, What};

/// How far a node is with leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// It stays.
    No,
    /// It tells that it intends to leave.
    Intends,
    /// It tells that it has left.
    Tells,
    /// It waits for that to spread.
    Waits,
    /// It may go.
    Gone,
}

impl Gossip {
    pub(super) fn start_leaving(&mut self, now: Time) {
        if self.farewell != Farewell::No {
            return;
        }
        if self.view.up() > 1 {
            self.step(Farewell::Intends);
            let incarnation = self.view.get(self.me).incarnation;
            self.intents.push(News { of: self.me, incarnation, what: What::Leaving }, &self.config);
            self.wait_to_gossip(now);
        } else {
            self.tell_of_leaving(now);
        }
    }

    /// It has left as far as it is concerned: it refutes nothing any more.
    pub(super) fn has_left(&self) -> bool {
        match self.farewell {
            Farewell::No | Farewell::Intends => false,
            Farewell::Tells | Farewell::Waits | Farewell::Gone => true,
        }
    }

    /// The next step, and by when the one after it comes at the latest.
    fn step(&mut self, to: Farewell) {
        self.farewell = to;
        self.farewell_serial = self.number();
        let wait = match to {
            Farewell::Intends | Farewell::Tells => self.config.leave_broadcast,
            Farewell::Waits => self.config.leave_propagate,
            Farewell::No | Farewell::Gone => return,
        };
        self.after(wait, Timer::Leave(self.farewell_serial));
    }

    fn tell_of_leaving(&mut self, now: Time) {
        self.step(Farewell::Tells);
        let (me, incarnation) = (self.me, self.view.get(self.me).incarnation);
        self.on_dead(now, me, incarnation, me);
        assert!(self.view.status(me) == Status::Left, "who says of itself that it is dead has left");
        if self.view.up() == 0 {
            self.step(Farewell::Waits);
        }
    }

    pub(super) fn on_leave_timer(&mut self, now: Time, serial: u32) {
        if serial == self.farewell_serial {
            self.next_step(now);
        }
    }

    /// What was to be told may have been sent often enough by now.
    pub(super) fn look_whether_told(&mut self, now: Time) {
        let me: Peer = self.me;
        match self.farewell {
            Farewell::Intends if !self.intents.has(me) => self.next_step(now),
            Farewell::Tells if !self.news.has(me) => self.next_step(now),
            Farewell::No | Farewell::Intends | Farewell::Tells | Farewell::Waits | Farewell::Gone => {}
        }
    }

    fn next_step(&mut self, now: Time) {
        match self.farewell {
            Farewell::Intends => self.tell_of_leaving(now),
            Farewell::Tells => self.step(Farewell::Waits),
            Farewell::Waits => {
                self.step(Farewell::Gone);
                self.outputs.push(Output::Tell(Event::Gone));
            }
            Farewell::No | Farewell::Gone => {}
        }
    }
}
