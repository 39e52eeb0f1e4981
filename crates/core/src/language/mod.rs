//! Words and sentences: the one place that knows how a text is taken apart.

mod sentences;
mod stem;
mod words;

pub use sentences::sentences;
pub use words::{Words, content_words, find_words, words_and_numbers};
