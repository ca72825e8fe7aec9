//! Exit codes, and what stops a command: 0 holds, 1 an expectation failed, 2 a bad scenario or usage, 3 vacuous,
//! 4 a run that should be the same is not, 5 the budget ran out.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use schism_runner::report::Verdict;

use crate::console::Console;
use crate::render::style::{self, paint};

/// The scenario, a file or an option was refused.
pub(crate) const REFUSED: u8 = 2;

/// How a command ended that was not stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It did what it was asked; if that was a run, all that was expected held.
    Holds,
    /// An expectation failed.
    Fails,
    /// A scenario was looked at and found wanting; everything has been said about it.
    Refused,
    /// The run did not reach what the scenario is about.
    Vacuous,
    /// What should be the same run is another.
    Diverges,
    /// The budget ran out before there was an answer.
    Undecided,
}

impl Ending {
    fn code(self) -> u8 {
        match self {
            Ending::Holds => 0,
            Ending::Fails => 1,
            Ending::Refused => REFUSED,
            Ending::Vacuous => 3,
            Ending::Diverges => 4,
            Ending::Undecided => 5,
        }
    }
}

impl From<Verdict> for Ending {
    fn from(verdict: Verdict) -> Ending {
        match verdict {
            Verdict::Holds => Ending::Holds,
            Verdict::Fails => Ending::Fails,
            Verdict::Vacuous => Ending::Vacuous,
        }
    }
}

/// What stopped a command, in words for stderr. May hold colours; the console removes them where they do not belong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    text: String,
}

impl Trouble {
    /// One line that says what is wrong.
    pub(crate) fn new(message: impl AsRef<str>) -> Trouble {
        Trouble { text: format!("{} {}\n", paint(style::BAD, "error:"), message.as_ref()) }
    }

    /// Words that are already as they should be shown.
    pub(crate) fn as_shown(text: String) -> Trouble {
        Trouble { text }
    }

    /// Adds the remedy.
    pub(crate) fn help(mut self, remedy: impl AsRef<str>) -> Trouble {
        writeln!(self.text, " {} {}", paint(style::NAME, "help:"), remedy.as_ref())
            .expect("a string takes it");
        self
    }

    /// The words.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl From<io::Error> for Trouble {
    /// For what could not be written; what could not be read says which file it was.
    fn from(error: io::Error) -> Trouble {
        Trouble::new(format!("cannot write the output: {error}"))
    }
}

/// The exit code of what became of a command.
pub(crate) fn of(outcome: Result<Ending, Trouble>, console: &mut Console) -> ExitCode {
    let code = match outcome {
        Ok(ending) => ending.code(),
        Err(trouble) => {
            console.complain(trouble.text());
            REFUSED
        }
    };
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_has_the_exit_code_of_the_contract() {
        let code = |verdict: Verdict| Ending::from(verdict).code();
        assert_eq!([code(Verdict::Holds), code(Verdict::Fails), code(Verdict::Vacuous)], [0, 1, 3]);
        assert_eq!([Ending::Refused.code(), Ending::Diverges.code()], [2, 4]);
    }
}
