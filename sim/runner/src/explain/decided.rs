//! What was decided between two moments: of the failure's past, what happened then, and the luck that was drawn for it.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Cause, NodeId, Seed, Time};
use schism_models::node::Process;
use schism_scenario::Scenario;

use super::past::Point;
use super::recorded::Recorded;
use super::story::Line;
use super::telling::Teller;
use crate::failure::Failure;
use crate::figures::secs;
use crate::simulation::Step;
use crate::trace::{Event, What};
use crate::verify::{Positions, positions};
use crate::words::{Names, named, plainly};
use crate::{Simulation, Trace, Words};

/// How many lines are told.
const MOST: usize = 4;
/// How many events are looked at one by one: in more, nobody can point at one.
const MOST_EVENTS: u64 = 2_000;

/// What of the failure's past happened from one moment until before another, those first for which luck was drawn; and
/// how much more there was.
pub(super) fn decided<P: Process>(
    scenario: &Scenario,
    seed: Seed,
    failure: &Failure,
    from: Time,
    by: Time,
) -> (Vec<Line>, u64) {
    let recorded = Recorded::of::<P>(scenario, seed, failure);
    if from == Time::START && by <= Time::from_nanos(1) {
        return (booted::<P>(scenario, seed, &recorded), 0);
    }
    let within = |at: Time| from <= at && at < by;
    let inside = recorded.trace.events().filter(|(_, event)| within(event.at));
    let events = inside.filter(|(number, _)| recorded.past.has(point(*number)));
    let events: BTreeMap<u64, _> = events.collect();
    let drawn = drawn::<P>(scenario, seed, from, by);
    let observed = recorded.facts.iter().filter(|fact| within(fact.at) && recorded.past.has(fact.point));
    let names = Names::new(scenario);
    let teller = Teller { scenario, names: &names, words: Words::new(scenario), seed };
    let mut seen: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for fact in observed {
        if let Point::Happened(Cause::Event(number)) = fact.point {
            seen.entry(number).or_default().push(teller.what(&fact.what, false));
        }
    }
    let line = |(number, event): (&u64, &&Event)| {
        let happens = match &event.what {
            What::Timer(timer) => {
                format!("acts on its timer ({})", plainly(&named(&names, &format!("{timer:?}"))))
            }
            What::Message { from, msg, .. } => {
                let said = plainly(&named(&names, &format!("{msg:?}")));
                format!("hears from {}: {}", names.one(*from), short(&said))
            }
            What::Plight
            | What::Reset { .. }
            | What::Retransmit { .. }
            | What::Boot
            | What::Open { .. }
            | What::Accepted { .. } => format!("meets a {}", event.what.word()),
        };
        let told = seen.get(number).map(|facts| facts.join(", and "));
        let draws =
            drawn.get(number).map(|purposes| format!(", and draws luck for its {}", purposes.join(", ")));
        Line {
            at_s: secs(event.at),
            who: names.one(event.to),
            what: format!("{}{}", told.unwrap_or(happens), draws.unwrap_or_default()),
            point: point(*number),
        }
    };
    // What draws luck decides; after that, what somebody observes; of equals the latest, which sealed it.
    let rank =
        |number: u64| (!drawn.contains_key(&number), !seen.contains_key(&number), std::cmp::Reverse(number));
    let mut numbers: Vec<u64> = events.keys().copied().collect();
    numbers.sort_by_key(|number| rank(*number));
    let more = numbers.len().saturating_sub(MOST) as u64;
    numbers.truncate(MOST);
    numbers.sort_unstable();
    (numbers.iter().map(|number| line((number, &events[number]))).collect(), more)
}

/// What those that the failure rests on drew as they booted.
fn booted<P: Process>(scenario: &Scenario, seed: Seed, recorded: &Recorded) -> Vec<Line> {
    let run: Simulation<(), P> = Simulation::new(scenario, seed, ());
    let names = Names::new(scenario);
    let line = |node: &NodeId| {
        let actor = run.world().actor(*node).map(Process::node);
        let drawn = positions(&format!("{actor:?}")).into_values().filter(|position| position.at > 0);
        let purposes: BTreeSet<String> = drawn.map(|position| position.purpose).collect();
        let purposes: Vec<String> = purposes.into_iter().collect();
        (!purposes.is_empty()).then(|| Line {
            at_s: 0.0,
            who: names.one(*node),
            what: format!("boots, and draws luck for its {}", purposes.join(", ")),
            point: Point::Happened(Cause::Start),
        })
    };
    recorded.about.iter().filter_map(line).collect()
}

/// For which purposes the node that handles an event drew luck then, by the event's number.
fn drawn<P: Process>(scenario: &Scenario, seed: Seed, from: Time, by: Time) -> BTreeMap<u64, Vec<String>> {
    let mut run: Simulation<Trace<()>, P> = Simulation::new(scenario, seed, Trace::new(1_000, ()));
    run.run_until(from);
    let mut drawn = BTreeMap::new();
    let nodes: Vec<NodeId> = (0..run.world().nodes() as u32).map(NodeId).collect();
    let state = |run: &Simulation<Trace<()>, P>, node: NodeId| {
        let (world, actor) = (run.world(), run.world().actor(node).map(Process::node));
        positions(&format!("{actor:?} {:?}", world.luck_of_messages(node)))
    };
    let mut known: Vec<Positions> = nodes.iter().map(|node| state(&run, *node)).collect();
    for _ in 0..MOST_EVENTS {
        if run.step() == Step::End || run.world().now() >= by {
            break;
        }
        let number = run.world().events();
        let Some(event) = run.witness().event(number) else { continue };
        let node = event.to;
        let after = state(&run, node);
        let before = std::mem::replace(&mut known[node.index()], after.clone());
        let moved = after.into_iter().filter(|(stream, position)| before.get(stream) != Some(position));
        let purposes: Vec<String> = moved.map(|(_, position)| position.purpose).collect();
        if !purposes.is_empty() {
            drawn.insert(number, purposes);
        }
    }
    drawn
}

fn point(number: u64) -> Point {
    Point::Happened(Cause::Event(number))
}

/// At most so many characters of what was said.
fn short(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}
