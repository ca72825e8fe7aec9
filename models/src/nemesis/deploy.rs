//! A new version of a service is rolled out.

use schism_core::{Death, Duration, NodeId, NodeSet, Ratio};

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Healing, Step, Strike};
use super::{Batch, Condition, End, Nature};
use crate::node::Node;
use crate::plight::{Ail, Deregister, Errors, Factor, Gray, Harm, Probes};

/// A new version of a service is rolled out. It is over when all instances are new, and what it has changed stays, until
/// a later deploy replaces them. With an end of its own it is rolled back then: what the new version brought is gone at
/// once.
///
/// The next batch waits until every instance of the one before is registered, for ever if need be: a rollout that is
/// stuck goes no further.
#[derive(Clone, Debug, PartialEq)]
pub struct Deploy<T = Target> {
    /// The service.
    pub targets: Vec<T>,
    /// In which order.
    pub strategy: Strategy,
    /// How many instances at a time.
    pub batch: Batch,
    /// How long a batch is looked at before the next.
    pub pause: Duration,
    /// How long an old instance drains, off the list, before it is killed.
    pub drain: Duration,
    /// How long it takes to start the new version in its place.
    pub restart_after: Duration,
    /// What the new version brings.
    pub brings: Brings,
    /// The new instances of a blue-green deploy: nodes that nothing else ever boots.
    pub spares: Vec<NodeId>,
}

/// In which order instances are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Batch by batch.
    Rolling,
    /// A few first, and when they have been looked at for long enough the rest, batch by batch.
    Canary {
        /// How many first.
        first: Batch,
        /// For how long they are looked at.
        bake: Duration,
    },
    /// As many new ones are started beside the old, which all end once the new are registered.
    BlueGreen,
}

/// How far a deploy has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Rollout {
    /// Who is being replaced.
    batch: Vec<NodeId>,
    /// Who is, or has been.
    replaced: NodeSet,
}

/// What a new version brings that was not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brings {
    /// How many times as long its work takes.
    pub slow: Factor,
    /// How many requests fail, after 1 ms.
    pub error_rate: Ratio,
}

impl Brings {
    /// `, brings 2 times as slow and 5% errors`; nothing of a version that is as good as the old.
    fn words(self) -> String {
        let slow = (!self.slow.is_one()).then(|| format!("{} times as slow", self.slow));
        let errors = (!self.error_rate.is_zero()).then(|| format!("{} errors", self.error_rate));
        let each: Vec<String> = slow.into_iter().chain(errors).collect();
        if each.is_empty() { String::new() } else { format!(", brings {}", each.join(" and ")) }
    }
}

/// How often it is looked whether a batch is registered: 100 ms, ours.
const LOOK: Duration = Duration::from_millis(100);

/// A request that a new version fails is answered after 1 ms: ours.
const ERROR_LATENCY: Duration = Duration::from_millis(1);

/// What is to be done to a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It is taken off the list, and drains.
    Stop,
    /// It is killed.
    Kill,
    /// The new version starts.
    Start,
    /// It is looked at whether it is registered.
    Look,
}

impl Turn {
    const ALL: [Turn; 4] = [Turn::Stop, Turn::Kill, Turn::Start, Turn::Look];

    fn of(self, batch: u32) -> Step {
        Step { victim: batch, turn: self as u32 }
    }
}

impl<T> Deploy<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Deploy<U>> {
        let Deploy { targets, strategy, batch, pause, drain, restart_after, brings, spares } = self;
        Some(Deploy { targets: at(targets)?, strategy, batch, pause, drain, restart_after, brings, spares })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Deploy<T> {
    /// New instances beside the old start whatever these do.
    fn wants_them(&self) -> Condition {
        match self.strategy {
            Strategy::Rolling | Strategy::Canary { .. } => Condition::Alive,
            Strategy::BlueGreen => Condition::Either,
        }
    }

    fn wants(&self) -> Wants {
        match self.strategy {
            Strategy::Rolling | Strategy::Canary { .. } => Wants::Instances,
            Strategy::BlueGreen => Wants::Service,
        }
    }

    fn ends_itself(&self) -> bool {
        true
    }

    fn recruits(&self, group: u32) -> u32 {
        match self.strategy {
            Strategy::Rolling | Strategy::Canary { .. } => 0,
            Strategy::BlueGreen => group,
        }
    }

    fn enlist(&mut self, spares: Vec<NodeId>) {
        self.spares = spares;
    }

    fn spares(&self) -> &[NodeId] {
        &self.spares
    }
}

impl Deploy {
    /// `rolling deploy of orders, 25% at a time, drain 5s, brings 5% errors`.
    pub fn words(&self, names: &dyn Names) -> String {
        let (targets, drain) = (names.targets(&self.targets), self.drain);
        let how = match self.strategy {
            Strategy::Rolling => {
                format!("rolling deploy of {targets}, {} at a time, drain {drain}", self.batch)
            }
            Strategy::Canary { first, .. } => {
                format!("canary deploy of {targets}, {first} first, {} at a time, drain {drain}", self.batch)
            }
            Strategy::BlueGreen => format!("blue-green deploy of {targets}, drain {drain}"),
        };
        how + &self.brings.words()
    }

    /// Who is to run the new version, of those who are there now: whom it found at first, and who has come since.
    fn old(&self, hand: &Hand<'_>) -> Vec<NodeId> {
        let steady: Vec<Target> = self.targets.iter().filter(|target| target.is_steady()).cloned().collect();
        let now = hand.finding(|finder| finder.find_all(&steady));
        let all: NodeSet = hand.victims().iter().copied().chain(now.iter()).collect();
        let is_old = |node: &NodeId| {
            let is_instance = match hand.actor(*node) {
                Some(Node::Instance(_)) | None => true,
                Some(Node::Member(_) | Node::Client(_) | Node::Aide(_)) => false,
            };
            is_instance && !hand.is_away(*node) && !hand.launched().contains(node)
        };
        all.iter().filter(is_old).collect()
    }

    /// Who is in the next batch: of a canary, the first batch is of its own size.
    fn next(&self, hand: &Hand<'_>, batch: u32) -> Vec<NodeId> {
        let mut all = self.old(hand);
        let size = match self.strategy {
            Strategy::Canary { first, .. } if batch == 0 => first.of(all.len()),
            Strategy::Rolling | Strategy::Canary { .. } => self.batch.of(all.len()),
            Strategy::BlueGreen => all.len(),
        };
        all.retain(|&node| !hand.rollout().replaced.contains(node));
        all.truncate(size);
        all
    }

    fn stop(&self, hand: &mut Hand<'_>, batch: u32) {
        let next = self.next(hand, batch);
        for &node in &next {
            hand.ail(node, Ail::Stopping(Deregister::First));
            match self.strategy {
                Strategy::Rolling | Strategy::Canary { .. } => hand.rollout_mut().replaced.insert(node),
                Strategy::BlueGreen => hand.send_away(node),
            }
        }
        hand.rollout_mut().batch = next;
        hand.remind(self.drain, Turn::Kill.of(batch));
    }

    fn kill(&self, hand: &mut Hand<'_>, batch: u32) {
        for node in hand.rollout().batch.clone() {
            hand.kill(node, Death::KILLED);
        }
        match self.strategy {
            Strategy::Rolling | Strategy::Canary { .. } => {
                hand.remind(self.restart_after, Turn::Start.of(batch));
            }
            Strategy::BlueGreen => self.end(hand),
        }
    }

    fn start(&self, hand: &mut Hand<'_>, batch: u32) {
        for node in hand.rollout().batch.clone() {
            hand.cure(node);
            hand.supersede(node);
            self.bring(hand, node);
            hand.revive(node);
        }
        hand.remind(LOOK, Turn::Look.of(batch));
    }

    /// The new version is what it is from its first moment on.
    fn bring(&self, hand: &mut Hand<'_>, node: NodeId) {
        let Brings { slow, error_rate } = self.brings;
        if !slow.is_one() {
            hand.ail(node, Ail::Slow { factor: slow, probes: Probes::Pass, only: None });
        }
        if !error_rate.is_zero() {
            let (latency, harm, probes) = (ERROR_LATENCY, Harm::ToRequest, Probes::Pass);
            let errors = Errors { rate: error_rate, latency, harm, probes, only: None };
            hand.ail(node, Ail::Gray(Gray::Errors(errors)));
        }
    }

    /// Whom another fault has taken meanwhile is not waited for.
    fn look(&self, hand: &mut Hand<'_>, batch: u32) {
        let fresh = match self.strategy {
            Strategy::Rolling | Strategy::Canary { .. } => &hand.rollout().batch,
            Strategy::BlueGreen => hand.launched(),
        };
        if !fresh.iter().all(|&node| hand.is_away(node) || is_registered(hand, node)) {
            return hand.remind(LOOK, Turn::Look.of(batch));
        }
        match self.strategy {
            Strategy::BlueGreen => hand.remind(self.pause, Turn::Stop.of(batch)),
            Strategy::Rolling | Strategy::Canary { .. } if self.next(hand, batch + 1).is_empty() => {
                self.end(hand);
            }
            Strategy::Canary { bake, .. } if batch == 0 => hand.remind(bake, Turn::Stop.of(1)),
            Strategy::Rolling | Strategy::Canary { .. } => hand.remind(self.pause, Turn::Stop.of(batch + 1)),
        }
    }

    /// All is new. Without an end of its own the deploy is over, and what it has changed stays.
    fn end(&self, hand: &mut Hand<'_>) {
        if hand.end() == End::Never {
            hand.abide();
            hand.finish();
        }
    }
}

fn is_registered(hand: &Hand<'_>, node: NodeId) -> bool {
    match hand.actor(node) {
        Some(Node::Instance(instance)) => instance.is_registered(),
        Some(Node::Member(_) | Node::Client(_) | Node::Aide(_)) | None => false,
    }
}

impl Strike for Deploy {
    fn begin(&self, hand: &mut Hand<'_>) {
        let old = hand.find_victims(&self.targets).len();
        match self.strategy {
            Strategy::Rolling | Strategy::Canary { .. } => self.stop(hand, 0),
            Strategy::BlueGreen => {
                for &node in self.spares.iter().take(old) {
                    self.bring(hand, node);
                    hand.launch(node, &self.targets);
                }
                hand.remind(LOOK, Turn::Look.of(0));
            }
        }
    }

    fn step(&self, hand: &mut Hand<'_>, Step { victim: batch, turn }: Step) {
        match Turn::ALL[turn as usize] {
            Turn::Stop => self.stop(hand, batch),
            Turn::Kill => self.kill(hand, batch),
            Turn::Start => self.start(hand, batch),
            Turn::Look => self.look(hand, batch),
        }
    }

    /// Old instances that still drain are killed, so that they start anew; the new ones beside them end.
    fn heal(&self, hand: &mut Hand<'_>) -> Healing {
        for node in hand.stopping() {
            hand.kill(node, Death::KILLED);
        }
        hand.retire_launched();
        Healing::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_version_brings_is_told_in_words() {
        let told = |slow, error_rate| Brings { slow, error_rate }.words();
        let twice = Factor::checked(2, 1).expect("a factor");
        assert_eq!(told(Factor::ONE, Ratio::ZERO), "");
        assert_eq!(told(twice, Ratio::ZERO), ", brings 2 times as slow");
        assert_eq!(told(twice, Ratio::new(1, 20)), ", brings 2 times as slow and 5% errors");
    }

    #[test]
    fn a_turn_is_known_by_its_number() {
        for turn in Turn::ALL {
            assert_eq!(Turn::ALL[turn.of(0).turn as usize], turn);
        }
    }
}
