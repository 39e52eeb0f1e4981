use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures::{Stream, StreamExt};
use qanda_core::answering::{AnswerEvent, Pipeline};
use qanda_core::{Question, RequestContext};

use super::body;
use crate::service::{AnswerStream, Failure};
use crate::wire::{self, Form, QuestionRequest};
use crate::{Problem, Service, service};

/// Answers a question, in the form that the caller wants.
#[utoipa::path(
    post,
    path = "/apis/q-and-a/q",
    tag = "Questions",
    request_body(content = ref("#/components/schemas/Question"), content_type = "application/json"),
    responses(
        (status = 200, description = "The answer, or a refusal", content(
            (ref("#/components/schemas/Answer") = "application/json"),
        (String = "text/plain"),
        (String = "text/event-stream"))),
    ),
)]
pub(crate) async fn question(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let QuestionRequest { question, stream, pipeline } = read(body, &context).await?;
    let pipeline = service.pipeline(pipeline)?;
    respond(pipeline, context, question, Form::wanted(&headers, stream)).await
}

/// Reads a question; nothing of its JSON is kept.
pub(super) async fn read(body: Body, context: &RequestContext) -> Result<QuestionRequest, Problem> {
    let bytes = body::read(body, context).await?;
    wire::read_question(&bytes)
}

/// Answers a question with a pipeline.
pub(super) async fn respond(
    pipeline: Arc<dyn Pipeline>,
    context: RequestContext,
    question: Question,
    form: Form,
) -> Result<Response, Problem> {
    if form != Form::Events {
        let answer = service::answer(pipeline, context, question).await?;
        return Ok(if form == Form::Text { wire::text_response(answer) } else { wire::json_response(&answer) });
    }
    let request_id = Arc::clone(&context.request_id);
    let events = first_words(service::stream(pipeline, context, question)).await?;
    Ok(wire::events_response(events, request_id))
}

/// Waits for the first words of an answer: a failure before them can still have a status of its own.
pub(crate) async fn first_words(
    mut events: AnswerStream,
) -> Result<impl Stream<Item = Result<AnswerEvent, Failure>> + Send + 'static, Problem> {
    let first = loop {
        match events.next().await {
            Some(Ok(event @ (AnswerEvent::Text(_) | AnswerEvent::Done(_)))) => break event,
            Some(Ok(_)) => {}
            Some(Err(failure)) => return Err(failure.into()),
            None => return Err(Problem::internal("the answer ended without an end")),
        }
    };
    Ok(futures::stream::once(async { Ok(first) }).chain(events))
}
