//! A simulator that is not deterministic, as an executable: `nondeterministic KIND FILE SEED` verifies a seed in this
//! process and in two more of itself, and prints what it finds as JSON; with `trail` at the end it prints a run's trail.

use std::fs;
use std::io::Write;
use std::process::Command;

use schism_core::Seed;
use schism_models::node::{Node, Process};
use schism_runner::verify::{Trail, check, trail};
use schism_scenario::Scenario;
use schism_tests::nondeterminism::{Address, DrawOrder, HashOrder, Planted, ThreadIdentity, WallClock};
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
        "draw-order" => answer::<Planted<DrawOrder>>(&args, &scenario, seed),
        other => panic!("nobody has planted a {other}"),
    };
    writeln!(std::io::stdout(), "{answer}").expect("somebody reads it");
}

fn answer<P: Process + std::fmt::Debug>(args: &[String], scenario: &Scenario, seed: Seed) -> String {
    if args.last().is_some_and(|last| last == "trail") {
        return trail::<P>(scenario, seed).to_line();
    }
    let elsewhere =
        ["in a second process", "in a third process"].map(|place| (place.to_owned(), child(args)));
    serde_json::to_string(&check::<P>(scenario, seed, elsewhere.into())).expect("plain data")
}

fn child(args: &[String]) -> Trail {
    let itself = std::env::current_exe().expect("it knows where it is");
    let output = Command::new(itself).args(args).arg("trail").output().expect("it runs again");
    Trail::from_line(String::from_utf8_lossy(&output.stdout).trim()).expect("a child prints its trail")
}
