//! Embedders.

mod floor;
pub mod gguf;
pub mod local;
pub mod openai;
