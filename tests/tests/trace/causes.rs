//! What the kernel says each event came of: it survives pauses, held cuts, retransmissions and changes of clocks.

use proptest::prelude::*;
use schism_core::{
    Birth, Cause, Death, Fault, FaultId, Feel, Finds, Flows, Harm, NodeId, Rate, Ratio, Setting, Taker, Then,
    Time, World,
};
use schism_tests::follow::{Follow, Loss, What};
use schism_tests::toy::{self, Letter, Post, Toy, cut, cut_with, impair, mend, ms, repair};

const FAULT: FaultId = FaultId(0);

fn letter(number: u32, at: u64, by: Post) -> Letter {
    Letter { at: ms(at), from: NodeId(0), to: NodeId(1), by, number }
}

/// A world of three, with these letters and these faults, when all is over.
fn followed(letters: &[Letter], faults: &[(Time, Fault)]) -> Follow {
    followed_world(letters, faults).into_witness()
}

fn followed_world(letters: &[Letter], faults: &[(Time, Fault)]) -> World<Toy, Follow> {
    let mut world = toy::world_told(3, &[], Birth::AtStart, letters, Follow::default());
    toy::run(&mut world, faults, ms(20_000));
    world
}

#[test]
fn a_letter_comes_of_the_timer_that_sent_it_and_that_of_the_start() {
    for by in [Post::Alone, Post::Stream] {
        let followed = followed(&[letter(7, 100, by)], &[]);
        assert_eq!(followed.arrival(7).cause, followed.sent(7), "{by:?}");
        let Cause::Event(sent) = followed.sent(7) else { panic!("an event has sent it") };
        assert_eq!(followed.step(sent).cause, Cause::Start);
        assert!(followed.losses.is_empty());
    }
}

#[test]
fn what_is_sent_again_comes_of_its_first_sending_by_way_of_the_retransmission() {
    let letters = [letter(1, 10, Post::Stream), letter(2, 150, Post::Stream), letter(3, 160, Post::Stream)];
    let followed = followed(&letters, &[(ms(100), cut(0, &[0], &[1])), (ms(1_000), mend(0))]);
    for number in [2, 3] {
        let arrival = followed.arrival(number);
        assert_eq!(arrival.cause, followed.sent(number), "letter {number}");
        let Cause::Event(via) = arrival.via else { panic!("a retransmission has set it going") };
        assert_eq!(followed.step(via).what, What::Connection);
        assert!(followed.step(via).at > ms(1_000));
    }
    // The first that was lost is told of at each attempt; what waits behind it is not under way.
    let first = Loss {
        at: ms(150),
        cause: followed.sent(2),
        ends: (NodeId(0), NodeId(1)),
        letter: Some(2),
        fate: (Taker::Fault(FAULT), Then::SentAgain),
    };
    assert_eq!(followed.losses[0], first);
    assert!(followed.losses.len() > 1 && followed.losses.iter().all(|loss| loss.letter == Some(2)));
}

#[test]
fn a_pause_and_a_held_cut_keep_what_a_letter_came_of() {
    let pause = [(ms(105), Fault::Pause(NodeId(1))), (ms(500), Fault::Resume(NodeId(1)))];
    let held = |at| [(ms(at), cut_with(0, &[0], &[1], Feel::Held, Flows::All)), (ms(500), mend(0))];
    // At its sending, and on its way.
    for faults in [pause.clone(), held(90), held(105)] {
        for by in [Post::Alone, Post::Stream] {
            let followed = followed(&[letter(0, 10, by), letter(1, 100, by)], &faults);
            let arrival = followed.arrival(1);
            assert_eq!((arrival.cause, arrival.via), (followed.sent(1), Cause::Deed(2)), "{by:?} {faults:?}");
            assert!(arrival.at >= ms(500));
        }
    }
    let followed = followed(&[letter(1, 100, Post::Alone)], &pause);
    let first = followed.steps.iter().find(|step| step.what == What::Letter(1)).expect("it came");
    assert_eq!((first.finds, first.at), (Finds::Still, ms(110)));
}

#[test]
fn a_message_that_is_kept_is_told_of_with_the_fault_that_keeps_it() {
    let held = [(ms(105), cut_with(0, &[0], &[1], Feel::Held, Flows::All)), (ms(500), mend(0))];
    let followed = followed(&[letter(1, 100, Post::Alone)], &held);
    let fates: Vec<_> = followed.losses.iter().map(|loss| (loss.at, loss.letter, loss.fate)).collect();
    assert_eq!(fates, [(ms(110), Some(1), (Taker::Fault(FAULT), Then::Kept(FAULT)))]);
}

#[test]
fn a_letter_that_is_lost_is_told_of_with_what_took_it() {
    let loses_all = impair(0, &[0], &[1], Harm::Lose { rate: Ratio::ONE });
    let fates = |fault: Fault| {
        let followed = followed(&[letter(1, 100, Post::Alone)], &[(ms(50), fault)]);
        followed.losses.iter().map(|loss| (loss.letter, loss.fate)).collect::<Vec<_>>()
    };
    let by_fault = [(Some(1), (Taker::Fault(FAULT), Then::Lost))];
    assert_eq!(fates(loses_all), by_fault);
    assert_eq!(fates(cut(0, &[0], &[1])), by_fault);
    assert_eq!(fates(cut_with(0, &[0], &[1], Feel::Refused, Flows::All)), by_fault);
    let dies = |death| Fault::Crash(NodeId(1), death);
    assert_eq!(fates(dies(Death::POWER_LOSS)), [(Some(1), (Taker::Darkness, Then::Lost))]);
    assert_eq!(fates(dies(Death::KILLED)), [(Some(1), (Taker::Refusal, Then::Lost))]);
}

#[test]
fn a_reset_comes_of_the_letter_that_was_turned_away() {
    let killed = (ms(50), Fault::Crash(NodeId(1), Death::KILLED));
    let followed = followed(&[letter(1, 100, Post::Alone)], &[killed]);
    let reset = followed.steps.last().expect("the reset came last");
    assert_eq!((reset.what, reset.to), (What::Connection, NodeId(0)));
    let Cause::Event(turned_away) = reset.cause else { panic!("a letter has caused it") };
    let letter = followed.step(turned_away);
    assert_eq!((letter.what, letter.finds), (What::Letter(1), Finds::Gone));
    assert_eq!(letter.cause, followed.sent(1));
}

#[test]
fn a_change_of_clocks_keeps_what_a_timer_came_of() {
    let stops = Setting { monotonic: Rate::STOPPED, ..Setting::TRUE };
    let set = |at, setting| (ms(at), Fault::SetClock(NodeId(0), setting));
    let letters = [letter(1, 100, Post::Alone), letter(2, 200, Post::Alone)];
    let followed = followed(&letters, &[set(50, stops), set(80, Setting::TRUE)]);
    let due = followed.steps.iter().find(|step| step.what == What::Due(1)).expect("it was sent");
    assert_eq!((due.cause, due.via, due.at), (Cause::Start, Cause::Deed(2), ms(130)));
}

/// Faults of every kind that a world of three can meet.
fn fault() -> impl Strategy<Value = Fault> {
    let feel = prop_oneof![Just(Feel::Silent), Just(Feel::Refused), Just(Feel::Held)];
    let node = || (0..3_u32).prop_map(NodeId);
    prop_oneof![
        (0..3_u32, 0..3_u32, feel).prop_map(|(from, to, feel)| cut_with(0, &[from], &[to], feel, Flows::All)),
        Just(mend(0)),
        (0..3_u32, 0..3_u32).prop_map(|(from, to)| impair(
            1,
            &[from],
            &[to],
            Harm::Lose { rate: schism_core::ratio(1, 2) }
        )),
        Just(repair(1)),
        node().prop_map(Fault::Pause),
        node().prop_map(Fault::Resume),
        node().prop_map(|node| Fault::Crash(node, Death::KILLED)),
        node().prop_map(|node| Fault::Crash(node, Death::POWER_LOSS)),
        node().prop_map(Fault::Restart),
        (node(), prop_oneof![Just(Rate::STOPPED), Just(Rate::drift(500_000))])
            .prop_map(|(node, monotonic)| { Fault::SetClock(node, Setting { monotonic, ..Setting::TRUE }) }),
        node().prop_map(|node| Fault::SetClock(node, Setting::TRUE)),
    ]
}

fn letters() -> impl Strategy<Value = Vec<Letter>> {
    let by = prop_oneof![Just(Post::Alone), Just(Post::Stream)];
    let one = (0..1_000_u64, 0..3_u32, 1..3_u32, by);
    prop::collection::vec(one, 0..40).prop_map(|all| {
        let letter = |(number, (at, from, step, by)): (u32, (u64, u32, u32, Post))| Letter {
            at: ms(at),
            from: NodeId(from),
            to: NodeId((from + step) % 3),
            by,
            number,
        };
        (0..).zip(all).map(letter).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_goes_wrong_each_event_came_of_an_earlier_one_and_nothing_else_changes(
        letters in letters(),
        faults in prop::collection::vec((0..1_200_u64, fault()), 0..12),
    ) {
        let mut faults: Vec<(Time, Fault)> =
            faults.into_iter().map(|(at, fault)| (ms(at), fault)).collect();
        faults.sort_by_key(|&(at, _)| at);
        let traced = followed_world(&letters, &faults);
        let mut plain = toy::world(3, &letters);
        toy::run(&mut plain, &faults, ms(20_000));
        prop_assert_eq!((traced.digest(), traced.events()), (plain.digest(), plain.events()));
        prop_assert_eq!(&traced.witness().came, &plain.witness().0);

        let followed = traced.witness();
        prop_assert_eq!(followed.steps.len() as u64, traced.events());
        for (number, step) in (1..).zip(&followed.steps) {
            for cause in [step.cause, step.via] {
                match cause {
                    Cause::Start => {}
                    Cause::Event(of) => prop_assert!(of < number && followed.step(of).at <= step.at),
                    Cause::Deed(of) => prop_assert!(followed.deeds[of as usize - 1] <= step.at),
                }
            }
            // Whoever gets a letter, it came of its own sending.
            if let What::Letter(letter) = step.what {
                let Cause::Event(of) = step.cause else { panic!("letter {letter} was not sent") };
                let sending = followed.step(of);
                prop_assert_eq!((sending.what, sending.finds), (What::Due(letter), Finds::Running));
            }
        }
    }
}
