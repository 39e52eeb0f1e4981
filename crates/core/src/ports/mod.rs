//! What a pipeline needs from the outside, as traits.

mod embedder;
mod intake;
mod jobs;
mod language_model;
mod reader;
mod reranker;
mod store;

pub use embedder::{Embedder, EmbedderIdentity, TokenCounter};
pub use intake::{Intake, IntakeError, NoOriginal, Submission};
pub use jobs::{Added, JobDocument, JobFailure, JobId, JobState, JobStatus, Jobs, NewJob};
pub use language_model::{
    Finish, Generated, Generation, GenerationStream, LanguageModel, Message, Prompt, Shape, read_to_end,
};
pub use reader::{FoundSpan, Readable, Reader, Reading};
pub use reranker::Reranker;
pub use store::{
    DocumentQuery, Documents, Hit, IndexStatus, Mode, Page, PairLink, Pairs, Reembedding, ReembeddingProgress, Search,
    SearchQuery, Store, StoreStatus, Upkeep,
};
