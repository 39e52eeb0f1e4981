//! Passages for a question: what is relevant among the hits of a search, and what of it is read.

pub(crate) mod copies;
pub(crate) mod focus;
pub(crate) mod found_pairs;
pub(crate) mod relevance;
