use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use qanda_core::RequestContext;
use serde_json::{Value, json};

use super::messages::{read_object, text_of};
use crate::routes::read_body;
use crate::{Problem, Service, service};

/// Most texts of one request, as with OpenAI.
pub(crate) const MOST_TEXTS: usize = 2048;
/// Name that stands for the embedder in use, whichever it is.
const ANY: &str = "qanda-embedding";

/// Embeds texts as passages are embedded.
#[utoipa::path(
    post,
    path = "/v1/embeddings",
    tag = "OpenAI",
    request_body(content = ref("#/components/schemas/EmbeddingsRequest"), content_type = "application/json"),
    responses(
        (status = 200, description = "The vectors", body = ref("#/components/schemas/Embeddings"), content_type = "application/json"),
    ),
)]
pub(crate) async fn embeddings(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let mut fields = read_object(&read_body(body, &context).await?)?;
    fields.retain(|_, value| !value.is_null());
    let embedder = service.finder()?.embedder;
    let identity = embedder.identity().clone();
    let model = text_of(&fields, "model")?.unwrap_or_default();
    if ![ANY, "", identity.name.as_str()].contains(&model.as_str()) {
        return Err(Problem::no_such_model(&model, &format!("{ANY} (here {})", identity.name)));
    }
    if fields.get("dimensions").is_some_and(|wanted| *wanted != identity.dimension) {
        return Err(Problem::invalid_field(
            "dimensions",
            format!("must be {}: vectors have that length here", identity.dimension),
        ));
    }
    let packed = match text_of(&fields, "encoding_format")?.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(Problem::invalid_field("encoding_format", "must be \"float\" or \"base64\"")),
    };
    let texts = texts(fields.get("input"))?;
    let vectors = service::embed(embedder, context, texts).await?;
    let data: Vec<Value> = vectors.iter().enumerate().map(|(index, vector)| embedding(index, vector, packed)).collect();
    // How many tokens the texts have is not counted.
    let usage = json!({"prompt_tokens": 0, "total_tokens": 0});
    Ok(Json(json!({"object": "list", "data": data, "model": identity.name, "usage": usage})))
}

/// One vector: numbers, or their bytes (little end first) in base64, which is what OpenAI's clients ask for.
fn embedding(index: usize, vector: &[f32], packed: bool) -> Value {
    let values = if packed {
        let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
        json!(BASE64_STANDARD.encode(bytes))
    } else {
        json!(vector)
    };
    json!({"object": "embedding", "index": index, "embedding": values})
}

/// One text or several, none of them empty.
fn texts(input: Option<&Value>) -> Result<Vec<String>, Problem> {
    let invalid = |message: &str| Problem::invalid_field("input", message);
    let texts: Vec<String> = match input {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => {
            let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            texts
                .ok_or_else(|| invalid("must be texts; lists of tokens are not taken"))?
                .into_iter()
                .map(ToOwned::to_owned)
                .collect()
        }
        _ => return Err(invalid("must be a text or a list of texts")),
    };
    if texts.is_empty() || texts.iter().any(String::is_empty) {
        return Err(invalid("must not be empty"));
    }
    if texts.len() > MOST_TEXTS {
        return Err(invalid(&format!("has {} texts; at most {MOST_TEXTS} are allowed", texts.len())));
    }
    Ok(texts)
}
