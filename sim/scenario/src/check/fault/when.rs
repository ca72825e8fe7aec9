//! What a fault waits for: the words of `when`, and chains of waiting that lead somewhere.

use std::collections::BTreeMap;

use schism_core::Time;
use schism_models::nemesis::{Planned, Start, Trigger};

use super::Strike;
use crate::Line;
use crate::diagnostics::{Problem, Report, nearest, shorten, suggest};
use crate::limits;
use crate::read::not_live;
use crate::reader::too_many;
use crate::registry::Spec;
use crate::source::{At, Place};
use crate::spec::{AskSpec, StartSpec, WhenSpec, Written};

/// `when = "leader-changes"`.
pub(crate) const LEADER_CHANGES: &str = "leader-changes";

/// `when = "lease-expires"`.
pub(crate) const LEASE_EXPIRES: &str = "lease-expires";

/// What can become of something with an id.
const TURNS: &[&str] = &["begins", "heals", "fails"];

/// Looks up what faults wait for.
pub(super) struct Listener<'a> {
    written: &'a Written,
    asked: &'a [Option<String>],
    ids: &'a BTreeMap<&'a str, usize>,
    report: &'a Report,
    /// The lines that a metric may cross, so far.
    pub(super) lines: Vec<Line>,
}

impl<'a> Listener<'a> {
    pub(super) fn new(
        written: &'a Written,
        asked: &'a [Option<String>],
        ids: &'a BTreeMap<&'a str, usize>,
        report: &'a Report,
    ) -> Self {
        Listener { written, asked, ids, report, lines: Vec::new() }
    }

    /// When a strike begins; `None` where that is wrong, which is reported.
    pub(super) fn start(&mut self, strike: &Strike<'_>) -> Option<Start> {
        if strike.follows.is_some() {
            return strike.follows;
        }
        let At { value: start, place } = strike.spec.start.as_ref()?;
        Some(match start {
            StartSpec::At(at) => Start::At(Time::START + *at),
            StartSpec::Between(from, to) => Start::Between(Time::START + *from, Time::START + *to),
            StartSpec::When(WhenSpec::Crosses(line), wait) => {
                Start::When(self.crosses(line.clone(), *place)?, *wait)
            }
            StartSpec::When(WhenSpec::Word(word), wait) => Start::When(self.word(word, *place)?, *wait),
        })
    }

    fn word(&mut self, word: &str, place: Place) -> Option<Trigger> {
        match word {
            LEADER_CHANGES => {
                return self.of_registry(word, "leader", place).then_some(Trigger::LeaderChanges);
            }
            LEASE_EXPIRES => return self.of_registry(word, "leases", place).then_some(Trigger::LeaseExpires),
            _ => {}
        }
        match word.rsplit_once('.') {
            Some((id, "begins")) => self.fault(id, place).map(Trigger::Begins),
            Some((id, "heals")) => self.fault(id, place).map(Trigger::Heals),
            Some((id, "fails")) => self.fails(id, place),
            Some(_) | None => {
                self.report.add(self.unknown(word, place));
                None
            }
        }
    }

    /// Nothing of that name can happen.
    fn unknown(&self, word: &str, place: Place) -> Problem {
        let message = format!("nothing is called `{}` that a fault could wait for", shorten(word));
        let (id, turn) = word.rsplit_once('.').unwrap_or((word, ""));
        let help = match nearest(turn, TURNS.iter().copied()) {
            Some(turn) => Some(format!("did you mean `{id}.{turn}`?")),
            None if self.ids.contains_key(id) => Some(format!("write \"{id}.begins\" or \"{id}.heals\"")),
            None => {
                nearest(word, [LEADER_CHANGES, LEASE_EXPIRES]).map(|word| format!("did you mean `{word}`?"))
            }
        };
        let all = "write a fault's id with `.begins` or `.heals`, an expectation's id with `.fails`, \
                   `leader-changes`, `lease-expires`, or { metric = \"success-rate\", below = \"90%\" }";
        Problem::error(place, message).help(help.unwrap_or_else(|| all.to_owned()))
    }

    /// A static registry has neither, and some others have no leader.
    fn of_registry(&self, word: &str, what: &str, place: Place) -> bool {
        let why = match self.written.registry.as_ref().map(|at| &at.value) {
            Some(Spec::Static) => format!("the registry is static and has no {what}"),
            Some(spec) if word == LEADER_CHANGES && !spec.has_leader() => {
                format!("no member of {} leads the others", spec.name())
            }
            Some(_) | None => return true,
        };
        self.report.add(
            Problem::error(place, format!("`{word}` never happens: {why}"))
                .help("choose another registry, such as etcd, or another trigger"),
        );
        false
    }

    fn fault(&self, id: &str, place: Place) -> Option<usize> {
        let found = self.ids.get(id).copied();
        if found.is_none() {
            let message = format!("there is no fault `{}` to wait for", shorten(id));
            let names = || self.ids.keys().copied();
            self.report
                .add(Problem::error(place, message).maybe_help(suggest(id, names().collect::<Vec<_>>())));
        }
        found
    }

    /// The metric of an expectation crosses its own bound, measured over the time that `over` has by default.
    fn fails(&mut self, id: &str, place: Place) -> Option<Trigger> {
        let found = self.asked.iter().position(|asked| asked.as_deref() == Some(id));
        let Some(found) = found else {
            let message = format!("there is no expectation `{}` to wait for", shorten(id));
            let names: Vec<&str> = self.asked.iter().flatten().map(String::as_str).collect();
            self.report.add(Problem::error(place, message).maybe_help(suggest(id, names)));
            return None;
        };
        let ask = self.written.expectations[found].ask.as_ref()?;
        match &ask.value {
            AskSpec::Oracle { oracle, .. } => {
                let (id, name) = (shorten(id), oracle.name());
                let message = format!("`{id}` asks for the oracle `{name}`, which has no bound to cross");
                self.report.add(
                    Problem::error(place, message)
                        .related(ask.place, "the expectation")
                        .help("wait for an expectation of a metric, or for another trigger"),
                );
                None
            }
            AskSpec::Slo { .. } => {
                let message = format!("`{}` has objectives for several metrics", shorten(id));
                self.report.add(
                    Problem::error(place, message)
                        .related(ask.place, "the expectation")
                        .help("wait for an expectation of one metric, or for another trigger"),
                );
                None
            }
            AskSpec::Metric { name, metric, .. } if !metric.is_live() => {
                self.report.add(not_live(place, name).related(ask.place, "the expectation"));
                None
            }
            AskSpec::Metric { metric, at_least, at_most, .. } => {
                let (metric, at_least, at_most) = (*metric, *at_least, *at_most);
                self.crosses(Line { metric, at_least, at_most, over: limits::OVER_BY_DEFAULT }, place)
            }
        }
    }

    /// Faults that wait for the same line share it.
    fn crosses(&mut self, line: Line, place: Place) -> Option<Trigger> {
        let known = self.lines.iter().position(|other| *other == line);
        if known.is_none() {
            if self.lines.len() as u64 == limits::LINES.most {
                self.report.add(too_many(place, limits::LINES, limits::LINES.most + 1));
                return None;
            }
            self.lines.push(line);
        }
        Some(Trigger::Crosses(known.unwrap_or(self.lines.len() - 1)))
    }
}

/// The strike whose beginning or heal this one waits for.
fn other(start: Start) -> Option<usize> {
    match start {
        Start::When(Trigger::Begins(other) | Trigger::Heals(other), _) => Some(other),
        Start::When(Trigger::LeaderChanges | Trigger::LeaseExpires | Trigger::Crosses(_), _)
        | Start::At(_)
        | Start::Between(..) => None,
    }
}

/// Faults that wait for each other in a circle, and so never begin. Each circle is told once.
pub(super) fn circles(strikes: &[Strike<'_>], starts: &[Option<Start>], report: &Report) {
    // On whose behalf each has been looked at: every strike waits for one other at most, so each is looked at once.
    let mut seen: Vec<Option<usize>> = vec![None; starts.len()];
    for first in 0..starts.len() {
        let mut at = Some(first).filter(|&at| seen[at].is_none());
        while let Some(now) = at {
            if let Some(owner) = seen[now] {
                if owner == first {
                    report.add(circle(strikes, starts, now));
                }
                break;
            }
            seen[now] = Some(first);
            at = starts[now].and_then(other);
        }
    }
}

/// How many faults of a circle are named.
const NAMED: usize = 8;

fn circle(strikes: &[Strike<'_>], starts: &[Option<Start>], from: usize) -> Problem {
    let next = |at: &usize| starts[*at].and_then(other).filter(|&next| next != from);
    let members: Vec<usize> = std::iter::successors(Some(from), next).collect();
    let name = |at: usize| shorten(&strikes[at].id);
    let place = strikes[from].begins();
    if members.len() == 1 {
        return Problem::error(place, format!("`{}` waits for itself, and never begins", name(from)))
            .help("wait for another fault, or write `at`");
    }
    let each = members.iter().enumerate().take(NAMED).map(|(number, &at)| {
        format!("`{}` waits for `{}`", name(at), name(members[(number + 1) % members.len()]))
    });
    let more = members.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(", and {more} more") } else { String::new() };
    Problem::error(place, format!("{}{rest}: none of them ever begins", each.collect::<Vec<_>>().join(", ")))
        .help("let one of them begin by itself, with `at`")
}

/// A fault that waits for the heal of one that is never healed.
pub(super) fn never(strikes: &[Strike<'_>], planned: &[Option<&Planned>], report: &Report) {
    for (strike, waits) in strikes.iter().zip(planned) {
        let Some(Start::When(Trigger::Heals(other), _)) = waits.map(|planned| planned.start) else {
            continue;
        };
        if planned[other].is_some_and(Planned::is_lasting) && strike.follows.is_none() {
            let id = shorten(&strikes[other].id);
            report.add(
                Problem::error(
                    strike.begins(),
                    format!("the fault waits for the heal of `{id}`, which never comes"),
                )
                .related(strikes[other].place(), "this fault never heals")
                .help(format!("give that fault a `for` or an `until`, or write when = \"{id}.begins\"")),
            );
        }
    }
}
