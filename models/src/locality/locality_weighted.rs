//! Envoy's locality weighted load balancing: zones in turn by their weights, less what is unhealthy in them.
//!
//! A policy that hashes has no zone chosen for it: it gives each endpoint its part of its zone's weight.

use super::envoy::{self, Envoy, Rules, Within};
use super::{Corner, Locality, weights_of};
use crate::dice::Dice;
use crate::options::options;

options! {
    /// The options of `locality-weighted`.
    pub struct Config {
        weights: Vec<(String, u32)> = Vec::new(), "weights", Table(0, 1_000_000),
            "The weight of each zone; one that is left out gets nothing, and without any weight zones do not matter";
        overprovisioning: u32 = envoy::OVERPROVISIONING, "overprovisioning", Percent(1, 10_000),
            "How much more of its weight than its share of healthy endpoints a zone keeps";
        panic_threshold: u32 = envoy::PANIC_THRESHOLD, "panic-threshold", Percent(0, 100),
            "With a lower share of healthy endpoints all are used alike; never with 0%";
    }
}

/// Envoy's levels, with weighted zones in each.
#[derive(Clone, Debug)]
pub struct LocalityWeighted(Envoy);

impl Locality for LocalityWeighted {
    type Config = Config;

    fn new(config: &Config, corner: &Corner<'_>, dice: &mut Dice<'_>) -> LocalityWeighted {
        let rules = Rules {
            overprovisioning: config.overprovisioning,
            panic_threshold: config.panic_threshold,
            ..envoy::DEFAULT
        };
        let within = Within::Weighted(weights_of(&config.weights, corner));
        LocalityWeighted(Envoy::new(rules, within, Vec::new(), corner, dice))
    }

    envoy::as_envoy!();
}
