//! A server that shows readers the catalog of some time ago.

use std::collections::BTreeSet;

use schism_core::{Duration, FaultId, Time};

use super::super::api::Timer;
use super::super::catalog::Catalog;
use super::Member;
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::registry::ail::Ill;
use crate::registry::ail::ills;

/// What is shown, while that is not the catalog as it is.
#[derive(Clone, Debug)]
pub(super) struct Lag {
    by: FaultId,
    age: Duration,
    catalog: Catalog,
    /// Up to where the log is applied to it.
    applied: u64,
    /// Whether there is a timer for the next change to show.
    reminded: bool,
}

impl Member {
    /// What readers are shown.
    pub(super) fn shown(&self) -> &Catalog {
        self.lag.as_ref().map_or(&self.catalog, |lag| &lag.catalog)
    }

    /// The fault that keeps readers from being shown the catalog as it is, if it differs.
    pub(super) fn misled_by(&self) -> Option<FaultId> {
        let lag = self.lag.as_ref()?;
        (lag.applied < self.applied).then_some(lag.by)
    }

    /// Begins to lag, or ceases to, as the plight says. Of several faults, the ages add up.
    pub(super) fn mind_lag(&mut self, ctx: &mut Ctx<'_>) {
        let stale = ills(ctx).filter_map(|(ailment, ill)| match *ill {
            Ill::Stale(age) => Some((ailment.by, age)),
            Ill::Stalls
            | Ill::Gaps(_)
            | Ill::Empty
            | Ill::Partial(_)
            | Ill::Ghosts(_)
            | Ill::Throttled { .. }
            | Ill::Migrates(_) => None,
        });
        match (stale.reduce(|(by, age), (_, more)| (by, age + more)), &self.lag) {
            (Some((_, age)), Some(lag)) if lag.age == age => {}
            (None, None) => {}
            (Some((by, age)), _) => {
                let applied = self.history.as_of(ago(ctx.moment(), age));
                let catalog = self.as_of(applied);
                self.lag = Some(Box::new(Lag { by, age, catalog, applied, reminded: false }));
                self.mind_next_change(ctx);
            }
            (None, Some(_)) => {
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
        lag.reminded = false;
        let upto = self.history.as_of(ago(ctx.moment(), lag.age));
        let (log, services, health, cluster) =
            (&self.raft.log, self.services, self.config.health, &self.cluster);
        let new = || super::blank(services, health, cluster);
        let mut touched = BTreeSet::new();
        while lag.applied < upto {
            lag.applied += 1;
            let entry = log.get(lag.applied).expect("what was applied is in the log");
            let Some(command) = &entry.proposal.command else { continue };
            let snapshot = |earlier| super::replay(log, &new, earlier);
            touched.extend(lag.catalog.apply(lag.applied, command, snapshot).touched);
        }
        self.wake(ctx, &touched);
        self.mind_next_change(ctx);
    }

    /// Sets a timer for the next change to show, if there is one and no timer yet.
    pub(super) fn mind_next_change(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(lag) = &mut self.lag
            && !lag.reminded
            && let Some(changed) = self.history.passed(lag.applied)
        {
            lag.reminded = true;
            ctx.after((changed + lag.age).since(ctx.moment()), Timer::Lag.into());
        }
    }
}

/// The moment so long ago, or the start.
pub(super) fn ago(now: Time, age: Duration) -> Time {
    Time::START + now.since(Time::START).saturating_sub(age)
}
