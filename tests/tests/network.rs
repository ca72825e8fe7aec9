//! The network's faults: what each does, to whom, and that nothing else changes.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use schism_core::{
    Class, Classes, Cut, Distribution, Draw, Duration, Fault, FaultId, Feel, Flows, GilbertElliott, Harm,
    Impairment, NodeId, Ratio, Time, ratio,
};
use schism_tests::toy::{self, Arrival, Letter, NUMBERS, Post, cut, cut_with, impair, mend, ms, repair, set};

/// Tries so many cases of a strategy, always the same.
fn check<S: Strategy>(cases: u32, strategy: S, holds: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(&strategy, holds);
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

const FEELS: [Feel; 3] = [Feel::Silent, Feel::Refused, Feel::Held];
const POSTS: [Post; 2] = [Post::Alone, Post::Stream];
/// Everything is over by then, but for TCP's patience.
const END: u64 = 20_000;

fn letter(number: u32, at: u64, from: u32, to: u32, by: Post) -> Letter {
    Letter { at: ms(at), from: NodeId(from), to: NodeId(to), by, number }
}

/// So many letters from node 0 to node 1, a millisecond apart, the first at 100 ms.
fn series(count: u32, by: Post) -> Vec<Letter> {
    (0..count).map(|number| letter(number, 100 + u64::from(number), 0, 1, by)).collect()
}

/// What came to a node, and when, in milliseconds.
type Came = Vec<(u64, u32, Arrival)>;

fn run(letters: &[Letter], faults: &[(Time, Fault)], end: u64) -> Came {
    let mut world = toy::world(3, letters);
    toy::run(&mut world, faults, ms(end));
    in_ms(&world.witness().0)
}

fn in_ms(came: &[(Time, NodeId, Arrival)]) -> Came {
    came.iter().map(|&(at, node, what)| (at.as_nanos() / 1_000_000, node.0, what)).collect()
}

/// The letters that came, in order.
fn numbers(came: &Came) -> Vec<u32> {
    let number = |&(_, _, arrival): &(u64, u32, Arrival)| match arrival {
        Arrival::Letter(number) => Some(number),
        Arrival::Reset(_) => None,
    };
    came.iter().filter_map(number).collect()
}

const LETTER: fn(u32) -> Arrival = Arrival::Letter;

fn reset(from: u32) -> Arrival {
    Arrival::Reset(NodeId(from))
}

// Cuts.

#[test]
fn a_cut_stops_one_direction_as_it_feels_and_on_the_flows_it_names() {
    for (feel, flows, by) in FEELS
        .iter()
        .flat_map(|&feel| [Flows::All, Flows::Existing, Flows::New].map(|flows| (feel, flows)))
        .flat_map(|(feel, flows)| POSTS.map(|by| (feel, flows, by)))
    {
        // The first two open the connection and its other direction.
        let letters = [
            letter(0, 10, 0, 1, Post::Stream),
            letter(1, 60, 1, 0, Post::Stream),
            letter(2, 150, 0, 1, by),
            letter(3, 150, 1, 0, by),
        ];
        let faults = [(ms(100), cut_with(0, &[0], &[1], feel, flows)), (ms(1_000), mend(0))];
        let mut expected = vec![(40, 1, LETTER(0)), (70, 0, LETTER(1)), (160, 0, LETTER(3))];
        expected.extend(match (flows, feel, by) {
            (Flows::New, ..) => Some((160, 1, LETTER(2))),
            (_, Feel::Refused, _) => Some((150, 0, reset(1))),
            (_, Feel::Held, _) => Some((1_010, 1, LETTER(2))),
            (_, Feel::Silent, Post::Alone) => None,
            // The slots are 0.2, 0.6 and 1.4 s after the sending.
            (_, Feel::Silent, Post::Stream) => Some((1_560, 1, LETTER(2))),
        });
        let mut came = run(&letters, &faults, END);
        came.sort_unstable();
        expected.sort_unstable();
        assert_eq!(came, expected, "{feel:?} {flows:?} {by:?}");
    }
}

#[test]
fn what_a_cut_holds_comes_out_once_and_in_order_when_it_is_mended() {
    for by in POSTS {
        let mut letters = series(40, by);
        letters.push(letter(99, 10, 0, 1, by));
        let faults = [(ms(120), cut_with(0, &[0], &[1], Feel::Held, Flows::All)), (ms(500), mend(0))];
        let mut world = toy::world(2, &letters);
        toy::run(&mut world, &faults, ms(END));
        let came = in_ms(&world.witness().0);
        assert_eq!(numbers(&came), [99].into_iter().chain(0..40).collect::<Vec<_>>(), "{by:?}");
        // Twenty had been sent, and ten of them had arrived; one more arrives at the very moment of the cut.
        assert!(came.iter().filter(|came| came.0 == 510).count() >= 29, "{by:?}");
        assert!(world.touched(FaultId(0)) >= 1, "{by:?}");
    }
}

#[test]
fn of_several_cuts_silence_beats_refusal_and_refusal_beats_holding() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        let fault = |id: usize| (ms(50), cut_with(id as u32, &[0], &[1], FEELS[id], Flows::All));
        let mut faults: Vec<_> = order.map(fault).into();
        faults.extend([(ms(200), mend(0)), (ms(300), mend(1)), (ms(400), mend(2))]);
        let at = [150, 250, 350, 450];
        let letters: Vec<_> = (0..).zip(at).map(|(n, at)| letter(n, at, 0, 1, Post::Alone)).collect();
        let expected = vec![(250, 0, reset(1)), (410, 1, LETTER(2)), (460, 1, LETTER(3))];
        assert_eq!(run(&letters, &faults, END), expected, "{order:?}");
    }
}

#[test]
fn what_is_released_meets_the_cuts_that_are_then_in_force() {
    let held = |id| cut_with(id, &[0], &[1], Feel::Held, Flows::All);
    for by in POSTS {
        let letters = [letter(9, 10, 0, 1, by), letter(0, 150, 0, 1, by)];
        let twice = [(ms(100), held(0)), (ms(120), held(1)), (ms(200), mend(0)), (ms(300), mend(1))];
        assert_eq!(run(&letters, &twice, END).last(), Some(&(310, 1, LETTER(0))), "{by:?}");
    }
    let letters = [letter(0, 150, 0, 1, Post::Alone)];
    let lost = [(ms(100), held(0)), (ms(160), cut(1, &[0], &[1])), (ms(200), mend(0)), (ms(300), mend(1))];
    assert_eq!(run(&letters, &lost, END), []);
}

#[test]
fn a_cut_of_some_classes_spares_the_others() {
    for by in POSTS {
        // The connections are opened by messages of class 0.
        let letters = [
            letter(9, 10, 0, 1, by),
            letter(9, 10, 0, 2, by),
            letter(0, 150, 0, 1, by),
            letter(NUMBERS, 151, 0, 2, by),
        ];
        let (id, from, to) = (FaultId(0), set(&[0]), set(&[1, 2]));
        let classes = Classes::NONE.with(Class(1));
        let cut = Fault::Cut(Cut { id, from, to, feel: Feel::Silent, classes, flows: Flows::All });
        let mut world = toy::world(3, &letters);
        toy::run(&mut world, &[(ms(100), cut)], ms(300));
        assert_eq!(in_ms(&world.witness().0).last(), Some(&(160, 1, LETTER(0))), "{by:?}");
        assert!(world.touched(id) > 0);
        assert_eq!(world.scene().network().islands().len(), 1, "it makes no island");
    }
}

// New and existing connections.

#[test]
fn a_connection_is_asked_for_again_in_linuxs_slots_until_it_gives_up() {
    let letters = [letter(0, 100, 0, 1, Post::Stream)];
    for (mended, slot) in
        [(200, 1), (1_099, 1), (1_111, 3), (3_500, 7), (15_000, 15), (31_500, 63), (63_200, 127)]
    {
        for (from, to) in [([0], [1]), ([1], [0])] {
            let faults = [(ms(50), cut(0, &from, &to)), (ms(mended), mend(0))];
            let at = 100 + slot * 1_000;
            let expected = if slot == 127 { (at, 0, reset(1)) } else { (at + 30, 1, LETTER(0)) };
            assert_eq!(run(&letters, &faults, 300_000), [expected], "{mended} {from:?}");
        }
    }
}

#[test]
fn an_established_connection_gives_up_after_fifteen_retransmissions() {
    let letters = [letter(0, 10, 0, 1, Post::Stream), letter(1, 100, 0, 1, Post::Stream)];
    let came = run(&letters, &[(ms(50), cut(0, &[0], &[1]))], 1_000_000);
    assert_eq!(came, [(40, 1, LETTER(0)), (100 + 924_600, 0, reset(1))]);
}

#[test]
fn a_cut_of_new_connections_keeps_the_existing_ones() {
    let letters = [
        letter(0, 10, 0, 1, Post::Stream),
        letter(1, 150, 0, 1, Post::Stream),
        letter(2, 150, 0, 2, Post::Stream),
        letter(3, 150, 2, 1, Post::Stream),
    ];
    let faults = [(ms(100), cut_with(0, &[0], &[1, 2], Feel::Silent, Flows::New)), (ms(2_000), mend(0))];
    let expected = [
        (40, 1, LETTER(0)),
        (160, 1, LETTER(1)),
        // The other way they are opened as ever.
        (180, 1, LETTER(3)),
        (3_180, 2, LETTER(2)),
    ];
    assert_eq!(run(&letters, &faults, END), expected);
}

#[test]
fn a_half_open_connection_fails_and_a_new_one_works() {
    let first = [letter(0, 10, 0, 1, Post::Stream), letter(1, 60, 1, 0, Post::Stream)];
    let then = [letter(2, 150, 0, 1, Post::Stream), letter(3, 150, 0, 2, Post::Stream)];
    let again = [letter(4, 300, 0, 1, Post::Stream)];
    let letters = [&first[..], &then, &again].concat();
    let known = [(40, 1, LETTER(0)), (70, 0, LETTER(1))];
    let silent = run(&letters, &[(ms(100), cut_with(0, &[0], &[1, 2], Feel::Silent, Flows::Existing))], END);
    assert_eq!(silent, [&known[..], &[(180, 2, LETTER(3))]].concat());
    let refused =
        run(&letters, &[(ms(100), cut_with(0, &[0], &[1, 2], Feel::Refused, Flows::Existing))], END);
    let reopened = [(150, 0, reset(1)), (180, 2, LETTER(3)), (330, 1, LETTER(4))];
    assert_eq!(refused, [&known[..], &reopened].concat());
}

#[test]
fn what_is_severed_is_reset_at_both_ends_and_can_be_opened_anew() {
    let letters = [
        letter(0, 10, 0, 1, Post::Stream),
        letter(1, 10, 2, 1, Post::Alone),
        letter(2, 95, 0, 1, Post::Stream),
        letter(3, 95, 2, 1, Post::Alone),
        letter(4, 150, 0, 1, Post::Stream),
        letter(5, 150, 2, 0, Post::Alone),
    ];
    let sever = Fault::Sever { id: FaultId(7), from: set(&[0, 2]), to: set(&[1]) };
    let mut world = toy::world(3, &letters);
    toy::run(&mut world, &[(ms(100), sever)], ms(END));
    let expected = [
        (20, 1, LETTER(1)),
        (40, 1, LETTER(0)),
        (100, 0, reset(1)),
        (100, 1, reset(0)),
        (100, 1, reset(2)),
        (100, 2, reset(1)),
        (160, 0, LETTER(5)),
        (180, 1, LETTER(4)),
    ];
    assert_eq!(in_ms(&world.witness().0), expected);
    assert_eq!(world.touched(FaultId(7)), 2);
}

// Impairments.

fn constant(millis: u64) -> Distribution {
    Distribution::constant(Duration::from_millis(millis)).expect("it is short")
}

fn delay(millis: u64) -> Harm {
    Harm::Delay { extra: constant(millis), correlation: Ratio::ZERO }
}

#[test]
fn delays_add_one_way() {
    let faults = [(ms(50), impair(0, &[0], &[1], delay(5))), (ms(50), impair(1, &[0], &[1, 2], delay(7)))];
    let letters = [letter(0, 100, 0, 1, Post::Alone), letter(1, 100, 1, 0, Post::Alone)];
    assert_eq!(run(&letters, &faults, END), [(110, 0, LETTER(1)), (122, 1, LETTER(0))]);
    // A stream's handshake is slowed one way too: the question, and then what it asked for.
    let letters = [letter(0, 100, 0, 1, Post::Stream)];
    assert_eq!(run(&letters, &faults, END), [(100 + 3 * 10 + 2 * 12, 1, LETTER(0))]);
}

#[test]
fn a_delay_correlated_in_full_is_that_of_the_message_before() {
    let spread = |correlation| {
        let extra = Distribution::uniform(Duration::ZERO, Duration::from_millis(1_000)).expect("in order");
        let faults = [(ms(50), impair(0, &[0], &[1], Harm::Delay { extra, correlation }))];
        let came = run(&series(200, Post::Alone), &faults, END);
        came.iter().map(|&(at, _, _)| at).max().expect("they came") - came[0].0
    };
    assert!(spread(Ratio::ZERO) > 900);
    assert_eq!(spread(Ratio::ONE), 199);
}

/// How many of `count` letters come through these harms.
fn passing(count: u32, harms: &[Harm]) -> f64 {
    let faults: Vec<_> =
        (0..).zip(harms).map(|(id, harm)| (ms(50), impair(id, &[0], &[1], harm.clone()))).collect();
    numbers(&run(&series(count, Post::Alone), &faults, u64::from(count) + 1_000)).len() as f64
}

/// Whether a count lies within four standard deviations of that of so many trials of probability `p`.
fn is_near(count: f64, trials: u32, p: f64) -> bool {
    let n = f64::from(trials);
    (count - n * p).abs() <= 4.0 * (n * p * (1.0 - p)).sqrt()
}

#[test]
fn losses_combine_as_independent_chances() {
    const N: u32 = 20_000;
    let (p, q) = (ratio(3, 10), ratio(2, 10));
    let passed = passing(N, &[Harm::Lose { rate: p }, Harm::Corrupt { rate: q }]);
    assert!(is_near(passed, N, 0.7 * 0.8), "{passed}");
    assert!(is_near(passing(N, &[Harm::Lose { rate: p }]), N, 0.7));
}

#[test]
fn bursts_are_as_frequent_and_as_long_as_their_chain_says() {
    const N: u32 = 60_000;
    let chain = GilbertElliott {
        to_bad: ratio(1, 100),
        to_good: ratio(1, 4),
        loss_good: Ratio::ZERO,
        loss_bad: Ratio::ONE,
    };
    let faults = [(ms(50), impair(0, &[0], &[1], Harm::Burst(chain)))];
    let came = numbers(&run(&series(N, Post::Alone), &faults, u64::from(N) + 1_000));
    let bursts: Vec<f64> =
        came.windows(2).map(|two| f64::from(two[1] - two[0] - 1)).filter(|&lost| lost > 0.0).collect();
    let (lost, count) = (bursts.iter().sum::<f64>(), bursts.len() as f64);
    // A geometric length of mean 4 has a standard deviation of sqrt(12). Of the messages 1/26 are lost; the chain's
    // correlation of 0.74 makes the variance of their number 6.7 times that of independent ones.
    assert!((lost / count - 4.0).abs() < 4.0 * (12.0 / count).sqrt(), "{}", lost / count);
    let (n, p) = (f64::from(N), 1.0 / 26.0);
    assert!((lost - n * p).abs() < 4.0 * (6.7 * n * p * (1.0 - p)).sqrt(), "{lost}");
}

#[test]
fn a_share_arrives_twice_and_on_a_stream_once() {
    const N: u32 = 10_000;
    let faults = [(ms(50), impair(0, &[0], &[1], Harm::Duplicate { rate: ratio(1, 4) }))];
    let mut world = toy::world(2, &series(N, Post::Alone));
    toy::run(&mut world, &faults, ms(END));
    let mut times: BTreeMap<u32, u32> = BTreeMap::new();
    numbers(&in_ms(&world.witness().0)).into_iter().for_each(|n| *times.entry(n).or_default() += 1);
    let twice = times.values().filter(|&&times| times == 2).count();
    assert!(times.len() as u32 == N && times.values().all(|&times| times <= 2));
    assert!(is_near(twice as f64, N, 0.25), "{twice}");
    assert_eq!(world.touched(FaultId(0)), twice as u64);
    let mut world = toy::world(2, &series(100, Post::Stream));
    toy::run(&mut world, &faults, ms(END));
    assert_eq!(numbers(&in_ms(&world.witness().0)), (0..100).collect::<Vec<_>>());
    assert_eq!(world.touched(FaultId(0)), 0);
}

#[test]
fn what_is_held_back_is_overtaken_except_on_a_stream() {
    let gap = Duration::from_millis(15);
    let faults = [(ms(50), impair(0, &[0], &[1], Harm::Reorder { rate: ratio(1, 2), gap }))];
    let came = run(&series(200, Post::Alone), &faults, END);
    assert!(!numbers(&came).is_sorted() && came.len() == 200);
    for (at, _, arrival) in came {
        let Arrival::Letter(number) = arrival else { panic!("nobody resets anything") };
        let took = at - 100 - u64::from(number);
        assert!(took == 10 || took == 25, "{took} ms");
    }
    let came = run(&series(200, Post::Stream), &faults, END);
    assert_eq!(numbers(&came), (0..200).collect::<Vec<_>>());
}

#[test]
fn a_throttled_link_sends_one_after_the_other_and_drops_what_its_buffer_cannot_hold() {
    // A message of 1,000 bytes takes 10 ms, and five of them fit.
    let harm = Harm::Throttle { bytes_per_second: 100_000, buffer: 5_000 };
    let at_once = |to: u32, first: u32| (0..4).map(move |n| letter(first + n, 100, 0, to, Post::Alone));
    let mut letters: Vec<_> = at_once(1, 0).chain(at_once(2, 4)).collect();
    letters.push(letter(8, 1_000, 0, 2, Post::Alone));
    let mut world = toy::world(3, &letters);
    toy::run(&mut world, &[(ms(50), impair(0, &[0], &[1, 2], harm))], ms(END));
    let expected: Came = (0..5)
        .map(|n| (120 + 10 * u64::from(n), if n < 4 { 1 } else { 2 }, LETTER(n)))
        .chain([(1_020, 2, LETTER(8))])
        .collect();
    assert_eq!(in_ms(&world.witness().0), expected);
    assert_eq!(world.touched(FaultId(0)), 9);
}

#[test]
fn a_stream_gets_all_through_whatever_the_way_does_to_it() {
    let harms = [
        delay(300),
        Harm::Lose { rate: ratio(1, 10) },
        Harm::Corrupt { rate: ratio(1, 10) },
        Harm::Reorder { rate: ratio(1, 3), gap: Duration::from_millis(40) },
        Harm::Duplicate { rate: ratio(1, 3) },
        Harm::Throttle { bytes_per_second: 1_000_000, buffer: 100_000 },
    ];
    let begin = (0..).zip(&harms).map(|(id, harm)| (ms(50), impair(id, &[0, 1], &[0, 1], harm.clone())));
    let came = run(&series(300, Post::Stream), &begin.collect::<Vec<_>>(), 900_000);
    assert_eq!(numbers(&came), (0..300).collect::<Vec<_>>());
}

#[test]
fn no_intensity_is_no_fault() {
    let chain = GilbertElliott {
        to_bad: ratio(1, 2),
        to_good: ratio(1, 2),
        loss_good: Ratio::ZERO,
        loss_bad: Ratio::ZERO,
    };
    let none = [
        delay(0),
        Harm::Lose { rate: Ratio::ZERO },
        Harm::Burst(chain),
        Harm::Duplicate { rate: Ratio::ZERO },
        Harm::Reorder { rate: Ratio::ZERO, gap: Duration::from_millis(5) },
        Harm::Reorder { rate: ratio(1, 2), gap: Duration::ZERO },
        Harm::Corrupt { rate: Ratio::ZERO },
        Harm::Throttle { bytes_per_second: u64::MAX, buffer: 0 },
    ];
    let letters = [series(50, Post::Alone), series(50, Post::Stream)].concat();
    let digest = |faults: &[(Time, Fault)]| {
        let mut world = toy::world(2, &letters);
        toy::run(&mut world, faults, ms(END));
        (world.digest(), world.touched(FaultId(3)))
    };
    let beside = [(ms(90), impair(0, &[0], &[1], Harm::Lose { rate: ratio(1, 3) })), (ms(130), repair(0))];
    for harm in none {
        let fault = [(ms(100), impair(3, &[0], &[1], harm.clone())), (ms(120), repair(3))];
        assert_eq!(digest(&fault), digest(&[]), "{harm:?}");
        let mut both = [&beside[..], &fault].concat();
        both.sort_by_key(|&(at, _)| at);
        assert_eq!(digest(&both), digest(&beside), "{harm:?} beside another");
    }
    assert_ne!(digest(&beside), digest(&[]), "the check must be able to fail");
}

#[test]
fn an_impairment_of_some_classes_spares_the_others() {
    let letters = [letter(0, 100, 0, 1, Post::Alone), letter(NUMBERS, 100, 0, 1, Post::Alone)];
    let (id, from, to) = (FaultId(0), set(&[0]), set(&[1]));
    let classes = Classes::NONE.with(Class(1));
    let fault = Fault::Impair(Impairment { id, salt: Draw::new(1), from, to, classes, harm: delay(20) });
    assert_eq!(run(&letters, &[(ms(50), fault)], END), [(110, 1, LETTER(0)), (130, 1, LETTER(NUMBERS))]);
}

// All of them together.

#[derive(Clone, Debug)]
struct Trouble {
    kind: u32,
    from: Vec<u32>,
    to: Vec<u32>,
    begins: u64,
    lasts: u64,
}

impl Trouble {
    fn begin(&self, id: u32) -> Fault {
        let all = [Flows::All, Flows::Existing, Flows::New];
        let (from, to, rate) = (&self.from, &self.to, ratio(1, 3));
        match self.kind {
            kind @ 0..9 => cut_with(id, from, to, FEELS[kind as usize % 3], all[kind as usize / 3]),
            9 => impair(id, from, to, delay(50)),
            10 => impair(id, from, to, Harm::Lose { rate }),
            11 => impair(id, from, to, Harm::Duplicate { rate }),
            12 => impair(id, from, to, Harm::Reorder { rate, gap: Duration::from_millis(30) }),
            _ => impair(id, from, to, Harm::Throttle { bytes_per_second: 200_000, buffer: 20_000 }),
        }
    }

    fn end(&self, id: u32) -> Fault {
        if self.kind < 9 { mend(id) } else { repair(id) }
    }
}

fn troubles() -> impl Strategy<Value = Vec<Trouble>> {
    let nodes = |mask: u32| (0..3).filter(|node| mask >> node & 1 == 1).collect::<Vec<u32>>();
    let trouble = (0..14_u32, 1..8_u32, 1..8_u32, 0..400_u64, 0..400_u64).prop_map(
        move |(kind, from, to, begins, lasts)| Trouble {
            kind,
            from: nodes(from),
            to: nodes(to),
            begins,
            lasts,
        },
    );
    prop::collection::vec(trouble, 0..8)
}

#[test]
fn whatever_went_wrong_nothing_is_left_of_it_when_all_is_undone() {
    check(300, troubles(), |troubles| {
        let mut plan: Vec<(Time, Fault)> = Vec::new();
        for (id, trouble) in (0..).zip(&troubles) {
            plan.push((ms(trouble.begins), trouble.begin(id)));
            plan.push((ms(trouble.begins + trouble.lasts), trouble.end(id)));
        }
        plan.sort_by_key(|&(at, _)| at);
        let mut letters: Vec<Letter> = (0..300)
            .map(|n| letter(n, u64::from(n) * 2, n % 3, (n + 1) % 3, POSTS[n as usize / 3 % 2]))
            .collect();
        letters.extend((0..3).map(|n| letter(1_000 + n, 300_000, n, (n + 1) % 3, Post::Alone)));
        let mut world = toy::world(3, &letters);
        toy::run(&mut world, &plan, ms(400_000));
        let came = in_ms(&world.witness().0);
        let last: Vec<_> = came.iter().copied().filter(|&(at, ..)| at >= 300_000).collect();
        let expected: Vec<_> = (0..3).map(|n| (300_010, (n + 1) % 3, LETTER(1_000 + n))).collect();
        prop_assert_eq!(last, expected);
        // Where nothing was refused, each stream has brought all, in order and once.
        for node in 0..3 {
            let refused = came.iter().any(|&(_, _, arrival)| matches!(arrival, Arrival::Reset(_)));
            let streamed = |n: &u32| *n < 1_000 && (n + 1) % 3 == node && n / 3 % 2 == 1;
            let here: Came = came.iter().filter(|came| came.1 == node).copied().collect();
            let got: Vec<u32> = numbers(&here).into_iter().filter(streamed).collect();
            prop_assert!(got.is_sorted_by(|a, b| a < b), "{:?}", got);
            prop_assert!(refused || got.len() == 50, "{:?}", got);
        }
        Ok(())
    });
}
