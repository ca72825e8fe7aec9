//! nginx's peers: smooth weighted round robin, least connections, and the gate before who fails.
//!
//! Sources: `ngx_http_upstream_get_peer` and `ngx_http_upstream_free_round_robin_peer` in
//! ngx_http_upstream_round_robin.c, `ngx_http_upstream_get_least_conn_peer` in ngx_http_upstream_least_conn_module.c, of
//! nginx/nginx at 3f6f782. Weights are integers, and the clock is that of a process: whole seconds.

use std::cmp::Ordering;

use schism_core::{Duration, Time};

use crate::listing::View;
use crate::observation::Outcome;
use crate::options::Clash;
use crate::state::State;

/// nginx's default `max_fails`.
pub(super) const MAX_FAILS: u32 = 1;

/// nginx's default `fail_timeout`.
pub(super) const FAIL_TIMEOUT: Duration = Duration::from_secs(10);

/// The peers of one upstream, in the order of the view.
#[derive(Clone, Debug)]
pub struct Peers {
    peers: Vec<Peer>,
    rule: Rule,
}

/// One peer. Weights are signed, as in nginx: what is current goes below zero.
#[derive(Clone, Copy, Debug)]
struct Peer {
    /// Whose it is.
    ordinal: u32,
    /// As listed.
    weight: i64,
    /// The weight, less what failures have taken and picks have not yet given back.
    effective: i64,
    /// How far it is behind its share, or, below zero, ahead of it.
    current: i64,
    /// Failures since it last passed.
    fails: u32,
    /// When it last failed.
    accessed: Seconds,
    /// When it last failed, or was let through to be tried.
    checked: Seconds,
}

/// How many failures keep a peer out, for how long: nginx's `max_fails` and `fail_timeout`.
#[derive(Clone, Copy, Debug)]
struct Rule {
    /// Zero: none do.
    max_fails: u32,
    fail_timeout: Seconds,
}

/// nginx reads its clock in whole seconds.
type Seconds = i64;

/// Further back than any timeout. nginx starts from zero and counts from 1970.
const NEVER: Seconds = -(1 << 40);

/// Who may be picked.
#[derive(Clone, Copy)]
enum Gate {
    /// Who has any weight, and has not failed too often lately.
    Kept,
    /// Who has any weight.
    Lifted,
    /// Anyone.
    Gone,
}

/// Requests in flight and weight, compared as a fraction.
#[derive(Clone, Copy)]
struct Load {
    connections: i64,
    weight: i64,
}

impl Peers {
    /// No peers yet. With `max_fails` of zero nobody is ever kept out.
    pub(super) fn new(max_fails: u32, fail_timeout: Duration) -> Peers {
        let fail_timeout = whole_seconds(fail_timeout.as_nanos());
        Peers { peers: Vec::new(), rule: Rule { max_fails, fail_timeout } }
    }

    /// The upstream is now of these. Who stays keeps its state; a new weight is had in full.
    pub(super) fn on_update(&mut self, view: View<'_>) {
        let listed = |place| (view.endpoint(place).ordinal, view.listed_weight(place));
        self.update((0..view.len()).map(listed));
    }

    /// An attempt has ended. nginx's `proxy_next_upstream` is by default `error timeout`: an answer that is an error is
    /// an answer.
    pub(super) fn on_reply(&mut self, now: Time, ordinal: u32, outcome: Outcome) {
        match outcome {
            Outcome::Timeout | Outcome::Connect | Outcome::Deadline => self.on_failed(now, ordinal),
            Outcome::Success | Outcome::Rejected | Outcome::Failed => self.on_passed(ordinal),
            Outcome::NoEndpoint => {}
        }
    }

    /// The weights of each peer: as listed, less what failures have taken, and how far it is behind its share.
    pub(super) fn state(&self, view: View<'_>) -> State {
        let shown = |(place, peer): (u32, &Peer)| {
            State::table([
                ("endpoint", State::from(view.name(place))),
                ("weight", State::from(peer.weight)),
                ("effective", State::from(peer.effective)),
                ("current", State::from(peer.current)),
                ("fails", State::from(peer.fails)),
            ])
        };
        State::table([("peers", State::list((0..).zip(&self.peers).map(shown)))])
    }

    fn update(&mut self, listed: impl Iterator<Item = (u32, u32)>) {
        let mut known = std::mem::take(&mut self.peers);
        known.sort_unstable_by_key(|peer| peer.ordinal);
        let place = |ordinal| known.binary_search_by_key(&ordinal, |peer| peer.ordinal);
        let peer = |(ordinal, weight)| match place(ordinal) {
            Ok(at) => known[at].weighing(i64::from(weight)),
            Err(_) => Peer::new(ordinal, i64::from(weight)),
        };
        self.peers = listed.map(peer).collect();
    }

    /// Smooth weighted round robin: the place of who is the furthest behind its share.
    pub(super) fn smooth(&mut self, now: Time) -> u32 {
        if self.peers.len() == 1 {
            return 0;
        }
        let now = whole_seconds(now.as_nanos());
        let (rule, gate) = (self.rule, self.gate(now));
        let best = turn(&mut self.peers, |_, peer| rule.lets(gate, peer, now));
        self.chosen(best, now)
    }

    /// Least connections by weight: the place of who has the fewest; of several, whose turn it is among just them.
    pub(super) fn least(&mut self, now: Time, connections: impl Fn(u32) -> u32) -> u32 {
        if self.peers.len() == 1 {
            return 0;
        }
        let now = whole_seconds(now.as_nanos());
        let (rule, gate) = (self.rule, self.gate(now));
        let load = |at: usize, peer: &Peer| Load {
            connections: i64::from(connections(at as u32)),
            weight: peer.weight,
        };
        let mut open = (0..).zip(&self.peers).filter(|(_, peer)| rule.lets(gate, peer, now));
        let (mut best, peer) = open.next().expect("a gate is open to someone");
        let (mut least, mut several) = (load(best, peer), false);
        for (at, peer) in open {
            let found = load(at, peer);
            match found.compare(least) {
                Ordering::Less => (best, least, several) = (at, found, false),
                Ordering::Equal => several = true,
                Ordering::Greater => {}
            }
        }
        if several {
            let tied = |at, peer: &Peer| load(at, peer).compare(least).is_eq();
            best = turn(&mut self.peers, |at, peer| tied(at, peer) && rule.lets(gate, peer, now));
        }
        self.chosen(best, now)
    }

    /// An attempt failed: the peer loses its share of weight, and maybe its place for some time.
    fn on_failed(&mut self, now: Time, ordinal: u32) {
        let (rule, now) = (self.rule, whole_seconds(now.as_nanos()));
        if let Some(peer) = self.one_of_several(ordinal) {
            peer.fails += 1;
            (peer.accessed, peer.checked) = (now, now);
            let lost = peer.weight.checked_div(i64::from(rule.max_fails)).unwrap_or(0);
            peer.effective = (peer.effective - lost).max(0);
        }
    }

    /// An attempt was answered. It clears the peer's name only if the peer has been let through since it last failed.
    fn on_passed(&mut self, ordinal: u32) {
        if let Some(peer) = self.one_of_several(ordinal)
            && peer.accessed < peer.checked
        {
            peer.fails = 0;
        }
    }

    #[cfg(test)]
    fn all(&self) -> &[Peer] {
        &self.peers
    }

    /// Of one peer alone nginx counts nothing.
    fn one_of_several(&mut self, ordinal: u32) -> Option<&mut Peer> {
        match self.peers.len() {
            1 => None,
            _ => self.peers.iter_mut().find(|peer| peer.ordinal == ordinal),
        }
    }

    /// The strictest gate that anyone passes. Where nobody passes the first, nginx answers 502 ("no live upstreams");
    /// a pick has to be someone.
    fn gate(&self, now: Seconds) -> Gate {
        let open = |gate: &Gate| self.peers.iter().any(|peer| self.rule.lets(*gate, peer, now));
        [Gate::Kept, Gate::Lifted].into_iter().find(open).unwrap_or(Gate::Gone)
    }

    fn chosen(&mut self, best: usize, now: Seconds) -> u32 {
        let peer = &mut self.peers[best];
        if now - peer.checked > self.rule.fail_timeout {
            peer.checked = now;
        }
        best as u32
    }
}

impl Peer {
    fn new(ordinal: u32, weight: i64) -> Peer {
        Peer { ordinal, weight, effective: weight, current: 0, fails: 0, accessed: NEVER, checked: NEVER }
    }

    fn weighing(self, weight: i64) -> Peer {
        if weight == self.weight { self } else { Peer { weight, effective: weight, ..self } }
    }
}

impl Rule {
    fn lets(self, gate: Gate, peer: &Peer, now: Seconds) -> bool {
        match gate {
            Gate::Kept => peer.weight > 0 && !self.keeps_out(peer, now),
            Gate::Lifted => peer.weight > 0,
            Gate::Gone => true,
        }
    }

    fn keeps_out(self, peer: &Peer, now: Seconds) -> bool {
        self.max_fails > 0 && peer.fails >= self.max_fails && now - peer.checked <= self.fail_timeout
    }
}

impl Load {
    fn compare(self, other: Load) -> Ordering {
        (self.connections * other.weight).cmp(&(other.connections * self.weight))
    }
}

/// Everyone among whom it goes moves on by its effective weight, which recovers by one; the furthest is chosen, the
/// first of several, and goes back by what all of them moved.
fn turn(peers: &mut [Peer], among: impl Fn(usize, &Peer) -> bool) -> usize {
    let (mut best, mut total) = (None, 0);
    for at in 0..peers.len() {
        if !among(at, &peers[at]) {
            continue;
        }
        let peer = &mut peers[at];
        peer.current += peer.effective;
        total += peer.effective;
        peer.effective = (peer.effective + 1).min(peer.weight);
        let current = peer.current;
        if best.is_none_or(|best: usize| current > peers[best].current) {
            best = Some(at);
        }
    }
    let best = best.expect("a gate is open to someone");
    peers[best].current -= total;
    best
}

/// What is wrong with a `fail_timeout`: nginx reads it in seconds, and refuses parts of one.
pub(super) fn check(fail_timeout: Duration) -> Result<(), Clash> {
    if fail_timeout.as_nanos().is_multiple_of(1_000_000_000) {
        return Ok(());
    }
    Err(Clash {
        option: "fail-timeout",
        message: "nginx counts the time for which an endpoint is out in whole seconds".to_owned(),
        help: format!("write \"{}s\"", whole_seconds(fail_timeout.as_nanos()) + 1),
    })
}

fn whole_seconds(nanos: u64) -> Seconds {
    (nanos / 1_000_000_000) as Seconds
}

#[cfg(test)]
mod tests;
