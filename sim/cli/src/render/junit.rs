//! JUnit's XML, as Jenkins, GitLab and most others read it: a suite for each file, a case for each outcome.
//!
//! After the schema of Jenkins' xUnit plugin (`junit-10.xsd`). There are no times in it: the same outcomes are the same
//! bytes. What is vacuous is a failure, since nothing has been shown; what was refused is an error.

use std::fmt::Write;

use super::outcomes::{Mark, Outcome};

pub(super) fn report(outcomes: &[Outcome]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites name=\"schism\"{}>", counts(outcomes));
    for suite in outcomes.chunk_by(|one, other| one.file == other.file) {
        let _ = writeln!(out, "  <testsuite name=\"{}\"{}>", escape(&suite[0].file), counts(suite));
        suite.iter().for_each(|outcome| case(&mut out, outcome));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// What becomes of a case in the words of JUnit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Passed,
    Failure,
    Error,
    Skipped,
}

impl Element {
    fn of(mark: Mark) -> Element {
        match mark {
            Mark::Holds | Mark::Warned => Element::Passed,
            Mark::Fails | Mark::Vacuous | Mark::Differs => Element::Failure,
            Mark::Refused => Element::Error,
            Mark::Undecided => Element::Skipped,
        }
    }
}

fn counts(outcomes: &[Outcome]) -> String {
    let count =
        |element: Element| outcomes.iter().filter(|outcome| Element::of(outcome.mark) == element).count();
    let [failures, errors, skipped] = [Element::Failure, Element::Error, Element::Skipped].map(count);
    format!(" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"", outcomes.len())
}

fn case(out: &mut String, Outcome { name, file, place, mark, message }: &Outcome) {
    let (name, file) = (escape(name), escape(file));
    let line = place.map_or(String::new(), |(line, _)| format!(" line=\"{line}\""));
    let _ = write!(out, "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\"{line}");
    let text = escape(message);
    let first = escape(message.lines().next().unwrap_or_default());
    let word = mark.word();
    let _ = match Element::of(*mark) {
        Element::Passed if message.is_empty() => writeln!(out, "/>"),
        Element::Passed => writeln!(out, ">\n      <system-out>{text}</system-out>\n    </testcase>"),
        Element::Skipped => writeln!(out, ">\n      <skipped message=\"{first}\"/>\n    </testcase>"),
        element @ (Element::Failure | Element::Error) => {
            let tag = if element == Element::Failure { "failure" } else { "error" };
            writeln!(
                out,
                ">\n      <{tag} type=\"{word}\" message=\"{first}\">{text}</{tag}>\n    </testcase>"
            )
        }
    };
}

/// A text as it may stand in an element and in an attribute. What XML 1.0 has no way to say (section 2.2: control
/// characters other than tab and line breaks) becomes a replacement character.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::outcomes::{Form, outcomes};

    fn outcome(file: &str, name: &str, mark: Mark, message: &str) -> Outcome {
        Outcome {
            name: name.to_owned(),
            file: file.to_owned(),
            place: Some((7, Some(3))),
            mark,
            message: message.to_owned(),
        }
    }

    #[test]
    fn each_file_is_a_suite_and_each_outcome_a_case() {
        let all = [
            outcome("a.toml", "one", Mark::Holds, ""),
            outcome("a.toml", "two <2>", Mark::Fails, "web-0 said \"no\" & left\nreplay it"),
            outcome("b.toml", "three", Mark::Vacuous, "nothing expired"),
            outcome("c.toml", "all of it", Mark::Refused, "c.toml:1:1: no TOML\u{1b}[0m"),
        ];
        insta::assert_snapshot!(outcomes(Form::Junit, &all), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="schism" tests="4" failures="2" errors="1" skipped="0">
          <testsuite name="a.toml" tests="2" failures="1" errors="0" skipped="0">
            <testcase name="one" classname="a.toml" file="a.toml" line="7"/>
            <testcase name="two &lt;2&gt;" classname="a.toml" file="a.toml" line="7">
              <failure type="fails" message="web-0 said &quot;no&quot; &amp; left">web-0 said &quot;no&quot; &amp; left
        replay it</failure>
            </testcase>
          </testsuite>
          <testsuite name="b.toml" tests="1" failures="1" errors="0" skipped="0">
            <testcase name="three" classname="b.toml" file="b.toml" line="7">
              <failure type="vacuous" message="nothing expired">nothing expired</failure>
            </testcase>
          </testsuite>
          <testsuite name="c.toml" tests="1" failures="0" errors="1" skipped="0">
            <testcase name="all of it" classname="c.toml" file="c.toml" line="7">
              <error type="refused" message="c.toml:1:1: no TOML�[0m">c.toml:1:1: no TOML�[0m</error>
            </testcase>
          </testsuite>
        </testsuites>
        "#);
    }
}
