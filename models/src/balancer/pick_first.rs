//! The first endpoint that can be reached, and that one until it no longer can: gRPC's `pick_first`.
//!
//! Sources: gRFC A62 (the sticky failure and the shuffle; grpc/proposal at 335ca83), A61, and grpc's
//! doc/connection-backoff.md. A real channel connects before it sends; here a request is itself the attempt to connect to
//! an endpoint that has not answered yet, and fails where that attempt does.

use schism_core::{Duration, Time};

use super::{Balancer, Call, Seat, Update};
use crate::dice::Dice;
use crate::listing::View;
use crate::load::Feedback;
use crate::observation::Outcome;
use crate::options::options;
use crate::state::State;

options! {
    /// The options of `pick-first`.
    pub struct Config {
        shuffle: bool = false, "shuffle", Flag,
            "Whether each client tries the endpoints in an order of its own, drawn for each list (`shuffleAddressList`)";
    }
}

/// The addresses in the order in which they are tried, and which one it is now.
#[derive(Clone, Debug)]
pub struct PickFirst {
    shuffle: bool,
    addresses: Vec<Address>,
    at: usize,
    state: Connectivity,
    /// The attempt to connect that is under way, or was the last.
    attempt: Attempt,
}

#[derive(Clone, Copy, Debug)]
struct Address {
    ordinal: u32,
    place: u32,
    /// Attempts to connect that failed, one after the other.
    failures: u32,
    /// No other attempt before this.
    until: Time,
}

/// The channel's state (grpc's doc/connectivity-semantics-and-api.md); it is never idle for long enough to matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connectivity {
    Connecting,
    Ready,
    TransientFailure,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    is_under_way: bool,
    started: Time,
    /// One word of luck for the jitter of its backoff.
    word: u64,
}

/// connection-backoff.md: `INITIAL_BACKOFF`, in seconds.
const INITIAL_BACKOFF: f64 = 1.0;

/// connection-backoff.md: `MULTIPLIER`.
const MULTIPLIER: f64 = 1.6;

/// connection-backoff.md: `JITTER`.
const JITTER: f64 = 0.2;

/// connection-backoff.md: `MAX_BACKOFF`, in seconds.
const MAX_BACKOFF: f64 = 120.0;

impl Balancer for PickFirst {
    type Config = Config;

    fn new(config: &Config, _: &Seat, _: &mut Dice<'_>) -> PickFirst {
        PickFirst {
            shuffle: config.shuffle,
            addresses: Vec::new(),
            at: 0,
            state: Connectivity::Connecting,
            attempt: Attempt { is_under_way: false, started: Time::START, word: 0 },
        }
    }

    fn on_update(&mut self, view: View<'_>, what: Update, dice: &mut Dice<'_>) {
        match what {
            Update::Members => self.on_addresses(view, dice),
            Update::Weights => {}
        }
    }

    fn pick(&mut self, view: View<'_>, _: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        if self.state == Connectivity::TransientFailure && !self.attempt.is_under_way {
            self.at = self.first_out_of_backoff();
        }
        if self.state != Connectivity::Ready && !self.attempt.is_under_way {
            self.attempt = Attempt { is_under_way: true, started: view.now(), word: dice.word() };
        }
        self.addresses[self.at].place
    }

    fn on_reply(&mut self, now: Time, ordinal: u32, reply: &Feedback<'_>) {
        let is_current = self.addresses.get(self.at).is_some_and(|address| address.ordinal == ordinal);
        match (reply.outcome, self.state) {
            (Outcome::Success | Outcome::Rejected | Outcome::Failed, Connectivity::Ready) => {}
            (Outcome::Success | Outcome::Rejected | Outcome::Failed, _) => self.on_connected(ordinal),
            (Outcome::Connect, Connectivity::Ready) if is_current => self.on_lost(now),
            (
                Outcome::Connect | Outcome::Timeout,
                Connectivity::Connecting | Connectivity::TransientFailure,
            ) if is_current && self.attempt.is_under_way => {
                self.on_unreachable(now);
            }
            // A connection that is there outlives a request that is too slow.
            (Outcome::Connect | Outcome::Timeout | Outcome::NoEndpoint | Outcome::Deadline, _) => {}
        }
    }

    fn state(&self, view: View<'_>) -> State {
        let state = match self.state {
            Connectivity::Connecting => "connecting",
            Connectivity::Ready => "ready",
            Connectivity::TransientFailure => "transient-failure",
        };
        let names = self.addresses.iter().map(|address| view.name(address.place));
        State::table([
            ("state", State::from(state)),
            ("address", State::from(view.name(self.addresses[self.at].place))),
            ("order", State::list(names)),
        ])
    }
}

impl PickFirst {
    /// Another list: who is connected and still listed stays, and what is backing off goes on to. Failure is sticky.
    fn on_addresses(&mut self, view: View<'_>, dice: &mut Dice<'_>) {
        let mut before = std::mem::take(&mut self.addresses);
        let current = before.get(self.at).map(|address| address.ordinal);
        before.sort_unstable_by_key(|address| address.ordinal);
        let address = |place| {
            let ordinal = view.endpoint(place).ordinal;
            match before.binary_search_by_key(&ordinal, |address| address.ordinal) {
                Ok(at) => Address { place, ..before[at] },
                Err(_) => Address { ordinal, place, failures: 0, until: Time::START },
            }
        };
        self.addresses = (0..view.len()).map(address).collect();
        if self.shuffle {
            shuffle(&mut self.addresses, dice);
        }
        let kept = self.addresses.iter().position(|address| Some(address.ordinal) == current);
        match (self.state, kept) {
            (Connectivity::Ready, Some(at)) => self.at = at,
            (Connectivity::Connecting | Connectivity::Ready, _) => self.begin(view.now()),
            (Connectivity::TransientFailure, _) => {
                self.at = 0;
                self.attempt.is_under_way = false;
            }
        }
    }

    /// It has been reached: all the others are let go of, with their backoff.
    fn on_connected(&mut self, ordinal: u32) {
        if let Some(at) = self.addresses.iter().position(|address| address.ordinal == ordinal) {
            self.at = at;
            self.state = Connectivity::Ready;
            self.attempt.is_under_way = false;
            for address in &mut self.addresses {
                (address.failures, address.until) = (0, Time::START);
            }
        }
    }

    /// The connection is gone. Whoever refuses the next one, too, has failed already: the others are tried from the
    /// first on.
    fn on_lost(&mut self, now: Time) {
        self.attempt.started = now;
        self.back_off();
        self.begin(now);
    }

    /// An attempt to connect has failed: the next address, unless all have been tried.
    fn on_unreachable(&mut self, now: Time) {
        self.back_off();
        match self.state {
            Connectivity::Connecting => self.go_on(self.at + 1, now),
            Connectivity::Ready | Connectivity::TransientFailure => {}
        }
    }

    fn back_off(&mut self) {
        let Attempt { started, word, .. } = self.attempt;
        let address = &mut self.addresses[self.at];
        address.until = started + backoff(address.failures, word);
        address.failures += 1;
        self.attempt.is_under_way = false;
    }

    /// The list is tried from its first address on.
    fn begin(&mut self, now: Time) {
        self.state = Connectivity::Connecting;
        self.attempt.is_under_way = false;
        self.go_on(0, now);
    }

    /// Goes to the next address that is not backing off. Behind the last of them, all have failed: from then on each is
    /// tried when its backoff is over, until one is reached.
    fn go_on(&mut self, from: usize, now: Time) {
        let rest = self.addresses.iter().skip(from);
        match rest.zip(from..).find(|(address, _)| address.until <= now) {
            Some((_, at)) => self.at = at,
            None => self.state = Connectivity::TransientFailure,
        }
    }

    fn first_out_of_backoff(&self) -> usize {
        let by_end = |&at: &usize| self.addresses[at].until;
        (0..self.addresses.len()).min_by_key(by_end).expect("a view has endpoints")
    }
}

/// How long after the start of an attempt that failed, after so many others, the next may start.
fn backoff(failures: u32, word: u64) -> Duration {
    let mut seconds = INITIAL_BACKOFF;
    for _ in 0..failures {
        seconds = (seconds * MULTIPLIER).min(MAX_BACKOFF);
        if seconds >= MAX_BACKOFF {
            break;
        }
    }
    // The upper 53 bits: what a double can tell apart.
    let unit = (word >> 11) as f64 / (1_u64 << 53) as f64;
    Duration::from_secs_f64(seconds * (1.0 + JITTER * (2.0 * unit - 1.0)))
}

/// Fisher and Yates, from the last to the second.
fn shuffle(addresses: &mut [Address], dice: &mut Dice<'_>) {
    for last in (1..addresses.len()).rev() {
        addresses.swap(last, dice.below(last as u32 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::*;

    fn rig(count: usize, script: &[u64]) -> Rig<PickFirst> {
        Rig::new(&Config::default(), &vec![1; count], script)
    }

    fn fail(rig: &mut Rig<PickFirst>) -> u32 {
        let picked = rig.pick();
        rig.reply(picked, Outcome::Connect, None);
        picked
    }

    fn succeed(rig: &mut Rig<PickFirst>) -> u32 {
        let picked = rig.pick();
        rig.reply(picked, Outcome::Success, None);
        picked
    }

    #[test]
    fn it_stays_with_the_first_that_works() {
        let mut rig = rig(3, &[]);
        assert_eq!(fail(&mut rig), 0);
        assert_eq!(succeed(&mut rig), 1);
        rig.advance(Duration::from_secs(1_000));
        assert_eq!(rig.picks(5), [1; 5], "even if the first could be reached again");
    }

    #[test]
    fn a_slow_or_failing_answer_does_not_move_it() {
        let mut rig = rig(2, &[]);
        succeed(&mut rig);
        for outcome in [Outcome::Timeout, Outcome::Deadline, Outcome::Rejected, Outcome::Failed] {
            rig.reply(0, outcome, None);
            assert_eq!(rig.pick(), 0, "{outcome:?}");
        }
    }

    #[test]
    fn a_lost_connection_sends_it_back_to_the_first_that_is_left() {
        let mut rig = rig(3, &[]);
        assert_eq!([fail(&mut rig), fail(&mut rig), succeed(&mut rig)], [0, 1, 2]);
        assert_eq!(fail(&mut rig), 2);
        assert_eq!(succeed(&mut rig), 0, "the list is tried from its beginning");
        assert_eq!(fail(&mut rig), 0);
        assert_eq!(rig.pick(), 1, "but not with the one that has just refused");
    }

    /// Jitter off, as of a word in the middle: 1 s, then 1.6 s.
    #[test]
    fn after_all_have_failed_each_is_tried_when_its_backoff_ends() {
        let middle = 1 << 63;
        let mut rig = rig(2, &[middle; 8]);
        assert_eq!(fail(&mut rig), 0);
        rig.advance(Duration::from_millis(100));
        assert_eq!(fail(&mut rig), 1);
        rig.advance(Duration::from_millis(900));
        assert_eq!(fail(&mut rig), 0, "its second is over");
        rig.advance(Duration::from_millis(100));
        assert_eq!(fail(&mut rig), 1);
        rig.advance(Duration::from_millis(1_500));
        assert_eq!(succeed(&mut rig), 0);
        assert_eq!(rig.pick(), 0);
    }

    #[test]
    fn failures_of_requests_that_were_sent_together_count_once() {
        let mut rig = rig(3, &[]);
        assert_eq!(rig.picks(3), [0, 0, 0]);
        for _ in 0..3 {
            rig.reply(0, Outcome::Connect, None);
        }
        assert_eq!(rig.pick(), 1);
    }

    /// connection-backoff.md: from 1 s by 1.6 to 120 s, a fifth more or less.
    #[test]
    fn backoff_grows_to_its_limit() {
        let seconds = |failures, word| backoff(failures, word).as_secs_f64();
        let middle = 1 << 63;
        for (failures, expected) in
            [(0, 1.0), (1, 1.6), (2, 2.56), (5, 10.485_76), (11, 120.0), (1_000, 120.0)]
        {
            assert!((seconds(failures, middle) - expected).abs() < 1e-6, "{failures}");
        }
        assert!((seconds(0, 0) - 0.8).abs() < 1e-6);
        assert!((seconds(0, u64::MAX) - 1.2).abs() < 1e-6);
    }

    #[test]
    fn a_new_list_keeps_who_is_connected() {
        let mut rig = rig(3, &[]);
        fail(&mut rig);
        assert_eq!(succeed(&mut rig), 1);
        rig.update(Update::Members, &[(5, 1), (1, 1), (0, 1)]);
        assert_eq!(rig.pick(), 1);
        rig.update(Update::Members, &[(5, 1), (0, 1)]);
        assert_eq!(rig.pick(), 5, "or begins at the first");
    }

    #[test]
    fn failure_is_sticky_over_lists() {
        let mut rig = rig(1, &[]);
        fail(&mut rig);
        rig.update(Update::Members, &[(0, 1), (1, 1)]);
        assert_eq!(rig.balancer.state, Connectivity::TransientFailure);
        assert_eq!(succeed(&mut rig), 1, "the new address is not backing off");
        assert_eq!(rig.balancer.state, Connectivity::Ready);
    }

    #[test]
    fn a_shuffle_draws_one_word_for_each_but_the_first() {
        let config = Config { shuffle: true };
        // The last of four changes places with the second, then the third with itself, then the second with the first.
        let mut rig = Rig::<PickFirst>::new(&config, &[1; 4], &[1, 2, 0, 99]);
        assert_eq!(rig.words_left(), 1);
        assert_eq!((fail(&mut rig), fail(&mut rig), fail(&mut rig), fail(&mut rig)), (3, 0, 2, 1));
    }
}
