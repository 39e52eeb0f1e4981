use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures::{Stream, StreamExt};
use qanda_core::answering::AnswerEvent;
use qanda_core::ports::Finish;
use qanda_core::{Answer, RequestContext};
use serde_json::{Value, json};

use super::annotated::{Origin, annotations, sources};
use super::chat::with_ignored;
use super::error::error_json;
use super::messages::{Asked, read, read_object};
use super::now;
use crate::access_log::Ending;
use crate::routes::{first_words, read_body};
use crate::service::Failure;
use crate::{Problem, Service, service};

/// Parameters that mean something here, or ask for what is done anyway (nothing is stored).
const KNOWN: [&str; 6] = ["model", "stream", "stream_options", "instructions", "store", "background"];

/// Answers the last message of an input, whole or as a stream of events.
#[utoipa::path(
    post,
    path = "/v1/responses",
    tag = "OpenAI",
    request_body(content = ref("#/components/schemas/ResponsesRequest"), content_type = "application/json"),
    responses(
        (status = 200, description = "A response", content((ref("#/components/schemas/Response") = "application/json"),
        (String = "text/event-stream"))),
    ),
)]
pub(crate) async fn responses(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let fields = read_object(&read_body(body, &context).await?)?;
    if fields.get("background").is_some_and(|background| *background == true) {
        return Err(Problem::invalid_field("background", "responses are not kept here; wait for the answer"));
    }
    let Asked { request, model, stream, ignored, .. } = read(fields, "input", &KNOWN)?;
    let pipeline = service.pipeline(request.pipeline)?;
    let reply = Reply { id: context.request_id.to_string(), created: now(), model, origin: Origin::of(&headers) };
    let response = if stream {
        let request_id = Arc::clone(&context.request_id);
        let events = service::stream(pipeline, context, request.question);
        streamed(reply, first_words(events).await?, request_id)
    } else {
        Json(reply.whole(&service::answer(pipeline, context, request.question).await?)).into_response()
    };
    Ok(with_ignored(response, &ignored))
}

/// What all parts of a response share.
struct Reply {
    id: String,
    created: u64,
    model: String,
    origin: Origin,
}

impl Reply {
    fn object(&self, status: &str, output: Value, usage: Value) -> Value {
        json!({
            "id": format!("resp_{}", self.id), "object": "response", "created_at": self.created, "status": status,
            "model": self.model, "output": output, "usage": usage, "error": null, "incomplete_details": null,
            "instructions": null, "metadata": {}, "parallel_tool_calls": false, "previous_response_id": null,
            "temperature": null, "top_p": null, "tool_choice": "none", "tools": [], "store": false, "background": false,
        })
    }

    /// The message in the output, with the parts that it has by then.
    fn message(&self, status: &str, content: Value) -> Value {
        json!({"type": "message", "id": format!("msg_{}", self.id), "status": status, "role": "assistant", "content": content})
    }

    fn part(&self, answer: Option<&Answer>) -> Value {
        let text = answer.map(|answer| format!("{}{}", answer.text, sources(answer))).unwrap_or_default();
        let annotations = answer.map(|answer| annotations(answer, &self.origin)).unwrap_or_default();
        let annotations: Vec<Value> = annotations.iter().map(|one| one.response()).collect();
        json!({"type": "output_text", "text": text, "annotations": annotations, "logprobs": []})
    }

    fn whole(&self, answer: &Answer) -> Value {
        let is_cut = answer.finish == Finish::Length;
        let status = if is_cut { "incomplete" } else { "completed" };
        let message = self.message(status, json!([self.part(Some(answer))]));
        let mut whole = self.object(status, json!([message]), usage(answer));
        if is_cut {
            whole["incomplete_details"] = json!({"reason": "max_output_tokens"});
        }
        whole
    }

    /// The events before the first word.
    fn opening(&self) -> Vec<Value> {
        let begun = self.object("in_progress", json!([]), Value::Null);
        vec![
            json!({"type": "response.created", "response": begun}),
            json!({"type": "response.in_progress", "response": begun}),
            json!({"type": "response.output_item.added", "output_index": 0, "item": self.message("in_progress", json!([]))}),
            self.within("response.content_part.added", json!({"part": self.part(None)})),
        ]
    }

    /// An event about the message's one part.
    fn within(&self, kind: &str, more: Value) -> Value {
        let mut event =
            json!({"type": kind, "item_id": format!("msg_{}", self.id), "output_index": 0, "content_index": 0});
        if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
            event.extend(more);
        }
        event
    }

    fn delta(&self, text: &str) -> Value {
        self.within("response.output_text.delta", json!({"delta": text, "logprobs": []}))
    }

    /// The events behind the last word.
    fn closing(&self, answer: &Answer) -> Vec<Value> {
        let part = self.part(Some(answer));
        let footnotes = sources(answer);
        let mut events: Vec<Value> = (!footnotes.is_empty()).then(|| self.delta(&footnotes)).into_iter().collect();
        for (index, annotation) in annotations(answer, &self.origin).iter().enumerate() {
            let more = json!({"annotation_index": index, "annotation": annotation.response()});
            events.push(self.within("response.output_text.annotation.added", more));
        }
        let whole = self.whole(answer);
        let end = if answer.finish == Finish::Length { "response.incomplete" } else { "response.completed" };
        events.extend([
            self.within("response.output_text.done", json!({"text": part["text"], "logprobs": []})),
            self.within("response.content_part.done", json!({"part": part})),
            json!({"type": "response.output_item.done", "output_index": 0, "item": whole["output"][0]}),
            json!({"type": end, "response": whole}),
        ]);
        events
    }

    fn failed(&self, problem: &Problem) -> Value {
        let mut whole = self.object("failed", json!([]), Value::Null);
        let error = error_json(problem).1;
        whole["error"] = json!({"code": "server_error", "message": error["error"]["message"]});
        json!({"type": "response.failed", "response": whole})
    }
}

fn streamed(
    reply: Reply,
    events: impl Stream<Item = Result<AnswerEvent, Failure>> + Send + 'static,
    request_id: Arc<str>,
) -> Response {
    let ending = Ending::default();
    let told = ending.clone();
    let opening = futures::stream::iter(reply.opening());
    let more = events.flat_map(move |reported| {
        futures::stream::iter(match reported {
            Ok(AnswerEvent::Text(text)) => vec![reply.delta(&text)],
            Ok(AnswerEvent::Done(answer)) => reply.closing(&answer),
            Ok(_) => Vec::new(),
            Err(failure) => {
                let problem = Problem::from(failure);
                problem.log(&request_id);
                told.failed(problem.status());
                vec![reply.failed(&problem)]
            }
        })
    });
    let numbered = opening.chain(more).enumerate().map(|(number, mut event)| {
        event["sequence_number"] = json!(number);
        let kind = event["type"].as_str().unwrap_or_default().to_owned();
        Ok::<_, Infallible>(Event::default().event(kind).data(event.to_string()))
    });
    let mut response = Sse::new(numbered).keep_alive(KeepAlive::default()).into_response();
    response.extensions_mut().insert(ending);
    response
}

fn usage(answer: &Answer) -> Value {
    let (input, output) = (answer.prompt_tokens, answer.tokens);
    json!({
        "input_tokens": input, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": input + output,
    })
}
