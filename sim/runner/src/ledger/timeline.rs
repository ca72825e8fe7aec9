//! The timeline: requests by the second in which they were offered, and what became of them.

use schism_core::{Duration, Time};

use crate::report::Timeline;

/// Steps of the report's timeline at most.
const MOST_STEPS: u64 = 1_000;

/// Counts by step, the warm-up's too.
#[derive(Clone)]
pub(crate) struct Steps {
    step: Duration,
    /// The step in seconds.
    seconds: u64,
    offered: Vec<u64>,
    succeeded: Vec<u64>,
}

impl Steps {
    /// Steps of one second, or of as many whole seconds as keeps them few.
    pub(crate) fn new(length: Duration) -> Steps {
        let second = Duration::from_secs(1).as_nanos();
        let seconds = length.as_nanos().div_ceil(second).max(1);
        let seconds = seconds.div_ceil(MOST_STEPS);
        let step = Duration::from_secs(seconds);
        let steps = length.as_nanos().div_ceil(step.as_nanos()).max(1) as usize;
        Steps { step, seconds, offered: vec![0; steps], succeeded: vec![0; steps] }
    }

    #[inline]
    pub(crate) fn on_offered(&mut self, now: Time) {
        let step = self.of(now);
        self.offered[step] += 1;
    }

    #[inline]
    pub(crate) fn on_success(&mut self, offered: Time) {
        let step = self.of(offered);
        self.succeeded[step] += 1;
    }

    pub(crate) fn report(&self) -> Timeline {
        Timeline {
            step_s: self.step.as_secs_f64(),
            offered: self.offered.clone(),
            succeeded: self.succeeded.clone(),
        }
    }

    #[inline]
    fn of(&self, at: Time) -> usize {
        // By a constant first, which is a multiplication; most steps are one second.
        let second = at.as_nanos() / Duration::from_secs(1).as_nanos();
        let step = if self.step == Duration::from_secs(1) { second } else { second / self.seconds };
        (step as usize).min(self.offered.len() - 1)
    }
}
