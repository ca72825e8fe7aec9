//! Links have little room.

use schism_core::Harm;

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Strike};
use super::ways::Ways;
use super::{Condition, Nature};

/// Messages share links of a small capacity, with a finite buffer before each: what finds it full is dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct Bandwidth<T = Target> {
    /// On which ways.
    pub ways: Ways<T>,
    /// The capacity of each link, in bytes per second; not zero.
    pub bytes_per_second: u64,
    /// How many bytes may wait at each, the message that is being sent included.
    pub buffer: u64,
}

impl<T> Bandwidth<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Bandwidth<U>> {
        Some(Bandwidth {
            ways: self.ways.aim(at)?,
            bytes_per_second: self.bytes_per_second,
            buffer: self.buffer,
        })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        self.ways.sides()
    }

    fn harm(&self) -> Harm {
        Harm::Throttle { bytes_per_second: self.bytes_per_second, buffer: self.buffer }
    }
}

impl<T> Nature for Bandwidth<T> {
    fn wants_them(&self) -> Condition {
        Condition::Either
    }

    fn is_nothing(&self) -> bool {
        self.harm().is_nothing()
    }
}

impl Bandwidth {
    /// `bandwidth between zone:a and zone:b, 1250000 bytes/s behind a buffer of 262144 bytes`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!(
            "bandwidth {}, {} bytes/s behind a buffer of {} bytes",
            self.ways.words(names),
            self.bytes_per_second,
            self.buffer
        )
    }
}

impl Strike for Bandwidth {
    fn begin(&self, hand: &mut Hand<'_>) {
        self.ways.worsen(hand, &[self.harm()]);
    }
}
