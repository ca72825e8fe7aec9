//! The live wing: the same scenario on [madsim](https://docs.rs/madsim), an engine that is not ours, and users' own code in
//! it.
//!
//! The models are machines that do no input or output, so another driver can obey what they ask for: here madsim's
//! network, time and processes do. The observations go to the same ledger, so the report is the same, and a verdict that
//! differs says that one of the two engines is wrong, or that the scenario rests on something that only one of them has.
//!
//! Of that, [`run`] is all. What it also makes possible is [`Live`]: a scenario in which async functions of a user's own
//! take the place of clients, of instances or of the registry, and are struck by its faults and judged by its oracles.
//!
//! madsim simulates only what is built with `--cfg madsim`, which this repository's `.cargo/config.toml` sets for all of it.
//! Without it this package still builds, and whoever asks for a run is told what is missing.

#![cfg_attr(
    not(madsim),
    expect(dead_code, reason = "what runs users' code is the engine, which is not here")
)]

mod bridge;
#[cfg(madsim)]
mod engine;
mod fit;
mod guests;
mod hunt;
mod live;
mod part;
mod stage;
mod trouble;

use schism_core::Seed;
use schism_runner::Report;
use schism_runner::ledger::Listed;
use schism_scenario::Scenario;

pub use self::guests::Ending;
pub use self::hunt::{Catch, Hunt, SEED};
pub use self::live::{Live, Refused, Told};
pub use self::part::{
    Answered, Arrivals, Asked, Client, Endpoints, Failed, Instance, Member, Part, Peer, Request, Serving,
    Written,
};
pub use self::trouble::{REMEDY, Trouble};

/// What users say of their requests, and of what their registries remove; how much a [story](Live::story) tells.
pub use schism_models::observation::{Cause, Outcome};
pub use schism_runner::Detail;

/// What a report calls this engine.
pub const NAME: &str = "madsim";

/// How far a run on this engine can be repeated, as its report says.
pub const REPEATABILITY: &str =
    "per binary: a second run on a fresh thread of this process was the same, and another build may differ";

/// Whether this build has madsim.
pub const fn is_here() -> bool {
    cfg!(madsim)
}

/// Runs a scenario of models alone on madsim, twice, each time on a fresh thread: madsim seeds what the standard library's
/// hash maps draw for a thread once.
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
