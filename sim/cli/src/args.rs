//! The arguments: what may be written on the command line, and the help that says so.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use schism_runner::trace::MOST_ENTRIES;

use crate::console::Colour;
use crate::files;
use crate::render::outcomes::Form;

/// Deterministic simulation of service discovery under distributed failures.
#[derive(Debug, Parser)]
#[command(name = "schism", version, max_term_width = 100, after_help = FIRST_STEPS)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// When to use colour; NO_COLOR and CLICOLOR_FORCE are honoured.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        help = "When to use colour: auto, always or never"
    )]
    pub(crate) color: Colour,
}

const FIRST_STEPS: &str = "\
First steps:
  schism init                     write a commented scenario
  schism run scenario.toml        run it and read the report
  schism plan scenario.toml       see its faults on a time line
  schism list                     see what a scenario can be made of

Exit codes: 0 holds, 1 an expectation failed, 2 bad scenario or usage, 3 vacuous,
4 nondeterminism";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a scenario once and report what happened
    Run(Run),
    /// Run cases again: identical, still failing, or holding
    Replay(Replays),
    /// Search many seeds for failures, group them, and shrink and keep the first of each kind
    Hunt(Hunt),
    /// Print the digests of seeds
    #[command(hide = true)]
    Digests(Digests),
    /// Shrink a failing run to what its failure needs
    Shrink(Shrink),
    /// Stop a run at a moment and look at it: nodes, timers, waits, beliefs
    Inspect(Inspect),
    /// Say what is wrong with scenarios, without running them
    Check(Check),
    /// Run seeds several times, in several processes, and say where two runs part if they do
    Verify(Verify),
    /// Compare two runs: verdicts, phases, metrics, and where they part
    Diff(Diff),
    /// Print what a run leaves to be compared
    #[command(hide = true)]
    Trail(Trail),
    /// Print the resolved scenario, with its faults on a time line
    Plan(Plan),
    /// Say why a run fails: when that was sealed, which faults it took, and what would have avoided it
    Explain(Explain),
    /// Drive one balancer without a network: who gets which request
    Pick(Pick),
    /// List what a scenario can be made of
    List(List),
    /// Print the JSON Schema of scenario files
    Schema(Schema),
    /// Write a commented scenario to start from, and in a crate a test of it
    Init(Init),
    /// Print the completions of a shell
    Completions(Completions),
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

/// A scenario file, with changes.
#[derive(Debug, ClapArgs)]
pub(crate) struct Input {
    /// The scenario; `-` is stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) changes: Changes,
}

/// Changes to a scenario.
#[derive(Debug, ClapArgs)]
pub(crate) struct Changes {
    /// Change one value, as in clients.web.timeout=100ms; may be given several times
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<String>,
}

/// In which form to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Where an answer goes.
#[derive(Debug, ClapArgs)]
pub(crate) struct Destination {
    /// Write the answer to a file, whole or not at all
    #[arg(short, long, value_name = "FILE", value_parser = destination, value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

/// In which form to answer, of two, and where to.
#[derive(Debug, ClapArgs)]
pub(crate) struct TextOrJson {
    /// Text for people or JSON for programs
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) destination: Destination,
}

/// In which form to answer, those of continuous integration among them, and where to.
#[derive(Debug, ClapArgs)]
pub(crate) struct AnyForm {
    /// Text for people, JSON for programs, or what continuous integration reads
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Answer,
    #[command(flatten)]
    pub(crate) destination: Destination,
}

/// What runs a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// Our own discrete-event simulator.
    Des,
    /// The live wing.
    Madsim,
}

/// In which form to answer, those of continuous integration among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answer {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// JUnit's XML.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
}

impl Answer {
    /// The form of the outcomes, if that is what is asked for.
    pub(crate) fn form(self) -> Option<Form> {
        match self {
            Answer::Text | Answer::Json => None,
            Answer::Junit => Some(Form::Junit),
            Answer::Github => Some(Form::Github),
        }
    }
}

/// Which beliefs the report lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Beliefs {
    /// Those that were ever wrong.
    Wrong,
    /// Also those that were true.
    All,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism run scenario.toml
  schism run scenario.toml --seed 7 --set clients.web.timeout=100ms
  schism run scenario.toml --format json --output report.json
  schism run scenario.toml --trace run.perfetto.json
  schism run scenario.toml --seed 7 --keep cases/seven.case.toml
  schism run scenario.toml --format junit --output report.xml
  schism run scenario.toml --engine madsim
  schism run - < scenario.toml

Exit codes: 0 holds, 1 an expectation failed, 2 bad scenario or usage, 3 vacuous,
4 two runs on madsim with one seed differed")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The seed, instead of the scenario's own
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// Our own engine, or madsim: a second one, for what it can do
    #[arg(long, value_name = "ENGINE", default_value = "des")]
    pub(crate) engine: Engine,
    #[command(flatten)]
    pub(crate) answer: AnyForm,
    /// Which beliefs to list: those that were ever wrong, or all
    #[arg(long, value_name = "WHICH", default_value = "wrong")]
    pub(crate) beliefs: Beliefs,
    /// Show every table: clients, services, faults, leases, beliefs
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Write every event with what it came of to a file: JSON lines, or for ui.perfetto.dev if its name ends in .perfetto.json
    #[arg(long, value_name = "FILE", value_parser = destination, value_hint = ValueHint::FilePath)]
    pub(crate) trace: Option<PathBuf>,
    /// How many entries the trace has at most; the oldest are dropped, and counted
    #[arg(long, value_name = "N", default_value_t = MOST_ENTRIES, requires = "trace")]
    pub(crate) trace_entries: usize,
    /// If an expectation fails, keep the first failure as a case in this file
    #[arg(long, value_name = "CASE", value_parser = destination, value_hint = ValueHint::FilePath)]
    pub(crate) keep: Option<PathBuf>,
}

/// What a replay is meant to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Expected {
    /// That what failed holds now.
    Fixed,
    /// That it fails exactly as recorded.
    Failing,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism replay cases/lost-update.case.toml
  schism replay cases/*.case.toml --format json
  schism replay cases/*.case.toml --expect failing

Exit codes: 0 every case holds now, 1 one still fails, 2 bad case or usage, 3 one is not reached any more.
With --expect failing: 0 every
case fails as recorded, 1 one does not, 4 a run differs though neither version nor scenario has changed")]
pub(crate) struct Replays {
    /// The cases; `-` is stdin
    #[arg(value_name = "CASE", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// What is meant to be found: fixed or failing
    #[arg(long, value_name = "WHAT", default_value = "fixed")]
    pub(crate) expect: Expected,
    #[command(flatten)]
    pub(crate) answer: AnyForm,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism hunt scenario.toml
  schism hunt scenario.toml --seeds 0..100000 --for 10m
  schism hunt scenarios/*.toml --until-flat 200 --format junit --output hunt.xml

What a hunt has found so far is in .schism in the folder of the cases: killed at any time, the same command goes
on where it was. Nothing that is printed depends on the threads or on the time it took but the line that says so.

Exit codes: 0 holds, 1 an expectation failed, 2 bad scenario or usage, 3 every run was vacuous,
4 nondeterminism, 5 the time was up and nothing had failed")]
pub(crate) struct Hunt {
    /// The scenarios, each a hunt of its own
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) changes: Changes,
    /// All seeds from the first up to the last, which is left out: 0..1000, or 1000 for the same
    #[arg(long, value_name = "A..B", value_parser = seeds, default_value = "0..1000")]
    pub(crate) seeds: Range<u64>,
    /// How many seeds at a time; as many as there are processors, if it is not said
    #[arg(short, long, value_name = "N", value_parser = jobs)]
    pub(crate) jobs: Option<usize>,
    /// Stop after this time, as in 60s or 10m, with what was found by then
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<Duration>,
    /// Stop after so many seeds in a row in which no run was in a state that none was in before
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) until_flat: Option<u64>,
    /// Stop when so many seeds have failed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_failures: Option<u64>,
    /// Begin anew, whatever an interrupted hunt has found
    #[arg(long)]
    pub(crate) fresh: bool,
    /// The folder in which failures are kept as cases
    #[arg(long, value_name = "DIR", default_value = "cases", value_hint = ValueHint::DirPath)]
    pub(crate) cases: PathBuf,
    /// Keep the first failure of each kind as it is
    #[arg(long)]
    pub(crate) no_shrink: bool,
    /// How many runs may be spent on shrinking each
    #[arg(long, value_name = "RUNS", default_value_t = 500)]
    pub(crate) budget: u64,
    #[command(flatten)]
    pub(crate) answer: AnyForm,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Digests {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The seeds
    #[arg(long, value_name = "N,N", value_delimiter = ',', required = true)]
    pub(crate) seeds: Vec<u64>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism shrink scenario.toml --seed 471 --output cases/471.case.toml
  schism shrink cases/471.case.toml --output cases/least.case.toml
  schism shrink scenario.toml --seed 471 --budget 200 > least.case.toml

Exit codes: 0 nothing more can go, 2 nothing fails or bad input, 5 the budget ran out")]
pub(crate) struct Shrink {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The seed, instead of the scenario's own
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// The expectation whose failure is meant; by default the case's, or the first that fails
    #[arg(long, value_name = "ID")]
    pub(crate) expectation: Option<String>,
    /// How many runs may be spent
    #[arg(long, value_name = "RUNS", default_value_t = 2_000)]
    pub(crate) budget: u64,
    /// Text for people or JSON for programs
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Write the case to a file, whole or not at all; by default it goes to stdout
    #[arg(short, long, value_name = "CASE", value_parser = destination, value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

/// In which form to show a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shown {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// The waits-for graph, for Graphviz.
    Dot,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism inspect scenario.toml --at 45s
  schism inspect scenario.toml --at 45s --node registry-0 --beliefs orders-7
  schism inspect scenario.toml --until leader-changes --waits
  schism inspect scenario.toml --at 45s --waits --format dot | dot -Tsvg > waits.svg
  schism inspect scenario.toml --at 30s --without split --run
  schism inspect cases/stale.case.toml
  echo 'until lease-expires; back 100; nodes' | tr ';' '\\n' | schism inspect scenario.toml

Without a question it reads commands, from the terminal or line by line from stdin; `help` lists them.

Exit codes: 0 done, 1 with --run an expectation failed, 2 bad scenario, name or command, 3 with --run vacuous")]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The seed, instead of the scenario's own
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// Go to this moment: all that happens before it has happened
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Go on from there until this happens, as in leader-changes, split.heals, 'beliefs orders-7 changes'
    #[arg(long, value_name = "EXPR")]
    pub(crate) until: Option<String>,
    /// Go back from there by so many events
    #[arg(long, value_name = "EVENTS")]
    pub(crate) back: Option<u64>,
    /// From there on with other random draws for all but the faults: the future of this number, as explain numbers them
    #[arg(long, value_name = "N")]
    pub(crate) luck: Option<u64>,
    /// From there on a fault that has not begun is another: fault.ID.KEY=VALUE; may be given several times
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub(crate) fork: Vec<String>,
    /// From there on a fault that has not begun never will; may be given several times
    #[arg(long, value_name = "FAULT")]
    pub(crate) without: Vec<String>,
    /// Run on from there to the end, and show how that comes out
    #[arg(long)]
    pub(crate) run: bool,
    /// Show this node; may be given several times
    #[arg(long, value_name = "NODE")]
    pub(crate) node: Vec<String>,
    /// Show what everyone thinks of this instance; may be given several times
    #[arg(long, value_name = "INSTANCE")]
    pub(crate) beliefs: Vec<String>,
    /// Show the timers of the nodes asked for, or of all
    #[arg(long)]
    pub(crate) timers: bool,
    /// Show who waits for whom, and who does in a ring
    #[arg(long)]
    pub(crate) waits: bool,
    /// Show who holds which lock, by the registry's word and by its own, and who waits
    #[arg(long)]
    pub(crate) locks: bool,
    /// Show who can reach whom
    #[arg(long)]
    pub(crate) islands: bool,
    /// Show all of each node, its state too
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Text for people, JSON for programs, or the waits-for graph for Graphviz
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Shown,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism check scenario.toml
  schism check scenarios/*.toml
  schism check scenario.toml --format json
  schism check scenario.toml --engine madsim
  schism check scenarios/*.toml --format github")]
pub(crate) struct Check {
    /// The scenarios; `-` is stdin
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) changes: Changes,
    /// Whether this engine can run them: what it cannot do is refused with its place
    #[arg(long, value_name = "ENGINE", default_value = "des")]
    pub(crate) engine: Engine,
    #[command(flatten)]
    pub(crate) answer: AnyForm,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism verify scenario.toml
  schism verify scenario.toml --seeds 0..20
  schism verify scenario.toml --seed 88 --format json

Exit codes: 0 every run of a seed is the same, 2 bad scenario or usage, 4 nondeterminism: two runs of one seed differ")]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The seed, instead of the scenario's own
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// All seeds from the first up to the last, which is left out: 0..20, or 20 for the same
    #[arg(long, value_name = "A..B", value_parser = seeds, conflicts_with = "seed")]
    pub(crate) seeds: Option<Range<u64>>,
    /// How many seeds at a time; as many as there are processors, if it is not said
    #[arg(short, long, value_name = "N", value_parser = jobs)]
    pub(crate) jobs: Option<usize>,
    #[command(flatten)]
    pub(crate) answer: AnyForm,
}

/// What a run leaves to be compared.
#[derive(Debug, ClapArgs)]
pub(crate) struct Trail {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The seed, instead of the scenario's own
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// Instead a log of the events after the first of these up to the second
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    pub(crate) events: Option<Range<u64>>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism diff yesterday.json today.json
  schism diff scenario.toml cases/stale.case.toml
  schism diff scenario.toml --seed 1 --seed 2
  schism diff scenario.toml --set clients.web.timeout=100ms
  schism diff scenario.toml --set clients.web.balancer=p2c --against clients.web.balancer=random

Exit codes: 0 the same, 1 different, 2 bad scenario or usage")]
pub(crate) struct Diff {
    /// A scenario or the JSON of a report, or two of them; `-` is stdin
    #[arg(value_name = "FILE", required = true, num_args = 1..=2, value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// The seed of both runs; given twice, that of the first and that of the second
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(crate) seed: Vec<u64>,
    /// Change one value: of both runs, of the first alone beside --against, or, if nothing else tells the two
    /// apart, of the second alone
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<String>,
    /// Change one value of the second run
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub(crate) against: Vec<String>,
    /// Also show figures that moved by less than 1%
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) answer: TextOrJson,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism plan scenario.toml
  schism plan scenario.toml --seed 7 > resolved.toml && schism run resolved.toml")]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The seed, instead of the scenario's own
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// Text that is itself a scenario, or JSON for programs
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Show every fault on the time line, however many there are
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) destination: Destination,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism explain scenario.toml
  schism explain scenario.toml --seed 7 --expectation never-stale-request
  schism explain scenario.toml --futures 256 --effort 2000
  schism explain scenario.toml --format json | jq .needs

Exit codes: 0 explained, 2 nothing fails, or bad scenario or usage")]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The seed, instead of the scenario's own
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// The expectation that failed; by default the first that did
    #[arg(long, value_name = "ID")]
    pub(crate) expectation: Option<String>,
    /// How many futures are drawn from each moment; fewer if runs are long
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) futures: u32,
    /// How many million events may be simulated for it, about
    #[arg(long, value_name = "MILLIONS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) effort: u64,
    #[command(flatten)]
    pub(crate) answer: TextOrJson,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism pick --example > pick.json
  schism pick pick.json --format text
  schism pick pick.json | jq .histogram
  echo '{ \"balancer\": \"jump\", \"endpoints\": [{\"name\": \"a\"}, {\"name\": \"b\"}],
          \"ops\": [{\"pick\": {\"key\": \"alice\"}}] }' | schism pick -")]
pub(crate) struct Pick {
    /// The script, one JSON object; `-` is stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present_any = ["example", "schema"])]
    pub(crate) file: Option<PathBuf>,
    /// Text for people or JSON for programs
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub(crate) format: Format,
    /// With text: show every step and all of the state
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) destination: Destination,
    /// Print a script to start from
    #[arg(long, conflicts_with_all = ["file", "schema"])]
    pub(crate) example: bool,
    /// Print the JSON Schema of scripts
    #[arg(long, conflicts_with = "file")]
    pub(crate) schema: bool,
}

/// What there is a catalog of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Catalog {
    /// How a client picks an endpoint.
    Balancers,
    /// Where it looks for one.
    Localities,
    /// How a client learns endpoints and keeps them.
    Caches,
    /// Who keeps the list of who is there.
    Registries,
    /// What can go wrong.
    Faults,
    /// What can be expected of events and views.
    Oracles,
    /// What can be bounded.
    Metrics,
    /// Named points of the models at which things can be made to fail.
    Failpoints,
    /// How long things take.
    Distributions,
    /// All of them.
    All,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism list
  schism list faults
  schism list balancers --format json")]
pub(crate) struct List {
    /// Which catalog
    #[arg(value_name = "CATALOG", default_value = "all")]
    pub(crate) catalog: Catalog,
    #[command(flatten)]
    pub(crate) answer: TextOrJson,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism schema --output scenario.schema.json
  # then begin a scenario with:   #:schema scenario.schema.json")]
pub(crate) struct Schema {
    #[command(flatten)]
    pub(crate) destination: Destination,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  schism init
  schism init experiments && schism run experiments/scenario.toml")]
pub(crate) struct Init {
    /// The folder; made if it is not there
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  source <(schism completions bash)
  schism completions zsh > ~/.zfunc/_schism
  schism completions fish > ~/.config/fish/completions/schism.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// `PATH=VALUE`, so far as that can be told without the language.
fn assignment(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((path, _)) if !path.trim().is_empty() => Ok(text.to_owned()),
        Some(_) | None => Err("write PATH=VALUE, as in clients.web.timeout=100ms".to_owned()),
    }
}

/// A seed: any whole number of 64 bits.
fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

/// Seeds from one up to another that is left out; a number alone is that many from 0.
fn seeds(text: &str) -> Result<Range<u64>, String> {
    let (first, end) = text.split_once("..").unwrap_or(("0", text));
    let range = seed(first)?..seed(end)?;
    if range.is_empty() { Err("there is no seed in it; write 0..20".to_owned()) } else { Ok(range) }
}

/// A time of the machine's, as scenarios write theirs.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let wrong = || "write a whole number and a unit: 90s, 10m or 8h".to_owned();
    let unit = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)]
        .into_iter()
        .find(|(name, _)| *name == unit);
    let (_, millis) = unit.ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(wrong)
}

/// More threads than this have never made anything faster.
const MOST_JOBS: usize = 1_024;

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs @ 1..=MOST_JOBS) => Ok(jobs),
        Ok(_) | Err(_) => Err(format!("write a whole number from 1 to {MOST_JOBS}")),
    }
}

/// A file to write. What is in its way is said before anything is run.
fn destination(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    files::is_free_to_write(&path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_seed_is_a_whole_number_from_zero() {
        let refused = |text: &str| {
            let given = ["schism", "run", "a.toml", "--seed", text];
            Args::try_parse_from(given).expect_err("it is no seed").to_string()
        };
        for text in ["abc", "-1", "1.5", "18446744073709551616"] {
            let said = refused(text);
            assert!(said.contains("a seed is a whole number from 0"), "{said}");
            assert!(!said.contains("-- -1"), "{said}");
        }
    }

    #[test]
    fn seeds_are_a_range_or_a_number_of_them() {
        assert_eq!(seeds("3..7"), Ok(3..7));
        assert_eq!(seeds("20"), Ok(0..20));
        for text in ["", "0", "7..7", "7..3", "1..", "..3", "1..=3", "x"] {
            assert!(seeds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_assignment_has_a_path_and_an_equals_sign() {
        assert!(assignment("a.b=c=d").is_ok());
        assert!(assignment("a.b=").is_ok(), "an empty value is for the language to judge");
        assert!(assignment("a.b").is_err());
        assert!(assignment("=c").is_err());
    }
}
