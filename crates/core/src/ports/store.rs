use std::collections::HashMap;

use async_trait::async_trait;

use super::EmbedderIdentity;
use crate::{EntryId, Filter, NewDocument, NewPair, Pair, Passage, RequestContext, Source, StoreError};

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

/// A found passage or pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The passage. Of a pair: its answer, as a passage that can be cited. Where the answer stands word for word in
    /// a stored document, that place; elsewhere document `qa:KEY`, whose text the answer is.
    pub passage: Passage,
    /// What else is known of a pair.
    pub pair: Option<PairLink>,
    /// What the hits are ordered by, higher is better; comparable within one search only.
    pub score: f32,
    /// Cosine between question and passage, where the search had a vector.
    pub cosine: Option<f32>,
}

/// The rest of a pair that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairLink {
    /// Its question.
    pub question: String,
    /// The passage that it was written for.
    pub context: Option<EntryId>,
}

/// Part of a long list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to ask for next; none at the end.
    pub next: Option<String>,
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

/// Finding passages: all that answering needs of a store.
#[async_trait]
pub trait Search: Send + Sync {
    /// Finds passages, best first. What was committed before the call is found by it.
    async fn search(&self, context: &RequestContext, query: SearchQuery) -> Result<Vec<Hit>, StoreError>;

    /// Passages by id, in the order of the ids; those that are gone are left out.
    async fn passages(&self, context: &RequestContext, ids: Vec<EntryId>) -> Result<Vec<Passage>, StoreError>;

    /// The pairs written for any of these passages, the ones whose questions are nearest to `vector` first.
    async fn pairs_for(
        &self,
        context: &RequestContext,
        passages: Vec<EntryId>,
        vector: Vec<f32>,
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError>;
}

/// Keeping documents.
#[async_trait]
pub trait Documents: Send + Sync {
    /// Stores documents, all of them or none; a document of the same location is replaced.
    async fn put(&self, context: &RequestContext, documents: Vec<NewDocument>) -> Result<(), StoreError>;

    /// Removes documents by location; returns how many there were.
    async fn remove(&self, context: &RequestContext, locations: Vec<String>) -> Result<usize, StoreError>;

    /// Fingerprint by location of every document stored.
    async fn fingerprints(&self, context: &RequestContext) -> Result<HashMap<String, String>, StoreError>;

    /// All passages, page by page in an order of the store's; `after` is [`Page::next`] of the page before.
    async fn list_passages(&self, context: &RequestContext, after: Option<String>)
    -> Result<Page<Passage>, StoreError>;
}

/// Keeping question/answer pairs.
#[async_trait]
pub trait Pairs: Send + Sync {
    /// Stores pairs, all of them or none where the store has transactions.
    async fn put_pairs(&self, context: &RequestContext, pairs: Vec<NewPair>) -> Result<(), StoreError>;

    /// Removes pairs by key; returns how many there were.
    async fn remove_pairs(&self, context: &RequestContext, keys: Vec<String>) -> Result<usize, StoreError>;

    /// All pairs, page by page.
    async fn list_pairs(&self, context: &RequestContext, after: Option<String>) -> Result<Page<Pair>, StoreError>;
}

/// Looking after the store as a whole, whatever collections it holds.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Records which embedder makes the vectors of a store that has none yet.
    ///
    /// # Errors
    /// [`StoreError::OtherEmbedder`] when there are vectors by another.
    async fn claim(&self, embedder: EmbedderIdentity) -> Result<(), StoreError>;

    /// Whether it can be searched right now, with the embedder in use. Cheap enough to be asked every second.
    async fn check(&self) -> Result<(), StoreError>;

    /// Brings derived indexes up to what is stored. Never needed for correct results, only for quick ones.
    async fn optimise(&self) -> Result<(), StoreError>;

    /// Counts of what is stored, and the state of the indexes.
    async fn status(&self) -> Result<StoreStatus, StoreError>;
}

/// A whole store.
pub trait Store: Search + Documents + Pairs + Upkeep {}

impl<T: Search + Documents + Pairs + Upkeep> Store for T {}
