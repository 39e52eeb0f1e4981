//! Embedders.

pub mod local;
pub mod openai;
