//! Phases: a report on one screen, every number rounded, so that a snapshot changes only when the story does.

use std::fmt::Write;

use schism_core::Duration;

use crate::report::{Fault, Phase, Recovery, Report, Verdict, Wrong};

#[cfg(test)]
mod tests;

/// How many faults are told of one by one.
const MOST_FAULTS: usize = 12;

/// What happened, for a reader and for a snapshot: the run's parts, the steps of its recovery, who was wrong, and the
/// verdict. Moments are rounded to the nearest multiple of `round`, latencies and large counts to two digits, shares
/// down to a tenth of a percent, so that only what is whole shows as 100%.
pub fn phases_text(report: &Report, round: Duration) -> String {
    let page = Page { report, round: round.as_nanos().max(1), text: String::new() };
    page.write()
}

/// What became of each expectation, and of all: the shortest of the texts.
pub fn verdict_text(report: &Report, round: Duration) -> String {
    let mut page = Page { report, round: round.as_nanos().max(1), text: String::new() };
    let _ = writeln!(page.text, "{} @ seed {}", report.scenario.title, report.seed);
    page.expectations();
    page.verdict();
    page.text
}

struct Page<'r> {
    report: &'r Report,
    /// In nanoseconds.
    round: u64,
    text: String,
}

/// One phase in a line.
struct Row {
    label: &'static str,
    text: String,
}

impl Page<'_> {
    fn write(mut self) -> String {
        let report = self.report;
        let _ = writeln!(self.text, "{} @ seed {}", report.scenario.title, report.seed);
        let rows = self.rows();
        let (after, rest): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.label == "after");
        rest.iter().for_each(|row| self.line(row.label, &row.text));
        let more = report.faults.len().saturating_sub(MOST_FAULTS);
        if more > 0 {
            self.line("faults", &format!("{more} more"));
        }
        if !report.faults.is_empty() {
            self.recovery(&report.recovery);
        }
        after.iter().for_each(|row| self.line(row.label, &row.text));
        self.registry();
        report.wrong_beliefs.iter().for_each(|wrong| self.wrong(wrong));
        self.expectations();
        self.verdict();
        self.text
    }

    fn verdict(&mut self) {
        let report = self.report;
        let _ = writeln!(self.text, "verdict {} · digest {}", word(report.verdict), short(&report.digest));
    }

    /// The phases that are shown, in columns.
    fn rows(&self) -> Vec<Row> {
        let mut faults = 0;
        let shown = self.report.phases.iter().filter(|phase| {
            faults += usize::from(label(&phase.name) == "fault");
            label(&phase.name) != "fault" || faults <= MOST_FAULTS
        });
        let cells: Vec<_> = shown.map(|phase| (label(&phase.name), self.phase(phase))).collect();
        let width =
            |column: usize| cells.iter().map(|(_, row)| row[column].chars().count()).max().unwrap_or(0);
        let [first, second, third] = [0, 1, 2].map(width);
        let row = |(label, [what, success, p99, why]): &(&'static str, [String; 4])| Row {
            label,
            text: format!("{what:first$}  {success:second$}  {p99:third$}  {why}"),
        };
        cells.iter().map(row).collect()
    }

    fn phase(&self, phase: &Phase) -> [String; 4] {
        let span = format!("{}..{}s", self.bare(phase.from_s), self.bare(phase.to_s));
        let fault = self.report.faults.iter().find(|fault| fault.id == phase.name);
        let what = match fault {
            Some(fault) => format!("{} {span}", fault.id),
            None => span,
        };
        let success =
            phase.success_rate.map_or("no requests".to_owned(), |rate| format!("success {}", percent(rate)));
        let p99 = phase.p99_ms.map_or(String::new(), |millis| format!("p99 {}", latency(millis)));
        [what, success, p99, fault.map_or(String::new(), why)]
    }

    fn recovery(&mut self, recovery: &Recovery) {
        let detected = recovery.detect_s.map_or("never".to_owned(), |secs| self.plus(secs));
        self.line("detect", &detected);
        if let Some(secs) = recovery.failover_s {
            let text = self.plus(secs);
            self.line("failover", &text);
        }
        if let Some(secs) = recovery.two_leaders_s.filter(|&secs| secs > 0.0) {
            let text = format!("two leaders at once for {}", self.secs(secs));
            self.line("rivals", &text);
        }
        let rerouted =
            recovery.reroute_s.map_or("no attempt was misrouted".to_owned(), |secs| self.plus(secs));
        self.line("reroute", &rerouted);
        if let Some(dip) = recovery.dip {
            let lasted = recovery.dip_for_s.map_or(String::new(), |secs| format!(" for {}", self.secs(secs)));
            self.line("dip", &format!("success min {}{lasted}", percent(dip)));
        }
        if let Some(secs) = recovery.ghost_window_s {
            let text = self.secs(secs);
            self.line("ghost", &format!("a dead instance was believed up for {text}"));
        }
        self.heal(recovery);
    }

    fn heal(&mut self, recovery: &Recovery) {
        let faults = &self.report.faults;
        let Some(last) = faults.iter().filter_map(|fault| fault.to_s).reduce(f64::max) else { return };
        let lasting = faults.iter().filter(|fault| fault.to_s.is_none()).count();
        let rest = if lasting > 0 { format!(", {lasting} never") } else { String::new() };
        let text = format!("{}{rest}", self.secs(last));
        self.line("heal", &text);
        let converged = recovery.converge_s.map_or("never".to_owned(), |secs| self.plus(secs));
        self.line("converge", &converged);
    }

    fn registry(&mut self) {
        let registry = &self.report.registry;
        if registry.writes == 0 {
            return;
        }
        let [leaders, expired, evicted] =
            [registry.leaders, registry.leases.expired, self.report.recovery.false_evictions].map(count);
        let text = format!("leaders {leaders} · leases expired {expired} · false evictions {evicted}");
        self.line("registry", &text);
    }

    fn wrong(&mut self, wrong: &Wrong) {
        let Wrong { observers, subjects, believes, beliefs, longest_s } = wrong;
        let noun = if *beliefs == 1 { "belief" } else { "beliefs" };
        let (beliefs, longest) = (count(*beliefs), self.secs(*longest_s));
        let text = format!("{observers} thought {subjects} {believes}: {beliefs} {noun}, longest {longest}");
        self.line("wrong", &text);
    }

    fn expectations(&mut self) {
        for expectation in &self.report.expect {
            let at = match expectation.verdict {
                Verdict::Fails => expectation.at_s.map(|at| format!(" at {}", self.secs(at))),
                Verdict::Holds | Verdict::Vacuous => None,
            };
            let text =
                format!("{:7}  {}{}", word(expectation.verdict), expectation.id, at.unwrap_or_default());
            self.line("expect", &text);
        }
    }

    fn line(&mut self, label: &str, text: &str) {
        let _ = writeln!(self.text, "{}", format!("  {label:9} {text}").trim_end());
    }

    fn plus(&self, secs: f64) -> String {
        format!("+{}", self.secs(secs))
    }

    fn secs(&self, secs: f64) -> String {
        format!("{}s", self.bare(secs))
    }

    /// Seconds to the nearest multiple of `round`, without their unit.
    fn bare(&self, secs: f64) -> String {
        let nanos = Duration::from_secs_f64(secs).as_nanos();
        let rounded = (nanos + self.round / 2) / self.round * self.round;
        let (whole, rest) = (rounded / 1_000_000_000, rounded % 1_000_000_000);
        let text = format!("{whole}.{rest:09}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

fn label(phase: &str) -> &'static str {
    match phase {
        "before" => "before",
        "after" => "after",
        "all" => "all",
        _ => "fault",
    }
}

fn why(fault: &Fault) -> String {
    let touched = count(fault.touched);
    format!("{}; touched {touched}", fault.what)
}

/// Down to a tenth of a percent.
fn percent(share: f64) -> String {
    let tenths = (share * 1000.0 + 1e-6) as u64;
    if tenths.is_multiple_of(10) {
        format!("{}%", tenths / 10)
    } else {
        format!("{}.{}%", tenths / 10, tenths % 10)
    }
}

/// To two digits, in the unit that suits it.
fn latency(millis: f64) -> String {
    let nanos = two_digits((millis * 1e6 + 0.5) as u64);
    Duration::from_nanos(nanos).to_string()
}

/// Exact up to 99, then to two digits.
fn count(of: u64) -> String {
    if of < 100 { of.to_string() } else { format!("~{}", two_digits(of)) }
}

fn two_digits(of: u64) -> u64 {
    let unit = 10u64.pow(of.checked_ilog10().unwrap_or(0).saturating_sub(1));
    (of + unit / 2) / unit * unit
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Vacuous => "vacuous",
        Verdict::Fails => "fails",
    }
}

/// The first and the last digits of a digest.
fn short(digest: &str) -> String {
    match (digest.get(..6), digest.len().checked_sub(2).and_then(|at| digest.get(at..))) {
        (Some(first), Some(last)) if digest.len() > 8 => format!("{first}…{last}"),
        _ => digest.to_owned(),
    }
}
