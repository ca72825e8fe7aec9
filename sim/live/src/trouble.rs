//! Trouble: why there is no report.

use std::fmt;
use std::time::Duration;

/// Why there is no report.
#[derive(Clone, PartialEq, Eq)]
pub enum Trouble {
    /// This build has no madsim.
    Missing,
    /// The scenario asks for what madsim cannot do, or for what would have no effect on users' code: what, and what to do.
    Unfit(String),
    /// Two runs with the same seed differed.
    Diverged {
        /// What each of the two did, as digests of all that the processes were told, and of all that was drawn.
        digests: [String; 2],
    },
    /// A process whose code is the user's has panicked, or has ended with an error.
    Panicked {
        /// Which.
        part: String,
        /// How long after the start of the run.
        at: Duration,
        /// What it said, and where in the source.
        message: String,
    },
    /// A run has taken longer than it may, by the machine's own clock: some code goes on for ever at one moment.
    Stuck {
        /// How long it may take.
        patience: Duration,
    },
}

/// The remedy for [`Trouble::Missing`].
pub const REMEDY: &str =
    "build it in its repository, whose .cargo/config.toml sets that, or with RUSTFLAGS=\"--cfg madsim\"";

impl Trouble {
    /// A word for what it is, as a hunt calls it beside the names of expectations.
    pub fn word(&self) -> &'static str {
        match self {
            Trouble::Missing => "no-madsim",
            Trouble::Unfit(_) => "unfit",
            Trouble::Diverged { .. } => "diverged",
            Trouble::Panicked { .. } => "panicked",
            Trouble::Stuck { .. } => "stuck",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Missing => f.write_str(
                "this build has no madsim: it was built without `--cfg madsim`, which `.cargo/config.toml` or RUSTFLAGS \
                 sets",
            ),
            Trouble::Unfit(why) => f.write_str(why),
            Trouble::Diverged { digests: [one, other] } => write!(
                f,
                "two runs on madsim with the same seed differed (the first: {one}; the second: {other}): something \
                 outlives a run, such as a static, a thread-local or an address of memory, or draws luck that is not \
                 the seed's"
            ),
            Trouble::Panicked { part, at, message } => write!(f, "{part} panicked at {at:?}: {message}"),
            Trouble::Stuck { patience } => write!(
                f,
                "the run was not over after {patience:?} of real time: some code goes on without ever waiting, or \
                 stops its thread; `Live::patience` allows for more"
            ),
        }
    }
}

/// The same as is displayed: a test that ends with an error shows this.
impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Trouble {}
