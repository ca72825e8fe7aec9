//! The oracle of linearizable histories against a search through all orders, on small histories that are drawn.

use schism_core::{Luck, NodeId, Seed};
use schism_models::observation::{Act, Observation, Value};
use schism_models::oracle::Mood;

use super::{ask, judged};
use crate::ledger::stage::{BATCH, REGISTRY, Stage, WEB};

const CLIENTS: [NodeId; 3] = [WEB, NodeId(WEB.0 + 1), BATCH];

/// One operation: when it was called and answered, and of which write it is. A write without an answer has none, unless
/// somebody has read it.
#[derive(Clone, Copy, Debug)]
struct Operation {
    by: NodeId,
    call: u32,
    act: Act,
    from: u64,
    until: Option<u64>,
    revision: Option<u64>,
}

/// A few operations of three clients, one after another for each, with revisions that may be right or not.
fn drawn(luck: &mut Luck) -> Vec<Operation> {
    let mut history: Vec<Operation> = Vec::new();
    let mut open: [Option<usize>; 3] = [None; 3];
    let mut dead = [false; 3];
    let mut moment = 100;
    let mut call = 0;
    while history.len() < 5 || open.iter().any(Option::is_some) {
        let who = luck.draw().below(3) as usize;
        moment += 10;
        match open[who].take() {
            Some(at) => {
                let lost = luck.draw().below(4) == 0;
                dead[who] |= lost;
                history[at].until = (!lost).then_some(moment);
            }
            None if history.len() < 5 && !dead[who] => {
                let act = if luck.draw().below(2) == 0 { Act::Write } else { Act::Read };
                open[who] = Some(history.len());
                let (by, revision) = (CLIENTS[who], Some(u64::from(luck.draw().below(4))));
                history.push(Operation { by, call, act, from: moment, until: None, revision });
                call += 1;
            }
            None if dead.iter().all(|dead| *dead) => break,
            None => {}
        }
    }
    // Writes begin at revision 1. A read without an answer says nothing.
    history.retain(|operation| operation.act == Act::Write || operation.until.is_some());
    for operation in history.iter_mut().filter(|operation| operation.act == Act::Write) {
        operation.revision = operation.revision.map(|revision| revision + 1);
    }
    history
}

/// What was written at a revision: nothing at 0; nothing known, if no write is of it.
fn value(history: &[Operation], revision: u64) -> Option<Value> {
    if revision == 0 {
        return Some(Value::default());
    }
    let writes = |operation: &&Operation| operation.act == Act::Write && operation.revision == Some(revision);
    history.iter().find(writes).map(|write| Value::of(write.by, write.call))
}

fn told(history: &[Operation]) -> String {
    let mut stage = Stage::new().with([ask(Mood::Always, "linearizable")]);
    for &Operation { by, call, act, from, until, revision } in history {
        stage.says(from, by, Observation::Called { call, key: 0, act, to: REGISTRY });
        let (Some(until), Some(revision)) = (until, revision) else { continue };
        let value = value(history, revision).unwrap_or_default();
        let answer = match act {
            Act::Write => Observation::Written { call, revision },
            Act::Read => Observation::Fetched { call, revision, value },
        };
        stage.says(until, by, answer);
    }
    judged(&stage).remove(0)
}

/// Whether some order of all operations contradicts neither the clock nor a register whose writes are numbered upwards. A
/// write without an answer is in it only if it was read.
fn is_linearizable(history: &[Operation]) -> bool {
    let is_read = |write: &Operation| {
        history.iter().any(|read| read.act == Act::Read && read.revision == write.revision)
    };
    let counts = |operation: &&Operation| operation.until.is_some() || is_read(operation);
    let left: Vec<Operation> = history.iter().filter(counts).copied().collect();
    search(&left, 0)
}

fn search(left: &[Operation], current: u64) -> bool {
    if left.is_empty() {
        return true;
    }
    let comes_before = |a: &Operation, b: &Operation| a.until.is_some_and(|until| until < b.from);
    (0..left.len()).any(|at| {
        let next = left[at];
        let revision = next.revision.expect("every operation has one");
        let fits = match next.act {
            Act::Read => revision == current,
            Act::Write => revision > current,
        };
        let may_be_next = !left.iter().any(|other| comes_before(other, &next));
        let rest = || [&left[..at], &left[at + 1..]].concat();
        fits && may_be_next && search(&rest(), revision)
    })
}

#[test]
fn one_look_at_each_answer_finds_what_a_search_through_all_orders_finds() {
    let (mut good, mut bad) = (0, 0);
    for seed in 0..3_000 {
        let history = drawn(&mut Seed(seed).luck("history", "operations", 0));
        // Everything that is read was written by somebody, and no two writes are of one revision.
        let is_written = |operation: &Operation| value(&history, operation.revision.unwrap_or(0)).is_some();
        let of = |revision| {
            history.iter().filter(|other| other.act == Act::Write && other.revision == revision).count()
        };
        let is_told_apart = |operation: &Operation| operation.act == Act::Read || of(operation.revision) == 1;
        if history.is_empty() || !history.iter().all(|one| is_written(one) && is_told_apart(one)) {
            continue;
        }
        let holds = is_linearizable(&history);
        let said = told(&history);
        assert_eq!(said == "holds", holds, "seed {seed}: {said}: {history:#?}");
        if holds { good += 1 } else { bad += 1 }
    }
    assert!(good > 100 && bad > 100, "{good} are linearizable, and {bad} are not");
}
