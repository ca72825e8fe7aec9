//! Balanced: no instance of a service gets many times as many requests as the mean of those that can be called.

use schism_core::{Duration, Fault, NodeId, Scene, Status, Time};

use super::{Cast, Moment, Mood, Need, Oracle, Record, Role, Shown, Sighting, Standing, Told};
use crate::observation::Observation;
use crate::options::options;

options! {
    /// What is still in balance.
    pub struct Config {
        at_most: f64 = 2.0, "at-most", Number(1.0, 1e6), "How many times the mean the busiest instance may get";
        over: Duration = Duration::from_secs(10), "over", Time, "Over how much time requests are counted";
        floor: u64 = 20, "floor", Count(1, 1_000_000_000), "With fewer requests than this to an instance on average the time says nothing, for they may be chance, unless one has more than at-most times as many as this";
    }
}

/// Counts the attempts to each instance, in one stretch of time after another, after the warm-up. Only those count that
/// were there and could be called all the time.
#[derive(Clone)]
pub struct Balanced {
    config: Config,
    /// When the stretch of now began; none before the first attempt after the warm-up.
    began: Option<Time>,
    /// By node: attempts sent to it in this stretch.
    attempts: Vec<u32>,
    /// By node: whether it was up and offered from the beginning of this stretch until now.
    steady: Vec<bool>,
    /// The same of a stretch that would begin now.
    usable: Vec<bool>,
    /// What was found of the last stretch that said something: since when it was as it should be, or why it was not.
    state: Result<Time, Sighting>,
    /// Stretches that said something.
    stretches: u64,
    worst: f64,
}

impl Oracle for Balanced {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Attempts, Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Eventually, Mood::Breaks];
    const NEEDS: &'static [Need] = &[Need::Callers];

    fn new(config: &Config, cast: &Cast) -> Self {
        let usable: Vec<bool> =
            (0..cast.nodes() as u32).map(|node| cast.is_listed_at_first(NodeId(node))).collect();
        Balanced {
            config: config.clone(),
            began: None,
            attempts: vec![0; cast.nodes()],
            steady: usable.clone(),
            usable,
            state: Ok(Time::START),
            stretches: 0,
            worst: 0.0,
        }
    }

    fn observe(&mut self, moment: &Moment<'_>, _: NodeId, seen: &Observation) -> Option<Sighting> {
        if let Observation::Attempt { to, .. } = seen {
            if self.began.is_some() {
                self.attempts[to.index()] += 1;
            } else if moment.scene.now() >= moment.record.plan.warmup {
                self.begin(moment.scene.now());
                self.attempts[to.index()] += 1;
            }
            return None;
        }
        for write in moment.record.register.fresh() {
            if let Some(node) = write.instance() {
                self.look_at(moment.scene, moment.record, node);
            }
        }
        None
    }

    fn on_fault(&mut self, moment: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        if let Fault::Crash(node, _) | Fault::Restart(node) | Fault::Pause(node) | Fault::Resume(node) = fault
            && let Role::Instance(..) = moment.record.cast.role(*node)
        {
            self.look_at(moment.scene, moment.record, *node);
        }
        None
    }

    fn due(&self) -> Option<Time> {
        self.began.map(|began| began + self.config.over)
    }

    /// A stretch is over.
    fn on_due(&mut self, at: Time, record: &Record) -> Option<Sighting> {
        let found = (0..record.cast.services().len()).filter_map(|service| self.judge(record, service));
        let worst = found.max_by(|(a, _), (b, _)| a.total_cmp(b));
        self.begin(at);
        let (factor, busiest) = worst?;
        self.stretches += 1;
        self.worst = self.worst.max(factor);
        if factor <= self.config.at_most {
            if self.state.is_err() {
                self.state = Ok(at);
            }
            return None;
        }
        let why = format!("{} got {factor:.2} times the mean of its service", record.name(busiest));
        self.state = Err(Sighting::of(why.clone(), [busiest]));
        Some(Sighting::of(format!("{why} within {}", self.config.over), [busiest]))
    }

    fn standing(&self, _: &Record) -> Standing {
        match &self.state {
            Ok(since) => Standing::Holds { since: *since, what: "the load was balanced" },
            Err(seen) => Standing::Broken(seen.clone()),
        }
    }

    fn untested(&self, told: &Told<'_>) -> Option<String> {
        let few = || format!("there were never {} attempts to each instance of a service", self.config.floor);
        told.without_attempts().or_else(|| (self.stretches == 0).then(few))
    }

    fn instead(&self, _: &Told<'_>) -> String {
        format!("the busiest instance got at most {:.2} times the mean of its service", self.worst)
    }
}

impl Balanced {
    fn begin(&mut self, now: Time) {
        self.began = Some(now);
        self.attempts.fill(0);
        self.steady.clone_from(&self.usable);
    }

    fn look_at(&mut self, scene: &Scene<'_>, record: &Record, node: NodeId) {
        let usable =
            scene.status(node) == Status::Up && !record.is_usurped(node) && record.register.lists(node);
        self.usable[node.index()] = usable;
        self.steady[node.index()] &= usable;
    }

    /// The busiest instance of a service and how many times the mean it got, if there were enough attempts to say. Where the
    /// mean is below the floor that is so if the busiest got so many that it would be out of balance with the floor for a
    /// mean: with a lower one so many are less likely still.
    fn judge(&self, record: &Record, service: usize) -> Option<(f64, NodeId)> {
        let nodes = &record.cast.services()[service];
        let steady: Vec<NodeId> = nodes.iter().copied().filter(|node| self.steady[node.index()]).collect();
        let attempts = |node: &NodeId| u64::from(self.attempts[node.index()]);
        let busiest = *steady.iter().max_by_key(|node| (attempts(node), std::cmp::Reverse(**node)))?;
        let all: u64 = steady.iter().map(attempts).sum();
        let many = steady.len() as u64;
        let floor = self.config.floor;
        let says = all >= floor * many || attempts(&busiest) as f64 > self.config.at_most * floor as f64;
        says.then(|| (attempts(&busiest) as f64 * many as f64 / all as f64, busiest))
    }
}
