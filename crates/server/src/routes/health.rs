use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::{Problem, Service};

/// The process runs and answers.
pub(crate) async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// Questions can be answered: models loaded and running, store reachable and fit for the embedder.
pub(crate) async fn readyz(State(service): State<Service>) -> Result<Json<Value>, Problem> {
    service.model()?.check()?;
    service.store()?.check().await?;
    Ok(Json(json!({"status": "ready"})))
}

/// A few words for someone who opens the address in a browser.
pub(crate) async fn welcome() -> impl IntoResponse {
    let text = "qanda answers questions over your documents.\n\n\
        POST /apis/q-and-a/q   {\"content\": \"your question\"}\n\
        POST /apis/search      the same, for the passages without an answer\n\
        GET  /healthz          the process runs\n\
        GET  /readyz           questions can be answered\n\
        GET  /metrics          figures for Prometheus\n";
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)
}
