//! Rerankers from directories and GGUF files, and embedders from GGUF files, with random weights.

mod embedders;
#[path = "../models/mod.rs"]
mod models;
mod rerankers;
mod tiny;
