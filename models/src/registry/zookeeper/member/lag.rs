//! A server that shows readers and watchers the state of some time ago.

use schism_core::{Duration, FaultId};

use super::super::tree::{Change, Effect, Tree};
use super::super::zxid::Zxid;
use super::{Member, Timer};
use crate::node::Ctx;
use crate::registry::ail::{Lag, Shift, ago};

impl Member {
    /// What readers and watchers are shown.
    pub(super) fn shown(&self) -> &Tree {
        self.lag.as_ref().map_or(&self.tree, |lag| &lag.state)
    }

    /// The fault that keeps a list from being what it should be, if it is not.
    pub(super) fn misled_by(&self) -> Option<FaultId> {
        let lag = self.lag.as_ref()?;
        (lag.state.zxid() != self.tree.zxid()).then_some(lag.by)
    }

    /// Begins to lag, or ceases to, as the plight says.
    pub(super) fn mind_lag(&mut self, ctx: &mut Ctx<'_>) {
        match Lag::shift(ctx, self.lag.as_deref()) {
            Shift::None => {}
            Shift::Begins(by, age) => {
                let tree = self.log.replay(self.services(), self.as_of(ctx, age));
                self.lag = Some(Box::new(Lag::new(by, age, tree)));
                self.mind_next_change(ctx);
            }
            Shift::Ends => {
                self.show_up_to(ctx, self.tree.zxid());
                self.tell_watchers(ctx);
                self.lag = None;
            }
        }
    }

    /// It may be time to show the next change.
    pub(super) fn on_lag(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(lag) = &mut self.lag {
            lag.on_reminded();
            let age = lag.age;
            let upto = self.as_of(ctx, age);
            self.show_up_to(ctx, upto);
            self.tell_watchers(ctx);
            self.mind_next_change(ctx);
        }
    }

    /// Sets a timer for the next change to show, if there is one and no timer yet.
    pub(super) fn mind_next_change(&mut self, ctx: &mut Ctx<'_>) {
        let Some(lag) = &mut self.lag else { return };
        let changed = self.history.passed(lag.state.zxid().revision());
        if let Some(left) = lag.remind(ctx.moment(), changed) {
            ctx.after(left, Timer::Lag.into());
        }
    }

    /// The last transaction that had been applied so long ago.
    fn as_of(&self, ctx: &Ctx<'_>, age: Duration) -> Zxid {
        Zxid::of_revision(self.history.as_of(ago(ctx.moment(), age)))
    }

    fn show_up_to(&mut self, ctx: &mut Ctx<'_>, upto: Zxid) {
        let (log, services) = (&self.log, self.services());
        let Some(lag) = &mut self.lag else { return };
        while let Some(entry) = log.next(lag.state.zxid()).filter(|entry| entry.zxid <= upto) {
            let effect = lag.state.apply(entry.zxid, &entry.txn, |earlier| log.replay(services, earlier));
            if let Effect::Listed(_, service, Change { endpoint, up }) = effect
                && !self.ghosts.hide(ctx, service, endpoint, up)
            {
                self.news.insert(service);
            }
        }
    }
}
