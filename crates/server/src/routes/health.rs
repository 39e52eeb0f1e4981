use axum::Json;
use axum::extract::State;
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

/// What the service is made of: how much is stored, and which models answer.
pub(crate) async fn status(State(service): State<Service>) -> Result<Json<Value>, Problem> {
    let stored = service.store()?.status().await?;
    Ok(Json(json!({
        "documents": stored.documents,
        "passages": stored.passages,
        "pairs": stored.pairs,
        "embedder": stored.embedder.map(|(name, _)| name),
        "model": service.model()?.name(),
    })))
}
