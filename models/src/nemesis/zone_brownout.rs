//! A zone limps.

use schism_core::{Classes, Distribution, Duration, Harm, Impairment, NodeId, NodeSet, Ratio};

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Strike};
use super::{Condition, Nature};
use crate::node::Node;
use crate::plight::{Ail, BadDisk, Factor, Probes};

/// A zone is not dark, but everything in it limps: instances work slower, the disks of registry members do, and all that
/// comes from its nodes or goes to them takes longer and may be lost.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneBrownout<T = Target> {
    /// The zone.
    pub zone: Vec<T>,
    /// How many times as long an instance's work takes there, and a sync.
    pub slow: Factor,
    /// How much longer a message takes to or from there. One within the zone takes that longer once.
    pub latency: Duration,
    /// The share of the messages to or from there that is lost.
    pub loss: Ratio,
}

impl<T> ZoneBrownout<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<ZoneBrownout<U>> {
        let ZoneBrownout { zone, slow, latency, loss } = self;
        Some(ZoneBrownout { zone: at(zone)?, slow, latency, loss })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.zone]
    }
}

impl<T> Nature for ZoneBrownout<T> {
    fn wants_them(&self) -> Condition {
        Condition::Either
    }

    fn is_nothing(&self) -> bool {
        self.slow.is_one() && self.latency == Duration::ZERO && self.loss.is_zero()
    }
}

impl ZoneBrownout {
    /// `brownout of zone:b, 5 times as slow, 20ms more, 1% lost`.
    pub fn words(&self, names: &dyn Names) -> String {
        let ZoneBrownout { zone, slow, latency, loss } = self;
        format!("brownout of {}, {slow} times as slow, {latency} more, {loss} lost", names.targets(zone))
    }

    fn slow(&self, hand: &mut Hand<'_>, node: NodeId) {
        if self.slow.is_one() {
            return;
        }
        match hand.actor(node) {
            Some(Node::Member(_)) => hand.ail(node, Ail::Disk(BadDisk::Slow(self.slow))),
            // Whoever is dead is nobody's instance now, and may be one again before the heal.
            Some(Node::Instance(_)) | None => {
                let ail = Ail::Slow { factor: self.slow, probes: Probes::Pass, only: None };
                hand.ail(node, ail);
            }
            Some(Node::Client(_) | Node::Aide(_)) => {}
        }
    }

    /// What the ways to and from the zone do to messages.
    fn harms(&self) -> Vec<Harm> {
        let extra =
            Distribution::constant(self.latency).expect("the language's limit on durations is shorter");
        let harms = [Harm::Delay { extra, correlation: Ratio::ZERO }, Harm::Lose { rate: self.loss }];
        harms.into_iter().filter(|harm| !harm.is_nothing()).collect()
    }
}

impl Strike for ZoneBrownout {
    fn begin(&self, hand: &mut Hand<'_>) {
        hand.find_victims(&self.zone);
        // Who comes there later finds it as the others do.
        let victims = hand.finding(|finder| finder.find_side(&self.zone));
        victims.iter().for_each(|node| self.slow(hand, node));
        let all: NodeSet = hand.finding(|finder| finder.all().collect());
        let others: NodeSet = all.iter().filter(|&node| !victims.contains(node)).collect();
        for (turn, harm) in (0..).zip(self.harms()) {
            let salt = hand.luck("messages", turn).draw();
            // To everybody, and from everybody else: nothing suffers twice.
            for (from, to) in [(&victims, &all), (&others, &victims)] {
                let (id, from, to) = (hand.id(), from.clone(), to.clone());
                hand.impair(Impairment { id, salt, from, to, classes: Classes::ALL, harm: harm.clone() });
            }
        }
    }
}
