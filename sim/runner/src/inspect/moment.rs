//! A moment: what can be seen of a run while it stands still. Plain data.

use std::collections::BTreeMap;

use schism_core::{Coming as Due, Happening, NodeId, Status, Time, Waits as For};
use schism_models::node::{Process, Timer};
use schism_models::oracle::Mood;
use schism_models::waits::{Ends, Wait};
use schism_scenario::{Ask, Expectation};
use serde::Serialize;

use super::Inspection;
use super::shown::trimmed;
use crate::report::About;
use crate::words::named;

/// A run at one moment. Times are in seconds since its start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moment {
    /// `schism.inspect/1`.
    pub schema: &'static str,
    /// The scenario.
    pub scenario: About,
    /// The seed.
    pub seed: u64,
    /// The moment: everything before it has happened.
    pub at_s: f64,
    /// When it was forked off the run of its seed, if it was.
    pub forked_s: Option<f64>,
    /// How many events there have been.
    pub events: u64,
    /// How many are still to come, as far as is known.
    pub pending: usize,
    /// Of all events so far.
    pub digest: String,
    /// What has failed so far of what must always or never be so.
    pub failed: Vec<Failed>,
    /// The faults in force.
    pub faults: Vec<Active>,
    /// Who can reach whom; one, if nobody is parted.
    pub islands: Vec<String>,
    /// The nodes that were asked for.
    pub nodes: Vec<NodeView>,
}

/// An expectation that has failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failed {
    /// Its name.
    pub expectation: String,
    /// When.
    pub at_s: f64,
    /// Why, in a sentence.
    pub why: String,
}

/// A fault in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Active {
    /// Its name.
    pub id: String,
    /// Since when.
    pub since_s: f64,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeView {
    /// Its name.
    pub name: String,
    /// Where it runs.
    pub zone: String,
    /// The node whose host it shares, if it does.
    pub host: Option<String>,
    /// `up`, `paused` or `down`.
    pub status: &'static str,
    /// Since when.
    pub since_s: f64,
    /// Which life, from 0.
    pub life: u32,
    /// Whether its host has no power.
    pub dark: bool,
    /// How it stands, in a line; nothing, if its process is dead.
    pub summary: Option<String>,
    /// What ails it.
    pub ails: Vec<String>,
    /// What its clocks are off, if they are.
    pub clocks: Option<Clocks>,
    /// What its tasks wait for.
    pub waits: Vec<WaitView>,
    /// Its timers, soonest first.
    pub timers: Vec<TimerView>,
    /// What is on its way to it.
    pub coming: Vec<Coming>,
    /// What is kept for it until it goes on.
    pub held: Vec<String>,
    /// The connections that it sends on.
    pub connections: Vec<Connection>,
    /// What its machine shows of itself; nothing, if nobody asked or its process is dead.
    pub state: Option<String>,
}

/// How far a node's clocks are ahead of true time, in seconds; behind, if negative.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clocks {
    /// The monotonic one.
    pub monotonic_s: f64,
    /// The wall clock.
    pub wall_s: f64,
}

/// What one task waits for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WaitView {
    /// Which task.
    pub task: String,
    /// For what.
    pub what: String,
    /// From whom.
    pub on: Vec<String>,
    /// Since when, if that is known.
    pub since_s: Option<f64>,
    /// Until when at most, if there is a limit.
    pub until_s: Option<f64>,
}

/// One timer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimerView {
    /// When it is due; nothing, if the clock that it goes by stands still.
    pub due_s: Option<f64>,
    /// What it reminds of.
    pub what: String,
}

/// Something on its way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coming {
    /// When it arrives, unless something stops it.
    pub at_s: f64,
    /// From whom.
    pub from: Option<String>,
    /// What.
    pub what: String,
}

/// One direction of a connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Connection {
    /// To whom.
    pub to: String,
    /// Whether the handshake is over, as far as the sender knows.
    pub established: bool,
    /// What stops it, if something does.
    pub stalled: Option<Stalled>,
}

/// A connection on which nothing gets through.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stalled {
    /// Since when.
    pub since_s: f64,
    /// How often something was sent again.
    pub tries: u32,
    /// How many messages wait.
    pub backlog: usize,
    /// For what, in words.
    pub waits_for: String,
}

/// What is to be seen of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visible {
    /// How much of the machine itself.
    pub state: Detail,
}

/// How much of a machine is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Nothing.
    None,
    /// The first levels.
    Trimmed,
    /// All.
    Full,
}

impl<P: Process> Inspection<P> {
    /// What can be seen of the run, and of these nodes.
    pub fn moment(&self, nodes: &[NodeId], visible: Visible) -> Moment {
        let (world, probe) = (self.now.world(), self.now.witness());
        let mut due: BTreeMap<NodeId, Vec<Due<'_, P>>> = BTreeMap::new();
        for coming in world.coming() {
            due.entry(coming.to).or_default().push(coming);
        }
        let active = probe.active.iter().map(|(&fault, since)| Active {
            id: self.scenario.faults[fault].id.clone(),
            since_s: since.as_secs_f64(),
        });
        let islands = world.scene().network().islands();
        Moment {
            schema: "schism.inspect/1",
            scenario: About { title: self.scenario.title.clone(), digest: self.scenario.digest.to_string() },
            seed: self.seed.0,
            at_s: self.at().as_secs_f64(),
            forked_s: self.forked.map(Time::as_secs_f64),
            events: world.events(),
            pending: world.pending(),
            digest: world.digest().to_string(),
            failed: self.failed(),
            faults: active.collect(),
            islands: islands.iter().map(|island| self.names.of(island)).collect(),
            nodes: nodes
                .iter()
                .map(|&node| self.view(node, due.get(&node).map_or(&[], Vec::as_slice), visible))
                .collect(),
        }
    }

    fn failed(&self) -> Vec<Failed> {
        let ledger = &self.now.witness().ledger;
        let failed = |expected: &Expectation| {
            let Ask::Oracle { oracle, mood: Mood::Always | Mood::Never, .. } = &expected.ask else {
                return None;
            };
            let first = ledger.watch.first(oracle)?;
            let (at_s, why) = (first.at.as_secs_f64(), first.seen.why.clone());
            Some(Failed { expectation: expected.id.clone(), at_s, why })
        };
        self.scenario.expectations.iter().filter_map(failed).collect()
    }

    fn view(&self, node: NodeId, due: &[Due<'_, P>], visible: Visible) -> NodeView {
        let (world, probe) = (self.now.world(), self.now.witness());
        let scene = world.scene();
        let actor = world.actor(node).map(Process::node);
        let text = |text: String| named(&self.names, &text);
        let status = match scene.status(node) {
            Status::Up => "up",
            Status::Paused => "paused",
            Status::Down => "down",
        };
        let off = |reading: Time| reading.as_secs_f64() - self.at().as_secs_f64();
        let (monotonic, wall) = world.clocks(node);
        let mine: Vec<&Due<'_, P>> = due.iter().filter(|due| due.is_for_this_life).collect();
        let waits = actor.map(|actor| actor.waits()).unwrap_or_default();
        let host = scene.network().hosts().of(node);
        NodeView {
            name: self.names.one(node),
            zone: self.scenario.topology.name(scene.zone(node)).to_owned(),
            host: (host != node).then(|| self.names.one(host)),
            status,
            since_s: probe.statuses.get(&node).map_or(0.0, |(_, since)| since.as_secs_f64()),
            life: world.life(node).0,
            dark: world.is_dark(node),
            summary: actor.map(|actor| text(actor.summary())),
            ails: world
                .plight(node)
                .iter()
                .flat_map(|plight| &plight.ailments)
                .map(|ailment| {
                    let fault = &self.scenario.faults[ailment.by.0 as usize].id;
                    text(format!("{:?} (fault {fault})", ailment.ail))
                })
                .collect(),
            clocks: (monotonic != self.at() || wall != self.at())
                .then(|| Clocks { monotonic_s: off(monotonic), wall_s: off(wall) }),
            waits: waits.iter().map(|wait| self.wait(node, wait, &mine)).collect(),
            timers: self.timers(node, &mine),
            coming: mine.iter().filter_map(|due| self.coming(due)).collect(),
            held: world.held(node).iter().map(|held| text(word(&held.what))).collect(),
            connections: self.connections(node),
            state: match (visible.state, actor) {
                (Detail::None, _) | (_, None) => None,
                (Detail::Trimmed, Some(actor)) => Some(text(trimmed(&format!("{actor:#?}")))),
                (Detail::Full, Some(actor)) => Some(text(format!("{actor:#?}"))),
            },
        }
    }

    /// A process's own clock says since when and until when; where that is off, so are these.
    fn wait(&self, node: NodeId, wait: &Wait, due: &[&Due<'_, P>]) -> WaitView {
        let (monotonic, _) = self.now.world().clocks(node);
        let truly = |own: Time| self.at().as_secs_f64() + (own.as_secs_f64() - monotonic.as_secs_f64());
        let timer = |wanted: &Timer| {
            let wanted = format!("{wanted:?}");
            due.iter().find(|due| match due.what {
                Happening::Timer(timer) => format!("{timer:?}") == wanted,
                Happening::Message { .. }
                | Happening::Plight
                | Happening::Reset { .. }
                | Happening::Retransmit { .. }
                | Happening::Boot
                | Happening::Open { .. }
                | Happening::Accepted { .. } => false,
            })
        };
        let (set, until) = match &wait.ends {
            Ends::Never => (None, None),
            Ends::At(at) => (None, Some(truly(*at))),
            Ends::By(wanted) => match timer(wanted) {
                Some(due) => {
                    let set = due.cause.and_then(|cause| self.now.witness().time_of(cause));
                    (set.map(Time::as_secs_f64), Some(due.at.as_secs_f64()))
                }
                None => (None, None),
            },
        };
        WaitView {
            task: named(&self.names, &wait.task),
            what: named(&self.names, &wait.what),
            on: wait.on.iter().map(|&node| self.names.one(node)).collect(),
            since_s: wait.since.map(truly).or(set),
            until_s: until,
        }
    }

    fn timers(&self, node: NodeId, due: &[&Due<'_, P>]) -> Vec<TimerView> {
        let running = due.iter().filter_map(|due| match due.what {
            Happening::Timer(timer) => Some((Some(due.at.as_secs_f64()), timer)),
            Happening::Message { .. }
            | Happening::Plight
            | Happening::Reset { .. }
            | Happening::Retransmit { .. }
            | Happening::Boot
            | Happening::Open { .. }
            | Happening::Accepted { .. } => None,
        });
        let dormant = self.now.world().dormant(node).map(|(_, timer)| (None, timer));
        let shown = |(due_s, timer): (Option<f64>, &Timer)| TimerView {
            due_s,
            what: named(&self.names, &format!("{timer:?}")),
        };
        running.chain(dormant).map(shown).collect()
    }

    fn coming(&self, due: &Due<'_, P>) -> Option<Coming> {
        if let Happening::Timer(_) = due.what {
            return None;
        }
        Some(Coming {
            at_s: due.at.as_secs_f64(),
            from: due.what.peer().map(|peer| self.names.one(peer)),
            what: named(&self.names, &word(&due.what)),
        })
    }

    fn connections(&self, node: NodeId) -> Vec<Connection> {
        let mine = self.now.world().connections().into_iter().filter(|connection| connection.from == node);
        mine.map(|connection| Connection {
            to: self.names.one(connection.to),
            established: connection.is_established,
            stalled: connection.stalled.map(|stalled| Stalled {
                since_s: stalled.since.as_secs_f64(),
                tries: stalled.tries,
                backlog: stalled.backlog,
                waits_for: match stalled.waits {
                    For::Answer => "the answer to its handshake".to_owned(),
                    For::Slot(at) => format!("{:.3}s, to send again", at.as_secs_f64()),
                    For::Mend(fault) => {
                        format!("the end of {}", self.scenario.faults[fault.0 as usize].id)
                    }
                },
            }),
        })
        .collect()
    }
}

/// What an event is, in a line.
fn word<P: Process>(what: &Happening<'_, P>) -> String {
    match what {
        Happening::Message { msg, .. } => format!("{msg:?}"),
        Happening::Timer(timer) => format!("timer {timer:?}"),
        Happening::Plight => "word that what ails it has changed".to_owned(),
        Happening::Reset { .. } => "a reset".to_owned(),
        Happening::Retransmit { .. } => "a time-out of its connection".to_owned(),
        Happening::Boot => "its start, by its supervisor".to_owned(),
        Happening::Open { .. } => "a SYN".to_owned(),
        Happening::Accepted { .. } => "a SYN-ACK".to_owned(),
    }
}
