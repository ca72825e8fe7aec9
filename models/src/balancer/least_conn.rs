//! nginx's `least_conn`: the endpoint with the fewest requests in flight for its weight, and smooth weighted round robin
//! among several of them.
//!
//! Source: ngx_http_upstream_least_conn_module.c of nginx/nginx at 3f6f782. It looks at all endpoints at each pick, as
//! nginx does; who failed lately is left out, as in nginx's round robin.

use schism_core::{Duration, Time};

use super::nginx::{self, Peers};
use super::{Balancer, Call, Seat, Update};
use crate::dice::Dice;
use crate::listing::View;
use crate::load::Feedback;
use crate::options::{Clash, options};
use crate::state::State;

options! {
    /// The options of `least-conn`.
    pub struct Config {
        max_fails: u32 = nginx::MAX_FAILS, "max-fails", Count(0, 1_000_000),
            "How many failures keep an endpoint out; 0 for no number of them";
        fail_timeout: Duration = nginx::FAIL_TIMEOUT, "fail-timeout", Time, "For how long, in whole seconds";
    }
}

/// The peers with their state.
#[derive(Clone, Debug)]
pub struct LeastConn {
    peers: Peers,
}

impl Balancer for LeastConn {
    type Config = Config;

    fn new(config: &Config, _: &Seat, _: &mut Dice<'_>) -> LeastConn {
        LeastConn { peers: Peers::new(config.max_fails, config.fail_timeout) }
    }

    fn check(config: &Config) -> Result<(), Clash> {
        nginx::check(config.fail_timeout)
    }

    fn on_update(&mut self, view: View<'_>, _: Update, _: &mut Dice<'_>) {
        self.peers.on_update(view);
    }

    fn pick(&mut self, view: View<'_>, _: &Call<'_>, _: &mut Dice<'_>) -> u32 {
        self.peers.least(view.now(), |place| view.in_flight(place))
    }

    fn on_reply(&mut self, now: Time, ordinal: u32, reply: &Feedback<'_>) {
        self.peers.on_reply(now, ordinal, reply.outcome);
    }

    fn state(&self, view: View<'_>) -> State {
        self.peers.state(view)
    }
}
