//! Trophies: of each kind of failure the first, with its story, shrunk and kept as a case.

use std::fs;
use std::path::Path;

use rayon::ThreadPool;
use rayon::prelude::*;
use schism_core::Seed;
use schism_models::node::Node;
use schism_runner::Failure;
use schism_runner::case;
use schism_runner::explain;
use schism_runner::hunt::Group;
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
    /// What went wrong, up to the failure, and the failure itself: in the case, or else in the run of the first seed.
    pub(crate) story: Vec<(f64, String, String)>,
    /// What it was shrunk to, if it was.
    pub(crate) shrunk: Option<Shrunk>,
    /// The file of the case.
    pub(crate) case: Option<String>,
}

impl Trophy {
    /// The failure of the run that the story is of.
    pub(crate) fn failure(&self) -> &Failure {
        self.shrunk.as_ref().map_or(&self.group.failure, |shrunk| &shrunk.failure)
    }
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
    let shrunk = if args.no_shrink || !keep { None } else { shrunk(args, &scenario, group) };
    let case = if keep { save(args, hunted, &scenario, group, shrunk.as_ref())? } else { None };
    let story = match &shrunk {
        Some(shrunk) => story(&shrunk.scenario, &shrunk.failure),
        None => story(&scenario, &group.failure),
    };
    Ok(Trophy { story, group: group.clone(), shrunk, case })
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
    let stem = format!("{}-{}-{}", slug(&stem), slug(&group.failure.expectation), group.seed);
    let found = replay::command(Path::new(&hunted.file), group.seed, &hunted.set);
    let mut more = vec![format!("It was found by a hunt: {found}")];
    more.extend(shrunk.into_iter().flat_map(shrinking::story));
    // What lies there is somebody's: a case with the same bytes stands for itself, and any other stays as it is.
    let names = std::iter::once(stem.clone()).chain((2..).map(|number| format!("{stem}-{number}")));
    for name in names {
        let path = args.cases.join(name + ".case.toml");
        let quoted = replay::quoted(&path.display().to_string());
        let text = kept.file(&quoted, &more);
        match fs::read(&path) {
            Ok(there) if there == text.as_bytes() => {}
            Ok(_) => continue,
            Err(_) => files::write(&path, &text)?,
        }
        return Ok(Some(quoted));
    }
    unreachable!("one of all the names is free")
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

/// How a failure came about: when, who, and what.
fn story(scenario: &Scenario, failure: &Failure) -> Vec<(f64, String, String)> {
    let story = explain::story::<Node>(scenario, scenario.seed, failure, None);
    story.lines.into_iter().map(|line| (line.at_s, line.who, line.what)).collect()
}
