//! Lag: readers and watchers are shown the state of some time ago.

use schism_core::{Duration, FaultId, Time};

use super::{Ill, ills};
use crate::node::Ctx;

/// How old a state is shown, and for which fault. Of several faults, the ages add up.
pub(crate) fn staleness(ctx: &Ctx<'_>) -> Option<(FaultId, Duration)> {
    let ages = ills(ctx).filter_map(|(ailment, ill)| match *ill {
        Ill::Stale(age) => Some((ailment.by, age)),
        Ill::Stalls
        | Ill::Gaps(_)
        | Ill::Empty
        | Ill::Partial(_)
        | Ill::Ghosts(_)
        | Ill::Throttled { .. }
        | Ill::Migrates(_) => None,
    });
    ages.reduce(|(by, age), (_, more)| (by, age + more))
}

/// The moment so long ago, or the start.
pub(crate) fn ago(now: Time, age: Duration) -> Time {
    Time::START + now.since(Time::START).saturating_sub(age)
}

/// What is shown, while that is not the state as it is.
#[derive(Clone, Debug)]
pub(crate) struct Lag<S> {
    /// The first of the faults that have it shown.
    pub(crate) by: FaultId,
    /// How old it is.
    pub(crate) age: Duration,
    /// The state of that time.
    pub(crate) state: S,
    reminded: Reminded,
}

/// Whether there is a timer for the next change to show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reminded {
    Yes,
    No,
}

/// What becomes of a lag when what ails the member has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shift {
    /// It stays as it is, or there is none.
    None,
    /// The state of so long ago is shown from now on, because of this fault.
    Begins(FaultId, Duration),
    /// The state is shown as it is.
    Ends,
}

impl<S> Lag<S> {
    /// It begins: the state of so long ago is shown.
    pub(crate) fn new(by: FaultId, age: Duration, state: S) -> Lag<S> {
        Lag { by, age, state, reminded: Reminded::No }
    }

    /// Whether a member begins to lag that lags like this so far, or ceases to, as its plight says.
    pub(crate) fn shift(ctx: &Ctx<'_>, lag: Option<&Lag<S>>) -> Shift {
        match (staleness(ctx), lag) {
            (None, None) => Shift::None,
            (Some((_, age)), Some(lag)) if lag.age == age => Shift::None,
            (Some((by, age)), _) => Shift::Begins(by, age),
            (None, Some(_)) => Shift::Ends,
        }
    }

    /// The next change to show was made at that moment, if there is one. In how long a timer is to remind of it: none, if
    /// there is a timer.
    pub(crate) fn remind(&mut self, now: Time, changed: Option<Time>) -> Option<Duration> {
        let changed = changed.filter(|_| self.reminded == Reminded::No)?;
        self.reminded = Reminded::Yes;
        Some((changed + self.age).since(now))
    }

    /// The timer has fired.
    pub(crate) fn on_reminded(&mut self) {
        self.reminded = Reminded::No;
    }
}
