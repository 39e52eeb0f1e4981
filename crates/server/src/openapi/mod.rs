//! The description of the interface: OpenAPI 3.1 at `/openapi.json`, and a page over it at `/docs`.
//!
//! Each handler carries the description of its route, and the router is made of the same list, so neither has a route
//! that the other lacks. Bodies are described in [`schemas`], with the limits that the service keeps.

mod limits;
mod schemas;
mod schemas_of_openai;

use std::sync::{Arc, LazyLock};

use axum::extract::Path;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::Config;

use crate::metrics::Telemetry;
use crate::{Problem, Service};

const DESCRIPTION: &str = "Answers questions over a team's own documents, with citations. Errors are problem details \
    (RFC 9457), below /v1 in OpenAI's form.";

/// What the page may do: run Swagger UI as it comes from here, and ask this service.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The description without its routes.
pub(crate) fn about() -> OpenApi {
    let info = InfoBuilder::new().title("qanda").version(env!("CARGO_PKG_VERSION")).description(Some(DESCRIPTION));
    OpenApiBuilder::new().info(info.build()).build()
}

/// The routes of the description itself.
pub(crate) fn all() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(openapi)).routes(routes!(docs)).routes(routes!(docs_file))
}

/// Made when it is asked for first, and kept.
static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| document(&crate::described(Telemetry::alone()).into_openapi()).to_string());

/// This description.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "Operation",
    responses(
        (status = 200, description = "OpenAPI 3.1", body = ref("#/components/schemas/Description"), content_type = "application/json"),
    ),
)]
async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}

/// A page that shows this description and tries the routes out.
#[utoipa::path(get, path = "/docs", tag = "Operation", responses((status = 308, description = "The page is at /docs/")))]
async fn docs() -> Redirect {
    Redirect::permanent("/docs/index.html")
}

/// The files of that page, Swagger UI.
#[utoipa::path(
    get,
    path = "/docs/{file}",
    tag = "Operation",
    params(("file" = String, Path, description = "Name of the file")),
    responses((status = 200, description = "The file", body = String, content_type = "*/*")),
)]
async fn docs_file(Path(file): Path<String>) -> Result<Response, Problem> {
    let config = Arc::new(Config::from("/openapi.json").validator_url("none"));
    let found = utoipa_swagger_ui::serve(&file, config).map_err(Problem::internal)?;
    let found = found.ok_or_else(|| Problem::not_found(&format!("/docs/{file}")))?;
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, &found.content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((StatusCode::OK, headers, found.bytes.into_owned()).into_response())
}

/// The whole description: routes as they were gathered, the schemas of their bodies, limits, and the errors of all.
fn document(routes: &OpenApi) -> Value {
    let mut document = serde_json::to_value(routes).unwrap_or_default();
    document["components"] = json!({"schemas": schemas::all()});
    for (path, operations) in document["paths"].as_object_mut().into_iter().flatten() {
        for operation in operations.as_object_mut().into_iter().flat_map(|operations| operations.values_mut()) {
            let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                limits::set(parameter);
            }
            if let Some(body) = operation.get_mut("requestBody").and_then(Value::as_object_mut) {
                body.insert("required".to_owned(), json!(true));
            }
            if let Some(responses) = operation["responses"].as_object_mut() {
                for stream in
                    responses.values_mut().filter_map(|answer| answer.pointer_mut("/content/text~1event-stream"))
                {
                    stream["schema"] = schemas::event();
                }
                responses.extend(errors(path));
            }
        }
    }
    document
}

/// The responses of a route that does not do what it was asked.
fn errors(path: &str) -> [(String, Value); 2] {
    let (schema, media_type) = match path {
        "/mcp" => ("#/components/schemas/Any", "*/*"),
        path if path.starts_with("/v1/") => ("#/components/schemas/OpenAiError", "application/json"),
        _ => ("#/components/schemas/Problem", "application/problem+json"),
    };
    let response =
        |description: &str| json!({"description": description, "content": {media_type: {"schema": {"$ref": schema}}}});
    let caller = response("The request cannot be answered as it is; the error says what to change");
    [("4XX".to_owned(), caller), ("5XX".to_owned(), response("The service cannot answer now, or failed"))]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn described() -> Value {
        serde_json::from_str(&DOCUMENT).expect("JSON")
    }

    /// All references in a value.
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn it_is_openapi_3_1_and_every_reference_leads_to_a_schema_and_every_schema_is_used() {
        let document = described();
        assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")), "{document}");
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        let schemas = document["components"]["schemas"].as_object().expect("schemas").keys();
        let known: BTreeSet<String> = schemas.map(|name| format!("#/components/schemas/{name}")).collect();
        assert_eq!(found, known);
    }

    #[test]
    fn every_route_of_the_contract_is_described() {
        let document = described();
        let described = |method: &str, path: &str| document["paths"][path][method].is_object();
        for route in [
            "post /apis/q-and-a/q",
            "post /apis/q-and-a/mock-q",
            "post /apis/search",
            "get /apis/documents",
            "post /apis/documents",
            "get /apis/documents/{id}",
            "put /apis/documents/{id}",
            "delete /apis/documents/{id}",
            "get /apis/documents/{id}/text",
            "get /apis/documents/{id}/original",
            "get /apis/documents/{id}/passages",
            "get /apis/documents/{id}/pages/{number}",
            "get /apis/jobs",
            "get /apis/jobs/{id}",
            "get /apis/status",
            "get /healthz",
            "get /readyz",
            "get /metrics",
            "get /openapi.json",
            "get /docs",
            "get /",
            "post /v1/chat/completions",
            "post /v1/responses",
            "get /v1/models",
            "get /v1/models/{name}",
            "post /v1/embeddings",
            "post /mcp",
        ] {
            let (method, path) = route.split_once(' ').expect("two words");
            assert!(described(method, path), "{route}");
        }
    }

    #[test]
    fn names_of_operations_are_unique() {
        let document = described();
        let paths = document["paths"].as_object().expect("paths").values();
        let operations = paths.flat_map(|path| path.as_object().expect("operations").values());
        let mut names: Vec<&str> = operations.map(|one| one["operationId"].as_str().expect("a name")).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{names:?}");
    }
}
