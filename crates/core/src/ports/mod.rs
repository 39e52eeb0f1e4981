//! What a pipeline needs from the outside, as traits.

mod embedder;
mod language_model;
mod store;

pub use embedder::{Embedder, EmbedderIdentity, TokenCounter};
pub use language_model::{LanguageModel, Message, Prompt, Shape, Token, TokenStream};
pub use store::{Hit, IndexStatus, Mode, Page, PairLink, SearchQuery, Store, StoreStatus};
