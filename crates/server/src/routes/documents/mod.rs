//! Documents: listed, read, handed in, replaced and removed.

mod original;
mod upload;

use std::collections::HashMap;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use qanda_core::document::StoredDocument;
use qanda_core::{DocumentId, Intake, RequestContext};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::upload::Upload;
use crate::gate::Access;
use crate::{Problem, Service, wire};

type Parameters = Query<HashMap<String, String>>;

/// Header by which a caller names a request that it may send again.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest such name, in bytes.
const LONGEST_KEY: usize = 200;

/// The routes of documents. Bodies of uploads have limits of their own.
pub(super) fn all() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(one, replace, remove))
        .routes(routes!(passages))
        .routes(routes!(text))
        .routes(routes!(page))
        .routes(routes!(original))
        .layer(DefaultBodyLimit::disable())
}

/// The documents, page by page.
#[utoipa::path(
    get,
    path = "/apis/documents",
    tag = "Documents",
    operation_id = "list_documents",
    params(
        ("q" = Option<String>, Query, description = "Words that must all stand in the title or the path"),
        ("document" = Option<String>, Query, description = "The path that it must have"),
        ("state" = Option<String>, Query, description = "The state that it must be in"),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 1000, description = "Most items of the page; 50 if it is left out"),
    ),
    responses(
        (status = 200, description = "A page of documents", body = ref("#/components/schemas/Documents"), content_type = "application/json"),
    ),
)]
pub(crate) async fn list(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    Extension(access): Extension<Access>,
    Query(parameters): Parameters,
) -> Result<Json<Value>, Problem> {
    let query = wire::read_document_query(&parameters)?;
    let page = service.documents()?.list(&context, query).await?;
    let intake = service.intake()?;
    let documents: Vec<Value> = page.items.iter().map(|document| described(intake, document)).collect();
    Ok(Json(json!({"documents": documents, "next": page.next, "writable": access.may_write})))
}

/// One document.
#[utoipa::path(
    get,
    path = "/apis/documents/{id}",
    tag = "Documents",
    operation_id = "get_document",
    params(("id" = String, Path, description = "Id of the document")),
    responses(
        (status = 200, description = "The document", body = ref("#/components/schemas/Document"), content_type = "application/json"),
    ),
)]
pub(crate) async fn one(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let document = stored(&service, &context, id).await?;
    Ok(Json(described(service.intake()?, &document)))
}

/// The passages of a document, page by page.
#[utoipa::path(
    get,
    path = "/apis/documents/{id}/passages",
    tag = "Documents",
    operation_id = "list_passages",
    params(
        ("id" = String, Path, description = "Id of the document"),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 1000, description = "Most items of the page; 50 if it is left out"),
    ),
    responses(
        (status = 200, description = "A page of passages", body = ref("#/components/schemas/Passages"), content_type = "application/json"),
    ),
)]
pub(crate) async fn passages(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
    Query(parameters): Parameters,
) -> Result<Json<Value>, Problem> {
    let (after, limit) = wire::read_page(&parameters)?;
    let document = stored(&service, &context, id).await?;
    let page = service.documents()?.passages_of(&context, &document.id, after, limit).await?;
    Ok(Json(wire::passages_json(&page)))
}

/// The extracted text of a document.
#[utoipa::path(
    get,
    path = "/apis/documents/{id}/text",
    tag = "Documents",
    operation_id = "get_document_text",
    params(("id" = String, Path, description = "Id of the document")),
    responses((status = 200, description = "The text", body = String, content_type = "text/plain")),
)]
pub(crate) async fn text(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let document = stored(&service, &context, id).await?;
    let text = text_of(&service, &context, &document).await?;
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((headers, text).into_response())
}

/// The text of one page of a document.
#[utoipa::path(
    get,
    path = "/apis/documents/{id}/pages/{number}",
    tag = "Documents",
    operation_id = "get_document_page",
    params(
        ("id" = String, Path, description = "Id of the document"),
        ("number" = usize, Path, minimum = 1, description = "Number of the page"),
    ),
    responses(
        (status = 200, description = "The page", body = ref("#/components/schemas/DocumentPage"), content_type = "application/json"),
    ),
)]
pub(crate) async fn page(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    Path((id, number)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let document = stored(&service, &context, id).await?;
    let text = text_of(&service, &context, &document).await?;
    let page = number.parse().ok().and_then(|number| wire::page_json(&document.details.pages, &text, number));
    page.map(Json).ok_or_else(|| Problem::no_such_page(document.details.pages.len()))
}

/// The bytes that a document was read from.
#[utoipa::path(
    get,
    path = "/apis/documents/{id}/original",
    tag = "Documents",
    operation_id = "get_document_original",
    params(("id" = String, Path, description = "Id of the document")),
    responses((status = 200, description = "The file, in its own media type", body = String, content_type = "*/*")),
)]
pub(crate) async fn original(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let document = stored(&service, &context, id).await?;
    let file = service.intake()?.original(&context, &document).await?;
    original::response(&document, file).await
}

/// Takes documents in.
#[utoipa::path(
    post,
    path = "/apis/documents",
    tag = "Documents",
    operation_id = "add_documents",
    params(
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[ -~]+$", description = "A name under which the request may be sent again"),
    ),
    request_body(content((ref("#/components/schemas/WrittenDocument") = "application/json"), (ref("#/components/schemas/UploadedDocuments") = "multipart/form-data"))),
    responses(
        (status = 202, description = "The job that stores them", body = ref("#/components/schemas/Job"), content_type = "application/json"),
    ),
)]
pub(crate) async fn add(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    Extension(access): Extension<Access>,
    request: Request,
) -> Result<Response, Problem> {
    access.check_write()?;
    let key = key(&request)?;
    let documents = Upload::read(request, &context).await?.named()?;
    let job = service.intake()?.submit(&context, documents, key).await?;
    Ok(accepted(&job))
}

/// Takes a document in, in place of one that was handed in before.
#[utoipa::path(
    put,
    path = "/apis/documents/{id}",
    tag = "Documents",
    operation_id = "replace_document",
    params(
        ("id" = String, Path, description = "Id of the document"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[ -~]+$", description = "A name under which the request may be sent again"),
    ),
    request_body(content((ref("#/components/schemas/WrittenDocument") = "application/json"), (ref("#/components/schemas/UploadedDocuments") = "multipart/form-data"))),
    responses(
        (status = 202, description = "The job that stores it", body = ref("#/components/schemas/Job"), content_type = "application/json"),
    ),
)]
pub(crate) async fn replace(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    Extension(access): Extension<Access>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    access.check_write()?;
    let document = stored(&service, &context, id).await?;
    let intake = service.intake()?;
    let name = intake.uploaded_as(&document).ok_or_else(Problem::belongs_to_folder)?;
    let key = key(&request)?;
    let replacement = Upload::read(request, &context).await?.renamed(name)?;
    let job = intake.submit(&context, vec![replacement], key).await?;
    Ok(accepted(&job))
}

/// Removes a document.
#[utoipa::path(
    delete,
    path = "/apis/documents/{id}",
    tag = "Documents",
    operation_id = "remove_document",
    params(("id" = String, Path, description = "Id of the document")),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn remove(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    Extension(access): Extension<Access>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    access.check_write()?;
    let document = stored(&service, &context, id).await?;
    service.intake()?.remove(&context, &document).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A document, and where it comes from.
fn described(intake: &dyn Intake, document: &StoredDocument) -> Value {
    let mut json = wire::document_json(document);
    json["origin"] = json!(if intake.uploaded_as(document).is_some() { "upload" } else { "folder" });
    json
}

async fn stored(service: &Service, context: &RequestContext, id: String) -> Result<StoredDocument, Problem> {
    let found = service.documents()?.get(context, &DocumentId::from(id)).await?;
    found.ok_or_else(Problem::no_such_document)
}

async fn text_of(service: &Service, context: &RequestContext, document: &StoredDocument) -> Result<String, Problem> {
    service.documents()?.text(context, &document.id).await?.ok_or_else(Problem::no_text)
}

/// The key that the caller gave the request.
fn key(request: &axum::http::Request<Body>) -> Result<Option<String>, Problem> {
    let Some(key) = request.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= LONGEST_KEY);
    key.map(|key| Some(key.to_owned())).ok_or_else(|| {
        let message = format!("must be 1 to {LONGEST_KEY} printable ASCII characters");
        Problem::invalid_fields(vec![qanda_core::FieldFault::new("Idempotency-Key", message)])
    })
}

fn accepted(job: &qanda_core::ports::JobStatus) -> Response {
    let location = format!("/apis/jobs/{}", job.id);
    (StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(wire::job_json(job))).into_response()
}
