//! A program that looks a name up for each new connection: glibc's, Go's, Java's.

use schism_core::{Duration, Time};

use super::Verdict;

/// Such a program. While its connections last, it does not look up at all.
#[derive(Clone, Debug, Default)]
pub struct Program {
    started: Started,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Started {
    #[default]
    NotYet,
    Yes,
}

/// How long a program that has found nobody yet waits before it tries again: 1 s (ours).
const RETRY: Duration = Duration::from_secs(1);

impl Program {
    pub(super) fn on_outcome(&mut self, now: Time, verdict: Verdict) -> Option<Time> {
        match verdict {
            Verdict::Takes => {
                self.started = Started::Yes;
                None
            }
            Verdict::Empties | Verdict::Keeps => (self.started == Started::NotYet).then(|| now + RETRY),
        }
    }
}
