//! Words of scripts that are written without spaces.

use std::sync::LazyLock;

use icu_segmenter::options::WordBreakInvariantOptions;
use icu_segmenter::{WordSegmenter, WordSegmenterBorrowed};

use crate::document::Span;

static SEGMENTER: LazyLock<WordSegmenterBorrowed<'static>> =
    LazyLock::new(|| WordSegmenter::new_dictionary(WordBreakInvariantOptions::default()));

/// The words of a run without spaces, by ICU's dictionaries; together they are the run.
pub(super) fn segment(run: &str) -> Vec<Span> {
    let mut ends = SEGMENTER.segment_str(run);
    let mut start = ends.next().unwrap_or_default();
    let word = |end: usize| {
        let word = Span::new(start, end);
        start = end;
        word
    };
    ends.map(word).filter(|word| !word.is_empty()).collect()
}
