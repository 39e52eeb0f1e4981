//! A model that computes nothing: an OpenAI-compatible endpoint with a chosen latency, for measuring and testing
//! what stands in front of a model.
//!
//! A request that waits costs its connection and one timer: its body is gone, its answer is not written yet. So many
//! thousands may wait at once. What goes wrong is chosen by a seed and the number of the request, so that a run can be repeated.

mod chat;
mod content;
mod dialect;
mod embeddings;
mod outcome;
mod refusal;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};

pub use self::dialect::Dialect;
use self::outcome::{Outcome, Route};
use self::refusal::Refusal;

/// How the mock model behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct MockLlm {
    /// Until the first token of an answer.
    pub latency: Duration,
    /// Text that it says, from the start again when it ends.
    pub text: String,
    /// Tokens of an answer.
    pub tokens: usize,
    /// Tokens per second after the first one; 0 sends all of them at once.
    pub token_rate: f64,
    /// Until vectors are answered.
    pub embedding_latency: Duration,
    /// Length of a vector, unless a request asks for another one.
    pub dimension: usize,
    /// Share by which latencies vary, up and down.
    pub jitter: f64,
    /// Chooses the variation and the faults.
    pub seed: u64,
    /// Faults, and how often they happen.
    pub faults: Faults,
    /// Habits of other endpoints that it plays.
    pub dialects: Vec<Dialect>,
    /// Most texts of one embedding request; more are refused.
    pub most_texts: usize,
}

impl Default for MockLlm {
    /// One that answers at once and never fails.
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            text: content::PROSE.to_owned(),
            tokens: 32,
            token_rate: 0.0,
            embedding_latency: Duration::ZERO,
            dimension: 384,
            jitter: 0.0,
            seed: 0,
            faults: Faults::default(),
            dialects: Vec::new(),
            most_texts: MOST_TEXTS,
        }
    }
}

/// Shares of the requests that go wrong, each from 0 to 1 and together at most 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Faults {
    /// Refused at once with 429.
    pub too_many: f64,
    /// Answered with 500 after the latency.
    pub broken: f64,
    /// Never answered.
    pub hang: f64,
    /// Broken off in the middle of the answer.
    pub cut: f64,
}

/// OpenAI takes no more texts at once.
pub const MOST_TEXTS: usize = 2048;
/// Embedding requests carry whole batches of passages.
const MOST_BYTES: usize = 32 << 20;
/// Callers that may wait to be accepted. The system lowers it to what it allows.
const BACKLOG: u32 = 65_535;

/// Listens with a queue that is long enough for thousands who connect at the same moment.
///
/// # Errors
/// When the address cannot be had.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Answers until it is dropped.
///
/// # Errors
/// When accepting connections fails for good.
pub async fn serve(listener: TcpListener, settings: MockLlm) -> std::io::Result<()> {
    // Without this, small events wait for each other and a stream's timing is not the chosen one.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    axum::serve(listener, router(settings)).await
}

fn router(settings: MockLlm) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat::complete))
        .route("/v1/embeddings", post(embeddings::embed))
        .route("/v1/models", get(models))
        .route("/healthz", get(async || Json(json!({"status": "ok"}))))
        .fallback(async || Refusal::unknown_route())
        .method_not_allowed_fallback(async || Refusal::wrong_method())
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(Arc::new(Mock { settings, chats: AtomicU64::new(0), embeddings: AtomicU64::new(0) }))
}

/// The running mock model.
struct Mock {
    settings: MockLlm,
    chats: AtomicU64,
    embeddings: AtomicU64,
}

impl Mock {
    /// Numbers a request and decides its outcome. Both routes count for themselves: how a caller mixes them
    /// has no influence on either.
    fn admit(&self, route: Route) -> (u64, Outcome) {
        let counter = match route {
            Route::Chat => &self.chats,
            Route::Embeddings => &self.embeddings,
        };
        let number = counter.fetch_add(1, Ordering::Relaxed);
        (number, Outcome::of(&self.settings, route, number))
    }
}

async fn models() -> Json<Value> {
    let model = |id: &str| json!({"id": id, "object": "model", "created": 0, "owned_by": "qanda"});
    Json(json!({"object": "list", "data": [model("mock"), model("mock-embedding")]}))
}

/// A request's body as a JSON object.
fn read_object(body: Result<axum::body::Bytes, axum::extract::rejection::BytesRejection>) -> Result<Value, Refusal> {
    let body = body.map_err(|rejection| Refusal::invalid(rejection.status(), rejection.body_text(), None))?;
    let value: Value = serde_json::from_slice(&body).map_err(|error| {
        Refusal::bad_request(format!("We could not parse the JSON body of your request: {error}"), None)
    })?;
    if !value.is_object() {
        return Err(Refusal::bad_request("The body must be a JSON object".to_owned(), None));
    }
    if !value["model"].is_string() {
        return Err(Refusal::bad_request("You must provide a model parameter".to_owned(), Some("model")));
    }
    Ok(value)
}
