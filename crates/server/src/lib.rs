//! The HTTP side of qanda.
//!
//! Sees the rest of the product only through the ports of `qanda-core`. Listener and shutdown signal are handed
//! in from outside; nothing here reads the environment, opens a store or loads a model.

#![forbid(unsafe_code)]

mod access_log;
mod metrics;
mod problem;
mod routes;
mod serving;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use qanda_core::Store;
use qanda_core::answering::Pipeline;

pub use metrics::{Telemetry, worker_ended};
pub use problem::Problem;
pub use serving::{Class, Progress, Serving, serve};
pub use wire::answer_json;

/// What answers questions, once it is loaded.
pub struct Services {
    /// Pipelines by name.
    pub pipelines: BTreeMap<&'static str, Arc<dyn Pipeline>>,
    /// The pipeline for questions that name none.
    pub default_pipeline: &'static str,
    /// Asked for its state by `/readyz`.
    pub store: Arc<dyn Store>,
}

/// A place for the services: empty while models load. The server answers from the start, `/readyz` tells when the
/// rest is there.
#[derive(Clone, Default)]
pub struct Slot(Arc<OnceLock<Services>>);

impl Slot {
    /// Makes the services available. Later calls are ignored.
    pub fn fill(&self, services: Services) {
        // Only one loader exists.
        let _ = self.0.set(services);
    }

    fn get(&self) -> Result<&Services, Problem> {
        self.0.get().ok_or_else(Problem::starting)
    }
}

/// All routes.
pub fn router(services: Slot, telemetry: Telemetry) -> Router {
    Router::new()
        .route("/", get(routes::welcome))
        .route("/apis/q-and-a/q", post(routes::question))
        .route("/apis/q-and-a/mock-q", post(routes::mock_question))
        .route("/healthz", get(routes::healthz))
        .route("/readyz", get(routes::readyz))
        .with_state(services)
        .merge(Router::new().route("/metrics", get(routes::metrics)).with_state(telemetry.clone()))
        .fallback(routes::not_found)
        .method_not_allowed_fallback(routes::method_not_allowed)
        .layer(from_fn_with_state(telemetry, access_log::log))
}
