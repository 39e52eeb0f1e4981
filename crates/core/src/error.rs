//! Errors of the ports. Each says what failed; the edge decides how to show it, and what to suggest. A cause stands
//! either in an error's own words or behind it ([`std::error::Error::source`]), never in both.

use std::error::Error as StdError;

use thiserror::Error;

use crate::ModelError;
use crate::ports::Finish;

type Cause = Box<dyn StdError + Send + Sync>;

/// An error and its causes as one sentence. Many libraries repeat their cause in their own words; what has been said
/// already is not said again.
#[must_use]
pub fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let mut sentence = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !sentence.contains(&words) {
            sentence.push_str(": ");
            sentence.push_str(&words);
        }
        next = cause.source();
    }
    sentence
}

/// A store could not do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The stored vectors were made by another embedder.
    #[error(
        "the store in {place} was made with the embedder {stored} ({stored_dimension} dimensions), but this is \
         {given} ({given_dimension} dimensions)"
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
    /// Nothing was ever stored under this name.
    #[error("there is no collection {name} in {place}")]
    NoCollection {
        /// The collection.
        name: String,
        /// Where it was looked for.
        place: String,
    },
    /// There is no collection of this name.
    #[error("there is no collection \"{collection}\"")]
    NoSuchCollection {
        /// Its name.
        collection: String,
    },
    /// The disk (or a quota on it) is full. What was committed stays.
    #[error("the disk is full: {place} could not be written; free some space and run it again, nothing stored is lost")]
    DiskFull {
        /// What could not be written.
        place: String,
    },
    /// Understood, and not taken: the same would be refused again.
    #[error("{doing} was refused: {reason}")]
    Refused {
        /// What was being done.
        doing: String,
        /// Words of the store.
        reason: String,
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
    #[error("{doing} failed: {}", with_causes(&**.cause))]
    Failed {
        /// What was being done.
        doing: String,
        /// Cause.
        cause: Cause,
    },
}

impl StoreError {
    /// Wraps a cause with what was being done.
    pub fn failed(doing: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Failed { doing: doing.into(), cause: cause.into() }
    }
}

/// Reason why there is no answer.
#[derive(Debug, Error)]
pub enum AnswerError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The question alone is more than the model can read.
    #[error("the question has {tokens} tokens, more than the {limit} that the model can read")]
    QuestionTooLong {
        /// Tokens of the question.
        tokens: usize,
        /// Tokens that it may have.
        limit: usize,
    },
    /// The question fits, but not with what was said before.
    #[error(
        "the earlier turns have {tokens} tokens, more than the {limit} that the model can read beside the question"
    )]
    HistoryTooLong {
        /// Tokens of the earlier turns.
        tokens: usize,
        /// Tokens that they may have.
        limit: usize,
    },
    /// The model's window is too small for any passage, whatever is asked.
    #[error(
        "no passage fits the model's window of {window} tokens beside instructions of {instructions} and an answer \
         of up to {answer}"
    )]
    NoRoom {
        /// Tokens of the window.
        window: usize,
        /// Tokens of the instructions.
        instructions: usize,
        /// Tokens kept for the answer.
        answer: usize,
    },
    /// Passages were found, but the store has no text of them.
    #[error("the {found} passages that were found have no text; their documents have to be ingested again")]
    EmptyPassages {
        /// Passages that were found.
        found: usize,
    },
    /// The model ended without a word of an answer.
    #[error("the model wrote no answer{}", if *.finish == Finish::Length { " before its limit of tokens" } else { "" })]
    NoAnswer {
        /// Why it ended.
        finish: Finish,
    },
}
