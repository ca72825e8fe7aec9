//! Failures: what did not hold, and which of them are the same.

use serde::{Deserialize, Serialize};

use crate::report::{Expectation, Verdict};

/// An expectation that did not hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The expectation's name.
    pub expectation: String,
    /// When it was decided, if at a moment, in seconds.
    pub at_s: Option<f64>,
    /// Why, in a sentence.
    pub why: String,
    /// The nodes that it is about and rests on, the most important first.
    pub on: Vec<String>,
    /// The sentence without its numbers.
    pub signature: String,
}

impl Failure {
    /// What failed, if it did.
    pub fn of(expectation: &Expectation) -> Option<Failure> {
        match expectation.verdict {
            Verdict::Holds | Verdict::Vacuous => None,
            Verdict::Fails => {
                let why = expectation.why.clone().unwrap_or_default();
                Some(Failure {
                    expectation: expectation.id.clone(),
                    at_s: expectation.at_s,
                    on: expectation.on.clone(),
                    signature: expectation.signature.clone().unwrap_or_else(|| signature(&why)),
                    why,
                })
            }
        }
    }

    /// Whether both are of one kind: the same expectation, broken in the same way, whoever it struck and when.
    pub fn is_like(&self, other: &Failure) -> bool {
        (&self.expectation, &self.signature) == (&other.expectation, &other.signature)
    }
}

/// A sentence without its numbers and their units: `web-3 sent a request to orders-12, which was dead` and the same of
/// `web-0` and `orders-7` are one.
pub(crate) fn signature(why: &str) -> String {
    let mut masked = String::with_capacity(why.len());
    let mut rest = why;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        masked.push_str(&rest[..start]);
        // `1m 3s` is one figure, as `63s` is.
        if masked.ends_with("# ") {
            masked.pop();
        } else {
            masked.push('#');
        }
        rest = after_figure(&rest[start..]);
    }
    masked + rest
}

/// What follows the figure that a text begins with, and its unit.
fn after_figure(text: &str) -> &str {
    let is_digit = |at: usize| text[at..].starts_with(|c: char| c.is_ascii_digit());
    let is_inside = |(at, c): (usize, char)| is_digit(at) || (matches!(c, '.' | ',') && is_digit(at + 1));
    let figure = text.char_indices().find(|&at| !is_inside(at)).map_or(text.len(), |(at, _)| at);
    text[figure..].trim_start_matches(|c: char| c.is_alphabetic() || c == '%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_and_figures_do_not_tell_failures_apart() {
        let of = |client: u32, instance: u32| {
            format!("web-{client} sent a request to orders-{instance}, which was dead")
        };
        assert_eq!(signature(&of(3, 12)), signature(&of(0, 7)));
        let masked = "success-rate was #; at least # is asked.";
        assert_eq!(signature("success-rate was 93.81%; at least 99% is asked."), masked);
        let late = |by: &str| signature(&format!("the views agreed {by} after the last heal"));
        assert_eq!(late("1m 3s"), late("800ms"));
        assert_ne!(signature("web-3 had no endpoint"), signature("batch-3 had no endpoint"));
    }
}
