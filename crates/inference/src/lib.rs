//! Models: language models in [`llm`], embedders in [`embed`], each behind a port of `qanda-core`;
//! [`openai`] is what both need to speak to an endpoint elsewhere, [`bert`] the encoder behind an embedder.
//!
//! Models compute on threads of their own, never on the async runtime's: a caller awaits a channel. `unsafe` is
//! allowed in two places: `bert/matmul.rs`, which calls a matrix kernel, and `llm/local/waiting.rs`.

mod batcher;
pub mod bert;
pub mod embed;
pub mod llm;
pub mod openai;
