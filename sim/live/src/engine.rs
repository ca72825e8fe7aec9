//! The engine: a run from the curtain to the end, and its twin.

mod chronicle;
mod exact;
mod frame;
mod ground;
mod host;
mod house;
mod links;
mod panics;
mod player;
mod signals;
mod stage;
mod traffic;
mod weather;

use std::net::IpAddr;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use madsim::rand::random;
use madsim::runtime::{Handle, Runtime};
use schism_core::{NodeId, Seed, Time};
use schism_models::nemesis::{Nemesis, Trigger};
use schism_runner::{Ledger, Report, Teller, ledger::Listed};
use schism_scenario::Scenario;

use self::chronicle::Chronicle;
use self::house::{House, Shared};
use crate::guests::Guests;
use crate::live::{Play, Told};
use crate::stage::{FIRST_ADDRESS, ip};
use crate::trouble::Trouble;
use crate::{NAME, REPEATABILITY};

/// How long madsim's nodes have to bind their sockets before the run begins, which takes each a millisecond or two.
const BEFORE_THE_CURTAIN: std::time::Duration = std::time::Duration::from_millis(10);

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    told: Told,
    /// What madsim would have drawn next: the same, if as much has been drawn.
    next: u64,
}

/// Runs a scenario of models and runs it again: the report, if both are the same.
pub(crate) fn twice(scenario: &Scenario, seed: Seed, listed: Listed) -> Result<Report, Trouble> {
    let play = Play { scenario: scenario.clone(), guests: Guests::default(), story: None, patience: None };
    same(|| afresh(&play, seed, listed)).map(|told| told.report)
}

/// Runs a play and runs it again: what happened, if both are the same.
pub(crate) fn played_twice(play: &Play, seed: Seed) -> Result<Told, Trouble> {
    same(|| afresh(play, seed, Listed::Wrong))
}

fn same(run: impl Fn() -> Result<Outcome, Trouble>) -> Result<Told, Trouble> {
    let (one, other) = (run()?, run());
    match other {
        Ok(other) if one == other => Ok(one.told),
        Ok(other) => {
            let digest = |of: &Outcome| format!("{} and {:016x}", of.told.report.digest, of.next);
            Err(Trouble::Diverged { digests: [digest(&one), digest(&other)] })
        }
        Err(Trouble::Panicked { part, message, .. }) => {
            let second = format!("none, since {part} panicked: {message}");
            Err(Trouble::Diverged { digests: [one.told.report.digest, second] })
        }
        Err(trouble) => Err(trouble),
    }
}

/// A run on a thread of its own: what madsim seeds for a thread, it seeds once.
fn afresh(play: &Play, seed: Seed, listed: Listed) -> Result<Outcome, Trouble> {
    let (sender, receiver) = mpsc::channel();
    let (own, patience) = (play.clone(), play.patience);
    let thread = thread::spawn(move || {
        let run = panic::catch_unwind(AssertUnwindSafe(|| {
            let config = weather::config(&own.scenario);
            Runtime::with_seed_and_config(seed.0, config).block_on(perform(&own, seed, listed))
        }));
        let run = run.map_err(|panicked| (panics::kept(), panicked));
        // Nobody listens any more to who took too long.
        let _ = sender.send(run);
    });
    let run = match patience {
        Some(patience) => receiver.recv_timeout(patience).map_err(|_| Trouble::Stuck { patience })?,
        None => receiver.recv().expect("whatever comes of a run is sent"),
    };
    thread.join().expect("a run that panics is caught");
    run.map_err(|(kept, panicked)| kept.unwrap_or_else(|| panic::resume_unwind(panicked)))
}

/// The whole run.
async fn perform(play: &Play, seed: Seed, listed: Listed) -> Outcome {
    let scenario = &play.scenario;
    let mut nemesis = Nemesis::new(scenario.faults.clone().into(), seed);
    let chronicle = Chronicle {
        ledger: Ledger::listing(scenario, listed),
        teller: play.story.map(|(detail, round)| Teller::new(round, detail)),
    };
    let house: Shared = House::build(scenario, seed, chronicle, &nemesis, &play.guests);
    exact::until(exact::elapsed() + BEFORE_THE_CURTAIN).await;
    if !play.guests.is_empty() {
        panics::keep(lock(&house).names());
    }
    lock(&house).begin();
    direct(&house, &mut nemesis, Time::START + scenario.length).await;
    let mut house = lock(&house);
    nemesis.close(&mut *house);
    house.clear();
    let next = if play.guests.is_empty() { 0 } else { random() };
    panics::let_go();
    let (digest, events, end) = (house.digest(), house.events(), Time::START + scenario.length);
    let Chronicle { ledger, teller } = house.chronicle();
    let mut report = ledger.report(scenario, seed, digest, events, end);
    report.engine = NAME;
    report.repeatability = Some(REPEATABILITY);
    Outcome { told: Told { report, story: teller.map(|teller| teller.text(scenario, seed)) }, next }
}

/// Lets the run go on to the end, and does on the way what the plan of faults asks for.
async fn direct(house: &Shared, nemesis: &mut Nemesis, end: Time) {
    loop {
        let goal = lock(house).next_at().into_iter().chain(nemesis.next_at()).min().filter(|&at| at < end);
        signals::come(house, goal.unwrap_or(end)).await;
        let mut house = lock(house);
        let now = house.go_on();
        if now >= end && goal.is_none() {
            return;
        }
        for line in house.read_gauges() {
            nemesis.hear(Trigger::Crosses(line), now);
        }
        while nemesis.next_at().is_some_and(|at| at <= now) {
            nemesis.act(&mut *house);
        }
        house.start_the_supervised();
        nemesis.listen(&mut *house);
    }
}

/// The house, for as long as nobody awaits anything.
fn lock(house: &Mutex<House>) -> MutexGuard<'_, House> {
    house.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which node is there.
fn node_at(ip: IpAddr) -> NodeId {
    match ip {
        IpAddr::V4(ip) => NodeId(u32::from(ip) - FIRST_ADDRESS),
        IpAddr::V6(_) => unreachable!("every node has an address of version 4"),
    }
}

/// What controls madsim's nodes.
fn handle() -> Handle {
    Handle::current()
}
