//! Processes: how they are born, what ails them, how they die, and what is left on their disks.

use std::sync::Arc;

use schism_core::{Birth, Death, Farewell, Fault, FaultId, NodeId, Ran, Status, Time, Toll};
use schism_tests::puppet::{self, Act, Found, Line};
use schism_tests::toy::{self, Arrival, LATENCY, Letter, Post, ms};

const ME: NodeId = NodeId(0);
const PEER: NodeId = NodeId(1);
const FAULT: FaultId = FaultId(3);

fn line(at: u64, act: Act) -> Line {
    Line { at: ms(at), act }
}

fn crash(at: u64, death: Death) -> (Time, Fault) {
    (ms(at), Fault::Crash(ME, death))
}

fn restart(at: u64) -> (Time, Fault) {
    (ms(at), Fault::Restart(ME))
}

// Disks.

/// What each life but the first finds on the disk. Page 1 is synced, page 2 is written, both before 40 ms.
fn lives(faults: &[(Time, Fault)]) -> Vec<Vec<u32>> {
    let script =
        [line(10, Act::Write(1)), line(20, Act::Sync), line(30, Act::Write(2)), line(100, Act::Sync)];
    let mut world = puppet::one(&script);
    puppet::run(&mut world, faults, ms(1_000));
    world.witness().disks(ME).split_off(1)
}

#[test]
fn a_page_cache_outlives_a_process_but_not_its_host() {
    assert_eq!(lives(&[crash(40, Death::KILLED), restart(50)]), [[1, 2]]);
    assert_eq!(lives(&[crash(40, Death::POWER_LOSS), restart(50)]), [[1]]);
    assert_eq!(lives(&[crash(40, Death::DISK_LOSS), restart(50)]), [[0; 0]]);
    let loud = Death { farewell: Farewell::Reset, disk: Toll::Unsynced };
    assert_eq!(lives(&[crash(40, loud), restart(50)]), [[1]], "the toll is not the farewell's to say");
}

#[test]
fn what_is_only_in_the_page_cache_is_lost_with_a_later_host() {
    let kills = [crash(40, Death::KILLED), restart(50), crash(60, Death::POWER_LOSS), restart(70)];
    assert_eq!(lives(&kills), [vec![1, 2], vec![1]]);
    let dead = [crash(40, Death::KILLED), crash(45, Death::POWER_LOSS), restart(50)];
    assert_eq!(lives(&dead), [[1]], "the dead lose it, too");
}

#[test]
fn a_sync_of_a_later_life_makes_durable_what_an_earlier_one_wrote() {
    let faults = [crash(40, Death::KILLED), restart(50), crash(110, Death::POWER_LOSS), restart(120)];
    assert_eq!(lives(&faults), [[1, 2], [1, 2]]);
}

#[test]
fn a_faked_sync_leaves_all_unsynced_until_one_is_made() {
    let fake = (ms(0), Fault::FakeSyncs(ME));
    let make = |at| (ms(at), Fault::MakeSyncs(ME));
    let power = |at| [crash(at, Death::POWER_LOSS), restart(at + 1)];
    assert_eq!(lives(&[&[fake.clone()][..], &power(200)].concat()), [[0; 0]]);
    assert_eq!(lives(&[&[fake.clone(), make(60)][..], &power(90)].concat()), [[0; 0]]);
    assert_eq!(lives(&[&[fake.clone(), make(60)][..], &power(200)].concat()), [[1, 2]]);
    assert_eq!(lives(&[fake, crash(40, Death::KILLED), restart(50)]), [[1, 2]], "nobody notices");
}

// Deaths.

fn letter(by: Post, at: u64) -> Letter {
    Letter { at: ms(at), from: PEER, to: ME, by, number: 0 }
}

#[test]
fn a_host_without_power_says_nothing() {
    for by in [Post::Alone, Post::Stream] {
        let mut world = toy::world(2, &[letter(by, 5), letter(by, 100)]);
        toy::run(&mut world, &[crash(50, Death::POWER_LOSS)], ms(5_000));
        // A connection is opened first, which takes a round trip.
        let arrives = match by {
            Post::Alone => ms(15),
            Post::Stream => ms(35),
        };
        assert_eq!(world.witness().0, [(arrives, ME, Arrival::Letter(0))], "{by:?}");
    }
}

#[test]
fn a_killed_process_says_farewell_to_its_peers_and_a_host_without_power_does_not() {
    let resets = |death| {
        let mut world = puppet::world(&[(Birth::AtStart, vec![]), (Birth::AtStart, vec![])]);
        puppet::run(&mut world, &[crash(50, death)], ms(1_000));
        world
            .witness()
            .all
            .iter()
            .filter(|find| find.2 == Found::Reset(ME))
            .map(|find| find.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(resets(Death::KILLED), [ms(50) + LATENCY]);
    assert_eq!(resets(Death::POWER_LOSS), []);
}

#[test]
fn a_host_that_is_back_resets_what_it_does_not_know_at_tcps_next_slot() {
    let mut world = toy::world(2, &[letter(Post::Stream, 5), letter(Post::Stream, 100)]);
    toy::run(&mut world, &[crash(50, Death::POWER_LOSS), restart(1_000)], ms(5_000));
    // Lost at 110 ms, sent again 200, 600 and 1,400 ms later.
    let reset = ms(110 + 1_400) + LATENCY + LATENCY;
    assert_eq!(world.witness().0, [(ms(35), ME, Arrival::Letter(0)), (reset, PEER, Arrival::Reset(ME))]);
}

#[test]
fn a_lone_message_to_a_host_that_is_back_arrives() {
    let mut world = toy::world(2, &[letter(Post::Alone, 100)]);
    toy::run(&mut world, &[crash(50, Death::POWER_LOSS), restart(105)], ms(1_000));
    assert_eq!(world.witness().0, [(ms(110), ME, Arrival::Letter(0))]);
}

#[test]
fn a_process_that_exits_is_dead_after_all_else_it_asked_for() {
    let scripts =
        [(Birth::AtStart, vec![line(50, Act::Exit(FAULT)), line(60, Act::Look)]), (Birth::AtStart, vec![])];
    let mut world = puppet::world(&scripts);
    puppet::run(&mut world, &[], ms(1_000));
    assert_eq!(world.scene().status(ME), Status::Down);
    let finds = world.witness();
    assert_eq!(finds.looks(ME), [(ms(50), ms(50), ms(50), ms(50))]);
    assert_eq!(finds.crashes, [(ms(50), ME)]);
    assert_eq!(finds.exits, [(ms(50), ME, FAULT)]);
    assert_eq!(finds.all.last(), Some(&(ms(50) + LATENCY, PEER, Found::Reset(ME))));
}

#[test]
fn a_process_that_exits_keeps_its_page_cache_and_can_be_restarted() {
    let mut world = puppet::one(&[line(10, Act::Write(1)), line(50, Act::Exit(FAULT))]);
    puppet::run(&mut world, &[restart(100)], ms(1_000));
    assert_eq!(world.witness().disks(ME), [vec![], vec![1]]);
}

// Supervision.

/// When each life of mine began, of a process that its supervisor kills at 50 ms and starts 30 ms later.
fn recycled(faults: &[(Time, Fault)]) -> Vec<Time> {
    let kill = line(50, Act::Recycle(ME, ms(30).since(Time::START)));
    let mut world = puppet::world(&[(Birth::AtStart, vec![]), (Birth::AtStart, vec![kill])]);
    puppet::run(&mut world, faults, ms(1_000));
    let began = |find: &&(Time, NodeId, Found)| find.1 == ME && matches!(find.2, Found::Began(..));
    world.witness().all.iter().filter(began).map(|find| find.0).collect()
}

#[test]
fn a_supervisor_kills_a_process_and_starts_it_anew() {
    let kill = line(50, Act::Recycle(ME, ms(30).since(Time::START)));
    let mut world = puppet::world(&[(Birth::AtStart, vec![]), (Birth::AtStart, vec![kill])]);
    puppet::run(&mut world, &[], ms(79));
    assert_eq!(world.scene().status(ME), Status::Down);
    assert!(world.wounds().is_empty(), "no fault has done it");
    assert_eq!(world.witness().crashes, [(ms(50), ME)]);
    assert!(world.witness().all.contains(&(ms(50) + LATENCY, PEER, Found::Reset(ME))));
    assert_eq!(recycled(&[]), [ms(0), ms(80)]);
}

#[test]
fn a_fault_keeps_dead_whom_a_supervisor_would_start_until_it_heals() {
    assert_eq!(recycled(&[crash(60, Death::KILLED), restart(200)]), [ms(0), ms(200)]);
    assert_eq!(recycled(&[crash(60, Death::KILLED)]), [ms(0)]);
    assert_eq!(recycled(&[restart(60)]), [ms(0), ms(60)], "and is not started twice");
    assert_eq!(recycled(&[crash(40, Death::KILLED)]), [ms(0)], "nothing is done to the dead");
}

#[test]
fn who_stands_still_can_be_started_anew() {
    assert_eq!(recycled(&[(ms(40), Fault::Pause(ME)), (ms(500), Fault::Resume(ME))]), [ms(0), ms(80)]);
}

// Birth.

#[test]
fn a_node_that_is_not_yet_born_is_a_host_where_nothing_listens() {
    let scripts = [(Birth::Later, vec![line(50, Act::Look), line(200, Act::Look)]), (Birth::AtStart, vec![])];
    let mut world = puppet::world(&scripts);
    assert_eq!(world.scene().status(ME), Status::Down);
    assert!(world.actor(ME).is_none());
    puppet::run(&mut world, &[(ms(80), Fault::Crash(ME, Death::KILLED)), restart(100)], ms(1_000));
    assert_eq!(world.witness().looks(ME), [(ms(200), ms(200), ms(200), ms(200))]);
    let of_peer: Vec<_> = world.witness().all.iter().filter(|find| find.1 == PEER).collect();
    assert_eq!(of_peer, [&(Time::START, PEER, Found::Began(vec![], None))], "nobody hears of the unborn");
}

#[test]
fn a_message_to_the_unborn_is_turned_away() {
    for by in [Post::Alone, Post::Stream] {
        let mut world = toy::world_born(2, Birth::Later, &[letter(by, 100)]);
        toy::run(&mut world, &[], ms(1_000));
        assert_eq!(world.witness().0, [(ms(100) + LATENCY + LATENCY, PEER, Arrival::Reset(ME))], "{by:?}");
    }
}

// Plights.

#[test]
fn a_plight_outlives_a_crash() {
    let mut world = puppet::one(&[]);
    world.run_until(ms(10));
    world.afflict(ME, Some(Arc::new(7)));
    puppet::run(&mut world, &[crash(50, Death::DISK_LOSS), restart(60)], ms(100));
    world.afflict(ME, None);
    let found: Vec<_> = world.witness().all.iter().map(|find| (find.0, find.2.clone())).collect();
    let expected = [
        (Time::START, Found::Began(vec![], None)),
        (ms(10), Found::Plight(Some(7))),
        (ms(60), Found::Began(vec![], Some(7))),
        (ms(100), Found::Plight(None)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_paused_process_hears_of_its_plight_when_it_goes_on_and_a_dead_one_never() {
    let mut world = puppet::one(&[]);
    world.inflict(Fault::Pause(ME));
    world.afflict(ME, Some(Arc::new(7)));
    puppet::run(&mut world, &[(ms(50), Fault::Resume(ME)), crash(60, Death::KILLED)], ms(70));
    world.afflict(ME, Some(Arc::new(8)));
    puppet::run(&mut world, &[restart(80)], ms(100));
    let found: Vec<_> = world.witness().all.iter().skip(1).map(|find| (find.0, find.2.clone())).collect();
    assert_eq!(found, [(ms(50), Found::Plight(Some(7))), (ms(80), Found::Began(vec![], Some(8)))]);
}

#[test]
fn a_plight_is_in_the_digest() {
    let digest = |plight: Option<u32>| {
        let mut world = puppet::one(&[]);
        world.afflict(ME, plight.map(Arc::new));
        world.digest()
    };
    assert_ne!(digest(None), puppet::one(&[]).digest());
    assert_ne!(digest(Some(1)), digest(None));
    assert_ne!(digest(Some(1)), digest(Some(2)));
    assert_eq!(digest(Some(1)), digest(Some(1)));
}

#[test]
fn what_a_fault_touches_is_counted_for_it() {
    let touch = |at, fault| line(at, Act::Touch(FaultId(fault)));
    let mut world = puppet::one(&[touch(10, 2), touch(20, 0), touch(30, 2), touch(900, 2)]);
    puppet::run(&mut world, &[], ms(500));
    assert_eq!([0, 1, 2, 3].map(|fault| world.touched(FaultId(fault))), [1, 0, 2, 0]);
}

// Attention.

#[test]
fn the_world_stops_after_an_event_that_calls_for_attention() {
    let mut world = puppet::one(&[line(10, Act::Look), line(20, Act::Sync), line(30, Act::Look)]);
    world.witness_mut().0.calls = true;
    let mut answered = Vec::new();
    while world.run_until(ms(100)) == Ran::Called {
        answered.push(world.now());
        world.witness_mut().0.unanswered = 0;
    }
    assert_eq!((answered, world.now()), (vec![ms(10), ms(30)], ms(100)));
}

#[test]
fn who_does_not_answer_loses_nothing() {
    let script = [line(10, Act::Look), line(20, Act::Sync), line(30, Act::Look)];
    let (mut heard, mut ignored) = (puppet::one(&script), puppet::one(&script));
    ignored.witness_mut().0.calls = true;
    while ignored.run_until(ms(100)) == Ran::Called {}
    heard.run_until(ms(100));
    assert_eq!((heard.digest(), heard.now()), (ignored.digest(), ignored.now()));
}
