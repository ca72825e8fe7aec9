//! Trophies: of each kind of failure the first, with its story, shrunk and kept as a case.

use std::path::Path;

use rayon::ThreadPool;
use rayon::prelude::*;
use schism_core::Seed;
use schism_models::node::Node;
use schism_runner::case;
use schism_runner::hunt::Group;
use schism_runner::ledger::Listed;
use schism_runner::report::Report;
use schism_runner::shrink::{self, Budget, Shrunk};
use schism_scenario::{Document, Family, Scenario};

use super::{Hunted, folder};
use crate::args::Hunt;
use crate::exit::Trouble;
use crate::progress::Progress;
use crate::render::{hunt as render, shrink as shrinking};
use crate::{engine, files, replay};

/// A kind of failure, and what has been made of the first of it.
pub(crate) struct Trophy {
    pub(crate) group: Group,
    /// What went wrong in the run of the first seed, up to the failure, and the failure itself.
    pub(crate) story: Vec<(f64, String, String)>,
    /// What it was shrunk to, if it was.
    pub(crate) shrunk: Option<Shrunk>,
    /// The file of the case.
    pub(crate) case: Option<String>,
}

/// Of how many kinds of failure the first is shrunk and kept.
const MOST_KEPT: usize = 20;

/// Makes the trophies of a hunt, several at a time.
pub(super) fn all(
    args: &Hunt,
    hunted: &Hunted,
    family: &Family,
    pool: &ThreadPool,
) -> Result<Vec<Trophy>, Trouble> {
    let groups = &hunted.tally.groups;
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    folder(&args.cases)?;
    let mut progress = Progress::begin("shrunk");
    progress.say(|| format!("{}, shrinking the first of each kind", render::failures(&hunted.tally)));
    let one = |(number, group): (usize, &Group)| one(args, hunted, family, group, number < MOST_KEPT);
    let trophies = pool.install(|| groups.par_iter().enumerate().map(one).collect());
    progress.end();
    trophies
}

fn one(args: &Hunt, hunted: &Hunted, family: &Family, group: &Group, keep: bool) -> Result<Trophy, Trouble> {
    let seed = Seed(group.seed);
    let scenario = engine::member(family, seed)?;
    let report = schism_runner::run(&scenario, seed, Listed::Wrong);
    let shrunk = if args.no_shrink || !keep { None } else { shrunk(args, &scenario, group) };
    let case = if keep { save(args, hunted, &scenario, group, shrunk.as_ref())? } else { None };
    Ok(Trophy { story: story(&report, group), group: group.clone(), shrunk, case })
}

fn shrunk(args: &Hunt, scenario: &Scenario, group: &Group) -> Option<Shrunk> {
    let budget = Budget { runs: args.budget, ..Budget::default() };
    shrink::shrink::<Node>(&Document::of(scenario), &group.failure, budget, &mut |_| {})
}

/// Writes the case, and says where.
fn save(
    args: &Hunt,
    hunted: &Hunted,
    scenario: &Scenario,
    group: &Group,
    shrunk: Option<&Shrunk>,
) -> Result<Option<String>, Trouble> {
    let kept = match shrunk {
        Some(shrunk) => case::keep(&shrunk.scenario, shrunk.scenario.seed, &shrunk.failure),
        None => case::keep(scenario, scenario.seed, &group.failure),
    };
    let Some(kept) = kept else { return Ok(None) };
    let stem = Path::new(&hunted.file)
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let name = format!("{}-{}-{}.case.toml", slug(&stem), slug(&group.failure.expectation), group.seed);
    let path = args.cases.join(name);
    let quoted = replay::quoted(&path.display().to_string());
    let found = replay::command(Path::new(&hunted.file), group.seed, &hunted.set);
    let mut more = vec![format!("It was found by a hunt: {found}")];
    more.extend(shrunk.into_iter().flat_map(shrinking::story));
    files::write(&path, &kept.file(&quoted, &more))?;
    Ok(Some(quoted))
}

/// A name as part of a file's.
fn slug(name: &str) -> String {
    let fit = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    name.chars()
        .map(fit)
        .collect::<String>()
        .split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// What went wrong up to the failure: when, what it is called, and what it did.
fn story(report: &Report, group: &Group) -> Vec<(f64, String, String)> {
    let until = group.failure.at_s.unwrap_or(f64::INFINITY);
    let mut story = Vec::new();
    for fault in report.faults.iter().filter(|fault| fault.from_s <= until) {
        let on = if fault.on.is_empty() { String::new() } else { format!(": {}", fault.on.join(" | ")) };
        story.push((fault.from_s, fault.id.clone(), format!("{}{on}", fault.what)));
        if let Some(to) = fault.to_s.filter(|to| *to <= until && *to > fault.from_s) {
            story.push((to, fault.id.clone(), "heals".to_owned()));
        }
    }
    story.sort_by(|one, other| one.0.total_cmp(&other.0));
    story.extend(group.failure.at_s.map(|at| (at, group.failure.expectation.clone(), "fails".to_owned())));
    story
}
