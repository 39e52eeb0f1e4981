//! Rerankers.

pub mod gguf;
pub mod local;
