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
mod openapi;
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
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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

/// All routes with their descriptions.
fn described(telemetry: Telemetry) -> OpenApiRouter<Service> {
    OpenApiRouter::with_openapi(openapi::about())
        .routes(routes!(page::page))
        .merge(routes::all(telemetry))
        .merge(openai::all())
        .routes(routes!(mcp::mcp))
        .merge(openapi::all())
}

/// All routes.
pub fn router(service: Service, telemetry: Telemetry, settings: HttpSettings) -> Router {
    let HttpSettings { request_timeout, is_loopback, public_hosts } = settings;
    let gate = Gate { is_loopback, public_hosts };
    let log = AccessLog { telemetry: telemetry.clone(), request_timeout };
    // The layer that is named last is the first to see a request.
    Router::from(described(telemetry))
        .with_state(service)
        .fallback(routes::not_found)
        .method_not_allowed_fallback(routes::method_not_allowed)
        .layer(from_fn_with_state(gate, gate::check))
        .layer(from_fn(problem::explain))
        .layer(from_fn_with_state(log, access_log::log))
}
