//! Documents that are handed in: kept at once, as a job, and stored by whichever process runs jobs.

mod runner;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use qanda_core::document::{Fingerprint, StoredDocument};
use qanda_core::ports::{Added, Intake, IntakeError, JobDocument, JobId, JobStatus, NewJob, NoOriginal, Submission};
use qanda_core::{Collection, Documents, Jobs, RequestContext, StoreError};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;

pub use self::runner::JobRunner;
use crate::originals::{Originals, open_file};
use crate::source::hex;
use crate::{Ingestion, SourceDocument};

/// Jobs that may wait.
const WAITING: usize = 64;

/// Jobs that are listed.
const LISTED: usize = 100;

/// Longest name of a document, in bytes.
const MAX_NAME: usize = 1_000;

/// What people read of originals over a store that other machines share.
const NOT_KEPT: &str = "originals are not kept over a Chroma server: any number of services may share it";

/// Whether originals of uploads are kept once their documents are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepOriginals {
    /// As long as the document is stored.
    Yes,
    /// Until the document is stored.
    No,
}

/// Takes documents in, and tells of the jobs.
pub struct JobQueue {
    shelf: Arc<Shelf>,
    documents: Arc<dyn Documents>,
    /// Tells the runner of this process that there is something to do.
    wake: Arc<Notify>,
    /// Jobs so far.
    number: AtomicU64,
}

/// The list of jobs and the files that they are about.
struct Shelf {
    jobs: Arc<dyn Jobs>,
    originals: Originals,
    keep: KeepOriginals,
}

/// A queue of jobs over the files in a data directory, and what works on it once it is told to.
#[must_use]
pub fn job_queue(
    jobs: Arc<dyn Jobs>,
    directory: &Path,
    keep: KeepOriginals,
    ingestion: Ingestion,
) -> (JobQueue, JobRunner) {
    let shelf = Arc::new(Shelf { jobs, originals: Originals::new(directory.join("originals")), keep });
    let wake = Arc::new(Notify::new());
    let runner = JobRunner::new(Arc::clone(&shelf), directory.join("jobs.lock"), ingestion.clone(), Arc::clone(&wake));
    (JobQueue { shelf, documents: ingestion.documents, wake, number: AtomicU64::new(0) }, runner)
}

impl JobQueue {
    /// An id that no other job has, in this process or another.
    fn new_id(&self) -> JobId {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        JobId::from(format!("{time:x}-{:x}-{number:x}", std::process::id()))
    }

    /// Names a job and hashes its documents, which takes a processor's time.
    async fn job_of(
        &self,
        sources: Vec<SourceDocument>,
        key: Option<String>,
    ) -> Result<(NewJob, Vec<SourceDocument>), IntakeError> {
        let id = self.new_id();
        let hashed = spawn_blocking(move || {
            let mut request = Sha256::new();
            let mut documents = Vec::with_capacity(sources.len());
            for source in &sources {
                let content = source.content_hash().map_err(|error| invalid(&source.path, error.to_string()))?;
                request.update(format!("{content} {}\n", source.path));
                let SourceDocument { path, media_type, metadata, .. } = source.clone_without_bytes();
                documents.push(JobDocument { name: path, media_type, metadata, content });
            }
            Ok((NewJob { id, key, request: hex(request), documents }, sources))
        });
        hashed.await.map_err(|cause| StoreError::failed("hashing documents", cause))?
    }
}

#[async_trait]
impl Intake for JobQueue {
    async fn submit(
        &self,
        context: &RequestContext,
        documents: Vec<Submission>,
        key: Option<String>,
    ) -> Result<JobStatus, IntakeError> {
        if context.collection != Collection::default() {
            return Err(IntakeError::NoSuchCollection { collection: context.collection.as_str().to_owned() });
        }
        let sources = documents.into_iter().map(source).collect::<Result<Vec<_>, _>>()?;
        let (job, sources) = self.job_of(sources, key).await?;
        let (shelf, contents) = (Arc::clone(&self.shelf), job.documents.clone());
        let keeping = spawn_blocking(move || {
            let writing = shelf.originals.begin_writing()?;
            for (source, JobDocument { content, .. }) in sources.iter().zip(&contents) {
                let bytes = source.bytes().map_err(std::io::Error::other)?;
                shelf.originals.keep(&writing, content, &bytes)?;
            }
            Ok(writing)
        });
        let kept = keeping.await.map_err(|cause| StoreError::failed("keeping documents", cause))?;
        let writing = kept.map_err(|cause| cannot_keep("keeping documents", cause))?;
        let added = self.shelf.jobs.add(job, WAITING).await?;
        drop(writing);
        match added {
            Added::Job(status) => {
                self.wake.notify_one();
                Ok(status)
            }
            Added::KeyReused => Err(IntakeError::KeyReused),
            Added::Full => Err(IntakeError::Busy { waiting: WAITING }),
        }
    }

    async fn job(&self, _: &RequestContext, id: &JobId) -> Result<Option<JobStatus>, StoreError> {
        self.shelf.jobs.get(id).await
    }

    async fn jobs(&self, _: &RequestContext) -> Result<Vec<JobStatus>, StoreError> {
        self.shelf.jobs.list(LISTED).await
    }

    fn uploaded_as<'a>(&self, document: &'a StoredDocument) -> Option<&'a str> {
        SourceDocument::uploaded_as(&document.location)
    }

    async fn remove(&self, context: &RequestContext, document: &StoredDocument) -> Result<(), StoreError> {
        // First, so that no job that waits brings it back.
        if let Some(name) = SourceDocument::uploaded_as(&document.location) {
            self.shelf.jobs.withdraw(name).await?;
        }
        self.documents.remove(context, vec![document.location.clone()]).await?;
        // The document is gone; what is left of it is swept away with the next one.
        if let Err(error) = self.shelf.sweep(&*self.documents).await {
            tracing::warn!(%error, "originals that nothing needs could not be removed");
        }
        Ok(())
    }

    async fn original(&self, _: &RequestContext, document: &StoredDocument) -> Result<File, NoOriginal> {
        if self.shelf.keep == KeepOriginals::No {
            return Err(NoOriginal::NotKept { reason: NOT_KEPT });
        }
        let place = match (SourceDocument::uploaded_as(&document.location), &document.fingerprint) {
            (None, _) => Path::new(&document.location).to_owned(),
            (Some(_), Some(Fingerprint { content, .. })) => self.shelf.originals.place(content),
            (Some(_), None) => return Err(NoOriginal::Gone),
        };
        let opened = spawn_blocking(move || open_file(&place)).await.map_err(std::io::Error::other)??;
        opened.ok_or(NoOriginal::Gone)
    }
}

impl Shelf {
    /// Removes the originals that no job and no stored document needs any more.
    async fn sweep(self: &Arc<Self>, documents: &dyn Documents) -> Result<(), StoreError> {
        let doing = "removing originals";
        let shelf = Arc::clone(self);
        let locked = spawn_blocking(move || shelf.originals.begin_sweeping()).await;
        let sweeping = locked.map_err(|cause| StoreError::failed(doing, cause))?;
        let sweeping = sweeping.map_err(|cause| StoreError::failed(doing, cause))?;
        let mut wanted = self.jobs.unfinished().await?;
        if self.keep == KeepOriginals::Yes {
            let stored = documents.versions(&RequestContext::local()).await?;
            let uploads = stored.into_iter().filter(|(location, _)| SourceDocument::uploaded_as(location).is_some());
            wanted
                .extend(uploads.filter_map(|(_, version)| version.fingerprint).map(|fingerprint| fingerprint.content));
        }
        let shelf = Arc::clone(self);
        let swept = spawn_blocking(move || shelf.originals.sweep(&sweeping, &wanted)).await;
        let swept = swept.map_err(|cause| StoreError::failed(doing, cause))?;
        swept.map_err(|cause| StoreError::failed(doing, cause))
    }
}

/// A full disk is said as such, and so is a directory that cannot be written.
fn cannot_keep(doing: &str, cause: std::io::Error) -> StoreError {
    match cause.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            StoreError::DiskFull { place: "the data directory".to_owned() }
        }
        std::io::ErrorKind::PermissionDenied
        | std::io::ErrorKind::ReadOnlyFilesystem
        | std::io::ErrorKind::NotADirectory => StoreError::Unavailable {
            message: "the data directory cannot be written".to_owned(),
            cause: Some(cause.into()),
        },
        _ => StoreError::failed(doing, cause),
    }
}

fn invalid(document: &str, reason: impl Into<String>) -> IntakeError {
    IntakeError::Invalid { document: document.to_owned(), reason: reason.into() }
}

fn source(Submission { name, media_type, bytes, metadata }: Submission) -> Result<SourceDocument, IntakeError> {
    let reason = match name.as_str() {
        "" => "a document needs a name",
        long if long.len() > MAX_NAME => "its name is too long; 1,000 bytes are allowed",
        absolute if absolute.starts_with('/') => "its name begins with /; names are relative",
        strange if strange.chars().any(char::is_control) => "its name has control characters",
        _ if bytes.len() as u64 > crate::MAX_BYTES => "it is larger than 64 MiB",
        _ => return Ok(SourceDocument::upload(name, media_type, bytes, metadata)),
    };
    Err(invalid(&name, reason))
}

#[cfg(test)]
mod tests;
