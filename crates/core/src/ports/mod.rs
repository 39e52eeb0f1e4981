//! What a pipeline needs from the outside, as traits.

mod embedder;
mod language_model;
mod store;

pub use embedder::{Embedder, EmbedderIdentity, TokenCounter};
pub use language_model::{
    Finish, Generated, Generation, GenerationStream, LanguageModel, Message, Prompt, Shape, read_to_end,
};
pub use store::{
    Documents, Hit, IndexStatus, Mode, Page, PairLink, Pairs, Search, SearchQuery, Store, StoreStatus, Upkeep,
};
