//! Answers: what a DNS server says of a name, and for how long that may be remembered.

use std::sync::Arc;

use schism_core::{Draw, Duration, ZoneId};

use crate::listing::{Endpoint, Listing};

/// What a server says of a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// What.
    pub said: Said,
    /// For how long it may be remembered: the records' time to live, or that of the denial (the minimum of the zone's
    /// SOA; RFC 2308, section 5). Whole seconds.
    pub ttl: Duration,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Said {
    /// These records.
    Records(Records),
    /// That there is such a name, with no record of this type.
    NoData,
    /// That there is no such name.
    NxDomain,
    /// That the server cannot tell.
    ServFail,
}

/// The records of a name: never none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Records {
    /// Whose addresses they are.
    pub listing: Arc<Listing>,
    /// The luck of the order in which they stand in this answer: A records are shuffled, as CoreDNS's `loadbalance` and
    /// Consul do; of SRV records it is the luck with which who reads them chooses.
    pub order: Draw,
    /// How much they say.
    pub kind: Kind,
}

/// How much records say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Addresses alone (A): all are alike.
    Address,
    /// Priorities and weights, too (SRV; RFC 2782).
    Service(Preference),
}

/// What the priorities of SRV records go by: the lesser is tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preference {
    /// All have the same.
    None,
    /// The instances of this zone have 0, all others 1.
    Near(ZoneId),
    /// An instance has the number of its zone, in the order of the topology.
    ZoneOrder,
}

impl Preference {
    /// The priority of an instance's record.
    pub fn priority(self, endpoint: &Endpoint) -> u16 {
        match self {
            Preference::None => 0,
            Preference::Near(zone) => u16::from(endpoint.zone != zone),
            Preference::ZoneOrder => endpoint.zone.0,
        }
    }
}

impl Answer {
    /// A server's word that it cannot tell; nobody remembers it by a time to live.
    pub const SERVFAIL: Answer = Answer { said: Said::ServFail, ttl: Duration::ZERO };

    /// The same answer, in another order.
    pub fn reordered(&self, order: Draw) -> Answer {
        let said = match &self.said {
            Said::Records(records) => Said::Records(Records { order, ..records.clone() }),
            Said::NoData => Said::NoData,
            Said::NxDomain => Said::NxDomain,
            Said::ServFail => Said::ServFail,
        };
        Answer { said, ttl: self.ttl }
    }

    /// What it takes on the wire: a header of 12 bytes and a question of some 40, 16 for an A record whose name is
    /// compressed (RFC 1035, section 4), and some 60 for an SRV record with its target and that one's address.
    pub fn size(&self) -> u64 {
        match &self.said {
            Said::Records(records) => {
                let each = match records.kind {
                    Kind::Address => 16,
                    Kind::Service(_) => 60,
                };
                52 + each * records.listing.endpoints.len() as u64
            }
            // An SOA record goes with a denial.
            Said::NoData | Said::NxDomain => 112,
            Said::ServFail => 52,
        }
    }
}
