//! Conditions: until when a run goes on, in the words that faults wait with, and some of its own.

use schism_core::{NodeId, Time};
use schism_models::node::Process;
use schism_scenario::{Ask, Scenario, duration, suggest};

use super::probe::Probe;
use crate::Simulation;

/// Something that happens in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// This moment comes.
    At(Time),
    /// Another member leads than before.
    LeaderChanges,
    /// A lease expires.
    LeaseExpires,
    /// A fault of the plan begins, by its place there.
    Begins(usize),
    /// A fault of the plan is healed.
    Heals(usize),
    /// The oracle of an expectation sees what it looks for, by the expectation's place.
    Fires(usize),
    /// Somebody changes its mind about this instance.
    Beliefs(NodeId),
    /// A node's status, its life, what ails it or how it stands changes.
    Node(NodeId),
}

/// Why a text is no condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotACondition {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

/// What has happened so far of what a condition is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Count(u64),
    Node(String),
}

const FORMS: &str = "write a time such as `45s`, `leader-changes`, `lease-expires`, FAULT.begins, FAULT.heals, the id of an \
                     expectation or the name of its oracle, `beliefs INSTANCE changes` or `node NODE changes`";

impl Condition {
    /// Reads a condition: `node` finds a node by its name.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn read(text: &str, scenario: &Scenario, nodes: &[String]) -> Result<Condition, NotACondition> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match *words.as_slice() {
            ["leader-changes"] => Ok(Condition::LeaderChanges),
            ["lease-expires"] => Ok(Condition::LeaseExpires),
            ["beliefs", node] | ["beliefs", node, "changes" | "change"] => {
                find(node, nodes).map(Condition::Beliefs)
            }
            ["node", node] | ["node", node, "changes" | "change"] => find(node, nodes).map(Condition::Node),
            [word] | [word, "fires" | "fails"] => one(word, scenario),
            _ => Err(NotACondition {
                message: format!("`{text}` is not something to wait for"),
                help: Some(FORMS.to_owned()),
            }),
        }
    }

    /// What has happened so far of what it is about.
    pub(super) fn mark<P: Process>(&self, run: &Simulation<Probe, P>, scenario: &Scenario) -> Mark {
        let probe = run.witness();
        let count =
            |counts: &std::collections::BTreeMap<usize, u64>, fault: usize| counts.get(&fault).copied();
        Mark::Count(match *self {
            Condition::At(_) => 0,
            Condition::LeaderChanges => probe.leader_changes,
            Condition::LeaseExpires => probe.expiries,
            Condition::Begins(fault) => count(&probe.begun, fault).unwrap_or(0),
            Condition::Heals(fault) => count(&probe.healed, fault).unwrap_or(0),
            Condition::Fires(number) => u64::from(has_fired(probe, scenario, number)),
            Condition::Beliefs(node) => probe.turns.get(&node).copied().unwrap_or(0),
            Condition::Node(node) => {
                let world = run.world();
                // What follows a semicolon are counts, which change with every request.
                let summary = world.actor(node).map(|actor| actor.node().summary());
                let stands = summary.as_deref().and_then(|summary| summary.split(';').next());
                let (status, life, plight) =
                    (world.scene().status(node), world.life(node), world.plight(node));
                return Mark::Node(format!("{status:?} {life:?} {plight:?} {stands:?}"));
            }
        })
    }
}

fn has_fired(probe: &Probe, scenario: &Scenario, number: usize) -> bool {
    match &scenario.expectations[number].ask {
        Ask::Oracle { oracle, .. } => probe.ledger.watch.first(oracle).is_some(),
        Ask::Metric { .. } | Ask::Slo { .. } => false,
    }
}

fn find(name: &str, nodes: &[String]) -> Result<NodeId, NotACondition> {
    let found = nodes.iter().position(|node| node == name);
    found.map(|number| NodeId(number as u32)).ok_or_else(|| NotACondition {
        message: format!("there is no node `{name}`"),
        help: suggest(name, nodes.iter().map(String::as_str).collect::<Vec<_>>()),
    })
}

fn one(word: &str, scenario: &Scenario) -> Result<Condition, NotACondition> {
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return match duration(word) {
            Ok(time) => Ok(Condition::At(Time::START + time)),
            Err(message) => Err(NotACondition { message, help: None }),
        };
    }
    let fault = |id: &str| scenario.faults.iter().position(|fault| fault.id == id);
    match word.rsplit_once('.') {
        Some((id, "begins")) if fault(id).is_some() => return Ok(Condition::Begins(fault(id).unwrap_or(0))),
        Some((id, "heals")) if fault(id).is_some() => return Ok(Condition::Heals(fault(id).unwrap_or(0))),
        Some(_) | None => {}
    }
    let word = word.strip_suffix(".fails").unwrap_or(word);
    let oracle = |ask: &Ask| match ask {
        Ask::Oracle { oracle, .. } => oracle.name() == word,
        Ask::Metric { .. } | Ask::Slo { .. } => false,
    };
    let expectations = &scenario.expectations;
    let by_id = expectations.iter().position(|expected| expected.id == word);
    match by_id.or_else(|| expectations.iter().position(|expected| oracle(&expected.ask))) {
        Some(number) if matches!(expectations[number].ask, Ask::Metric { .. } | Ask::Slo { .. }) => {
            Err(NotACondition {
                message: format!("`{word}` is about a metric, which is judged when the run is over"),
                help: Some("wait for an oracle, or for a time".to_owned()),
            })
        }
        Some(number) => Ok(Condition::Fires(number)),
        None => {
            let faults =
                scenario.faults.iter().flat_map(|f| [format!("{}.begins", f.id), format!("{}.heals", f.id)]);
            let asked = expectations.iter().map(|expected| expected.id.clone());
            let fixed = ["leader-changes", "lease-expires"].map(str::to_owned);
            let all: Vec<String> = fixed.into_iter().chain(faults).chain(asked).collect();
            let help = suggest(word, all.iter().map(String::as_str).collect::<Vec<_>>());
            Err(NotACondition {
                message: format!("nothing is called `{word}` that a run could go on until"),
                help: help.or_else(|| Some(FORMS.to_owned())),
            })
        }
    }
}
