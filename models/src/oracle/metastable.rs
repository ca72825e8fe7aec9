//! Metastable: the load is what it was and nothing is wrong any more, and yet fewer requests succeed than before.
//!
//! Who asks at a rate of its own offers the same load whatever is answered: what it offers is looked at, and where it is less,
//! less can succeed. A closed loop asks again only when it has been answered, and what it offers falls with what succeeds, down
//! to nothing when nobody is answered at all: its load is that it is there, and as many must succeed as before.

use schism_core::{Duration, Fault, NodeId, Ratio, Time};

use super::{Cast, Moment, Mood, Need, Oracle, Plan, Record, Role, Shown, Sighting, Told};
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
    /// By node: requests in flight.
    in_flight: Vec<u32>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    /// By who asks at a rate of its own.
    offered: u64,
    /// Of those.
    succeeded: u64,
    /// Of closed loops.
    closed_succeeded: u64,
}

const SECOND: Duration = Duration::from_secs(1);

impl Oracle for Metastable {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Requests];
    const MOODS: &'static [Mood] = &[Mood::Sometimes, Mood::Never];
    const NEEDS: &'static [Need] = &[Need::Clients];

    fn new(config: &Config, cast: &Cast) -> Self {
        Metastable {
            config: config.clone(),
            before: Counts::default(),
            now: None,
            since: None,
            worst: 1.0,
            failed: vec![0; cast.nodes()],
            in_flight: vec![0; cast.nodes()],
        }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let Role::Client(_) = moment.record.cast.role(by) else { return None };
        let is_closed = moment.record.cast.is_closed_loop(by);
        let mut counts = Counts::default();
        if let Observation::Offered = seen {
            counts.offered = u64::from(!is_closed);
            self.in_flight[by.index()] += 1;
        } else if let Observation::Done { outcome, .. } = seen {
            let succeeded = *outcome == Outcome::Success;
            counts.succeeded = u64::from(succeeded && !is_closed);
            counts.closed_succeeded = u64::from(succeeded && is_closed);
            self.failed[by.index()] += u32::from(!succeeded && self.now.is_some());
            self.in_flight[by.index()] -= 1;
        }
        if let Some((_, now)) = &mut self.now {
            now.add(counts);
        } else if moment.record.plan.is_before(moment.scene.now()) {
            self.before.add(counts);
        }
        None
    }

    /// What a client has in flight ends with it.
    fn on_fault(&mut self, _: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        if let Fault::Crash(node, _) = fault {
            self.in_flight[node.index()] = 0;
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
        let Counts { offered, succeeded, closed_succeeded } = self.before;
        // Nobody asks at a rate of its own: only loops are there.
        let load = if offered == 0 { 0.0 } else { counts.offered as f64 / each(offered) };
        // Where less is offered, less can succeed; a loop that offers less does so because less succeeds.
        let expected = each(succeeded) * load.min(1.0) + each(closed_succeeded);
        if load * 100.0 > self.config.load as f64 || expected <= 0.0 {
            self.since = None;
            return None;
        }
        let share = (counts.succeeded + counts.closed_succeeded) as f64 / expected;
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

impl Counts {
    fn add(&mut self, more: Counts) {
        self.offered += more.offered;
        self.succeeded += more.succeeded;
        self.closed_succeeded += more.closed_succeeded;
    }
}

impl Metastable {
    /// The clients most of whose requests have failed since, or wait for an answer still.
    fn worst_off(&self) -> Vec<NodeId> {
        let each = self.failed.iter().zip(&self.in_flight).map(|(failed, open)| failed + open);
        let mut failed: Vec<(u32, NodeId)> = each.zip((0..).map(NodeId)).collect();
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
