//! A server that shows readers the catalog of some time ago.

use std::collections::BTreeSet;

use schism_core::FaultId;

use super::super::api::Timer;
use super::super::catalog::Catalog;
use super::Member;
use super::replay::{blank, replay};
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::registry::ail::{Lag, Shift, ago};

/// The catalog of some time ago.
#[derive(Clone, Debug)]
pub(super) struct Past {
    catalog: Catalog,
    /// Up to where the log is applied to it.
    applied: u64,
}

impl Member {
    /// What readers are shown.
    pub(super) fn shown(&self) -> &Catalog {
        self.lag.as_ref().map_or(&self.catalog, |lag| &lag.state.catalog)
    }

    /// The fault that keeps readers from being shown the catalog as it is, if it differs.
    pub(super) fn misled_by(&self) -> Option<FaultId> {
        let lag = self.lag.as_ref()?;
        (lag.state.applied < self.applied).then_some(lag.by)
    }

    /// Begins to lag, or ceases to, as the plight says.
    pub(super) fn mind_lag(&mut self, ctx: &mut Ctx<'_>) {
        match Lag::shift(ctx, self.lag.as_deref()) {
            Shift::None => {}
            Shift::Begins(by, age) => {
                let applied = self.history.as_of(ago(ctx.moment(), age));
                let catalog = self.as_of(applied);
                self.lag = Some(Box::new(Lag::new(by, age, Past { catalog, applied })));
                self.mind_next_change(ctx);
            }
            Shift::Ends => {
                self.lag = None;
                let all: BTreeSet<ServiceId> =
                    (0..self.services).map(|service| ServiceId(service as u16)).collect();
                self.wake(ctx, &all);
            }
        }
    }

    /// It may be time to show the next change.
    pub(super) fn on_lag(&mut self, ctx: &mut Ctx<'_>) {
        let Some(lag) = &mut self.lag else { return };
        lag.on_reminded();
        let upto = self.history.as_of(ago(ctx.moment(), lag.age));
        let (log, services, health, cluster) =
            (&self.raft.log, self.services, self.config.health, &self.cluster);
        let new = || blank(services, health, cluster);
        let mut touched = BTreeSet::new();
        let past = &mut lag.state;
        while past.applied < upto {
            past.applied += 1;
            let entry = log.get(past.applied).expect("what was applied is in the log");
            let Some(command) = &entry.proposal.command else { continue };
            let snapshot = |earlier| replay(log, &new, earlier);
            touched.extend(past.catalog.apply(past.applied, command, snapshot).touched);
        }
        self.wake(ctx, &touched);
        self.mind_next_change(ctx);
    }

    /// Sets a timer for the next change to show, if there is one and no timer yet.
    pub(super) fn mind_next_change(&mut self, ctx: &mut Ctx<'_>) {
        let Some(lag) = &mut self.lag else { return };
        let changed = self.history.passed(lag.state.applied);
        if let Some(left) = lag.remind(ctx.moment(), changed) {
            ctx.after(left, Timer::Lag.into());
        }
    }
}
