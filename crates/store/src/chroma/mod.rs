//! The Chroma store: one collection of a Chroma server.
//!
//! The collection's layout is the original service's with more added, so either reads what the other wrote;
//! docs/chroma.md has the table. The store connects on first use. A server that is away, slow or new is an error of
//! the one request that meets it; nothing has to be started again.

mod api;
mod change;
mod conditions;
mod connection;
mod documents;
mod failure;
mod kinds;
mod layout;
mod limiter;
mod nearest;
mod pairs;
mod requests;
mod search;
mod settings;
mod validity;
mod values;
mod wire;
mod words;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use qanda_core::document::{Relocation, StoredDocument, StoredVersion};
use qanda_core::ports::{DocumentQuery, EmbedderIdentity, Hit, Page, SearchQuery, StoreStatus};
use qanda_core::{
    DocumentId, Documents, EntryId, Moment, NewDocument, NewPair, Pair, Pairs, Passage, RequestContext, Search,
    StoreError, Upkeep,
};

use self::conditions::{all, at_least, is};
use self::connection::Connection;
use self::layout::{CONTEXT, GUIDELINE, LOCATION, PART, QA, Record, SOURCE};
use self::requests::{BATCH, Fields, place_after};
pub use self::settings::{ChromaSettings, TokenHeader};
use crate::validity::Successors;
use crate::{Fusion, check_collection};

/// The store in a collection of a Chroma server. Cheap to clone; clones share the connection.
#[derive(Clone)]
pub struct ChromaStore {
    connection: Arc<Connection>,
    fusion: Fusion,
}

impl ChromaStore {
    /// The store at an address, without connecting to it. With `None` for the embedder one may look at a store, but
    /// not make one.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the settings cannot be used: not the name of a host, a name that Chroma does not
    /// take, a token with line breaks.
    pub fn new(settings: ChromaSettings, embedder: Option<EmbedderIdentity>) -> Result<Self, StoreError> {
        let connection = Arc::new(Connection::new(settings, embedder)?);
        Ok(Self { connection, fusion: Fusion::default() })
    }

    async fn records(&self, kind: &str, after: Option<String>) -> Result<Page<Record>, StoreError> {
        let (items, begin) = self.connection.list(&is(SOURCE, kind), Fields::All, after.as_deref(), BATCH).await?;
        let last = items.last().filter(|_| items.len() == BATCH);
        let next = last.map(|last| place_after(begin + BATCH, last));
        Ok(Page { items, next })
    }

    /// Documents: ours have a first part each, another client's are told apart by name.
    async fn count_documents(&self, passages: usize) -> Result<usize, StoreError> {
        let ours = documents::versions(&self.connection).await?.len();
        let parts = all([is(SOURCE, CONTEXT), at_least(PART, 0_usize)]);
        let parts = match parts {
            Some(condition) => self.connection.every(&condition, Fields::Ids).await?.len(),
            None => 0,
        };
        if parts == passages {
            return Ok(ours);
        }
        let records = self.connection.every(&is(SOURCE, CONTEXT), Fields::Metadata).await?;
        let foreign = records.iter().filter(|record| !record.metadata.contains_key(LOCATION));
        let names: HashSet<String> =
            foreign.map(|record| record.value(GUIDELINE).unwrap_or(record.id.clone())).collect();
        Ok(ours + names.len())
    }
}

#[async_trait]
impl Search for ChromaStore {
    fn ranks_by_words(&self) -> bool {
        false
    }

    async fn search(&self, context: &RequestContext, query: SearchQuery) -> Result<Vec<Hit>, StoreError> {
        check_collection(context)?;
        search::search(&self.connection, self.fusion, &query).await
    }

    async fn passages(&self, context: &RequestContext, ids: Vec<EntryId>) -> Result<Vec<Passage>, StoreError> {
        check_collection(context)?;
        let ids: Vec<String> = ids.iter().map(|id| id.as_str().to_owned()).collect();
        let found = self.connection.by_id(&ids, Fields::All).await?;
        let passages = found.into_iter().filter(|record| record.is(CONTEXT));
        let passages: HashMap<String, Record> = passages.map(|record| (record.id.clone(), record)).collect();
        let mut passages: Vec<Passage> =
            ids.iter().filter_map(|id| passages.get(id).cloned()).map(Record::into_passage).collect();
        let statements = validity::statements(&self.connection).await?;
        let successors = Successors::at(statements.iter(), Moment::now());
        passages.iter_mut().for_each(|passage| successors.tell(passage));
        Ok(passages)
    }

    async fn pairs_for(
        &self,
        context: &RequestContext,
        contexts: Vec<EntryId>,
        vector: Vec<f32>,
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        check_collection(context)?;
        pairs::written_for(&self.connection, contexts, &vector, limit).await
    }
}

#[async_trait]
impl Documents for ChromaStore {
    async fn put(&self, context: &RequestContext, documents: Vec<NewDocument>) -> Result<(), StoreError> {
        check_collection(context)?;
        documents::put(&self.connection, documents).await
    }

    async fn remove(&self, context: &RequestContext, locations: Vec<String>) -> Result<usize, StoreError> {
        check_collection(context)?;
        documents::remove(&self.connection, locations).await
    }

    async fn relocate(&self, context: &RequestContext, _: Vec<Relocation>) -> Result<usize, StoreError> {
        // Ids of records are made of the location: a document that moves is another one here.
        check_collection(context)?;
        Ok(0)
    }

    async fn base_folder(&self, context: &RequestContext, proposed: String) -> Result<String, StoreError> {
        check_collection(context)?;
        Ok(documents::base_folder(&self.connection).await?.unwrap_or(proposed))
    }

    async fn get(&self, context: &RequestContext, id: &DocumentId) -> Result<Option<StoredDocument>, StoreError> {
        check_collection(context)?;
        documents::get(&self.connection, id).await
    }

    async fn list(&self, context: &RequestContext, query: DocumentQuery) -> Result<Page<StoredDocument>, StoreError> {
        check_collection(context)?;
        documents::list(&self.connection, &query).await
    }

    async fn passages_of(
        &self,
        context: &RequestContext,
        id: &DocumentId,
        after: Option<String>,
        limit: usize,
    ) -> Result<Page<Passage>, StoreError> {
        check_collection(context)?;
        documents::passages_of(&self.connection, id, after.as_deref(), limit).await
    }

    async fn versions(&self, context: &RequestContext) -> Result<HashMap<String, StoredVersion>, StoreError> {
        check_collection(context)?;
        documents::versions(&self.connection).await
    }

    async fn list_passages(
        &self,
        context: &RequestContext,
        after: Option<String>,
    ) -> Result<Page<Passage>, StoreError> {
        check_collection(context)?;
        let Page { items, next } = self.records(CONTEXT, after).await?;
        Ok(Page { items: items.into_iter().map(Record::into_passage).collect(), next })
    }
}

#[async_trait]
impl Pairs for ChromaStore {
    async fn put_pairs(&self, context: &RequestContext, pairs: Vec<NewPair>) -> Result<(), StoreError> {
        check_collection(context)?;
        pairs::put(&self.connection, pairs).await
    }

    async fn remove_pairs(&self, context: &RequestContext, keys: Vec<String>) -> Result<usize, StoreError> {
        check_collection(context)?;
        pairs::remove(&self.connection, keys).await
    }

    async fn list_pairs(&self, context: &RequestContext, after: Option<String>) -> Result<Page<Pair>, StoreError> {
        check_collection(context)?;
        let Page { items, next } = self.records(QA, after).await?;
        Ok(Page { items: items.into_iter().map(Record::into_pair).collect(), next })
    }
}

#[async_trait]
impl Upkeep for ChromaStore {
    async fn claim(&self, embedder: EmbedderIdentity) -> Result<(), StoreError> {
        self.connection.claim(&embedder).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.connection.check().await
    }

    async fn optimise(&self) -> Result<(), StoreError> {
        // Chroma keeps its index up to date itself.
        Ok(())
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        let embedder = self.connection.recorded().await?;
        let embedder = embedder.map(|(name, dimension)| (name.unwrap_or("not recorded".to_owned()), dimension));
        let passages = self.connection.every(&is(SOURCE, CONTEXT), Fields::Ids).await?.len();
        let pairs = self.connection.every(&is(SOURCE, QA), Fields::Ids).await?.len();
        let documents = self.count_documents(passages).await?;
        let number = |count: usize| count as u64;
        Ok(StoreStatus {
            documents: number(documents),
            passages: number(passages),
            pairs: number(pairs),
            embedder,
            indexes: Vec::new(),
        })
    }

    async fn version(&self) -> Result<Option<u64>, StoreError> {
        // Chroma counts records, not commits, and other clients write, too.
        Ok(None)
    }
}
