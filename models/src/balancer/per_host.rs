//! What a balancer remembers of endpoints: of those alone that it has had to do with.

use crate::listing::View;

/// Something of each endpoint that was touched, by its ordinal. A client of a thousand endpoints may have met three.
#[derive(Clone, Debug)]
pub struct PerHost<T> {
    /// Sorted by ordinal.
    known: Vec<(u32, T)>,
}

impl<T> Default for PerHost<T> {
    fn default() -> PerHost<T> {
        PerHost { known: Vec::new() }
    }
}

impl<T> PerHost<T> {
    /// What is known of an endpoint, if it was touched.
    #[inline]
    pub fn get(&self, ordinal: u32) -> Option<&T> {
        self.place(ordinal).ok().map(|at| &self.known[at].1)
    }

    /// The same, to change it.
    #[inline]
    pub fn get_mut(&mut self, ordinal: u32) -> Option<&mut T> {
        self.place(ordinal).ok().map(|at| &mut self.known[at].1)
    }

    /// What is known of an endpoint; it begins like this if it was not touched before.
    pub fn touch(&mut self, ordinal: u32, first: impl FnOnce() -> T) -> &mut T {
        let at = self.place(ordinal).unwrap_or_else(|at| {
            self.known.insert(at, (ordinal, first()));
            at
        });
        &mut self.known[at].1
    }

    /// Takes what is known of an endpoint.
    pub fn forget(&mut self, ordinal: u32) -> Option<T> {
        self.place(ordinal).ok().map(|at| self.known.remove(at).1)
    }

    /// Forgets all that are not in the view.
    pub fn retain(&mut self, view: View<'_>) {
        let mut there: Vec<u32> = (0..view.len()).map(|place| view.endpoint(place).ordinal).collect();
        there.sort_unstable();
        self.known.retain(|(ordinal, _)| there.binary_search(ordinal).is_ok());
    }

    /// Whether nothing is known of anybody.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// All that is known, by ordinal.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.known.iter().map(|(ordinal, it)| (*ordinal, it))
    }

    #[inline]
    fn place(&self, ordinal: u32) -> Result<usize, usize> {
        self.known.binary_search_by_key(&ordinal, |&(ordinal, _)| ordinal)
    }
}
