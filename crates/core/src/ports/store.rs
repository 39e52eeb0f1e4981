use std::collections::HashMap;

use async_trait::async_trait;

use super::EmbedderIdentity;
use crate::document::{DocumentState, Relocation, StoredDocument, StoredVersion};
use crate::{
    DocumentId, EntryId, Filter, Moment, NewDocument, NewPair, Pair, Passage, RequestContext, Source, StoreError,
};

/// Way to find passages.
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
    /// Way to look.
    pub mode: Mode,
    /// Kind of text to look in.
    pub source: Source,
    /// Metadata that every hit must have.
    pub filter: Filter,
    /// Moment at which the documents of all hits hold; now if there is none.
    pub as_of: Option<Moment>,
    /// Most hits to return.
    pub limit: usize,
}

/// Passage or pair that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The passage. Of a pair: its answer, as a passage that can be cited. Where the answer stands word for word in
    /// a stored document, that place; elsewhere document `qa:KEY`, whose text the answer is.
    pub passage: Passage,
    /// Rest of a pair; none for a passage.
    pub pair: Option<PairLink>,
    /// Score that the hits are ordered by, higher is better; comparable within one search only.
    pub score: f32,
    /// Cosine between question and passage, where the search had a vector.
    pub cosine: Option<f32>,
}

/// Rest of a pair that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairLink {
    /// Its question.
    pub question: String,
    /// The passage that it was written for.
    pub context: Option<EntryId>,
}

/// Documents that are asked for. Without any condition, all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DocumentQuery {
    /// Words that must all stand in the title or the path, in whatever case.
    pub words: Vec<String>,
    /// The path that it must have.
    pub path: Option<String>,
    /// The state that it must be in now.
    pub state: Option<DocumentState>,
    /// [`Page::next`] of the page before.
    pub after: Option<String>,
    /// Most documents of a page; a store may have a lower limit of its own.
    pub limit: usize,
}

impl DocumentQuery {
    /// All documents, at most `limit` at a time.
    #[must_use]
    pub fn all(after: Option<String>, limit: usize) -> Self {
        Self { after, limit, ..Self::default() }
    }

    /// Whether every document is asked for.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.words.is_empty() && self.path.is_none() && self.state.is_none()
    }

    /// Whether a document is asked for; `now` decides about its state.
    #[must_use]
    pub fn admits(&self, document: &StoredDocument, now: Moment) -> bool {
        let has_words = || {
            let named = format!("{} {}", document.title, document.path).to_lowercase();
            self.words.iter().all(|word| named.contains(&word.to_lowercase()))
        };
        self.path.as_ref().is_none_or(|path| *path == document.path)
            && self.state.is_none_or(|state| state == document.details.state_at(now))
            && (self.words.is_empty() || has_words())
    }
}

/// Part of a long list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Cursor of the next part; none at the end.
    pub next: Option<String>,
}

/// State of a derived index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexStatus {
    /// Name of the index.
    pub name: &'static str,
    /// Passages in it.
    pub indexed: u64,
    /// Changes that it has not seen; searches scan them exactly.
    pub behind: u64,
}

/// Counts of what is stored.
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
    /// Whether it can rank by words alone ([`Mode::Lexical`]).
    fn ranks_by_words(&self) -> bool {
        true
    }

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
    /// Stores documents, all of them or none; a document of the same location is replaced, keeps its id and those of
    /// its pairs that still hold. A path that another document has already is replaced by the location.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the store will not take one of them, however often it is tried.
    async fn put(&self, context: &RequestContext, documents: Vec<NewDocument>) -> Result<(), StoreError>;

    /// Keeps some vectors of a document that takes long to embed, until it is put: those of its passages from number
    /// `first` on. `texts` identifies what is embedded. A store that cannot do so forgets them.
    async fn stage(
        &self,
        context: &RequestContext,
        location: &str,
        texts: &str,
        first: usize,
        vectors: Vec<Vec<f32>>,
    ) -> Result<(), StoreError> {
        let (_, _, _, _, _) = (context, location, texts, first, vectors);
        Ok(())
    }

    /// The vectors that were staged of the first passages of a document, for these texts alone.
    async fn staged(&self, context: &RequestContext, location: &str, texts: &str) -> Result<Vec<Vec<f32>>, StoreError> {
        let (_, _, _) = (context, location, texts);
        Ok(Vec::new())
    }

    /// Removes documents by location; returns how many there were.
    async fn remove(&self, context: &RequestContext, locations: Vec<String>) -> Result<usize, StoreError>;

    /// Gives stored documents another place; they keep their passages, vectors and pairs. Returns how many there
    /// were. One whose new location is taken stays where it is.
    async fn relocate(&self, context: &RequestContext, moves: Vec<Relocation>) -> Result<usize, StoreError>;

    /// Folder that the paths of documents are relative to, for files below it: the one that the store remembers, else
    /// `proposed`, which it remembers from then on.
    async fn base_folder(&self, context: &RequestContext, proposed: String) -> Result<String, StoreError>;

    /// Version by location of every document stored.
    async fn versions(&self, context: &RequestContext) -> Result<HashMap<String, StoredVersion>, StoreError>;

    /// A document by its id; none if there is no such document.
    async fn get(&self, context: &RequestContext, id: &DocumentId) -> Result<Option<StoredDocument>, StoreError>;

    /// Documents in an order of the store's, page by page, at most a thousand at a time.
    async fn list(&self, context: &RequestContext, query: DocumentQuery) -> Result<Page<StoredDocument>, StoreError>;

    /// The extracted text of a document, which spans count the bytes of. None if there is no such document, and from a
    /// store that keeps passages only.
    async fn text(&self, context: &RequestContext, id: &DocumentId) -> Result<Option<String>, StoreError> {
        let (_, _) = (context, id);
        Ok(None)
    }

    /// Passages of one document in the order of its text, at most `limit` at a time; `after` is [`Page::next`] of the
    /// page before. Empty if there is no such document.
    async fn passages_of(
        &self,
        context: &RequestContext,
        id: &DocumentId,
        after: Option<String>,
        limit: usize,
    ) -> Result<Page<Passage>, StoreError>;

    /// Number of the line, from 1, on which a byte of a document's text stands. None for a document whose text is not
    /// its file's own, line by line, and from a store that does not keep the text.
    async fn line(&self, context: &RequestContext, path: &str, byte: usize) -> Result<Option<usize>, StoreError> {
        let (_, _, _) = (context, path, byte);
        Ok(None)
    }

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

    /// Number that grows with every commit, whichever process makes it; none where the store cannot tell.
    async fn version(&self) -> Result<Option<u64>, StoreError>;
}

/// Making the vectors of a whole store anew, by another embedder.
///
/// New vectors are gathered beside the old ones, which stay in use until [`Reembedding::switch_over`]. Whoever stops
/// in between goes on later where it was, or begins with another embedder.
#[async_trait]
pub trait Reembedding: Send + Sync {
    /// Begins, or goes on with what an earlier call with the same embedder began. None when the vectors are by this
    /// embedder already.
    async fn begin(&self, embedder: EmbedderIdentity) -> Result<Option<ReembeddingProgress>, StoreError>;

    /// Some of the entries without a new vector, at most `limit`, with the texts to embed.
    async fn pending(&self, limit: usize) -> Result<Vec<(EntryId, String)>, StoreError>;

    /// Keeps new vectors beside the old ones.
    async fn put_vectors(&self, vectors: Vec<(EntryId, Vec<f32>)>) -> Result<(), StoreError>;

    /// Puts the new vectors in place of the old ones, all of them at once. False, and nothing changed, when entries
    /// that came meanwhile are still pending.
    async fn switch_over(&self) -> Result<bool, StoreError>;
}

/// Progress of a re-embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReembeddingProgress {
    /// Entries with a new vector.
    pub done: u64,
    /// All entries.
    pub total: u64,
}

/// A whole store.
pub trait Store: Search + Documents + Pairs + Upkeep {}

impl<T: Search + Documents + Pairs + Upkeep> Store for T {}
