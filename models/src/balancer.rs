//! Balancers: which endpoint of a view gets the next request. The trait and the catalog.

mod bounded;
mod jump;
mod maglev;
#[cfg(test)]
mod movement;
mod p2c;
mod random;
mod rendezvous;
mod ring;
mod round_robin;
mod shares;

use schism_core::{Draw, Draws, Luck};

use crate::keys::Keys;
use crate::listing::View;

/// One client's way of choosing.
pub trait Balancer: Clone {
    /// A place in the view. The view is never empty, so a pick cannot fail. Its luck belongs to the attempt: however
    /// many draws one pick takes, the next request's are what they were.
    fn pick(&mut self, luck: &mut Draws, view: View<'_>, call: &Call<'_>) -> u32;
}

/// What a balancer may know of the request that it picks for.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    keys: &'a Keys,
    luck: Draw,
    hot: Option<u64>,
}

impl<'a> Call<'a> {
    /// A request whose key is drawn, with this luck, only if somebody asks for it, unless a fault has given it one.
    #[inline]
    pub fn new(keys: &'a Keys, luck: Draw, hot: Option<u64>) -> Call<'a> {
        Call { keys, luck, hot }
    }

    /// The request's key: the same for all of its attempts.
    #[inline]
    pub fn key(&self) -> u64 {
        self.hot.unwrap_or_else(|| self.keys.of(self.luck))
    }
}

/// Declares every balancer once: its name in a scenario, what it is, and its type.
macro_rules! catalog {
    ($($name:literal, $about:literal, $variant:ident = $strategy:ty;)*) => {
        /// The balancer that a client group uses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Config {
            $(#[doc = $about] $variant,)*
        }

        /// The names that a scenario may write after `balancer`, with what they mean.
        pub const CATALOG: &[(&str, &str, Config)] = &[$(($name, $about, Config::$variant),)*];

        /// A balancer of the catalog.
        #[derive(Clone, Debug)]
        pub enum Any {
            $(#[doc = $about] $variant($strategy),)*
        }

        impl Any {
            /// A balancer as configured; what it draws at the start comes from `luck`.
            pub fn new(config: Config, luck: &mut Luck) -> Any {
                match config {
                    $(Config::$variant => Any::$variant(<$strategy>::new(luck)),)*
                }
            }
        }

        impl Balancer for Any {
            #[inline]
            fn pick(&mut self, luck: &mut Draws, view: View<'_>, call: &Call<'_>) -> u32 {
                match self {
                    $(Any::$variant(strategy) => strategy.pick(luck, view, call),)*
                }
            }
        }
    };
}

catalog! {
    "random", "uniformly at random", Random = random::Random;
    "round-robin", "each endpoint in turn, from a random start", RoundRobin = round_robin::RoundRobin;
    "p2c", "of two distinct endpoints drawn at random, the one with fewer requests in flight", P2c = p2c::P2c;
    "jump", "the endpoint of the request's key, by jump consistent hash", Jump = jump::Jump;
}
