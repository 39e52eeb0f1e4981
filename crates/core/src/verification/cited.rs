//! Words of passages that an answer points at.

use super::support::Evidence;
use crate::answer::{Citation, Place};
use crate::document::Span;

/// Words pointed at so far, by passage.
#[derive(Debug, Default)]
pub(super) struct Cited {
    /// In bytes of the passage's text.
    words: Vec<Option<Span>>,
    /// Passages cited since this was last asked for, by index.
    fresh: Vec<usize>,
}

impl Cited {
    /// Nothing cited of so many passages.
    pub(super) fn none_of(passages: usize) -> Self {
        Self { words: vec![None; passages], fresh: Vec::new() }
    }

    /// Points at words of a passage, beside those that are pointed at already.
    pub(super) fn add(&mut self, index: usize, words: Span) {
        let before = self.words[index];
        if before.is_none() {
            self.fresh.push(index);
        }
        self.words[index] = Some(before.map_or(words, |before| before.cover(words)));
    }

    /// Whether some of these words are pointed at.
    pub(super) fn touches(&self, index: usize, words: Span) -> bool {
        self.words[index].is_some_and(|cited| cited.start < words.end && words.start < cited.end)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(Option::is_none)
    }

    /// Passages cited since this was last asked for.
    pub(super) fn take_fresh(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.fresh)
    }

    /// The citation of a passage, if it is cited.
    pub(super) fn citation(&self, index: usize, evidence: &[Evidence]) -> Option<Citation> {
        let (hit, words) = (&evidence[index].hit, self.words[index]?);
        Some(Citation { marker: index + 1, place: Place::within(hit, words) })
    }
}
