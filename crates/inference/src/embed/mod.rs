//! Embedders.

mod batcher;
pub mod local;
pub mod openai;
