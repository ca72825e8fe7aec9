//! Who was wrong about whom: by script, and against the plain definition.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{Death, Duration, Fault, NodeId, Seed};
use schism_models::listing::ServiceId;
use schism_models::observation::Observation;

use super::stage::{BATCH, ORDERS, REGISTRY, Stage, WEB, list, next};
use super::{Listed, MOST_BELIEFS};
use crate::report::Belief;

/// Beliefs as `observer subject believes from to`, the end of the run as `..`.
fn told(beliefs: &[Belief]) -> Vec<String> {
    let line = |belief: &Belief| {
        let Belief { observer, subject, believes, from_s, to_s, .. } = belief;
        let to = to_s.map_or("..".to_owned(), |to| to.to_string());
        format!("{observer} {subject} {believes} {from_s} {to}")
    };
    beliefs.iter().map(line).collect()
}

#[test]
fn a_belief_is_wrong_from_the_truths_change_to_the_observers() {
    let mut stage = Stage::new();
    stage.view(100, WEB, &[0, 1]);
    stage.view(200, BATCH, &[]);
    stage.inflict(2000, Fault::Crash(ORDERS, Death::KILLED));
    stage.view(2500, WEB, &[1]);
    stage.view(3000, next(WEB, 1), &[0, 1]);
    stage.inflict(4000, Fault::Restart(ORDERS));
    stage.view(4500, BATCH, &[0, 1, 2]);
    stage.view(5000, BATCH, &[0, 1]);
    let report = stage.report();
    assert_eq!(
        told(&report.beliefs),
        [
            "web-0 orders-0 up 2 2.5",
            "web-1 orders-0 up 3 4",
            "web-0 orders-0 down 4 ..",
            "batch-0 orders-2 down 5 ..",
        ]
    );
    assert!(report.beliefs.iter().all(|belief| !belief.is_true));
    assert_eq!(report.recovery.ghost_window_s, Some(1.0));
}

#[test]
fn who_goes_blind_or_dies_is_wrong_about_nobody_any_more() {
    let mut stage = Stage::new();
    stage.view(100, WEB, &[0]);
    stage.view(100, next(WEB, 1), &[0]);
    stage.inflict(2000, Fault::Crash(ORDERS, Death::KILLED));
    stage.says(3000, WEB, Observation::Blind(ServiceId(0)));
    stage.inflict(4000, Fault::Crash(next(WEB, 1), Death::KILLED));
    stage.says(5000, WEB, Observation::Believes { service: ServiceId(0), subject: ORDERS, up: false });
    assert_eq!(told(&stage.report().beliefs), ["web-0 orders-0 up 2 3", "web-1 orders-0 up 2 4"]);
}

#[test]
fn an_instance_that_stands_still_is_not_up_but_no_ghost() {
    let mut stage = Stage::new();
    stage.view(100, WEB, &[0]);
    stage.inflict(2000, Fault::Pause(ORDERS));
    stage.inflict(3000, Fault::Resume(ORDERS));
    assert_eq!(stage.report().recovery.ghost_window_s, None, "nobody died");
    stage.inflict(4000, Fault::Pause(ORDERS));
    stage.inflict(6000, Fault::Crash(ORDERS, Death::KILLED));
    let report = stage.report();
    assert_eq!(told(&report.beliefs), ["web-0 orders-0 up 2 3", "web-0 orders-0 up 4 .."]);
    assert_eq!(report.recovery.ghost_window_s, Some(4.0), "dead from 6s to the end at 10s");
}

#[test]
fn what_is_put_right_at_the_same_instant_was_never_wrong() {
    let mut stage = Stage::new();
    stage.view(100, WEB, &[0]);
    stage.view(3000, WEB, &[]);
    stage.view(3000, WEB, &[0]);
    assert!(stage.report().beliefs.is_empty());
}

#[test]
fn all_beliefs_are_listed_where_that_is_asked_for() {
    let mut stage = Stage::new();
    stage.listed = Listed::All;
    stage.view(1000, WEB, &[0]);
    stage.inflict(2000, Fault::Crash(ORDERS, Death::KILLED));
    stage.view(3000, WEB, &[]);
    let report = stage.report();
    let expected = ["web-0 orders-0 up 1 2", "web-0 orders-0 up 2 3", "web-0 orders-0 down 3 .."];
    assert_eq!(told(&report.beliefs), expected);
    assert_eq!(report.beliefs.iter().map(|belief| belief.is_true).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(report.wrong_beliefs.iter().map(|wrong| wrong.beliefs).sum::<u64>(), 1);
}

#[test]
fn the_earliest_beliefs_are_listed_and_the_rest_are_counted() {
    let mut stage = Stage::new();
    stage.scenario.length = Duration::from_secs(100);
    let believes = |up| Observation::Believes { service: ServiceId(0), subject: ORDERS, up };
    stage.view(1, WEB, &[0]);
    let wrong = 3 * MOST_BELIEFS as u64;
    for time in 1..=wrong {
        stage.says(3 * time, WEB, believes(false));
        stage.says(3 * time + 1, WEB, believes(true));
    }
    let report = stage.report();
    assert_eq!(report.beliefs.len(), MOST_BELIEFS);
    assert_eq!(report.beliefs_omitted, wrong - MOST_BELIEFS as u64);
    assert_eq!(report.beliefs.last().map(|belief| belief.from_s), Some(30.0));
    assert_eq!((report.wrong_beliefs.len(), report.wrong_beliefs[0].beliefs), (1, wrong));
}

/// The ledger's beliefs are what one would find by looking at every pair all the time.
#[test]
fn beliefs_are_those_of_the_plain_definition() {
    for seed in 0..40 {
        let mut luck = Seed(seed).luck("script", "test", 0);
        let mut stage = Stage::new();
        let mut plain = Plain::default();
        let watchers = [REGISTRY, next(REGISTRY, 1), WEB, next(WEB, 1), BATCH];
        for step in 1..200 {
            let millis = step * 40 - 20 * u64::from(luck.below(2));
            let (watcher, subject) = (watchers[luck.below(5) as usize], luck.below(3));
            match luck.below(6) {
                0 => {
                    let kill: fn(NodeId) -> Fault = |node| Fault::Crash(node, Death::KILLED);
                    let fault = [kill, Fault::Restart, Fault::Pause, Fault::Resume][luck.below(4) as usize];
                    stage.inflict(millis, fault(next(ORDERS, subject)));
                    plain.strike(millis, subject, fault(NodeId(0)));
                }
                1 => {
                    stage.says(millis, watcher, Observation::Blind(ServiceId(0)));
                    plain.blind(millis, watcher);
                }
                2 => {
                    let up = luck.below(2) == 1;
                    let seen =
                        Observation::Believes { service: ServiceId(0), subject: next(ORDERS, subject), up };
                    stage.says(millis, watcher, seen);
                    plain.hear(millis, watcher, subject, up);
                }
                _ => {
                    let bits = luck.below(8);
                    let listed: Vec<u32> = (0..3).filter(|place| bits >> place & 1 == 1).collect();
                    stage.says(millis, watcher, Observation::View(list(&listed)));
                    (0..3).for_each(|place| plain.hear(millis, watcher, place, listed.contains(&place)));
                }
            }
        }
        assert_eq!(told(&stage.report().beliefs), plain.end(), "seed {seed}");
    }
}

/// Opinions and truths as they are, and every wrong belief from when to when.
#[derive(Default)]
struct Plain {
    status: [Option<&'static str>; 3],
    opinions: BTreeMap<(NodeId, u32), bool>,
    wrong: BTreeMap<(NodeId, u32), (u64, bool)>,
    told: Vec<(u64, NodeId, u32, bool, Option<u64>)>,
}

impl Plain {
    fn strike(&mut self, now: u64, subject: u32, fault: Fault) {
        let status = &mut self.status[subject as usize];
        *status = match (&fault, *status) {
            (Fault::Crash(..), _) => Some("dead"),
            (Fault::Restart(_), Some("dead")) | (Fault::Resume(_), Some("paused")) => None,
            (Fault::Pause(_), None) => Some("paused"),
            (_, same) => same,
        };
        self.look(now);
    }

    fn blind(&mut self, now: u64, watcher: NodeId) {
        self.opinions.retain(|(observer, _), _| *observer != watcher);
        self.look(now);
    }

    fn hear(&mut self, now: u64, watcher: NodeId, subject: u32, up: bool) {
        if up || self.opinions.contains_key(&(watcher, subject)) {
            self.opinions.insert((watcher, subject), up);
        }
        self.look(now);
    }

    fn look(&mut self, now: u64) {
        for pair in [REGISTRY, next(REGISTRY, 1), WEB, next(WEB, 1), BATCH]
            .iter()
            .flat_map(|o| (0..3).map(|s| (*o, s)))
        {
            let is_up = self.status[pair.1 as usize].is_none();
            let wrong = self.opinions.get(&pair).copied().filter(|up| *up != is_up);
            if let Some((from, up)) = self.wrong.get(&pair).copied().filter(|(_, up)| Some(*up) != wrong) {
                self.wrong.remove(&pair);
                self.told.push((from, pair.0, pair.1, up, Some(now)));
            }
            if let Some(up) = wrong {
                self.wrong.entry(pair).or_insert((now, up));
            }
        }
    }

    fn end(mut self) -> Vec<String> {
        let open = std::mem::take(&mut self.wrong);
        self.told.extend(
            open.into_iter().map(|((observer, subject), (from, up))| (from, observer, subject, up, None)),
        );
        self.told.retain(|(from, .., to)| Some(*from) != *to);
        self.told.sort_by_key(|(from, observer, subject, _, to)| {
            (*from, *observer, *subject, to.unwrap_or(u64::MAX))
        });
        let names = ["registry-0", "registry-1", "", "", "", "web-0", "web-1", "batch-0"];
        let secs = |millis: u64| millis as f64 / 1000.0;
        let line = |(from, observer, subject, up, to): (u64, NodeId, u32, bool, Option<u64>)| {
            let to = to.map_or("..".to_owned(), |to| secs(to).to_string());
            let up = if up { "up" } else { "down" };
            format!("{} orders-{subject} {up} {} {to}", names[observer.index()], secs(from))
        };
        self.told.into_iter().map(line).collect()
    }
}

#[test]
fn a_list_that_is_told_again_changes_nothing() {
    let mut stage = Stage::new();
    let listing = list(&[0]);
    stage.says(100, WEB, Observation::View(Arc::clone(&listing)));
    stage.says(200, WEB, Observation::Believes { service: ServiceId(0), subject: ORDERS, up: false });
    stage.says(300, WEB, Observation::View(Arc::clone(&listing)));
    stage.says(400, WEB, Observation::View(listing));
    assert_eq!(told(&stage.report().beliefs), ["web-0 orders-0 down 0.2 0.3"]);
}
