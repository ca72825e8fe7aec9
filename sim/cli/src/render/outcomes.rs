//! Outcomes: what a command found, case by case, in the forms that continuous integration reads.
//!
//! One shape for all commands, so that each of them says only what its cases are.

use super::{github, junit};
use crate::exit::Ending;

/// One case and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// What it is called: an expectation, a group of failures, a seed.
    pub(crate) name: String,
    /// The file that it is of.
    pub(crate) file: String,
    /// The line and, if it is known, the column in the file, from 1.
    pub(crate) place: Option<(usize, Option<usize>)>,
    /// What became of it.
    pub(crate) mark: Mark,
    /// Why, and how to see it again. It may have several lines.
    pub(crate) message: String,
}

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It is as it should be.
    Holds,
    /// It is taken, but is perhaps not what was meant.
    Warned,
    /// An expectation failed.
    Fails,
    /// The run did not reach what it is about.
    Vacuous,
    /// The input was refused.
    Refused,
    /// One seed was not one run.
    Differs,
    /// It was given up before it was decided.
    Undecided,
}

impl From<Ending> for Mark {
    fn from(ending: Ending) -> Mark {
        match ending {
            Ending::Holds => Mark::Holds,
            Ending::Fails => Mark::Fails,
            Ending::Refused => Mark::Refused,
            Ending::Vacuous => Mark::Vacuous,
            Ending::Diverges => Mark::Differs,
            Ending::Undecided => Mark::Undecided,
        }
    }
}

impl Mark {
    /// Its name, in both forms.
    pub(super) fn word(self) -> &'static str {
        match self {
            Mark::Holds => "holds",
            Mark::Warned => "warning",
            Mark::Fails => "fails",
            Mark::Vacuous => "vacuous",
            Mark::Refused => "refused",
            Mark::Differs => "nondeterminism",
            Mark::Undecided => "undecided",
        }
    }
}

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// JUnit's XML.
    Junit,
    /// Workflow commands of GitHub Actions.
    Github,
}

/// All outcomes of a command, as text.
pub(crate) fn outcomes(form: Form, of: &[Outcome]) -> String {
    match form {
        Form::Junit => junit::report(of),
        Form::Github => github::annotations(of),
    }
}
