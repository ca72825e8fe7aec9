//! What every scenario shows, under snapshot, and that it is what was expected.

use std::sync::OnceLock;

use insta::{Settings, assert_snapshot};
use rayon::prelude::*;
use schism_core::Duration;
use schism_runner::ledger::Listed;
use schism_runner::report::{Report, Verdict};
use schism_runner::{phases_text, run};
use schism_tests::repository::root;
use schism_tests::scenarios::{Case, all, line};

/// Every scenario's report, with the scenario's own seed.
fn reports() -> &'static [(&'static Case, Report)] {
    static REPORTS: OnceLock<Vec<(&Case, Report)>> = OnceLock::new();
    REPORTS.get_or_init(|| {
        let report = |case: &'static Case| (case, run(&case.scenario, case.scenario.seed, Listed::Wrong));
        all().par_iter().map(report).collect()
    })
}

fn in_snapshots(assert: impl FnOnce()) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(root().join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(assert);
}

#[test]
fn every_scenario_holds() {
    let broken = reports().iter().filter(|(_, report)| report.verdict != Verdict::Holds);
    let broken: Vec<String> = broken.map(|(case, report)| unmet(case, report)).collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// Which expectations were not met, and why.
fn unmet(case: &Case, report: &Report) -> String {
    let unmet = report.expect.iter().filter(|expectation| expectation.verdict != Verdict::Holds);
    let lines = unmet.map(|expectation| {
        let why = expectation.why.as_deref().unwrap_or("no reason given");
        format!("{}: {}: {why}", case.path, expectation.id)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Rounded to a tenth of a second, so that a snapshot changes only when the story does; the digest's ends tell whether
/// the run itself has.
#[test]
fn every_scenario_shows_what_it_showed() {
    in_snapshots(|| {
        for (case, report) in reports() {
            assert_snapshot!(case.snapshot(), phases_text(report, Duration::from_millis(100)));
        }
    });
}

#[test]
fn every_digest_is_on_record() {
    let lines: Vec<String> = reports().iter().map(|(case, report)| line(case, &report.digest)).collect();
    in_snapshots(|| assert_snapshot!("digests", lines.join("\n")));
}
