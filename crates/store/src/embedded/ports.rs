//! The embedded store behind the ports of core: each call takes its turn, off the async runtime.

use std::collections::HashMap;

use async_trait::async_trait;
use qanda_core::document::{Relocation, StoredDocument, StoredVersion};
use qanda_core::ports::{
    DocumentQuery, EmbedderIdentity, Hit, Page, Reembedding, ReembeddingProgress, SearchQuery, StoreStatus,
};
use qanda_core::{
    DocumentId, Documents, EntryId, Moment, NewDocument, NewPair, Pair, Pairs, Passage, RequestContext, Search,
    StoreError, Upkeep,
};

use super::validity::Statements;
use super::vector::Vector;
use super::{EmbeddedStore, catch_up, documents, entries, pairs, passages, reembed, search, settings, staging};
use crate::check_collection;

#[async_trait]
impl Search for EmbeddedStore {
    async fn search(&self, context: &RequestContext, query: SearchQuery) -> Result<Vec<Hit>, StoreError> {
        check_collection(context)?;
        self.read(move |inner| search::search(inner, &query)).await
    }

    async fn passages(&self, context: &RequestContext, ids: Vec<EntryId>) -> Result<Vec<Passage>, StoreError> {
        check_collection(context)?;
        self.query(move |connection| {
            let ids = ids.iter().filter_map(entries::row_id);
            let found = ids.map(|id| passages::passage(connection, id.unsigned_abs())).filter_map(Result::transpose);
            let mut found: Vec<Passage> = found.collect::<Result<_, _>>()?;
            let statements = Statements::load(connection)?;
            let successors = statements.successors(Moment::now());
            found.iter_mut().for_each(|passage| successors.tell(passage));
            Ok(found)
        })
        .await
    }

    async fn pairs_for(
        &self,
        context: &RequestContext,
        contexts: Vec<EntryId>,
        vector: Vec<f32>,
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        check_collection(context)?;
        let vector = Vector::from_f32(&vector);
        self.read(move |inner| {
            inner.database.with(|connection| {
                let dense = &inner.fresh_view(connection)?.dense;
                pairs::written_for(connection, dense, &contexts, &vector, limit)
            })
        })
        .await
    }
}

#[async_trait]
impl Documents for EmbeddedStore {
    async fn put(&self, context: &RequestContext, new: Vec<NewDocument>) -> Result<(), StoreError> {
        check_collection(context)?;
        let lengths = new.iter().flat_map(|new| &new.passages).map(|passage| passage.vector.len()).collect();
        self.write_embedded("storing documents", lengths, move |transaction| documents::put(transaction, &new)).await
    }

    async fn stage(
        &self,
        context: &RequestContext,
        location: &str,
        texts: &str,
        first: usize,
        vectors: Vec<Vec<f32>>,
    ) -> Result<(), StoreError> {
        check_collection(context)?;
        let (location, texts) = (location.to_owned(), texts.to_owned());
        let lengths = vectors.iter().map(Vec::len).collect();
        self.write_embedded("keeping vectors", lengths, move |transaction| {
            staging::stage(transaction, &location, &texts, first, &vectors)
        })
        .await
    }

    async fn staged(&self, context: &RequestContext, location: &str, texts: &str) -> Result<Vec<Vec<f32>>, StoreError> {
        check_collection(context)?;
        let (location, texts) = (location.to_owned(), texts.to_owned());
        self.query(move |connection| staging::staged(connection, &location, &texts)).await
    }

    async fn remove(&self, context: &RequestContext, locations: Vec<String>) -> Result<usize, StoreError> {
        check_collection(context)?;
        self.write("removing documents", move |transaction, _| Ok(documents::remove(transaction, &locations)?)).await
    }

    async fn relocate(&self, context: &RequestContext, moves: Vec<Relocation>) -> Result<usize, StoreError> {
        check_collection(context)?;
        self.write("moving documents", move |transaction, _| Ok(documents::relocate(transaction, &moves)?)).await
    }

    async fn base_folder(&self, context: &RequestContext, proposed: String) -> Result<String, StoreError> {
        check_collection(context)?;
        self.write("recording the base folder", move |transaction, _| {
            Ok(settings::base_folder(transaction, &proposed)?)
        })
        .await
    }

    async fn versions(&self, context: &RequestContext) -> Result<HashMap<String, StoredVersion>, StoreError> {
        check_collection(context)?;
        self.query(documents::versions).await
    }

    async fn get(&self, context: &RequestContext, id: &DocumentId) -> Result<Option<StoredDocument>, StoreError> {
        check_collection(context)?;
        let id = id.clone();
        self.query(move |connection| documents::get(connection, &id)).await
    }

    async fn list(&self, context: &RequestContext, query: DocumentQuery) -> Result<Page<StoredDocument>, StoreError> {
        check_collection(context)?;
        self.query(move |connection| documents::list(connection, &query)).await
    }

    async fn text(&self, context: &RequestContext, id: &DocumentId) -> Result<Option<String>, StoreError> {
        check_collection(context)?;
        let id = id.clone();
        self.query(move |connection| documents::text(connection, &id)).await
    }

    async fn passages_of(
        &self,
        context: &RequestContext,
        id: &DocumentId,
        after: Option<String>,
        limit: usize,
    ) -> Result<Page<Passage>, StoreError> {
        check_collection(context)?;
        let id = id.clone();
        self.query(move |connection| passages::of_document(connection, &id, after.as_deref(), limit)).await
    }

    async fn line(&self, context: &RequestContext, path: &str, byte: usize) -> Result<Option<usize>, StoreError> {
        check_collection(context)?;
        let path = path.to_owned();
        self.query(move |connection| documents::line(connection, &path, byte)).await
    }

    async fn list_passages(
        &self,
        context: &RequestContext,
        after: Option<String>,
    ) -> Result<Page<Passage>, StoreError> {
        check_collection(context)?;
        self.query(move |connection| passages::list(connection, after.as_deref())).await
    }
}

#[async_trait]
impl Pairs for EmbeddedStore {
    async fn put_pairs(&self, context: &RequestContext, new: Vec<NewPair>) -> Result<(), StoreError> {
        check_collection(context)?;
        let lengths = new.iter().map(|pair| pair.vector.len()).collect();
        self.write_embedded("storing pairs", lengths, move |transaction| pairs::put(transaction, &new)).await
    }

    async fn remove_pairs(&self, context: &RequestContext, keys: Vec<String>) -> Result<usize, StoreError> {
        check_collection(context)?;
        self.write("removing pairs", move |transaction, _| Ok(pairs::remove(transaction, &keys)?)).await
    }

    async fn list_pairs(&self, context: &RequestContext, after: Option<String>) -> Result<Page<Pair>, StoreError> {
        check_collection(context)?;
        self.query(move |connection| pairs::list(connection, after.as_deref())).await
    }
}

#[async_trait]
impl Upkeep for EmbeddedStore {
    async fn claim(&self, embedder: EmbedderIdentity) -> Result<(), StoreError> {
        self.write("recording the embedder", move |transaction, inner| {
            settings::claim_embedder(transaction, &inner.directory, &embedder)
        })
        .await
    }

    async fn check(&self) -> Result<(), StoreError> {
        // Whoever asks how the store is must not wait for those who ask it something.
        self.blocking(|inner| {
            inner.database.with(|connection| {
                settings::state(connection)?;
                inner.check_embedder(connection)
            })
        })
        .await
    }

    async fn optimise(&self) -> Result<(), StoreError> {
        self.blocking(|inner| inner.database.with(|connection| catch_up::catch_up(&inner.directory, connection))).await
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        self.blocking(|inner| inner.database.with(|connection| inner.status(connection))).await
    }

    async fn version(&self) -> Result<Option<u64>, StoreError> {
        self.blocking(|inner| inner.database.with(|connection| settings::version(connection).map(Some))).await
    }
}

#[async_trait]
impl Reembedding for EmbeddedStore {
    async fn begin(&self, embedder: EmbedderIdentity) -> Result<Option<ReembeddingProgress>, StoreError> {
        self.write("beginning to re-embed", move |transaction, _| reembed::begin(transaction, &embedder)).await
    }

    async fn pending(&self, limit: usize) -> Result<Vec<(EntryId, String)>, StoreError> {
        self.query(move |connection| reembed::pending(connection, limit)).await
    }

    async fn put_vectors(&self, vectors: Vec<(EntryId, Vec<f32>)>) -> Result<(), StoreError> {
        self.write("keeping new vectors", move |transaction, _| reembed::put_vectors(transaction, &vectors)).await
    }

    async fn switch_over(&self) -> Result<bool, StoreError> {
        self.write("changing to the new vectors", |transaction, _| reembed::switch_over(transaction)).await
    }
}
