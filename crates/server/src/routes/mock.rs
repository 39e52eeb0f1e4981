use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use qanda_core::ports::Finish;
use qanda_core::{Answer, Timings};

use super::body;
use crate::wire::{self, Form};
use crate::{Problem, Slot};

const LATENCY: Duration = Duration::from_secs(1);

/// Takes a question, waits one second and answers a fixed text: what the service costs without its models.
pub(crate) async fn mock_question(State(_): State<Slot>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let asked = wire::parse_question(&body::json(body).await?, &["direct"])?;
    let started = Instant::now();
    tokio::time::sleep(LATENCY).await;
    let mut timings = Timings::default();
    timings.record("total", started.elapsed());
    let answer = Answer {
        text: "This is a mock answer.".to_owned(),
        reasoning: None,
        citations: Vec::new(),
        timings,
        calls: 0,
        prompt_tokens: 0,
        tokens: 0,
        model: "mock".to_owned(),
        pipeline: "mock",
        finish: Finish::Stop,
        cached: false,
    };
    Ok(match Form::wanted(&headers, asked.stream) {
        Form::Json => wire::json_response(&answer),
        Form::Text => answer.text.into_response(),
        Form::Events => wire::events(futures::stream::iter([
            wire::Piece::Text(answer.text.clone()),
            wire::Piece::Done(Box::new(Ok(answer))),
        ])),
    })
}
