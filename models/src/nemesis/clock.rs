//! Clocks go wrong.

use std::fmt;

use schism_core::{Duration, Skew};

use super::aim::{Aim, Names, Target};
use super::hand::{Bend, Hand, Pace, Step, Strike};
use super::{Condition, Nature, Turns};

/// The clocks of some nodes go wrong. Healing lets both run at the true rate, and rights the wall clock, as NTP does; what
/// the monotonic clock has gained or lost it keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock<T = Target> {
    /// Whose.
    pub targets: Vec<T>,
    /// What is wrong with them.
    pub wrong: Wrong,
}

/// How clocks are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The wall clock is off by as much all the time.
    Skew(Offset),
    /// They gain so many parts per million of the time; lose, if negative.
    Drift(i32, Of),
    /// They jump, once.
    Jump(Offset, Of),
    /// The wall clock jumps ahead and back again, over and over, after `strobe-time` of Jepsen's clock nemesis
    /// (jepsen/resources/strobe-time.c).
    Strobe {
        /// How far.
        by: Duration,
        /// How long it stays on either side.
        every: Duration,
    },
    /// They stand.
    Freeze(Of),
    /// The wall clock steps back, once.
    Backwards(Duration),
}

/// Which of a node's clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The wall clock, which tells the time of day.
    Wall,
    /// The monotonic clock, which timers go by.
    Monotonic,
    /// Both.
    Both,
}

/// How far a clock is from the truth, and on which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offset {
    /// It reads more.
    Ahead(Duration),
    /// It reads less.
    Behind(Duration),
}

impl Offset {
    /// Whether it is none.
    pub fn is_zero(self) -> bool {
        match self {
            Offset::Ahead(by) | Offset::Behind(by) => by == Duration::ZERO,
        }
    }

    fn skew(self) -> Skew {
        match self {
            Offset::Ahead(by) => Skew::ahead(by),
            Offset::Behind(by) => Skew::behind(by),
        }
    }
}

/// `200ms`, `-5s`.
impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Offset::Ahead(by) => write!(f, "{by}"),
            Offset::Behind(by) => write!(f, "-{by}"),
        }
    }
}

impl Of {
    fn has_wall(self) -> bool {
        match self {
            Of::Wall | Of::Both => true,
            Of::Monotonic => false,
        }
    }

    fn has_monotonic(self) -> bool {
        match self {
            Of::Monotonic | Of::Both => true,
            Of::Wall => false,
        }
    }

    /// These clocks go at this pace, and the other at the true one.
    fn at(self, pace: Pace) -> Bend {
        let only = |has: bool| if has { pace } else { Pace::TRUE };
        Bend { monotonic: only(self.has_monotonic()), wall: only(self.has_wall()), skew: Skew::NONE }
    }

    fn words(self) -> &'static str {
        match self {
            Of::Wall => "wall clock",
            Of::Monotonic => "monotonic clock",
            Of::Both => "clocks",
        }
    }
}

impl Wrong {
    /// What it does to the clocks while it lasts, and by how much the monotonic one jumps ahead as it begins.
    fn bend(self) -> (Bend, Duration) {
        let skewed = |skew| Bend { skew, ..Bend::NONE };
        match self {
            Wrong::Skew(offset) => (skewed(offset.skew()), Duration::ZERO),
            Wrong::Drift(ppm, of) => (of.at(Pace::Drifts(ppm)), Duration::ZERO),
            Wrong::Jump(offset, of) => {
                let bend = if of.has_wall() { skewed(offset.skew()) } else { Bend::NONE };
                let leap = match offset {
                    Offset::Ahead(by) if of.has_monotonic() => by,
                    Offset::Ahead(_) | Offset::Behind(_) => Duration::ZERO,
                };
                (bend, leap)
            }
            Wrong::Strobe { by, .. } => (skewed(Skew::ahead(by)), Duration::ZERO),
            Wrong::Freeze(of) => (of.at(Pace::Stops), Duration::ZERO),
            Wrong::Backwards(by) => (skewed(Skew::behind(by)), Duration::ZERO),
        }
    }

    fn words(self) -> String {
        match self {
            Wrong::Skew(offset) => format!("wall clock off by {offset}"),
            Wrong::Drift(ppm, of) => format!("{} drift by {ppm} ppm", of.words()),
            Wrong::Jump(offset, of) => format!("{} jump by {offset}", of.words()),
            Wrong::Strobe { by, every } => format!("wall clock strobes by {by} every {every}"),
            Wrong::Freeze(of) => format!("{} frozen", of.words()),
            Wrong::Backwards(by) => format!("wall clock steps back by {by}"),
        }
    }
}

impl<T> Clock<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Clock<U>> {
        let Clock { targets, wrong } = self;
        Some(Clock { targets: at(targets)?, wrong })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Clock<T> {
    fn turns(&self) -> Option<Turns> {
        match self.wrong {
            Wrong::Strobe { every, .. } => Some(Turns::OfEach(every)),
            Wrong::Skew(_) | Wrong::Drift(..) | Wrong::Jump(..) | Wrong::Freeze(_) | Wrong::Backwards(_) => {
                None
            }
        }
    }

    /// Clocks go on whoever runs.
    fn wants_them(&self) -> Condition {
        Condition::Either
    }

    fn is_nothing(&self) -> bool {
        match self.wrong {
            Wrong::Skew(offset) | Wrong::Jump(offset, _) => offset.is_zero(),
            Wrong::Drift(ppm, _) => ppm == 0,
            Wrong::Strobe { by, .. } | Wrong::Backwards(by) => by == Duration::ZERO,
            Wrong::Freeze(_) => false,
        }
    }
}

impl Clock {
    /// `clock of orders:one: wall clock off by 200ms`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("clock of {}: {}", names.targets(&self.targets), self.wrong.words())
    }
}

impl Strike for Clock {
    fn begin(&self, hand: &mut Hand<'_>) {
        let (bend, leap) = self.wrong.bend();
        for node in hand.find_victims(&self.targets) {
            hand.bend(node, bend, leap);
        }
        if let Wrong::Strobe { every, .. } = self.wrong {
            hand.remind(every, Step { victim: 0, turn: 1 });
        }
    }

    /// A strobe flips: ahead at even turns, right at odd ones.
    fn step(&self, hand: &mut Hand<'_>, Step { victim, turn }: Step) {
        let Wrong::Strobe { every, .. } = self.wrong else { unreachable!("only a strobe comes again") };
        let bend = if turn.is_multiple_of(2) { self.wrong.bend().0 } else { Bend::NONE };
        for node in hand.victims().to_vec() {
            hand.bend(node, bend, Duration::ZERO);
        }
        hand.remind(every, Step { victim, turn: turn.wrapping_add(1) });
    }
}
