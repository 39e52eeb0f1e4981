use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::{Problem, Service};

/// The process runs and answers.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "Operation",
    responses(
        (status = 200, description = "It runs", body = ref("#/components/schemas/Health"), content_type = "application/json"),
    ),
)]
pub(crate) async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// Questions can be answered: models loaded and running, store reachable and fit for the embedder.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "Operation",
    responses(
        (status = 200, description = "It can answer", body = ref("#/components/schemas/Health"), content_type = "application/json"),
    ),
)]
pub(crate) async fn readyz(State(service): State<Service>) -> Result<Json<Value>, Problem> {
    service.model()?.check()?;
    service.store()?.check().await?;
    Ok(Json(json!({"status": "ready"})))
}

/// What the service is made of: how much is stored, and which models answer. Counts are null where they are not free: a
/// Chroma server would have to list its whole collection.
#[utoipa::path(
    get,
    path = "/apis/status",
    tag = "Operation",
    responses(
        (status = 200, description = "What it is made of", body = ref("#/components/schemas/Status"), content_type = "application/json"),
    ),
)]
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
