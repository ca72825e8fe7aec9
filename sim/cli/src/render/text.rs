//! The report as text: what was run, how it went, what was wrong, and the one command that repeats it.

use anstyle::Style;
use schism_runner::report::{Expectation, Latency, Phase, Report, Requests, Verdict};

use super::style::{self, paint};
use super::table::{Cell, Side, Table};
use super::words::{calm, clean, clip, count, latency, many, moment, parts, percent, share, width, wrap};
use super::{beliefs, detail, recovery, registry, timeline};

/// How much is shown, and how wide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Columns.
    pub(crate) width: usize,
    /// How much.
    pub(crate) detail: Detail,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// A screen.
    Brief,
    /// Everything.
    Full,
}

impl Look {
    pub(super) fn is_full(self) -> bool {
        self.detail == Detail::Full
    }

    /// How many of `n` lines are shown: all, or so many; one line is not spared to say that there is one more.
    pub(super) fn at_most(self, lines: usize, n: usize) -> usize {
        if self.is_full() || n <= lines + 1 { n } else { lines }
    }

    /// The line that stands for those that are not shown.
    pub(super) fn more(self, n: usize, things: &str) -> String {
        format!("  {}", paint(style::FAINT, format!("and {} more {things}: -v", count(n as u64))))
    }
}

/// What a report does not say of its run.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// The question that the scenario answers.
    pub(crate) why: Option<String>,
    /// How many nodes took part.
    pub(crate) nodes: usize,
    /// How much of the start the metrics leave out.
    pub(crate) warmup_s: f64,
    /// The command that repeats the run.
    pub(crate) replay: String,
}

/// The report, ready to be written.
pub(crate) fn report(report: &Report, subject: &Subject, look: Look) -> String {
    let mut sections = vec![
        heading(report, subject, look),
        verdict(report),
        timeline::lines(report, subject.warmup_s, look),
        struck(report, look),
        phases(&report.phases, report.phases_omitted, look),
        totals(report, look),
        recovery::lines(report),
        beliefs::lines(report, look),
        registry::lines(report, look),
        expectations(&report.expect, look),
    ];
    if look.is_full() {
        sections.extend(detail::sections(report, look));
    }
    sections.push(foot(report, subject));
    let shown: Vec<String> =
        sections.into_iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    shown.join("\n\n") + "\n"
}

/// Faults of which it is shown whom they struck, unless all are asked for.
const STRUCK: usize = 4;

/// Whom the first faults struck; the full report lists all of them further down.
fn struck(report: &Report, look: Look) -> Vec<String> {
    if look.is_full() {
        return vec![];
    }
    let all = &report.faults;
    let shown = look.at_most(STRUCK, all.len());
    let mut lines = detail::faults(&all[..shown], look);
    if shown < all.len() {
        lines.push(look.more(all.len() - shown, "faults"));
    }
    lines
}

fn heading(report: &Report, subject: &Subject, look: Look) -> Vec<String> {
    let mut lines: Vec<String> =
        wrap(&report.scenario.title, look.width).iter().map(|line| paint(style::HEAD, line)).collect();
    if let Some(why) = &subject.why {
        lines.extend(wrap(why, look.width - 2).iter().map(|line| format!("  {line}")));
    }
    let facts = [
        format!("seed {}", report.seed),
        format!("{} simulated", moment(report.simulated_s)),
        many(report.events, "event"),
        many(subject.nodes as u64, "node"),
        many(report.faults.len() as u64, "fault"),
    ];
    lines.push(format!("  {}", paint(style::FAINT, facts.join(" · "))));
    if let Some(repeatability) = report.repeatability {
        let said = format!("on {}; repeatable {repeatability}", report.engine);
        lines.extend(
            wrap(&said, look.width - 2).iter().map(|line| format!("  {}", paint(style::FAINT, line))),
        );
    }
    lines
}

fn verdict(report: &Report) -> Vec<String> {
    let of =
        |verdict| report.expect.iter().filter(|expectation| expectation.verdict == verdict).count() as u64;
    let all = report.expect.len() as u64;
    let said = match report.verdict {
        Verdict::Holds if all == 0 => "nothing was expected".to_owned(),
        Verdict::Holds => format!("{} held", many(all, "expectation")),
        Verdict::Fails => format!("{} of {} failed", count(of(Verdict::Fails)), many(all, "expectation")),
        Verdict::Vacuous => "the run did not reach what the scenario is about".to_owned(),
    };
    vec![format!("{}  {said}", paint(verdict_style(report.verdict), verdict_word(report.verdict)))]
}

fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "HOLDS",
        Verdict::Fails => "FAILS",
        Verdict::Vacuous => "VACUOUS",
    }
}

fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Holds => style::GOOD,
        Verdict::Fails => style::BAD,
        Verdict::Vacuous => style::ODD,
    }
}

/// Phases shown, unless all are asked for.
const PHASES: usize = 8;

fn phases(phases: &[Phase], omitted: u64, look: Look) -> Vec<String> {
    if phases.is_empty() {
        return vec![];
    }
    let mut table = Table::new([
        ("phase", Side::Left),
        ("from", Side::Right),
        ("to", Side::Right),
        ("requests", Side::Right),
        ("success", Side::Right),
        ("p99", Side::Right),
    ]);
    // The last phase, of all that is after the faults, is always shown.
    let shown = look.at_most(PHASES, phases.len());
    let last = if shown < phases.len() { phases.last() } else { None };
    for phase in phases[..shown].iter().chain(last) {
        table.row([
            Cell::new(&phase.name),
            Cell::new(moment(phase.from_s)),
            Cell::new(moment(phase.to_s)),
            Cell::new(count(phase.offered)),
            success(phase.success_rate),
            Cell::new(phase.p99_ms.map_or_else(|| "-".to_owned(), latency)),
        ]);
    }
    let mut lines: Vec<String> =
        table.lines(look.width - 2).into_iter().map(|line| format!("  {line}")).collect();
    if last.is_some() {
        lines.insert(lines.len() - 1, look.more(phases.len() - shown - 1, "phases"));
    }
    if omitted > 0 {
        lines.push(format!(
            "  {}",
            paint(style::FAINT, format!("{} have no phase of their own", many(omitted, "more fault")))
        ));
    }
    lines
}

fn success(share: Option<f64>) -> Cell {
    share.map_or_else(|| Cell::new("-"), |share| Cell::styled(percent(share), style::of_share(share)))
}

fn totals(report: &Report, look: Look) -> Vec<String> {
    let requests = &report.requests;
    let said = [outcomes(requests), failures(requests), attempts(requests), latencies(&report.latency_ms)];
    let head = paint(style::HEAD, "requests");
    std::iter::once(head).chain(said.iter().flat_map(|line| hanging(line, 2, look))).collect()
}

/// How requests ended; the share is of those that did.
fn outcomes(requests: &Requests) -> String {
    let Requests { offered, succeeded, unfinished, .. } = requests;
    let rest = if *unfinished > 0 { format!(", {} unfinished", count(*unfinished)) } else { String::new() };
    format!(
        "{} offered, {} succeeded ({}){rest}",
        count(*offered),
        count(*succeeded),
        share(*succeeded, offered - unfinished)
    )
}

/// Why requests failed; nothing if none did.
pub(super) fn failures(requests: &Requests) -> String {
    if requests.failed == 0 {
        return String::new();
    }
    let errors = &requests.errors;
    let why = parts(&[
        (errors.timeout, "timeout"),
        (errors.connect, "connect"),
        (errors.rejected, "rejected"),
        (errors.no_endpoint, "no endpoint"),
        (errors.deadline, "deadline"),
        (errors.failed, "answered with an error"),
    ]);
    format!("{} failed: {why}", count(requests.failed))
}

/// A text wrapped, each line after so many spaces.
pub(super) fn hanging(text: &str, indent: usize, look: Look) -> Vec<String> {
    wrap(text, look.width - indent).into_iter().map(|line| format!("{:indent$}{line}", "")).collect()
}

fn attempts(requests: &Requests) -> String {
    format!(
        "{}: {} stale, {} misrouted, {} cross-zone",
        many(requests.attempts, "attempt"),
        count(requests.stale),
        count(requests.misrouted),
        share(requests.cross_zone, requests.attempts)
    )
}

fn latencies(of: &Latency) -> String {
    let Latency { mean, p50, p90, p99, p999, max } = of;
    let figures = [("mean", mean), ("p50", p50), ("p90", p90), ("p99", p99), ("p99.9", p999), ("max", max)];
    let figures = figures.map(|(name, ms)| format!("{name} {}", latency(*ms)));
    format!("latency: {}", figures.join(", "))
}

/// Expectations that held are shown up to this number, unless all are asked for.
const HELD: usize = 8;

fn expectations(all: &[Expectation], look: Look) -> Vec<String> {
    if all.is_empty() {
        return vec![];
    }
    let held = all.iter().filter(|expectation| expectation.verdict == Verdict::Holds).count();
    let mut left = look.at_most(HELD, held);
    let more = held - left;
    let mut lines = vec![paint(style::HEAD, "expected")];
    for expectation in all {
        if expectation.verdict == Verdict::Holds {
            if left == 0 {
                continue;
            }
            left -= 1;
        }
        lines.extend(expectation_lines(expectation, look));
    }
    if more > 0 {
        lines.push(look.more(more, "that held"));
    }
    lines
}

/// Columns before the reason.
const REASON: usize = 11;

fn expectation_lines(expectation: &Expectation, look: Look) -> Vec<String> {
    let word = match expectation.verdict {
        Verdict::Holds => "holds",
        Verdict::Fails => "FAILS",
        Verdict::Vacuous => "vacuous",
    };
    let at = expectation.at_s.map(|at| format!("  at {}", moment(at))).unwrap_or_default();
    let id = clip(&clean(&expectation.id), look.width.saturating_sub(REASON + width(&at)));
    let pad = REASON - 2 - width(word);
    let first = format!(
        "  {}{:pad$}{id}{}",
        paint(verdict_style(expectation.verdict), word),
        "",
        paint(style::FAINT, &at)
    );
    let why = expectation.why.as_deref().unwrap_or_default();
    let rest = wrap(&calm(why), look.width - REASON).into_iter().map(|line| format!("{:REASON$}{line}", ""));
    std::iter::once(first).chain(rest).collect()
}

fn foot(report: &Report, subject: &Subject) -> Vec<String> {
    vec![
        format!("digest  {}", report.digest),
        format!("replay  {}", paint(style::NAME, clean(&subject.replay))),
    ]
}
