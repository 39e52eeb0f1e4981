//! Models: language models in [`llm`], embedders in [`embed`], each behind a port of `qanda-core`;
//! [`openai`] is what both need to speak to an endpoint elsewhere.
//!
//! Models compute on threads of their own, never on the async runtime's: a caller awaits a channel. `unsafe` is
//! allowed in one place, `embed/local/matmul.rs`, which calls a matrix kernel.

pub mod embed;
pub mod llm;
pub mod openai;
