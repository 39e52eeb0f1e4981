//! Embedders.

mod batcher;
pub mod local;
