//! Every queue of the catalog does what the reference does, whatever it is asked.

use proptest::prelude::*;

use super::{Ladder, Queue, Reference};
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
    /// Asks when the next event is due, and which it is.
    Next,
    /// Asks what waits.
    Walk,
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
        1 => Just(Step::Walk),
        1 => Just(Step::Clone),
    ]
}

/// What one queue answers to the steps; events are numbered in the order in which they were scheduled.
fn answers<Q: Queue<usize>>(steps: &[Step]) -> Vec<(Option<Time>, usize)> {
    let (mut queue, mut now, mut pushed) = (Q::default(), Time::START, 0);
    let mut push = |queue: &mut Q, at| {
        let number = queue.push(at, pushed);
        assert_eq!(number, pushed as u64, "events are numbered as they are scheduled");
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
            Step::Next => {
                answers.push((queue.next_at(), 0));
                let number = queue.next_number(now + Duration::from_nanos(1_000));
                answers.push((None, number.map_or(usize::MAX, |number| number as usize)));
            }
            Step::Walk => {
                answers.extend(queue.waiting().into_iter().map(|(at, number, &event)| {
                    assert_eq!(number, event as u64);
                    (Some(at), event)
                }));
            }
            Step::Clone => queue = queue.clone(),
        }
        answers.push((None, queue.len()));
    }
    while let Some((at, event)) = queue.pop_until(Time::END) {
        answers.push((Some(at), event));
    }
    answers
}

/// Without the answers in the panic: they are hundreds of thousands.
fn check<Q: Queue<usize>>(steps: &[Step]) {
    assert!(answers::<Q>(steps) == answers::<Reference<usize>>(steps), "differs from the reference");
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

            #[test]
            fn a_hundred_thousand_events_of_one_instant_pass() {
                check::<$queue<usize>>(&[
                    Step::Burst(100_000, Duration::from_millis(1)),
                    Step::Hold(150_000, Duration::ZERO),
                ]);
            }

            #[test]
            fn a_look_at_a_far_event_does_not_bury_the_near_ones() {
                let mut steps = vec![Step::Push(Duration::from_secs(30)), Step::Next];
                steps.extend((0..50_000).map(|i| Step::Push(Duration::from_nanos(i * 7919 % 1_000_000))));
                check::<$queue<usize>>(
                    &[&steps[..], &[Step::Hold(200_000, Duration::from_millis(1))]].concat(),
                );
            }

            #[test]
            fn times_of_ten_orders_of_magnitude_pass() {
                let magnitudes = (0..100_000)
                    .map(|i| Step::Push(Duration::from_nanos(10_u64.pow(i % 11) * (1 + u64::from(i) % 97))));
                check::<$queue<usize>>(&magnitudes.collect::<Vec<_>>());
            }
        }
    };
}

crate::each_queue!(equals_reference);
