//! Cases: a scenario kept for a failure, with what its run came to, so that any other run of it can be held against that.

use std::fmt::Write as _;

use schism_core::{DigestValue, Seed, Time};
use schism_models::nemesis::settled;

use crate::render::{self, line, text};
use crate::{Document, Scenario};

/// The format in which this version writes cases: `[case] format`. It changes when an older version could no longer read
/// what is recorded, or would take it for something else.
pub const CASE_FORMAT: u32 = 1;

/// What is recorded of a failure in `[case]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// In which format it was written.
    pub format: u32,
    /// The version of schism that wrote it.
    pub schism: String,
    /// The engine that ran it: `des`.
    pub engine: String,
    /// Of the whole run.
    pub digest: DigestValue,
    /// Of the scenario as it was meant then.
    pub scenario_digest: DigestValue,
    /// The expectation that failed.
    pub expectation: String,
    /// When, if at a moment.
    pub at: Option<Time>,
    /// Why, in a sentence.
    pub why: String,
    /// The same with numbers masked: what makes two failures the same.
    pub signature: String,
    /// What the digest was on the way, earliest first.
    pub marks: Vec<Mark>,
}

/// What the digest was after so many events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// How many.
    pub events: u64,
    /// The moment of the last of them.
    pub at: Time,
    /// The first 32 bits of the digest: eight hexadecimal digits.
    pub prefix: u32,
}

impl Mark {
    /// The part of a digest that a mark keeps.
    pub fn prefix_of(digest: DigestValue) -> u32 {
        u32::from_str_radix(&digest.to_string()[..8], 16).expect("a digest is hexadecimal digits")
    }

    fn parse(line: &str) -> Option<Mark> {
        let mut words = line.split_whitespace();
        let (events, at, prefix) = (words.next()?, words.next()?, words.next()?);
        let at = Time::START + crate::units::duration(at).ok()?;
        let prefix = u32::from_str_radix(prefix, 16).ok()?;
        let mark = Mark { events: events.parse().ok()?, at, prefix };
        words.next().is_none().then_some(mark)
    }
}

/// Marks as they are written: one to a line, as its number of events, its moment and the beginning of its digest.
pub(crate) fn marks(text: &str) -> Option<Vec<Mark>> {
    text.lines().filter(|line| !line.trim().is_empty()).map(Mark::parse).collect()
}

/// How wide the comments of a case are.
const WIDTH: usize = 100;

impl Case {
    /// The whole file: the story in comments, the scenario with the seed, and what is recorded of its run.
    pub fn file(&self, story: &[String], scenario: &Scenario) -> String {
        self.around(story, &scenario.to_toml())
    }

    /// The same around a scenario that is written already.
    pub fn around(&self, story: &[String], scenario: &str) -> String {
        let mut out = String::new();
        for paragraph in story {
            wrap(&mut out, paragraph);
        }
        out + "\n" + scenario.trim_end() + "\n\n" + &self.table()
    }

    /// `[case]`.
    fn table(&self) -> String {
        let mut out = "[case]\n".to_owned();
        line(&mut out, "format", &self.format.to_string());
        line(&mut out, "schism", &text(&self.schism));
        line(&mut out, "engine", &text(&self.engine));
        line(&mut out, "digest", &text(&self.digest.to_string()));
        line(&mut out, "scenario-digest", &text(&self.scenario_digest.to_string()));
        line(&mut out, "expectation", &text(&self.expectation));
        if let Some(at) = self.at {
            line(&mut out, "at", &render::time(at.since(Time::START)));
        }
        line(&mut out, "why", &text(&self.why));
        line(&mut out, "signature", &text(&self.signature));
        let marks: String =
            self.marks.iter().fold(String::new(), |mut marks, Mark { events, at, prefix }| {
                let _ = writeln!(marks, "{events} {at} {prefix:08x}");
                marks
            });
        out + "marks = '''\n" + &marks + "'''\n"
    }
}

/// A paragraph as comments, broken between words. An indented line is left as it is: it is a command or a table.
fn wrap(out: &mut String, paragraph: &str) {
    let mut row = "#".to_owned();
    let as_it_is = paragraph.starts_with(' ');
    for word in paragraph.split(' ') {
        if !as_it_is && row.len() > 1 && row.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{row}");
            row = "#".to_owned();
        }
        row = row + " " + word;
    }
    let _ = writeln!(out, "{}", row.trim_end());
}

impl Scenario {
    /// The scenario with one seed, and with all that the seed decides before the run written as it came out: moments
    /// instead of intervals, and names instead of draws. It is not known yet whether it would be refused.
    pub fn settled(&self, seed: Seed) -> Scenario {
        let mut scenario = Scenario { seed, ..self.clone() };
        scenario.faults = settled(&self.faults, self.zones(), seed);
        scenario.renew_digest();
        scenario
    }

    /// The digest of what the scenario means now that it was changed.
    pub fn renew_digest(&mut self) {
        self.digest = render::digest_of(&render::canonical(self));
    }

    /// The scenario that its own text means.
    ///
    /// # Errors
    ///
    /// What is wrong with it, if it was changed into something that nobody may write.
    pub fn reloaded(&self) -> Result<Scenario, crate::Diagnostics> {
        Document::of(self).load()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_three_words() {
        let mark = Mark { events: 4096, at: Time::from_nanos(1_500_000_000), prefix: 0xab };
        assert_eq!(marks("\n4096 1.5s 000000ab\n"), Some(vec![mark]));
        for wrong in ["4096 1.5s", "4096 1.5 ab", "x 1.5s ab", "4096 1.5s ab c", "4096 1.5s xyz"] {
            assert_eq!(marks(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn comments_are_broken_between_words() {
        let mut out = String::new();
        wrap(&mut out, &"word ".repeat(30));
        assert!(
            out.lines().count() == 2
                && out.lines().all(|line| line.len() <= WIDTH && line.starts_with("# word"))
        );
    }
}
