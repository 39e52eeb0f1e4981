//! Truthful citations: every `[n]` that leaves here points at a retrieved passage, and at the words in it.

mod cited;
mod comparators;
mod disagreement;
mod marker;
mod negation;
mod numbers;
mod opposites;
mod refusal;
mod scanner;
mod statement;
mod support;
mod tokens;
mod wording;
mod writer;

pub(crate) use disagreement::disagree;
pub use refusal::is_refusal;
pub(crate) use support::verify_under;
pub use support::{Evidence, Verdict, backs, verify};
pub use writer::{CitationWriter, Grounding, Written};
