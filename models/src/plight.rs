//! Plights: what ails a process from outside, for as long as some fault says so. It looks at it, and behaves so.

mod strain;

use schism_core::{Draw, FaultId, Time};

pub use crate::factor::Factor;
pub use strain::{Rush, Strain};

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
    /// It asks for more than it would, or otherwise.
    Strain(Strain),
}
