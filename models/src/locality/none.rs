//! Any healthy endpoint, wherever it is; where too few are healthy, any endpoint.
//!
//! That is Envoy without a word about zones: one level, unless endpoints were given levels of their own, with an
//! overprovisioning of 140% and a panic threshold of 50%. Where no health is ever checked, all endpoints are healthy and
//! nothing of it shows.

use super::envoy::{self, Envoy, Within};
use super::{Corner, Locality};
use crate::dice::Dice;
use crate::options::Nothing;

/// Envoy's levels, with nothing within them.
#[derive(Clone, Debug)]
pub struct Everyone(Envoy);

impl Locality for Everyone {
    type Config = Nothing;

    fn new(_: &Nothing, corner: &Corner<'_>, dice: &mut Dice<'_>) -> Everyone {
        Everyone(Envoy::new(envoy::DEFAULT, Within::Nothing, Vec::new(), corner, dice))
    }

    envoy::as_envoy!();
}
