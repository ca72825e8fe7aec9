//! Subsets: which of the listed endpoints a client uses at all, before health and zones are looked at.

mod labels;

use twox_hash::XxHash64;

use crate::dice::Dice;
use crate::listing::{Endpoint, Roster};

pub use self::labels::{Fallback, Labels, Selector};

/// Which endpoints a client group uses.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Config {
    /// All of them.
    #[default]
    All,
    /// So many, each client others: gRPC's `random_subsetting_experimental` (gRFC A68).
    Random {
        /// How many.
        size: u32,
    },
    /// Those with the labels that the client asks for: Envoy's subsets.
    Labels(Labels),
}

/// One client's choice.
#[derive(Clone, Debug)]
pub enum Subset {
    /// All.
    All,
    /// Those whose hash is smallest.
    Random {
        /// How many.
        size: usize,
        /// What each client hashes with, so that each has others.
        seed: u64,
    },
    /// Those with labels.
    Labels(Labels),
}

impl Subset {
    /// A client's choice. What the real one draws when it is made, it draws here.
    pub fn new(config: &Config, dice: &mut Dice<'_>) -> Subset {
        match config {
            Config::All => Subset::All,
            Config::Random { size } => Subset::Random { size: *size as usize, seed: dice.word() },
            Config::Labels(labels) => Subset::Labels(labels.clone()),
        }
    }

    /// Which of these endpoints are used; `None` if all are, as they are listed.
    pub fn of(&self, endpoints: &[Endpoint], roster: &Roster) -> Option<Vec<Endpoint>> {
        match self {
            Subset::All => None,
            Subset::Random { size, seed } => smallest(endpoints, roster, *size, *seed),
            Subset::Labels(labels) => Some(labels.of(endpoints, roster)),
        }
    }
}

/// The endpoints with the smallest XXH64 of their name, smallest first; all, in their order, if there are no more. Adding
/// or removing one changes at most one of them (grpc-go at 4793ad0, balancer/randomsubsetting).
fn smallest(endpoints: &[Endpoint], roster: &Roster, size: usize, seed: u64) -> Option<Vec<Endpoint>> {
    if endpoints.len() <= size {
        return None;
    }
    let hash = |endpoint: &Endpoint| XxHash64::oneshot(seed, roster.name(endpoint.ordinal).as_bytes());
    let mut sorted = endpoints.to_vec();
    sorted.sort_by_cached_key(hash);
    sorted.truncate(size);
    Some(sorted)
}
