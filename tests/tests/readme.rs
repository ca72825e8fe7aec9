//! What the README and the book's first page show is what their commands print.

use std::io::Write as _;
use std::process::Stdio;

use schism_tests::binary::{Profile, schism};
use schism_tests::{registries, repository};

/// Every line that the README shows of a report, in order, is a line of the report.
fn check(shown: &str, arguments: &[&str]) {
    let output = schism(Profile::Dev).args(arguments).output();
    let output = String::from_utf8(output.expect("the command runs").stdout).expect("a report is text");
    let mut printed = output.lines();
    for line in shown.lines().filter(|line| !line.is_empty()) {
        assert!(
            printed.any(|printed| printed.trim_end() == line.trim_end()),
            "`schism {}` does not print, or not there: {line}",
            arguments.join(" ")
        );
    }
}

/// The README's blocks of text, in order.
fn blocks() -> Vec<String> {
    blocks_of("README.md")
}

fn blocks_of(page: &str) -> Vec<String> {
    let page = repository::read(&repository::root().join(page));
    let blocks = page.split("```text\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

const FAILING: [&str; 5] =
    ["run", "scenarios/partitions/leader-isolated.toml", "--set", "registry.etcd.lease-ttl=2s", "--seed"];

#[test]
fn the_first_report_is_what_it_shows() {
    check(&blocks()[0], &["run", "scenarios/partitions/split-brain.toml"]);
}

#[test]
fn the_seeds_that_fail_are_those_it_names() {
    let fails = |seed: &u32| {
        let mut command = schism(Profile::Dev);
        let output = command.args(FAILING).arg(seed.to_string()).output();
        !output.expect("the command runs").status.success()
    };
    let found: String = (0..60).filter(fails).map(|seed| format!("seed {seed}\n")).collect();
    assert_eq!(blocks()[1], found);
}

#[test]
fn the_first_ten_minutes_show_what_they_show() {
    let folder = tempfile::tempdir().expect("a folder to write to");
    let folder = folder.path().to_str().expect("its name is text");
    assert!(schism(Profile::Dev).args(["init", folder]).status().expect("the command runs").success());
    let page = blocks_of("docs/src/first-ten-minutes.md");
    check(&page[0], &["run", &format!("{folder}/scenario.toml")]);
}

#[test]
fn the_failing_report_is_what_it_shows() {
    // The command that repeats it names its options in an order of its own.
    let block = &blocks()[2];
    let shown: String = block.split_inclusive('\n').filter(|line| !line.starts_with("replay")).collect();
    check(&shown, &[&FAILING[..], &["20"]].concat());
}

#[test]
fn the_page_on_picks_shows_what_its_scripts_answer() {
    let page = repository::read(&repository::root().join("docs/src/pick.md"));
    let mut blocks = page.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    let mut pages = 0;
    while let Some((_, script)) = blocks.find(|(language, _)| *language == "json") {
        let (_, shown) = blocks.next().expect("an answer follows each script");
        let mut command = schism(Profile::Dev);
        command.args(["pick", "-", "--format", "text"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the command runs");
        child.stdin.take().expect("it reads").write_all(script.as_bytes()).expect("it reads on");
        let output = child.wait_with_output().expect("the command ends");
        assert_eq!(String::from_utf8_lossy(&output.stdout), shown, "{script}");
        pages += 1;
    }
    assert_eq!(pages, 5);
}

#[test]
fn the_table_of_registries_is_what_its_command_prints() {
    let page = repository::read(&repository::root().join("docs/src/registries/index.md"));
    let table = registries::table();
    assert!(page.contains(&table), "docs/src/registries/index.md does not show\n{table}");
}
