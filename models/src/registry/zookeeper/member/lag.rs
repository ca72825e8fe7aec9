//! A server that shows readers and watchers the state of some time ago.

use schism_core::{Duration, FaultId, Time};

use super::super::tree::{Change, Effect, Tree};
use super::super::zxid::Zxid;
use super::{Member, Timer};
use crate::node::Ctx;
use crate::registry::ail::Ill;
use crate::registry::ail::ills;

/// What is shown, while that is not the tree as it is.
#[derive(Clone, Debug)]
pub(super) struct Lag {
    by: FaultId,
    age: Duration,
    tree: Tree,
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
    pub(super) fn shown(&self) -> &Tree {
        self.lag.as_ref().map_or(&self.tree, |lag| &lag.tree)
    }

    /// The fault that keeps a list from being what it should be, if it is not.
    pub(super) fn misled_by(&self) -> Option<FaultId> {
        let lag = self.lag.as_ref()?;
        (lag.tree.zxid() != self.tree.zxid()).then_some(lag.by)
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
                let upto = self.as_of(ctx, age);
                let tree = self.log.replay(self.services(), upto);
                self.lag = Some(Box::new(Lag { by, age, tree, reminded: Reminded::No }));
                self.mind_next_change(ctx);
            }
            (None, Some(_)) => {
                self.show_up_to(ctx, self.tree.zxid());
                self.tell_watchers(ctx);
                self.lag = None;
            }
        }
    }

    /// It may be time to show the next change.
    pub(super) fn on_lag(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(lag) = &mut self.lag {
            lag.reminded = Reminded::No;
            let age = lag.age;
            let upto = self.as_of(ctx, age);
            self.show_up_to(ctx, upto);
            self.tell_watchers(ctx);
            self.mind_next_change(ctx);
        }
    }

    /// Sets a timer for the next change to show, if there is one and no timer yet.
    pub(super) fn mind_next_change(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(lag) = &mut self.lag
            && lag.reminded == Reminded::No
            && let Some(changed) = self.history.passed(lag.tree.zxid().revision())
        {
            lag.reminded = Reminded::Yes;
            ctx.after((changed + lag.age).since(ctx.moment()), Timer::Lag.into());
        }
    }

    /// The last transaction that had been applied so long ago.
    fn as_of(&self, ctx: &Ctx<'_>, age: Duration) -> Zxid {
        Zxid::of_revision(self.history.as_of(ago(ctx.moment(), age)))
    }

    fn show_up_to(&mut self, ctx: &mut Ctx<'_>, upto: Zxid) {
        let services = self.services();
        loop {
            let Some(lag) = &mut self.lag else { return };
            let Some(entry) = self.log.next(lag.tree.zxid()).filter(|entry| entry.zxid <= upto) else {
                return;
            };
            let log = &self.log;
            let effect = lag.tree.apply(entry.zxid, &entry.txn, |earlier| log.replay(services, earlier));
            if let Effect::Listed(_, service, Change { endpoint, up }) = effect
                && !self.is_hidden(ctx, service, endpoint, up)
            {
                self.news.insert(service);
            }
        }
    }
}

/// The moment so long ago, or the start.
pub(super) fn ago(now: Time, age: Duration) -> Time {
    Time::START + now.since(Time::START).saturating_sub(age)
}
