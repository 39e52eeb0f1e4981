//! Words, sentences and units: the one place that knows how a text is taken apart.

mod sentences;
mod stem;
mod units;
mod words;

pub(crate) use sentences::ends_between;
pub use sentences::{sentences, sentences_within};
pub use stem::stem;
pub(crate) use units::begins_with_unit;
pub use words::{Words, content_words, find_words, words_and_numbers};
