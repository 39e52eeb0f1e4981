//! The embedded store: one directory, several processes.
//!
//! SQLite holds documents, passages and vectors, and a sequence of changes. The lexical index (tantivy) and the
//! vector index (usearch) catch up from that sequence and may be deleted at any time. A search asks each index
//! and scans exactly what is newer than it, so a committed document is found at once, by every process.
//!
//! Any number of processes read while one writes; two writers take turns.

mod backup;
mod catch_up;
mod checking;
mod crash_point;
mod database;
mod dense;
mod documents;
mod entries;
mod failure;
mod filters;
mod lexical;
mod origin;
mod pairs;
mod passages;
mod ports;
mod reembed;
mod schema;
mod search;
mod settings;
mod staging;
mod validity;
mod vector;
mod view;
mod wanted;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use qanda_core::StoreError;
use qanda_core::ports::{EmbedderIdentity, IndexStatus, StoreStatus};
use rusqlite::{Connection, Transaction};
use tokio::sync::Semaphore;

pub use self::backup::{BackupReport, back_up, restore};
pub use self::checking::{CheckReport, Part, Problem, check, repair};
use self::database::Database;
pub(crate) use self::database::keep_a_log;
use self::failure::Failure;
pub(crate) use self::failure::failed;
use self::validity::HeldBack;
use self::view::View;
pub use crate::fusion::Fusion;

/// The store in a directory. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct EmbeddedStore {
    inner: Arc<Inner>,
}

struct Inner {
    directory: PathBuf,
    /// Embedder of those who search and store; none for those who only look.
    embedder: Option<EmbedderIdentity>,
    database: Database,
    fusion: Fusion,
    filters: filters::Filters,
    view: RwLock<Arc<View>>,
    /// Entries of documents that do not hold.
    held_back: Mutex<HeldBack>,
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
            database.with(|connection| settings::check_embedder(connection, directory, embedder))?;
        }
        let view = database.with(|connection| View::load(directory, connection))?;
        let inner = Inner {
            directory: directory.to_owned(),
            embedder: embedder.cloned(),
            database,
            fusion,
            filters: filters::Filters::default(),
            view: RwLock::new(Arc::new(view)),
            held_back: Mutex::default(),
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

    /// Reads from SQLite when there is a turn for it.
    async fn query<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read(move |inner| inner.database.with(|connection| work(connection))).await
    }

    /// Writes to SQLite when there is a turn for it: all or nothing.
    async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>, &Inner) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = Arc::clone(&self.inner.writes).acquire_owned().await;
        self.blocking(move |inner| {
            let _turn = turn;
            inner.database.with(|connection| database::write(connection, doing, |transaction| work(transaction, inner)))
        })
        .await
    }

    /// Writes vectors, which must be by the embedder of those that are stored, and as long.
    async fn write_embedded<T: Send + 'static>(
        &self,
        doing: &'static str,
        lengths: BTreeSet<usize>,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write(doing, move |transaction, inner| {
            // Who looks at a store without an embedder and then writes has vectors of which only the length is known.
            if let Some(embedder) = &inner.embedder {
                settings::claim_embedder(transaction, &inner.directory, embedder)?;
            }
            let dimension = settings::embedder(transaction)?.map(|embedder| embedder.dimension);
            if let Some(other) = lengths.iter().find(|length| dimension.is_some_and(|wanted| wanted != **length)) {
                let cause = format!("a vector has {other} numbers, not {}", dimension.unwrap_or_default());
                return Err(StoreError::failed(doing, cause).into());
            }
            Ok(work(transaction)?)
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
    /// Refuses to go on when the store has been re-embedded since it was opened.
    fn check_embedder(&self, connection: &Connection) -> Result<(), StoreError> {
        match &self.embedder {
            Some(embedder) => settings::check_embedder(connection, &self.directory, embedder),
            None => Ok(()),
        }
    }

    /// The newest view of the indexes that covers everything committed before this call.
    fn fresh_view(&self, connection: &Connection) -> Result<Arc<View>, StoreError> {
        let state = settings::state(connection)?;
        let current = self.current_view();
        if current.covers(&state) {
            return Ok(current);
        }
        let _one = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current_view();
        if current.covers(&state) {
            return Ok(current);
        }
        self.check_embedder(connection)?;
        let refreshed = Arc::new(current.refreshed(&self.directory, connection)?);
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&refreshed);
        Ok(refreshed)
    }

    fn current_view(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn status(&self, connection: &Connection) -> Result<StoreStatus, StoreError> {
        let view = self.fresh_view(connection)?;
        let indexes = vec![
            IndexStatus { name: "lexical", indexed: view.lexical.indexed(), behind: view.lexical.behind() },
            IndexStatus { name: "vectors", indexed: view.dense.indexed(), behind: view.dense.behind() },
        ];
        let [documents, passages, pairs] = documents::counts(connection)?;
        let embedder = settings::embedder(connection)?.map(|embedder| (embedder.name, embedder.dimension));
        Ok(StoreStatus { documents, passages, pairs, embedder, indexes })
    }
}

#[cfg(test)]
mod backup_tests;
#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod index_tests;
#[cfg(test)]
mod script_tests;
#[cfg(test)]
mod tests;
