//! The client's own zone first; elsewhere if it has too few healthy endpoints.
//!
//! What many client libraries do (Eureka's client prefers its own zone; the "zone preference" filters of Ribbon and
//! Spring Cloud LoadBalancer). Spring's `ZonePreferenceServiceInstanceListSupplier` falls back to all endpoints where
//! none is in the own zone: that is `least = 1`, the default.

use schism_core::ZoneId;

use super::{Board, Corner, Group, GroupKey, Locality, Members, Part, Standing};
use crate::balancer::Call;
use crate::dice::Dice;
use crate::listing::Endpoint;
use crate::options::{options, words};

options! {
    /// The options of `zone-first`.
    pub struct Config {
        least: u32 = 1, "least", Count(1, 100_000), "How many healthy endpoints the own zone must have to be used";
        fallback: Fallback = Fallback::Any, "fallback", Word(Fallback::WORDS),
            "Where requests go if it has fewer: to any zone, or nowhere";
    }
}

words! {
    /// Where requests go if the own zone has too few endpoints.
    pub enum Fallback {
        /// To any healthy endpoint.
        Any = "any",
        /// Nowhere.
        Nowhere = "nowhere",
    }
}

/// The client's zone, and whether anybody is to serve.
#[derive(Clone, Debug)]
pub struct ZoneFirst {
    config: Config,
    home: ZoneId,
    is_anybody: bool,
}

impl Locality for ZoneFirst {
    type Config = Config;

    fn new(config: &Config, corner: &Corner<'_>, _: &mut Dice<'_>) -> ZoneFirst {
        ZoneFirst { config: config.clone(), home: corner.zone, is_anybody: false }
    }

    fn on_update(&mut self, board: &Board<'_>, _: &mut Dice<'_>) -> Vec<Group> {
        let well = || board.endpoints.iter().filter(|endpoint| board.standing(endpoint) == Standing::Healthy);
        let home: Vec<Endpoint> = well().filter(|endpoint| endpoint.zone == self.home).copied().collect();
        let (part, members) = if home.len() >= self.config.least as usize {
            (Part::Zone(self.home), home)
        } else {
            match self.config.fallback {
                Fallback::Any => (Part::Healthy, well().copied().collect()),
                Fallback::Nowhere => (Part::Healthy, Vec::new()),
            }
        };
        self.is_anybody = !members.is_empty();
        let key = GroupKey { level: 0, part };
        vec![Group { key, members: Members::Some(members), zone_weights: Vec::new() }]
    }

    #[inline]
    fn route(&mut self, _: &Call<'_>, _: &mut Dice<'_>) -> Option<usize> {
        self.is_anybody.then_some(0)
    }
}
