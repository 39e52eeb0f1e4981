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

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use self::annotated::sources;
pub(crate) use self::embeddings::MOST_TEXTS;
pub(crate) use self::error::error_json;
pub(crate) use self::models::model_names;
use crate::Service;

/// The routes.
pub(crate) fn all() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(chat::chat_completions))
        .routes(routes!(responses::responses))
        .routes(routes!(models::models))
        .routes(routes!(models::model))
        .routes(routes!(embeddings::embeddings))
}

/// Whether what is asked for at a path is answered in OpenAI's form.
pub(crate) fn speaks_openai(path: &str) -> bool {
    path.starts_with("/v1/")
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
