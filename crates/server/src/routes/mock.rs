use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Extension;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::response::Response;
use qanda_core::answering::{AnswerEvent, AnswerSink, Pipeline};
use qanda_core::ports::Finish;
use qanda_core::{Answer, AnswerError, Question, RequestContext, Timings};

use super::question;
use crate::Problem;
use crate::wire::{Form, QuestionRequest};

/// Takes a question, waits one second and answers a fixed text: what the service costs without its models.
#[utoipa::path(
    post,
    path = "/apis/q-and-a/mock-q",
    tag = "Questions",
    request_body(content = ref("#/components/schemas/Question"), content_type = "application/json"),
    responses(
        (status = 200, description = "The fixed text", content((ref("#/components/schemas/Answer") = "application/json"),
        (String = "text/plain"),
        (String = "text/event-stream"))),
    ),
)]
pub(crate) async fn mock_question(
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let QuestionRequest { question, stream, .. } = question::read(body, &context).await?;
    question::respond(Arc::new(Mock), context, question, Form::wanted(&headers, stream)).await
}

/// A pipeline without store and models.
struct Mock;

const LATENCY: Duration = Duration::from_secs(1);
const TEXT: &str = "This is a mock answer.";

#[async_trait]
impl Pipeline for Mock {
    async fn answer(&self, _: &RequestContext, _: Question, events: &dyn AnswerSink) -> Result<Answer, AnswerError> {
        let began = Instant::now();
        tokio::time::sleep(LATENCY).await;
        events.tell(AnswerEvent::Text(TEXT.to_owned())).await;
        let mut timings = Timings::default();
        timings.record("total", began.elapsed());
        Ok(Answer {
            text: TEXT.to_owned(),
            answered: true,
            confidence: None,
            related: Vec::new(),
            reasoning: None,
            citations: Vec::new(),
            unsupported: Vec::new(),
            timings,
            calls: 0,
            prompt_tokens: 0,
            tokens: 0,
            model: "mock".to_owned(),
            pipeline: "mock",
            finish: Finish::Stop,
            cached: false,
        })
    }
}
