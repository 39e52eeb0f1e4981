//! What can go wrong behind a port. Each error says what failed and keeps its cause; the edge decides how to
//! show it.

use thiserror::Error;

use crate::ModelError;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A store could not do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The stored vectors were made by another embedder.
    #[error(
        "the store in {place} was made with the embedder {stored} ({stored_dimension} dimensions), but this is \
         {given} ({given_dimension} dimensions); start with --embedder for the stored one, or re-embed: ingest \
         your documents into a new --data-dir (or another --chroma-collection)"
    )]
    OtherEmbedder {
        /// Where the store is.
        place: String,
        /// Embedder that made the stored vectors.
        stored: String,
        /// Its dimension.
        stored_dimension: usize,
        /// Embedder in use now.
        given: String,
        /// Its dimension.
        given_dimension: usize,
    },
    /// The disk (or a quota on it) is full. What was committed stays.
    #[error("the disk is full: {place} could not be written; free some space and run it again, nothing stored is lost")]
    DiskFull {
        /// What could not be written.
        place: String,
    },
    /// Not reachable at the moment; trying again later may help.
    #[error("the store is not available: {message}")]
    Unavailable {
        /// What happened.
        message: String,
        /// Cause.
        #[source]
        cause: Option<Cause>,
    },
    /// Anything else: a damaged file, a failed query.
    #[error("{doing} failed: {cause}")]
    Failed {
        /// What was being done.
        doing: String,
        /// Cause.
        #[source]
        cause: Cause,
    },
}

impl StoreError {
    /// Wraps a cause with what was being done.
    pub fn failed(doing: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Failed { doing: doing.into(), cause: cause.into() }
    }
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum AnswerError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
}
