//! Bends: how faults make clocks go wrong, and what several of them come to.

use schism_core::{Rate, Skew};

/// What one fault does to the clocks of a node. Of several, drifts and skews add up, and one that stops a clock wins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bend {
    /// The monotonic clock.
    pub(crate) monotonic: Pace,
    /// The wall clock.
    pub(crate) wall: Pace,
    /// By how much the wall clock is wrong beside that.
    pub(crate) skew: Skew,
}

/// How a clock goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    /// Faster than true time by so many parts per million; slower, if negative.
    Drifts(i32),
    /// Not at all.
    Stops,
}

impl Pace {
    /// As true time does.
    pub(crate) const TRUE: Pace = Pace::Drifts(0);

    fn with(self, other: Pace) -> Pace {
        match (self, other) {
            (Pace::Drifts(one), Pace::Drifts(more)) => Pace::Drifts(one.saturating_add(more)),
            (Pace::Stops, _) | (_, Pace::Stops) => Pace::Stops,
        }
    }

    pub(super) fn rate(self) -> Rate {
        match self {
            // Drifts that would turn time back together leave it all but standing.
            Pace::Drifts(ppm) => Rate::drift(ppm.max(-999_999)),
            Pace::Stops => Rate::STOPPED,
        }
    }
}

impl Bend {
    /// Nothing is wrong.
    pub(crate) const NONE: Bend = Bend { monotonic: Pace::TRUE, wall: Pace::TRUE, skew: Skew::NONE };

    pub(super) fn with(self, other: &Bend) -> Bend {
        Bend {
            monotonic: self.monotonic.with(other.monotonic),
            wall: self.wall.with(other.wall),
            skew: self.skew.plus(other.skew),
        }
    }
}
