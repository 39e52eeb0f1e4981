use std::convert::Infallible;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use qanda_core::answer::Validity;
use qanda_core::answering::AnswerEvent;
use qanda_core::document::DocumentState;
use qanda_core::retrieval::Ranked;
use qanda_core::{Answer, Citation, Place};
use serde_json::{Map, Value, json};

use crate::Problem;
use crate::access_log::Ending;
use crate::service::Failure;

/// Header that tells why an answer in plain text ended: `stop`, `length`, `cancelled`.
const FINISH: HeaderName = HeaderName::from_static("x-finish");
/// Header that tells whether a text in plain words answers: `true`, or `false` for a refusal.
const ANSWERED: HeaderName = HeaderName::from_static("x-answered");

/// Form in which an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One JSON object.
    Json,
    /// The words alone.
    Text,
    /// Server-sent events, as the answer is written.
    Events,
}

impl Form {
    /// The form that the caller asks for: `stream` in the body, else the first type in `Accept` that there is.
    pub(crate) fn wanted(headers: &HeaderMap, stream: bool) -> Self {
        if stream {
            return Self::Events;
        }
        let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        for wanted in accept.flat_map(|value| value.split(',')) {
            match wanted.split(';').next().unwrap_or_default().trim() {
                "text/event-stream" => return Self::Events,
                "text/plain" => return Self::Text,
                "application/json" => return Self::Json,
                _ => {}
            }
        }
        Self::Json
    }
}

/// The answer in the form of the contract.
#[must_use]
pub fn answer_json(answer: &Answer) -> Value {
    // Microseconds are as exact as it gets.
    let rounded = |ms: f64| (ms * 1e3).round() / 1e3;
    let timings: Map<String, Value> =
        answer.timings.0.iter().map(|(step, ms)| ((*step).to_owned(), json!(rounded(*ms)))).collect();
    let mut json = json!({
        "answer": answer.text,
        "answered": answer.answered,
        "related": answer.related.iter().map(place_json).collect::<Vec<_>>(),
        "citations": answer.citations.iter().map(citation_json).collect::<Vec<_>>(),
        "unsupported": answer.unsupported.iter().map(|span| json!({"start": span.start, "end": span.end})).collect::<Vec<_>>(),
        "timings_ms": timings,
        "calls": answer.calls,
        "prompt_tokens": answer.prompt_tokens,
        "tokens": answer.tokens,
        "model": answer.model,
        "pipeline": answer.pipeline,
        "finish": answer.finish.as_str(),
        "cached": answer.cached,
    });
    if let Some(confidence) = answer.confidence {
        json["confidence"] = json!(rounded_share(confidence));
    }
    if let Some(reasoning) = &answer.reasoning {
        json["reasoning"] = json!(reasoning);
    }
    json
}

/// A share with as many digits as mean something.
fn rounded_share(share: f32) -> f64 {
    (f64::from(share) * 1e3).round() / 1e3
}

/// A citation: its place, and the marker that points at it.
fn citation_json(citation: &Citation) -> Value {
    let mut json = place_json(&citation.place);
    json["marker"] = json!(citation.marker);
    json
}

fn place_json(place: &Place) -> Value {
    let mut json = json!({
        "passage_id": place.passage_id.to_string(),
        "document": place.document,
        "title": place.title,
        "headings": place.headings,
        "text": place.text,
        "score": place.score,
        "start": place.span.start,
        "end": place.span.end,
    });
    if let Some(page) = place.page {
        json["page"] = json!(page);
    }
    if let Some(validity) = &place.validity {
        let Validity { valid_from, valid_until, superseded_by } = &**validity;
        let stated = [("valid_from", valid_from), ("valid_until", valid_until), ("superseded_by", superseded_by)];
        for (name, stated) in stated.into_iter().filter_map(|(name, stated)| Some((name, stated.as_ref()?))) {
            json[name] = json!(stated);
        }
    }
    let state = place.state();
    if state != DocumentState::Current {
        json["state"] = json!(state.as_str());
    }
    json
}

/// Passages without an answer, in the form of the contract.
#[must_use]
pub fn hits_json(hits: &[Ranked]) -> Value {
    let hit = |hit: &Ranked| {
        let mut json = place_json(&hit.place);
        json["ranks"] = json!({"dense": hit.dense, "lexical": hit.lexical});
        json["read"] = json!(hit.read);
        json
    };
    json!({"hits": hits.iter().map(hit).collect::<Vec<_>>()})
}

pub(crate) fn hits_response(hits: &[Ranked]) -> Response {
    axum::Json(hits_json(hits)).into_response()
}

pub(crate) fn json_response(answer: &Answer) -> Response {
    axum::Json(answer_json(answer)).into_response()
}

pub(crate) fn text_response(answer: Answer) -> Response {
    let answered = if answer.answered { "true" } else { "false" };
    let headers =
        [(FINISH, HeaderValue::from_static(answer.finish.as_str())), (ANSWERED, HeaderValue::from_static(answered))];
    (headers, answer.text).into_response()
}

/// Sends an answer as server-sent events as it is written: `token` for each piece of text, then `citations` and
/// `done`, or `error`. The steps on the way are not part of this form.
pub(crate) fn events_response(
    events: impl Stream<Item = Result<AnswerEvent, Failure>> + Send + 'static,
    request_id: Arc<str>,
) -> Response {
    let ending = Ending::default();
    let told = ending.clone();
    let events = events.flat_map(move |reported| {
        let event = |name: &str, data: Value| Ok::<_, Infallible>(Event::default().event(name).data(data.to_string()));
        futures::stream::iter(match reported {
            Ok(AnswerEvent::Text(text)) => vec![event("token", json!({"text": text}))],
            Ok(AnswerEvent::Done(answer)) => {
                let whole = answer_json(&answer);
                vec![event("citations", whole["citations"].clone()), event("done", whole)]
            }
            Ok(_) => Vec::new(),
            Err(failure) => {
                let problem = Problem::from(failure);
                problem.log(&request_id);
                told.failed(problem.status());
                vec![event("error", problem.to_json(&request_id))]
            }
        })
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::default()).into_response();
    response.extensions_mut().insert(ending);
    response
}
