//! Holds the two engines against each other: `cross SEEDS [FILE ...]`, or the scenarios that are common to both. Prints a
//! row of a table in Markdown for each, and what they do not agree on.

#![expect(clippy::print_stdout, reason = "it is what it is for")]

use std::io::Write as _;

use schism_tests::cross::{COMMON, cross};
use schism_tests::repository;

fn main() {
    let mut args = std::env::args().skip(1);
    let seeds = args.next().and_then(|seeds| seeds.parse().ok()).expect("cross SEEDS [FILE ...]");
    let named: Vec<String> = args.collect();
    let common = COMMON.map(|path| repository::root().join(path).display().to_string());
    let paths = if named.is_empty() { common.to_vec() } else { named };
    println!("| scenario | held, here and there | detect | reroute | failover | converge |");
    println!("|---|---|---|---|---|---|");
    for path in paths {
        compare(&path, seeds);
    }
}

fn compare(path: &str, seeds: u64) {
    let text = std::fs::read_to_string(path).expect("it can be read");
    let name = path.split("scenarios/").last().unwrap_or(path).trim_end_matches(".toml");
    if let Err(misfits) = schism_scenario::fit_for_madsim(path, &text, &[]) {
        let why = misfits.iter().next().map_or("", |first| first.message.as_str());
        return println!("| `{name}` | {why} |");
    }
    let loaded = schism_scenario::load(path, &text, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    match cross(&loaded.scenario, seeds) {
        Ok(crossed) => {
            println!("| `{name}` | {crossed} |");
            crossed.disagreements().iter().for_each(|line| println!("<!-- {name}: {line} -->"));
        }
        Err(trouble) => println!("| `{name}` | {trouble} |"),
    }
    std::io::stdout().flush().ok();
}
