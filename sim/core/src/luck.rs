//! Luck: every random choice of a run, keyed by whose it is and what it is for.
//!
//! Nothing here is a shared generator. A [`Seed`] opens one stream per (who, purpose, life), so that a node, a fault or
//! a draw added elsewhere shifts nothing; and a single [`Draw`] of such a stream yields, through [`Draw::derive`], all
//! the luck that belongs to one thing (a request, its attempts, their hops). Two strategies that are compared then face
//! the same world and differ by their own decisions alone: common random numbers.

use crate::{Distribution, Duration, Ratio};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::fmt;
use twox_hash::XxHash3_64;

mod redraw;

pub(crate) use redraw::redrawing;

/// The seed of a run: with the scenario, all that decides what happens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Seed(pub u64);

/// One sequential stream of luck: ChaCha8 (Bernstein, "ChaCha, a variant of Salsa20", 2008), as in `rand_chacha` 0.10.
///
/// Every method but [`shuffle`](Luck::shuffle) takes exactly one word, whatever its outcome and its parameters, so a
/// fault of intensity zero leaves the stream where any other intensity would. 320 bytes.
///
/// A clone has the same future, unless a whole world is [redrawn](crate::World::redrawn).
pub struct Luck {
    stream: ChaCha8Rng,
    /// For whoever looks at it; the number of the stream already comes of it.
    purpose: &'static str,
}

/// One uniform word of 64 bits: the luck of one thing, from which the luck of its parts derives.
///
/// One draw decides one matter. A chance and a time from the same draw would go together (only the lucky would be
/// quick); two matters of one thing take two [derived](Draw::derive) draws.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Draw(u64);

/// Fills up the key of the cipher, so that these streams are nobody else's; the version changes with any derivation.
const DOMAIN: &[u8; 24] = b"schism luck, version 1\0\0";

impl Seed {
    /// The stream of `who`, in its `life`-th life, for one purpose.
    ///
    /// `who` is the *name* of an entity, never its index, which changes when another is added before it. Streams are
    /// told apart by 64 bits of hash: among a hundred thousand, two share one with a probability below one in a
    /// billion.
    pub fn luck(self, who: &str, purpose: &'static str, life: u32) -> Luck {
        let mut stream = ChaCha8Rng::from_seed(self.key());
        stream.set_stream(stream_of(who, purpose, life));
        Luck { stream, purpose }
    }

    /// The `index`-th word of the stream `self.luck(who, purpose, 0)`, by a jump.
    ///
    /// A jump makes four blocks of the cipher to use eight bytes (some 100 ns): for what is rare, or out of order.
    ///
    /// # Panics
    ///
    /// If `index` is not less than 2^63, where the stream is near its end.
    pub fn draw(self, who: &str, purpose: &'static str, index: u64) -> Draw {
        assert!(index < 1 << 63, "a stream has 2^63 words to jump to");
        let mut luck = self.luck(who, purpose, 0);
        luck.stream.set_word_pos(2 * u128::from(index));
        luck.draw()
    }

    fn key(self) -> [u8; 32] {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.0.to_le_bytes());
        key[8..].copy_from_slice(DOMAIN);
        key
    }
}

/// The number of a stream. Lengths go before the texts, so that no two triples spell the same bytes.
fn stream_of(who: &str, purpose: &str, life: u32) -> u64 {
    let mut spelt = Vec::with_capacity(who.len() + purpose.len() + 20);
    for text in [who, purpose] {
        spelt.extend_from_slice(&(text.len() as u64).to_le_bytes());
        spelt.extend_from_slice(text.as_bytes());
    }
    spelt.extend_from_slice(&life.to_le_bytes());
    XxHash3_64::oneshot(&spelt)
}

impl Luck {
    /// The next word of the stream.
    #[inline]
    pub fn draw(&mut self) -> Draw {
        Draw(self.stream.next_u64())
    }

    /// The next word, as a number.
    #[inline]
    pub fn word(&mut self) -> u64 {
        self.draw().word()
    }

    /// A whole number less than `n`; see [`Draw::below`].
    ///
    /// # Panics
    ///
    /// If `n` is zero.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        self.draw().below(n)
    }

    /// Whether an event of this probability happens.
    #[inline]
    pub fn chance(&mut self, of: Ratio) -> bool {
        self.draw().chance(of)
    }

    /// A time from the distribution.
    #[inline]
    pub fn sample(&mut self, from: &Distribution) -> Duration {
        from.sample(self.draw())
    }

    /// Puts the items in an order drawn at random (Fisher and Yates, in the form of Durstenfeld, CACM 7(7), 1964): one
    /// word for each item but the last one left.
    ///
    /// # Panics
    ///
    /// If there are more than `u32::MAX` items.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        let count = u32::try_from(items.len()).expect("a shuffle counts its items in 32 bits");
        for last in (1..count).rev() {
            items.swap(last as usize, self.below(last + 1) as usize);
        }
    }
}

impl fmt::Debug for Luck {
    /// What it is for, the number of the stream, and how many words have been drawn: `Luck(pick 00c0ffee00c0ffee at 418)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Luck { stream, purpose } = self;
        write!(f, "Luck({purpose} {:016x} at {})", stream.get_stream(), stream.get_word_pos() / 2)
    }
}

/// The odd number nearest to 2^64 divided by the golden ratio: what splitmix64 steps by.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Draw {
    /// The draw of a given word, for a test or a record.
    pub const fn new(word: u64) -> Draw {
        Draw(word)
    }

    /// The word itself.
    #[inline]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// The luck of one part of this thing, told from the others by its label. No stream moves.
    ///
    /// It is the `label`-th output, counted from zero, of splitmix64 seeded with this word (Steele, Lea and Flood,
    /// "Fast splittable pseudorandom number generators", OOPSLA 2014; the mixer is Stafford's variant 13). For one
    /// word, different labels always give different draws.
    #[inline]
    pub const fn derive(self, label: u64) -> Draw {
        Draw(mix(self.0.wrapping_add(GOLDEN_GAMMA.wrapping_mul(label.wrapping_add(1)))))
    }

    /// A number strictly between zero and one.
    ///
    /// One of the 2^52 odd multiples of 2^-53: neither end is among them, `1 - unit` is exact, and it is another.
    #[inline]
    pub const fn unit(self) -> f64 {
        ((self.0 >> 11) | 1) as f64 * UNIT_STEP
    }

    /// A whole number less than `n`, by the multiplication of Lemire, "Fast random integer generation in an interval",
    /// ACM TOMACS 29(1), 2019.
    ///
    /// It rejects nothing: one word, one number, which grows with the word. Without rejection one number may be
    /// likelier than another, here by less than `n / 2^64` of its probability, which no run is long enough to see.
    ///
    /// # Panics
    ///
    /// If `n` is zero.
    #[inline]
    pub const fn below(self, n: u32) -> u32 {
        assert!(n > 0, "there is no number less than zero");
        ((self.0 as u128 * n as u128) >> 64) as u32
    }

    /// Whether an event of this probability happens; see [`Ratio::admits`].
    #[inline]
    pub const fn chance(self, of: Ratio) -> bool {
        of.admits(self.0)
    }
}

/// Draws that all derive from one: as many as one decision may need, whatever others need.
///
/// A clone has the same future, unless a whole world is [redrawn](crate::World::redrawn).
#[derive(Debug)]
pub struct Draws {
    of: Draw,
    taken: u64,
}

impl Draw {
    /// The draws derived from this one, in order.
    #[inline]
    pub const fn many(self) -> Draws {
        Draws { of: self, taken: 0 }
    }
}

impl Draws {
    /// The next draw.
    #[inline]
    pub const fn draw(&mut self) -> Draw {
        let draw = self.of.derive(self.taken);
        self.taken += 1;
        draw
    }

    /// The draw with this number, whatever has been drawn. Nothing moves.
    #[inline]
    pub const fn at(&self, number: u64) -> Draw {
        self.of.derive(number)
    }

    /// A whole number less than `n`; see [`Draw::below`].
    #[inline]
    pub const fn below(&mut self, n: u32) -> u32 {
        self.draw().below(n)
    }
}

/// Two to the power -53.
const UNIT_STEP: f64 = 1.0 / (1_u64 << 53) as f64;

/// Stafford's mixer 13: a bijection of 64-bit words in which every bit in moves about half the bits out.
#[inline]
const fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl fmt::Debug for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draw({:016x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ratio;

    fn first_words(mut luck: Luck) -> [u64; 4] {
        std::array::from_fn(|_| luck.word())
    }

    fn draws(count: usize) -> Vec<Draw> {
        let mut luck = Seed(7).luck("anyone", "test", 0);
        (0..count).map(|_| luck.draw()).collect()
    }

    /// Any change here changes every run ever recorded: it needs a new version in `DOMAIN`.
    #[test]
    fn the_golden_streams_have_not_moved() {
        assert_eq!(
            first_words(Seed(0).luck("client-1", "latency", 0)),
            [0x3379_b0bb_3bf3_33ca, 0x6e60_6831_9916_ba83, 0x68da_3495_ffa8_b7d2, 0xe196_ec17_acae_df56]
        );
        assert_eq!(
            first_words(Seed(42).luck("registry", "election", 3)),
            [0x79a4_cad1_681c_7c32, 0x3900_c918_eb43_ce88, 0x76b6_8f7a_38bb_0335, 0xe301_43e9_97a5_d8ff]
        );
        assert_eq!(
            first_words(Seed(u64::MAX).luck("", "", u32::MAX)),
            [0x83d3_4f13_72ae_4d03, 0xa856_ad9d_5f2b_c4a4, 0xa2aa_bd42_da9d_b11e, 0x9b21_2fad_b61e_5291]
        );
    }

    /// The first three are the well-known outputs of splitmix64 seeded with zero.
    #[test]
    fn the_golden_derivations_have_not_moved() {
        let zero = Draw::new(0);
        assert_eq!(zero.derive(0).word(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(zero.derive(1).word(), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(zero.derive(2).word(), 0x06c4_5d18_8009_454f);
        assert_eq!(Draw::new(u64::MAX).derive(u64::MAX).word(), 0xb4d0_55fc_f2cb_bd7b);
        assert_eq!(zero.derive(7).derive(9).word(), 0xb6df_0a30_e832_e705);
    }

    #[test]
    fn a_stream_is_small_enough_to_have_many() {
        assert_eq!(size_of::<Luck>(), 320);
    }

    #[test]
    fn a_stream_says_what_it_is_for_and_how_far_it_is() {
        let mut luck = Seed(0).luck("client-1", "latency", 0);
        let before = format!("{luck:?}");
        assert!(before.starts_with("Luck(latency ") && before.ends_with(" at 0)"), "{before}");
        (0..100).for_each(|_| {
            luck.draw();
        });
        assert_eq!(format!("{luck:?}"), before.replace(" at 0)", " at 100)"));
    }

    #[test]
    fn a_jump_lands_where_the_stream_would_walk() {
        let mut luck = Seed(3).luck("client-1", "request", 0);
        for index in 0..200 {
            assert_eq!(Seed(3).draw("client-1", "request", index), luck.draw());
        }
    }

    #[test]
    fn a_stream_belongs_to_its_seed_name_purpose_and_life() {
        let streams = [
            Seed(1).luck("a", "b", 0),
            Seed(2).luck("a", "b", 0),
            Seed(1).luck("ab", "", 0),
            Seed(1).luck("", "ab", 0),
            Seed(1).luck("a", "b", 1),
        ]
        .map(|mut luck| luck.word());
        for (i, one) in streams.iter().enumerate() {
            assert!(!streams[..i].contains(one), "two streams began with the same word");
        }
    }

    #[test]
    fn a_clone_has_the_same_future() {
        let mut luck = Seed(1).luck("a", "b", 0);
        luck.word();
        let mut other = luck.clone();
        assert_eq!((luck.word(), luck.word()), (other.word(), other.word()));
    }

    #[test]
    fn the_unit_interval_is_open_at_both_ends() {
        assert!(Draw::new(0).unit() > 0.0);
        assert!(Draw::new(u64::MAX).unit() < 1.0);
        let sum = Draw::new(0).unit() + Draw::new(u64::MAX).unit();
        assert!((sum - 1.0).abs() < f64::EPSILON, "the ends mirror each other");
    }

    #[test]
    fn below_reaches_its_ends_and_no_further() {
        assert_eq!(Draw::new(0).below(10), 0);
        assert_eq!(Draw::new(u64::MAX).below(10), 9);
        assert_eq!(Draw::new(u64::MAX).below(1), 0);
        assert_eq!(Draw::new(u64::MAX).below(u32::MAX), u32::MAX - 1);
    }

    #[test]
    fn a_chance_takes_one_word_whatever_its_ratio() {
        let mut luck = Seed(1).luck("a", "b", 0);
        let mut other = luck.clone();
        assert!(!luck.chance(Ratio::ZERO));
        assert!(other.chance(Ratio::ONE));
        assert_eq!(luck.word(), other.word());
    }

    #[test]
    fn a_chance_of_one_in_a_hundred_happens_once_in_a_hundred() {
        let happened = draws(100_000).iter().filter(|draw| draw.chance(ratio(1, 100))).count();
        // The standard deviation is 31.5; this allows four of them.
        assert!((874..=1126).contains(&happened), "{happened}");
    }

    #[test]
    fn a_shuffle_keeps_the_items_and_favours_no_order() {
        let mut luck = Seed(5).luck("a", "shuffle", 0);
        let mut seen = [0_u32; 6];
        for _ in 0..60_000 {
            let mut items = [0_usize, 1, 2];
            luck.shuffle(&mut items);
            seen[items[0] * 2 + usize::from(items[1] > items[2])] += 1;
        }
        assert!(chi_square(&seen) < 20.5, "{seen:?}"); // 99.9% quantile for 5 degrees of freedom
    }

    #[test]
    fn a_shuffle_of_nothing_takes_nothing() {
        let mut luck = Seed(5).luck("a", "shuffle", 0);
        let mut other = luck.clone();
        luck.shuffle::<u8>(&mut []);
        luck.shuffle(&mut [1]);
        assert_eq!(luck.word(), other.word());
    }

    fn chi_square(seen: &[u32]) -> f64 {
        let expected = f64::from(seen.iter().sum::<u32>()) / seen.len() as f64;
        seen.iter().map(|&n| (f64::from(n) - expected) * (f64::from(n) - expected) / expected).sum()
    }

    /// 256 cells, for drawn and for derived words, on the high, the low and a middle byte.
    #[test]
    fn words_fall_evenly() {
        let derived = |label| move |draw: Draw| draw.derive(label).word();
        check_even(|draw| draw.word());
        check_even(derived(0));
        check_even(derived(1));
        check_even(derived(u64::MAX));
        check_even(|draw| draw.derive(3).derive(0).word());
    }

    fn check_even(word: impl Fn(Draw) -> u64) {
        for shift in [0, 28, 56] {
            let mut seen = [0_u32; 256];
            for draw in draws(100_000) {
                seen[(word(draw) >> shift & 0xff) as usize] += 1;
            }
            let chi = chi_square(&seen);
            assert!(chi < 347.7, "{chi} at bit {shift}"); // 99.99% quantile for 255 degrees of freedom
        }
    }

    /// Requests numbered one after another must not be alike: a counter, too, is mixed into even words.
    #[test]
    fn neighbouring_words_and_labels_derive_even_words() {
        let mut seen = [0_u32; 256];
        for word in 0..400 {
            for label in 0..250 {
                seen[(Draw::new(word).derive(label).word() >> 56) as usize] += 1;
            }
        }
        assert!(chi_square(&seen) < 347.7, "{seen:?}");
    }

    #[test]
    fn parts_of_one_thing_are_uncorrelated() {
        check_uncorrelated(|draw| (draw, draw.derive(0)));
        check_uncorrelated(|draw| (draw.derive(0), draw.derive(1)));
        check_uncorrelated(|draw| (draw.derive(0), draw.derive(1).derive(0)));
        check_uncorrelated(|draw| (draw.derive(1).derive(2), draw.derive(2).derive(1)));
    }

    fn check_uncorrelated(parts: impl Fn(Draw) -> (Draw, Draw)) {
        let count = 100_000;
        let sum: f64 = draws(count)
            .into_iter()
            .map(parts)
            .map(|(a, b)| 12.0 * (a.unit() - 0.5) * (b.unit() - 0.5))
            .sum();
        let correlation = sum / count as f64;
        // The standard deviation is 1 / sqrt(100_000), or 0.0032.
        assert!(correlation.abs() < 0.0127, "{correlation}");
    }
}
