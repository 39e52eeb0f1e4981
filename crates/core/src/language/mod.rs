//! Words, sentences, units and languages: the one place that knows how a text is taken apart.
//!
//! What is a word is the same for ingest, search, citation and verification: [`words()`], after Unicode's properties of
//! characters, with a dictionary where a script has no spaces. Spans are bytes of the text as it is; what is compared are
//! normal forms.

mod content;
mod detect;
mod fold;
mod items;
mod known;
mod orders;
mod script;
mod segment;
mod sentences;
mod stem;
mod stop_words;
mod struck;
mod terms;
mod units;
mod words;

pub(crate) use content::number_word;
pub use content::{Words, content_words, content_words_in, find_words, words_and_numbers};
pub use detect::{language_of_document, language_of_question};
pub use fold::composed;
pub(crate) use items::item_mark;
pub use known::Language;
pub(crate) use orders::{is_about_orders, is_an_order};
pub use script::is_spaceless;
pub(crate) use sentences::{ends_between, ends_sentence};
pub use sentences::{sentences, sentences_within};
pub use stem::stem;
pub(crate) use stop_words::STOP_WORDS;
pub use struck::holding;
pub use terms::{each_term, terms_of_question};
pub(crate) use units::{Unit, begins_with_unit, unit};
pub use words::{Word, words};
