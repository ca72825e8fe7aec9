//! Dice: the raw words that a strategy draws, scripted ones first where there are any, then luck's.

use std::collections::VecDeque;

use schism_core::Draws;

/// What one decision draws from.
#[derive(Debug)]
pub struct Dice<'s> {
    script: Option<&'s mut VecDeque<u64>>,
    luck: Draws,
}

impl Dice<'static> {
    /// Luck alone.
    #[inline]
    pub fn new(luck: Draws) -> Dice<'static> {
        Dice { script: None, luck }
    }
}

impl<'s> Dice<'s> {
    /// The words of a script, in order, as long as there are any; luck goes on where it ends.
    pub fn scripted(script: &'s mut VecDeque<u64>, luck: Draws) -> Dice<'s> {
        Dice { script: Some(script), luck }
    }

    /// The next 64 bits.
    #[inline]
    pub fn word(&mut self) -> u64 {
        // Luck moves with the script, so that what comes after it does not depend on its length.
        let word = self.luck.draw().word();
        self.script.as_mut().and_then(|script| script.pop_front()).unwrap_or(word)
    }

    /// A whole number less than `n`: the word modulo `n`, as Envoy, grpc-go and go-zero draw, so that a test of theirs
    /// can be replayed with its own words. One number may be likelier than another by `n / 2^64` of its probability.
    ///
    /// # Panics
    ///
    /// If `n` is zero.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        (self.word() % u64::from(n)) as u32
    }

    /// A number strictly between zero and one.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        schism_core::Draw::new(self.word()).unit()
    }
}

#[cfg(test)]
mod tests {
    use schism_core::Draw;

    use super::*;

    #[test]
    fn a_script_comes_first_and_luck_goes_on_where_it_would_have_been() {
        let luck = Draw::new(7).many();
        let mut alone = Dice::new(luck.clone());
        let words: Vec<u64> = (0..4).map(|_| alone.word()).collect();
        let mut script = VecDeque::from([5, 6]);
        let mut dice = Dice::scripted(&mut script, luck);
        assert_eq!([dice.word(), dice.word(), dice.word(), dice.word()], [5, 6, words[2], words[3]]);
    }
}
