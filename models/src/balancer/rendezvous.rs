//! The endpoint that scores highest with the request's key: highest random weight.
//!
//! Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998, as Envoy does it, whose logarithm is
//! an approximation: source/extensions/load_balancing_policies/rendezvous_hash/rendezvous_hash_lb.cc at 5732d39.

use super::bounded::Bounds;
use super::hash_policy::{self, Policy};
use super::maglev::of_attempt;
use super::shares::{self, Share};
use super::{Balancer, Call, Scope, Seat, Update};
use crate::dice::Dice;
use crate::hash::Hash;
use crate::listing::View;
use crate::options::options;
use crate::state::State;

options! {
    /// The options of `rendezvous`, with the defaults of Envoy's `RendezvousHash`.
    pub struct Config {
        bounded_load: Option<u32> = None, "bounded-load", PercentOr(100, 65_535, "none"),
            "How many requests an endpoint may have, of its share of all, before others get its keys";
        hash_policy: Vec<Policy> = vec![Policy::Key], "hash-policy", Words(Policy::WORDS),
            "What of a request is hashed, in this order";
    }
}

/// The endpoints of the view as it was at the last update.
#[derive(Clone, Debug)]
pub struct Rendezvous {
    config: Config,
    candidates: Vec<Candidate>,
    bounds: Option<Bounds>,
}

impl Balancer for Rendezvous {
    type Config = Config;

    const SCOPE: Scope = Scope::Level;

    fn new(config: &Config, _: &Seat, _: &mut Dice<'_>) -> Rendezvous {
        Rendezvous { config: config.clone(), candidates: Vec::new(), bounds: None }
    }

    fn on_update(&mut self, view: View<'_>, _: Update, _: &mut Dice<'_>) {
        let shares = shares::shares(&shares::hosts(view));
        let name = |place| Hash::Xxh64.of(view.name(place).as_bytes());
        let candidate = |&Share { place, part }: &Share| Candidate { place, part, hash: name(place) };
        self.candidates = shares.iter().map(candidate).collect();
        self.bounds = self.config.bounded_load.map(|factor| Bounds::new(factor, shares));
    }

    fn pick(&mut self, view: View<'_>, call: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        let hash = hash_policy::hash_of(call, &self.config.hash_policy, Hash::Xxh64);
        let hash = hash.unwrap_or_else(|| dice.word());
        let hashed = highest(&self.candidates, of_attempt(hash, call.attempt()));
        let in_flight = |place| view.in_flight(place);
        let all = view.total_in_flight();
        self.bounds.as_mut().map_or(hashed, |bounds| bounds.pick(all, in_flight, hash, hashed))
    }

    fn state(&self, view: View<'_>) -> State {
        let shown = |candidate: &Candidate| {
            State::table([
                ("endpoint", State::from(view.name(candidate.place))),
                ("hash", candidate.hash.into()),
                ("share", candidate.part.into()),
            ])
        };
        State::table([("candidates", State::List(self.candidates.iter().map(shown).collect()))])
    }
}

/// An endpoint as it competes.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    place: u32,
    /// The hash of its name.
    hash: u64,
    /// The part of the traffic that it is due.
    part: f64,
}

impl Candidate {
    /// Its score with a request's hash.
    #[inline]
    fn score(&self, hash: u64) -> f64 {
        -self.part / (log2(fraction(scatter(hash ^ self.hash))) * LN_2)
    }
}

/// The place of who scores highest; of equals, the first.
fn highest(candidates: &[Candidate], hash: u64) -> u32 {
    let (first, others) = candidates.split_first().expect("somebody competes");
    let mut best = (first.place, first.score(hash));
    for candidate in others {
        let score = candidate.score(hash);
        if score > best.1 {
            best = (candidate.place, score);
        }
    }
    best.0
}

/// Envoy's constant, to its last digit.
#[expect(clippy::approx_constant, reason = "it is what Envoy writes, and scores are equal only with it")]
const LN_2: f64 = 0.693_147_180_559_945_3;

/// One step of xorshift*, after Vigna.
#[inline]
fn scatter(mut word: u64) -> u64 {
    word ^= word >> 12;
    word ^= word << 25;
    word ^= word >> 27;
    word.wrapping_mul(2_685_821_657_736_338_717)
}

/// The low 53 bits as a fraction of 1.
#[inline]
fn fraction(word: u64) -> f64 {
    const BITS: u64 = 1 << 53;
    (word % BITS) as f64 / BITS as f64
}

/// Envoy's `fastLog2`: the exponent, and a quotient of polynomials for what is left, which is from 0.75 to 1.5.
#[inline]
fn log2(number: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    let bits = number.to_bits();
    let mantissa = bits & MANTISSA;
    // Where the mantissa is above a half, the rest is halved and the exponent is one more.
    let left = 1_023 ^ (mantissa >> 51);
    let exponent = (bits >> 52 & 0x7ff) as f64 - left as f64;
    let t = f64::from_bits(left << 52 | mantissa) - 1.0;
    exponent + t * (0.338_953 * t + 2.198_599) / (t + 1.523_692)
}

#[cfg(test)]
mod tests {
    use schism_core::ZoneId;

    use super::*;
    use crate::balancer::movement;
    use crate::balancer::stand::Stand;
    use crate::keys::Subject;

    fn candidates(names: &[String], weights: &[u32]) -> Vec<Candidate> {
        let sum: u32 = weights.iter().sum();
        let part = |weight: u32| f64::from(weight) / f64::from(sum);
        let competes = |(place, (name, &weight)): (usize, (&String, &u32))| Candidate {
            place: place as u32,
            hash: Hash::Xxh64.of(name.as_bytes()),
            part: part(weight),
        };
        names.iter().zip(weights).enumerate().map(competes).collect()
    }

    fn addresses(count: u32) -> Vec<String> {
        (90..90 + count).map(|port| format!("127.0.0.1:{port}")).collect()
    }

    /// Envoy publishes no picks; these are of its expressions and PyPI's xxhash.
    #[test]
    fn picks_are_envoys() {
        let candidates = candidates(&addresses(6), &[1; 6]);
        let rows = [
            (0, 4),
            (2, 3),
            (10, 5),
            (9_223_372_036_854_775_808, 0),
            (7_788_656_780_305_523_626, 1),
            (4_908_421_318_962_176_182, 2),
            (6_812_871_809_267_287_647, 3),
            (3_521_092_780_453_971_893, 4),
            (4_090_824_953_766_908_880, 2),
            (9_030_498_696_406_595_060, 0),
        ];
        rows.iter().for_each(|&(hash, place)| assert_eq!(highest(&candidates, hash), place, "{hash}"));
    }

    #[test]
    fn weights_are_followed_as_envoy_follows_them() {
        let candidates = candidates(&addresses(3), &[1, 2, 3]);
        let mut counts = [0; 3];
        for key in 0..6_000 {
            let hash = Hash::Xxh64.of(format!("k{key}").as_bytes());
            counts[highest(&candidates, hash) as usize] += 1;
        }
        assert_eq!(counts, [1_030, 1_928, 3_042]);
    }

    /// A later attempt changes the hash, a request about nothing has a random one, and the overloaded give way.
    #[test]
    fn attempts_and_loads_are_as_in_envoys_other_hashing_balancers() {
        let names = addresses(6);
        let weights: Vec<(&str, u32)> = names.iter().map(|name| (&name[..], 1)).collect();
        let mut stand = Stand::new(&weights);
        let mut rendezvous: Rendezvous =
            stand.balancer(&Config { bounded_load: Some(100), ..Config::default() });
        assert_eq!(stand.pick(&mut rendezvous, Subject::Hash(10)), "127.0.0.1:95");
        assert_eq!(stand.pick_again(&mut rendezvous, Subject::Hash(10 ^ u64::MAX), 1), "127.0.0.1:95");
        let nothing = Call::about(Subject::Nothing);
        assert_eq!(stand.picked(&mut rendezvous, &nothing, &mut [2].into()), "127.0.0.1:93");
        stand.load(5, 2);
        assert_ne!(stand.pick(&mut rendezvous, Subject::Hash(10)), "127.0.0.1:95");
    }

    #[test]
    fn localities_have_weights() {
        let mut stand = Stand::new(&[("127.0.0.1:90", 1), ("127.0.0.1:91", 1), ("127.0.0.1:92", 1)]);
        stand.endpoints.iter_mut().for_each(|endpoint| endpoint.zone = ZoneId(endpoint.ordinal as u16));
        stand.zone_weights = vec![(ZoneId(0), 3), (ZoneId(1), 0), (ZoneId(2), 1)];
        let rendezvous: Rendezvous = stand.balancer(&Config::default());
        let shares: Vec<(u32, f64)> = rendezvous.candidates.iter().map(|it| (it.place, it.part)).collect();
        assert_eq!(shares, [(0, 0.75), (2, 0.25)]);
    }

    /// The approximation is good to three digits, from the least fraction that there can be.
    #[test]
    fn the_logarithm_is_near() {
        let numbers =
            (1..10_000).map(|number| f64::from(number) / 10_000.0).chain([1e-9, 1.1e-16, 0.75, 1.0, 1.4]);
        for number in numbers {
            assert!((log2(number) - libm::log2(number)).abs() < 1e-3, "{number}");
        }
        assert!((log2(0.0) + 1_023.0).abs() < 1e-9, "zero has the least exponent");
    }

    /// Who stays keeps every key but those that the new one wins.
    #[test]
    fn keys_move_only_to_the_new_server() {
        for servers in [5, 10, 50] {
            let (old, new) = (addresses(servers), addresses(servers + 1));
            let even = |names: &[String]| candidates(names, &vec![1; names.len()]);
            let (old, new) = (even(&old), even(&new));
            let moves = (0..20_000).filter(|key: &u64| {
                let hash = Hash::Xxh64.of(&key.to_le_bytes());
                let (before, after) = (highest(&old, hash), highest(&new, hash));
                assert!(before == after || after == servers);
                before != after
            });
            let expected = 20_000.0 / f64::from(servers + 1);
            let moved = moves.count() as f64;
            assert!((moved - expected).abs() < 0.15 * expected, "{moved} for {expected}");
        }
    }

    /// Highest random weight with XXH64 alone, its seed the hash of the server: how many keys any such scheme moves.
    #[test]
    fn keys_move_as_in_any_rendezvous() {
        use twox_hash::XxHash64;
        for (servers, moved, most, cv) in [
            (5, 3385, 1.01925, 0.01820851449185243),
            (10, 1858, 1.0555, 0.029836219599674488),
            (50, 373, 1.115, 0.0561916363883452),
        ] {
            movement::check((servers, moved, 0), (most, cv), |hash, with_new| {
                let score = |server: &u32| {
                    let seed = Hash::Xxh64.of(format!("s{server}").as_bytes());
                    XxHash64::oneshot(seed, &hash.to_le_bytes())
                };
                (0..servers + u32::from(with_new)).max_by_key(score).expect("there are servers")
            });
        }
    }
}
