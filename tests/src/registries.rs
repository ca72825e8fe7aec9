//! What each registry makes of the same three misfortunes, with its own defaults: the table of the book.

use schism_models::registry::CATALOG;
use schism_runner::Report;
use schism_scenario::Scenario;

use crate::runs::{for_seeds, report, scenario};

/// How many seeds each figure is of.
const SEEDS: u64 = 20;
/// How long each run lasts, in seconds; nobody waits longer for anybody to go.
const LENGTH: f64 = 600.0;
/// When things have gone wrong at the latest, in seconds: at a moment that each seed draws, so that it is in no phase with
/// anybody's rounds.
const FAULT: f64 = 160.0;
/// How many instances there are.
const INSTANCES: u64 = 12;

/// One misfortune of instances.
const CRASH: &str = "between = [\"100s\", \"160s\"]\ncrash = \"orders-0\"";
const ISOLATION: &str =
    "between = [\"100s\", \"160s\"]\npartition = { split = [[\"orders-0\"], [\"rest\"]] }";
const CUT: &str =
    "at = \"120s\"\nmay-miss = true\nfor = \"20s\"\npartition = { split = [[\"orders\"], [\"rest\"]],}";

fn staged(registry: &str, fault: &str) -> Scenario {
    scenario(&format!(
        r#"
        title    = "What a registry makes of it"
        length   = "600s"
        warmup   = "60s"
        registry{registry}
        [topology]
        zones = ["a", "b", "c"]
        [services.orders]
        instances = {INSTANCES}
        service   = "2ms"
        [clients.web]
        count    = 6
        calls    = "orders"
        arrivals = {{ constant = "24/s" }}
        timeout  = "250ms"
        balancer = "round-robin"
        cache    = {{ watch = {{ on-empty = "keep" }} }}
        [[fault]]
        id = "it"
        {fault}
        "#
    ))
}

/// The table, as Markdown: a line for each registry of the catalog.
pub fn table() -> String {
    let head = "| registry | last call to one that crashed | last call to one cut off from everyone | dropped, of 12, by a cut of 20 s from the registry |\n|---|---|---|---|\n";
    let each = CATALOG.iter().map(|(name, _)| (format!("`{name}`"), format!(" = \"{name}\"")));
    let behind = ["consul", "kubernetes"];
    let over = behind.map(|name| (format!("`dns` over `{name}`"), format!(".dns.backed-by = \"{name}\"")));
    let line = |(name, registry): (String, String)| {
        let [crashed, isolated] = [CRASH, ISOLATION].map(|fault| ghost(&registry, fault));
        format!("| {name} | {crashed} | {isolated} | {} |\n", dropped(&registry))
    };
    let lines: String = each.chain(over).map(line).collect();
    format!("{head}{lines}")
}

/// For how long after the fault some client calls the instance that it struck.
fn ghost(registry: &str, fault: &str) -> String {
    let staged = staged(registry, fault);
    let last = |report: &Report| report.recovery.reroute_s.unwrap_or(0.0);
    let lasted = sorted(for_seeds(SEEDS, |seed| last(&report(&staged, seed))));
    // A client calls each instance twice a second.
    if lasted[0] > LENGTH - FAULT - 2.0 { "never ends".to_owned() } else { spread(&lasted, " s") }
}

/// How many of the instances the registry ceases to offer.
fn dropped(registry: &str) -> String {
    if registry == " = \"static\"" {
        return "there is nothing to be cut off from".to_owned();
    }
    let staged = staged(registry, CUT);
    let dropped = |seed| report(&staged, seed).recovery.false_evictions as f64;
    spread(&sorted(for_seeds(SEEDS, dropped)), "")
}

fn sorted(mut figures: Vec<f64>) -> Vec<f64> {
    figures.sort_by(f64::total_cmp);
    figures
}

/// `12.3 s (11.0 to 14.1 s)`: the median, and from the least to the greatest.
fn spread(sorted: &[f64], unit: &str) -> String {
    let digits = if unit.is_empty() { 0 } else { 1 };
    let show = |figure: f64| format!("{figure:.digits$}");
    let median = show(sorted[sorted.len() / 2]);
    let (least, most) = (show(sorted[0]), show(sorted[sorted.len() - 1]));
    if least == most {
        format!("{median}{unit}")
    } else {
        format!("{median}{unit} ({least} to {most}{unit})")
    }
}
