//! Redrawing: a copy of a world goes on with the luck of another seed.
//!
//! Luck is kept wherever it is drawn: in actors, their parts and the parts of those. What they have in common is that a
//! copy of a world clones all of them. So there is a *guard*: while it stands, on this thread, a clone of a [`Luck`] or of
//! [`Draws`] is one of another seed, at the same position. It stands for one clone of one world, so nothing else can meet it, and
//! what comes out is a pure function of what is cloned and the salt.

use std::cell::Cell;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::{Draw, Draws, Luck, Seed, mix};

thread_local! {
    static SALT: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The guard: it falls when dropped, also in a panic.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        SALT.set(None);
    }
}

/// Whatever luck is cloned within is redrawn.
pub(crate) fn redrawing<T>(salt: u64, clone: impl FnOnce() -> T) -> T {
    assert!(SALT.get().is_none(), "a world is redrawn by one clone, which redraws no other");
    let _guard = Guard;
    SALT.set(Some(salt));
    clone()
}

/// Label of the draw that a salt derives.
const REDRAWN: u64 = 0x7265_6472_6177_6e21;

fn stir(word: u64, salt: u64) -> u64 {
    mix(word ^ Draw(salt).derive(REDRAWN).word())
}

impl Seed {
    /// The seed that a run goes on with when it is redrawn with this salt.
    #[must_use]
    pub fn redrawn(self, salt: u64) -> Seed {
        Seed(stir(self.0, salt))
    }
}

impl Draw {
    /// What another luck would have drawn here.
    pub(crate) fn redrawn(self, salt: u64) -> Draw {
        Draw(stir(self.0, salt))
    }
}

impl Luck {
    /// The same stream of the redrawn seed, at the same position.
    fn redrawn(&self, salt: u64) -> Luck {
        let key = self.stream.get_seed();
        let seed = u64::from_le_bytes(key[..8].try_into().expect("eight of its bytes"));
        let mut stream = ChaCha8Rng::from_seed(Seed(seed).redrawn(salt).key());
        stream.set_stream(self.stream.get_stream());
        stream.set_word_pos(self.stream.get_word_pos());
        Luck { stream, purpose: self.purpose }
    }
}

impl Clone for Luck {
    fn clone(&self) -> Luck {
        match SALT.get() {
            None => Luck { stream: self.stream.clone(), purpose: self.purpose },
            Some(salt) => self.redrawn(salt),
        }
    }
}

impl Clone for Draws {
    fn clone(&self) -> Draws {
        match SALT.get() {
            None => Draws { of: self.of, taken: self.taken },
            Some(salt) => Draws { of: self.of.redrawn(salt), taken: self.taken },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_is_the_same_unless_the_guard_stands() {
        let mut luck = Seed(1).luck("a", "b", 0);
        luck.word();
        let mut draws = Draw::new(9).many();
        draws.draw();
        let (mut other, mut others) = redrawing(5, || (luck.clone(), draws.clone()));
        let (mut same, mut sames) = (luck.clone(), draws.clone());
        let (next, nexts) = (luck.word(), draws.draw());
        assert_eq!((same.word(), sames.draw()), (next, nexts));
        assert_ne!(other.word(), next);
        assert_ne!(others.draw(), nexts);
    }

    #[test]
    fn a_redrawn_stream_is_that_of_the_redrawn_seed() {
        let mut luck = Seed(1).luck("a", "b", 2);
        luck.word();
        let mut other = redrawing(5, || luck.clone());
        let mut expected = Seed(1).redrawn(5).luck("a", "b", 2);
        expected.word();
        assert_eq!(other.word(), expected.word());
    }

    #[test]
    fn two_salts_differ_and_one_salt_is_always_the_same() {
        let luck = Seed(1).luck("a", "b", 0);
        let next = |salt| redrawing(salt, || luck.clone()).word();
        assert_eq!(next(0), next(0));
        assert_ne!(next(0), next(1));
    }

    #[test]
    fn the_guard_falls_in_a_panic() {
        let caught = std::panic::catch_unwind(|| redrawing(1, || panic!("on purpose")));
        assert!(caught.is_err());
        let mut luck = Seed(1).luck("a", "b", 0);
        assert_eq!(luck.clone().word(), luck.word());
    }
}
