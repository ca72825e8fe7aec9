//! Processes that die again and again, and are started again ever later.

use schism_core::{Death, Distribution, Duration, NodeId};

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Step, Strike};
use super::{Condition, Nature, Turns};

/// Processes die, are started again after a back-off, run for a while and die again. Healing starts them for good.
#[derive(Clone, Debug, PartialEq)]
pub struct CrashLoop<T = Target> {
    /// Whose.
    pub targets: Vec<T>,
    /// How long each life lasts, drawn for each victim and life.
    pub up: Distribution,
    /// How long it takes until the next life begins.
    pub backoff: Backoff,
}

/// How long a supervisor waits before it starts a process that has died again.
///
/// Kubernetes waits 10 s, then twice as long each time, at most 5 min (pkg/kubelet/kubelet.go, `backOffPeriod` and
/// `MaxContainerBackOff`, v1.30). It forgets what was after a life of twice the cap, so of 10 min
/// (client-go, util/flowcontrol/backoff.go, `hasExpired`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub base: Duration,
    /// How many times as long each is as the one before.
    pub factor: u32,
    /// The longest.
    pub cap: Duration,
}

impl Backoff {
    /// How many waits are told apart. The language's longest cap is fewer doublings of its shortest base than that.
    const LEVELS: u32 = 64;

    /// The wait after so many deaths in a row before this one.
    fn wait(self, level: u32) -> Duration {
        let longer = |wait: Duration| {
            Duration::from_nanos(wait.as_nanos().saturating_mul(self.factor.into())).min(self.cap)
        };
        (0..level).fold(self.base.min(self.cap), |wait, _| longer(wait))
    }

    /// How many deaths in a row there have been after a life of this length.
    fn after_life(self, level: u32, ran: Duration) -> u32 {
        if ran > self.cap * 2 { 0 } else { (level + 1).min(Backoff::LEVELS) }
    }
}

/// What is to be done to a victim, after so many deaths in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Start(u32),
    Die(u32),
}

impl Turn {
    fn number(self) -> u32 {
        match self {
            Turn::Start(level) => 2 * level,
            Turn::Die(level) => 2 * level + 1,
        }
    }

    fn numbered(number: u32) -> Turn {
        if number.is_multiple_of(2) { Turn::Start(number / 2) } else { Turn::Die(number / 2) }
    }
}

impl<T> CrashLoop<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<CrashLoop<U>> {
        let CrashLoop { targets, up, backoff } = self;
        Some(CrashLoop { targets: at(targets)?, up, backoff })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for CrashLoop<T> {
    /// Half a turn ends in a start, and half in a death.
    fn turns(&self) -> Option<Turns> {
        Some(Turns::OfEach((self.up.median() + self.backoff.wait(Backoff::LEVELS)) / 2))
    }

    fn wants_them(&self) -> Condition {
        Condition::Alive
    }
}

impl CrashLoop {
    /// `crash loop of orders:one`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("crash loop of {}", names.targets(&self.targets))
    }

    fn die(&self, hand: &mut Hand<'_>, victim: u32, node: NodeId, level: u32) {
        hand.kill(node, Death::KILLED);
        hand.remind(self.backoff.wait(level), Step { victim, turn: Turn::Start(level).number() });
    }

    fn start(&self, hand: &mut Hand<'_>, victim: u32, node: NodeId, level: u32) {
        hand.revive(node);
        // A life is told from the others by the moment at which it begins.
        let luck = hand.luck_on(node, "lives").derive(hand.now().as_nanos());
        let ran = self.up.sample(luck);
        let level = self.backoff.after_life(level, ran);
        hand.remind(ran, Step { victim, turn: Turn::Die(level).number() });
    }
}

impl Strike for CrashLoop {
    fn begin(&self, hand: &mut Hand<'_>) {
        for (victim, node) in (0..).zip(hand.find_victims(&self.targets)) {
            self.die(hand, victim, node, 0);
        }
    }

    fn step(&self, hand: &mut Hand<'_>, Step { victim, turn }: Step) {
        let node = hand.victim(victim);
        match Turn::numbered(turn) {
            Turn::Start(level) => self.start(hand, victim, node, level),
            Turn::Die(level) => self.die(hand, victim, node, level),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBERNETES: Backoff =
        Backoff { base: Duration::from_secs(10), factor: 2, cap: Duration::from_secs(300) };

    #[test]
    fn a_back_off_doubles_up_to_its_cap() {
        let waits: Vec<u64> = (0..7).map(|level| KUBERNETES.wait(level).as_nanos() / 1_000_000_000).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn a_long_life_is_a_new_beginning() {
        let ten_minutes = Duration::from_secs(600);
        assert_eq!(KUBERNETES.after_life(3, ten_minutes), 4);
        assert_eq!(KUBERNETES.after_life(3, ten_minutes + Duration::from_nanos(1)), 0);
    }

    #[test]
    fn a_turn_is_known_by_its_number() {
        for turn in [Turn::Start(0), Turn::Die(0), Turn::Start(Backoff::LEVELS), Turn::Die(7)] {
            assert_eq!(Turn::numbered(turn.number()), turn);
        }
    }
}
