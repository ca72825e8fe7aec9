//! The log applied: what committed transactions do to the tree, and who is told.

use super::super::log::Entry;
use super::super::tree::{Change, Effect, Txn};
use super::super::zxid::Zxid;
use super::Member;
use crate::node::Ctx;
use crate::observation::{Observation, Write};

impl Member {
    /// Applies all transactions up to one.
    pub(super) fn apply_up_to(&mut self, ctx: &mut Ctx<'_>, upto: Zxid) {
        while let Some(entry) = self.log.next(self.tree.zxid())
            && entry.zxid <= upto
        {
            let entry = entry.clone();
            self.apply_entry(ctx, entry);
        }
        self.history.note(ctx.moment(), self.tree.zxid().revision());
        self.mind_next_change(ctx);
        self.tell_watchers(ctx);
    }

    fn apply_entry(&mut self, ctx: &mut Ctx<'_>, Entry { zxid, txn, by }: Entry) {
        let (log, services) = (&self.log, self.seat.layout.services.len() as u16);
        let effect = self.tree.apply(zxid, &txn, |earlier| log.replay(services, earlier));
        self.follow_txn(ctx, zxid, &txn);
        self.note_effect(ctx, &effect);
        if let Some((sid, number)) = by
            && sid == self.me
        {
            self.on_applied(ctx, number, &txn);
        }
        if let Txn::CloseSession { session, .. } = txn {
            self.close_session(ctx, session);
        }
    }

    /// Tells the witnesses what was done, and notes what watchers are to be told.
    fn note_effect(&mut self, ctx: &mut Ctx<'_>, effect: &Effect) {
        let at = self.tree.writes();
        match *effect {
            Effect::Wrote(write) => ctx.observe(Observation::Committed { at, write }),
            Effect::Listed(write, service, Change { endpoint, up }) => {
                ctx.observe(Observation::Committed { at, write });
                ctx.observe(Observation::Believes { service, subject: endpoint.node, up });
                if self.lag.is_none() && !self.ghosts.hide(ctx, service, endpoint, up) {
                    self.news.insert(service);
                }
            }
            Effect::Stepped(ref stepped, cause) => self.tell_of_stepped(ctx, stepped, cause),
            Effect::Nothing => {}
            Effect::Restored(ref writes) => self.begin_anew(ctx, writes),
        }
    }

    /// The servers have been stopped, and begin again with a backup: nobody's connection outlives that.
    fn begin_anew(&mut self, ctx: &mut Ctx<'_>, writes: &[Write]) {
        let first = self.tree.writes() + 1 - writes.len() as u64;
        for (at, &write) in (first..).zip(writes) {
            ctx.observe(Observation::Committed { at, write });
        }
        for list in self.tree.lists() {
            ctx.observe(Observation::View(list.clone()));
        }
        self.news.clear();
        self.drop_clients(ctx);
    }
}
