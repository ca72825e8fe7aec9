//! Stale route: from an instance's death to the last request sent to it there is little time.

use schism_core::{Duration, Fault, NodeId, Time};

use super::{Cast, Moment, Mood, Need, Oracle, Role, Shown, Sighting, Told};
use crate::observation::Observation;
use crate::options::options;

options! {
    /// How much time.
    pub struct Config {
        within: Duration = Duration::from_secs(45), "within", Time, "For how long after an instance's death requests may still be sent to it";
    }
}

/// Remembers when each instance died, and sees the first request that comes to it too late. What another process does that
/// has its address is not its return.
#[derive(Clone)]
pub struct StaleRoute {
    within: Duration,
    /// By node: its last death, if it ever died.
    last: Vec<Option<Death>>,
    deaths: u32,
    /// The longest time after which one was still sent a request.
    longest: Duration,
}

/// The death of an instance.
#[derive(Clone, Copy)]
struct Death {
    at: Time,
    /// Whether a process runs at its address again: it itself, or another.
    is_over: bool,
}

impl Oracle for StaleRoute {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Attempts];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Breaks];
    const NEEDS: &'static [Need] = &[Need::Callers];

    fn new(config: &Config, cast: &Cast) -> Self {
        StaleRoute {
            within: config.within,
            last: vec![None; cast.nodes()],
            deaths: 0,
            longest: Duration::ZERO,
        }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let Observation::Attempt { to, .. } = seen else { return None };
        let died = self.dead_since(moment, *to)?;
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
            // What dies may be the other process.
            let before = self.dead_since(moment, *node);
            self.deaths += u32::from(before.is_none());
            let at = before.unwrap_or(moment.scene.now());
            self.last[node.index()] = Some(Death { at, is_over: false });
        }
        if let Fault::Restart(node) = fault
            && let Some(death) = &mut self.last[node.index()]
        {
            death.is_over = true;
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

impl StaleRoute {
    /// Since when an instance is dead, if it is.
    fn dead_since(&self, moment: &Moment<'_>, node: NodeId) -> Option<Time> {
        let death = self.last[node.index()]?;
        (!death.is_over || moment.record.is_usurped(node)).then_some(death.at)
    }
}
