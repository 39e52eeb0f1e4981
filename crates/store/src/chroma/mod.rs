//! The Chroma store: one collection of a Chroma server.
//!
//! The collection's layout is the original service's with more added, so either reads what the other wrote;
//! docs/chroma.md has the table. The store connects on first use. A server that is away, slow or new is an error of
//! the one request that meets it; nothing has to be started again.

mod conditions;
mod connection;
mod documents;
mod failure;
mod layout;
mod near;
mod pairs;
mod requests;
mod search;
mod settings;
mod turns;
mod words;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use qanda_core::ports::{EmbedderIdentity, Hit, Page, SearchQuery, StoreStatus};
use qanda_core::{
    Documents, EntryId, NewDocument, NewPair, Pair, Pairs, Passage, RequestContext, Search, StoreError, Upkeep,
};

use self::conditions::{all, at_least, is};
use self::connection::Connection;
use self::layout::{CONTEXT, GUIDELINE, LOCATION, PART, QA, Record, SOURCE};
use self::requests::{BATCH, Wanted};
pub use self::settings::{ChromaSettings, TokenHeader};
use crate::Fusion;

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

    async fn list(&self, kind: &str, after: Option<String>) -> Result<Page<Record>, StoreError> {
        let offset = after.and_then(|offset| offset.parse().ok()).unwrap_or(0);
        let items = self.connection.page(Some(&is(SOURCE, kind)), Wanted::All, offset, BATCH).await?;
        let next = (items.len() == BATCH).then(|| (offset + BATCH).to_string());
        Ok(Page { items, next })
    }

    /// Documents: ours have a first part each, another client's are told apart by name.
    async fn count_documents(&self, passages: usize) -> Result<usize, StoreError> {
        let ours = documents::fingerprints(&self.connection).await?.len();
        let parts = all([is(SOURCE, CONTEXT), at_least(PART, 0)]);
        let parts = match parts {
            Some(condition) => self.connection.every(&condition, Wanted::Ids).await?.len(),
            None => 0,
        };
        if parts == passages {
            return Ok(ours);
        }
        let records = self.connection.every(&is(SOURCE, CONTEXT), Wanted::Metadata).await?;
        let foreign = records.iter().filter(|record| !record.metadata.contains_key(LOCATION));
        let names: HashSet<String> =
            foreign.map(|record| record.value(GUIDELINE).unwrap_or(record.id.clone())).collect();
        Ok(ours + names.len())
    }
}

#[async_trait]
impl Search for ChromaStore {
    async fn search(&self, _: &RequestContext, query: SearchQuery) -> Result<Vec<Hit>, StoreError> {
        search::search(&self.connection, self.fusion, &query).await
    }

    async fn passages(&self, _: &RequestContext, ids: Vec<EntryId>) -> Result<Vec<Passage>, StoreError> {
        let ids: Vec<String> = ids.iter().map(|id| id.as_str().to_owned()).collect();
        let found = self.connection.by_id(&ids, Wanted::All).await?;
        let passages = found.into_iter().filter(|record| record.is(CONTEXT));
        let passages: HashMap<String, Record> = passages.map(|record| (record.id.clone(), record)).collect();
        Ok(ids.iter().filter_map(|id| passages.get(id).cloned()).map(Record::into_passage).collect())
    }

    async fn pairs_for(
        &self,
        _: &RequestContext,
        contexts: Vec<EntryId>,
        vector: Vec<f32>,
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        pairs::written_for(&self.connection, contexts, &vector, limit).await
    }
}

#[async_trait]
impl Documents for ChromaStore {
    async fn put(&self, _: &RequestContext, documents: Vec<NewDocument>) -> Result<(), StoreError> {
        documents::put(&self.connection, documents).await
    }

    async fn remove(&self, _: &RequestContext, locations: Vec<String>) -> Result<usize, StoreError> {
        documents::remove(&self.connection, locations).await
    }

    async fn fingerprints(&self, _: &RequestContext) -> Result<HashMap<String, String>, StoreError> {
        documents::fingerprints(&self.connection).await
    }

    async fn list_passages(&self, _: &RequestContext, after: Option<String>) -> Result<Page<Passage>, StoreError> {
        let Page { items, next } = self.list(CONTEXT, after).await?;
        Ok(Page { items: items.into_iter().map(Record::into_passage).collect(), next })
    }
}

#[async_trait]
impl Pairs for ChromaStore {
    async fn put_pairs(&self, _: &RequestContext, pairs: Vec<NewPair>) -> Result<(), StoreError> {
        pairs::put(&self.connection, pairs).await
    }

    async fn remove_pairs(&self, _: &RequestContext, keys: Vec<String>) -> Result<usize, StoreError> {
        pairs::remove(&self.connection, keys).await
    }

    async fn list_pairs(&self, _: &RequestContext, after: Option<String>) -> Result<Page<Pair>, StoreError> {
        let Page { items, next } = self.list(QA, after).await?;
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
        let passages = self.connection.every(&is(SOURCE, CONTEXT), Wanted::Ids).await?.len();
        let pairs = self.connection.every(&is(SOURCE, QA), Wanted::Ids).await?.len();
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
}
