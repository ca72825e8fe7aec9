//! `[case]`: what is recorded of a failure.

use std::str::FromStr;

use schism_core::{DigestValue, Duration, Time};

use crate::case::{self, Case};
use crate::diagnostics::Problem;
use crate::reader::Section;
use crate::source::At;

pub(super) fn read(section: &Section<'_>) -> Option<Case> {
    let (format, schism) = (section.must::<u32>("format"), section.must::<String>("schism"));
    let (digest, of_scenario) = (digest(section, "digest"), digest(section, "scenario-digest"));
    let expectation = section.must::<String>("expectation");
    let (why, signature) = (section.must::<String>("why"), section.must::<String>("signature"));
    let marks = section.value::<String>("marks");
    let Some(marks) = case::marks(&marks.value) else {
        let problem = Problem::error(marks.place, "`marks` has a line that is no mark");
        section.report.add(problem.help("a mark is a number of events, a time and eight digits of a digest"));
        return None;
    };
    Some(Case {
        format: format?.value,
        schism: schism?.value,
        engine: section.value::<String>("engine").value,
        digest: digest?,
        scenario_digest: of_scenario?,
        expectation: expectation?.value,
        at: section.maybe::<Duration>("at").map(|at| Time::START + at.value),
        why: why?.value,
        signature: signature?.value,
        marks,
    })
}

fn digest(section: &Section<'_>, name: &str) -> Option<DigestValue> {
    let At { value, place } = section.must::<String>(name)?;
    DigestValue::from_str(&value)
        .map_err(|_| {
            let problem = Problem::error(place, format!("`{name}` is no digest"));
            section.report.add(problem.help("a digest is 32 hexadecimal digits; make the case anew"));
        })
        .ok()
}
