//! Every scenario of the repository, loaded once, and the digests that are on record for them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use schism_core::queue::Queue;
use schism_core::{Event, Seed, Witness};
use schism_models::nemesis::Audience;
use schism_models::node::Node;
use schism_runner::Simulation;
use schism_scenario::Scenario;

use crate::repository::{files, read, relative, root};

/// One file below `scenarios/`.
#[derive(Debug)]
pub struct Case {
    /// From the root of the repository: `scenarios/partitions/split-brain.toml`.
    pub path: String,
    /// As meant.
    pub scenario: Scenario,
}

impl Case {
    /// Its name as a snapshot: `partitions__split-brain`.
    pub fn snapshot(&self) -> String {
        let path = self.path.trim_start_matches("scenarios/").trim_end_matches(".toml");
        path.replace('/', "__")
    }

    /// How many nodes it has.
    pub fn nodes(&self) -> usize {
        let Scenario { members, services, clients, .. } = &self.scenario;
        let services: usize = services.iter().map(|group| group.nodes.len()).sum();
        let clients: usize = clients.iter().map(|group| group.nodes.len()).sum();
        members.len() + services + clients
    }

    /// A run of it that is about to begin.
    pub fn begin<W, Q>(&self, seed: Seed, witness: W) -> Simulation<W, Node, Q>
    where
        W: Witness<Node> + Audience,
        Q: Queue<Event<Node>>,
    {
        Simulation::new(&self.scenario, seed, witness)
    }
}

/// Every scenario, by path.
pub fn all() -> &'static [Case] {
    static ALL: OnceLock<Vec<Case>> = OnceLock::new();
    ALL.get_or_init(|| {
        let paths =
            files("scenarios").into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "toml"));
        paths.map(|path| load(relative(&path), &read(&path))).collect()
    })
}

fn load(path: String, text: &str) -> Case {
    let loaded = schism_scenario::load(&path, text, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    Case { path, scenario: loaded.scenario }
}

/// A scenario's line in `snapshots/digests.snap`.
pub fn line(case: &Case, digest: &str) -> String {
    format!("{} {} {digest}", case.path, case.scenario.seed.0)
}

/// The digests on record, by the path of the scenario: `snapshots/digests.snap`.
pub fn recorded() -> BTreeMap<String, String> {
    let text = read(&root().join("snapshots/digests.snap"));
    let fields = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let line = |fields: Vec<&str>| match fields[..] {
        [path, _, digest] if path.starts_with("scenarios/") => Some((path.to_owned(), digest.to_owned())),
        _ => None,
    };
    fields.filter_map(line).collect()
}
