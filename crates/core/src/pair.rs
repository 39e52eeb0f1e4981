//! Question/answer pairs, written beforehand for passages of the documents.

use crate::document::{EntryId, Metadata};

/// Pair as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Its identity for import and export: the id it came with, or a hash of its words.
    pub key: String,
    /// Question, which a search compares with.
    pub question: String,
    /// Answer.
    pub answer: String,
    /// Passage that it was written for, as long as that is stored.
    pub context: Option<EntryId>,
    /// Path of the document that it is about (the original's `guideline`).
    pub document: Option<String>,
    /// Model that wrote it; none for one that was imported.
    pub written_by: Option<String>,
    /// Metadata of its document.
    pub metadata: Metadata,
}

/// Pair on its way into the store. One whose key is stored already is replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPair {
    /// Its identity; see [`Pair::key`].
    pub key: String,
    /// Question.
    pub question: String,
    /// Answer.
    pub answer: String,
    /// Passage that it was written for.
    pub context: Option<EntryId>,
    /// Path of the document that it is about, for one without a passage. A store that knows the document finds
    /// the passage in which the answer stands word for word.
    pub document: Option<String>,
    /// Model that wrote it; none for one that is imported.
    pub written_by: Option<String>,
    /// Embedding of the question: unit length, as many numbers as the embedder's dimension.
    pub vector: Vec<f32>,
}
