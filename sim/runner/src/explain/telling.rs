//! Telling: the lines of a story in words.

use std::collections::BTreeMap;

use schism_core::{NodeId, Seed, Time};
use schism_models::observation::{Act, Cause, Standing};
use schism_scenario::Scenario;

use super::facts::{Idle, Kind, Silence, Source, Unheard};
use super::story::{Line, Told};
use crate::Words;
use crate::figures::secs;
use crate::words::Names;

/// Who knows the words for what is told.
pub(super) struct Teller<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) names: &'a Names,
    pub(super) words: Words<'a>,
    pub(super) seed: Seed,
}

impl Teller<'_> {
    /// A fact as a line.
    pub(super) fn line(&self, Told { fact, who, .. }: &Told) -> Line {
        let who: Vec<NodeId> = who.iter().copied().collect();
        let what = self.what(&fact.what, who.len() > 1);
        let who = if let Kind::Begins(fault) | Kind::Heals(fault) = &fact.what {
            self.fault(*fault)
        } else if let Kind::Silent(silence) = &fact.what {
            self.hearers(&silence.to)
        } else {
            self.all(&who)
        };
        Line { at_s: secs(fact.at), who, what, point: fact.point }
    }

    fn name(&self, node: NodeId) -> String {
        self.names.one(node)
    }

    fn fault(&self, number: usize) -> String {
        self.scenario.faults[number].id.clone()
    }

    fn all(&self, nodes: &[NodeId]) -> String {
        match nodes {
            [] => "registry".to_owned(),
            [one] => self.name(*one),
            [one, other] => format!("{} and {}", self.name(*one), self.name(*other)),
            [one, rest @ ..] => format!("{} and {} others", self.name(*one), rest.len()),
        }
    }

    /// Those to whom nothing came: the registry, if they are all that there is of it.
    fn hearers(&self, nodes: &[NodeId]) -> String {
        let members = self.scenario.members.iter().filter(|member| nodes.contains(&member.id)).count();
        if members > 0 && members == self.scenario.members.len() {
            "registry".to_owned()
        } else {
            self.all(nodes)
        }
    }

    pub(super) fn what(&self, what: &Kind, are_many: bool) -> String {
        let s = if are_many { "" } else { "s" };
        match what {
            Kind::Begins(number) => {
                format!("begins: {}", self.words.with_seed(&self.scenario.faults[*number], self.seed))
            }
            Kind::Heals(_) => "heals".to_owned(),
            Kind::Dies => format!("die{s}"),
            Kind::Boots => format!("start{s} anew"),
            Kind::Stops => format!("stand{s} still"),
            Kind::GoesOn if are_many => "go on".to_owned(),
            Kind::GoesOn => "goes on".to_owned(),
            Kind::Leads(term) => format!("leads, in term {term}"),
            Kind::Deposed(term) => format!("leads no more, in term {term}"),
            Kind::Enters(node) => format!("registers {}", self.name(*node)),
            Kind::Leaves(node, cause) => format!("removes {}: {}", self.name(*node), why(*cause)),
            Kind::Unhealthy(node) => format!("holds {} to be unhealthy", self.name(*node)),
            Kind::Healthy(node) => format!("holds {} to be healthy again", self.name(*node)),
            Kind::Sees(node) => format!("lists {}", self.name(*node)),
            Kind::Forgets(node) => format!("no longer lists {}", self.name(*node)),
            Kind::Blind(of) => {
                format!("knows nobody of {} any more", self.scenario.services[usize::from(of.0)].name)
            }
            Kind::Registered => "learns that it is registered".to_owned(),
            Kind::LeaseGone => "learns that its lease is gone".to_owned(),
            Kind::GivesUp(unheard) => self.gives_up(unheard),
            Kind::Deems(node, standing, source) => self.deems(*node, *standing, source),
            Kind::Claims(node, lock) => format!("takes {}'s claim on lock {lock}", self.name(*node)),
            Kind::ClaimGone(node, lock, cause) => {
                format!("drops {}'s claim on lock {lock}: {}", self.name(*node), why(*cause))
            }
            Kind::Holds(lock, token) => format!("believes that it holds lock {lock} (token {token})"),
            Kind::GivesBack(lock) => format!("gives lock {lock} back"),
            Kind::LosesLock(lock) => format!("believes no more that it holds lock {lock}"),
            Kind::Guarded(lock, token, by) => {
                format!("accepts a write of {} under lock {lock} (token {token})", self.name(*by))
            }
            Kind::Calls(key, Act::Read) => format!("asks for key {key}"),
            Kind::Calls(key, Act::Write) => format!("writes key {key}"),
            Kind::Written(revision) => format!("learns that its write is revision {revision}"),
            Kind::Fetched(revision) => format!("reads revision {revision}"),
            Kind::Unanswered => "gives up a call, of which it knows nothing".to_owned(),
            Kind::Silent(silence) => self.silent(silence),
        }
    }

    fn silent(&self, silence: &Silence) -> String {
        let Silence { from, since, until, taken, lost, knocks, idle, .. } = silence;
        let from = self.name(*from);
        let idle = idle.map(|(idle, at)| match idle {
            Idle::Stopped => format!("{from} stands still since {}", instant(at)),
            Idle::Dead => format!("{from} is dead since {}", instant(at)),
        });
        let took: Vec<String> = if *knocks {
            let faults: Vec<String> = taken.keys().map(|fault| self.fault(*fault)).collect();
            let takes = format!("it opens no connection, since {} takes the answers", faults.join(" and "));
            if faults.is_empty() { Vec::new() } else { vec![takes] }
        } else {
            self.took(taken)
        };
        let lost = (*lost > 0).then(|| match lost {
            1 => "1 message is lost on the way".to_owned(),
            many => format!("{many} messages are lost on the way"),
        });
        let reasons: Vec<String> = idle.into_iter().chain(took).chain(lost).collect();
        let when = match since {
            Some(since) => format!("between {} and {}", instant(*since), instant(*until)),
            None => format!("until {}", instant(*until)),
        };
        format!("hears nothing from {from} {when}: {}", reasons.join(", "))
    }

    fn took(&self, taken: &BTreeMap<usize, u64>) -> Vec<String> {
        let one = |(fault, count): (&usize, &u64)| {
            let messages = if *count == 1 { "1 message".to_owned() } else { format!("{count} messages") };
            format!("{} takes {messages}", self.fault(*fault))
        };
        taken.iter().map(one).collect()
    }

    fn gives_up(&self, Unheard { since, taken, stood_still }: &Unheard) -> String {
        let still = stood_still.then(|| "it stood still".to_owned());
        let reasons: Vec<String> = still.into_iter().chain(self.took(taken)).collect();
        let since = since.map_or_else(String::new, |since| format!(" since {}", instant(since)));
        let why = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
        format!("has had no answer to its keepalives{since}{why}, and gives its lease up")
    }

    fn deems(&self, node: NodeId, standing: Standing, source: &Source) -> String {
        let name = self.name(node);
        match (standing, source) {
            (Standing::Suspect, Source::Own(taken)) => {
                let took = self.took(taken);
                let why = if took.is_empty() { String::new() } else { format!(": {}", took.join(", ")) };
                format!("suspects {name}, which has not answered its probes{why}")
            }
            (Standing::Suspect, Source::Hearsay) => format!("hears that {name} is suspected"),
            (Standing::Cleared, Source::Own(_) | Source::Hearsay) => {
                format!("suspects {name} no more: it has said that it is alive")
            }
            (Standing::Dead, Source::Own(_)) => {
                format!("holds {name} to be dead: it has not refuted the suspicion in time")
            }
            (Standing::Dead, Source::Hearsay) => format!("hears that {name} is dead"),
        }
    }
}

fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::Expired => "its time is up",
        Cause::Revoked => "it asked for that",
        Cause::Lost => "it is lost",
    }
}

/// A moment to the millisecond.
fn instant(at: Time) -> String {
    let text = format!("{:.3}", secs(at));
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}
