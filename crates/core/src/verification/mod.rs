//! Truthful citations: every `[n]` that leaves here points at a retrieved passage, and at the words in it.

mod cited;
mod marker;
mod scanner;
mod statement;
mod support;
mod writer;

pub use support::{Evidence, backs};
pub use writer::{CitationWriter, Grounding};
