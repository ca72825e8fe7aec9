//! go-zero's `p2c_ewma`: of two endpoints the one with the smaller product of slowness and requests in flight, unless the
//! other has not been picked for a second.
//!
//! `p2cPicker` of zeromicro/go-zero at 11f2109, `zrpc/internal/balancer/p2c/p2c.go`. What it remembers of an endpoint is in
//! `go_zero_p2c/node.rs`. Its connections are in the random order of a Go map; here they are in the order of the view.

mod node;

use schism_core::{Duration, Time};

use self::node::Node;
use super::p2c::two_distinct;
use super::{Balancer, Call, PerHost, Seat, Update};
use crate::dice::Dice;
use crate::listing::View;
use crate::load::Feedback;
use crate::observation::Outcome;
use crate::options::Nothing;
use crate::state::State;

/// How many pairs are drawn to find two healthy ones: `pickTimes`.
const PAIRS: u32 = 3;
/// An endpoint that was compared and not picked for longer than this is picked: `forcePick`.
const FORCE_PICK: Duration = Duration::from_secs(1);

/// One client's picker.
#[derive(Clone, Debug)]
pub struct GoZeroP2c {
    nodes: PerHost<Node>,
    /// When the picker was last built. gRPC's base balancer builds a new one at every update of the list, and with it goes
    /// all that the old one knew.
    built: Option<Time>,
}

impl Balancer for GoZeroP2c {
    type Config = Nothing;

    fn new(_: &Nothing, _: &Seat, _: &mut Dice<'_>) -> GoZeroP2c {
        GoZeroP2c { nodes: PerHost::default(), built: None }
    }

    fn on_update(&mut self, view: View<'_>, _: Update, _: &mut Dice<'_>) {
        self.nodes = PerHost::default();
        if self.built.is_some() {
            for place in 0..view.len() {
                let before = view.in_flight(place);
                if before > 0 {
                    self.nodes.touch(view.endpoint(place).ordinal, || Node::with_before(before));
                }
            }
        }
        self.built = Some(view.now());
    }

    fn pick(&mut self, view: View<'_>, _: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        let mut pair = (0, 1);
        match view.len() {
            1 => {
                self.node(view, 0).pick(view.now());
                return 0;
            }
            2 => {}
            endpoints => {
                for _ in 0..PAIRS {
                    pair = two_distinct(endpoints, dice).expect("there are more than two");
                    if self.node(view, pair.0).is_healthy() && self.node(view, pair.1).is_healthy() {
                        break;
                    }
                }
            }
        }
        self.choose(view, pair)
    }

    fn on_reply(&mut self, now: Time, ordinal: u32, reply: &Feedback<'_>) {
        let node = self.nodes.touch(ordinal, || Node::NEW);
        if node.before > 0 && self.built.is_some_and(|built| now - reply.latency < built) {
            // It was counted by a picker that is gone.
            node.before -= 1;
        } else {
            node.on_done(now, reply.latency, is_acceptable(reply.outcome));
        }
    }

    fn state(&self, view: View<'_>) -> State {
        let endpoint = |place| {
            let node = self.nodes.get(view.endpoint(place).ordinal).copied().unwrap_or(Node::NEW);
            State::table([
                ("name", State::from(view.name(place))),
                ("lag_ns", State::from(node.lag)),
                ("success", State::from(node.success)),
                ("load", State::from(node.load(node.in_flight(view.in_flight(place))))),
            ])
        };
        State::table([("endpoints", State::List((0..view.len()).map(endpoint).collect()))])
    }
}

impl GoZeroP2c {
    /// `choose`: the less loaded, and of equals the first, unless the other is overdue.
    fn choose(&mut self, view: View<'_>, (first, second): (u32, u32)) -> u32 {
        let now = view.now();
        let load = |place, node: &Node| node.load(node.in_flight(view.in_flight(place)));
        let loads = [first, second].map(|place| load(place, self.node(view, place)));
        let (less, more) = if loads[0] > loads[1] { (second, first) } else { (first, second) };
        let picked = if self.node(view, more).is_overdue(now, FORCE_PICK) { more } else { less };
        self.node(view, picked).pick(now);
        picked
    }

    fn node(&mut self, view: View<'_>, place: u32) -> &mut Node {
        self.nodes.touch(view.endpoint(place).ordinal, || Node::NEW)
    }
}

/// Whether an attempt that ended so counts as a success: `codes.Acceptable` of `zrpc/internal/codes`. Not acceptable are
/// DeadlineExceeded, Internal, Unavailable, DataLoss, Unimplemented and ResourceExhausted.
fn is_acceptable(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Success => true,
        Outcome::Timeout
        | Outcome::Connect
        | Outcome::Rejected
        | Outcome::NoEndpoint
        | Outcome::Deadline
        | Outcome::Failed => false,
    }
}

#[cfg(test)]
mod tests;
