use axum::Json;
use axum::extract::Path;
use qanda_core::answering::PipelineName;
use serde_json::{Value, json};

use crate::Problem;

/// Each pipeline by the name of its model.
const MODELS: [(&str, PipelineName); 2] =
    [("qanda-direct", PipelineName::Direct), ("qanda-classic", PipelineName::Classic)];

/// Their names.
pub(crate) fn model_names() -> impl Iterator<Item = &'static str> {
    MODELS.iter().map(|(name, _)| *name)
}

/// Lists the models.
#[utoipa::path(
    get,
    path = "/v1/models",
    tag = "OpenAI",
    responses(
        (status = 200, description = "The models", body = ref("#/components/schemas/Models"), content_type = "application/json"),
    ),
)]
pub(crate) async fn models() -> Json<Value> {
    let data: Vec<Value> = MODELS.iter().map(|(name, _)| described(name)).collect();
    Json(json!({"object": "list", "data": data}))
}

/// Describes one of them.
#[utoipa::path(
    get,
    path = "/v1/models/{name}",
    tag = "OpenAI",
    params(("name" = String, Path, description = "`qanda-direct` or `qanda-classic`")),
    responses(
        (status = 200, description = "The model", body = ref("#/components/schemas/Model"), content_type = "application/json"),
    ),
)]
pub(crate) async fn model(Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    pipeline_of(&name)?;
    Ok(Json(described(&name)))
}

fn described(name: &str) -> Value {
    json!({"id": name, "object": "model", "created": 0, "owned_by": "qanda"})
}

/// The pipeline of a model; none for an empty name, which stands for the default one.
pub(super) fn pipeline_of(model: &str) -> Result<Option<PipelineName>, Problem> {
    let known = MODELS.iter().find(|(name, _)| *name == model).map(|(_, pipeline)| *pipeline);
    if known.is_none() && !model.is_empty() {
        return Err(Problem::no_such_model(model, "qanda-direct, qanda-classic"));
    }
    Ok(known)
}
