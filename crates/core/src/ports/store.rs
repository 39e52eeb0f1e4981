use std::collections::HashMap;

use async_trait::async_trait;

use crate::{Filter, NewDocument, Passage, Source, StoreError};

/// How passages are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// By meaning: nearest vectors.
    Dense,
    /// By words: BM25.
    Lexical,
    /// Both, fused.
    #[default]
    Hybrid,
}

/// A search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchQuery {
    /// Words to look for.
    pub text: String,
    /// Their embedding; may be empty for [`Mode::Lexical`].
    pub vector: Vec<f32>,
    /// How to look.
    pub mode: Mode,
    /// Where to look.
    pub source: Source,
    /// Metadata that every hit must have.
    pub filter: Filter,
    /// Most hits to return.
    pub limit: usize,
}

/// A found passage.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The passage.
    pub passage: Passage,
    /// What the hits are ordered by, higher is better; comparable within one search only.
    pub score: f32,
    /// Cosine between question and passage, where the search had a vector.
    pub cosine: Option<f32>,
}

/// How far a derived index has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexStatus {
    /// Name of the index.
    pub name: &'static str,
    /// Passages in it.
    pub indexed: u64,
    /// Changes that it has not seen; searches scan them exactly.
    pub behind: u64,
}

/// What is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStatus {
    /// Documents.
    pub documents: u64,
    /// Passages.
    pub passages: u64,
    /// Question/answer pairs.
    pub pairs: u64,
    /// Embedder that made the vectors, with its dimension; none as long as the store is empty.
    pub embedder: Option<(String, usize)>,
    /// The indexes.
    pub indexes: Vec<IndexStatus>,
}

/// Keeps documents and finds their passages.
#[async_trait]
pub trait Store: Send + Sync {
    /// Finds passages, best first. What was committed before the call is found by it.
    async fn search(&self, query: SearchQuery) -> Result<Vec<Hit>, StoreError>;

    /// Stores documents, all of them or none; a document of the same location is replaced.
    async fn put(&self, documents: Vec<NewDocument>) -> Result<(), StoreError>;

    /// Removes documents by location; returns how many there were.
    async fn remove(&self, locations: Vec<String>) -> Result<usize, StoreError>;

    /// Fingerprint by location of every document stored.
    async fn fingerprints(&self) -> Result<HashMap<String, String>, StoreError>;

    /// Brings derived indexes up to what is stored. Never needed for correct results, only for quick ones.
    async fn optimise(&self) -> Result<(), StoreError>;

    /// What is stored.
    async fn status(&self) -> Result<StoreStatus, StoreError>;
}
