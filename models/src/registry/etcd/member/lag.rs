//! A member that shows readers and watchers the state of some time ago.

use schism_core::{Duration, FaultId, Time};

use super::super::history::replay;
use super::super::store::{Effect, Store};
use super::{Member, Timer, ills};
use crate::node::Ctx;
use crate::registry::ail::Ill;

/// What is shown, while that is not the state as it is.
#[derive(Clone, Debug)]
pub(super) struct Lag {
    by: FaultId,
    age: Duration,
    store: Store,
    /// Up to where the log is applied to it.
    applied: u64,
    reminded: Reminded,
}

/// Whether there is a timer for the next change to show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reminded {
    Yes,
    No,
}

impl Member {
    /// What readers and watchers are shown.
    pub(super) fn shown(&self) -> &Store {
        self.lag.as_ref().map_or(&self.store, |lag| &lag.store)
    }

    /// The fault that keeps a list from being what it should be, if it is not.
    pub(super) fn misled_by(&self) -> Option<FaultId> {
        let lag = self.lag.as_ref()?;
        (lag.store.header() != self.store.header()).then_some(lag.by)
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
        let wanted = stale.reduce(|(by, age), (_, more)| (by, age + more));
        match (wanted, &self.lag) {
            (Some((_, age)), Some(lag)) if lag.age == age => {}
            (None, None) => {}
            (Some((by, age)), _) => {
                let applied = self.history.as_of(ago(ctx.moment(), age));
                let store = replay(&self.raft.log, self.seat.services, applied);
                self.lag = Some(Box::new(Lag { by, age, store, applied, reminded: Reminded::No }));
                self.mind_next_change(ctx);
            }
            (None, Some(_)) => {
                self.show_up_to(self.applied);
                self.tell_watchers(ctx);
                self.lag = None;
            }
        }
    }

    /// It may be time to show the next change.
    pub(super) fn on_lag(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(lag) = &mut self.lag {
            lag.reminded = Reminded::No;
            let upto = self.history.as_of(ago(ctx.moment(), lag.age));
            self.show_up_to(upto);
            self.tell_watchers(ctx);
            self.mind_next_change(ctx);
        }
    }

    /// Sets a timer for the next change to show, if there is one and no timer yet.
    pub(super) fn mind_next_change(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(lag) = &mut self.lag
            && lag.reminded == Reminded::No
            && let Some(changed) = self.history.passed(lag.applied)
        {
            lag.reminded = Reminded::Yes;
            ctx.after((changed + lag.age).since(ctx.moment()), Timer::Lag.into());
        }
    }

    fn show_up_to(&mut self, upto: u64) {
        let Some(lag) = &mut self.lag else { return };
        let (log, services) = (&self.raft.log, self.seat.services);
        while lag.applied < upto {
            lag.applied += 1;
            let entry = log.get(lag.applied).expect("what was applied is in the log");
            let Some(command) = &entry.proposal.command else { continue };
            let effect = lag.store.apply(command, |earlier| replay(log, services, earlier));
            if let Effect::Listed(_, service, change) = effect {
                self.news.entry(service).or_default().push(change);
            }
        }
    }
}

/// The moment so long ago, or the start.
pub(super) fn ago(now: Time, age: Duration) -> Time {
    Time::START + now.since(Time::START).saturating_sub(age)
}
