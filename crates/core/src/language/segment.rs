//! Words of scripts that are written without spaces.

use std::sync::LazyLock;

use icu_segmenter::options::WordBreakInvariantOptions;
use icu_segmenter::{WordSegmenter, WordSegmenterBorrowed};
use unicode_normalization::char::is_combining_mark;

use super::fold::composed;
use crate::document::Span;

static SEGMENTER: LazyLock<WordSegmenterBorrowed<'static>> =
    LazyLock::new(|| WordSegmenter::new_dictionary(WordBreakInvariantOptions::default()));

/// The words of a run without spaces, by ICU's dictionaries; together they are the run. The dictionaries hold composed
/// characters, so a run is parted as its composed form is, at the same characters.
pub(super) fn segment(run: &str) -> Vec<Span> {
    let plain = composed(run);
    let ends = SEGMENTER.segment_str(&plain).filter(|end| *end > 0);
    if *plain == *run {
        return spans(ends);
    }
    let places = places(run);
    let place = |end: usize| places.binary_search_by_key(&end, |(composed, _)| *composed).ok().map(|at| places[at].1);
    spans(ends.filter_map(place))
}

fn spans(ends: impl Iterator<Item = usize>) -> Vec<Span> {
    let mut start = 0;
    let word = |end: usize| Span::new(std::mem::replace(&mut start, end), end);
    ends.map(word).collect()
}

/// Byte behind each character with its marks: in the composed form of a run, and in the run.
fn places(run: &str) -> Vec<(usize, usize)> {
    let begins = |(_, c): &(usize, char)| !is_combining_mark(*c);
    let starts = run.char_indices().filter(begins).map(|(at, _)| at).skip(1);
    let (mut start, mut length) = (0, 0);
    let place = |end: usize| {
        length += composed(&run[start..end]).len();
        start = end;
        (length, end)
    };
    starts.chain([run.len()]).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_runs_and_those_apart_have_the_same_words() {
        let (plain, apart) = ("換気窓のポンプを点検", "換気窓のホ\u{309a}ンフ\u{309a}を点検");
        let words = |run: &str| -> Vec<String> {
            segment(run).into_iter().map(|word| composed(&run[word.start..word.end]).into_owned()).collect()
        };
        assert_eq!(words(plain), words(apart));
        assert!(words(apart).contains(&"ポンプ".to_owned()), "{:?}", words(apart));
        assert_eq!(words(apart).concat(), plain);
    }
}
