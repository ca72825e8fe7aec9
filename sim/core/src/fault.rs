//! Faults: the primitives that every failure is made of, each with the word that undoes it.

use std::fmt;
use std::hash::{Hash, Hasher};

use fixedbitset::FixedBitSet;

use crate::{Death, Distribution, Draw, Duration, NodeId, Ratio, Setting};

/// One thing that goes wrong, or is put right.
#[derive(Clone, Debug, Hash)]
pub enum Fault {
    /// The process dies: all but its disk is lost. How it dies says what its peers notice, and what the disk loses.
    Crash(NodeId, Death),
    /// A dead process begins its next life, or one that is not yet born its first. Its host is up, too.
    Restart(NodeId),
    /// The process stands still: it keeps its state and loses time. Its peers notice nothing.
    Pause(NodeId),
    /// A paused process goes on, with all that reached its host meanwhile.
    Resume(NodeId),
    /// Messages from one set of nodes to another are stopped, those in flight too.
    Cut(Cut),
    /// Every cut of this fault is undone, and what they held goes on; others stay.
    Mend(FaultId),
    /// The ways from one set of nodes to another get worse.
    Impair(Impairment),
    /// Every impairment of this fault is undone; others stay.
    Repair(FaultId),
    /// Every connection between a node of the one set and a node of the other is torn down now: what is on its way is
    /// lost, and both ends see a reset at once.
    Sever {
        /// Which fault it is of.
        id: FaultId,
        /// The connections between these ...
        from: NodeSet,
        /// ... and these.
        to: NodeSet,
    },
    /// The disk claims syncs and does not make them: what is written stays unsynced.
    FakeSyncs(NodeId),
    /// The disk makes syncs again; the next one makes all durable that was written meanwhile.
    MakeSyncs(NodeId),
    /// The node's clocks go on like this; [`Setting::TRUE`] undoes it.
    SetClock(NodeId, Setting),
    /// A host that has lost power is up again, whether or not its process is: what reaches it is answered.
    PowerOn(NodeId),
}

/// Which fault of a plan: what is undone together and counted together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FaultId(pub u32);

/// One direction that is cut.
#[derive(Clone, Debug, Hash)]
pub struct Cut {
    /// Which fault it is of; several cuts may share one.
    pub id: FaultId,
    /// Messages from these ...
    pub from: NodeSet,
    /// ... to these.
    pub to: NodeSet,
    /// What becomes of them.
    pub feel: Feel,
    /// Which kinds of traffic it stops.
    pub classes: Classes,
    /// On which connections.
    pub flows: Flows,
}

/// What becomes of a message that meets a cut, and what its sender notices. Of several cuts the first of these decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Feel {
    /// It is lost, and nobody notices.
    Silent,
    /// It is lost, and the sender gets a reset.
    Refused,
    /// The network keeps it until the cut is mended.
    Held,
}

/// On which connections a cut stops messages. A message of its own ([`Effect::Send`](crate::Effect::Send)) is one
/// exchange on a connection that has long been open.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Flows {
    /// On all.
    All,
    /// On those that were there when the cut began, such as when a firewall forgets what it was tracking. New
    /// connections work.
    Existing,
    /// On none that is open: only new connections cannot be opened, as when a security group changes and spares what is
    /// established.
    New,
}

/// A kind of traffic, less than 8; the domain names them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Class(pub u8);

/// A set of kinds of traffic.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Classes(u8);

impl Classes {
    /// All that there can be.
    pub const ALL: Classes = Classes(u8::MAX);
    /// None.
    pub const NONE: Classes = Classes(0);

    /// Whether a class is in it.
    ///
    /// # Panics
    /// If the class is not less than 8.
    pub const fn contains(self, class: Class) -> bool {
        self.0 & bit(class) != 0
    }

    /// The set with this class too.
    ///
    /// # Panics
    /// If the class is not less than 8.
    pub const fn with(self, class: Class) -> Classes {
        Classes(self.0 | bit(class))
    }

    /// Whether no class is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

const fn bit(class: Class) -> u8 {
    assert!(class.0 < 8, "classes are numbered below 8");
    1 << class.0
}

impl FromIterator<Class> for Classes {
    fn from_iter<I: IntoIterator<Item = Class>>(classes: I) -> Classes {
        classes.into_iter().fold(Classes::NONE, Classes::with)
    }
}

/// One direction that gets worse.
#[derive(Clone, Debug, Hash)]
pub struct Impairment {
    /// Which fault it is of; several impairments may share one.
    pub id: FaultId,
    /// The fault's own luck: what it does to a message derives from this and from the message's luck.
    pub salt: Draw,
    /// Messages from these ...
    pub from: NodeSet,
    /// ... to these.
    pub to: NodeSet,
    /// Which kinds of traffic suffer.
    pub classes: Classes,
    /// What they suffer.
    pub harm: Harm,
}

impl Impairment {
    /// Whether no message could ever tell that it is there.
    pub fn is_nothing(&self) -> bool {
        self.harm.is_nothing() || self.classes.is_empty() || self.from.is_empty() || self.to.is_empty()
    }
}

/// What a way does to the messages on it, after tc-netem(8). Several add up: delays add, and each loss is a chance of
/// its own.
#[derive(Clone, Debug, Hash)]
pub enum Harm {
    /// Every message takes longer.
    Delay {
        /// By how much.
        extra: Distribution,
        /// How much of one message's draw is that of the message before it. As in netem the two draws are mixed, so a
        /// correlation also narrows the distribution.
        correlation: Ratio,
    },
    /// A share of the messages is lost, each by its own luck.
    Lose {
        /// The share.
        rate: Ratio,
    },
    /// Messages are lost in bursts.
    Burst(GilbertElliott),
    /// A share of the messages of their own arrives twice. On a stream the receiver drops the second.
    Duplicate {
        /// The share.
        rate: Ratio,
    },
    /// A share of the messages is held back, so that later ones overtake. A stream restores its order.
    Reorder {
        /// The share.
        rate: Ratio,
        /// For how long.
        gap: Duration,
    },
    /// A share of the messages is damaged: a checksum finds it, and they are dropped.
    Corrupt {
        /// The share.
        rate: Ratio,
    },
    /// All messages share one link of this capacity: they wait for each other, and what finds its queue full is dropped.
    Throttle {
        /// The capacity, in bytes per second; not zero, and `u64::MAX` is no limit.
        bytes_per_second: u64,
        /// How many bytes may be in the queue, the message that is being sent and the new one included.
        buffer: u64,
    },
}

impl Harm {
    /// Whether no message could ever tell that it is there.
    pub fn is_nothing(&self) -> bool {
        match self {
            Harm::Delay { extra, .. } => extra.is_zero(),
            Harm::Lose { rate } | Harm::Duplicate { rate } | Harm::Corrupt { rate } => rate.is_zero(),
            Harm::Burst(chain) => chain.is_lossless(),
            Harm::Reorder { rate, gap } => rate.is_zero() || *gap == Duration::ZERO,
            Harm::Throttle { bytes_per_second, .. } => *bytes_per_second == u64::MAX,
        }
    }
}

impl Harm {
    /// The share of messages that comes through in the long run. A throttled link is not asked: what it drops depends on what
    /// is sent.
    pub fn passes(&self) -> f64 {
        match self {
            Harm::Lose { rate } | Harm::Corrupt { rate } => rate.complement().as_f64(),
            Harm::Burst(chain) => chain.passes(),
            Harm::Delay { .. } | Harm::Duplicate { .. } | Harm::Reorder { .. } | Harm::Throttle { .. } => 1.0,
        }
    }
}

/// A chain of two states that is asked once for each message: it is lost by the chance of the state, and then the state
/// may change (Gilbert, "Capacity of a burst-noise channel", BSTJ 39(5), 1960; Elliott, BSTJ 42(5), 1963). It begins
/// in the good state. In the long run it loses `(to_good * loss_good + to_bad * loss_bad) / (to_good + to_bad)`, and it
/// stays in the bad state for `1 / to_good` messages on average.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GilbertElliott {
    /// The chance to go from the good state to the bad.
    pub to_bad: Ratio,
    /// The chance to go from the bad state to the good.
    pub to_good: Ratio,
    /// The share of messages that is lost in the good state.
    pub loss_good: Ratio,
    /// The share of messages that is lost in the bad state.
    pub loss_bad: Ratio,
}

impl GilbertElliott {
    /// The share of messages that comes through in the long run.
    pub fn passes(&self) -> f64 {
        let (good, bad) = (self.loss_good.complement().as_f64(), self.loss_bad.complement().as_f64());
        if self.to_bad.is_zero() {
            return good;
        }
        let (to_bad, to_good) = (self.to_bad.as_f64(), self.to_good.as_f64());
        (to_good * good + to_bad * bad) / (to_good + to_bad)
    }

    /// Whether it never loses anything.
    pub const fn is_lossless(&self) -> bool {
        self.loss_good.is_zero() && (self.loss_bad.is_zero() || self.to_bad.is_zero())
    }
}

/// A set of nodes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct NodeSet(FixedBitSet);

impl NodeSet {
    /// Whether a node is in it.
    pub fn contains(&self, node: NodeId) -> bool {
        self.0.contains(node.index())
    }

    /// Adds a node.
    pub fn insert(&mut self, node: NodeId) {
        self.0.grow_and_insert(node.index());
    }

    /// The nodes that are in both.
    pub fn and(&self, other: &NodeSet) -> NodeSet {
        self.iter().filter(|&node| other.contains(node)).collect()
    }

    /// The nodes that are in it and not in the other.
    pub fn without(&self, other: &NodeSet) -> NodeSet {
        self.iter().filter(|&node| !other.contains(node)).collect()
    }

    /// The nodes in it, by number.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.0.ones().map(|index| NodeId(index as u32))
    }

    /// How many nodes are in it.
    pub fn len(&self) -> usize {
        self.0.count_ones(..)
    }

    /// Whether no node is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_clear()
    }
}

/// The nodes, by number. The bit set would show where in memory it is, which differs from run to run.
impl fmt::Debug for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// By its nodes, not by the bit set's own blocks: those are as wide as the processor's registers.
impl Hash for NodeSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len().hash(state);
        self.iter().for_each(|node| node.hash(state));
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> NodeSet {
        let mut set = NodeSet::default();
        nodes.into_iter().for_each(|node| set.insert(node));
        set
    }
}
