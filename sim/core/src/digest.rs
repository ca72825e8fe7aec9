//! One number for all that happened: two runs with the same digest went the same way, event for event.
//!
//! A [`Digest`] folds words in order, and is cheap enough to be always on. Kept every so many events in
//! [`Checkpoints`], it also tells between which two events a pair of runs parted, without either having kept a trace.

use crate::Time;
use std::fmt;
use std::hash::Hasher;
use std::str::FromStr;
use twox_hash::XxHash3_128;

/// Which fold this is. It changes with any change to the value of any sequence of words.
pub const DIGEST_VERSION: u32 = 1;

/// A streaming fold of 64-bit words into 128 bits, sensitive to their order.
///
/// Words gather in a block; a full block is hashed by XXH3-128 (Collet, xxHash 0.8) together with the value of all the
/// blocks before it. As a [`Hasher`] it takes in whatever derives [`Hash`](std::hash::Hash): every integer is one word
/// (128-bit ones are two), whatever its width, so that the value is the same on every platform.
///
/// One trap is beyond a `Hasher`: the standard library hands it a *slice* of integers wider than a byte as its bytes in
/// memory. The value then depends on endianness and, for `usize`, on width; x86-64 and aarch64 agree in both.
///
/// It finds accidents, not adversaries: XXH3 is no cryptographic hash.
#[derive(Clone)]
pub struct Digest {
    /// The value of all earlier blocks (two words), then the words since. Half a kilobyte.
    block: [[u8; 8]; BLOCK_WORDS],
    /// How much of the block is in use.
    used: usize,
}

const BLOCK_WORDS: usize = 64;
const STATE_WORDS: usize = 2;

/// What a digest was when it was asked; 32 hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DigestValue(u128);

impl Default for Digest {
    fn default() -> Digest {
        Digest::new()
    }
}

impl Digest {
    /// The digest of nothing, under the [current version](DIGEST_VERSION).
    pub fn new() -> Digest {
        let mut block = [[0; 8]; BLOCK_WORDS];
        block[0] = *b"schism d";
        block[1] = u64::from(DIGEST_VERSION).to_le_bytes();
        Digest { block, used: STATE_WORDS }
    }

    /// Folds in one word.
    #[inline]
    pub fn fold(&mut self, word: u64) {
        self.block[self.used] = word.to_le_bytes();
        self.used += 1;
        if self.used == BLOCK_WORDS {
            self.turn();
        }
    }

    /// The value of all words so far; more may follow.
    pub fn value(&self) -> DigestValue {
        DigestValue(XxHash3_128::oneshot(self.block[..self.used].as_flattened()))
    }

    #[cold]
    #[inline(never)]
    fn turn(&mut self) {
        let DigestValue(value) = self.value();
        self.block[0] = (value as u64).to_le_bytes();
        self.block[1] = ((value >> 64) as u64).to_le_bytes();
        self.used = STATE_WORDS;
    }
}

impl Hasher for Digest {
    /// The lower half of the value.
    fn finish(&self) -> u64 {
        self.value().0 as u64
    }

    /// Folds the number of bytes, then the bytes as little-endian words, the last filled up with zeros.
    fn write(&mut self, bytes: &[u8]) {
        self.fold(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.fold(u64::from_le_bytes(word));
        }
    }

    #[inline]
    fn write_u8(&mut self, i: u8) {
        self.fold(u64::from(i));
    }

    #[inline]
    fn write_u16(&mut self, i: u16) {
        self.fold(u64::from(i));
    }

    #[inline]
    fn write_u32(&mut self, i: u32) {
        self.fold(u64::from(i));
    }

    #[inline]
    fn write_u64(&mut self, i: u64) {
        self.fold(i);
    }

    #[inline]
    fn write_u128(&mut self, i: u128) {
        self.fold(i as u64);
        self.fold((i >> 64) as u64);
    }

    #[inline]
    fn write_usize(&mut self, i: usize) {
        self.fold(i as u64);
    }

    #[inline]
    fn write_i8(&mut self, i: i8) {
        self.fold(i64::from(i) as u64);
    }

    #[inline]
    fn write_i16(&mut self, i: i16) {
        self.fold(i64::from(i) as u64);
    }

    #[inline]
    fn write_i32(&mut self, i: i32) {
        self.fold(i64::from(i) as u64);
    }

    #[inline]
    fn write_i64(&mut self, i: i64) {
        self.fold(i as u64);
    }

    #[inline]
    fn write_i128(&mut self, i: i128) {
        self.write_u128(i as u128);
    }

    #[inline]
    fn write_isize(&mut self, i: isize) {
        self.fold(i as i64 as u64);
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.value())
    }
}

impl DigestValue {
    /// The value as a number.
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for DigestValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for DigestValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no [`DigestValue`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotADigest;

impl fmt::Display for NotADigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a digest is 32 hexadecimal digits; copy it whole from the report")
    }
}

impl std::error::Error for NotADigest {}

impl FromStr for DigestValue {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<DigestValue, NotADigest> {
        // The number parser alone would also accept a sign and fewer digits.
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotADigest);
        }
        u128::from_str_radix(text, 16).map(DigestValue).map_err(|_| NotADigest)
    }
}

/// Where a run stood, and its digest there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// How many events had happened.
    pub events: u64,
    /// The time of the last of them.
    pub at: Time,
    /// The digest of them all.
    pub value: DigestValue,
}

/// The checkpoints of a run, evenly spaced. When there would be too many, every other one goes and the spacing doubles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoints {
    every: u64,
    kept: Vec<Checkpoint>,
    next: u64,
}

/// The most checkpoints kept of one run.
const MOST_CHECKPOINTS: usize = 1024;

impl Checkpoints {
    /// A checkpoint every `every` events, to begin with.
    ///
    /// Two runs are best compared if they began with the same number.
    ///
    /// # Panics
    ///
    /// If `every` is zero.
    pub fn new(every: u64) -> Checkpoints {
        assert!(every > 0, "checkpoints are some events apart");
        Checkpoints { every, kept: Vec::new(), next: every }
    }

    /// To be called after each event, with the number of events so far: keeps a checkpoint if one is due.
    ///
    /// # Panics
    ///
    /// If the event of a checkpoint was left out.
    #[inline]
    pub fn on_event(&mut self, events: u64, at: Time, digest: &Digest) {
        if events >= self.next {
            self.keep(Checkpoint { events, at, value: digest.value() });
        }
    }

    #[cold]
    #[inline(never)]
    fn keep(&mut self, checkpoint: Checkpoint) {
        assert!(checkpoint.events == self.next, "checkpoints see every event");
        self.kept.push(checkpoint);
        if self.kept.len() > MOST_CHECKPOINTS {
            self.every *= 2;
            let every = self.every;
            self.kept.retain(|kept| kept.events % every == 0);
        }
        self.next = checkpoint.events - checkpoint.events % self.every + self.every;
    }

    /// How many events apart they are now.
    pub fn spacing(&self) -> u64 {
        self.every
    }

    /// Those kept, earliest first.
    pub fn kept(&self) -> &[Checkpoint] {
        &self.kept
    }
}

/// Between which checkpoints two runs parted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parting {
    /// The last checkpoint at which they were the same; none if that was the start.
    pub last_common: Option<Checkpoint>,
    /// The first checkpoint at which they differed, in the one run and in the other.
    pub first_different: (Checkpoint, Checkpoint),
}

/// Where two runs parted, by bisection of their checkpoints: once different, digests stay so.
///
/// None if every checkpoint that both have agrees. They may still part after the last of those, or one may have ended
/// sooner: their final digests tell.
pub fn first_difference(one: &Checkpoints, other: &Checkpoints) -> Option<Parting> {
    parting(&one.kept, &other.kept)
}

/// The same of checkpoints that were kept elsewhere, earliest first.
pub fn parting(one: &[Checkpoint], other: &[Checkpoint]) -> Option<Parting> {
    let after =
        |events: u64| other.binary_search_by_key(&events, |kept| kept.events).ok().map(|found| other[found]);
    let common: Vec<(Checkpoint, Checkpoint)> =
        one.iter().filter_map(|&kept| Some((kept, after(kept.events)?))).collect();
    let parted = common.partition_point(|(one, other)| one.value == other.value);
    let first_different = *common.get(parted)?;
    let last_common = parted.checked_sub(1).map(|before| common[before].0);
    Some(Parting { last_common, first_different })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::Hash;

    fn digest_of(words: impl IntoIterator<Item = u64>) -> Digest {
        let mut digest = Digest::new();
        words.into_iter().for_each(|word| digest.fold(word));
        digest
    }

    fn hashed(value: impl Hash) -> DigestValue {
        let mut digest = Digest::new();
        value.hash(&mut digest);
        digest.value()
    }

    #[derive(Hash)]
    enum Message {
        Renew { term: u32, from: usize },
        Gone(bool, i32, char, u128),
        Named(&'static str),
    }

    /// Any change here needs a new `DIGEST_VERSION`.
    #[test]
    fn the_golden_values_have_not_moved() {
        let values = [
            Digest::new().value(),
            digest_of([0]).value(),
            digest_of(0..61).value(),
            digest_of(0..62).value(),
            digest_of(0..63).value(),
            digest_of(0..10_000).value(),
            hashed(Message::Renew { term: 7, from: 9 }),
            hashed(Message::Gone(true, -1, 'x', 1 << 64)),
            hashed(Message::Named("registry-1")),
        ]
        .map(|value| value.to_string());
        let expected = [
            "b86306c231188741ccfb0e1ceb026800",
            "853c04dbd4ad5ac5217c07adbdba62b4",
            "30b8ee4e92128d3fc38a681366258942",
            "1128db0da582830eb8883aec093edfc1",
            "7b48fd937c88cce8fcfa69be950d6a11",
            "ac13714476b19ab684eb2255c9838ba6",
            "7a19b5a05ce3935eac1074894d0051a5",
            "a8eb68a833f014922ce5afc7eab570d0",
            "8d64fec459b31f71b22dcabb177837d3",
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn integers_fold_by_value_and_not_by_width() {
        assert_eq!(hashed(7_u8), digest_of([7]).value());
        assert_eq!(hashed(7_usize), hashed(7_u64));
        assert_eq!(hashed(-7_i8), hashed(-7_i64));
        assert_eq!(hashed(-7_isize), hashed(-7_i32));
        assert_eq!(hashed(true), hashed(1_u16));
        assert_eq!(hashed(-1_i128), digest_of([u64::MAX, u64::MAX]).value());
        assert_eq!(hashed((1_u32, 2_u8)), digest_of([1, 2]).value());
    }

    #[test]
    fn order_matters_on_both_sides_of_a_block() {
        for at in [0, 60, 61, 62, 123] {
            let mut words: Vec<u64> = (0..130).collect();
            words.swap(at, at + 1);
            assert_ne!(digest_of(words).value(), digest_of(0..130).value(), "swapped at {at}");
        }
    }

    #[test]
    fn every_word_and_every_length_matters() {
        let values: Vec<DigestValue> =
            (0..200).map(|n| digest_of(std::iter::repeat_n(0, n)).value()).collect();
        for (n, value) in values.iter().enumerate() {
            assert!(!values[..n].contains(value), "{n} zeros are fewer zeros");
        }
    }

    #[test]
    fn asking_and_cloning_change_nothing() {
        let mut digest = Digest::new();
        for word in 0..1000 {
            let (asked, clone) = (digest.value(), digest.clone());
            assert_eq!(asked, clone.value());
            digest.fold(word);
        }
        assert_eq!(digest.value(), digest_of(0..1000).value());
        assert_eq!(digest.finish(), digest.value().as_u128() as u64);
    }

    #[test]
    fn bytes_are_told_apart_by_where_they_were_split() {
        let split = |parts: &[&[u8]]| {
            let mut digest = Digest::new();
            parts.iter().for_each(|part| digest.write(part));
            digest.value()
        };
        assert_ne!(split(&[b"ab", b"c"]), split(&[b"a", b"bc"]));
        assert_ne!(split(&[b"ab", b"c"]), split(&[b"abc"]));
        assert_ne!(split(&[b"a"]), split(&[b"a\0"]));
        assert_eq!(split(&[b"12345678", b""]), digest_of([8, u64::from_le_bytes(*b"12345678"), 0]).value());
    }

    #[test]
    fn a_value_is_read_as_it_was_written() {
        let value = digest_of([1, 2, 3]).value();
        assert_eq!(value.to_string().parse(), Ok(value));
        assert_eq!("0000000000000000000000000000002a".parse(), Ok(DigestValue(42)));
        for wrong in ["", "2a", "+000000000000000000000000000002a", "g000000000000000000000000000002a"] {
            assert_eq!(wrong.parse::<DigestValue>(), Err(NotADigest), "{wrong}");
        }
    }

    /// A run of `events` events, one word each, of which the one after `parts_after` is different.
    fn run(every: u64, events: u64, parts_after: u64) -> Checkpoints {
        let (mut digest, mut checkpoints) = (Digest::new(), Checkpoints::new(every));
        for n in 1..=events {
            digest.fold(if n == parts_after + 1 { u64::MAX } else { n });
            checkpoints.on_event(n, Time::from_nanos(10 * n), &digest);
        }
        checkpoints
    }

    const NEVER: u64 = u64::MAX - 1;

    #[test]
    fn checkpoints_are_thinned_when_there_are_too_many() {
        let few = run(4, 4 * 1024, NEVER);
        assert_eq!((few.spacing(), few.kept().len()), (4, 1024));
        let halved = run(4, 4 * 1025, NEVER);
        assert_eq!((halved.spacing(), halved.kept().len()), (8, 512));
        let many = run(4, 100_000, NEVER);
        assert_eq!((many.spacing(), many.kept().len()), (128, 781));
        for (i, kept) in many.kept().iter().enumerate() {
            assert_eq!(kept.events, 128 * (i as u64 + 1));
            assert_eq!(kept.at, Time::from_nanos(10 * kept.events));
            assert_eq!(kept.value, digest_of(1..=kept.events).value());
        }
    }

    #[test]
    fn the_parting_is_found_between_two_checkpoints() {
        let one = run(8, 5000, NEVER);
        for parts_after in [0, 7, 8, 9, 2500, 4991, 4992 - 1] {
            let parting = first_difference(&one, &run(8, 5000, parts_after)).expect("they part");
            let before = parting.last_common.map_or(0, |last| last.events);
            let (here, there) = parting.first_different;
            assert_eq!(here.events, there.events);
            assert_ne!(here.value, there.value);
            assert_eq!((before, here.events), (parts_after / 8 * 8, parts_after / 8 * 8 + 8));
        }
    }

    #[test]
    fn runs_of_different_lengths_are_compared_where_both_were() {
        let long = run(8, 100_000, 3000);
        let parting = first_difference(&run(8, 5000, NEVER), &long).expect("they part");
        assert_eq!(parting.first_different.0.events % long.spacing(), 0);
        assert!(parting.last_common.is_some_and(|last| last.events <= 3000));
        assert!(parting.first_different.1.events > 3000);
        assert_eq!(first_difference(&run(8, 2900, NEVER), &long), None);
    }

    #[test]
    fn equal_runs_do_not_part() {
        assert_eq!(first_difference(&run(8, 9000, NEVER), &run(8, 9000, NEVER)), None);
        assert_eq!(first_difference(&Checkpoints::new(1), &Checkpoints::new(1)), None);
    }
}
