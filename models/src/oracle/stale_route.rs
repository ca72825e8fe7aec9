//! Stale route: from an instance's death to the last request sent to it there is little time.

use schism_core::{Duration, Fault, NodeId, Time};

use super::{Cast, Moment, Mood, Oracle, Role, Shown, Sighting, Told};
use crate::observation::Observation;
use crate::options::options;

options! {
    /// How much time.
    pub struct Config {
        within: Duration = Duration::from_secs(45), "within", Time, "For how long after an instance's death requests may still be sent to it";
    }
}

/// Remembers when each instance died, and sees the first request that comes to it too late.
#[derive(Clone)]
pub struct StaleRoute {
    within: Duration,
    /// By node: since when it is dead, if it is.
    died: Vec<Option<Time>>,
    deaths: u32,
    /// The longest time after which one was still sent a request.
    longest: Duration,
}

impl Oracle for StaleRoute {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Attempts];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Breaks];

    fn new(config: &Config, cast: &Cast) -> Self {
        StaleRoute {
            within: config.within,
            died: vec![None; cast.nodes()],
            deaths: 0,
            longest: Duration::ZERO,
        }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let Observation::Attempt { to, .. } = seen else { return None };
        let died = self.died[to.index()]?;
        let after = moment.scene.now().since(died);
        self.longest = self.longest.max(after);
        let name = |node| moment.scene.name(node);
        let why =
            || format!("{} sent a request to {} {after} after its death at {died}", name(by), name(*to));
        (after > self.within).then(|| Sighting::of(why(), [by, *to]))
    }

    fn on_fault(&mut self, moment: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        if let Fault::Crash(node, _) = fault
            && let Role::Instance(..) = moment.record.cast.role(*node)
        {
            self.deaths += 1;
            self.died[node.index()] = Some(moment.scene.now());
        }
        if let Fault::Restart(node) = fault {
            self.died[node.index()] = None;
        }
        None
    }

    fn untested(&self, told: &Told<'_>) -> Option<String> {
        told.without_attempts().or_else(|| (self.deaths == 0).then(|| "no instance died".to_owned()))
    }

    fn instead(&self, _: &Told<'_>) -> String {
        let Self { deaths, longest, .. } = self;
        format!(
            "{deaths} instances died, and the last request to one of them was sent {longest} after its death"
        )
    }
}
