//! Lines at a server: who waits for a node to go, and what reads find of them.

use schism_core::NodeId;

use super::super::api::Server;
use super::super::line::{Answer, Ask, Stander};
use super::super::tree::SessionId;
use super::Member;
use crate::node::Ctx;
use crate::observation::{Cause, Observation};

impl Member {
    /// What a client reads of a line; a watch stays only where something is.
    pub(super) fn read_line(&mut self, client: NodeId, session: Option<SessionId>, ask: Ask) -> Answer {
        let lines = self.shown().lines();
        match ask {
            Ask::Before { lock, number } => Answer::Found(lines.before(lock, number)),
            Ask::Mine { lock } => Answer::Found(session.and_then(|session| lines.mine(lock, session))),
            Ask::Exists { lock, number } => {
                let exists = lines.exists(lock, number);
                if exists {
                    self.line_watchers.entry((lock, number)).or_default().insert(client);
                }
                Answer::Exists(exists)
            }
            Ask::Stand { .. } | Ask::Step { .. } => unreachable!("a write is no read"),
        }
    }

    /// Tells the witnesses of nodes that have gone, and those who waited for that.
    pub(super) fn tell_of_stepped(&mut self, ctx: &mut Ctx<'_>, stepped: &[Stander], cause: Cause) {
        let first = self.tree.writes() + 1 - stepped.len() as u64;
        for (at, stander) in (first..).zip(stepped) {
            ctx.observe(Observation::Committed { at, write: stander.release(cause) });
            let (lock, number) = (stander.lock, stander.number);
            for watcher in self.line_watchers.remove(&(lock, number)).unwrap_or_default() {
                self.reply(ctx, watcher, Server::Gone { lock, number });
            }
        }
    }

    /// A client has gone: it waits no more.
    pub(super) fn forget_line_watches(&mut self, client: NodeId) {
        self.line_watchers.retain(|_, watchers| {
            watchers.remove(&client);
            !watchers.is_empty()
        });
    }
}
