//! Models: language models in [`llm`], embedders in [`embed`], readers in [`reader`], rerankers in [`reranker`], each behind
//! a port of `qanda-core`; [`openai`] is what two of them need to speak to an endpoint elsewhere, [`bert`] the encoder that
//! embedder, reader and reranker share.
//!
//! Models compute on threads of their own, never on the async runtime's: a caller awaits a channel. `unsafe` is
//! allowed in three places: `bert/machine.rs` and `bert/tile.rs`, which call what is compiled for the machine's
//! instructions, and `llama/waiting.rs`.

mod batcher;
pub mod bert;
pub mod embed;
mod llama;
pub mod llm;
#[cfg(test)]
#[path = "../tests/models/mod.rs"]
mod models;
pub mod openai;
pub mod reader;
pub mod reranker;
