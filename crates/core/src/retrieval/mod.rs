//! Passages for a question: what is searched for it, what is relevant among the hits, whether it answers, and what of it
//! is read and shown.

pub(crate) mod asked;
mod by_words;
pub(crate) mod copies;
pub(crate) mod focus;
pub(crate) mod found_pairs;
mod fuse;
pub(crate) mod judgement;
mod long;
pub(crate) mod orders;
mod ranked;
pub(crate) mod relevance;
pub(crate) mod rerank;
pub(crate) mod search;
mod standalone;
mod subject;
pub(crate) mod unit;

pub use ranked::{Finder, Ranked};
pub use search::find;
