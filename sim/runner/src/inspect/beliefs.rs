//! Beliefs: what everyone thinks of an instance, beside the truth.

use schism_core::{NodeId, Status, Time};
use schism_models::node::Process;
use schism_models::oracle::{Opinion, Role};
use serde::Serialize;

use super::Inspection;

/// What everyone thinks of one instance at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Beliefs {
    /// The instance.
    pub subject: String,
    /// Whether its process lives: one that stands still does.
    pub alive: bool,
    /// Since when.
    pub since_s: f64,
    /// Whether the registry's committed state lists it.
    pub registered: bool,
    /// The observers that have ever heard of it, by number; members first.
    pub minds: Vec<Mind>,
    /// How many observers have never heard of it.
    pub unheard: usize,
}

/// What one observer thinks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mind {
    /// Who.
    pub observer: String,
    /// `up`, `down`, or nothing if it has lost its list.
    pub opinion: Option<&'static str>,
    /// Since when.
    pub since_s: f64,
    /// Whether that is the truth; nothing if it has no opinion.
    pub right: Option<bool>,
}

impl<P: Process> Inspection<P> {
    /// What everyone thinks of an instance now; `None` if the node is none.
    pub fn beliefs(&self, subject: NodeId) -> Option<Beliefs> {
        let probe = self.now.witness();
        let cast = &probe.ledger.record.cast;
        let Role::Instance(..) = cast.role(subject) else { return None };
        let alive = self.now.world().scene().status(subject) != Status::Down;
        let since = probe.statuses.get(&subject).map_or(Time::START, |&(_, since)| since);
        let minds: Vec<Mind> = probe
            .minds
            .range((subject, NodeId(0))..=(subject, NodeId(u32::MAX)))
            .map(|(&(_, observer), &(opinion, since))| {
                let up = match opinion {
                    Opinion::None => None,
                    Opinion::Up => Some(true),
                    Opinion::Down => Some(false),
                };
                Mind {
                    observer: self.names.one(observer),
                    opinion: up.map(|up| if up { "up" } else { "down" }),
                    since_s: since.as_secs_f64(),
                    right: up.map(|up| up == alive),
                }
            })
            .collect();
        Some(Beliefs {
            subject: self.names.one(subject),
            alive,
            since_s: since.as_secs_f64(),
            registered: probe.ledger.record.register.lists(subject),
            unheard: cast.observers() - minds.len(),
            minds,
        })
    }
}
