//! Every queue of the catalog does what the reference does, whatever it is asked.

use proptest::prelude::*;

use super::{Ladder, Quad, Queue, Radix, Reference};
use crate::{Duration, Time};

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Schedules an event so long after the last one that left.
    Push(Duration),
    /// Schedules as many events as that, all for one instant.
    Burst(usize, Duration),
    /// Asks for an event before the instant so long after the last one that left.
    Pop(Duration),
    /// Takes up to as many events as that, scheduling the next one so long after each.
    Hold(usize, Duration),
    /// Asks when the next event is due.
    Next,
    /// Goes on with a copy of the queue.
    Clone,
}

/// Nothing, and lengths of every magnitude from a nanosecond to five centuries; small ones often, so that there are ties.
fn distance() -> impl Strategy<Value = Duration> {
    let nanos = prop_oneof![
        4 => 0..4_u64,
        8 => (0..64_u32, any::<u64>()).prop_map(|(bits, n)| n >> (63 - bits)),
        4 => 0..100_000_000_u64,
        1 => Just(100_000_000),
        1 => Just(u64::MAX),
    ];
    nanos.prop_map(Duration::from_nanos)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => distance().prop_map(Step::Push),
        1 => (0..300_usize, distance()).prop_map(|(n, after)| Step::Burst(n, after)),
        8 => distance().prop_map(Step::Pop),
        2 => (0..3_000_usize, distance()).prop_map(|(n, after)| Step::Hold(n, after)),
        2 => Just(Step::Next),
        1 => Just(Step::Clone),
    ]
}

/// What one queue answers to the steps; events are numbered in the order in which they were scheduled.
fn answers<Q: Queue<usize>>(steps: &[Step]) -> Vec<(Option<Time>, usize)> {
    let (mut queue, mut now, mut pushed) = (Q::default(), Time::START, 0);
    let mut push = |queue: &mut Q, at| {
        queue.push(at, pushed);
        pushed += 1;
    };
    let mut answers = Vec::new();
    for &step in steps {
        match step {
            Step::Push(after) => push(&mut queue, now + after),
            Step::Burst(n, after) => (0..n).for_each(|_| push(&mut queue, now + after)),
            Step::Pop(within) => {
                let popped = queue.pop_until(now + within);
                now = popped.map_or(now, |(at, _)| at);
                answers.push(popped.map_or((None, 0), |(at, event)| (Some(at), event)));
            }
            Step::Hold(n, after) => {
                for _ in 0..n {
                    let Some((at, event)) = queue.pop_until(Time::END) else { break };
                    answers.push((Some(at), event));
                    now = at;
                    push(&mut queue, now + Duration::from_nanos(after.as_nanos() / (1 + event as u64 % 7)));
                }
            }
            Step::Next => answers.push((queue.next_at(), 0)),
            Step::Clone => queue = queue.clone(),
        }
        answers.push((None, queue.len()));
    }
    while let Some((at, event)) = queue.pop_until(Time::END) {
        answers.push((Some(at), event));
    }
    answers
}

macro_rules! equals_reference {
    ($name:ident, $queue:ident) => {
        mod $name {
            use super::*;

            proptest! {
                #[test]
                fn equals_the_reference(steps in prop::collection::vec(step(), 0..60)) {
                    prop_assert_eq!(answers::<$queue<usize>>(&steps), answers::<Reference<usize>>(&steps));
                }
            }
        }
    };
}

crate::each_queue!(equals_reference);
