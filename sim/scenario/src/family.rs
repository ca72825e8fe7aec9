//! A family: a scenario for every seed. A file without `[swarm]` and `[chaos]` is a family of one.

use std::fmt;
use std::hash::Hasher as _;
use std::sync::Arc;

use schism_core::{Digest, DigestValue, Seed};

use crate::chaos::{self, Chaos, Plot};
use crate::diagnostics::{Diagnostics, Problem, Report};
use crate::grammar::{self, Shape};
use crate::overrides;
use crate::reader::Section;
use crate::source::{At, Place, Sources};
use crate::spec::Written;
use crate::swarm::{self, Swarm};
use crate::tree::{Node, Tree};
use crate::{Scenario, check, read};

/// A scenario for every seed. Cloning it is cheap.
#[derive(Clone)]
pub struct Family {
    of: Of,
}

#[derive(Clone)]
enum Of {
    One(Arc<Scenario>),
    Many(Arc<Wide>),
}

/// What a file says that has `[swarm]` or `[chaos]`.
struct Wide {
    tree: Tree,
    sources: Sources,
    /// As written: all faults, and nothing varied.
    written: Written,
    swarm: Swarm,
    chaos: Option<Chaos>,
    digest: DigestValue,
}

/// How often what a seed draws is thrown anew where the parts of it do not go together, such as a fault that would begin
/// after the end of a run that has been drawn short.
const THROWS: u32 = 16;

impl Family {
    /// The explicit scenario of one seed, which is then its default seed: drawn faults and values are written out, and
    /// nothing of `[swarm]` or `[chaos]` is left. The same seed always gives the same scenario.
    ///
    /// # Errors
    ///
    /// If what this seed draws does not go together, however often it is drawn.
    pub fn member(&self, seed: Seed) -> Result<Scenario, Diagnostics> {
        match &self.of {
            Of::One(scenario) => Ok(Scenario { seed, ..Scenario::clone(scenario) }),
            Of::Many(wide) => wide.member(seed),
        }
    }

    /// Whether all seeds run the same scenario.
    pub fn is_one(&self) -> bool {
        matches!(self.of, Of::One(_))
    }

    /// Of what all its members have in common; of a family of one, that of the scenario. Two files that say the same have
    /// the same digest, whatever their comments and their layout.
    pub fn digest(&self) -> DigestValue {
        match &self.of {
            Of::One(scenario) => scenario.digest,
            Of::Many(wide) => wide.digest,
        }
    }

    /// A family of one.
    pub fn one(scenario: Scenario) -> Family {
        Family { of: Of::One(Arc::new(scenario)) }
    }
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_one() { "One" } else { "Many" };
        write!(f, "Family::{kind}({})", self.digest())
    }
}

/// Reads `[swarm]` and `[chaos]` of a file whose rest has been read, and tries what they say. Returns the scenario as
/// written, with the chaos of its own seed, and the family, if nothing is wrong. `set` has the paths that the command line
/// sets, which do not vary.
pub(crate) fn assemble(
    tree: &Tree,
    written: &Written,
    set: &[String],
    sources: &Sources,
    report: &Report,
) -> Option<(Scenario, Family)> {
    let Some((swarm, chaos)) = tables(tree, set, report) else {
        let scenario = check::scenario(written, report)?;
        return Some((scenario.clone(), Family::one(scenario)));
    };
    swarm.check(written, report);
    let wide = Wide {
        tree: tree.clone(),
        sources: sources.clone(),
        written: written.clone(),
        swarm,
        chaos,
        digest: digest(tree),
    };
    let seed = Seed(written.seed.value);
    wide.with_chaos(written.clone(), seed, report)?;
    if report.has_errors() {
        // It is wrong whatever varies: the ends would say the same once more.
        return None;
    }
    wide.try_ends(seed, report);
    if report.has_errors() {
        return None;
    }
    let scenario = match wide.member(seed) {
        Ok(scenario) => scenario,
        Err(why) => {
            let message =
                format!("the member of the default seed {} cannot be drawn: {}", seed.0, first(&why));
            let place = top(tree, "swarm").or_else(|| top(tree, "chaos")).unwrap_or(tree.place);
            report.add(Problem::error(place, message).help("narrow what varies"));
            return None;
        }
    };
    Some((scenario, Family { of: Of::Many(Arc::new(wide)) }))
}

/// The two tables, if either is there.
fn tables(tree: &Tree, set: &[String], report: &Report) -> Option<(Swarm, Option<Chaos>)> {
    let open = |name: &str| {
        let entry = tree.as_table()?.entry(name)?;
        let key = grammar::SCENARIO.iter().find(|key| key.name == name).expect("the grammar has it");
        let Shape::Table(keys) = key.shape else { panic!("`{name}` is a table") };
        Some(Section::open(name, entry.place, Some(&entry.value), keys, report))
    };
    let (swarm, chaos) = (open("swarm"), open("chaos"));
    if swarm.is_none() && chaos.is_none() {
        return None;
    }
    let swarm = swarm.map_or_else(Swarm::default, |section| swarm::read(&section, set));
    Some((swarm, chaos.map(|section| chaos::read(&section))))
}

impl Wide {
    fn member(&self, seed: Seed) -> Result<Scenario, Diagnostics> {
        let mut throw = 0;
        loop {
            let report = Report::default();
            let scenario = self.throw(seed, throw, &report);
            match scenario.filter(|_| !report.has_errors()) {
                Some(scenario) => return Ok(Scenario { seed, ..scenario }),
                None if throw + 1 == THROWS => return Err(report.into_diagnostics(self.sources.clone()).0),
                None => throw += 1,
            }
        }
    }

    /// What a seed draws at one throw.
    fn throw(&self, seed: Seed, throw: u32, report: &Report) -> Option<Scenario> {
        let mut written = if self.swarm.vary.is_empty() {
            self.written.clone()
        } else {
            let mut tree = self.tree.clone();
            for varied in &self.swarm.vary {
                self.put(&mut tree, varied, varied.draw(seed, throw), report)?;
            }
            read::scenario(&tree, report)
        };
        self.swarm.leave_out(&mut written, seed);
        self.with_chaos(written, seed, report)
    }

    fn put(&self, tree: &mut Tree, varied: &swarm::Varied, value: Tree, report: &Report) -> Option<()> {
        let At { value: path, place } = &varied.path;
        overrides::place(tree, path, *place, value).map_err(|problem| report.add(problem)).ok()
    }

    /// As written, with the chaos of a seed.
    fn with_chaos(&self, mut written: Written, seed: Seed, report: &Report) -> Option<Scenario> {
        let Some(chaos) = &self.chaos else {
            swarm::without_faults(&mut written);
            return check::scenario(&written, report);
        };
        let plain = written.faults.len();
        let mut scenario = None;
        let Some(plot) = Plot::new(chaos, &written, report) else {
            // What is wrong besides is told, too.
            check::scenario(&written, report);
            return None;
        };
        let expectations = written.expectations.clone();
        plot.draw(seed, &mut |plan| {
            written.faults.truncate(plain);
            written.faults.extend_from_slice(plan);
            written.expectations.clone_from(&expectations);
            swarm::without_faults(&mut written);
            let scratch = Report::default();
            scenario = check::scenario(&written, &scratch);
            scenario.is_some()
        });
        if scenario.is_none() {
            // It is not the chaos that is refused: with none of it, the check says what is.
            written.faults.truncate(plain);
            written.expectations = expectations;
            swarm::without_faults(&mut written);
            scenario = check::scenario(&written, report);
        }
        scenario
    }

    /// Tries both ends of each range, and each value to choose from, with all else as written.
    fn try_ends(&self, seed: Seed, report: &Report) {
        for varied in &self.swarm.vary {
            for end in varied.ends() {
                let scratch = Report::default();
                let mut tree = self.tree.clone();
                if self.put(&mut tree, varied, end.clone(), report).is_none() {
                    // There is no such path, whatever the value.
                    break;
                }
                let written = read::scenario(&tree, &scratch);
                self.with_chaos(written, seed, &scratch);
                for problem in scratch.into_errors() {
                    report.add(problem.because_of(end.place, &varied.path.value));
                }
            }
        }
    }
}

/// Where a key of the top stands.
fn top(tree: &Tree, name: &str) -> Option<Place> {
    Some(tree.as_table()?.entry(name)?.place)
}

/// The first of what is wrong, in one line.
fn first(why: &Diagnostics) -> String {
    why.iter().next().map(ToString::to_string).unwrap_or_default()
}

/// Of all that is written but prose: keys and values, in the order of the file.
fn digest(tree: &Tree) -> DigestValue {
    const PROSE: [&str; 4] = ["title", "why", "source", "seed"];
    let mut digest = Digest::new();
    for entry in tree.as_table().into_iter().flat_map(|table| &table.entries) {
        if !PROSE.contains(&entry.key.as_str()) {
            fold(&mut digest, &entry.key, &entry.value);
        }
    }
    digest.value()
}

fn fold(digest: &mut Digest, key: &str, tree: &Tree) {
    let mut text = |text: &str| {
        digest.write_u64(text.len() as u64);
        digest.write(text.as_bytes());
    };
    text(key);
    text(tree.kind());
    match &tree.node {
        Node::Text(value) => text(value),
        Node::Integer(_) | Node::Float(_) => text(&tree.as_number().unwrap_or_default()),
        Node::Flag(flag) => text(if *flag { "true" } else { "false" }),
        Node::Datetime => {}
        Node::List(items) => {
            digest.write_u64(items.len() as u64);
            items.iter().for_each(|item| fold(digest, "", item));
        }
        Node::Table(table) => {
            digest.write_u64(table.entries.len() as u64);
            table.entries.iter().for_each(|entry| fold(digest, &entry.key, &entry.value));
        }
    }
}
