//! The zone: what an authoritative server makes of the list that it has.

use std::sync::Arc;

use schism_core::{Draw, Duration, ZoneId};

use super::answer::{Answer, Kind, Preference, Records, Said};
use crate::listing::Listing;

/// What the answers of a zone are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The time to live of records: 5 s in CoreDNS's `kubernetes` (plugin/kubernetes/README.md), 0 in Consul
    /// (`dns_config.service_ttl`).
    pub ttl: Duration,
    /// That of denials, the minimum of the SOA: CoreDNS's `kubernetes` gives that of its records
    /// (plugin/backend_lookup.go, `SOA`), Consul 0 (`dns_config.soa.min_ttl`).
    pub negative_ttl: Duration,
    /// What clients ask for.
    pub records: Asked,
    /// What is answered when nobody is there.
    pub empty: Denial,
    /// How many records an answer has at most; `None` is all. Consul answers 3 over UDP (`udp_answer_limit`,
    /// agent/config/default.go), drawn anew for each answer.
    pub limit: Option<u32>,
    /// What SRV priorities go by.
    pub priority: Priority,
}

/// Which records clients ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Addresses.
    A,
    /// Priorities, weights and addresses.
    Srv,
}

/// What is said of a service without instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// That there is no such name: CoreDNS of a headless service (plugin/kubernetes, `errNoItems` is a name error),
    /// Consul (agent/dns.go).
    NxDomain,
    /// That the name has no such record: a successful answer with nothing in it.
    NoData,
}

/// What SRV priorities go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// All instances have the same.
    None,
    /// Those of the asker's own zone come first.
    OwnZone,
    /// Zones come in the order of the topology: the first is the primary.
    ZoneOrder,
}

impl Rules {
    /// What is said to someone in `asker` of a service of which this is the list.
    pub fn answer(&self, listing: &Arc<Listing>, asker: ZoneId, luck: Draw) -> Answer {
        if listing.endpoints.is_empty() {
            return self.denial();
        }
        let kind = match (self.records, self.priority) {
            (Asked::A, _) => Kind::Address,
            (Asked::Srv, Priority::None) => Kind::Service(Preference::None),
            (Asked::Srv, Priority::OwnZone) => Kind::Service(Preference::Near(asker)),
            (Asked::Srv, Priority::ZoneOrder) => Kind::Service(Preference::ZoneOrder),
        };
        let listing = self.limited(listing, luck.derive(SAMPLE));
        Answer { said: Said::Records(Records { listing, order: luck.derive(ORDER), kind }), ttl: self.ttl }
    }

    /// What is said where nobody is there.
    pub fn denial(&self) -> Answer {
        let said = match self.empty {
            Denial::NxDomain => Said::NxDomain,
            Denial::NoData => Said::NoData,
        };
        Answer { said, ttl: self.negative_ttl }
    }

    /// Those that find room in the answer, drawn at random.
    fn limited(&self, listing: &Arc<Listing>, luck: Draw) -> Arc<Listing> {
        match self.limit {
            Some(most) if (most as usize) < listing.endpoints.len() => Arc::new(sample(listing, most, luck)),
            Some(_) | None => listing.clone(),
        }
    }
}

/// Labels of what is derived from an answer's luck.
const SAMPLE: u64 = 0;
const ORDER: u64 = 1;

/// A list of so many of the instances, drawn at random (Floyd's algorithm: Bentley, "A sample of brilliance", CACM 30(9),
/// 1987).
///
/// # Panics
/// If there are fewer.
pub fn sample(listing: &Listing, count: u32, luck: Draw) -> Listing {
    let all = u32::try_from(listing.endpoints.len()).expect("instances are counted in 32 bits");
    assert!(count <= all, "no more can be drawn than there are");
    let mut drawn = Vec::with_capacity(count as usize);
    for last in all - count..all {
        let at = luck.derive(last.into()).below(last + 1);
        drawn.push(if drawn.contains(&at) { last } else { at });
    }
    drawn.sort_unstable();
    let endpoints = drawn.into_iter().map(|at| listing.endpoints[at as usize]).collect();
    Listing { service: listing.service, revision: listing.revision, endpoints }
}

#[cfg(test)]
mod tests {
    use schism_core::NodeId;

    use super::*;
    use crate::listing::{Endpoint, ServiceId};

    fn listing(count: u32) -> Arc<Listing> {
        let endpoint =
            |node| Endpoint { node: NodeId(node), ordinal: node, zone: ZoneId((node % 2) as u16), weight: 1 };
        Arc::new(Listing {
            service: ServiceId(0),
            revision: 7,
            endpoints: (0..count).map(endpoint).collect(),
        })
    }

    const RULES: Rules = Rules {
        ttl: Duration::from_secs(5),
        negative_ttl: Duration::from_secs(2),
        records: Asked::A,
        empty: Denial::NxDomain,
        limit: Some(3),
        priority: Priority::None,
    };

    fn records(answer: &Answer) -> &Records {
        match &answer.said {
            Said::Records(records) => records,
            said @ (Said::NoData | Said::NxDomain | Said::ServFail) => panic!("{said:?} is no record"),
        }
    }

    #[test]
    fn three_find_room_and_four_do_not() {
        let three = listing(3);
        let all = RULES.answer(&three, ZoneId(0), Draw::new(1));
        assert!(Arc::ptr_eq(&records(&all).listing, &three), "what has room is shared");
        let some = RULES.answer(&listing(4), ZoneId(0), Draw::new(1));
        assert_eq!(records(&some).listing.endpoints.len(), 3);
        assert!(records(&some).listing.endpoints.is_sorted_by_key(|endpoint| endpoint.node));
    }

    #[test]
    fn each_instance_finds_room_as_often() {
        let ten = listing(10);
        let mut counts = [0_u32; 10];
        for word in 0..3000_u64 {
            let answer = RULES.answer(&ten, ZoneId(0), Draw::new(word).derive(9));
            records(&answer)
                .listing
                .endpoints
                .iter()
                .for_each(|endpoint| counts[endpoint.ordinal as usize] += 1);
        }
        // 900 each; the standard deviation is the root of 3000 * 0.3 * 0.7, about 25.
        assert!(counts.iter().all(|&count| (800..=1000).contains(&count)), "{counts:?}");
    }

    #[test]
    fn nobody_is_denied_by_the_time_of_the_soa() {
        let denied = RULES.answer(&listing(0), ZoneId(0), Draw::new(1));
        assert_eq!(denied, Answer { said: Said::NxDomain, ttl: RULES.negative_ttl });
        let empty = Rules { empty: Denial::NoData, ..RULES }.answer(&listing(0), ZoneId(0), Draw::new(1));
        assert_eq!(empty.said, Said::NoData);
    }
}
