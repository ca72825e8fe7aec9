//! Some nodes cannot reach others.

mod course;
mod shape;
mod tempo;

use schism_core::{Cut, Distribution, Feel, Flows, Harm, Impairment, NodeSet, Ratio};

pub use shape::{LeaderOn, Plane, RestOn, Shape};
pub use tempo::{Flap, Tempo};

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Step, Strike};
use super::ways::{Direction, LINK};
use super::{Condition, Grip, Nature, Standing, Struck, Turns};

/// Islands are told of while no more faults than this part the network. Beyond that nobody could read them, and what it
/// takes to find them grows with the square of the kinds of nodes that the cuts make.
const MOST_PARTINGS: usize = 64;

/// Who cannot reach whom, how that feels, and how it comes and goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition<T = Target> {
    /// Who is parted from whom.
    pub shape: Shape<T>,
    /// Which ways are cut.
    pub direction: Direction,
    /// What a sender notices.
    pub mode: Mode,
    /// What becomes of the connections that are open when it comes.
    pub existing: Existing,
    /// How it comes and goes.
    pub tempo: Tempo,
}

/// What a sender notices of a cut.
#[derive(Clone, Debug, PartialEq)]
pub enum Mode {
    /// Nothing: messages vanish.
    Blackhole,
    /// A refusal: the sender sees a reset.
    Reject,
    /// Nothing: the network keeps its messages, and delivers them when the cut is mended.
    Hold,
    /// Nothing is cut: every message takes so much longer.
    Slow(Distribution),
}

/// What becomes of open connections when a partition comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// They are cut like everything else.
    Cut,
    /// They go on, and so do messages that need no new connection: only new ones cannot be opened.
    Keep,
}

impl<T> Partition<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Partition<U>> {
        let Partition { shape, direction, mode, existing, tempo } = self;
        Some(Partition { shape: shape.aim(at)?, direction, mode, existing, tempo })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        self.shape.sides()
    }
}

impl<T> Nature for Partition<T> {
    fn turns(&self) -> Option<Turns> {
        match &self.tempo {
            Tempo::Flap(Flap { up, down, count: None, .. }) => Some(Turns::OfAll((*up + *down) / 2)),
            Tempo::Rolling { each } => Some(Turns::OfAll(*each)),
            Tempo::Steady | Tempo::Flap(_) | Tempo::Swizzle { .. } => None,
        }
    }

    fn wants_them(&self) -> Condition {
        Condition::Either
    }

    fn is_nothing(&self) -> bool {
        matches!(&self.mode, Mode::Slow(by) if by.is_zero())
    }

    /// Two that are drawn part different nodes, and what comes and goes, or only slows, adds up.
    fn grip(&self) -> Grip {
        let holds = match self.mode {
            Mode::Blackhole | Mode::Reject | Mode::Hold => self.tempo == Tempo::Steady,
            Mode::Slow(_) => false,
        };
        if holds && !self.shape.is_drawn() { Grip::Apart } else { Grip::Loose }
    }

    fn standing(&self) -> Standing {
        self.shape.standing()
    }

    fn needs(&self) -> usize {
        self.shape.needs()
    }
}

impl Partition {
    /// `partition: zone:b | rest, blackhole`.
    pub fn words(&self, names: &dyn Names) -> String {
        let mode = match &self.mode {
            Mode::Blackhole => "blackhole".to_owned(),
            Mode::Reject => "reject".to_owned(),
            Mode::Hold => "hold".to_owned(),
            Mode::Slow(by) => format!("slow by {} at the median", by.median()),
        };
        let existing = match self.existing {
            Existing::Cut => "",
            Existing::Keep => ", existing connections kept",
        };
        let direction = if self.shape.is_directed() { "" } else { self.direction.words() };
        format!("partition: {}{direction}, {mode}{existing}{}", self.shape.words(names), self.tempo.words())
    }

    /// Cuts the ways between each two of these sets of nodes, or slows them.
    fn close(&self, hand: &mut Hand<'_>, pairs: &[(NodeSet, NodeSet)]) {
        let ways = pairs.iter().flat_map(|(a, b)| self.direction.of(a, b));
        for (number, (from, to)) in (0..).zip(ways.filter(|(from, to)| !from.is_empty() && !to.is_empty())) {
            let (id, classes) = (hand.id(), self.shape.traffic());
            let cut = |feel| {
                let flows = match self.existing {
                    Existing::Cut => Flows::All,
                    Existing::Keep => Flows::New,
                };
                Cut { id, from: from.clone(), to: to.clone(), feel, classes, flows }
            };
            match &self.mode {
                Mode::Blackhole => hand.cut(cut(Feel::Silent)),
                Mode::Reject => hand.cut(cut(Feel::Refused)),
                Mode::Hold => hand.cut(cut(Feel::Held)),
                Mode::Slow(by) => {
                    let harm = Harm::Delay { extra: by.clone(), correlation: Ratio::ZERO };
                    let salt = hand.luck(LINK, number).draw();
                    hand.impair(Impairment { id, salt, from, to, classes, harm });
                }
            }
        }
    }

    /// Opens all ways again.
    fn open(hand: &mut Hand<'_>) {
        hand.mend();
        hand.repair();
    }

    fn struck(&self, hand: &Hand<'_>, pairs: &[(NodeSet, NodeSet)]) -> Struck {
        let mut sides: Vec<NodeSet> = Vec::new();
        for side in pairs.iter().flat_map(|(a, b)| [a, b]) {
            if !sides.contains(side) {
                sides.push(side.clone());
            }
        }
        let sides = hand.named(sides.iter().map(NodeSet::iter));
        match self.mode {
            Mode::Blackhole | Mode::Reject | Mode::Hold => {
                let network = hand.scene().network();
                let islands =
                    if network.partings() <= MOST_PARTINGS { network.islands() } else { Vec::new() };
                Struck::Parted { sides, islands: hand.named(islands) }
            }
            Mode::Slow(_) => Struck::Ways { sides },
        }
    }
}

impl Strike for Partition {
    fn begin(&self, hand: &mut Hand<'_>) {
        let pairs = hand.finding(|finder| self.tempo.pairs(&self.shape, finder));
        hand.keep_ways(pairs);
        self.start(hand);
        let told = match &self.tempo {
            Tempo::Rolling { .. } => hand.ways().iter().take(1).cloned().collect(),
            Tempo::Steady | Tempo::Flap(_) | Tempo::Swizzle { .. } => hand.ways().to_vec(),
        };
        let struck = self.struck(hand, &told);
        hand.strikes(struck);
    }

    fn step(&self, hand: &mut Hand<'_>, step: Step) {
        self.go_on(hand, step);
    }
}
