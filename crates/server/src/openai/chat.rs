use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures::{Stream, StreamExt};
use qanda_core::answering::AnswerEvent;
use qanda_core::ports::Finish;
use qanda_core::{Answer, RequestContext};
use serde_json::{Value, json};

use super::annotated::{Origin, annotations, sources};
use super::error::error_json;
use super::messages::{Asked, read, read_object};
use super::now;
use crate::access_log::Ending;
use crate::routes::{first_words, read_body};
use crate::service::Failure;
use crate::{Problem, Service, service};

/// Parameters that mean something here.
const KNOWN: [&str; 4] = ["model", "stream", "stream_options", "n"];
/// Header that names the parameters that were ignored.
const IGNORED: HeaderName = HeaderName::from_static("x-ignored-parameters");

/// Answers a chat's last message, whole or as a stream of chunks.
#[utoipa::path(
    post,
    path = "/v1/chat/completions",
    tag = "OpenAI",
    request_body(content = ref("#/components/schemas/ChatRequest"), content_type = "application/json"),
    responses(
        (status = 200, description = "A chat completion", content((ref("#/components/schemas/ChatCompletion") = "application/json"),
        (String = "text/event-stream"))),
    ),
)]
pub(crate) async fn chat_completions(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let fields = read_object(&read_body(body, &context).await?)?;
    if fields.get("n").is_some_and(|n| !n.is_null() && *n != 1) {
        return Err(Problem::invalid_field("n", "must be 1: a question has one answer"));
    }
    let asked = read(fields, "messages", &KNOWN)?;
    let pipeline = service.pipeline(asked.request.pipeline)?;
    let completion = Completion {
        id: format!("chatcmpl-{}", context.request_id),
        created: now(),
        model: asked.model.clone(),
        usage: asked.usage,
        origin: Origin::of(&headers),
    };
    let ignored = asked.ignored.clone();
    let Asked { request, stream, .. } = asked;
    let response = if stream {
        let request_id = Arc::clone(&context.request_id);
        let events = service::stream(pipeline, context, request.question);
        streamed(completion, first_words(events).await?, request_id)
    } else {
        Json(completion.whole(&service::answer(pipeline, context, request.question).await?)).into_response()
    };
    Ok(with_ignored(response, &ignored))
}

/// Says which parameters were ignored.
pub(super) fn with_ignored(mut response: Response, names: &[String]) -> Response {
    let printable: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| name.chars().all(|c| c.is_ascii_graphic())).collect();
    if let Ok(value) = HeaderValue::from_str(&printable.join(", "))
        && !printable.is_empty()
    {
        response.headers_mut().insert(IGNORED, value);
    }
    response
}

/// What all parts of a completion share.
struct Completion {
    id: String,
    created: u64,
    model: String,
    usage: bool,
    origin: Origin,
}

impl Completion {
    fn whole(&self, answer: &Answer) -> Value {
        let annotations: Vec<Value> = annotations(answer, &self.origin).iter().map(|one| one.chat()).collect();
        let content = format!("{}{}", answer.text, sources(answer));
        let message = json!({"role": "assistant", "content": content, "refusal": null, "annotations": annotations});
        let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": reason(answer.finish)});
        self.object("chat.completion", json!([choice]), usage(answer))
    }

    fn chunk(&self, delta: Value, finish: Option<&str>) -> Value {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
        self.object("chat.completion.chunk", json!([choice]), Value::Null)
    }

    fn object(&self, kind: &str, choices: Value, usage: Value) -> Value {
        let mut object =
            json!({"id": self.id, "object": kind, "created": self.created, "model": self.model, "choices": choices});
        if !usage.is_null() {
            object["usage"] = usage;
        }
        object
    }

    /// The chunks of an event of the answer.
    fn chunks(&self, event: AnswerEvent) -> Vec<Value> {
        match event {
            AnswerEvent::Text(text) => vec![self.chunk(json!({"content": text}), None)],
            AnswerEvent::Done(answer) => {
                let mut chunks = Vec::new();
                let annotations: Vec<Value> = annotations(&answer, &self.origin).iter().map(|one| one.chat()).collect();
                if !annotations.is_empty() {
                    chunks.push(self.chunk(json!({"content": sources(&answer), "annotations": annotations}), None));
                }
                chunks.push(self.chunk(json!({}), Some(reason(answer.finish))));
                if self.usage {
                    chunks.push(self.object("chat.completion.chunk", json!([]), usage(&answer)));
                }
                chunks
            }
            _ => Vec::new(),
        }
    }
}

fn streamed(
    completion: Completion,
    events: impl Stream<Item = Result<AnswerEvent, Failure>> + Send + 'static,
    request_id: Arc<str>,
) -> Response {
    let ending = Ending::default();
    let told = ending.clone();
    let first = completion.chunk(json!({"role": "assistant", "content": ""}), None).to_string();
    let data = events.flat_map(move |reported| {
        futures::stream::iter(match reported {
            Ok(event) => {
                let is_end = matches!(event, AnswerEvent::Done(_));
                let mut data: Vec<String> = completion.chunks(event).iter().map(Value::to_string).collect();
                data.extend(is_end.then(|| "[DONE]".to_owned()));
                data
            }
            Err(failure) => {
                let problem = Problem::from(failure);
                problem.log(&request_id);
                told.failed(problem.status());
                vec![error_json(&problem).1.to_string()]
            }
        })
    });
    let data = futures::stream::iter([first]).chain(data).map(|data| Ok::<_, Infallible>(Event::default().data(data)));
    let mut response = Sse::new(data).keep_alive(KeepAlive::default()).into_response();
    response.extensions_mut().insert(ending);
    response
}

fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        _ => "stop",
    }
}

fn usage(answer: &Answer) -> Value {
    let (prompt, completion) = (answer.prompt_tokens, answer.tokens);
    json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
}
