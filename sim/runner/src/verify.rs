//! Verification: whether one seed is one run, and if it is not, where two runs of it part.
//!
//! A run leaves a [`Trail`], which can be carried from one process to another and compared there. When two trails differ,
//! [`twins`] looks for the place: two runs side by side, on two threads, compared as they go. Where those do not part, each
//! of the processes that did writes a [`Log`] of the stretch in which they did, and the logs are compared.

mod afar;
mod notes;
mod state;
mod twins;

use std::fmt::Debug;

use rayon::ThreadPoolBuilder;
use schism_core::{Checkpoint, DigestValue, Parting, Seed, Time, parting};
use schism_models::node::Process;
use schism_scenario::Scenario;
use serde::Serialize;
use serde_json::{Value, json};

pub use afar::{Log, Stretch, log};
pub(crate) use state::{Positions, positions};
pub(crate) use twins::strangers;
pub use twins::{Aspect, Difference, Drawn, Parted, Twins, twins};

use crate::Simulation;

/// What became of one seed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checked {
    /// The seed.
    pub seed: u64,
    /// Its runs, each with where it was made.
    pub runs: Vec<Ran>,
    /// Where two of them part, if they are not all the same.
    pub discord: Option<Discord>,
}

/// One run of a seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ran {
    /// Where it was made, in words.
    pub place: String,
    /// Its digest: 32 hexadecimal digits.
    pub digest: String,
    /// How many events there were.
    pub events: u64,
}

/// Two runs of one seed that are not the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Discord {
    /// Where the two were made.
    pub between: [String; 2],
    /// The last checkpoint of their digests that both share: how many events, and when, in seconds.
    pub alike: (u64, f64),
    /// The first at which they differ, if there is one before the end of either.
    pub apart: Option<(u64, f64)>,
    /// Two more runs, side by side or in processes of their own: where they part. None if they never did.
    pub parted: Option<Parted>,
    /// Whether these were in processes of their own, since side by side they did not part.
    pub afar: bool,
}

/// How many pairs of twins are run before it is said that they do not part.
const PAIRS: usize = 3;

/// Runs a seed here and on another thread, compares these runs with those that were made elsewhere, and finds where two
/// part if they do. `write` has a process elsewhere write a log; none if none can be had.
pub fn check<P: Process + Debug>(
    scenario: &Scenario,
    seed: Seed,
    elsewhere: Vec<(String, Trail)>,
    mut write: impl FnMut(Stretch) -> Option<Log>,
) -> Checked {
    let processes = elsewhere.len();
    let mut trails = elsewhere;
    trails.push(("in this process".to_owned(), trail::<P>(scenario, seed)));
    let thread = ThreadPoolBuilder::new().num_threads(1).build().expect("a thread can be had");
    trails.push(("on another thread".to_owned(), thread.install(|| trail::<P>(scenario, seed))));
    let (first, rest) = trails.split_first().expect("it has been run");
    let other = (1..).zip(rest).find_map(|(at, other)| Some((at, &other.0, gap(&first.1, &other.1)?)));
    let discord = other.map(|(at, other, gap)| {
        let beside = (0..PAIRS).find_map(|_| match twins::<P>(scenario, seed) {
            Twins::Alike { .. } => None,
            Twins::Parted(parted) => Some(*parted),
        });
        let afar = beside.is_none();
        let parted = beside.or_else(|| {
            let mut write_at = |side: usize, stretch| match [0, at][side] < processes {
                true => write(stretch),
                false => Some(log::<P>(scenario, seed, stretch)),
            };
            afar::look(&gap, &mut write_at)
        });
        Discord {
            between: [first.0.clone(), other.clone()],
            alike: (gap.alike.0, gap.alike.1.as_secs_f64()),
            apart: gap.apart.map(|(events, at)| (events, at.as_secs_f64())),
            parted,
            afar,
        }
    });
    let ran = |(place, trail): &(String, Trail)| Ran {
        place: place.clone(),
        digest: trail.digest.to_string(),
        events: trail.events,
    };
    Checked { seed: seed.0, runs: trails.iter().map(ran).collect(), discord }
}

/// What a run leaves to be compared with another of the same seed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trail {
    /// The seed.
    pub seed: Seed,
    /// Of the whole run.
    pub digest: DigestValue,
    /// How many events there were.
    pub events: u64,
    /// The digest on the way.
    pub checkpoints: Vec<Checkpoint>,
}

/// Runs a scenario with nobody watching, for its trail.
pub fn trail<P: Process>(scenario: &Scenario, seed: Seed) -> Trail {
    let mut simulation: Simulation<(), P> = Simulation::new(scenario, seed, ());
    simulation.run_to_end();
    let world = simulation.world();
    let checkpoints = world.checkpoints().kept().to_vec();
    Trail { seed, digest: world.digest(), events: world.events(), checkpoints }
}

/// Between what moments two trails part; none if they are of one run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The last checkpoint that both share: how many events, and when. The start, if there is none.
    pub alike: (u64, Time),
    /// The first checkpoint at which they differ, if there is one before the end of either.
    pub apart: Option<(u64, Time)>,
}

/// Where two trails part.
pub fn gap(one: &Trail, other: &Trail) -> Option<Gap> {
    if (one.digest, one.events) == (other.digest, other.events) {
        return None;
    }
    let place = |checkpoint: Checkpoint| (checkpoint.events, checkpoint.at);
    let found = parting(&one.checkpoints, &other.checkpoints);
    let last = match found {
        Some(Parting { last_common, .. }) => last_common,
        // Every checkpoint that both have agrees.
        None => one.checkpoints.iter().rev().find(|kept| other.checkpoints.contains(kept)).copied(),
    };
    Some(Gap {
        alike: last.map_or((0, Time::START), place),
        apart: found.map(|parting| place(parting.first_different.0)),
    })
}

impl Trail {
    /// In one line of JSON.
    pub fn to_line(&self) -> String {
        let mark = |kept: &Checkpoint| json!([kept.events, kept.at.as_nanos(), kept.value.to_string()]);
        let marks: Vec<Value> = self.checkpoints.iter().map(mark).collect();
        json!({
            "seed": self.seed.0,
            "digest": self.digest.to_string(),
            "events": self.events,
            "marks": marks,
        })
        .to_string()
    }

    /// From such a line; none if it is no such line.
    pub fn from_line(line: &str) -> Option<Trail> {
        let value: Value = serde_json::from_str(line).ok()?;
        let mark = |mark: &Value| {
            let (events, at) = (mark.get(0)?.as_u64()?, Time::from_nanos(mark.get(1)?.as_u64()?));
            Some(Checkpoint { events, at, value: mark.get(2)?.as_str()?.parse().ok()? })
        };
        Some(Trail {
            seed: Seed(value["seed"].as_u64()?),
            digest: value["digest"].as_str()?.parse().ok()?,
            events: value["events"].as_u64()?,
            checkpoints: value["marks"].as_array()?.iter().map(mark).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail(values: [u32; 3]) -> Trail {
        let value = |of: u32| format!("{of:032x}").parse().expect("32 digits");
        let mark = |(number, of): (u64, &u32)| Checkpoint {
            events: number * 100,
            at: Time::from_nanos(number * 5),
            value: value(*of),
        };
        let checkpoints = (1..).zip(&values[..2]).map(mark).collect();
        Trail { seed: Seed(7), digest: value(values[2]), events: 250, checkpoints }
    }

    #[test]
    fn a_trail_is_read_as_it_was_written() {
        let trail = trail([1, 2, 3]);
        assert_eq!(Trail::from_line(&trail.to_line()), Some(trail.clone()));
        assert_eq!(Trail::from_line(&trail.to_line().replace("digest", "digset")), None);
        assert_eq!(Trail::from_line("no trail"), None);
    }

    #[test]
    fn trails_part_between_the_checkpoints_around_the_first_difference() {
        let (start, first, second) =
            ((0, Time::START), (100, Time::from_nanos(5)), (200, Time::from_nanos(10)));
        let of = |other: [u32; 3]| gap(&trail([1, 2, 3]), &trail(other));
        assert_eq!(of([1, 2, 3]), None);
        assert_eq!(of([9, 8, 7]), Some(Gap { alike: start, apart: Some(first) }));
        assert_eq!(of([1, 8, 7]), Some(Gap { alike: first, apart: Some(second) }));
        assert_eq!(of([1, 2, 7]), Some(Gap { alike: second, apart: None }));
    }
}
