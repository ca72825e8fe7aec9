//! The watch: the oracles that a scenario's expectations ask for, and what each saw first.

use schism_core::{Fault, NodeId, Scene, Time};
use schism_models::observation::Observation;
use schism_models::oracle::{Any, Config, Moment, Mood, Record, Shown, Sighting};
use schism_scenario::{Ask, Scenario};

/// Oracles, each with what it saw first.
#[derive(Clone)]
pub(crate) struct Watch {
    oracles: Vec<Asked>,
    /// Which of them are still to be shown attempts: most of the time, none.
    attempts: Vec<usize>,
    /// Which are still to be shown the other news of requests: the same.
    requests: Vec<usize>,
    /// Which are still to be shown the rest.
    beliefs: Vec<usize>,
    /// Which are still to be shown what processes hold.
    holdings: Vec<usize>,
    /// When the next of them wants to be asked though nothing may have happened.
    due: Time,
}

/// One oracle.
#[derive(Clone)]
struct Asked {
    config: Config,
    /// Whether it is asked to the end, whatever it has seen.
    lasts: bool,
    oracle: Any,
    first: Option<First>,
}

/// The first time that what an oracle looks for was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct First {
    pub(crate) at: Time,
    pub(crate) seen: Sighting,
}

impl Watch {
    /// One oracle for each that some expectation asks for, with those options.
    pub(crate) fn new(scenario: &Scenario, record: &Record) -> Watch {
        let mut oracles: Vec<Asked> = Vec::new();
        for (config, mood) in scenario.expectations.iter().filter_map(|expected| asked(&expected.ask)) {
            let lasts = mood == Mood::Eventually;
            match oracles.iter_mut().find(|asked| asked.config == *config) {
                Some(asked) => asked.lasts |= lasts,
                None => {
                    let oracle = Any::new(config, &record.cast);
                    oracles.push(Asked { config: config.clone(), lasts, oracle, first: None });
                }
            }
        }
        let shown =
            |what| (0..oracles.len()).filter(|&at| oracles[at].oracle.shown().contains(&what)).collect();
        let (attempts, requests) = (shown(Shown::Attempts), shown(Shown::Requests));
        let (beliefs, holdings) = (shown(Shown::Beliefs), shown(Shown::Holdings));
        let mut watch = Watch { attempts, requests, beliefs, holdings, oracles, due: Time::END };
        watch.look_ahead();
        watch
    }

    /// Whether an oracle still waits to see some attempt.
    #[inline]
    pub(crate) fn wants_attempts(&self) -> bool {
        !self.attempts.is_empty()
    }

    /// Whether one still waits to see how requests begin and end.
    #[inline]
    pub(crate) fn wants_requests(&self) -> bool {
        !self.requests.is_empty()
    }

    /// An attempt was sent.
    pub(crate) fn on_attempt(&mut self, scene: &Scene<'_>, record: &Record, by: NodeId, seen: &Observation) {
        self.wake(scene.now(), record);
        let (moment, oracles) = (Moment { scene, record }, &mut self.oracles);
        self.attempts.retain(|&at| oracles[at].show(scene.now(), |oracle| oracle.observe(&moment, by, seen)));
        self.look_ahead();
    }

    /// A request begins or ends.
    pub(crate) fn on_request(&mut self, scene: &Scene<'_>, record: &Record, by: NodeId, seen: &Observation) {
        self.wake(scene.now(), record);
        let (moment, oracles) = (Moment { scene, record }, &mut self.oracles);
        self.requests.retain(|&at| oracles[at].show(scene.now(), |oracle| oracle.observe(&moment, by, seen)));
        self.look_ahead();
    }

    /// Somebody has looked how much a process holds.
    pub(crate) fn on_holding(&mut self, scene: &Scene<'_>, record: &Record, by: NodeId, seen: &Observation) {
        self.wake(scene.now(), record);
        let (moment, oracles) = (Moment { scene, record }, &mut self.oracles);
        self.holdings.retain(|&at| oracles[at].show(scene.now(), |oracle| oracle.observe(&moment, by, seen)));
        self.look_ahead();
    }

    /// Something else was observed.
    pub(crate) fn observe(&mut self, scene: &Scene<'_>, record: &Record, by: NodeId, seen: &Observation) {
        let (moment, oracles) = (Moment { scene, record }, &mut self.oracles);
        self.beliefs.retain(|&at| oracles[at].show(scene.now(), |oracle| oracle.observe(&moment, by, seen)));
        self.look_ahead();
    }

    /// A fault of the plan has begun or healed.
    pub(crate) fn on_plan(&mut self, now: Time, record: &Record) {
        let waiting = self.oracles.iter_mut().filter(|asked| asked.waits());
        waiting.for_each(|asked| asked.oracle.on_plan(now, record));
        self.look_ahead();
    }

    /// A primitive fault was inflicted or healed.
    pub(crate) fn on_fault(&mut self, scene: &Scene<'_>, record: &Record, fault: &Fault) {
        let moment = Moment { scene, record };
        for asked in &mut self.oracles {
            asked.show(scene.now(), |oracle| oracle.on_fault(&moment, fault));
        }
        self.look_ahead();
    }

    /// Time goes on to this moment, at which something is about to be told: asks those whose time has come before it,
    /// of what was so until now.
    #[inline]
    pub(crate) fn wake(&mut self, now: Time, record: &Record) {
        if self.due < now {
            self.wake_before(now, record);
        }
    }

    /// The run is over.
    pub(crate) fn close(&mut self, end: Time, record: &Record) {
        self.wake(end, record);
    }

    /// What an oracle with these options saw first.
    pub(crate) fn first(&self, config: &Config) -> Option<&First> {
        self.asked(config).first.as_ref()
    }

    /// The oracle with these options.
    pub(crate) fn oracle(&self, config: &Config) -> &Any {
        &self.asked(config).oracle
    }

    fn asked(&self, config: &Config) -> &Asked {
        let found = self.oracles.iter().find(|asked| asked.config == *config);
        found.expect("whatever an expectation asks for is watched")
    }

    #[cold]
    fn wake_before(&mut self, now: Time, record: &Record) {
        while self.due < now {
            let at = self.due;
            for asked in self.oracles.iter_mut().filter(|asked| asked.waits()) {
                if asked.oracle.due().is_some_and(|due| due <= at) {
                    asked.show(at, |oracle| oracle.on_due(at, record));
                    let next = asked.oracle.due();
                    assert!(next.is_none_or(|due| due > at) || !asked.waits(), "an oracle looks ahead");
                }
            }
            self.look_ahead();
        }
    }

    fn look_ahead(&mut self) {
        let waiting = self.oracles.iter().filter(|asked| asked.waits());
        self.due = waiting.filter_map(|asked| asked.oracle.due()).min().unwrap_or(Time::END);
    }
}

impl Asked {
    /// Whether it is still to be asked.
    fn waits(&self) -> bool {
        self.lasts || self.first.is_none()
    }

    /// Shows something to the oracle; the answer is whether it still waits.
    fn show(&mut self, at: Time, look: impl FnOnce(&mut Any) -> Option<Sighting>) -> bool {
        if self.waits() {
            let seen = look(&mut self.oracle).map(|seen| First { at, seen });
            self.first = self.first.take().or(seen);
        }
        self.waits()
    }
}

fn asked(ask: &Ask) -> Option<(&Config, Mood)> {
    match ask {
        Ask::Oracle { oracle, mood, .. } => Some((oracle, *mood)),
        Ask::Metric { .. } | Ask::Slo { .. } => None,
    }
}
