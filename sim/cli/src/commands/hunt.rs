//! `schism hunt`: many seeds of a family, their failures grouped, the first of each group shrunk and kept as a case.

mod journal;
mod trophy;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::ops::Range;
use std::panic;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use schism_core::Seed;
use schism_runner::hunt::{self, Found, Sample, Tally};
use schism_runner::report::Verdict;
use schism_scenario::{Family, Loaded, limits};

use self::journal::Journal;
pub(crate) use self::trophy::Trophy;
use crate::args::{Answer, Digests, Hunt};
use crate::commands::{expectation_lines, pretty};
use crate::console::{Colour, Console};
use crate::exit::{Ending, Trouble};
use crate::files::Source;
use crate::progress::Progress;
use crate::render::hunt as render;
use crate::render::outcomes::outcomes;
use crate::{engine, files, interrupt, replay};

/// What became of the hunt of one file.
pub(crate) struct Hunted {
    /// The file, as it was given.
    pub(crate) file: String,
    pub(crate) set: Vec<String>,
    pub(crate) title: String,
    /// Of the family.
    pub(crate) digest: String,
    /// Where in the file each expectation begins.
    pub(crate) lines: BTreeMap<String, usize>,
    pub(crate) seeds: Range<u64>,
    pub(crate) tally: Tally,
    pub(crate) ended: Ended,
    /// Seeds that were another run in another process, with both digests.
    pub(crate) differing: Vec<Differing>,
    /// What was found, group by group.
    pub(crate) trophies: Vec<Trophy>,
    pub(crate) elapsed: Duration,
    pub(crate) threads: usize,
}

/// Why a hunt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All seeds have been looked at.
    Done,
    /// So many seeds in a row showed nothing new.
    Flat,
    /// There were as many failures as were asked for.
    Enough,
    /// Its time was up.
    Late,
}

/// A seed that was not one run.
pub(crate) struct Differing {
    pub(crate) seed: u64,
    pub(crate) here: String,
    pub(crate) there: String,
}

impl Hunted {
    /// How it ends: what breaks determinism first, then what failed.
    pub(crate) fn ending(&self) -> Ending {
        match self.tally.verdict() {
            _ if !self.differing.is_empty() => Ending::Diverges,
            Verdict::Fails => Ending::Fails,
            Verdict::Holds | Verdict::Vacuous if self.ended == Ended::Late => Ending::Undecided,
            Verdict::Holds => Ending::Holds,
            Verdict::Vacuous => Ending::Vacuous,
        }
    }
}

pub(crate) fn execute(args: &Hunt, console: &mut Console) -> Result<Ending, Trouble> {
    if args.files.iter().any(|file| files::is_dash(file)) {
        return Err(Trouble::new("a scenario is run in several processes, so it cannot come from stdin")
            .help("write it to a file"));
    }
    let threads = args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Trouble::new(format!("cannot start so many threads: {error}")))?;
    interrupt::announce()?;
    let is_ours = !args.cases.exists();
    let mut all = Vec::new();
    for file in &args.files {
        all.push(one(args, file, &pool, threads, console)?);
    }
    let text = match args.answer.format {
        Answer::Text => render::text(&all, console.width()),
        Answer::Json => pretty(&render::json(&all)),
        Answer::Junit | Answer::Github => {
            let form = args.answer.format.form().expect("it is a form of outcomes");
            outcomes(form, &render::outcomes(&all))
        }
    };
    console.deliver(&text, &args.answer.destination)?;
    // Only now has everything been said: until here, the same command would go on where it was.
    for hunted in &all {
        journal::remove(&args.cases, &hunted.digest, &hunted.seeds);
    }
    if is_ours {
        // The folder goes again if nothing is in it.
        fs::remove_dir(&args.cases).ok();
    }
    let order = [Ending::Diverges, Ending::Fails, Ending::Undecided, Ending::Vacuous];
    let endings: Vec<Ending> = all.iter().map(Hunted::ending).collect();
    Ok(order.into_iter().find(|ending| endings.contains(ending)).unwrap_or(Ending::Holds))
}

/// `schism digests`, which a hunt runs in a process of its own: the digests of some seeds, a line each.
pub(crate) fn print_digests(args: &Digests, console: &mut Console) -> Result<Ending, Trouble> {
    let family = engine::load(&args.input.file, &args.input.changes.set)?.family;
    let one = |seed: &u64| look(&family, *seed).map(|found| format!("{seed} {}\n", found.digest));
    let lines: Vec<String> = args.seeds.par_iter().map(one).collect::<Result<_, Trouble>>()?;
    console.print(&lines.concat())?;
    Ok(Ending::Holds)
}

/// The hunt of one file.
fn one(
    args: &Hunt,
    file: &Path,
    pool: &ThreadPool,
    threads: usize,
    console: &mut Console,
) -> Result<Hunted, Trouble> {
    let begun = Instant::now();
    // It is read once: whoever edits it meanwhile is in nobody's way.
    let source = files::read(file, limits::FILE_BYTES)?;
    let Loaded { scenario, family, warnings, .. } = engine::check(&source, &args.changes.set)?;
    console.complain(&engine::shown(&warnings));
    let digest = family.digest().to_string();
    blame_ourselves(file, &args.changes.set);
    let mut chase = Chase::new(args, begun);
    let mut journal = Journal::open(&args.cases, &digest, &args.seeds, args.fresh)?;
    let known = journal.replay(&mut |found| chase.add(found))?;
    if known > 0 {
        let note = format!("going on after {known} seeds of an interrupted hunt; --fresh begins anew\n");
        console.complain(&note);
    }
    interrupt::reach(render::so_far(&chase.tally, args.seeds.end - args.seeds.start));
    chase.run(&family, pool, &mut journal)?;
    let ended = chase.ended.expect("it has ended");
    let tally = chase.tally;
    let differing = elsewhere(&source, &args.changes.set, &tally, threads)?;
    let mut hunted = Hunted {
        file: file.display().to_string(),
        set: args.changes.set.clone(),
        title: scenario.title.clone(),
        digest,
        lines: expectation_lines(file, scenario.expectations.iter().map(|expectation| &expectation.id)),
        seeds: args.seeds.clone(),
        tally,
        ended,
        differing,
        trophies: Vec::new(),
        elapsed: Duration::ZERO,
        threads,
    };
    hunted.trophies = trophy::all(args, &hunted, &family, pool)?;
    hunted.elapsed = begun.elapsed();
    Ok(hunted)
}

thread_local! {
    /// The seed that this thread is running, for the words of a panic.
    static RUNNING: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Runs one seed.
fn look(family: &Family, seed: u64) -> Result<Found, Trouble> {
    RUNNING.set(Some(seed));
    let scenario = engine::member(family, Seed(seed))?;
    let found = hunt::look(&scenario);
    RUNNING.set(None);
    Ok(found)
}

/// From here on a panic is a fault of the simulator, not of the scenario. It ends the hunt, whose journal keeps all seeds
/// before it, and it can be repeated by one run.
fn blame_ourselves(file: &Path, set: &[String]) {
    let (file, set) = (file.to_owned(), set.to_vec());
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        usual(panicked);
        if let Some(seed) = RUNNING.get() {
            let again = replay::command(&file, seed, &set);
            let report =
                format!("this is a bug in schism, not in the scenario; it can be repeated by: {again}\n");
            Console::new(Colour::Auto).complain(&report);
        }
    }));
}

/// A hunt on its way.
struct Chase<'a> {
    args: &'a Hunt,
    begun: Instant,
    tally: Tally,
    ended: Option<Ended>,
    /// How many seeds are run before anything is written down.
    batch: u64,
    /// Seeds that have been looked at in this process.
    here: u64,
}

/// A batch takes about this long: what is lost when the hunt is killed, and how often threads wait for each other.
const BATCH: Range<Duration> = Duration::from_millis(500)..Duration::from_secs(5);
/// The least and the most seeds of a batch.
const BATCH_SEEDS: (u64, u64) = (8, 1_024);

impl<'a> Chase<'a> {
    fn new(args: &'a Hunt, begun: Instant) -> Chase<'a> {
        let tally = Tally::new(Sample::of(args.seeds.start, args.seeds.end));
        Chase { args, begun, tally, ended: None, batch: BATCH_SEEDS.0, here: 0 }
    }

    /// Counts the next seed, unless the hunt is over. Nothing but the seeds before it decides whether it is.
    fn add(&mut self, found: &Found) -> bool {
        if self.ended.is_some() {
            return false;
        }
        self.tally.add(found);
        let is = |limit: Option<u64>, count: u64| limit.is_some_and(|limit| count >= limit);
        self.ended = if is(self.args.max_failures, self.tally.failed) {
            Some(Ended::Enough)
        } else if is(self.args.until_flat, self.tally.flat_for) {
            Some(Ended::Flat)
        } else if self.tally.seeds == self.args.seeds.end - self.args.seeds.start {
            Some(Ended::Done)
        } else {
            None
        };
        true
    }

    /// Runs batch after batch until it is over.
    fn run(&mut self, family: &Family, pool: &ThreadPool, journal: &mut Journal) -> Result<(), Trouble> {
        let mut progress = Progress::begin("of the seeds");
        while self.ended.is_none() {
            let next = self.args.seeds.start + self.tally.seeds;
            let to = next.saturating_add(self.batch).min(self.args.seeds.end);
            let begun = Instant::now();
            let look = |seed: u64| look(family, seed);
            let found: Vec<Result<Found, Trouble>> =
                pool.install(|| (next..to).into_par_iter().map(look).collect());
            let mut batch = Vec::new();
            for found in found {
                // States that are known already say nothing more.
                let found = found?;
                let found = Found { states: self.tally.new_states(&found), ..found };
                let found = journal::as_kept(&found);
                if !self.add(&found) {
                    break;
                }
                batch.push(found);
                self.here += 1;
            }
            journal.append(&batch)?;
            self.pace(begun.elapsed());
            self.tell(&mut progress);
            if self.ended.is_none() && self.args.time.is_some_and(|time| self.begun.elapsed() >= time) {
                self.ended = Some(Ended::Late);
            }
        }
        progress.end();
        Ok(())
    }

    /// Makes the next batch larger or smaller.
    fn pace(&mut self, took: Duration) {
        if took < BATCH.start {
            self.batch = (2 * self.batch).min(BATCH_SEEDS.1);
        } else if took > BATCH.end {
            self.batch = (self.batch / 2).max(BATCH_SEEDS.0);
        }
    }

    fn tell(&self, progress: &mut Progress) {
        let all = self.args.seeds.end - self.args.seeds.start;
        interrupt::reach(render::so_far(&self.tally, all));
        let rate = self.here as f64 / self.begun.elapsed().as_secs_f64();
        let left = (all - self.tally.seeds) as f64 / rate;
        progress
            .say(|| format!("{}, {rate:.0}/s, about {left:.0} s to go", render::so_far(&self.tally, all)));
    }
}

/// Runs some of the seeds once more in another process, and says which were another run there.
fn elsewhere(
    source: &Source,
    set: &[String],
    tally: &Tally,
    threads: usize,
) -> Result<Vec<Differing>, Trouble> {
    let here = tally.sample().digests();
    if here.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |why: String| Trouble::new(format!("cannot run seeds in another process: {why}"));
    let itself = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let seeds: Vec<String> = here.iter().map(|(seed, _)| seed.to_string()).collect();
    let mut command = Command::new(itself);
    command.arg("digests").arg("-").args(["--seeds", &seeds.join(",")]);
    command.env("RAYON_NUM_THREADS", threads.to_string());
    set.iter().for_each(|change| {
        command.arg("--set").arg(change);
    });
    let output = fed(&mut command, &source.bytes).map_err(|error| failed(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let there: Vec<&str> = said.lines().filter_map(|line| Some(line.split_once(' ')?.1)).collect();
    if there.len() != here.len() {
        let last = String::from_utf8_lossy(&output.stderr);
        let why = last.lines().last().unwrap_or("it said nothing").to_owned();
        return Err(failed(format!("{}: {why}", output.status)));
    }
    let differing = here.iter().zip(there).filter(|((_, here), there)| here != there);
    let differing = differing.map(|((seed, here), there)| Differing {
        seed: *seed,
        here: here.clone(),
        there: there.to_owned(),
    });
    Ok(differing.collect())
}

/// What a command prints that reads this from its stdin.
fn fed(command: &mut Command, bytes: &[u8]) -> io::Result<Output> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // It reads all before it says anything, so neither waits for the other.
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(bytes)?;
    }
    child.wait_with_output()
}

/// Makes a folder, with those that it is in.
fn folder(path: &Path) -> Result<(), Trouble> {
    fs::create_dir_all(path)
        .map_err(|error| Trouble::new(format!("cannot make the folder {}: {error}", path.display())))
}
