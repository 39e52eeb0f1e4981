//! The interface that OpenAI's clients speak: `/v1/chat/completions`, `/v1/responses`, `/v1/models`, `/v1/embeddings`.
//!
//! The models are the pipelines, `qanda-direct` and `qanda-classic`. The last message is the question, those before it are
//! its history, and system messages are instructions. Answers carry their citations twice: as annotations, and as a list
//! of sources in the text, which every client shows. A refusal is an ordinary message.

mod annotated;
mod chat;
mod embeddings;
mod error;
mod messages;
mod models;
mod responses;

use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use self::annotated::sources;
pub(crate) use self::chat::chat_completions;
pub(crate) use self::embeddings::embeddings;
pub(crate) use self::error::error_json;
pub(crate) use self::models::{model, models};
pub(crate) use self::responses::responses;

/// Whether what is asked for at a path is answered in OpenAI's form.
pub(crate) fn speaks_openai(path: &str) -> bool {
    path.starts_with("/v1/")
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
