//! The limits of the language, each with its reason: what is beyond one is refused by name, never by running out of
//! memory.

use std::ops::RangeInclusive;

use schism_core::Duration;

/// One limit on a count: what it counts, the range allowed, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is counted, in the plural.
    pub of: &'static str,
    /// The least that makes sense.
    pub least: u64,
    /// The most that is accepted.
    pub most: u64,
    /// Why no more.
    pub why: &'static str,
}

impl Limit {
    const fn new(of: &'static str, least: u64, most: u64, why: &'static str) -> Limit {
        Limit { of, least, most, why }
    }

    /// The range allowed.
    pub const fn range(&self) -> RangeInclusive<u64> {
        self.least..=self.most
    }
}

const DAY: Duration = Duration::from_secs(86_400);

/// The largest scenario file, in bytes: 4 MiB. The largest hand-written ones are under 100 KiB.
pub const FILE_BYTES: usize = 4 << 20;

/// The longest run: 30 days. A nanosecond count of it keeps exact in a float, for the reports.
pub const LENGTH: Duration = Duration::from_nanos(30 * DAY.as_nanos());

/// The longest duration anywhere else: 1000 days. Sums of thousands of them still fit in nanoseconds.
pub const DURATION: Duration = Duration::from_nanos(1000 * DAY.as_nanos());

/// The shortest median think time of a closed loop: a loop that takes no time would never let time pass.
pub const THINK: Duration = Duration::from_nanos(1_000);

/// The most requests a run may offer, by the scenario's own rates: a thousand million, some ten minutes of computing.
pub const REQUESTS: u128 = 1_000_000_000;

/// The shortest time that a registry client waits for an answer: one that is shorter than a round trip gives up for ever.
pub const PATIENCE: Duration = Duration::from_millis(10);

/// The highest rate of one client, in requests per second: beyond a million, gaps come near the clock of its kernel.
pub const RATE: u64 = 1_000_000;

/// The lowest rate of one client: one request a day. Lower ones could not be written down again exactly.
pub const GAP: Duration = DAY;

/// The shortest time after which a rate repeats itself: shorter waves are a rate of their own.
pub const PERIOD: Duration = Duration::from_millis(1);

/// The longest name, in bytes: that of a DNS label (RFC 1035, section 2.3.4).
pub const NAME_BYTES: usize = 63;

/// The longest `--set` value or message shown, in characters.
pub const SHOWN_CHARS: usize = 60;

/// The most errors shown at once: more than a screen is read by nobody.
pub const ERRORS: usize = 10;

/// DNS servers of one service.
pub const DNS_SERVERS: Limit =
    Limit::new("DNS servers", 1, 100, "each one watches the registry, or forwards");
/// Records of one DNS answer.
pub const DNS_ANSWER: Limit = Limit::new("records of an answer", 1, 20_000, "no service has more instances");
/// Failed checks of a DNS server.
pub const DNS_FAILS: Limit = Limit::new("failed checks", 0, 1_000, "nobody waits for as many");
/// Attempts of a DNS lookup.
pub const DNS_ATTEMPTS: Limit =
    Limit::new("attempts", 1, 5, "glibc takes no more (RES_MAXRETRY in resolv.h)");
/// The oldest list that a DNS server can be made to answer from.
pub const DNS_AGE: Duration = schism_models::registry::dns::KEPT;

/// Zones.
pub const CHECKS: Limit = Limit::new("checks", 1, 1_000, "nobody waits for as many");
/// Labels of a service.
pub const LABELS: Limit = Limit::new("instances with a label", 1, 20_000, "no service has more instances");
/// See its reason.
pub const ZONES: Limit = Limit::new("zones", 1, 64, "routes between all pairs of zones are kept ready");
/// Registry members. etcd's FAQ advises no more than 7.
pub const MEMBERS: Limit = Limit::new("members", 1, 101, "every member talks to every other");
/// The number of members above which etcd's own FAQ advises against it ("What is maximum cluster size?").
pub const MEMBERS_ADVISED: u64 = 7;
/// Instances of one service.
pub const INSTANCES: Limit =
    Limit::new("instances", 1, 20_000, "every client may hold a view of every instance");
/// Instances of all services.
pub const INSTANCES_TOTAL: Limit =
    Limit::new("instances in all services", 0, 20_000, "every client may hold a view of every instance");
/// Clients of one group.
pub const CLIENTS: Limit = Limit::new("clients", 1, 100_000, "each one keeps its own cache and balancer");
/// Clients of all groups.
pub const CLIENTS_TOTAL: Limit =
    Limit::new("clients in all groups", 0, 100_000, "each one keeps its own cache and balancer");
/// Entries of all clients' rings and tables together.
pub const TABLES: Limit = Limit::new(
    "entries of rings and tables (clients times the entries that each one's has)",
    0,
    100_000_000,
    "each is held in memory: take a smaller ring or table, less weight or fewer virtual nodes, or fewer clients",
);
/// Entries of the ring or the table of a script. Envoy's and gRPC's rings have at most as many.
pub const PICK_TABLE: Limit = Limit::new(
    "entries of a ring or a table",
    0,
    8_388_608,
    "each is held in memory: take a smaller ring or table, less weight or fewer virtual nodes",
);
/// Entries of all clients' views together.
pub const VIEWS: Limit = Limit::new(
    "view entries (clients times the instances they call)",
    0,
    50_000_000,
    "each is held in memory",
);
/// Services and client groups.
pub const GROUPS: Limit =
    Limit::new("services and client groups", 0, 1_000, "each has its own part of the report");
/// Faults.
pub const FAULTS: Limit =
    Limit::new("faults", 0, 100_000, "each has its own luck and its own phase of the report");
/// Faults that one seed of `[chaos]` draws.
pub const CHAOS: Limit = Limit::new("faults drawn", 0, 100, "nobody learns anything from more at once");
/// Faults of `[chaos]` that last at the same time.
pub const AT_ONCE: Limit = Limit::new("faults at once", 1, CHAOS.most, "no run has more");
/// Paths that `[swarm]` varies.
pub const VARIED: Limit = Limit::new("paths that vary", 0, 100, "each is tried at both ends");
/// Values that one of them is chosen from.
pub const VALUES: Limit = Limit::new("values to choose from", 1, 100, "each is tried");
/// Strikes of one fault that repeats.
pub const STRIKES: Limit = Limit::new("strikes", 1, FAULTS.most, "each is a fault of its own");
/// Lines that faults wait for a metric to cross.
pub const LINES: Limit = Limit::new("lines for metrics to cross", 0, 100, "each watches every request");
/// Alternatives of one fault.
pub const ALTERNATIVES: Limit = Limit::new("alternatives", 1, 1_000, "only one of them is ever chosen");
/// How short a time a metric can be measured over for a fault that waits: a tenth of it is the clock that it is read by.
pub const OVER: Duration = Duration::from_millis(100);
/// What an expectation's own bound is measured over, for a fault that waits for it to be crossed.
pub const OVER_BY_DEFAULT: Duration = Duration::from_secs(1);
/// Expectations.
pub const EXPECTATIONS: Limit = Limit::new("expectations", 0, 1_000, "each watches every event");
/// Targets in one fault, and pairs in one partition.
pub const TARGETS: Limit = Limit::new("targets", 1, 1_000, "each is resolved when the fault begins");
/// Nodes named by the targets of all faults together, a group or a zone counting all its nodes.
pub const TARGETED: Limit =
    Limit::new("nodes named by all faults", 0, 20_000_000, "each target keeps the list of its nodes");
/// The capacity of a link, in bytes per second: from 1 kbit/s to 1 Tbit/s.
pub const BYTES_PER_SECOND: Limit =
    Limit::new("bytes per second", 125, 125_000_000_000, "no network card is faster");
/// The buffer before a link, in bytes.
pub const BUFFER: Limit =
    Limit::new("bytes of buffer", 2_048, 1 << 40, "a buffer that holds no request drops them all");
/// How often a partition flaps.
pub const FLAPS: Limit = Limit::new("flaps", 1, 1_000_000, "each is an event");
/// Observations of an empirical distribution.
pub const OBSERVATIONS: Limit = Limit::new("observed times", 1, 100_000, "they are all held in memory");
/// Requests an instance serves at once; 0 is unlimited.
pub const SLOTS: Limit = Limit::new("slots", 0, 1_000_000, "each request being served is held in memory");
/// Requests that wait.
pub const QUEUE: Limit =
    Limit::new("places in the queue", 0, 1_000_000_000, "each request that waits is held in memory");
/// The weight of an instance.
pub const WEIGHT: Limit = Limit::new("weight", 1, 1_000_000, "sums of all weights must fit in 64 bits");
/// Which pass of a failpoint.
pub const PASSES: Limit = Limit::new("passes", 1, 1 << 53, "passes are written as JSON numbers");
/// Revisions that a compaction keeps.
pub const REVISIONS: Limit = Limit::new("revisions", 0, 1 << 53, "revisions are written as JSON numbers");
/// Requests that a throttled member takes at once.
pub const BURST: Limit = Limit::new("requests at once", 1, 1_000_000, "more is no throttle");
/// Findings of a probe in a row.
pub const THRESHOLD: Limit = Limit::new("in a row", 1, 1_000_000, "nobody waits for that");
/// Buckets of a table that moves.
pub const BUCKETS: Limit = Limit::new("buckets", 1, 1_000_000, "no registry has more instances");
/// Keys of one client group.
pub const KEYS: Limit = Limit::new("keys", 1, 1_000_000, "unequal chances are held in a table");
/// Keys of all client groups whose chances are unequal.
pub const KEYS_TOTAL: Limit =
    Limit::new("keys of unequal chances in all groups", 0, 10_000_000, "their chances are held in tables");
/// How many nodes `pick(..)` takes.
pub const PICK: Limit = Limit::new("nodes picked", 1, 100_000, "no group has more");
/// How many hosts of a zone come back at a time.
pub const WAVE: Limit = Limit::new("hosts in a wave", 1, 100_000, "no zone has more");
/// How many times as long each back-off is as the one before.
pub const BACKOFF: Limit = Limit::new("times as long", 1, 1_000, "the cap is reached at once");
/// How far a clock may drift, in parts per million: it may all but stand, and run ten times as fast as it should. NTP
/// corrects up to 500 (RFC 5905, appendix A.1, `MAXFREQ`).
pub const DRIFT: RangeInclusive<i32> = -999_999..=9_000_000;
/// The shortest time between two things that one fault does again and again: each is an event of the run.
pub const TURN: Duration = Duration::from_millis(1);
/// The most turns that all faults of a run take together, by what they say: a hundred million, minutes of computing.
pub const TURNS: u128 = 100_000_000;
/// How many instances a service is scaled by.
pub const SCALED: Limit =
    Limit::new("instances", 0, 20_000, "every client may hold a view of every instance");
/// How many times as long work takes.
pub const FACTOR: Limit = Limit::new("a factor", 1, 1_000_000, "a second becomes eleven days");
/// A key, by its number.
pub const KEY: Limit = Limit::new("a key", 0, u64::MAX, "keys have 64 bits");
/// The default seed.
pub const SEED: Limit = Limit::new("seed", 0, u64::MAX, "seeds have 64 bits");
/// Formats of cases that this version can read.
pub const CASE_FORMATS: Limit =
    Limit::new("the format", 1, crate::CASE_FORMAT as u64, "a newer version of schism has written it");
/// A count that an expectation bounds.
pub const BOUND: Limit = Limit::new("a bound", 0, 1 << 53, "it is compared as a float");

/// The largest script of `schism pick`, in bytes: 32 MiB, a hundred thousand endpoints and as many picks.
pub const PICK_BYTES: usize = 32 << 20;
/// How deep JSON is nested.
pub const JSON_DEPTH: Limit =
    Limit::new("levels of nesting", 0, 32, "nothing in a script is nested that deep");
/// Values of a JSON file, lists and objects among them.
pub const JSON_VALUES: Limit = Limit::new(
    "values",
    0,
    2_000_000,
    "each is held in memory with its place; `picks` asks for many at once",
);
/// Endpoints of one list of a script.
pub const PICK_ENDPOINTS: Limit =
    Limit::new("endpoints", 0, 200_000, "the balancer may hold a ring or a table of them all");
/// Steps of a script.
pub const PICK_OPS: Limit =
    Limit::new("ops", 0, 1_000_000, "each is held in memory; `picks` asks for many at once");
/// Picks at once.
pub const PICKS: Limit = Limit::new("picks", 0, 10_000_000, "each is listed in the answer");
/// Picks of a script.
pub const PICKS_TOTAL: Limit = Limit::new("picks in all", 0, 10_000_000, "each is listed in the answer");
/// Picks with a key or a hash in a script that also changes the list.
pub const PICK_KEYS: Limit =
    Limit::new("picks with a key or a hash", 0, 1_000_000, "each is remembered, to tell how many move");
/// The longest name or key in a script, in bytes.
pub const PICK_NAME_BYTES: usize = 1_024;
/// The weight of an endpoint of a script; with 0 it is listed and, where weights count, gets nothing or an unknown part.
pub const PICK_WEIGHT: Limit = Limit { least: 0, ..WEIGHT };
/// Requests in flight to one endpoint.
pub const PICK_ACTIVE: Limit = Limit::new("requests in flight", 0, 1_000_000, "no endpoint serves as many");
/// Requests in flight to all endpoints from the start.
pub const PICK_ACTIVE_TOTAL: Limit =
    Limit::new("requests in flight to all endpoints", 0, 1_000_000_000, "sums must fit in 32 bits");
/// Which attempt of a request.
pub const PICK_ATTEMPT: Limit = Limit::new("attempts", 0, 1_000_000, "nobody tries as often");
/// The number of a client.
pub const PICK_INDEX: Limit = Limit::new(
    "the number of a client",
    0,
    CLIENTS.most - 1,
    "numbers are from 0, and no group has more clients",
);
/// Clients of one zone.
pub const PICK_LOCALS: Limit = Limit::new("clients of a zone", 0, CLIENTS.most, "no group has more clients");
/// The priority level of an endpoint: Envoy takes 128 (`LocalityLbEndpoints.priority`; endpoint_components.proto, v1.31).
pub const PRIORITY: Limit = Limit::new("priority", 0, 127, "Envoy has no more levels");

/// The etcd constants that the real system itself refuses to exceed.
pub mod etcd {
    use schism_core::Duration;

    /// The longest election timeout: 50 s (`maxElectionMs`; server/embed/config.go, v3.6).
    pub const ELECTION: Duration = Duration::from_secs(50);
    /// How many heartbeats an election timeout must span at least (`Config.Validate`; server/embed/config.go, v3.6).
    pub const HEARTBEATS: u64 = 5;
    /// The least time between two pings of a connection: 10 s (internal/internal.go of grpc-go, `KeepaliveMinPingTime`).
    pub const KEEPALIVE: Duration = Duration::from_secs(10);
    /// The shortest heartbeat and election timeout that can be written: etcd takes whole milliseconds.
    pub const MILLISECOND: Duration = Duration::from_millis(1);
}

/// The Consul constants that the real system itself sees to.
pub mod consul {
    use schism_core::Duration;

    use super::Limit;

    /// The multiplier of Raft's timeouts (agent/config/builder.go: "performance.raft_multiplier cannot be .. greater than
    /// 10").
    pub const RAFT_MULTIPLIER: Limit = Limit::new("times Raft's timeouts", 1, 10, "Consul refuses more");
    /// The number of servers above which Consul's documentation advises against it.
    pub const MEMBERS_ADVISED: u32 = 7;
    /// How long a service is critical at least before it is taken off: 1 min (`check_deregister_interval_min`;
    /// agent/config/default.go).
    pub const DEREGISTER_AFTER: Duration = Duration::from_secs(60);
    /// The longest that a blocking query waits: 10 min (`max_query_time`; agent/config/default.go).
    pub const WAIT: Duration = Duration::from_secs(600);
    /// How many probe intervals a suspect has, at least, for each power of ten of members.
    pub const SUSPICION_MULT: Limit =
        Limit::new("times the suspicion timeout", 1, 100, "a suspect would never be dead");
    /// The shortest time between two probes: each is an event of every member's.
    pub const PROBE: Duration = Duration::from_millis(10);
}

/// The limits of Eureka's constants, which are ours.
pub mod eureka {
    use schism_core::Duration;

    use super::Limit;

    /// The shortest interval of anything that is done again and again.
    pub const INTERVAL: Duration = Duration::from_millis(100);
    /// With how many instances a server opens for traffic.
    pub const INSTANCES: Limit = Limit::new("instances", 0, 20_000, "no scenario has more");
    /// How often a server that starts tries to copy the registry.
    pub const RETRIES: Limit = Limit::new("tries", 0, 1_000, "it serves nobody until then");
    /// By how many times an interval may grow.
    pub const BACK_OFF: Limit = Limit::new("times as long", 1, 1_000, "half a minute becomes eight hours");
}

/// The Nacos constants that make no sense beyond.
pub mod nacos {
    use schism_core::Duration;

    use super::Limit;

    /// How often a client asks for its connection's health again.
    pub const RETRIES: Limit =
        Limit::new("retries", 0, 1_000, "nobody asks for an hour whether a connection is good");
    /// The shortest election timeout of the metadata's group: it has a heartbeat every tenth of that.
    pub const ELECTION: Duration = Duration::from_millis(100);
}

/// What ZooKeeper's constants are held to.
pub mod zookeeper {
    use schism_core::Duration;

    use super::Limit;

    /// Ticks of `init-limit` and `sync-limit`.
    pub const TICKS: Limit = Limit::new("ticks", 1, 10_000, "with the longest tick that is more than a year");
    /// The shortest tick that can be written: ZooKeeper takes whole milliseconds.
    pub const MILLISECOND: Duration = Duration::from_millis(1);
    /// The shortest tick: a leader pings twice in each, and each is an event.
    pub const SHORTEST_TICK: Duration = Duration::from_millis(10);
    /// The longest.
    pub const LONGEST_TICK: Duration = Duration::from_secs(3_600);
}

/// The constants of Kubernetes that others depend on.
pub mod kubernetes {
    use schism_core::Duration;

    /// How often a kubelet renews its node's lease: 10 s (`nodeLeaseRenewIntervalFraction`; pkg/kubelet/kubelet.go).
    pub const RENEWAL: Duration = Duration::from_secs(10);
}
