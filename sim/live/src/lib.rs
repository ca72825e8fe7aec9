//! The live wing: the same scenario on [madsim](https://docs.rs/madsim), an engine that is not ours.
//!
//! The models are machines that do no input or output, so another driver can obey what they ask for: here madsim's
//! network, time and processes do. The observations go to the same ledger, so the report is the same, and a verdict that
//! differs says that one of the two engines is wrong, or that the scenario rests on something that only one of them has.
//!
//! madsim simulates only what is built with `--cfg madsim`, which this repository's `.cargo/config.toml` sets for all of it.
//! Without it this package still builds, and [`run`] says what is missing.

#[cfg(madsim)]
mod engine;

use std::fmt;

use schism_core::Seed;
use schism_runner::Report;
use schism_runner::ledger::Listed;
use schism_scenario::Scenario;

/// What a report calls this engine.
pub const NAME: &str = "madsim";

/// How far a run on this engine can be repeated, as its report says.
pub const REPEATABILITY: &str =
    "per binary: a second run on a fresh thread of this process was the same, and another build may differ";

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This build has no madsim.
    Missing,
    /// Two runs with the same seed differed.
    Diverged {
        /// What each of the two did, as digests of all that the processes were told.
        digests: [String; 2],
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Missing => {
                f.write_str("this build of schism has no madsim: it was built without `--cfg madsim`")
            }
            Trouble::Diverged { digests: [one, other] } => write!(
                f,
                "two runs on madsim with the same seed differed: their digests are {one} and {other}"
            ),
        }
    }
}

impl std::error::Error for Trouble {}

/// The remedy for [`Trouble::Missing`].
pub const REMEDY: &str =
    "build it in its repository, whose .cargo/config.toml sets that, or with RUSTFLAGS=\"--cfg madsim\"";

/// Whether this build has madsim.
pub const fn is_here() -> bool {
    cfg!(madsim)
}

/// Runs a scenario on madsim, twice, each time on a fresh thread: madsim seeds what the standard library's hash maps draw
/// for a thread once.
///
/// The scenario must [fit](schism_scenario::fit_for_madsim) the engine.
///
/// # Errors
///
/// If this build has no madsim, or the two runs differ.
///
/// # Panics
///
/// If the scenario asks for what madsim cannot do.
#[cfg_attr(not(madsim), expect(unused_variables, reason = "nothing is run in this build"))]
pub fn run(scenario: &Scenario, seed: Seed, listed: Listed) -> Result<Report, Trouble> {
    #[cfg(madsim)]
    return engine::twice(scenario, seed, listed);
    #[cfg(not(madsim))]
    Err(Trouble::Missing)
}
