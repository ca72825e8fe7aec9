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

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::*;
    use crate::observation::Outcome;

    fn rig(weights: &[u32]) -> Rig<LeastConn> {
        Rig::new(&Config::default(), weights, &[])
    }

    /// Computed from ngx_http_upstream_least_conn_module.c at 3f6f782: nine requests of which none ends, and two of which
    /// the first does.
    #[test]
    fn picks_are_nginxs() {
        let mut three = rig(&[1, 1, 1]);
        assert_eq!((0..9).map(|_| three.send()).collect::<Vec<_>>(), [0, 1, 2, 2, 1, 0, 0, 1, 2]);

        let mut two = rig(&[1, 1]);
        assert_eq!([two.send(), two.send()], [0, 1]);
        two.done(0);
        assert_eq!([two.send(), two.send()], [0, 1]);
    }

    #[test]
    fn who_fails_is_left_out_for_its_timeout() {
        let mut two = rig(&[1, 1]);
        two.reply(0, Outcome::Connect, None);
        assert_eq!((0..3).map(|_| two.send()).collect::<Vec<_>>(), [1, 1, 1]);
        two.advance(Duration::from_secs(11));
        assert_eq!(two.send(), 0);
    }
}
