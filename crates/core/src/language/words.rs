//! Words of a text, in any script.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::fold::form;
use super::script::{begins_word, continues_word, is_spaceless};
use super::segment::segment;
use crate::document::Span;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word<'t> {
    /// Its place in the text, in bytes.
    pub span: Span,
    /// It in lower case and composed (NFKC), with its accents.
    pub form: Cow<'t, str>,
}

/// The words of a text, in their order: letters and digits with the marks on them. Numbers keep their decimals and
/// thousands (`2.5`, `1,000`). Text of scripts without spaces is parted by a dictionary.
pub fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let word = |span: Span| Word { span, form: form(&text[span.start..span.end]) };
    Spans { text, at: 0, segmented: VecDeque::new() }.map(word).filter(|word| !word.form.is_empty())
}

struct Spans<'t> {
    text: &'t str,
    /// Bytes that are done.
    at: usize,
    /// Words of a run without spaces that are still to come.
    segmented: VecDeque<Span>,
}

impl Iterator for Spans<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        loop {
            if let Some(word) = self.segmented.pop_front() {
                return Some(word);
            }
            let rest = &self.text[self.at..];
            let start = self.at + rest.find(begins_word)?;
            let spaceless = self.text[start..].starts_with(is_spaceless);
            let end = start + run(&self.text[start..], spaceless);
            self.at = end;
            if !spaceless {
                return Some(Span::new(start, end));
            }
            let words = segment(&self.text[start..end]).into_iter().map(|word| word.shifted(start));
            self.segmented.extend(words);
        }
    }
}

/// Bytes of the word, or the run of words without spaces, that a text begins with.
fn run(text: &str, spaceless: bool) -> usize {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit());
    let mut characters = text.char_indices().peekable();
    let mut end = 0;
    while let Some((at, c)) = characters.next() {
        let mut joins_digits = || {
            is_number
                && matches!(c, '.' | ',')
                && text[..at].ends_with(|c: char| c.is_ascii_digit())
                && characters.peek().is_some_and(|(_, next)| next.is_ascii_digit())
        };
        // A mark belongs to what it stands on.
        let goes_on = if begins_word(c) { is_spaceless(c) == spaceless } else { continues_word(c) || joins_digits() };
        if !goes_on {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        words(text).map(|word| word.form.into_owned()).collect()
    }

    #[test]
    fn words_are_letters_and_digits_with_their_marks() {
        assert_eq!(
            split("Don't stop: IL-6, end.Begin größe_2"),
            ["don", "t", "stop", "il", "6", "end", "begin", "größe", "2"]
        );
        assert_eq!(split("वैक्सीन को फ्रिज में"), ["वैक्सीन", "को", "फ्रिज", "में"]);
        assert_eq!(split("می\u{200c}شود"), ["میشود"]);
        assert!(split(" … -- ་\u{301} ").is_empty());
    }

    #[test]
    fn numbers_keep_decimals_and_thousands() {
        assert_eq!(
            split("below 140/90, 0.5 mg, 1,000. In 2024."),
            ["below", "140", "90", "0.5", "mg", "1,000", "in", "2024"]
        );
        assert_eq!(split("2.Close it, v1.2"), ["2", "close", "it", "v1", "2"]);
    }

    #[test]
    fn runs_without_spaces_are_parted() {
        assert_eq!(split("COVID疫苗27度"), ["covid", "疫苗", "27", "度"]);
        assert!(split("ตู้เย็นวัคซีนต้องตรวจอุณหภูมิ").contains(&"วัคซีน".to_owned()));
    }

    #[test]
    fn spans_are_bytes_of_the_text_as_it_is() {
        let text = "Die Gro\u{308}ße, 水温保持";
        let found: Vec<&str> = words(text).map(|word| &text[word.span.start..word.span.end]).collect();
        assert_eq!(found, ["Die", "Gro\u{308}ße", "水温", "保持"]);
    }
}
