//! The embedded store: one directory, several processes.
//!
//! SQLite holds documents, passages and vectors, and a sequence of changes. The lexical index (tantivy) and the
//! vector index (usearch) catch up from that sequence and may be deleted at any time. A search asks each index
//! and scans exactly what is newer than it, so a committed document is found at once, by every process.
//!
//! Any number of processes read while one writes; two writers take turns.

mod catch_up;
mod database;
mod dense;
mod lexical;
mod pairs;
mod rows;
mod search;
mod view;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use qanda_core::ports::{EmbedderIdentity, Hit, IndexStatus, Page, SearchQuery, StoreStatus};
use qanda_core::{
    Documents, EntryId, NewDocument, NewPair, Pair, Pairs, Passage, RequestContext, Search, StoreError, Upkeep,
};
use rusqlite::Connection;
use tokio::sync::Semaphore;

use self::database::Database;
use self::dense::Vector;
use self::view::View;
pub use crate::fusion::Fusion;

/// The store in a directory. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct EmbeddedStore {
    inner: Arc<Inner>,
}

struct Inner {
    directory: PathBuf,
    database: Database,
    fusion: Fusion,
    view: RwLock<Arc<View>>,
    /// Only one thread at a time brings the view up to date.
    refreshing: Mutex<()>,
    /// For all that reads: as many at a time as there is room for in the indexes. So there are no more connections to
    /// SQLite than that, and one for whoever writes.
    reads: Arc<Semaphore>,
    /// SQLite lets one write at a time; who waits for it must not keep others from reading.
    writes: Arc<Semaphore>,
}

/// Searches, and what else reads, at the same time; others wait. Each keeps a core busy, so more would only slow each
/// other.
const SEARCHES: usize = 8;

impl EmbeddedStore {
    /// Opens the store in `directory` and creates it where there is none.
    ///
    /// # Errors
    /// [`StoreError::OtherEmbedder`] when the stored vectors come from another model than `embedder`; pass `None`
    /// to look at a store without one. [`StoreError::Failed`] when the directory cannot be used.
    pub fn open(directory: &Path, embedder: Option<&EmbedderIdentity>, fusion: Fusion) -> Result<Self, StoreError> {
        let database = Database::open(directory)?;
        if let Some(embedder) = embedder {
            database.with(|connection| rows::check_embedder(connection, directory, embedder))?;
        }
        let view = database.with(|connection| View::load(directory, connection))?;
        let inner = Inner {
            directory: directory.to_owned(),
            database,
            fusion,
            view: RwLock::new(Arc::new(view)),
            refreshing: Mutex::new(()),
            reads: Arc::new(Semaphore::new(SEARCHES)),
            writes: Arc::new(Semaphore::new(1)),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Reads when there is a turn for it.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = Arc::clone(&self.inner.reads).acquire_owned().await;
        self.blocking(move |inner| {
            // It goes with the work, not with whoever waits for it and may leave.
            let _turn = turn;
            work(inner)
        })
        .await
    }

    /// Writes to SQLite when there is a turn for it.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection, &Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = Arc::clone(&self.inner.writes).acquire_owned().await;
        self.blocking(move |inner| {
            let _turn = turn;
            inner.database.with(|connection| work(connection, inner))
        })
        .await
    }

    /// Runs blocking work off the async runtime, at once.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.inner);
        let task = tokio::task::spawn_blocking(move || work(&inner));
        task.await.map_err(|cause| StoreError::failed("a task of the store", cause))?
    }
}

impl Inner {
    /// The newest view of the indexes that covers everything committed before this call.
    fn fresh_view(&self, connection: &Connection) -> Result<Arc<View>, StoreError> {
        let state = rows::state(connection)?;
        let current = self.current_view();
        if current.covers(state) {
            return Ok(current);
        }
        let _one = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current_view();
        if current.covers(state) {
            return Ok(current);
        }
        let refreshed = Arc::new(current.refreshed(&self.directory, connection)?);
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&refreshed);
        Ok(refreshed)
    }

    fn current_view(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Search for EmbeddedStore {
    async fn search(&self, _: &RequestContext, query: SearchQuery) -> Result<Vec<Hit>, StoreError> {
        self.read(move |inner| search::search(inner, &query)).await
    }

    async fn passages(&self, _: &RequestContext, ids: Vec<EntryId>) -> Result<Vec<Passage>, StoreError> {
        self.read(move |inner| {
            inner.database.with(|connection| {
                let ids = ids.iter().filter_map(pairs::row_id);
                ids.map(|id| rows::passage(connection, id.unsigned_abs())).filter_map(Result::transpose).collect()
            })
        })
        .await
    }

    async fn pairs_for(
        &self,
        _: &RequestContext,
        contexts: Vec<EntryId>,
        vector: Vec<f32>,
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        let vector = Vector::from_f32(&vector);
        self.read(move |inner| {
            let dense = &inner.current_view().dense;
            inner.database.with(|connection| pairs::written_for(connection, dense, &contexts, &vector, limit))
        })
        .await
    }
}

#[async_trait]
impl Documents for EmbeddedStore {
    async fn put(&self, _: &RequestContext, documents: Vec<NewDocument>) -> Result<(), StoreError> {
        self.write(move |connection, _| rows::put(connection, &documents)).await
    }

    async fn remove(&self, _: &RequestContext, locations: Vec<String>) -> Result<usize, StoreError> {
        self.write(move |connection, _| rows::remove(connection, &locations)).await
    }

    async fn fingerprints(&self, _: &RequestContext) -> Result<HashMap<String, String>, StoreError> {
        self.read(|inner| inner.database.with(|connection| rows::fingerprints(connection))).await
    }

    async fn list_passages(&self, _: &RequestContext, after: Option<String>) -> Result<Page<Passage>, StoreError> {
        self.read(move |inner| inner.database.with(|connection| pairs::list_passages(connection, after.as_deref())))
            .await
    }
}

#[async_trait]
impl Pairs for EmbeddedStore {
    async fn put_pairs(&self, _: &RequestContext, new: Vec<NewPair>) -> Result<(), StoreError> {
        self.write(move |connection, _| pairs::put(connection, &new)).await
    }

    async fn remove_pairs(&self, _: &RequestContext, keys: Vec<String>) -> Result<usize, StoreError> {
        self.write(move |connection, _| pairs::remove(connection, &keys)).await
    }

    async fn list_pairs(&self, _: &RequestContext, after: Option<String>) -> Result<Page<Pair>, StoreError> {
        self.read(move |inner| inner.database.with(|connection| pairs::list(connection, after.as_deref()))).await
    }
}

#[async_trait]
impl Upkeep for EmbeddedStore {
    async fn claim(&self, embedder: EmbedderIdentity) -> Result<(), StoreError> {
        self.write(move |connection, inner| rows::claim_embedder(connection, &inner.directory, &embedder)).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        // Whoever asks how the store is must not wait for those who ask it something.
        self.blocking(|inner| inner.database.with(|connection| rows::state(connection).map(drop))).await
    }

    async fn optimise(&self) -> Result<(), StoreError> {
        self.blocking(|inner| inner.database.with(|connection| catch_up::catch_up(&inner.directory, connection))).await
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        self.blocking(|inner| {
            inner.database.with(|connection| {
                let view = inner.fresh_view(connection)?;
                let indexes = vec![
                    IndexStatus { name: "lexical", indexed: view.lexical.indexed(), behind: view.lexical.behind() },
                    IndexStatus { name: "vectors", indexed: view.dense.indexed(), behind: view.dense.behind() },
                ];
                rows::status(connection, indexes)
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests;
