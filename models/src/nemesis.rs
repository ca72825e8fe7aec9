//! The nemesis: what goes wrong, when, and to whom. The catalog of faults; each kind is one file and one line here.

mod aim;
mod bandwidth;
mod batch;
mod clock;
mod config_push;
mod connection;
mod corrupt;
mod crash;
mod crash_loop;
mod deploy;
mod disk;
mod dns;
mod duplicate;
mod ears;
mod error_rate;
mod failpoint;
mod find;
mod foresight;
mod gc;
mod hand;
mod ip_reuse;
mod latency;
mod leak;
mod limp_link;
mod load;
mod loss;
mod noisy_neighbour;
mod one_of;
mod partial_capacity;
mod partition;
mod pause;
mod plan;
mod registry;
mod reorder;
mod roster;
mod scale;
mod settle;
mod slow;
mod start_slow;
mod stop;
mod strike;
mod vm_stall;
mod ways;
mod zombie;
mod zone_brownout;
mod zone_outage;

pub use aim::{Aim, Base, Names, Select, Target, Wants};
pub use bandwidth::Bandwidth;
pub use batch::Batch;
pub use clock::{Clock, Of, Offset, Wrong};
pub use config_push::{ConfigPush, Configuration, Stages};
pub use connection::{Answer, Connection, Failure};
pub use corrupt::Corrupt;
pub use crash::Crash;
pub use crash_loop::{Backoff, CrashLoop};
pub use deploy::{Brings, Deploy, Strategy};
pub use disk::{Bad, Disk};
pub use dns::{Dns, Mischief};
pub use duplicate::Duplicate;
pub use ears::Ears;
pub use error_rate::ErrorRate;
pub use failpoint::Failpoint;
pub use foresight::Foresight;
pub use gc::Gc;
pub use ip_reuse::IpReuse;
pub use latency::Latency;
pub use leak::Leak;
pub use limp_link::LimpLink;
pub use load::{Herd, How, Load};
pub use loss::{Loss, Pattern};
pub use noisy_neighbour::NoisyNeighbour;
pub use one_of::OneOf;
pub use partial_capacity::PartialCapacity;
pub use partition::{Existing, Flap, LeaderOn, Mode, Partition, Plane, RestOn, Shape, Tempo};
pub use pause::Pause;
pub use plan::{Bounds, End, OnMiss, OnOverlap, Planned, Span, Start, Trigger, Wait, Within, bounds, spans};
pub use registry::{Registry, Trouble};
pub use reorder::Reorder;
pub use scale::{Scale, Way};
pub use settle::settled;
pub use slow::Slow;
pub use start_slow::{Restart, StartSlow};
pub use stop::Stop;
pub use strike::{Audience, Nemesis, Struck};
pub use vm_stall::VmStall;
pub use ways::{Direction, Ends, TRAFFIC, Ways};
pub use zombie::Zombie;
pub use zone_brownout::ZoneBrownout;
pub use zone_outage::{Recovery, ZoneOutage};

use hand::{Hand, Healing, Step, Strike};
use schism_core::{Death, Duration, NodeId};

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

    /// What kind of process it acts on that is named beside its targets.
    fn wants_beside(&self) -> Wants {
        self.wants()
    }

    /// Whether it is over by itself at some time, if the plan gives it no end.
    fn ends_itself(&self) -> bool {
        false
    }

    /// How often it does something again and again, for as long as it lasts; `None` where it does each thing so many times
    /// at most.
    fn turns(&self) -> Option<Turns> {
        None
    }

    /// By how much its heal outlasts its end, if its targets mean so many nodes.
    fn heal_takes(&self, nodes: usize) -> Duration {
        let _ = nodes;
        Duration::ZERO
    }

    /// How many nodes it needs that nothing else boots, for a service of so many instances.
    fn recruits(&self, group: u32) -> u32 {
        let _ = group;
        0
    }

    /// Gives it those nodes.
    fn enlist(&mut self, spares: Vec<NodeId>) {
        assert!(spares.is_empty(), "only a fault that recruits has spares");
    }

    /// The nodes that it was given.
    fn spares(&self) -> &[NodeId] {
        &[]
    }

    /// Whether a node may stand on several of its sides.
    fn standing(&self) -> Standing {
        Standing::OnOneSide
    }

    /// How many nodes its targets must mean together, so that it does anything.
    fn needs(&self) -> usize {
        0
    }

    /// How its targets must be, so that it does anything to them.
    fn wants_them(&self) -> Condition;

    /// What it holds all its targets in for as long as it lasts.
    fn grip(&self) -> Grip {
        Grip::Loose
    }

    /// For how long it goes on at most once its time is over; `None` if nobody can say before the run.
    fn lingers(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }

    /// Whether its intensity is zero: then it is left out, and nothing in the run tells that it was there.
    fn is_nothing(&self) -> bool {
        false
    }
}

/// How the targets of a fault must be, so that it does anything to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Their processes live and do not stand still.
    Running,
    /// Their processes live.
    Alive,
    /// Whether they live makes no difference: it acts on the ways between them, or on their clocks.
    Either,
}

impl<T> Fault<T> {
    /// Its name in the catalog, and after a dot which of its sorts it is, where some last and some happen at one moment.
    pub fn spelling(&self) -> String {
        if let Fault::Connection(Connection { failure: Failure::Reset, .. }) = self {
            format!("{}.reset", self.name())
        } else if let Fault::Registry(registry) = self {
            format!("{}.{}", self.name(), registry.trouble.name())
        } else {
            self.name().to_owned()
        }
    }
}

/// What a fault holds every one of its targets in, from its beginning to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grip {
    /// Nothing that would leave another fault nothing to do: what both do adds up.
    Loose,
    /// Isolation: the ways between them are cut, and cannot be cut again.
    Apart,
    /// A bad disk, which cannot be as bad again.
    Disk(Bad),
    /// A pause: the process stands still.
    Still,
    /// A stall: the process stands still, and so do its clocks.
    Stalled,
    /// Death, which has taken what such a death takes.
    Dead(Death),
}

impl Grip {
    /// Whether a fault with this grip of its own, that wants its targets so, finds nothing left to do on one that is held
    /// by the other.
    pub fn is_vain_within(self, other: Grip, wants: Condition) -> bool {
        match (other, self) {
            (Grip::Loose | Grip::Apart, _) => false,
            (Grip::Disk(_), _) => self == other,
            (Grip::Still, _) => wants == Condition::Running,
            (Grip::Stalled, _) => wants == Condition::Running || self == other,
            (Grip::Dead(taken), Grip::Dead(death)) => taken.takes_all_of(death),
            (Grip::Dead(_), Grip::Loose | Grip::Apart | Grip::Disk(_) | Grip::Still | Grip::Stalled) => {
                wants != Condition::Either
            }
        }
    }
}

/// How often a fault does something again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turns {
    /// Once in about this time to each of its targets, one by one.
    OfEach(Duration),
    /// Once in about this time to all of them.
    OfAll(Duration),
}

/// Whether a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// From its start to its end.
    Span,
    /// It happens at one moment, and there is nothing to heal.
    Moment,
}

/// Where a node may stand that a fault names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// On one side, so that nobody is parted from itself.
    OnOneSide,
    /// On several: the fault tells its sides apart pair by pair.
    Anywhere,
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

            /// What it may turn out to be: the alternatives of `one-of`, or itself alone.
            pub fn alternatives(&self) -> &[Fault<T>] {
                if let Fault::OneOf(one) = self { &one.of } else { std::slice::from_ref(self) }
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

            fn wants_beside(&self) -> Wants {
                match self { $(Fault::$kind(fault) => fault.wants_beside(),)* }
            }

            fn ends_itself(&self) -> bool {
                match self { $(Fault::$kind(fault) => fault.ends_itself(),)* }
            }

            fn turns(&self) -> Option<Turns> {
                match self { $(Fault::$kind(fault) => fault.turns(),)* }
            }

            fn heal_takes(&self, nodes: usize) -> Duration {
                match self { $(Fault::$kind(fault) => fault.heal_takes(nodes),)* }
            }

            fn recruits(&self, group: u32) -> u32 {
                match self { $(Fault::$kind(fault) => fault.recruits(group),)* }
            }

            fn enlist(&mut self, spares: Vec<NodeId>) {
                match self { $(Fault::$kind(fault) => fault.enlist(spares),)* }
            }

            fn spares(&self) -> &[NodeId] {
                match self { $(Fault::$kind(fault) => fault.spares(),)* }
            }

            fn standing(&self) -> Standing {
                match self { $(Fault::$kind(fault) => fault.standing(),)* }
            }

            fn needs(&self) -> usize {
                match self { $(Fault::$kind(fault) => fault.needs(),)* }
            }

            fn wants_them(&self) -> Condition {
                match self { $(Fault::$kind(fault) => fault.wants_them(),)* }
            }

            fn lingers(&self) -> Option<Duration> {
                match self { $(Fault::$kind(fault) => fault.lingers(),)* }
            }

            fn grip(&self) -> Grip {
                match self { $(Fault::$kind(fault) => fault.grip(),)* }
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
    Latency = "latency", "messages take longer";
    Loss = "loss", "messages are lost, each by its own luck or in bursts";
    Duplicate = "duplicate", "messages arrive twice";
    Reorder = "reorder", "messages overtake each other";
    Corrupt = "corrupt", "messages are damaged, which a checksum finds";
    Bandwidth = "bandwidth", "links have little room, and a finite buffer";
    LimpLink = "limp-link", "network cards still work, far too slowly";
    Connection = "connection", "connections are reset, half-open, or not to be had";
    Crash = "crash", "processes die: all that is not on disk is lost";
    CrashLoop = "crash-loop", "processes die again and again, and are started again ever later";
    Stop = "stop", "processes are told to end: they leave the list, drain, and end";
    StartSlow = "start-slow", "processes that have just started are slow for a while";
    Zombie = "zombie", "processes stand still, and come back in the belief that they still hold their lease";
    Pause = "pause", "processes stand still and keep their state (SIGSTOP)";
    Registry = "registry", "the registry fares ill: its leader changes, its leases end, its watches stall, its lists are wrong";
    Dns = "dns", "DNS servers answer from the past, or not at all, or wrongly";
    Gc = "gc", "processes stand still for short times, again and again";
    VmStall = "vm-stall", "machines stand still, and their clocks with them";
    Clock = "clock", "clocks go wrong";
    Disk = "disk", "disks of registry members go bad";
    ZoneOutage = "zone-outage", "a zone loses power";
    ZoneBrownout = "zone-brownout", "a zone limps: all in it is slower and loses more";
    Slow = "slow", "instances work more slowly";
    PartialCapacity = "partial-capacity", "instances serve fewer requests at once";
    ErrorRate = "error-rate", "instances answer some requests with errors, quickly";
    Leak = "leak", "instances get slower the longer they run";
    NoisyNeighbour = "noisy-neighbour", "instances lose a share of their processor in bursts";
    Deploy = "deploy", "a new version of a service is rolled out";
    ConfigPush = "config-push", "another configuration is pushed to processes";
    Scale = "scale", "a service gets more instances, or fewer";
    IpReuse = "ip-reuse", "instances die, and others get their addresses";
    Failpoint = "failpoint", "at a named point of the models things fail, come late, or end the process";
    Load = "load", "clients ask for more, or otherwise, than they would";
    OneOf = "one-of", "one of several faults, chosen by the seed";
}
