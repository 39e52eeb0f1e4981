//! Words, sentences and units: the one place that knows how a text is taken apart.

mod orders;
mod sentences;
mod stem;
mod units;
mod words;

pub(crate) use orders::{is_about_orders, is_an_order};
pub(crate) use sentences::ends_between;
pub use sentences::{sentences, sentences_within};
pub use stem::stem;
pub(crate) use units::{Unit, begins_with_unit, unit};
pub(crate) use words::{STOP_WORDS, number_word};
pub use words::{Words, content_words, find_words, words_and_numbers};
