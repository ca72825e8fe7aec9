//! What a lock guards: a store that takes writes, and may look at the tokens that come with them.
//!
//! A write is taken when it comes: what it waits for in a queue, and what it takes, is not modelled. What the store has
//! seen is kept for as long as its process lives.

use std::collections::BTreeMap;

use schism_core::NodeId;

use super::Instance;
use crate::client::{Fencing, GuardedWrite};
use crate::node::{Ctx, Message};
use crate::observation::Observation;

/// The newest token that was seen of each lock.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    newest: BTreeMap<u32, u64>,
}

impl Guard {
    /// Whether a write is taken.
    fn takes(&mut self, write: &GuardedWrite) -> bool {
        let newest = self.newest.entry(write.lock).or_default();
        *newest = write.token.max(*newest);
        match write.fencing {
            Fencing::Off => true,
            Fencing::On => write.token == *newest,
        }
    }
}

impl Instance {
    /// Someone writes who believes that it holds a lock.
    pub fn on_guarded(&mut self, ctx: &mut Ctx<'_>, by: NodeId, write: &GuardedWrite) {
        let is_taken = self.guard.takes(write);
        if is_taken {
            let GuardedWrite { lock, token, .. } = *write;
            ctx.observe(Observation::GuardedWrite { lock, token, by });
        }
        ctx.send(by, Message::GuardedReply { number: write.number, is_taken });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(fencing: Fencing) -> Vec<bool> {
        let mut guard = Guard::default();
        let tokens = [(0, 5), (0, 7), (1, 6), (0, 6), (0, 7), (0, 8)];
        let write = |(lock, token)| GuardedWrite { number: 0, lock, token, fencing };
        tokens.map(write).iter().map(|write| guard.takes(write)).collect()
    }

    #[test]
    fn a_fenced_store_turns_away_what_is_older_than_the_newest_of_its_lock() {
        assert_eq!(taken(Fencing::On), [true, true, true, false, true, true]);
    }

    #[test]
    fn without_fencing_it_takes_everything() {
        assert_eq!(taken(Fencing::Off), [true; 6]);
    }
}
