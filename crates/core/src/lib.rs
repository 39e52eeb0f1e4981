//! The words of qanda: questions, documents, passages, answers and citations; the **ports** (traits) behind
//! which stores and models live; and the **pipelines** that turn a question into a cited answer.
//!
//! This crate knows no HTTP, no SQL, no command line and no concrete model. Everything that does is in a crate
//! above it and is handed in as `Arc<dyn Port>`, so a pipeline reads as the plain sequence of steps that it is.

pub mod answer;
pub mod answering;
mod compute;
pub mod context;
pub mod document;
pub mod error;
pub mod language;
pub mod metadata;
mod model_error;
pub mod moment;
pub mod pair;
pub mod ports;
pub mod question;
pub mod retrieval;
pub mod validity;
pub mod verification;

pub use answer::{Answer, Citation, Place, Timings};
pub use context::{Caller, Collection, RequestContext};
pub use document::{Document, DocumentId, EntryId, Metadata, NewDocument, NewPassage, Passage, Span};
pub use error::{AnswerError, StoreError, with_causes};
pub use model_error::ModelError;
pub use moment::Moment;
pub use pair::{NewPair, Pair};
pub use ports::{Documents, Embedder, Intake, Jobs, LanguageModel, Pairs, Reader, Reranker, Search, Store, Upkeep};
pub use question::{FieldFault, Filter, InvalidQuestion, Question, Source};
