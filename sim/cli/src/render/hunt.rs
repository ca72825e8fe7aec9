//! What a hunt found, in words, as JSON, and as outcomes for continuous integration.

use schism_runner::hunt::{Tally, Vacuous};
use schism_runner::report::Verdict;
use serde_json::{Value, json};

use super::outcomes::{Mark, Outcome};
use super::style::{self, paint};
use super::words::{calm, clean, count, instant, many, wrap};
use crate::commands::hunt::{Differing, Ended, Hunted, Trophy};
use crate::console;
use crate::replay;

/// How many steps of a story are told; the earliest of more are counted.
const MOST_STEPS: usize = 12;
/// Columns of what continuous integration shows.
const WIDTH_OF_MESSAGES: usize = 100;
/// The least room for what happened, whatever else is on the line.
const NARROWEST: usize = 30;
/// How many reasons for vacuous runs are told.
const MOST_REASONS: usize = 3;
/// How many further seeds are named.
const MOST_SEEDS: usize = 5;

/// The progress: `512/1000 seeds, FAIL 3 (1 distinct), 812 states`.
pub(crate) fn so_far(tally: &Tally, all: u64) -> String {
    let failed = if tally.failed == 0 { String::new() } else { format!(", {}", failures(tally)) };
    let vacuous =
        if tally.vacuous == 0 { String::new() } else { format!(", vacuous {}", count(tally.vacuous)) };
    let (seeds, states) = (count(tally.seeds), many(tally.states() as u64, "state"));
    format!("{seeds}/{} seeds{failed}{vacuous}, {states}, flat for {}", count(all), count(tally.flat_for))
}

/// `FAIL 3 (1 distinct)`.
pub(crate) fn failures(tally: &Tally) -> String {
    let more = if tally.ungrouped > 0 { " or more" } else { "" };
    format!("FAIL {} ({}{more} distinct)", count(tally.failed), tally.groups.len())
}

/// All hunts, one after another; of several, a line each at the end.
pub(crate) fn text(all: &[Hunted], width: usize) -> String {
    let mut out: Vec<String> = all.iter().map(|hunted| one(hunted, width)).collect();
    if all.len() > 1 {
        out.push(all.iter().map(summary).collect::<Vec<_>>().join(""));
    }
    out.join("\n")
}

fn one(hunted: &Hunted, width: usize) -> String {
    let mut lines = vec![format!("{}: {}", paint(style::HEAD, clean(&hunted.file)), clean(&hunted.title))];
    lines.extend(head(hunted).into_iter().map(|line| format!("  {line}")));
    for trophy in &hunted.trophies {
        lines.push(String::new());
        lines.extend(group(hunted, trophy, width));
    }
    lines.join("\n") + "\n"
}

fn head(hunted: &Hunted) -> Vec<String> {
    let tally = &hunted.tally;
    let hours = tally.simulated as f64 / 3.6e12;
    let seeds = format!("seeds {}..{}", hunted.seeds.start, hunted.seeds.start + tally.seeds);
    let mut lines = vec![format!(
        "{}, {seeds}, {} events, {hours:.1} h simulated",
        many(tally.seeds, "seed"),
        count(tally.events)
    )];
    lines.extend(early(hunted));
    let failed =
        if tally.failed == 0 { String::new() } else { format!("   {}", paint(style::BAD, failures(tally))) };
    let vacuous = if tally.vacuous == 0 {
        String::new()
    } else {
        format!("   {}", paint(style::ODD, format!("vacuous {}", count(tally.vacuous))))
    };
    let pass = paint(style::GOOD, format!("pass {}", count(tally.passed)));
    let states = many(tally.states() as u64, "state");
    lines.push(format!(
        "{pass}{failed}{vacuous}   coverage: {states}, none new for {}",
        many(tally.flat_for, "seed")
    ));
    lines.extend(reasons(tally));
    lines.extend(determinism(hunted));
    lines.push(format!("digest {} of all runs", tally.digest()));
    let took = hunted.elapsed.as_secs_f64();
    let threads = many(hunted.threads as u64, "thread");
    lines.push(paint(style::FAINT, format!("took {took:.1} s with {threads}")));
    lines
}

/// Why runs were vacuous, the commonest reasons first.
fn reasons(tally: &Tally) -> Vec<String> {
    let reasons = tally.reasons();
    let line = |reason: &&Vacuous| {
        let like = format!("{}, as seed {}", count(reason.count), reason.seed);
        format!("  vacuous {like}: {}: {}", clean(&reason.expectation), clean(&reason.why))
    };
    let more = reasons.len().saturating_sub(MOST_REASONS);
    let more = (more > 0).then(|| format!("  and for {}", many(more as u64, "other reason")));
    reasons.iter().take(MOST_REASONS).map(line).chain(more).collect()
}

/// Why it ended before its last seed.
fn early(hunted: &Hunted) -> Option<String> {
    let asked = count(hunted.seeds.end - hunted.seeds.start);
    let why = match hunted.ended {
        Ended::Done => return None,
        Ended::Flat => "no run was in a new state for as long as --until-flat asks",
        Ended::Enough => "--max-failures was reached",
        Ended::Late => "the time of --for was up",
    };
    Some(format!("stopped after {} of {asked} seeds: {why}", count(hunted.tally.seeds)))
}

fn determinism(hunted: &Hunted) -> Vec<String> {
    let sample = many(hunted.tally.sample().digests().len() as u64, "seed");
    if hunted.differing.is_empty() {
        return vec![format!("determinism: {sample} once more in a second process, all digests equal")];
    }
    let line = |differing: &Differing| {
        let verify = format!("schism verify {} --seed {}", replay::quoted(&hunted.file), differing.seed);
        let Differing { seed, here, there } = differing;
        format!(
            "{} seed {seed} was {here} and then {there}: {}",
            paint(style::BAD, "DIVERGED"),
            paint(style::NAME, verify)
        )
    };
    let first =
        format!("determinism: {sample} once more in a second process, {} differ", hunted.differing.len());
    std::iter::once(first).chain(hunted.differing.iter().map(line)).collect()
}

/// The lines of one kind of failure.
fn group(hunted: &Hunted, trophy: &Trophy, width: usize) -> Vec<String> {
    let group = &trophy.group;
    let others = others(trophy);
    let mut lines = vec![format!(
        "{} {}  seed {}{others}",
        paint(style::BAD, "FAIL"),
        paint(style::HEAD, clean(&group.failure.expectation)),
        group.seed
    )];
    lines.extend(wrap(&calm(&trophy.failure().why), width - 2).into_iter().map(|line| format!("  {line}")));
    lines.extend(story(trophy, width));
    if let Some(shrunk) = &trophy.shrunk {
        lines.push(format!("  {}", shrunk.words()));
        lines.push(format!("  {}", shrunk.proof_words()));
    }
    lines.extend(commands(hunted, trophy).into_iter().map(|(label, what)| format!("  {label:8}{what}")));
    lines
}

/// How it came about, up to the failure, which has been told.
fn story(trophy: &Trophy, width: usize) -> Vec<String> {
    let steps = match &trophy.story[..] {
        [before @ .., _] if !before.is_empty() => before,
        all => all,
    };
    let skipped = steps.len().saturating_sub(MOST_STEPS);
    let steps = &steps[skipped..];
    let wide = steps.iter().map(|(_, who, _)| who.len()).max().unwrap_or_default();
    let before = (skipped > 0).then(|| format!("  {:>8}  {} before", "", many(skipped as u64, "step")));
    let step = |(at, who, what): &(f64, String, String)| {
        let head = format!("  {:>8}  {:wide$}  ", instant(*at), clean(who));
        let margin = " ".repeat(head.len());
        let lines = wrap(&calm(what), width.saturating_sub(head.len()).max(NARROWEST));
        let told = lines.into_iter().enumerate();
        told.map(|(at, line)| if at == 0 { head.clone() + &line } else { margin.clone() + &line })
            .collect::<Vec<_>>()
    };
    before.into_iter().chain(steps.iter().flat_map(step)).collect()
}

/// `  (also 90, 338 and 7 more: same signature)`.
fn others(trophy: &Trophy) -> String {
    let group = &trophy.group;
    if group.count == 1 {
        return String::new();
    }
    let named: Vec<String> = group.further.iter().take(MOST_SEEDS).map(u64::to_string).collect();
    let more = group.count - 1 - named.len() as u64;
    let more = if more == 0 { String::new() } else { format!(" and {} more", count(more)) };
    format!("  (also {}{more}: same signature)", named.join(", "))
}

/// What can be typed next: about the case, or else about the run of the first seed.
fn commands(hunted: &Hunted, trophy: &Trophy) -> Vec<(&'static str, String)> {
    let command = |what: String| paint(style::NAME, what);
    let Some(case) = &trophy.case else {
        let set: String =
            hunted.set.iter().map(|change| format!(" --set {}", replay::quoted(change))).collect();
        let seed = format!("{} --seed {}{set}", replay::quoted(&hunted.file), trophy.group.seed);
        let expectation = replay::quoted(&trophy.group.failure.expectation);
        let explain = format!("schism explain {seed} --expectation {expectation}");
        return vec![("run", command(format!("schism run {seed}"))), ("why", command(explain))];
    };
    let at = trophy.failure().at_s.map_or_else(String::new, |at| format!(" --at {at}s"));
    vec![
        ("saved", case.clone()),
        ("replay", command(format!("schism replay {case}"))),
        ("why", command(format!("schism explain {case}"))),
        ("see", command(format!("schism inspect {case}{at}"))),
    ]
}

/// One line for a file.
fn summary(hunted: &Hunted) -> String {
    let tally = &hunted.tally;
    let word = match tally.verdict() {
        _ if !hunted.differing.is_empty() => paint(style::BAD, "DIVERGED"),
        Verdict::Fails => paint(style::BAD, failures(tally)),
        Verdict::Vacuous => paint(style::ODD, "vacuous"),
        Verdict::Holds => paint(style::GOOD, "holds"),
    };
    format!("{}: {} of {}\n", clean(&hunted.file), word, many(tally.seeds, "seed"))
}

/// `schism.hunt/1`. Nothing in it depends on the machine.
pub(crate) fn json(all: &[Hunted]) -> Value {
    json!({ "schema": "schism.hunt/1", "version": env!("CARGO_PKG_VERSION"), "hunts": all.iter().map(hunt).collect::<Vec<_>>() })
}

fn hunt(hunted: &Hunted) -> Value {
    let tally = &hunted.tally;
    let ended = match hunted.ended {
        Ended::Done => "done",
        Ended::Flat => "flat",
        Ended::Enough => "enough",
        Ended::Late => "late",
    };
    let differing = |differing: &Differing| json!({ "seed": differing.seed, "digests": [differing.here, differing.there] });
    let reason = tally.reasons().first().map(|reason| {
        json!({ "expectation": reason.expectation, "why": reason.why, "seed": reason.seed, "count": reason.count })
    });
    json!({
        "file": hunted.file,
        "scenario": { "title": hunted.title, "digest": hunted.digest },
        "seeds": { "from": hunted.seeds.start, "to": hunted.seeds.end, "run": tally.seeds },
        "ended": ended,
        "verdict": tally.verdict(),
        "pass": tally.passed,
        "fail": tally.failed,
        "vacuous": tally.vacuous,
        "vacuous_mostly": reason,
        "events": tally.events,
        "simulated_s": tally.simulated as f64 / 1e9,
        "coverage": { "states": tally.states(), "flat_for": tally.flat_for },
        "determinism": {
            "sample": tally.sample().digests().len(),
            "differing": hunted.differing.iter().map(differing).collect::<Vec<_>>(),
        },
        "digest": tally.digest().to_string(),
        "failures": hunted.trophies.iter().map(trophy).collect::<Vec<_>>(),
        "failures_omitted": tally.ungrouped,
    })
}

fn trophy(trophy: &Trophy) -> Value {
    let shrunk = trophy.shrunk.as_ref().map(|shrunk| {
        json!({
            "words": shrunk.words(),
            "proof": shrunk.proof_words(),
            "faults": shrunk.scenario.faults.len(),
            "length_s": shrunk.scenario.length.as_secs_f64(),
            "runs": shrunk.runs,
        })
    });
    let story = |(at, who, what): &(f64, String, String)| json!({ "at_s": at, "who": who, "what": what });
    json!({
        "expectation": trophy.group.failure.expectation,
        "signature": trophy.group.failure.signature,
        "seed": trophy.group.seed,
        "count": trophy.group.count,
        "further": trophy.group.further,
        "at_s": trophy.group.failure.at_s,
        "why": trophy.group.failure.why,
        "on": trophy.group.failure.on,
        "story": trophy.story.iter().map(story).collect::<Vec<_>>(),
        "shrunk": shrunk,
        "case": trophy.case,
    })
}

/// An outcome for each kind of failure, and one for all the seeds of a file.
pub(crate) fn outcomes(all: &[Hunted]) -> Vec<Outcome> {
    all.iter().flat_map(of_one).collect()
}

fn of_one(hunted: &Hunted) -> Vec<Outcome> {
    let outcome = |name: String, line: Option<&usize>, mark: Mark, lines: &[String]| Outcome {
        name,
        file: hunted.file.clone(),
        place: line.map(|&line| (line, None)),
        mark,
        message: console::plain(&lines.join("\n")),
    };
    let tally = &hunted.tally;
    let (mark, lines) = match tally.verdict() {
        _ if !hunted.differing.is_empty() => (Mark::Differs, determinism(hunted)),
        Verdict::Vacuous => (Mark::Vacuous, head(hunted)),
        _ if hunted.ended == Ended::Late && tally.failed == 0 => (Mark::Undecided, head(hunted)),
        Verdict::Holds | Verdict::Fails => (Mark::Holds, Vec::new()),
    };
    let seeds = outcome(many(tally.seeds, "seed"), None, mark, &lines);
    let failed = hunted.trophies.iter().map(|trophy| {
        let expectation = &trophy.group.failure.expectation;
        let name = format!("{expectation}, seed {}", trophy.group.seed);
        // The first line is what a summary shows.
        let mut said = vec![calm(&clean(&trophy.failure().why))];
        said.extend(group(hunted, trophy, WIDTH_OF_MESSAGES));
        outcome(name, hunted.lines.get(expectation), Mark::Fails, &said)
    });
    std::iter::once(seeds).chain(failed).collect()
}
