use std::collections::HashSet;
use std::fmt;

use async_trait::async_trait;

use crate::{Metadata, Moment, StoreError};

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

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Running, Self::Done, Self::Failed];

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

    /// Whether nothing changes about the job any more.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
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
    /// Names of all its documents.
    pub documents: Vec<String>,
    /// Documents that were not stored.
    pub failures: Vec<JobFailure>,
    /// Moment at which it was taken.
    pub created: Moment,
    /// Moment at which it ended.
    pub ended: Option<Moment>,
}

/// Document of a job, whose bytes are kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDocument {
    /// Name that it was handed in under.
    pub name: String,
    /// Media type of its bytes.
    pub media_type: Option<String>,
    /// Facts that came with it.
    pub metadata: Metadata,
    /// Hash of its bytes and facts, by which its bytes are found.
    pub content: String,
}

/// Job on its way into the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Its identity.
    pub id: JobId,
    /// Key that its caller gave it.
    pub key: Option<String>,
    /// Hash of all that is asked for.
    pub request: String,
    /// Its documents.
    pub documents: Vec<JobDocument>,
}

/// What became of a new job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It is there, or was already, under the same key.
    Job(JobStatus),
    /// Another job was given the same key.
    KeyReused,
    /// As many jobs wait as may.
    Full,
}

/// The list of jobs, which survives the processes that work on them. All of them may add and look; only one at a time
/// may work.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// Adds a job unless `most` of them wait; it is kept when this returns.
    async fn add(&self, job: NewJob, most: usize) -> Result<Added, StoreError>;

    /// A job by its id.
    async fn get(&self, id: &JobId) -> Result<Option<JobStatus>, StoreError>;

    /// The last jobs, newest first, at most `limit`.
    async fn list(&self, limit: usize) -> Result<Vec<JobStatus>, StoreError>;

    /// The oldest job that has not ended, with how often it was begun by now, this time included. It runs from now on.
    async fn begin_next(&self) -> Result<Option<(JobStatus, Vec<JobDocument>, u32)>, StoreError>;

    /// Keeps how far a job has come.
    async fn update(&self, status: &JobStatus) -> Result<(), StoreError>;

    /// Takes a name out of the jobs that have not ended: its document is not stored by those that wait, and whoever works
    /// on one takes it out again.
    async fn withdraw(&self, name: &str) -> Result<(), StoreError>;

    /// Names that were taken out of a job.
    async fn withdrawn(&self, id: &JobId) -> Result<Vec<String>, StoreError>;

    /// Contents of the documents of all jobs that have not ended.
    async fn unfinished(&self) -> Result<HashSet<String>, StoreError>;
}
