//! Weights by place, from which one is drawn and of which one is changed in logarithmic time: a Fenwick tree.
//!
//! Fenwick, "A new data structure for cumulative frequency tables", Software: Practice and Experience, 1994.

/// The sums of so many weights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fenwick {
    /// In node `n`, counted from 1, the sum of the last `n & -n` weights up to the `n`th.
    nodes: Vec<u64>,
    total: u64,
}

impl Fenwick {
    /// Takes these weights, in place of all there were.
    pub(crate) fn fill(&mut self, weights: impl Iterator<Item = u32>) {
        self.nodes.clear();
        self.nodes.extend(weights.map(u64::from));
        self.total = self.nodes.iter().sum();
        for place in 0..self.nodes.len() {
            let above = place | (place + 1);
            if above < self.nodes.len() {
                self.nodes[above] += self.nodes[place];
            }
        }
    }

    /// The sum of all weights.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Changes one weight.
    pub(crate) fn change(&mut self, place: u32, from: u32, to: u32) {
        let (from, to) = (u64::from(from), u64::from(to));
        self.total = self.total - from + to;
        let mut place = place as usize;
        while place < self.nodes.len() {
            self.nodes[place] = self.nodes[place] - from + to;
            place |= place + 1;
        }
    }

    /// The place that this point lies in, of all weights laid side by side. It has some weight.
    pub(crate) fn at(&self, mut point: u64) -> u32 {
        assert!(point < self.total, "a point lies within the weights");
        let mut step = self.nodes.len().next_power_of_two();
        let mut before = 0;
        while step > 0 {
            if before + step <= self.nodes.len() && self.nodes[before + step - 1] <= point {
                before += step;
                point -= self.nodes[before - 1];
            }
            step /= 2;
        }
        before as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each point in turn.
    fn places(weights: &Fenwick) -> Vec<u32> {
        (0..weights.total()).map(|point| weights.at(point)).collect()
    }

    #[test]
    fn a_place_comes_as_often_as_it_weighs() {
        let mut weights = Fenwick::default();
        weights.fill([2, 0, 1, 3, 0].into_iter());
        assert_eq!(places(&weights), [0, 0, 2, 3, 3, 3]);
        weights.change(3, 3, 0);
        weights.change(4, 0, 2);
        weights.change(0, 2, 1);
        assert_eq!(places(&weights), [0, 2, 4, 4]);
        weights.fill([5].into_iter());
        assert_eq!(places(&weights), [0; 5]);
    }

    #[test]
    fn a_changed_tree_is_one_filled_anew() {
        for len in 1..40_u32 {
            let mut changed = Fenwick::default();
            changed.fill((0..len).map(|_| 1));
            (0..len).for_each(|place| changed.change(place, 1, place % 5));
            let mut filled = Fenwick::default();
            filled.fill((0..len).map(|place| place % 5));
            assert_eq!(changed, filled);
        }
    }
}
