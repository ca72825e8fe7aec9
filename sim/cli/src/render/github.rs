//! Annotations of GitHub Actions: one workflow command for each outcome that is not as it should be, one plain line for
//! each that is.
//!
//! As in the documentation of workflow commands, and with the escapes of the toolkit that writes them
//! (`actions/toolkit`, `packages/core/src/command.ts`).

use super::outcomes::{Mark, Outcome};
use super::words::clean;

pub(super) fn annotations(outcomes: &[Outcome]) -> String {
    outcomes.iter().map(line).collect()
}

fn line(Outcome { name, file, place, mark, message }: &Outcome) -> String {
    let level = match mark {
        Mark::Holds => return format!("ok  {}  {}\n", clean(file), clean(name)),
        Mark::Warned | Mark::Undecided => "warning",
        Mark::Fails | Mark::Vacuous | Mark::Refused | Mark::Differs => "error",
    };
    let line = place.map_or(String::new(), |(line, _)| format!(",line={line}"));
    let column =
        place.and_then(|(_, column)| column).map_or(String::new(), |column| format!(",col={column}"));
    let title = property(&format!("{name} ({})", mark.word()));
    format!("::{level} file={}{line}{column},title={title}::{}\n", property(file), data(message))
}

/// What follows the second pair of colons.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which a colon or a comma would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::outcomes::{Form, outcomes};

    #[test]
    fn what_would_end_a_command_is_escaped() {
        let outcome = |mark| Outcome {
            name: "few, but: stale".to_owned(),
            file: "a,b.toml".to_owned(),
            place: Some((12, Some(3))),
            mark,
            message: "99% of it\nis :: fine".to_owned(),
        };
        let all =
            [outcome(Mark::Fails), Outcome { place: None, ..outcome(Mark::Warned) }, outcome(Mark::Holds)];
        insta::assert_snapshot!(outcomes(Form::Github, &all), @r"
        ::error file=a%2Cb.toml,line=12,col=3,title=few%2C but%3A stale (fails)::99%25 of it%0Ais :: fine
        ::warning file=a%2Cb.toml,title=few%2C but%3A stale (warning)::99%25 of it%0Ais :: fine
        ok  a,b.toml  few, but: stale
        ");
    }
}
