//! The HTTP side of qanda.
//!
//! Sees the rest of the product only through the ports of `qanda-core`. Listener and shutdown signal are handed
//! in from outside; nothing here reads the environment, opens a store or loads a model.

#![forbid(unsafe_code)]

mod access_log;
mod arrival;
mod gate;
mod mcp;
mod metrics;
mod openai;
mod page;
mod problem;
mod routes;
mod service;
mod serving;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

pub use gate::PublicHost;
pub use mcp::mcp_over_stdio;
pub use metrics::{Telemetry, worker_ended};
pub(crate) use problem::Problem;
pub use service::{BackEnds, Service};
pub use serving::{Class, Progress, Serving, serve};
pub use wire::{answer_json, hits_json};

use self::access_log::AccessLog;
use self::gate::Gate;

/// Settings for taking requests.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Longest time from a request's arrival to the end of its answer.
    pub request_timeout: Duration,
    /// Whether only this machine reaches the listener. Then no other host's name may be used for it.
    pub is_loopback: bool,
    /// Names by which people reach the service beside its address.
    pub public_hosts: Arc<[PublicHost]>,
}

/// Routes of documents and jobs. Bodies of uploads have limits of their own.
fn documents() -> Router<Service> {
    Router::new()
        .route("/apis/documents", get(routes::documents::list).post(routes::documents::add))
        .route(
            "/apis/documents/{id}",
            get(routes::documents::one).put(routes::documents::replace).delete(routes::documents::remove),
        )
        .route("/apis/documents/{id}/passages", get(routes::documents::passages))
        .route("/apis/documents/{id}/text", get(routes::documents::text))
        .route("/apis/documents/{id}/pages/{number}", get(routes::documents::page))
        .route("/apis/documents/{id}/original", get(routes::documents::original))
        .route("/apis/jobs", get(routes::jobs))
        .route("/apis/jobs/{id}", get(routes::job))
        .layer(DefaultBodyLimit::disable())
}

/// All routes.
pub fn router(service: Service, telemetry: Telemetry, settings: HttpSettings) -> Router {
    let HttpSettings { request_timeout, is_loopback, public_hosts } = settings;
    let gate = Gate { is_loopback, public_hosts };
    let log = AccessLog { telemetry: telemetry.clone(), request_timeout };
    // The layer that is named last is the first to see a request.
    Router::new()
        .route("/", get(page::page))
        .route("/apis/q-and-a/q", post(routes::question))
        .route("/apis/q-and-a/mock-q", post(routes::mock_question))
        .route("/apis/search", post(routes::search))
        .merge(documents())
        .route("/v1/chat/completions", post(openai::chat_completions))
        .route("/v1/responses", post(openai::responses))
        .route("/v1/models", get(openai::models))
        .route("/v1/models/{name}", get(openai::model))
        .route("/v1/embeddings", post(openai::embeddings))
        .route("/mcp", post(mcp::mcp))
        .route("/apis/status", get(routes::status))
        .route("/healthz", get(routes::healthz))
        .route("/readyz", get(routes::readyz))
        .with_state(service)
        .merge(Router::new().route("/metrics", get(routes::metrics)).with_state(telemetry))
        .fallback(routes::not_found)
        .method_not_allowed_fallback(routes::method_not_allowed)
        .layer(from_fn_with_state(gate, gate::check))
        .layer(from_fn(problem::explain))
        .layer(from_fn_with_state(log, access_log::log))
}
