//! Where a value was written: the file, or the text of a `--set`, and the bytes there.

use std::ops::Range;
use std::sync::Arc;

/// A place in one of the texts that a scenario was read from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Place {
    pub(crate) source: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A value and where it was written; what was left out stands where it could have been.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct At<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it was written.
    pub(crate) place: Place,
}

/// The texts that a scenario was read from: the file first, then one for each override.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    texts: Vec<Arc<Source>>,
}

#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
    /// Where each line begins, so that a position is found without reading the text again.
    lines: Vec<usize>,
}

impl Place {
    pub(crate) fn new(source: u32, span: Range<usize>) -> Place {
        // A text is at most a few MiB; see `limits::FILE_BYTES`.
        Place { source, start: span.start as u32, end: span.end as u32 }
    }

    pub(crate) fn span(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl<T> At<T> {
    pub(crate) fn new(value: T, place: Place) -> At<T> {
        At { value, place }
    }

    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> At<U> {
        At { value: f(self.value), place: self.place }
    }
}

impl Sources {
    pub(crate) fn add(&mut self, name: &str, text: &str) -> u32 {
        self.texts.push(Arc::new(Source::new(name, text)));
        self.texts.len() as u32 - 1
    }

    pub(crate) fn get(&self, source: u32) -> &Source {
        &self.texts[source as usize]
    }
}

impl Source {
    fn new(name: &str, text: &str) -> Source {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Source { name: name.to_owned(), text: text.to_owned(), lines }
    }

    /// The line and the column of a byte, both from 1; columns count characters.
    pub(crate) fn position(&self, byte: usize) -> (usize, usize) {
        let byte = self.floor(byte);
        let line = self.lines.partition_point(|&start| start <= byte);
        let column = self.text[self.lines[line - 1]..byte].chars().count() + 1;
        (line, column)
    }

    /// The whole lines from one byte to another.
    pub(crate) fn window(&self, first: usize, last: usize) -> Range<usize> {
        let start = self.lines[self.position(first).0 - 1];
        let end = self.lines.get(self.position(last).0).copied().unwrap_or(self.text.len());
        start..end
    }

    /// The span, made to lie within the text and to end at or before the first line break in it.
    pub(crate) fn clip(&self, span: Range<usize>) -> Range<usize> {
        let start = self.floor(span.start);
        let end = self.floor(span.end).max(start);
        let line = self.text[start..end].find(['\n', '\r']).map_or(end, |at| start + at);
        start..line
    }

    /// The nearest character boundary at or before a byte.
    pub(crate) fn floor(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_one_in_characters() {
        let source = Source::new("f", "a\nüb\n");
        let at = |byte| source.position(byte);
        assert_eq!(
            [at(0), at(1), at(2), at(4), at(6), at(99)],
            [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 1)]
        );
        assert_eq!(at(3), (2, 1), "within a character is at its beginning");
    }
}
