//! Who is in a view, by ordinal: who has come since the last one, and where somebody is.

use crate::listing::View;

/// The endpoints of a view, a bit for each ordinal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Members {
    bits: Vec<u64>,
}

impl Members {
    /// Takes those of this view in place of those of the one before, and tells who was not in that.
    pub(super) fn update(&mut self, view: View<'_>, mut joined: impl FnMut(u32)) {
        let mut now = Members::default();
        for place in 0..view.len() {
            let ordinal = view.endpoint(place).ordinal;
            now.insert(ordinal);
            if !self.has(ordinal) {
                joined(ordinal);
            }
        }
        *self = now;
    }

    /// Whether an endpoint is among them.
    #[inline]
    pub(super) fn has(&self, ordinal: u32) -> bool {
        self.bits.get(ordinal as usize / 64).is_some_and(|bits| bits >> (ordinal % 64) & 1 == 1)
    }

    fn insert(&mut self, ordinal: u32) {
        let at = ordinal as usize / 64;
        if self.bits.len() <= at {
            self.bits.resize(at + 1, 0);
        }
        self.bits[at] |= 1 << (ordinal % 64);
    }
}

/// The place of an endpoint in a view. A list is in the order of its instances' numbers, so that a look at a few places
/// will do; where it is not, all are looked at.
pub(super) fn place_of(view: View<'_>, ordinal: u32) -> Option<u32> {
    let (mut low, mut high) = (0, view.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if view.endpoint(middle).ordinal < ordinal {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let is = |place: &u32| view.endpoint(*place).ordinal == ordinal;
    Some(low).filter(|place| *place < view.len() && is(place)).or_else(|| (0..view.len()).find(is))
}

/// So many distinct numbers below `most`, each set of them as likely, one draw for each: Floyd's algorithm, from Bentley,
/// "Programming pearls: a sample of brilliance", Communications of the ACM, 1987. They are put behind what `into` holds
/// already, and there are never more than there are numbers.
pub(super) fn sample(count: u32, most: u32, into: &mut Vec<u32>, mut below: impl FnMut(u32) -> u32) {
    let before = into.len();
    for last in most - count.min(most)..most {
        let drawn = below(last + 1);
        into.push(if into[before..].contains(&drawn) { last } else { drawn });
    }
}
