//! Metastable: the load is what it was and nothing is wrong any more, and yet fewer requests succeed than before.

use schism_core::{Duration, NodeId, Ratio, Time};

use super::{Cast, Moment, Mood, Oracle, Plan, Record, Role, Shown, Sighting, Told};
use crate::observation::{Observation, Outcome};
use crate::options::options;

options! {
    /// What counts as not having recovered.
    pub struct Config {
        share: Ratio = Ratio::new(9, 10), "share", Share, "Of the requests that succeeded each second before the first fault, this share must succeed again";
        lasts: Duration = Duration::from_secs(10), "for", Time, "For how long fewer succeed, after all faults have healed and while the load is normal";
        load: u64 = 110, "load", Percent(100, 1000), "The load is normal while no more are offered than this, of what was offered each second before the first fault";
    }
}

/// Counts what was offered and what succeeded each second, before the first fault and after the last heal.
#[derive(Clone)]
pub struct Metastable {
    config: Config,
    before: Counts,
    /// The second that is being counted, after all has healed.
    now: Option<(Time, Counts)>,
    /// Since when too few have succeeded under normal load.
    since: Option<Time>,
    /// The least share that succeeded in a second under normal load.
    worst: f64,
    /// By node: requests that did not succeed since then.
    failed: Vec<u32>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    offered: u64,
    succeeded: u64,
}

const SECOND: Duration = Duration::from_secs(1);

impl Oracle for Metastable {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Requests];
    const MOODS: &'static [Mood] = &[Mood::Sometimes, Mood::Never];

    fn new(config: &Config, cast: &Cast) -> Self {
        Metastable {
            config: config.clone(),
            before: Counts::default(),
            now: None,
            since: None,
            worst: 1.0,
            failed: vec![0; cast.nodes()],
        }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let Role::Client(_) = moment.record.cast.role(by) else { return None };
        let counts = if let Some((_, counts)) = &mut self.now {
            counts
        } else if moment.record.plan.is_before(moment.scene.now()) {
            &mut self.before
        } else {
            return None;
        };
        if let Observation::Offered = seen {
            counts.offered += 1;
        } else if let Observation::Done { outcome, .. } = seen {
            let succeeded = *outcome == Outcome::Success;
            counts.succeeded += u64::from(succeeded);
            self.failed[by.index()] += u32::from(!succeeded && self.now.is_some());
        }
        None
    }

    /// Counting begins anew whenever all has healed, and ends when something goes wrong again.
    fn on_plan(&mut self, now: Time, record: &Record) {
        self.since = None;
        self.failed.fill(0);
        self.now = (record.plan.over_since() == Some(now)).then(|| (now, Counts::default()));
    }

    fn due(&self) -> Option<Time> {
        self.now.map(|(began, _)| began + SECOND)
    }

    /// A second is over.
    fn on_due(&mut self, at: Time, record: &Record) -> Option<Sighting> {
        let (began, counts) = self.now.replace((at, Counts::default()))?;
        let time = before(&record.plan)?;
        let each = |count: u64| count as f64 * SECOND.as_nanos() as f64 / time.as_nanos() as f64;
        let (offered, succeeded) = (each(self.before.offered), each(self.before.succeeded));
        let load = counts.offered as f64 / offered;
        if !(load > 0.0 && load * 100.0 <= self.config.load as f64) || succeeded <= 0.0 {
            self.since = None;
            return None;
        }
        // Where less is offered, less can succeed.
        let share = counts.succeeded as f64 / (succeeded * load.min(1.0));
        self.worst = self.worst.min(share);
        let asked = self.config.share.numerator() as f64 / self.config.share.denominator() as f64;
        if share >= asked {
            self.since = None;
            self.failed.fill(0);
            return None;
        }
        let since = *self.since.get_or_insert(began);
        if at.since(since) < self.config.lasts {
            return None;
        }
        self.since = None;
        let long = self.config.lasts;
        let why = format!(
            "for {long} since {since} fewer than {}% of the requests succeeded that did before, though the load was normal and all faults had healed",
            (asked * 100.0).round()
        );
        Some(Sighting::of(why, self.worst_off()))
    }

    fn untested(&self, told: &Told<'_>) -> Option<String> {
        told.without_a_before()
    }

    fn instead(&self, told: &Told<'_>) -> String {
        match told.record.plan.over_since() {
            None => "the faults did not all heal".to_owned(),
            Some(_) => format!(
                "after the last heal, in the worst second {}% of what had succeeded before did under normal load, not for long enough",
                (self.worst * 100.0).round()
            ),
        }
    }
}

/// How many clients are named.
const MOST_NAMED: usize = 3;

impl Metastable {
    /// The clients most of whose requests have failed since.
    fn worst_off(&self) -> Vec<NodeId> {
        let mut failed: Vec<(u32, NodeId)> =
            self.failed.iter().zip(0..).map(|(count, node)| (*count, NodeId(node))).collect();
        failed.retain(|(count, _)| *count > 0);
        failed.sort_by_key(|(count, node)| (std::cmp::Reverse(*count), *node));
        failed.into_iter().take(MOST_NAMED).map(|(_, node)| node).collect()
    }
}

/// The time between the warm-up and the first fault, if there was any.
fn before(plan: &Plan) -> Option<Duration> {
    let first = plan.first?;
    (first > plan.warmup).then(|| first.since(plan.warmup))
}
