//! A member that shows readers and watchers the state of some time ago.

use schism_core::FaultId;

use super::super::replay::replay;
use super::super::store::{Effect, Store};
use super::{Member, Timer};
use crate::node::Ctx;
use crate::registry::ail::{Lag, Shift, ago};

/// The store of some time ago.
#[derive(Clone, Debug)]
pub(super) struct Past {
    store: Store,
    /// Up to where the log is applied to it.
    applied: u64,
}

impl Member {
    /// What readers and watchers are shown.
    pub(super) fn shown(&self) -> &Store {
        self.lag.as_ref().map_or(&self.store, |lag| &lag.state.store)
    }

    /// The fault that keeps a list from being what it should be, if it is not.
    pub(super) fn misled_by(&self) -> Option<FaultId> {
        let lag = self.lag.as_ref()?;
        (lag.state.store.header() != self.store.header()).then_some(lag.by)
    }

    /// Begins to lag, or ceases to, as the plight says.
    pub(super) fn mind_lag(&mut self, ctx: &mut Ctx<'_>) {
        match Lag::shift(ctx, self.lag.as_deref()) {
            Shift::None => {}
            Shift::Begins(by, age) => {
                let applied = self.history.as_of(ago(ctx.moment(), age));
                let store = replay(&self.raft.log, self.seat.services, applied);
                self.lag = Some(Box::new(Lag::new(by, age, Past { store, applied })));
                self.mind_next_change(ctx);
            }
            Shift::Ends => {
                self.show_up_to(self.applied);
                self.tell_watchers(ctx);
                self.lag = None;
            }
        }
    }

    /// It may be time to show the next change.
    pub(super) fn on_lag(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(lag) = &mut self.lag {
            lag.on_reminded();
            let upto = self.history.as_of(ago(ctx.moment(), lag.age));
            self.show_up_to(upto);
            self.tell_watchers(ctx);
            self.mind_next_change(ctx);
        }
    }

    /// Sets a timer for the next change to show, if there is one and no timer yet.
    pub(super) fn mind_next_change(&mut self, ctx: &mut Ctx<'_>) {
        let Some(lag) = &mut self.lag else { return };
        let changed = self.history.passed(lag.state.applied);
        if let Some(left) = lag.remind(ctx.moment(), changed) {
            ctx.after(left, Timer::Lag.into());
        }
    }

    fn show_up_to(&mut self, upto: u64) {
        let Some(lag) = &mut self.lag else { return };
        let past = &mut lag.state;
        let (log, services) = (&self.raft.log, self.seat.services);
        while past.applied < upto {
            past.applied += 1;
            let entry = log.get(past.applied).expect("what was applied is in the log");
            let Some(command) = &entry.proposal.command else { continue };
            let effect = past.store.apply(command, |earlier| replay(log, services, earlier));
            if let Effect::Listed(_, service, change) = effect {
                self.news.entry(service).or_default().push(change);
            }
        }
    }
}
