//! The course of a partition: what it does when it begins, and at each of its own reminders.

use schism_core::{Duration, NodeId, NodeSet};

use super::Partition;
use super::tempo::{Flap, Tempo, nodes, of_these};
use crate::nemesis::hand::{Hand, Step};

/// What the reminders of a swizzle are about.
const CUTS: u32 = 0;
const HEALS: u32 = 1;

impl Partition {
    /// The ways have been found: the first are closed.
    pub(super) fn start(&self, hand: &mut Hand<'_>) {
        match &self.tempo {
            Tempo::Steady => self.close_all(hand),
            Tempo::Flap(flap) => self.flap(hand, flap, 0),
            Tempo::Rolling { each } => self.roll(hand, *each, 0),
            Tempo::Swizzle { over } => self.swizzle(hand, *over),
        }
    }

    /// A reminder is due.
    pub(super) fn go_on(&self, hand: &mut Hand<'_>, step: Step) {
        match &self.tempo {
            Tempo::Steady => unreachable!("what is steady sets no reminders"),
            Tempo::Flap(flap) => self.flap(hand, flap, step.turn),
            Tempo::Rolling { each } => self.roll(hand, *each, step.turn),
            Tempo::Swizzle { .. } if step.turn == CUTS => self.cut_off(hand, step.victim),
            Tempo::Swizzle { .. } => self.let_back(hand, step.victim),
        }
    }

    fn close_all(&self, hand: &mut Hand<'_>) {
        let pairs = hand.ways().to_vec();
        self.close(hand, &pairs);
    }

    /// It comes at even turns, and goes at odd ones.
    fn flap(&self, hand: &mut Hand<'_>, flap: &Flap, turn: u32) {
        let comes = turn.is_multiple_of(2);
        if comes {
            self.close_all(hand);
        } else {
            Self::open(hand);
        }
        if comes || flap.goes_on(turn / 2 + 1) {
            let time = if comes { flap.down } else { flap.up };
            let lasts = flap.lasts(time, &mut hand.luck("flap", turn));
            hand.remind(lasts, Step { victim: 0, turn: turn + 1 });
        }
    }

    fn roll(&self, hand: &mut Hand<'_>, each: Duration, turn: u32) {
        let turns = hand.ways().len();
        if turns == 0 {
            return;
        }
        let pair = hand.ways()[turn as usize % turns].clone();
        Self::open(hand);
        self.close(hand, &[pair]);
        hand.remind(each, Step { victim: 0, turn: turn + 1 });
    }

    /// Sets a reminder for each node to be cut off, evenly over the time from now, and for each to be let back, over as
    /// long a time before the end. The last comes back with the end itself.
    fn swizzle(&self, hand: &mut Hand<'_>, over: Duration) {
        let all = nodes(hand.ways());
        // Who is not there yet is on the side where it may come, and nobody to be cut off.
        let order = hand.named([all]).concat();
        hand.narrow(order);
        let count = hand.victims().len() as u32;
        let lasts = hand.lasts();
        let over = lasts.map_or(over, |lasts| over.min(lasts / 2));
        let after = |number: u32| over / u64::from(count) * u64::from(number);
        for number in 1..count {
            hand.remind(after(number), Step { victim: number, turn: CUTS });
            if let Some(lasts) = lasts {
                let at = lasts.saturating_sub(over) + after(number);
                hand.remind(at, Step { victim: number, turn: HEALS });
            }
        }
        if count > 0 {
            self.cut_off(hand, 0);
        }
    }

    fn cut_off(&self, hand: &mut Hand<'_>, number: u32) {
        let order = order(hand, "cuts");
        let (before, next) = (&order[..number as usize], order[number as usize]);
        // What is cut off already is left out: of two delays on one way both would count.
        let before: NodeSet = before.iter().copied().collect();
        let pairs: Vec<_> =
            hand.ways().iter().map(|(a, b)| (a.without(&before), b.without(&before))).collect();
        let pairs = of_these(&pairs, &[next].into_iter().collect());
        self.close(hand, &pairs);
    }

    /// The first so many nodes are back: what is left is closed anew.
    fn let_back(&self, hand: &mut Hand<'_>, number: u32) {
        let left: NodeSet = order(hand, "heals").split_off(number as usize).into_iter().collect();
        let pairs = of_these(hand.ways(), &left);
        Self::open(hand);
        self.close(hand, &pairs);
    }
}

/// The nodes in the order in which they are cut off, or let back.
fn order(hand: &Hand<'_>, purpose: &'static str) -> Vec<NodeId> {
    let mut nodes = hand.victims().to_vec();
    hand.luck(purpose, 0).shuffle(&mut nodes);
    nodes
}
