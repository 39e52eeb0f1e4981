use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use qanda_core::RequestContext;

use super::question::read;
use crate::{Problem, Service, service, wire};

/// Finds the passages for a question, without answering it: the way to see why an answer came out as it did.
#[utoipa::path(
    post,
    path = "/apis/search",
    tag = "Questions",
    request_body(content = ref("#/components/schemas/Question"), content_type = "application/json"),
    responses(
        (status = 200, description = "The passages, best first", body = ref("#/components/schemas/Hits"), content_type = "application/json"),
    ),
)]
pub(crate) async fn search(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    body: Body,
) -> Result<Response, Problem> {
    let question = read(body, &context).await?.question;
    let hits = service::search(service.finder()?, context, question).await?;
    Ok(wire::hits_response(&hits))
}
