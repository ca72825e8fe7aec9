//! The order of the house: what ARCHITECTURE.md says of the repository is so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::{Path, PathBuf};

use schism_models::nemesis::{End, Fault, OnOverlap};
use schism_models::{balancer, cache, locality, oracle, registry};
use schism_scenario::Ask;
use schism_tests::faults::{Way, fault, staged, ways};
use schism_tests::repository::{files, metadata, read, relative, root};
use schism_tests::scenarios::{all, recorded};
use serde_json::Value;

/// The packages of each floor may use those of the floors named beside it, and no others of the workspace.
const FLOORS: &[(&str, &[&str])] = &[
    ("schism-core", &[]),
    ("schism-models", &["schism-core"]),
    ("schism-scenario", &["schism-core", "schism-models"]),
    ("schism-runner", &["schism-core", "schism-models", "schism-scenario"]),
    ("schism-snapshot", &["schism-core", "schism-models", "schism-scenario", "schism-runner", "schism-live"]),
    ("schism-live", &["schism-core", "schism-models", "schism-scenario", "schism-runner"]),
    ("schism", &["schism-core", "schism-models", "schism-scenario", "schism-runner", "schism-live"]),
];

/// Packages that see everything.
const OUTSIDE: &[&str] = &["schism-tests", "schism-benches"];

#[test]
fn every_file_opens_with_the_sentence_that_says_what_it_is() {
    for path in rust() {
        assert!(read(&path).starts_with("//! "), "{} does not open with `//! `", relative(&path));
    }
}

#[test]
fn the_crate_graph_is_the_floor_plan() {
    let metadata = metadata();
    let members = list(&metadata["workspace_members"]);
    let packages = list(&metadata["packages"]).iter().filter(|package| members.contains(&package["id"]));
    let mut seen = BTreeSet::new();
    for package in packages {
        let name = text(&package["name"]);
        seen.insert(name);
        let Some((_, beneath)) = FLOORS.iter().find(|(floor, _)| *floor == name) else {
            assert!(OUTSIDE.contains(&name), "`{name}` stands on no floor");
            continue;
        };
        for dependency in list(&package["dependencies"]) {
            let used = text(&dependency["name"]);
            let ours = used.starts_with("schism");
            assert!(!ours || beneath.contains(&used), "`{name}` may not use `{used}`");
        }
    }
    let floors = FLOORS.iter().map(|(name, _)| *name).chain(OUTSIDE.iter().copied());
    assert_eq!(seen, floors.collect(), "the packages of the workspace and those of the floor plan");
}

/// Clippy forbids what `clippy.toml` names; this also sees what is only mentioned.
#[test]
fn below_the_command_nobody_speaks_of_the_machine() {
    let words = ["std::time::Instant", "SystemTime", "std::fs", "std::env", "std::thread", "println!"];
    for path in rust().iter().filter(|path| below_the_command(path)) {
        for (number, line) in read(path).lines().enumerate() {
            let word = words.iter().find(|word| line.contains(**word));
            assert_eq!(word, None, "{}:{}", relative(path), number + 1);
        }
    }
}

#[test]
fn no_dependency_takes_its_float_functions_from_the_platform() {
    let metadata = metadata();
    for node in list(&metadata["resolve"]["nodes"]) {
        let is_rand_distr = text(&node["id"]).contains("rand_distr");
        let std_math = list(&node["features"]).iter().any(|feature| feature == "std_math");
        assert!(!(is_rand_distr && std_math), "rand_distr is built with std_math: {}", node["id"]);
    }
}

#[test]
fn every_name_of_the_catalogs_is_used_by_a_scenario() {
    let clients = || all().iter().flat_map(|case| &case.scenario.clients);
    let balancers = clients().map(|group| group.config.picker.balancer.name());
    all_used("balancer", names(balancer::CATALOG.iter().map(|entry| entry.name)), balancers.collect());
    let localities = clients().map(|group| group.config.picker.locality.name());
    all_used("locality", names(locality::CATALOG.iter().map(|entry| entry.name)), localities.collect());
    let caches = clients().map(|group| match group.config.cache {
        cache::Config::None(_) => "none",
        cache::Config::Ttl { .. } => "ttl",
        cache::Config::Watch { .. } => "watch",
    });
    all_used("cache", names(cache::CATALOG.iter().map(|entry| entry.0)), caches.collect());
    let registries = all().iter().map(|case| case.scenario.registry.name());
    all_used("registry", names(registry::CATALOG.iter().map(|entry| entry.0)), registries.collect());
    let asked = all().iter().flat_map(|case| &case.scenario.expectations);
    let oracles = asked.filter_map(|expectation| match &expectation.ask {
        Ask::Oracle { oracle, .. } => Some(oracle.name()),
        Ask::Metric { .. } | Ask::Slo { .. } => None,
    });
    all_used("oracle", names(oracle::CATALOG.iter().map(|entry| entry.name)), oracles.collect());
    let faults = all().iter().flat_map(|case| &case.scenario.faults).map(|planned| planned.fault.name());
    all_used("fault", names(Fault::CATALOG.iter().map(|entry| entry.0)), faults.collect());
}

/// As `schism list faults` shows them: a kind, and within it what it chooses among.
#[test]
fn every_way_to_write_a_fault_is_used_by_a_scenario() {
    let planned = || all().iter().flat_map(|case| &case.scenario.faults);
    let used: BTreeSet<String> = planned().flat_map(|planned| shapes(&planned.fault)).collect();
    let shown = |way: Way| {
        let scenario = staged(&fault("f", "at = \"20s\"", way.toml));
        shapes(&scenario.faults.last().expect("it comes after the stage's own").fault)
    };
    let missing: BTreeSet<String> =
        ways().into_iter().flat_map(shown).filter(|shape| !used.contains(shape)).collect();
    assert!(missing.is_empty(), "no scenario uses {missing:?}");
    assert!(planned().any(|planned| matches!(planned.end, End::At(_))), "no scenario uses `until`");
    let may_overlap = planned().any(|planned| planned.on_overlap == OnOverlap::Fine);
    assert!(may_overlap, "no scenario uses `may-overlap`");
}

#[test]
fn every_kind_of_fault_has_a_page() {
    let index = read(&root().join("docs/src/faults/index.md"));
    for (kind, _) in Fault::CATALOG {
        assert!(
            index.contains(&format!("| [`{kind}`](")),
            "docs/src/faults/index.md does not lead to `{kind}`"
        );
    }
}

#[test]
fn every_scenario_has_a_title_a_reason_and_an_expectation() {
    let mut titles = BTreeMap::new();
    for case in all() {
        let scenario = &case.scenario;
        assert!(scenario.why.as_ref().is_some_and(|why| !why.is_empty()), "{} has no `why`", case.path);
        assert!(!scenario.expectations.is_empty(), "{} expects nothing", case.path);
        let first = titles.insert(&scenario.title, &case.path);
        assert_eq!(first, None, "{} has another's title", case.path);
    }
}

#[test]
fn every_scenario_has_its_snapshots_and_every_snapshot_its_scenario() {
    let expected: BTreeSet<String> =
        all().iter().map(|case| format!("snapshots/{}.snap", case.snapshot())).collect();
    let digests = "snapshots/digests.snap".to_owned();
    // Folders below `snapshots/` are those of other tests.
    let found = files("snapshots")
        .into_iter()
        .map(|path| relative(&path))
        .filter(|path| path.split('/').count() == 2);
    let found: BTreeSet<String> = found.filter(|path| path.ends_with(".snap") && *path != digests).collect();
    assert_eq!(found, expected, "snapshots of scenarios");
    let paths: Vec<&String> = all().iter().map(|case| &case.path).collect();
    assert_eq!(recorded().keys().collect::<Vec<_>>(), paths, "lines of {digests}");
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    for path in markdown() {
        let text = read(&path);
        for link in links(&text) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.with_file_name("").join(file) };
            assert!(target.exists(), "{}: `{link}` leads nowhere", relative(&path));
            let leads = anchor.is_empty() || anchors(&read(&target)).contains(anchor);
            assert!(leads, "{}: `{link}`: there is no such heading", relative(&path));
        }
    }
}

#[test]
fn every_page_of_the_book_is_in_its_summary() {
    let summary = root().join("docs/src/SUMMARY.md");
    let text = read(&summary);
    let listed: BTreeSet<String> = links(&text).map(|link| format!("docs/src/{link}")).collect();
    let pages = files("docs/src").into_iter().filter(|path| is(path, "md") && *path != summary);
    assert_eq!(
        pages.map(|path| relative(&path)).collect::<BTreeSet<_>>(),
        listed,
        "pages, and lines of SUMMARY.md"
    );
}

/// What is written here must mean the same wherever it is checked out.
#[test]
fn nothing_names_a_folder_of_somebodys_machine() {
    let here = root().display().to_string();
    let homes = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("C:", "\\")];
    for path in files(".").into_iter().filter(|path| is_text(path)) {
        let text = read(&path);
        let named = homes.iter().copied().chain([here.as_str()]).find(|folder| text.contains(folder));
        assert_eq!(named, None, "{}", path.display());
    }
}

/// The choices that a fault has made: its kind, and the variants of what it chooses among.
fn shapes(fault: &Fault) -> Vec<String> {
    let chosen: Vec<&dyn Debug> = match fault {
        Fault::Partition(fault) => vec![&fault.shape, &fault.direction, &fault.mode, &fault.tempo],
        Fault::Connection(fault) => vec![&fault.failure],
        Fault::Registry(fault) => return vec![format!("registry.{}", fault.trouble.name())],
        Fault::Dns(fault) => return vec!["dns".to_owned(), format!("dns.{}", fault.how.name())],
        Fault::Clock(fault) => vec![&fault.wrong],
        Fault::Crash(fault) => vec![&fault.death.disk],
        Fault::Disk(fault) => vec![&fault.bad],
        Fault::Loss(fault) => vec![&fault.pattern],
        Fault::Deploy(fault) => vec![&fault.strategy],
        Fault::ConfigPush(fault) => vec![&fault.config],
        Fault::Scale(fault) => vec![&fault.way],
        Fault::Load(fault) => vec![&fault.how],
        Fault::OneOf(fault) => return fault.of.iter().flat_map(shapes).collect(),
        Fault::Latency(_)
        | Fault::Duplicate(_)
        | Fault::Reorder(_)
        | Fault::Corrupt(_)
        | Fault::Bandwidth(_)
        | Fault::LimpLink(_)
        | Fault::CrashLoop(_)
        | Fault::Stop(_)
        | Fault::StartSlow(_)
        | Fault::Zombie(_)
        | Fault::Pause(_)
        | Fault::Gc(_)
        | Fault::VmStall(_)
        | Fault::ZoneOutage(_)
        | Fault::ZoneBrownout(_)
        | Fault::Slow(_)
        | Fault::PartialCapacity(_)
        | Fault::ErrorRate(_)
        | Fault::Leak(_)
        | Fault::NoisyNeighbour(_)
        | Fault::IpReuse(_)
        | Fault::Failpoint(_) => vec![],
    };
    let variant = |of: &&dyn Debug| {
        let text = format!("{of:?}");
        text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
    };
    let within = chosen.iter().map(|of| format!("{}.{}", fault.name(), variant(of)));
    std::iter::once(fault.name().to_owned()).chain(within).collect()
}

fn rust() -> Vec<PathBuf> {
    files(".").into_iter().filter(|path| is(path, "rs")).collect()
}

fn markdown() -> Vec<PathBuf> {
    files(".").into_iter().filter(|path| is(path, "md")).collect()
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn is_text(path: &Path) -> bool {
    ["rs", "toml", "md", "snap", "sh", "json", "html", "yml"].iter().any(|extension| is(path, extension))
}

fn below_the_command(path: &Path) -> bool {
    let path = relative(path);
    ["sim/core/src/", "models/src/", "sim/scenario/src/", "sim/runner/src/"]
        .iter()
        .any(|floor| path.starts_with(floor))
}

/// The targets of the inline links that stay within the repository; what stands in code is none.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    let after = prose.flat_map(|part| part.split("](").skip(1));
    after
        .filter_map(|rest| Some(rest.split_once(')')?.0))
        .filter(|link| !link.contains("://") && !link.starts_with("mailto:"))
}

/// The headings, as links name them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    headings.map(|heading| slug(heading.trim_start_matches('#').trim())).collect()
}

fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn names(of: impl Iterator<Item = &'static str>) -> BTreeSet<&'static str> {
    of.collect()
}

fn all_used(what: &str, catalog: BTreeSet<&str>, used: BTreeSet<&str>) {
    assert_eq!(used, catalog, "each {what} of the scenarios, and of the catalog");
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("cargo metadata has a list here")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("cargo metadata has a text here")
}
