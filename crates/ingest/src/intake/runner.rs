//! Works on jobs, one after the other, in whichever process holds the lock.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use qanda_core::ports::{JobDocument, JobFailure, JobState, JobStatus};
use qanda_core::{Moment, RequestContext, StoreError};
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;

use super::Shelf;
use crate::{Content, Event, Ingestion, SourceDocument};

/// Time after which another process's lock, and another process's jobs, are looked for again.
const LOOKS: Duration = Duration::from_millis(500);

/// Shortest time between two notes of how far a job has come.
const NOTES: Duration = Duration::from_millis(100);

/// Times that a job may be begun. One that takes the service down each time must not do so for ever.
const MOST_BEGUN: u32 = 3;

/// Reason of a job's failure, for its caller: what the store or a model says is for the log.
const NOT_STORED: &str = "the documents could not be embedded or stored; the service's log says why";

/// Works on jobs once it is run.
pub struct JobRunner {
    shelf: Arc<Shelf>,
    /// File that the process which works holds locked.
    lock: PathBuf,
    ingestion: Ingestion,
    wake: Arc<Notify>,
}

impl JobRunner {
    pub(super) const fn new(shelf: Arc<Shelf>, lock: PathBuf, ingestion: Ingestion, wake: Arc<Notify>) -> Self {
        Self { shelf, lock, ingestion, wake }
    }

    /// Waits until no other process works, then works until it is dropped, and on what else only one process may do
    /// `beside` it. A job that was cut off is worked on again; what it had stored is not read again.
    pub async fn run(self, beside: impl Future<Output = ()>) {
        let _lock = self.lock().await;
        tokio::join!(self.work_on_jobs(), beside);
    }

    async fn work_on_jobs(&self) {
        let mut has_worked = true;
        loop {
            match self.shelf.jobs.begin_next().await {
                Ok(Some((status, documents, begun))) => {
                    self.work(status, documents, begun).await;
                    has_worked = true;
                }
                Ok(None) => {
                    if std::mem::take(&mut has_worked)
                        && let Err(error) = self.shelf.sweep(&*self.ingestion.documents).await
                    {
                        tracing::warn!(%error, "originals that nothing needs could not be removed");
                    }
                    // Jobs of other processes wake nobody here.
                    let _ = tokio::time::timeout(LOOKS, self.wake.notified()).await;
                }
                Err(error) => {
                    tracing::error!(%error, "the list of jobs cannot be read");
                    tokio::time::sleep(Duration::from_secs(5)).await;
                }
            }
        }
    }

    /// The lock, held until it is dropped; the system frees it when the process ends, however it ends.
    async fn lock(&self) -> File {
        let mut told = false;
        loop {
            let path = self.lock.clone();
            match spawn_blocking(move || take(&path)).await {
                Ok(Ok(Some(lock))) => return lock,
                Ok(Ok(None)) => {}
                failed => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::error!(?failed, "this process can neither work on jobs nor follow folders");
                    }
                }
            }
            tokio::time::sleep(LOOKS).await;
        }
    }

    /// Works on a job that has begun, to its end.
    pub(super) async fn work(&self, status: JobStatus, documents: Vec<JobDocument>, begun: u32) {
        let id = status.id.clone();
        let withdrawn = withdrawn(&status, &documents);
        let (status, mut changes) = watch::channel(status);
        status.send_modify(|status| {
            status.done += withdrawn.len();
            status.failures.extend(withdrawn);
        });
        let failed = if begun > MOST_BEGUN {
            tracing::error!(job = %id, begun, "a job is given up: the service ended each time while it worked on it");
            true
        } else {
            let sources = documents.into_iter().map(|document| self.source(document)).collect();
            // A task of its own: whatever happens in it, the next job is done.
            let storing = tokio::spawn(store(self.ingestion.clone(), sources, status));
            while changes.changed().await.is_ok() {
                let now = changes.borrow_and_update().clone();
                self.keep(&now).await;
                // Again at the end, which tells it.
                let _ = self.take_out_again(&now).await;
                tokio::time::sleep(NOTES).await;
            }
            match storing.await {
                Ok(Ok(())) => false,
                Ok(Err(error)) => {
                    tracing::error!(job = %id, %error, "a job failed");
                    true
                }
                Err(error) => {
                    tracing::error!(job = %id, %error, "a job panicked");
                    true
                }
            }
        };
        let mut end = changes.borrow().clone();
        let removed = self.take_out_again(&end).await;
        end.failures.extend(removed);
        end.ended = Some(Moment::now());
        end.state = if failed { JobState::Failed } else { JobState::Done };
        end.failures.extend(failed.then(|| JobFailure { document: None, reason: NOT_STORED.to_owned() }));
        self.keep(&end).await;
    }

    /// Takes documents out of the store that were removed while the job may have been storing them.
    async fn take_out_again(&self, status: &JobStatus) -> Vec<JobFailure> {
        let is_told = |name: &String| status.failures.iter().any(|failure| failure.document.as_ref() == Some(name));
        let removed = async {
            let mut names = self.shelf.jobs.withdrawn(&status.id).await?;
            names.retain(|name| !is_told(name));
            let locations: Vec<String> = names.iter().map(|name| SourceDocument::location_of_upload(name)).collect();
            if !locations.is_empty() {
                self.ingestion.documents.remove(&RequestContext::local(), locations).await?;
            }
            Ok::<_, StoreError>(names)
        };
        match removed.await {
            Ok(names) => names.into_iter().map(removed_meanwhile).collect(),
            Err(error) => {
                tracing::error!(job = %status.id, %error, "what was removed meanwhile may be stored");
                Vec::new()
            }
        }
    }

    async fn keep(&self, status: &JobStatus) {
        // While it cannot be kept, a full disk perhaps, it would be begun again: trying on is all there is.
        while let Err(error) = self.shelf.jobs.update(status).await {
            tracing::error!(job = %status.id, %error, "how far a job has come cannot be kept");
            if !status.state.is_end() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }

    fn source(&self, JobDocument { name, media_type, metadata, content }: JobDocument) -> SourceDocument {
        let source = SourceDocument::upload(name, media_type, Vec::new(), metadata);
        SourceDocument { content: Content::File(self.shelf.originals.place(&content)), ..source }
    }
}

fn take(path: &Path) -> std::io::Result<Option<File>> {
    let file = File::options().create(true).append(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Documents that were removed while the job waited.
fn withdrawn(status: &JobStatus, documents: &[JobDocument]) -> Vec<JobFailure> {
    let gone = status.documents.iter().filter(|name| documents.iter().all(|document| document.name != **name));
    gone.cloned().map(removed_meanwhile).collect()
}

fn removed_meanwhile(name: String) -> JobFailure {
    JobFailure { document: Some(name), reason: "it was removed before it was stored".to_owned() }
}

async fn store(
    ingestion: Ingestion,
    sources: Vec<SourceDocument>,
    status: watch::Sender<JobStatus>,
) -> Result<(), crate::IngestError> {
    if sources.is_empty() {
        return Ok(());
    }
    // A store that is still empty learns by which embedder its vectors are.
    let claimed: Result<(), StoreError> = ingestion.upkeep.claim(ingestion.embedder.identity().clone()).await;
    claimed?;
    let on_event = |event| status.send_modify(|status| note(status, event));
    ingestion.store(&RequestContext::local(), sources, on_event).await.map(drop)
}

/// Counts an event of a job.
fn note(status: &mut JobStatus, event: Event) {
    match event {
        Event::Unchanged { .. } | Event::Moved { .. } => status.done += 1,
        Event::Stored { documents, .. } => status.done += documents,
        Event::Failed { path, reason } | Event::Empty { path, reason } => {
            status.done += 1;
            status.failures.push(JobFailure { document: Some(path), reason });
        }
        Event::Planned { .. }
        | Event::Found { .. }
        | Event::Skipped { .. }
        | Event::Read { .. }
        | Event::Embedded { .. }
        | Event::Gone { .. }
        | Event::Doubted(_)
        | Event::Removed { .. }
        | Event::Indexing => {}
    }
}
