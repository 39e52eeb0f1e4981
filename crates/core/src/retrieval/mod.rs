//! Passages for a question: what is searched for it, what is relevant among the hits, and what of it is read.

pub(crate) mod asked;
pub(crate) mod copies;
pub(crate) mod focus;
pub(crate) mod found_pairs;
mod fuse;
mod long;
pub(crate) mod relevance;
pub(crate) mod search;
mod standalone;

pub use search::find;
