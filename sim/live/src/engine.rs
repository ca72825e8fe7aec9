//! The engine: a run from the curtain to the end, and its twin.

mod exact;
mod frame;
mod ground;
mod host;
mod house;
mod links;
mod signals;
mod traffic;
mod weather;

use std::net::IpAddr;
use std::panic;
use std::sync::{MutexGuard, PoisonError};

use madsim::runtime::{Handle, Runtime};
use schism_core::{NodeId, Seed, Time};
use schism_models::nemesis::{Nemesis, Trigger};
use schism_models::node::{Node, Process};
use schism_runner::Report;
use schism_runner::ledger::Listed;
use schism_scenario::Scenario;

use self::house::{House, Shared};
use crate::{NAME, REPEATABILITY, Trouble};

/// How long madsim's nodes have to bind their sockets before the run begins, which takes each a millisecond or two.
const BEFORE_THE_CURTAIN: std::time::Duration = std::time::Duration::from_millis(10);

/// Runs the scenario and runs it again: the report, if both are the same.
pub(crate) fn twice(scenario: &Scenario, seed: Seed, listed: Listed) -> Result<Report, Trouble> {
    let report = afresh(scenario, seed, listed);
    let twin = afresh(scenario, seed, listed);
    if report != twin {
        return Err(Trouble::Diverged { digests: [report.digest, twin.digest] });
    }
    Ok(report)
}

/// A run on a thread of its own.
#[expect(clippy::disallowed_methods, reason = "what madsim seeds for a thread, it seeds once")]
fn afresh(scenario: &Scenario, seed: Seed, listed: Listed) -> Report {
    let scenario = scenario.clone();
    let run = std::thread::spawn(move || {
        let config = weather::config(&scenario);
        Runtime::with_seed_and_config(seed.0, config).block_on(perform::<Node>(&scenario, seed, listed))
    });
    run.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked))
}

/// The whole run.
async fn perform<P: Process + Sync + 'static>(scenario: &Scenario, seed: Seed, listed: Listed) -> Report {
    let mut nemesis = Nemesis::new(scenario.faults.clone().into(), seed);
    let house: Shared<P> = House::build(scenario, seed, listed, &nemesis);
    exact::until(exact::elapsed() + BEFORE_THE_CURTAIN).await;
    lock(&house).begin();
    direct(&house, &mut nemesis, Time::START + scenario.length).await;
    let mut house = lock(&house);
    nemesis.close(&mut *house);
    house.clear();
    let (digest, events, end) = (house.digest(), house.events(), Time::START + scenario.length);
    let mut report = house.ledger().report(scenario, seed, digest, events, end);
    report.engine = NAME;
    report.repeatability = Some(REPEATABILITY);
    report
}

/// Lets the run go on to the end, and does on the way what the plan of faults asks for.
async fn direct<P: Process + Sync + 'static>(house: &Shared<P>, nemesis: &mut Nemesis, end: Time) {
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
fn lock<P: Process + Sync + 'static>(house: &Shared<P>) -> MutexGuard<'_, House<P>> {
    house.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a node is in madsim's network.
fn ip(node: NodeId) -> IpAddr {
    IpAddr::from((FIRST_ADDRESS + node.0).to_be_bytes())
}

/// Which node is there.
fn node_at(ip: IpAddr) -> NodeId {
    match ip {
        IpAddr::V4(ip) => NodeId(u32::from(ip) - FIRST_ADDRESS),
        IpAddr::V6(_) => unreachable!("every node has an address of version 4"),
    }
}

/// 10.0.0.1.
const FIRST_ADDRESS: u32 = 0x0a00_0001;

/// What controls madsim's nodes.
fn handle() -> Handle {
    Handle::current()
}
