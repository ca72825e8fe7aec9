//! Silences: when nothing came from one node to others, though it might have, and what took it.

use std::collections::BTreeMap;

use schism_core::{Duration, NodeId, Taker, Time};

use super::facts::{Fact, Idle, Kind, Silence};
use super::past::Point;
use crate::trace::{Note, Noted, Trace, What};

/// For how long before a moment what was taken can still be why a node was not heard then.
const RECENT: Duration = Duration::from_secs(10);

/// How many of what was swallowed each fault took.
pub(super) fn by_fault<'t>(notes: impl Iterator<Item = &'t Note>) -> BTreeMap<usize, u64> {
    let mut taken = BTreeMap::new();
    for note in notes {
        if let Noted::Swallowed { by: Taker::Fault(fault), .. } = note.noted {
            *taken.entry(fault.0 as usize).or_default() += 1;
        }
    }
    taken
}

/// What each fault has lately taken between these and those, whichever way it went.
pub(super) fn taken<W>(
    trace: &Trace<W>,
    these: &[NodeId],
    those: &[NodeId],
    until: Time,
) -> BTreeMap<usize, u64> {
    let is_between = |note: &&Note| match &note.noted {
        Noted::Swallowed { from, to, .. } => {
            these.contains(from) && those.contains(to) || these.contains(to) && those.contains(from)
        }
        Noted::Observed { .. }
        | Noted::Struck(_)
        | Noted::Exited { .. }
        | Noted::Began { .. }
        | Noted::Healed { .. } => false,
    };
    let lately = trace.notes().rev().skip_while(|note| note.at > until);
    by_fault(lately.take_while(|note| note.at + RECENT >= until).filter(is_between))
}

/// When a node was heard again by others after the last of its words to them that was kept from them before this moment.
fn heard_again<W>(trace: &Trace<W>, from: NodeId, to: &[NodeId], until: Time) -> Option<Time> {
    let is_taken = |noted: &Noted| matches!(noted, Noted::Swallowed { from: sender, to: receiver, .. } if *sender == from && to.contains(receiver));
    let taken = trace.notes().rfind(|note| note.at < until && is_taken(&note.noted))?.at;
    let is_word = |what: &What| matches!(what, What::Message { from: sender, .. } if *sender == from);
    let heard = trace.events().find(|(_, event)| {
        event.at > taken && event.at < until && to.contains(&event.to) && is_word(&event.what)
    });
    heard.map(|(_, event)| event.at)
}

/// The silence of a node towards others that lasted until a moment, if anything kept it from being heard. It is told of
/// when that first did.
pub(super) fn silence<W>(
    trace: &Trace<W>,
    facts: &[Fact],
    from: NodeId,
    to: &[NodeId],
    until: Time,
) -> Option<Fact> {
    let to: Vec<NodeId> = to.iter().copied().filter(|node| *node != from).collect();
    let arrived = trace.events().rev().skip_while(|(_, event)| event.at >= until).find(|(_, event)| {
        matches!(&event.what, What::Message { from: sender, .. } if *sender == from) && to.contains(&event.to)
    });
    let since = arrived.map(|(_, event)| event.at);
    let from_then = since.unwrap_or(Time::START);
    let asked = trace.events().rev().skip_while(|(_, event)| event.at >= until);
    let mut asked = asked.take_while(|(_, event)| event.at >= from_then);
    let knocks = asked.any(|(_, event)| {
        matches!(event.what, What::Open { peer } if peer == from) && to.contains(&event.to)
    });
    let (taken, lost, idle) = (BTreeMap::new(), 0, None);
    let mut silence = Silence { from, to, since, until, taken, lost, knocks, idle };
    let mut first = None;
    let mut point = None;
    for (number, note) in
        trace.notes().enumerate().filter(|(_, note)| note.at >= from_then && note.at < until)
    {
        let Noted::Swallowed { from: sender, to: receiver, by, .. } = &note.noted else { continue };
        if *sender != from || !silence.to.contains(receiver) {
            continue;
        }
        point = Some(Point::Swallowed(number));
        first = first.or(Some(note.at));
        match by {
            Taker::Fault(fault) => *silence.taken.entry(fault.0 as usize).or_default() += 1,
            Taker::Link | Taker::Darkness | Taker::Refusal | Taker::Closing => silence.lost += 1,
        }
    }
    // The last word about its process: whether it ran when the silence was over.
    let mut of_process = facts.iter().rev().filter(|fact| fact.who == Some(from) && fact.at < until);
    let word = |fact: &&Fact| matches!(fact.what, Kind::Stops | Kind::Dies | Kind::GoesOn | Kind::Boots);
    if let Some(last) = of_process.find(word) {
        silence.idle = match last.what == Kind::Stops {
            true => Some((Idle::Stopped, last.at)),
            false => (last.what == Kind::Dies).then_some((Idle::Dead, last.at)),
        };
        point = point.or(silence.idle.map(|_| last.point));
        first = first.or(silence.idle.map(|_| last.at));
    }
    if first.is_none() {
        // It was heard again, too late to help: what there is to tell is the silence that this ended.
        let to = silence.to;
        let heard = heard_again(trace, from, &to, until)?;
        return self::silence(trace, facts, from, &to, heard);
    }
    Some(Fact { at: first?, point: point?, who: Some(from), of: None, what: Kind::Silent(silence) })
}
