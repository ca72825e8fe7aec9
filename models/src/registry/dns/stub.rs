//! One lookup by a program's stub resolver: it asks the servers that it knows in turn, and waits for each.

use schism_core::{Duration, NodeId, Time};

use super::answer::{Answer, Said};
use crate::waits::Wait;

/// How a stub resolver asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long it waits for a server: 5 s in glibc (`RES_TIMEOUT`, resolv/resolv.h), in Go (net/dnsconfig_unix.go) and
    /// in c-ares before 1.20.
    pub timeout: Duration,
    /// How often it goes through the servers: 2 in glibc (`RES_DFLRETRY`) and Go, 4 in c-ares before 1.20.
    pub attempts: u32,
    /// How the wait depends on the server.
    pub waits: Waits,
    /// How long the whole lookup may take; `None` is as long as it takes.
    pub deadline: Option<Duration>,
}

/// How the wait depends on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// The same for all.
    Alike,
    /// For all but the first it is doubled for each before, and divided by how many there are, in whole seconds and at
    /// least one (glibc, resolv/res_send.c, `send_dg`).
    Glibc,
}

/// So many servers does a resolver know at most: `MAXNS` in glibc's resolv.h.
pub const MOST_SERVERS: usize = 3;

/// A stub resolver.
#[derive(Clone, Debug)]
pub struct Stub {
    config: Config,
    /// In the order in which it asks them.
    servers: Vec<NodeId>,
    /// Numbers of an earlier life must not come again: answers to them may still be on their way.
    last: u32,
    lookup: Option<Lookup>,
}

/// A lookup that goes on.
#[derive(Clone, Copy, Debug)]
struct Lookup {
    /// The number of the query under way.
    query: u32,
    /// How many there have been before.
    tries: u32,
    /// When it has to be over.
    until: Time,
}

/// A query to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// To whom.
    pub server: NodeId,
    /// Its number.
    pub number: u32,
    /// How long the answer is waited for.
    pub patience: Duration,
}

/// How a lookup goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// As before: that was of no concern to it.
    Waits,
    /// With another query.
    Asks(Query),
    /// It is over, with an answer, or with nothing that could be told.
    Ends(Option<Answer>),
}

impl Stub {
    /// A resolver that knows these servers, in the order in which it asks them.
    ///
    /// # Panics
    /// If there are none, or it is to make no attempt.
    pub fn new(config: Config, servers: Vec<NodeId>, last: u32) -> Stub {
        assert!(!servers.is_empty() && config.attempts > 0, "a lookup asks someone at least once");
        Stub { config, servers, last, lookup: None }
    }

    /// Whether a lookup goes on.
    pub fn is_busy(&self) -> bool {
        self.lookup.is_some()
    }

    /// What its lookup waits for. How long, only who asks for it knows.
    pub fn waits(&self) -> Vec<Wait> {
        let lookup = self.lookup.iter();
        lookup.map(|lookup| Wait::new("lookup", "the answer", [self.server(lookup.tries)])).collect()
    }

    /// Begins a lookup, in place of one that goes on.
    pub fn begin(&mut self, now: Time) -> Query {
        let until = self.config.deadline.map_or(Time::END, |most| now + most);
        self.ask(now, 0, until)
    }

    /// An answer has come. One that says that the server cannot tell has the next one asked, as glibc and Go do.
    pub fn on_answer(&mut self, now: Time, number: u32, answer: &Answer) -> Step {
        if !self.waits_for(number) {
            return Step::Waits;
        }
        match answer.said {
            Said::ServFail => self.try_next(now),
            Said::Records(_) | Said::NoData | Said::NxDomain => {
                self.lookup = None;
                Step::Ends(Some(answer.clone()))
            }
        }
    }

    /// Time is up for a query.
    pub fn on_timeout(&mut self, now: Time, number: u32) -> Step {
        if self.waits_for(number) { self.try_next(now) } else { Step::Waits }
    }

    /// A host has said that no server listens there (an ICMP port unreachable).
    pub fn on_unreachable(&mut self, now: Time, peer: NodeId) -> Step {
        let waits = self.lookup.is_some_and(|lookup| self.server(lookup.tries) == peer);
        if waits { self.try_next(now) } else { Step::Waits }
    }

    fn waits_for(&self, number: u32) -> bool {
        self.lookup.is_some_and(|lookup| lookup.query == number)
    }

    fn server(&self, tries: u32) -> NodeId {
        self.servers[tries as usize % self.servers.len()]
    }

    fn try_next(&mut self, now: Time) -> Step {
        let lookup = self.lookup.expect("only a lookup that goes on has a next query");
        let tries = lookup.tries + 1;
        if tries >= self.config.attempts * self.servers.len() as u32 || now >= lookup.until {
            self.lookup = None;
            return Step::Ends(None);
        }
        Step::Asks(self.ask(now, tries, lookup.until))
    }

    fn ask(&mut self, now: Time, tries: u32, until: Time) -> Query {
        self.last = self.last.wrapping_add(1);
        self.lookup = Some(Lookup { query: self.last, tries, until });
        let place = tries % self.servers.len() as u32;
        let patience = self.config.patience(place, self.servers.len() as u32);
        Query { server: self.server(tries), number: self.last, patience: patience.min(until.since(now)) }
    }
}

impl Config {
    /// How long it waits for the server at a place, of so many.
    fn patience(&self, place: u32, servers: u32) -> Duration {
        match self.waits {
            Waits::Glibc if place > 0 => {
                let secs = (self.timeout * (1 << place)).as_nanos() / 1_000_000_000 / u64::from(servers);
                Duration::from_secs(secs.max(1))
            }
            Waits::Alike | Waits::Glibc => self.timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLIBC: Config =
        Config { timeout: Duration::from_secs(5), attempts: 2, waits: Waits::Glibc, deadline: None };

    fn denial() -> Answer {
        Answer { said: Said::NxDomain, ttl: Duration::from_secs(5) }
    }

    /// Whom it asks and how long it waits, if nobody answers.
    fn in_silence(config: Config, servers: u32) -> Vec<(u32, u64)> {
        let mut stub = Stub::new(config, (0..servers).map(NodeId).collect(), 0);
        let mut now = Time::START;
        let mut asked = Vec::new();
        let mut step = Step::Asks(stub.begin(now));
        while let Step::Asks(query) = step {
            asked.push((query.server.0, query.patience.as_nanos() / 1_000_000_000));
            now += query.patience;
            step = stub.on_timeout(now, query.number);
        }
        assert_eq!(step, Step::Ends(None));
        assert!(!stub.is_busy());
        asked
    }

    #[test]
    fn glibc_waits_five_seconds_twice_for_one_server() {
        assert_eq!(in_silence(GLIBC, 1), [(0, 5), (0, 5)]);
    }

    #[test]
    fn glibc_waits_less_for_the_second_of_three_and_more_for_the_third() {
        assert_eq!(in_silence(GLIBC, 3), [(0, 5), (1, 3), (2, 6), (0, 5), (1, 3), (2, 6)]);
    }

    #[test]
    fn a_deadline_cuts_the_last_wait_short() {
        let config = Config { waits: Waits::Alike, deadline: Some(Duration::from_secs(12)), ..GLIBC };
        assert_eq!(in_silence(config, 2), [(0, 5), (1, 5), (0, 2)]);
    }

    #[test]
    fn a_server_that_cannot_tell_or_is_not_there_is_passed_over_at_once() {
        let mut stub = Stub::new(GLIBC, vec![NodeId(0), NodeId(1), NodeId(2)], 7);
        let first = stub.begin(Time::START);
        assert_eq!((first.server, first.number), (NodeId(0), 8));
        let Step::Asks(second) = stub.on_answer(Time::START, 8, &Answer::SERVFAIL) else {
            panic!("it asks on")
        };
        assert_eq!(second.server, NodeId(1));
        assert_eq!(stub.on_unreachable(Time::START, NodeId(0)), Step::Waits, "that is not who is asked");
        let Step::Asks(third) = stub.on_unreachable(Time::START, NodeId(1)) else { panic!("it asks on") };
        assert_eq!(stub.on_answer(Time::START, second.number, &denial()), Step::Waits, "that comes too late");
        assert_eq!(stub.on_answer(Time::START, third.number, &denial()), Step::Ends(Some(denial())));
        assert_eq!(stub.on_timeout(Time::START, third.number), Step::Waits);
    }
}
