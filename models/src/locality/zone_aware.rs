//! Envoy's zone-aware routing: the client's own zone as far as its endpoints can bear what its clients ask, and elsewhere
//! what they cannot.
//!
//! It knows how many clients each zone has (Envoy's local cluster) and takes all of them to be healthy.

use super::envoy::{self, Envoy, HealthBy, OnPanic, Rules, Within};
use super::{Corner, Locality};
use crate::dice::Dice;
use crate::options::options;

options! {
    /// The options of `zone-aware`.
    pub struct Config {
        min_cluster_size: u32 = envoy::MIN_CLUSTER_SIZE, "min-cluster-size", Count(0, 100_000),
            "With fewer healthy endpoints zones do not matter";
        routing_enabled: u32 = 100, "routing-enabled", Percent(0, 100), "For what share of requests zones matter";
        force_local_zone: Option<u32> = None, "force-local-zone", CountOr(0, 100_000, "never"),
            "With so many healthy endpoints in it, the client's own zone gets everything";
        use_host_weight: bool = false, "use-host-weight", Flag,
            "Whether a zone's share is that of the weights of its endpoints, and not of their number";
        overprovisioning: u32 = envoy::OVERPROVISIONING, "overprovisioning", Percent(1, 10_000),
            "How much more of the load than their share of all the healthy endpoints can bear";
        panic_threshold: u32 = envoy::PANIC_THRESHOLD, "panic-threshold", Percent(0, 100),
            "With a lower share of healthy endpoints all are used alike; never with 0%";
        fail_on_panic: bool = false, "fail-on-panic", Flag, "Whether requests fail then instead";
    }
}

/// Envoy's levels, with zone-aware routing in the first.
#[derive(Clone, Debug)]
pub struct ZoneAware(Envoy);

impl Locality for ZoneAware {
    type Config = Config;

    fn new(config: &Config, corner: &Corner<'_>, dice: &mut Dice<'_>) -> ZoneAware {
        let rules = Rules {
            overprovisioning: config.overprovisioning,
            panic_threshold: config.panic_threshold,
            on_panic: if config.fail_on_panic { OnPanic::Fail } else { OnPanic::UseAll },
            ..envoy::DEFAULT
        };
        let within = Within::ZoneAware(envoy::ZoneAware {
            min_cluster_size: config.min_cluster_size,
            routing_enabled: config.routing_enabled,
            force_local_zone: config.force_local_zone,
            share: if config.use_host_weight { HealthBy::Weight } else { HealthBy::Count },
        });
        ZoneAware(Envoy::new(rules, within, Vec::new(), corner, dice))
    }

    envoy::as_envoy!();
}
