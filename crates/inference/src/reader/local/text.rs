//! A passage as tokens, and the whole words that they belong to.

use qanda_core::{ModelError, Span};
use tokenizers::Tokenizer;

/// The tokens of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) ids: Vec<u32>,
    /// For each token the number of its word.
    pub(super) words: Vec<usize>,
    /// Bytes of each word.
    pub(super) spans: Vec<Span>,
}

impl Text {
    /// Takes a text apart.
    ///
    /// # Errors
    /// When the tokenizer's vocabulary is broken.
    pub(super) fn new(tokenizer: &Tokenizer, text: &str) -> Result<Self, ModelError> {
        let encoding =
            tokenizer.encode(text, false).map_err(|cause| ModelError::failed("tokenising a passage", cause))?;
        let mut result = Self { ids: encoding.get_ids().to_vec(), ..Self::default() };
        let mut word_before = None;
        for ((start, end), word) in encoding.get_offsets().iter().zip(encoding.get_word_ids()) {
            let end = *end + marks_after(text, *end);
            match result.spans.last_mut() {
                Some(last) if *start <= last.end && (*word == word_before || in_one_number(text, *start)) => {
                    last.end = end.max(last.end);
                }
                _ => result.spans.push(Span::new(*start, end)),
            }
            result.words.push(result.spans.len() - 1);
            word_before = *word;
        }
        Ok(result)
    }
}

/// Bytes of combining accents at a place, which tokenizers drop: they belong to the letter before.
fn marks_after(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default().chars();
    rest.take_while(|c| matches!(c, '\u{300}'..='\u{36f}')).map(char::len_utf8).sum()
}

/// Whether a place is within something like 4.5, 140/90 or 8:30, whose parts say another thing alone.
fn in_one_number(text: &str, at: usize) -> bool {
    let Some((before, after)) = text.split_at_checked(at) else { return false };
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let joint = |c: Option<char>| c.is_some_and(|c| matches!(c, '.' | ',' | '/' | ':'));
    let (mut before, mut after) = (before.chars().rev(), after.chars());
    let (last, first) = (before.next(), after.next());
    (digit(last) && joint(first) && digit(after.next())) || (joint(last) && digit(first) && digit(before.next()))
}
