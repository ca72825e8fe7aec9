//! Herd cap: after a fault the registry serves not many times as many reads as before.

use schism_core::{Duration, NodeId, Time};

use super::{Cast, Moment, Mood, Need, Oracle, Shown, Sighting, Told};
use crate::observation::Observation;
use crate::options::options;
use crate::sliding::Sliding;

options! {
    /// How many are a herd.
    pub struct Config {
        times: f64 = 3.0, "times", Number(1.0, 1e6), "How many times the rate before the first fault the registry's reads may reach";
        over: Duration = Duration::from_secs(1), "over", Time, "Over how much time the reads are counted";
        floor: u64 = 10, "floor", Count(1, 1_000_000_000), "So many reads in that time are never a herd, however few there were before";
    }
}

/// Counts the reads before the first fault, and those of the time just past after it.
#[derive(Clone)]
pub struct HerdCap {
    config: Config,
    before: u64,
    recent: Sliding<u64, SLOTS>,
    /// By member: reads since the first fault.
    by: Vec<u64>,
    /// The most in that time, after the first fault.
    most: u64,
}

/// In how many parts the time just past is counted: the oldest goes when a new one begins.
const SLOTS: usize = 10;

impl Oracle for HerdCap {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Breaks];
    const NEEDS: &'static [Need] = &[Need::Members];

    fn new(config: &Config, cast: &Cast) -> Self {
        HerdCap {
            config: config.clone(),
            before: 0,
            recent: Sliding::new(config.over),
            by: vec![0; cast.members() as usize],
            most: 0,
        }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let Observation::Read = seen else { return None };
        let (now, plan) = (moment.scene.now(), &moment.record.plan);
        let Some(first) = plan.first else {
            self.before += u64::from(plan.is_before(now));
            return None;
        };
        if let Some(reads) = self.by.get_mut(by.index()) {
            *reads += 1;
        }
        *self.recent.now(now) += 1;
        let reads = self.recent.recent(now).sum();
        self.most = self.most.max(reads);
        let usual = self.usual(plan.warmup, first)?;
        if reads <= self.config.floor || reads as f64 <= self.config.times * usual {
            return None;
        }
        let busiest = (0..).zip(&self.by).max_by_key(|(node, reads)| (**reads, std::cmp::Reverse(*node)));
        let busiest = busiest.map_or(by, |(node, _)| NodeId(node));
        let why = format!(
            "the registry served {reads} reads within {}; before the first fault there were {usual:.1}",
            self.config.over
        );
        Some(Sighting::of(why, [busiest]))
    }

    fn untested(&self, told: &Told<'_>) -> Option<String> {
        told.without_a_before()
    }

    fn instead(&self, _: &Told<'_>) -> String {
        format!(
            "the registry served at most {} reads within {} after the first fault",
            self.most, self.config.over
        )
    }
}

impl HerdCap {
    /// How many reads there were in such a time before the first fault, on average; none if there was no time.
    fn usual(&self, warmup: Time, first: Time) -> Option<f64> {
        let time = (first > warmup).then(|| first.since(warmup))?;
        Some(self.before as f64 * (self.config.over.as_nanos() as f64 / time.as_nanos() as f64))
    }
}
