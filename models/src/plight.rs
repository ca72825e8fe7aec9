//! Plights: what ails a process from outside, for as long as some fault says so. It looks at it, and behaves so.

mod change;
mod gray;
mod strain;

use std::sync::Arc;

use schism_core::{Draw, Duration, FaultId, NodeId, NodeSet, Ratio, Time};

pub use crate::factor::Factor;
pub use change::{Answers, Pushed};
pub use gray::{Errors, Gray, Harm, Leak, LeakEnd};
pub use strain::{Rush, Strain};

use crate::failpoint::Failpoint;
use crate::registry::ail::Ail as RegistryAil;
use crate::registry::dns::ail::Wrong;

/// All that ails one process. It belongs to the machine, so it outlives crashes.
#[derive(Clone, Debug, Hash)]
pub struct Plight {
    /// Each ailment, in the order in which they came.
    pub ailments: Vec<Ailment>,
}

/// One thing that ails a process.
#[derive(Clone, Debug, Hash)]
pub struct Ailment {
    /// The fault of the plan that it comes from: what it touches is counted for that.
    pub by: FaultId,
    /// The ailment's own luck: nobody else draws from it, so that taking it away changes nothing else.
    pub luck: Draw,
    /// The true moment at which it came.
    pub since: Time,
    /// What it is.
    pub ail: Ail,
}

/// What may ail a process.
#[derive(Clone, Debug, Hash)]
pub enum Ail {
    /// Its work takes so many times as long.
    Slow {
        /// How many times.
        factor: Factor,
        /// Whether what checks its health notices.
        probes: Probes,
        /// Whose requests suffer; everybody's, if none.
        only: Option<Arc<NodeSet>>,
    },
    /// It has been told to end.
    Stopping(Deregister),
    /// An instance that boots while this lasts is slow at first.
    SlowStart {
        /// How many times as long a request takes at the moment of the boot.
        factor: Factor,
        /// How long it takes until the instance is as fast as ever.
        lasts: Duration,
    },
    /// It takes its lease for good, and does not look.
    Zombie,
    /// Its disk is bad.
    Disk(BadDisk),
    /// It is up, and less than well.
    Gray(Gray),
    /// It has another configuration.
    Pushed(Pushed),
    /// Another process has its address, which was never meant to get its requests.
    Stranger(Answers),
    /// A member of the registry fares ill.
    Registry(RegistryAil),
    /// A DNS server goes wrong.
    Dns(Wrong),
    /// Something happens at a point that it passes.
    Failpoint(Failpoint),
    /// It asks for more than it would, or otherwise.
    Strain(Strain),
}

/// What probes say of a process that is not well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Probes {
    /// They pass: they do not see what real work suffers.
    Pass,
    /// They fail, and with them what keeps the lease alive.
    Fail,
}

/// Whether an instance that ends takes itself off the list first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deregister {
    /// It does.
    First,
    /// It does not: its key stays until the lease runs out.
    Never,
}

/// How a disk is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadDisk {
    /// No sync ends.
    Stalled,
    /// Syncs take so many times as long.
    Slow(Factor),
    /// No write succeeds.
    Full,
}

impl Plight {
    /// By how much longer than this an instance works on a client's request, if it booted at this moment, and the
    /// faults that have a part in it. What several add is the sum.
    pub fn delays(
        &self,
        takes: Duration,
        client: NodeId,
        booted: Time,
        now: Time,
    ) -> impl Iterator<Item = (FaultId, Duration)> {
        let delay = move |ailment: &Ailment| match &ailment.ail {
            Ail::Slow { factor, only, .. } => {
                let suffers = only.as_ref().is_none_or(|only| only.contains(client));
                if suffers { factor.extra(takes) } else { Duration::ZERO }
            }
            Ail::SlowStart { factor, lasts } if booted >= ailment.since => {
                fading(factor.extra(takes), now.since(booted), *lasts)
            }
            Ail::Gray(gray) => gray.delay(takes, now.since(booted.max(ailment.since))),
            Ail::SlowStart { .. }
            | Ail::Stopping(_)
            | Ail::Zombie
            | Ail::Disk(_)
            | Ail::Pushed(_)
            | Ail::Stranger(_)
            | Ail::Registry(_)
            | Ail::Dns(_)
            | Ail::Failpoint(_)
            | Ail::Strain(_) => Duration::ZERO,
        };
        let delays = self.ailments.iter().map(move |ailment| (ailment.by, delay(ailment)));
        delays.filter(|(_, delay)| *delay > Duration::ZERO)
    }

    /// Whether the process has been told to end, how, and by which fault.
    pub fn stopping(&self) -> Option<(FaultId, Deregister)> {
        self.find(|ail| if let Ail::Stopping(deregister) = ail { Some(*deregister) } else { None })
    }

    /// Whether the process takes its lease for good, by which fault.
    pub fn zombie(&self) -> Option<FaultId> {
        self.find(|ail| matches!(ail, Ail::Zombie).then_some(())).map(|(by, ())| by)
    }

    /// All that is bad about the disk, and by which fault.
    pub fn disk(&self) -> impl Iterator<Item = (FaultId, BadDisk)> {
        let bad = |ail: &Ail| if let Ail::Disk(bad) = ail { Some(*bad) } else { None };
        self.each(bad).map(|(ailment, bad)| (ailment.by, bad))
    }

    /// How the instance is less than well, each with the ailment that it is of.
    pub fn gray(&self) -> impl Iterator<Item = (&Ailment, &Gray)> {
        self.each(|ail| if let Ail::Gray(gray) = ail { Some(gray) } else { None })
    }

    /// How requests fail, each way with the ailment that it is of.
    pub fn errors(&self) -> impl Iterator<Item = (&Ailment, &Errors)> {
        self.gray().filter_map(|(ailment, gray)| match gray {
            Gray::Errors(errors) => Some((ailment, errors)),
            Gray::Capacity(_) | Gray::Leak(_) | Gray::Stolen(_) => None,
        })
    }

    /// What leaks, each with the ailment that it is of.
    pub fn leaks(&self) -> impl Iterator<Item = (&Ailment, Leak)> {
        self.gray().filter_map(|(ailment, gray)| match gray {
            Gray::Leak(leak) => Some((ailment, *leak)),
            Gray::Capacity(_) | Gray::Errors(_) | Gray::Stolen(_) => None,
        })
    }

    /// The shares of its capacity that are left to the instance, and by which faults: they multiply.
    pub fn capacities(&self) -> impl Iterator<Item = (FaultId, Ratio)> {
        self.gray().filter_map(|(ailment, gray)| match gray {
            Gray::Capacity(share) => Some((ailment.by, *share)),
            Gray::Errors(_) | Gray::Leak(_) | Gray::Stolen(_) => None,
        })
    }

    /// By how much longer than this an instance works that has no slots to lose, and the faults that have a part in it.
    pub fn starvation(&self, takes: Duration) -> impl Iterator<Item = (FaultId, Duration)> {
        self.capacities().map(move |(by, share)| (by, gray::starved(takes, share)))
    }

    /// The fault for which what checks the process's health says that it is not well, if it says so.
    pub fn failing_probe(&self) -> Option<FaultId> {
        let fails = |ail: &Ail| match ail {
            Ail::Slow { probes, .. } | Ail::Gray(Gray::Errors(Errors { probes, .. })) => {
                *probes == Probes::Fail
            }
            Ail::Gray(Gray::Capacity(_) | Gray::Leak(_) | Gray::Stolen(_))
            | Ail::Stopping(_)
            | Ail::SlowStart { .. }
            | Ail::Zombie
            | Ail::Disk(_)
            | Ail::Pushed(_)
            | Ail::Stranger(_)
            | Ail::Registry(_)
            | Ail::Dns(_)
            | Ail::Failpoint(_)
            | Ail::Strain(_) => false,
        };
        self.find(|ail| fails(ail).then_some(())).map(|(by, ())| by)
    }

    /// What was pushed, in the order of the plan; the last of a kind is in force.
    pub fn pushed(&self) -> impl DoubleEndedIterator<Item = (FaultId, Pushed)> {
        let pushed = |ail: &Ail| if let Ail::Pushed(pushed) = ail { Some(*pushed) } else { None };
        self.each(pushed).map(|(ailment, pushed)| (ailment.by, pushed))
    }

    /// What another process answers at this address, if there is one, and by which fault.
    pub fn stranger(&self) -> Option<(FaultId, Answers)> {
        self.find(|ail| if let Ail::Stranger(answers) = ail { Some(*answers) } else { None })
    }

    /// All that is wrong with a registry's member.
    pub fn registry(&self) -> impl Iterator<Item = (&Ailment, &RegistryAil)> {
        self.each(|ail| if let Ail::Registry(ail) = ail { Some(ail) } else { None })
    }

    /// All that is wrong with a DNS server.
    pub fn dns(&self) -> impl Iterator<Item = (&Ailment, &Wrong)> {
        self.each(|ail| if let Ail::Dns(wrong) = ail { Some(wrong) } else { None })
    }

    /// What happens at points that are passed.
    pub fn failpoints(&self) -> impl Iterator<Item = (&Ailment, Failpoint)> {
        self.each(|ail| if let Ail::Failpoint(failpoint) = ail { Some(*failpoint) } else { None })
    }

    /// What strains the process, in the order in which it came.
    pub fn strains(&self) -> impl Iterator<Item = (&Ailment, Strain)> {
        self.each(|ail| if let Ail::Strain(strain) = ail { Some(*strain) } else { None })
    }

    /// The ailments of one kind, in the order in which they came: what `wanted` finds in each.
    fn each<'p, T: 'p>(
        &'p self,
        wanted: impl Fn(&'p Ail) -> Option<T> + 'p,
    ) -> impl DoubleEndedIterator<Item = (&'p Ailment, T)> {
        self.ailments.iter().filter_map(move |ailment| Some((ailment, wanted(&ailment.ail)?)))
    }

    /// The first of one kind.
    fn find<'p, T: 'p>(&'p self, wanted: impl Fn(&'p Ail) -> Option<T> + 'p) -> Option<(FaultId, T)> {
        self.each(wanted).next().map(|(ailment, found)| (ailment.by, found))
    }
}

/// What is left of a delay that is there at first, and fades to nothing over `lasts`, when so much of that has passed.
fn fading(delay: Duration, passed: Duration, lasts: Duration) -> Duration {
    delay.part(lasts.saturating_sub(passed).as_nanos(), lasts.as_nanos().max(1))
}
