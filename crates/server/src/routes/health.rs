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

/// What the service is made of: how much is stored, and which models answer. Counts are null where they are not free: a
/// Chroma server would have to list its whole collection.
pub(crate) async fn status(State(service): State<Service>) -> Result<Json<Value>, Problem> {
    let store = service.store()?;
    let stored = match store.version().await? {
        Some(_) => Some(store.status().await?),
        None => None,
    };
    Ok(Json(json!({
        "documents": stored.as_ref().map(|stored| stored.documents),
        "passages": stored.as_ref().map(|stored| stored.passages),
        "pairs": stored.as_ref().map(|stored| stored.pairs),
        "embedder": stored.and_then(|stored| stored.embedder).map(|(name, _)| name),
        "model": service.model()?.name(),
    })))
}
