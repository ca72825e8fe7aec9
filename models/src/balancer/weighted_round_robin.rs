//! Weighted round robin, as Envoy, nginx and gRPC make it: four mechanisms that agree in the long run and nowhere else.
//!
//! Envoy's is a scheduler by deadlines, nginx's is smooth and heeds failures, gRPC's is a static stride over weights that
//! the endpoints report of themselves.

mod envoy;
mod grpc;

use schism_core::{Duration, Time};

use self::envoy::Envoy;
use self::grpc::{Core, Grpc};
use super::nginx::{self, Peers};
use super::{Balancer, Call, Seat, Update};
use crate::dice::Dice;
use crate::listing::View;
use crate::load::Feedback;
use crate::options::{Clash, options, words};
use crate::state::State;

options! {
    /// The options of `weighted-round-robin`.
    pub struct Config {
        flavour: Flavour = Flavour::Envoy, "flavour", Word(Flavour::WORDS), "Whose rules";
        max_fails: u32 = nginx::MAX_FAILS, "max-fails", Count(0, 1_000_000),
            "nginx: how many failures keep an endpoint out; 0 for no number of them";
        fail_timeout: Duration = nginx::FAIL_TIMEOUT, "fail-timeout", Time,
            "nginx: for how long, in whole seconds";
        blackout_period: Option<Duration> = Some(grpc::BLACKOUT), "blackout-period", TimeOr("none"),
            "gRPC: for how long after its first report an endpoint's weight is not used";
        weight_expiration_period: Duration = grpc::EXPIRATION, "weight-expiration-period", Time,
            "gRPC: for how long after its last report an endpoint's weight is used";
        weight_update_period: Duration = grpc::UPDATE, "weight-update-period", Time,
            "gRPC: how often weights are read from the reports; at most every 100 ms";
        error_utilization_penalty: f64 = 1.0, "error-utilization-penalty", Number(0.0, 1_000_000.0),
            "gRPC: how much of its utilization one error per request counts as";
    }
}

words! {
    /// Whose weighted round robin.
    pub enum Flavour {
        /// Envoy's: earliest deadline first.
        Envoy = "envoy",
        /// nginx's: smooth, with weights that failures lower.
        Nginx = "nginx",
        /// That of gRPC's C++ core: a static stride over reported weights, none of which counts too much or too little.
        GrpcCpp = "grpc-cpp",
        /// That of grpc-go: a static stride over reported weights as they are.
        GrpcGo = "grpc-go",
    }
}

/// One of them.
#[derive(Clone, Debug)]
pub enum WeightedRoundRobin {
    /// Earliest deadline first.
    Envoy(Envoy),
    /// Smooth.
    Nginx(Peers),
    /// Static stride.
    Grpc(Grpc),
}

impl Balancer for WeightedRoundRobin {
    type Config = Config;

    fn new(config: &Config, _: &Seat, dice: &mut Dice<'_>) -> WeightedRoundRobin {
        match config.flavour {
            Flavour::Envoy => WeightedRoundRobin::Envoy(Envoy::new(dice)),
            Flavour::Nginx => WeightedRoundRobin::Nginx(Peers::new(config.max_fails, config.fail_timeout)),
            Flavour::GrpcCpp => WeightedRoundRobin::Grpc(Grpc::new(Core::Cpp, config, dice)),
            Flavour::GrpcGo => WeightedRoundRobin::Grpc(Grpc::new(Core::Go, config, dice)),
        }
    }

    fn check(config: &Config) -> Result<(), Clash> {
        nginx::check(config.fail_timeout)?;
        match of_another(config) {
            Some((option, flavour)) => Err(Clash {
                option,
                message: format!("`{option}` means nothing with the flavour \"{}\"", config.flavour.word()),
                help: format!("leave it out, or write flavour = \"{flavour}\""),
            }),
            None => Ok(()),
        }
    }

    fn wants_reports(config: &Config) -> bool {
        match config.flavour {
            Flavour::Envoy | Flavour::Nginx => false,
            Flavour::GrpcCpp | Flavour::GrpcGo => true,
        }
    }

    fn warms_up(config: &Config) -> bool {
        match config.flavour {
            Flavour::Envoy | Flavour::GrpcCpp | Flavour::GrpcGo => true,
            Flavour::Nginx => false,
        }
    }

    fn on_update(&mut self, view: View<'_>, what: Update, dice: &mut Dice<'_>) {
        match self {
            WeightedRoundRobin::Envoy(envoy) => envoy.on_update(view, what),
            WeightedRoundRobin::Nginx(peers) => peers.on_update(view),
            WeightedRoundRobin::Grpc(grpc) => grpc.on_update(view, dice),
        }
    }

    fn pick(&mut self, view: View<'_>, _: &Call<'_>, _: &mut Dice<'_>) -> u32 {
        match self {
            WeightedRoundRobin::Envoy(envoy) => envoy.pick(view),
            WeightedRoundRobin::Nginx(peers) => peers.smooth(view.now()),
            WeightedRoundRobin::Grpc(grpc) => grpc.pick(view),
        }
    }

    fn on_reply(&mut self, now: Time, ordinal: u32, reply: &Feedback<'_>) {
        match self {
            WeightedRoundRobin::Envoy(_) => {}
            WeightedRoundRobin::Nginx(peers) => peers.on_reply(now, ordinal, reply.outcome),
            WeightedRoundRobin::Grpc(grpc) => grpc.on_reply(now, ordinal, reply),
        }
    }

    fn due(&self) -> Option<Time> {
        match self {
            WeightedRoundRobin::Envoy(_) | WeightedRoundRobin::Nginx(_) => None,
            WeightedRoundRobin::Grpc(grpc) => grpc.due(),
        }
    }

    fn on_due(&mut self, view: View<'_>, _: &mut Dice<'_>) {
        match self {
            WeightedRoundRobin::Envoy(_) | WeightedRoundRobin::Nginx(_) => {}
            WeightedRoundRobin::Grpc(grpc) => grpc.on_due(view),
        }
    }

    fn state(&self, view: View<'_>) -> State {
        match self {
            WeightedRoundRobin::Envoy(envoy) => envoy.state(view),
            WeightedRoundRobin::Nginx(peers) => peers.state(view),
            WeightedRoundRobin::Grpc(grpc) => grpc.state(view),
        }
    }
}

/// An option that was changed and belongs to another flavour, with that flavour.
fn of_another(config: &Config) -> Option<(&'static str, &'static str)> {
    let default = Config { flavour: config.flavour, ..Config::default() };
    let nginx = [
        ("max-fails", config.max_fails != default.max_fails),
        ("fail-timeout", config.fail_timeout != default.fail_timeout),
    ];
    let penalty = config.error_utilization_penalty.to_bits() != default.error_utilization_penalty.to_bits();
    let grpc = [
        ("blackout-period", config.blackout_period != default.blackout_period),
        ("weight-expiration-period", config.weight_expiration_period != default.weight_expiration_period),
        ("weight-update-period", config.weight_update_period != default.weight_update_period),
        ("error-utilization-penalty", penalty),
    ];
    let changed = |options: &[(&'static str, bool)]| {
        options.iter().find(|(_, is_changed)| *is_changed).map(|(option, _)| *option)
    };
    let of_nginx = changed(&nginx).map(|option| (option, Flavour::Nginx.word()));
    let of_grpc = changed(&grpc).map(|option| (option, Flavour::GrpcCpp.word()));
    match config.flavour {
        Flavour::Envoy => of_nginx.or(of_grpc),
        Flavour::Nginx => of_grpc,
        Flavour::GrpcCpp | Flavour::GrpcGo => of_nginx,
    }
}

#[cfg(test)]
mod tests;
