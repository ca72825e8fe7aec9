//! Orphans: what a process had written before it was killed still arrives, in order and then the end; unless its host died.

use schism_core::{Death, Fault, Feel, Flows, NodeId, Time};
use schism_tests::toy::{self, Arrival, LATENCY, Letter, Post, cut, cut_with, mend, ms, set};

const ME: NodeId = NodeId(0);
const PEER: NodeId = NodeId(1);

/// A letter of mine. The first goes alone, so that the peer is one that I know of.
fn mine(at: u64, number: u32) -> Letter {
    Letter {
        at: ms(at),
        from: ME,
        to: PEER,
        by: if number == 0 { Post::Alone } else { Post::Stream },
        number,
    }
}

fn theirs(at: u64, number: u32) -> Letter {
    Letter { at: ms(at), from: PEER, to: ME, by: Post::Stream, number }
}

fn crash(at: u64, death: Death) -> (Time, Fault) {
    (ms(at), Fault::Crash(ME, death))
}

fn restart(at: u64) -> (Time, Fault) {
    (ms(at), Fault::Restart(ME))
}

/// What came to each of the two, in order, and when, in milliseconds.
fn arrivals(letters: &[Letter], faults: &[(Time, Fault)]) -> Vec<(u64, NodeId, Arrival)> {
    let mut world = toy::world(2, letters);
    toy::run(&mut world, faults, ms(200_000));
    let came = world.witness().0.iter();
    came.map(|&(at, node, what)| (at.as_nanos() / 1_000_000, node, what)).collect()
}

const TEN: u64 = LATENCY.as_nanos() / 1_000_000;

/// The hello of the first letters: one alone, one that opens the connection.
const HELLO: [(u64, NodeId, Arrival); 2] =
    [(TEN, PEER, Arrival::Letter(0)), (3 * TEN, PEER, Arrival::Letter(1))];

fn after_hello(rest: &[(u64, NodeId, Arrival)]) -> Vec<(u64, NodeId, Arrival)> {
    [&HELLO[..], rest].concat()
}

#[test]
fn what_a_killed_process_had_written_arrives_and_then_the_end() {
    let letters = [mine(0, 0), mine(0, 1), mine(95, 2), mine(100, 3)];
    let letter = |at, number| (at, PEER, Arrival::Letter(number));
    assert_eq!(
        arrivals(&letters, &[crash(101, Death::KILLED)]),
        after_hello(&[letter(105, 2), letter(110, 3), (111, PEER, Arrival::Reset(ME))])
    );
    assert_eq!(arrivals(&letters, &[crash(101, Death::POWER_LOSS)]), HELLO, "a host takes it along");
}

#[test]
fn a_lone_message_in_flight_arrives_too() {
    let letters = [mine(0, 0), mine(0, 1), mine(95, 0)];
    let rest = [(105, PEER, Arrival::Letter(0)), (109, PEER, Arrival::Reset(ME))];
    assert_eq!(arrivals(&letters, &[crash(99, Death::KILLED)]), after_hello(&rest));
}

#[test]
fn what_a_cut_stopped_is_sent_again_at_tcps_slots_and_the_end_comes_behind_it() {
    let letters = [mine(0, 0), mine(0, 1), mine(100, 2), mine(110, 3)];
    let faults = |death| [(ms(50), cut(1, &[0], &[1])), crash(120, death), (ms(1_000), mend(1))];
    // First sent at 100 ms, so its slots are 300, 700 and 1,500 ms.
    let rest =
        [Arrival::Letter(2), Arrival::Letter(3), Arrival::Reset(ME)].map(|what| (1_500 + TEN, PEER, what));
    assert_eq!(arrivals(&letters, &faults(Death::KILLED)), after_hello(&rest));
    assert_eq!(arrivals(&letters, &faults(Death::POWER_LOSS)), HELLO, "the host has lost it");
    let power_after_kill =
        [&faults(Death::KILLED)[..2], &[crash(130, Death::POWER_LOSS), (ms(1_000), mend(1))]];
    assert_eq!(arrivals(&letters, &power_after_kill.concat()), HELLO, "a host can die after its process");
}

#[test]
fn a_cut_that_comes_while_it_is_in_flight_holds_up_the_end_as_well() {
    let letters = [mine(0, 0), mine(0, 1), mine(100, 2)];
    let faults = [crash(104, Death::KILLED), (ms(106), cut(1, &[0], &[1])), (ms(250), mend(1))];
    // Lost at 110 ms.
    let rest = [(310 + TEN, PEER, Arrival::Letter(2)), (310 + TEN, PEER, Arrival::Reset(ME))];
    assert_eq!(arrivals(&letters, &faults), after_hello(&rest));
    // So does one that comes between the two: the end was sent at 104 ms, and is lost at 114 ms.
    let faults = [crash(104, Death::KILLED), (ms(112), cut(1, &[0], &[1])), (ms(250), mend(1))];
    let rest = [(110, PEER, Arrival::Letter(2)), (314 + TEN, PEER, Arrival::Reset(ME))];
    assert_eq!(arrivals(&letters, &faults), after_hello(&rest));
}

#[test]
fn a_held_cut_keeps_the_end_behind_what_it_holds() {
    let letters = [mine(0, 0), mine(0, 1), mine(100, 2)];
    let hold = cut_with(1, &[0], &[1], Feel::Held, Flows::All);
    let faults = [(ms(50), hold), crash(110, Death::KILLED), (ms(1_000), mend(1))];
    let rest = [(1_000 + TEN, PEER, Arrival::Letter(2)), (1_000 + TEN, PEER, Arrival::Reset(ME))];
    assert_eq!(arrivals(&letters, &faults), after_hello(&rest));
}

#[test]
fn a_cut_that_refuses_ends_it() {
    let letters = [mine(0, 0), mine(0, 1), mine(100, 2)];
    let refuse = cut_with(2, &[0], &[1], Feel::Refused, Flows::All);
    let silent = [(ms(50), cut(1, &[0], &[1])), crash(110, Death::KILLED), (ms(150), mend(1))];
    let faults = [&silent[..], &[(ms(150), refuse), (ms(1_000), mend(2))]].concat();
    assert_eq!(arrivals(&letters, &faults), HELLO);
}

#[test]
fn the_host_of_the_dead_gives_up_sooner_than_it_would_for_the_living() {
    let letters = [mine(0, 0), mine(0, 1), mine(100, 2)];
    let faults = |mended| [(ms(50), cut(1, &[0], &[1])), crash(110, Death::KILLED), (ms(mended), mend(1))];
    // Its slots are the living's up to the eighth, 51 s after the first sending; after 102.2 s it gives up.
    let rest = [(51_100 + TEN, PEER, Arrival::Letter(2)), (51_100 + TEN, PEER, Arrival::Reset(ME))];
    assert_eq!(arrivals(&letters, &faults(51_000)), after_hello(&rest));
    assert_eq!(arrivals(&letters, &faults(51_200)), HELLO);
}

#[test]
fn a_peer_that_writes_to_the_dead_is_reset_and_the_rest_is_not_sent_again() {
    let letters = [mine(0, 0), mine(0, 1), mine(100, 2), theirs(150, 7)];
    let faults = [(ms(50), cut(1, &[0], &[1])), crash(110, Death::KILLED), (ms(155), mend(1))];
    // My second letter would be sent again at 300 ms.
    assert_eq!(arrivals(&letters, &faults), after_hello(&[(160 + TEN, PEER, Arrival::Reset(ME))]));
}

#[test]
fn a_paused_receiver_finds_all_of_it_when_it_goes_on() {
    let letters = [mine(0, 0), mine(0, 1), mine(100, 2)];
    let faults = [(ms(90), Fault::Pause(PEER)), crash(101, Death::KILLED), (ms(500), Fault::Resume(PEER))];
    let rest = [(500, PEER, Arrival::Letter(2)), (500, PEER, Arrival::Reset(ME))];
    assert_eq!(arrivals(&letters, &faults), after_hello(&rest));
}

#[test]
fn a_new_life_has_new_connections_and_its_peer_is_not_told_of_the_old() {
    // The old life's second letter is lost at 100 ms, and would be sent again at 300 ms: the new life's comes at 230 ms.
    let letters = [mine(0, 0), mine(0, 1), mine(100, 2), mine(200, 3), theirs(260, 7)];
    let faults = [(ms(50), cut(1, &[0], &[1])), crash(110, Death::KILLED), restart(120), (ms(150), mend(1))];
    let rest = [(200 + 3 * TEN, PEER, Arrival::Letter(3)), (260 + TEN, ME, Arrival::Letter(7))];
    assert_eq!(arrivals(&letters, &faults), after_hello(&rest));
}

#[test]
fn what_a_peer_answers_the_dead_is_not_for_its_next_life() {
    // It is on the connection of the old life, whose end is lost until 500 ms.
    let letters = [mine(0, 0), mine(0, 1), mine(95, 2), theirs(130, 7)];
    let faults = [(ms(99), cut(1, &[0], &[1])), crash(100, Death::KILLED), restart(110), (ms(135), mend(1))];
    // The letter in flight has met the cut; the host then answers what comes to the dead with a reset.
    let rest = [(140 + TEN, PEER, Arrival::Reset(ME))];
    assert_eq!(arrivals(&letters, &faults), after_hello(&rest));
}

#[test]
fn the_end_in_flight_is_severed_with_the_connection() {
    let letters = [mine(0, 0), mine(0, 1), mine(100, 2)];
    let sever = Fault::Sever { id: schism_core::FaultId(1), from: set(&[0]), to: set(&[1]) };
    let faults = [crash(104, Death::KILLED), (ms(106), sever)];
    assert_eq!(arrivals(&letters, &faults), after_hello(&[(106, PEER, Arrival::Reset(ME))]));
}

#[test]
fn a_dark_receiver_is_asked_again_and_its_next_life_knows_nothing_of_it() {
    let letters = [mine(0, 0), mine(0, 1), mine(100, 2)];
    let dark = (ms(90), Fault::Crash(PEER, Death::POWER_LOSS));
    let faults = [dark, crash(101, Death::KILLED), restart(150), (ms(1_000), Fault::Restart(PEER))];
    assert_eq!(arrivals(&letters, &faults), HELLO, "nor is my own next life told that nobody is there");
}
