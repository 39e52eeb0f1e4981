use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use tokio::task::spawn_blocking;

use crate::Problem;
use crate::metrics::Telemetry;

/// The figures of the whole service, for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "Operation",
    responses((status = 200, description = "The figures", body = String, content_type = "text/plain")),
)]
pub(crate) async fn metrics(State(telemetry): State<Telemetry>) -> Result<impl IntoResponse, Problem> {
    // Reads the files of the other workers.
    let text = spawn_blocking(move || telemetry.exposition()).await;
    let text = text.map_err(|error| Problem::internal(format!("collecting the figures failed: {error}")))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}
