//! Progress: one line on stderr, if that is a terminal and the run is long enough for anyone to wonder.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// The line, and when it was last written.
pub(crate) struct Progress {
    begun: Instant,
    told: Option<Instant>,
    wanted: bool,
    /// What has been done of so many percent.
    what: &'static str,
}

/// Nobody wonders before that.
const PATIENCE: Duration = Duration::from_millis(800);
/// How often the line changes.
const EVERY: Duration = Duration::from_millis(200);

impl Progress {
    pub(crate) fn begin(what: &'static str) -> Progress {
        Progress { begun: Instant::now(), told: None, wanted: io::stderr().is_terminal(), what }
    }

    /// So much is done, from 0 to 1.
    pub(crate) fn tell(&mut self, done: f64) {
        let spent = self.begun.elapsed();
        let due = self.told.is_none_or(|told| told.elapsed() >= EVERY);
        if self.wanted && spent >= PATIENCE && due {
            self.told = Some(Instant::now());
            let left = spent.as_secs_f64() * (1.0 - done) / done;
            let what = self.what;
            self.write(&format!("\r{:3.0}% {what}, about {left:.0} s to go\x1b[K", done * 100.0));
        }
    }

    /// The line in other words, made only if it is written.
    pub(crate) fn say(&mut self, words: impl FnOnce() -> String) {
        let due = self.told.is_none_or(|told| told.elapsed() >= EVERY);
        if self.wanted && self.begun.elapsed() >= PATIENCE && due {
            self.told = Some(Instant::now());
            self.write(&format!("\r{}\x1b[K", words()));
        }
    }

    /// The line goes, if it was ever there.
    pub(crate) fn end(self) {
        if self.told.is_some() {
            self.write("\r\x1b[K");
        }
    }

    fn write(&self, text: &str) {
        let mut err = io::stderr().lock();
        err.write_all(text.as_bytes()).and_then(|()| err.flush()).ok();
    }
}
