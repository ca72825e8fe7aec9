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

const FAMILY: &str = "scenarios/locks/double-holder.toml";

/// What a command prints without the lines that tell of the place and the moment.
fn printed(arguments: &[&str]) -> String {
    let output = schism(Profile::Release).args(arguments).output().expect("the command runs");
    let text = String::from_utf8(output.stdout).expect("a report is text");
    lasting(&text)
}

fn lasting(text: &str) -> String {
    let is_local =
        |line: &str| line.contains(".case.toml") || line.starts_with("  took ") || line.starts_with("$ ");
    text.lines().filter(|line| !is_local(line)).map(|line| line.to_owned() + "\n").collect()
}

#[test]
fn the_hunt_finds_what_it_shows_and_the_case_replays() {
    let folder = tempfile::tempdir().expect("a folder to write to");
    let cases = folder.path().to_str().expect("its name is text");
    assert_eq!(printed(&["hunt", FAMILY, "--cases", cases]), lasting(&blocks()[0]));
    let case = folder.path().join("double-holder-always-single-holder-79.case.toml");
    assert_eq!(printed(&["replay", case.to_str().expect("its name is text")]), lasting(&blocks()[1]));
}

#[test]
fn the_page_on_shrinking_shows_what_is_left() {
    let folder = tempfile::tempdir().expect("a folder to write to");
    let case = folder.path().join("least.case.toml");
    let shrunk = printed(&["shrink", FAMILY, "--seed", "79", "-o", case.to_str().expect("its name is text")]);
    assert_eq!(shrunk, lasting(&blocks_of("docs/src/shrink.md")[0]));
}

#[test]
fn the_explanation_is_what_it_shows() {
    let explained = printed(&["explain", FAMILY, "--seed", "79"]);
    assert!(explained.contains(&blocks()[2]), "{explained}");
    for block in blocks_of("docs/src/explain.md") {
        let block = block.lines().filter(|line| !line.starts_with("$ ")).collect::<Vec<_>>().join("\n");
        assert!(explained.contains(&block), "the page shows what is not printed: {block}");
    }
}

#[test]
fn the_first_report_is_what_it_shows() {
    check(&blocks()[3], &["run", "scenarios/partitions/split-brain.toml"]);
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
