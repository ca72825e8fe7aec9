//! Runs scenarios and tells what happened: metrics, beliefs, recovery, verdicts.

pub mod case;
pub mod coverage;
pub mod diff;
pub mod explain;
mod failure;
mod figures;
mod gauge;
pub mod hunt;
pub mod inspect;
mod judge;
pub mod ledger;
mod phases_text;
pub mod pick;
pub mod replay;
pub mod report;
pub mod shrink;
mod simulation;
pub mod standstill;
mod story;
pub mod trace;
pub mod verify;
mod words;

pub use failure::Failure;
pub use gauge::Gauged;
pub use inspect::Inspection;
pub use ledger::Ledger;
pub use phases_text::{phases_text, verdict_text};
pub use pick::pick;
pub use report::Report;
pub use simulation::{Simulation, Step, Variation, cast, run, run_all, run_of};
pub use story::{Detail, Teller, events_text, transitions_text};
pub use trace::Trace;
pub use words::Words;
