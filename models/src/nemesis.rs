//! The nemesis: what goes wrong, when, and to whom. The catalog of faults; each kind is one file and one line here.

mod aim;
mod crash;
mod ears;
mod find;
mod hand;
mod partition;
mod pause;
mod registry;
mod strike;

pub use aim::{Aim, Base, Names, Select, Target, Wants};
pub use crash::Crash;
pub use ears::Ears;
pub use partition::{Direction, Mode, Partition, Shape};
pub use pause::Pause;
pub use registry::{Registry, Trouble};
pub use strike::{Audience, Nemesis, Struck};

use hand::{Hand, Healing, Step, Strike};
use schism_core::{Duration, Luck, NodeId, Seed, Time};

/// What holds of a kind of fault, whomever it strikes.
pub trait Nature {
    /// Whether it lasts.
    fn lasting(&self) -> Lasting {
        Lasting::Span
    }

    /// What kind of process it acts on.
    fn wants(&self) -> Wants {
        Wants::Anyone
    }

    /// Whether its intensity is zero: then it is left out, and nothing in the run tells that it was there.
    fn is_nothing(&self) -> bool {
        false
    }
}

/// Whether a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// From its start to its end.
    Span,
    /// It happens at one moment, and there is nothing to heal.
    Moment,
}

/// The catalog: makes the enum of all faults from it, and hands each question to the kind that knows the answer.
macro_rules! catalog {
    ($($kind:ident = $name:literal, $about:literal;)*) => {
        /// What goes wrong. `T` is a target: as meant here, as written in a scenario file.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Fault<T = Target> {
            $(#[doc = $about] $kind($kind<T>),)*
        }

        impl Fault {
            /// The names a scenario may write, in the order in which `schism list` shows them.
            pub const CATALOG: &[(&str, &str)] = &[$(($name, $about),)*];

            /// The fault in words, for a report or a plan.
            pub fn words(&self, names: &dyn Names) -> String {
                match self { $(Fault::$kind(fault) => fault.words(names),)* }
            }
        }

        impl<T> Fault<T> {
            /// Its name in the catalog.
            pub fn name(&self) -> &'static str {
                match self { $(Fault::$kind(_) => $name,)* }
            }

            /// The same fault, aimed otherwise; `None` where a target means nothing.
            pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Fault<U>> {
                Some(match self { $(Fault::$kind(fault) => Fault::$kind(fault.aim(at)?),)* })
            }

            /// Whom it is aimed at, side by side.
            pub fn sides(&self) -> Vec<&[T]> {
                match self { $(Fault::$kind(fault) => fault.sides(),)* }
            }
        }

        impl<T> Nature for Fault<T> {
            fn lasting(&self) -> Lasting {
                match self { $(Fault::$kind(fault) => fault.lasting(),)* }
            }

            fn wants(&self) -> Wants {
                match self { $(Fault::$kind(fault) => fault.wants(),)* }
            }

            fn is_nothing(&self) -> bool {
                match self { $(Fault::$kind(fault) => fault.is_nothing(),)* }
            }
        }

        impl Strike for Fault {
            fn begin(&self, hand: &mut Hand<'_>) {
                match self { $(Fault::$kind(fault) => fault.begin(hand),)* }
            }

            fn step(&self, hand: &mut Hand<'_>, step: Step) {
                match self { $(Fault::$kind(fault) => fault.step(hand, step),)* }
            }

            fn heal(&self, hand: &mut Hand<'_>) -> Healing {
                match self { $(Fault::$kind(fault) => fault.heal(hand),)* }
            }

            fn on_exit(&self, hand: &mut Hand<'_>, node: NodeId) {
                match self { $(Fault::$kind(fault) => fault.on_exit(hand, node),)* }
            }
        }
    };
}

catalog! {
    Partition = "partition", "some nodes cannot reach others";
    Crash = "crash", "processes die: all that is not on disk is lost, and peers see a reset";
    Pause = "pause", "processes stand still and keep their state (SIGSTOP)";
    Registry = "registry", "the registry fares ill: its leader changes, its leases end, its watches stall, its lists are wrong";
}

/// One fault of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The name that expectations, phases and the report use.
    pub id: String,
    /// When it begins.
    pub start: Start,
    /// When it is healed.
    pub end: End,
    /// What it is.
    pub fault: Fault,
    /// Whether a run in which it touched nothing is vacuous.
    pub on_miss: OnMiss,
}

/// What it means if a fault touched nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMiss {
    /// The run says nothing: it is vacuous.
    Vacuous,
    /// Fine: `may-miss = true`.
    Fine,
}

/// When a fault begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At this moment.
    At(Time),
    /// At a moment drawn uniformly between these two, from the fault's own luck.
    Between(Time, Time),
    /// When something happens for the first time, and then a while.
    When(Trigger, Wait),
}

/// What a fault can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// Another fault of the plan begins.
    Begins(usize),
    /// Another fault of the plan has healed.
    Heals(usize),
    /// Another member leads than before.
    LeaderChanges,
    /// A lease has expired.
    LeaseExpires,
    /// A metric has crossed a line: which, by its number in the scenario.
    Crosses(usize),
}

/// How long to wait: a time drawn uniformly between these two, from the fault's own luck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// At least.
    pub least: Duration,
    /// At most.
    pub most: Duration,
}

/// When a fault is healed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// This long after it began.
    After(Duration),
    /// At this moment.
    At(Time),
    /// Not in this run.
    Never,
}

impl Planned {
    /// When it begins with this seed, if that is known before the run.
    pub fn starts(&self, seed: Seed) -> Option<Time> {
        match self.start {
            Start::At(at) => Some(at),
            Start::Between(from, to) => Some(from + self.between(seed, Duration::ZERO, to.since(from))),
            Start::When(..) => None,
        }
    }

    /// How long it waits once it has heard what it waits for.
    fn wait(&self, seed: Seed, Wait { least, most }: Wait) -> Duration {
        self.between(seed, least, most)
    }

    fn between(&self, seed: Seed, least: Duration, most: Duration) -> Duration {
        let share = self.luck(seed, "start", 0).draw().unit();
        least + Duration::from_secs_f64(most.saturating_sub(least).as_secs_f64() * share)
    }

    /// When it heals, had it begun at a moment.
    fn heals(&self, began: Time) -> Option<Time> {
        match (self.fault.lasting(), self.end) {
            (Lasting::Moment, _) => Some(began),
            (Lasting::Span, End::After(lasts)) => Some(began + lasts),
            (Lasting::Span, End::At(at)) => Some(at.max(began)),
            (Lasting::Span, End::Never) => None,
        }
    }

    /// The fault's own luck: nobody else draws from it, so that taking the fault away changes nothing else.
    fn luck(&self, seed: Seed, purpose: &'static str, turn: u32) -> Luck {
        seed.luck(&format!("fault {}", self.id), purpose, turn)
    }
}

/// When a fault begins and when it is healed, as far as that is known before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    /// When it begins.
    pub from: Option<Time>,
    /// When it is healed; of a fault whose beginning is known, never if `None`.
    pub to: Option<Time>,
}

/// The span of each fault of a plan with this seed. One that waits for another follows from that one's.
pub fn spans(plan: &[Planned], seed: Seed) -> Vec<Span> {
    let mut spans = vec![Span::default(); plan.len()];
    // The faults that wait for each, so that every fault is looked at once.
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); plan.len()];
    let mut ready: Vec<(usize, Time)> = Vec::new();
    for (fault, planned) in plan.iter().enumerate() {
        ready.extend(planned.starts(seed).map(|at| (fault, at)));
        if let Start::When(Trigger::Begins(other) | Trigger::Heals(other), _) = planned.start {
            followers[other].push(fault);
        }
    }
    while let Some((fault, from)) = ready.pop() {
        let to = plan[fault].heals(from);
        spans[fault] = Span { from: Some(from), to };
        for &follower in &followers[fault] {
            let Start::When(trigger, wait) = plan[follower].start else { continue };
            let heard = if trigger == Trigger::Heals(fault) { to } else { Some(from) };
            ready.extend(heard.map(|at| (follower, at + plan[follower].wait(seed, wait))));
        }
    }
    spans
}
