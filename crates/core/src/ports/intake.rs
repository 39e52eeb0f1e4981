use async_trait::async_trait;
use thiserror::Error;

use crate::{Metadata, RequestContext};

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

/// Identity of a job, in its spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobId(String);

impl JobId {
    /// The id as callers see it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for JobId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// State of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It waits for those before it.
    Queued,
    /// It is being worked on.
    Running,
    /// It has ended; some of its documents may have failed.
    Done,
    /// It has ended before its end: the store or the embedder failed.
    Failed,
}

impl JobState {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// Document of a job that was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFailure {
    /// Path of the document; none for a failure of the job as a whole.
    pub document: Option<String>,
    /// Reason in a sentence for people.
    pub reason: String,
}

/// A job and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStatus {
    /// Its identity.
    pub id: JobId,
    /// Its state.
    pub state: JobState,
    /// Documents that are dealt with: stored, unchanged or failed.
    pub done: usize,
    /// All its documents.
    pub total: usize,
    /// Documents that were not stored.
    pub failures: Vec<JobFailure>,
}

/// A job was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
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
    /// There is no collection of this name.
    #[error("there is no collection \"{collection}\"")]
    NoSuchCollection {
        /// Its name.
        collection: String,
    },
    /// The service is shutting down.
    #[error("no jobs are taken any more: the service is shutting down")]
    Closed,
}

/// Handing in documents, and following what becomes of them.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Takes documents as one job. They are stored some time after this returns; [`Intake::job`] says when.
    async fn submit(&self, context: &RequestContext, documents: Vec<Submission>) -> Result<JobId, IntakeError>;

    /// A job by its id; none if there is no such job, or it ended so long ago that it is forgotten.
    async fn job(&self, context: &RequestContext, id: &JobId) -> Option<JobStatus>;
}
