//! The stage: what the engine does for users' code.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, TryLockError};

use schism_core::{Effect, NodeId, Time};
use schism_models::node::{Message, Node};
use schism_models::observation::Observation;

use super::house::House;
use super::player::Player;
use super::{exact, lock};
use crate::stage::{Stage, Way, Whose};

impl Stage for Mutex<House> {
    fn now(&self) -> Time {
        lock(self).go_on()
    }

    fn observe(&self, by: Whose, seen: Observation) {
        lock(self).hear(by, &seen);
    }

    fn observe_last(&self, by: Whose, seen: Observation) {
        match self.try_lock() {
            Ok(mut house) => house.hear(by, &seen),
            Err(TryLockError::Poisoned(_) | TryLockError::WouldBlock) => {}
        }
    }

    fn send(&self, by: Whose, to: NodeId, msg: Message, way: Way) {
        let mut house = lock(self);
        house.go_on();
        if house.is_alive(by) {
            let luck = None;
            let effect = match way {
                Way::Alone => Effect::Send { to, msg, luck },
                Way::Connection => Effect::Stream { to, msg, luck },
            };
            house.obey(by.node, vec![effect]);
        }
    }

    fn leave(&self, by: Whose) {
        lock(self).withdraw(by);
    }

    fn sleep_until(&self, at: Time) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let moment = lock(self).moment(at);
        Box::pin(exact::until(moment))
    }
}

impl House {
    /// A process whose code is the user's tells the witnesses something.
    fn hear(&mut self, by: Whose, seen: &Observation) {
        self.go_on();
        if self.is_alive(by) {
            self.troupe.observe(by.node, seen);
            self.obey(by.node, Vec::new());
        }
    }

    /// What registers a process takes it off the list.
    fn withdraw(&mut self, by: Whose) {
        self.go_on();
        if self.is_alive(by) {
            let asked = self.troupe.prompt(by.node, |player, ctx| {
                if let Player::Guest(guest) = player {
                    guest.handle(ctx, |node, ctx| {
                        if let Node::Instance(instance) = node {
                            instance.with_registrar(|registrar| {
                                registrar.leave(ctx);
                            });
                        }
                    });
                }
            });
            self.obey(by.node, asked);
        }
    }
}
