use std::fs::File;

use async_trait::async_trait;
use thiserror::Error;

use super::JobStatus;
use super::jobs::JobId;
use crate::document::StoredDocument;
use crate::{Metadata, RequestContext, StoreError};

/// Document as a caller hands it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Name that becomes its path: one that is stored already under this name is replaced.
    pub name: String,
    /// Media type of the bytes; where there is none, the ending of the name says how to read them.
    pub media_type: Option<String>,
    /// The document itself.
    pub bytes: Vec<u8>,
    /// Facts about it; those that it states itself go before these.
    pub metadata: Metadata,
}

/// Documents were not taken.
#[derive(Debug, Error)]
pub enum IntakeError {
    /// As many jobs wait as the queue holds.
    #[error("{waiting} jobs are waiting already; try again later")]
    Busy {
        /// Number of jobs that wait.
        waiting: usize,
    },
    /// A document cannot be taken, whatever it says.
    #[error("{document}: {reason}")]
    Invalid {
        /// Name that it was handed in with.
        document: String,
        /// Fault that it has.
        reason: String,
    },
    /// Other documents were handed in under the same key before.
    #[error("other documents were handed in under this idempotency key before")]
    KeyReused,
    /// There is no collection of this name.
    #[error("there is no collection \"{collection}\"")]
    NoSuchCollection {
        /// Its name.
        collection: String,
    },
    /// The data directory could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reason why a document's original cannot be had.
#[derive(Debug, Error)]
pub enum NoOriginal {
    /// It was a file, and is not there any more.
    #[error("its file is not there any more")]
    Gone,
    /// It is not kept here.
    #[error("{reason}")]
    NotKept {
        /// Why, in a sentence for people.
        reason: &'static str,
    },
    /// It is there and cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
}

/// Handing in documents, following what becomes of them, and taking them back.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Takes documents as one job. They are stored some time after this returns; [`Intake::job`] says when. Called
    /// again with the same `key` and the same documents, it tells of the job that there is.
    async fn submit(
        &self,
        context: &RequestContext,
        documents: Vec<Submission>,
        key: Option<String>,
    ) -> Result<JobStatus, IntakeError>;

    /// A job by its id; none if there is no such job, or it ended so long ago that it is forgotten.
    async fn job(&self, context: &RequestContext, id: &JobId) -> Result<Option<JobStatus>, StoreError>;

    /// The last jobs, newest first.
    async fn jobs(&self, context: &RequestContext) -> Result<Vec<JobStatus>, StoreError>;

    /// Name that a document was handed in under; none for one that comes from a folder.
    fn uploaded_as<'a>(&self, document: &'a StoredDocument) -> Option<&'a str>;

    /// Removes a stored document, and the original of an upload. When it returns, no search finds it.
    async fn remove(&self, context: &RequestContext, document: &StoredDocument) -> Result<(), StoreError>;

    /// The bytes that a document was read from, or those that its file has by now.
    async fn original(&self, context: &RequestContext, document: &StoredDocument) -> Result<File, NoOriginal>;
}
