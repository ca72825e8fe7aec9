//! The constants of gossip, as Consul sets them for one datacenter.

use schism_core::Duration;

/// The constants of memberlist and serf. [`Config::lan`] has the real ones.
///
/// They are from memberlist 0.2.2 (config.go, `DefaultLANConfig`; the same in 0.5), serf 0.9 (serf/config.go,
/// `DefaultConfig`) and Consul (lib/serf.go, agent/consul/config.go, agent/config/default.go).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// One probe of one peer: 1 s (`ProbeInterval`). It is also the unit of the suspicion timeout.
    pub probe_interval: Duration,
    /// How long a probe waits for a direct answer, and a helper for an answer on another's behalf: 500 ms
    /// (`ProbeTimeout`). It does not grow with the health score.
    pub probe_timeout: Duration,
    /// How many peers are asked to probe in its place: 3 (`IndirectChecks`).
    pub indirect_probes: u32,
    /// The least suspicion timeout is this times log10 n times the probe interval: 4 (`SuspicionMult`). The number of
    /// confirmations that bring it down to that is two less.
    pub suspicion_mult: u32,
    /// The greatest suspicion timeout is this times the least: 6 (`SuspicionMaxTimeoutMult`).
    pub suspicion_max_mult: u32,
    /// The health score stays below this, and a failing probe takes at most this many probe intervals: 8
    /// (`AwarenessMaxMultiplier`).
    pub awareness_max: u32,
    /// News are sent this times ceil(log10 (n + 1)) times: 4 (`RetransmitMult`).
    pub retransmit_mult: u32,
    /// How often news are sent on their own: 200 ms (`GossipInterval`).
    pub gossip_interval: Duration,
    /// To how many peers each time: 3 (`GossipNodes`).
    pub gossip_nodes: u32,
    /// How long the dead still hear the news, so that they can refute their death, before they are forgotten: 30 s
    /// (`GossipToTheDeadTime`).
    pub gossip_to_the_dead: Duration,
    /// How often everything known is exchanged with one peer, in clusters of up to 32: 30 s (`PushPullInterval`).
    pub push_pull_interval: Duration,
    /// How long such an exchange may take: 10 s (`TCPTimeout`).
    pub tcp_timeout: Duration,
    /// The most that a datagram carries: 1,400 bytes (`UDPBufferSize`).
    pub packet_bytes: u32,
    /// How long the name of a node is, in bytes: it is in every message.
    pub name_bytes: u32,
    /// How much a node says of itself when it is alive, in bytes (serf's tags; Consul's role, datacenter, identity,
    /// versions and addresses make some 200).
    pub meta_bytes: u32,
    /// How often a failed peer is asked whether it is back: 30 s (serf's `ReconnectInterval`).
    pub reconnect_interval: Duration,
    /// After how long a failed peer is given up: 72 h (Consul's `ReconnectTimeoutLAN`; serf's own is 24 h).
    pub reconnect_timeout: Duration,
    /// How often serf looks for peers to give up: 15 s (serf's `ReapInterval`).
    pub reap_interval: Duration,
    /// How long a leaving node waits at most for its intent to be told, and again for its death to be: 5 s each (serf's
    /// `BroadcastTimeout`).
    pub leave_broadcast: Duration,
    /// How long it waits after that before it goes: 3 s (Consul's `LeavePropagateDelay`; serf's own is 1 s).
    pub leave_propagate: Duration,
    /// How long a node that found nobody to join waits before it tries again: 30 s (Consul's `retry_interval`).
    pub join_retry: Duration,
}

impl Config {
    /// One datacenter, with Consul's defaults.
    pub fn lan() -> Config {
        Config {
            probe_interval: Duration::from_secs(1),
            probe_timeout: Duration::from_millis(500),
            indirect_probes: 3,
            suspicion_mult: 4,
            suspicion_max_mult: 6,
            awareness_max: 8,
            retransmit_mult: 4,
            gossip_interval: Duration::from_millis(200),
            gossip_nodes: 3,
            gossip_to_the_dead: Duration::from_secs(30),
            push_pull_interval: Duration::from_secs(30),
            tcp_timeout: Duration::from_secs(10),
            packet_bytes: 1_400,
            name_bytes: 16,
            meta_bytes: 200,
            reconnect_interval: Duration::from_secs(30),
            reconnect_timeout: Duration::from_secs(72 * 3_600),
            reap_interval: Duration::from_secs(15),
            leave_broadcast: Duration::from_secs(5),
            leave_propagate: Duration::from_secs(3),
            join_retry: Duration::from_secs(30),
        }
    }
}
