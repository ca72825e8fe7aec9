//! A simulator that is not deterministic, as an executable: `nondeterministic KIND FILE SEED` verifies a seed in this
//! process and in two more of itself, and prints what it finds as JSON; with `trail` at the end it prints a run's trail, and
//! with `FROM..TO` its log of these events.

use std::fs;
use std::io::Write;
use std::process::Command;

use schism_core::Seed;
use schism_models::node::{Node, Process};
use schism_runner::verify::{Log, Stretch, Trail, check, log, trail};
use schism_scenario::Scenario;
use schism_tests::nondeterminism::{
    Address, DrawOrder, HashOrder, Planted, ProcessIdentity, ThreadIdentity, WallClock,
};
use schism_tests::runs::scenario;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [kind, file, seed, ..] = args.as_slice() else { panic!("write KIND FILE SEED") };
    let scenario = scenario(&fs::read_to_string(file).expect("there is such a file"));
    let seed = Seed(seed.parse().expect("a seed is a number"));
    let answer = match kind.as_str() {
        "none" => answer::<Node>(&args, &scenario, seed),
        "hash-order" => answer::<Planted<HashOrder>>(&args, &scenario, seed),
        "wall-clock" => answer::<Planted<WallClock>>(&args, &scenario, seed),
        "thread-identity" => answer::<Planted<ThreadIdentity>>(&args, &scenario, seed),
        "address" => answer::<Planted<Address>>(&args, &scenario, seed),
        "process-identity" => answer::<Planted<ProcessIdentity>>(&args, &scenario, seed),
        "draw-order" => answer::<Planted<DrawOrder>>(&args, &scenario, seed),
        other => panic!("nobody has planted a {other}"),
    };
    writeln!(std::io::stdout(), "{answer}").expect("somebody reads it");
}

fn answer<P: Process + std::fmt::Debug>(args: &[String], scenario: &Scenario, seed: Seed) -> String {
    if args.last().is_some_and(|last| last == "trail") {
        return trail::<P>(scenario, seed).to_line();
    }
    if let Some((from, to)) = args.last().and_then(|last| last.split_once("..")) {
        let event = |text: &str| text.parse().expect("an event is a number");
        return log::<P>(scenario, seed, Stretch { from: event(from), to: event(to) }).to_line();
    }
    let trail =
        |place: &str| (place.to_owned(), Trail::from_line(&child(args, "trail")).expect("it is a trail"));
    let elsewhere = ["in a second process", "in a third process"].map(trail);
    let write = |Stretch { from, to }: Stretch| Log::from_line(&child(args, &format!("{from}..{to}")));
    serde_json::to_string(&check::<P>(scenario, seed, elsewhere.into(), write)).expect("plain data")
}

/// What another process of this executable prints.
fn child(args: &[String], wanted: &str) -> String {
    let itself = std::env::current_exe().expect("it knows where it is");
    let output = Command::new(itself).args(args).arg(wanted).output().expect("it runs again");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
