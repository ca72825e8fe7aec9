//! Runs scenarios and tells what happened: metrics, beliefs, recovery, verdicts.

pub mod report;
