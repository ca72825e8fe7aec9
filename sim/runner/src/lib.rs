//! Runs scenarios and tells what happened: metrics, beliefs, recovery, verdicts.

pub mod case;
mod failure;
mod figures;
mod gauge;
mod judge;
pub mod ledger;
mod phases_text;
pub mod pick;
pub mod replay;
pub mod report;
mod simulation;
pub mod trace;
mod words;

pub use failure::Failure;
pub use gauge::Gauged;
pub use ledger::Ledger;
pub use phases_text::phases_text;
pub use pick::pick;
pub use report::Report;
pub use simulation::{Simulation, run, run_all};
pub use trace::Trace;
pub use words::Words;
