mod events;
mod request;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::Stream;
use futures::stream::once;
use serde_json::json;
use tokio::time::sleep;

use self::events::Events;
use self::request::Request;
use super::{Dialect, Mock, Refusal, Route, read_object};

/// Pause before a connection breaks, in which what was sent reaches the caller.
const BEFORE_THE_CUT: Duration = Duration::from_millis(20);

/// POST /v1/chat/completions
pub(super) async fn complete(
    State(mock): State<Arc<Mock>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    // The request's body and its JSON are gone before the wait begins.
    let request = Request::read(&read_object(body)?, &mock.settings)?;
    let (number, outcome) = mock.admit(Route::Chat);
    let cut = outcome.wait().await?;
    if request.speaks(Dialect::ErrorInAnswer) {
        return Ok(Json(error()).into_response());
    }
    let pause = match mock.settings.token_rate {
        0.0 => Duration::ZERO,
        rate => Duration::from_secs_f64(1.0 / rate),
    };
    if request.stream {
        let events = Events::new(request, number, pause, cut).stream();
        return Ok(([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response());
    }
    let pieces = u32::try_from(request.tokens()).unwrap_or(u32::MAX);
    sleep(pause.saturating_mul(pieces.saturating_sub(1))).await;
    let answer = request.answer(number);
    Ok(if cut {
        Body::from_stream(broken_off(answer.to_string())).into_response()
    } else {
        Json(answer).into_response()
    })
}

/// An error where an answer is expected.
fn error() -> serde_json::Value {
    json!({"error": {"message": "The provider had an error; this was chosen by --dialect", "code": 502}})
}

/// The first half of a text, and then the connection breaks.
pub(super) fn broken_off(mut text: String) -> impl Stream<Item = std::io::Result<Bytes>> {
    text.truncate(text.floor_char_boundary(text.len() / 2));
    futures::StreamExt::chain(once(async { Ok(Bytes::from(text)) }), once(break_off()))
}

async fn break_off() -> std::io::Result<Bytes> {
    sleep(BEFORE_THE_CUT).await;
    Err(std::io::Error::other("broken off, as chosen by --cut"))
}
