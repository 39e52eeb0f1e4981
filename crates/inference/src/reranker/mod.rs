//! Rerankers.

pub mod local;
