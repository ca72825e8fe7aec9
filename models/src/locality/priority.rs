//! Priority levels: the first as long as it can bear the load, then the next.
//!
//! In Envoy's flavour load moves over bit by bit as hosts of a level fail, with an allowance (overprovisioning), and a
//! level with too few healthy hosts is in panic. In gRPC's (`priority_experimental`, gRFC A56) all of it moves once a
//! level has no usable endpoint left; its failover timer of 10 s, for a level that is still connecting, is not modelled,
//! because what knows that an endpoint is healthy has heard of it.

use super::envoy::{self, Envoy, HealthBy, OnPanic, Rules, Spill, Within};
use super::{Corner, Locality, weights_of};
use crate::dice::Dice;
use crate::options::{Clash, options, words};

options! {
    /// The options of `priority`.
    pub struct Config {
        flavour: Flavour = Flavour::Envoy, "flavour", Word(Flavour::WORDS), "Whose rules";
        levels: Vec<Vec<String>> = vec![vec![OWN.to_owned()], vec![REST.to_owned()]], "levels", Lists,
            "The zones of each level; `own` is the client's, `rest` all that are nowhere else";
        overprovisioning: u32 = envoy::OVERPROVISIONING, "overprovisioning", Percent(1, 10_000),
            "How much more of the load than its share of healthy endpoints a level can bear";
        panic_threshold: u32 = envoy::PANIC_THRESHOLD, "panic-threshold", Percent(0, 100),
            "With a lower share of healthy endpoints a level uses all of its own alike, unless other levels can bear the load; never with 0%";
        fail_on_panic: bool = false, "fail-on-panic", Flag, "Whether requests to a level in panic fail instead";
        weighted_health: bool = false, "weighted-health", Flag,
            "Whether a level's health is that of the weights of its endpoints, and not of their number";
        within: Inner = Inner::None, "within", Word(Inner::WORDS), "What is done with the zones of a level";
        weights: Vec<(String, u32)> = Vec::new(), "weights", Table(0, 1_000_000),
            "The weight of each zone, where `within` is `locality-weighted`";
        min_cluster_size: u32 = envoy::MIN_CLUSTER_SIZE, "min-cluster-size", Count(0, 100_000),
            "With fewer healthy endpoints in the first level zones do not matter, where `within` is `zone-aware`";
    }
}

words! {
    /// Whose priorities.
    pub enum Flavour {
        /// Envoy's: bit by bit.
        Envoy = "envoy",
        /// gRPC's: all or nothing.
        Grpc = "grpc",
    }
}

words! {
    /// What is done with the zones of a level.
    pub enum Inner {
        /// Nothing.
        None = "none",
        /// Zone-aware routing, in the first level.
        ZoneAware = "zone-aware",
        /// Zones have weights.
        LocalityWeighted = "locality-weighted",
    }
}

/// The client's own zone, among the zones of a level.
pub const OWN: &str = "own";
/// All zones that are on no other level.
pub const REST: &str = "rest";

/// Levels by zones.
#[derive(Clone, Debug)]
pub struct Priority(Envoy);

impl Locality for Priority {
    type Config = Config;

    fn new(config: &Config, corner: &Corner<'_>, dice: &mut Dice<'_>) -> Priority {
        let rules = Rules {
            overprovisioning: config.overprovisioning,
            panic_threshold: config.panic_threshold,
            on_panic: if config.fail_on_panic { OnPanic::Fail } else { OnPanic::UseAll },
            health: if config.weighted_health { HealthBy::Weight } else { HealthBy::Count },
            spill: match config.flavour {
                Flavour::Envoy => Spill::Gradual,
                Flavour::Grpc => Spill::AllOrNothing,
            },
        };
        let within = match config.within {
            Inner::None => Within::Nothing,
            Inner::ZoneAware => Within::ZoneAware(envoy::ZoneAware {
                min_cluster_size: config.min_cluster_size,
                routing_enabled: 100,
                force_local_zone: None,
                share: HealthBy::Count,
            }),
            Inner::LocalityWeighted => Within::Weighted(weights_of(&config.weights, corner)),
        };
        Priority(Envoy::new(rules, within, levels(&config.levels, corner), corner, dice))
    }

    fn check(config: &Config) -> Result<(), Clash> {
        of_envoy_alone(config)?;
        let mut seen: Vec<&str> = Vec::new();
        for zone in config.levels.iter().flatten() {
            if seen.contains(&zone.as_str()) {
                return Err(clash("levels", format!("`{zone}` is on two levels"), "leave one of them out"));
            }
            seen.push(zone);
        }
        if config.levels.iter().any(Vec::is_empty) {
            return Err(clash("levels", "a level has no zones".to_owned(), "leave it out"));
        }
        if config.within == Inner::LocalityWeighted && config.weights.is_empty() {
            let message = "`within` is `locality-weighted`, and there are no weights".to_owned();
            return Err(clash("within", message, "write weights = { a = 1, b = 2 }"));
        }
        Ok(())
    }

    envoy::as_envoy!();
}

/// What gRPC has not.
fn of_envoy_alone(config: &Config) -> Result<(), Clash> {
    let default = Config { flavour: config.flavour, levels: config.levels.clone(), ..Config::default() };
    if config.flavour == Flavour::Envoy || *config == default {
        return Ok(());
    }
    let changed = [
        ("overprovisioning", config.overprovisioning != default.overprovisioning),
        ("panic-threshold", config.panic_threshold != default.panic_threshold),
        ("fail-on-panic", config.fail_on_panic != default.fail_on_panic),
        ("weighted-health", config.weighted_health != default.weighted_health),
        ("within", config.within != default.within),
        ("weights", config.weights != default.weights),
        ("min-cluster-size", config.min_cluster_size != default.min_cluster_size),
    ];
    let option = changed.iter().find(|(_, is_changed)| *is_changed).map_or("flavour", |(option, _)| option);
    let message = format!("`{option}` means nothing with the flavour \"grpc\"");
    Err(clash(option, message, "leave it out, or write flavour = \"envoy\""))
}

fn clash(option: &'static str, message: String, help: &str) -> Clash {
    Clash { option, message, help: help.to_owned() }
}

/// The level of each zone, by number. Zones on no level form one more, behind the others.
fn levels(levels: &[Vec<String>], corner: &Corner<'_>) -> Vec<u32> {
    let find = |name: &str| (0..).zip(levels).find(|(_, level)| level.iter().any(|it| it == name));
    let rest = find(REST).map_or(levels.len() as u32, |(level, _)| level);
    let of = |(zone, name): (u16, &String)| {
        let own = if zone == corner.zone.0 { find(OWN) } else { None };
        own.or_else(|| find(name)).map_or(rest, |(level, _)| level)
    };
    (0..).zip(corner.zones).map(of).collect()
}
