//! Changes: the smallest turn of one dial that avoids the failure, and no other expectation fails for it.
//!
//! Any change at all is another run, and avoids what was bad luck. So a change counts only if it also helps in general: with
//! other luck, and with each fault begun a little sooner or later, so that no phase can be what helps. The same futures are
//! run with it and without it, and it has to save enough of them that this is no chance.

use schism_models::node::Process;
use schism_models::registry;
use schism_scenario::Scenario;
use serde::Serialize;

use super::bench::Bench;
use super::purse::Purse;
use super::shop::{Shop, Try};
use super::trial::Trial;
use super::{Chance, Effort};
use crate::report::Report;

/// What would have avoided it, each by itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changes {
    /// What a change is judged by.
    pub judged_by: JudgedBy,
    /// How often it fails as it is, with other luck and with the faults moved a little; none if there was no effort to try.
    pub before: Option<Chance>,
    /// Of the quantities that could have been more or less, those that had to be changed least, relatively.
    pub smallest: Vec<Change>,
    /// What could have been something else: another strategy, another word. Those that help most come first.
    pub others: Vec<Change>,
    /// What avoids it by breaking what the clients are there for.
    pub breaking: Vec<Change>,
    /// How many dials there are to turn.
    pub dials: u64,
    /// How many runs it took.
    pub runs: u64,
    /// Whether there was effort for all that there was to try.
    pub complete: bool,
}

/// What a change is judged by, besides the run of this seed, in which all holds that held, and what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JudgedBy {
    /// With other luck, and with the faults moved, it fails at most half as often, and more seldom than chance explains.
    OtherLuck,
    /// Nothing: with other luck it fails so seldom that nearly any change seems to help.
    ThisLuckAlone,
}

/// A change of one setting, after which the expectation holds, and all others that held.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Which setting: `registry.etcd.lease-ttl`.
    pub path: String,
    /// What it is.
    pub from: String,
    /// What it would have to be.
    pub to: String,
    /// What the system makes of that, where it is something else: `etcd grants 15s, not 10s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// How often the failure comes all the same, with other luck and the faults moved.
    pub still: Chance,
    /// How often it comes without the change, in the same futures.
    pub was: Chance,
    /// Whether more of the same helps less: then it is this value that helps, and not the direction.
    pub only_here: bool,
    /// What became worse for clients.
    pub prices: Vec<Price>,
}

/// What became worse for a group of clients.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Price {
    /// The group.
    pub group: String,
    /// Of what.
    pub of: Figure,
    /// What it was: a share of 1, or milliseconds.
    pub from: f64,
    /// What it is.
    pub to: f64,
}

/// A figure of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// The share of requests that succeed, of those that are over.
    Success,
    /// The 99th percentile of the latency of those that succeed, in milliseconds.
    P99,
}

/// How many are told of each kind.
pub(super) const TOLD: usize = 3;
/// With how many lucks one is tried that is told, at most and at least.
const LUCKS_TOLD: u64 = 64;
const LUCKS_LEAST: u64 = 8;
/// Of how many runs that can be afforded one future of each that is told is one.
const SHARE: u64 = 16;
/// What fails more seldom than this with other luck is not judged by it.
const SELDOM: f64 = 0.125;

pub(super) fn changes<P: Process + Sync>(
    bench: &Bench<'_, P>,
    report: &Report,
    effort: Effort,
    limit: u64,
    purse: &mut Purse<'_>,
) -> Changes {
    let dials = bench.scenario.dials();
    let affordable = limit / report.events.max(1);
    let told_with = (affordable / SHARE).min(LUCKS_TOLD).min(effort.futures.into());
    let mut changes = Changes {
        judged_by: JudgedBy::ThisLuckAlone,
        before: None,
        smallest: Vec::new(),
        others: Vec::new(),
        breaking: Vec::new(),
        dials: dials.len() as u64,
        runs: 0,
        complete: false,
    };
    if told_with < LUCKS_LEAST.min(effort.futures.into()) {
        return changes;
    }
    let text = bench.scenario.to_toml();
    let (trial, events) = Trial::new(bench, report, &text, told_with as u32);
    purse.spend(events);
    let before = trial.before.chance();
    changes.before = Some(before);
    if before.share >= SELDOM {
        changes.judged_by = JudgedBy::OtherLuck;
    }
    // What is told in the end has to be tried with other luck, too, and so have larger changes of the kind.
    let kept_back = told_with * (1 + 3 * TOLD as u64);
    let left = affordable.saturating_sub(kept_back);
    let mut shop = Shop { trial, judged_by: changes.judged_by, left, runs: told_with, complete: true, purse };
    changes.smallest = shop.smallest(&dials, &mut changes.breaking);
    let tries: Vec<Try<'_>> =
        dials.iter().flat_map(|dial| dial.others.iter().map(move |other| (dial, other.clone()))).collect();
    changes.others = shop.others(&tries, &mut changes.breaking);
    changes.runs = shop.runs;
    changes.complete = shop.complete;
    changes
}

/// What the system makes of a changed setting, where that is not what was asked for, or where it makes something else of
/// another: etcd grants leases in whole seconds, and none shorter than 1.5 election time-outs.
pub(super) fn effect(before: &Scenario, after: &Scenario) -> Option<String> {
    let (registry::Config::Etcd(was), registry::Config::Etcd(is)) = (&before.registry, &after.registry)
    else {
        return None;
    };
    let locks = |scenario: &Scenario| {
        let ttl = |group: &schism_scenario::Group<schism_models::client::Config>| {
            group.config.locking.as_ref().map(|locking| locking.ttl)
        };
        scenario.clients.iter().filter_map(ttl).collect::<Vec<_>>()
    };
    let asked = [was.lease_ttl].into_iter().chain(locks(before));
    let asks = [is.lease_ttl].into_iter().chain(locks(after));
    asked.zip(asks).find_map(|(asked, asks)| {
        let (was, is) = (was.granted(asked), is.granted(asks));
        (was != is && (asks != is || asked != was)).then(|| format!("etcd grants {is}, not {was}"))
    })
}
