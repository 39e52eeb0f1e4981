//! One question over HTTP.

use std::future::Future;

use axum::body::Bytes;
use futures::StreamExt;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, Url};
use serde_json::Value;
use tokio::time::Instant;

use crate::events::Events;
use crate::failure::{Failure, FailureKind};

/// Something that questions can be sent to.
pub(crate) trait Ask: Send + Sync + 'static {
    /// Sends the question with a number and waits for the end of the answer.
    fn ask(&self, number: usize) -> impl Future<Output = Outcome> + Send;
}

/// Outcome of one question.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) status: Option<u16>,
    /// Arrival of the first piece of a streamed answer.
    pub(crate) first_token: Option<Instant>,
    pub(crate) tokens: u64,
    pub(crate) failure: Option<Failure>,
}

/// A server that speaks HTTP.
pub(crate) struct Http {
    pub(crate) client: Client,
    pub(crate) url: Url,
    /// Whole bodies of the questions, which take turns.
    pub(crate) bodies: Vec<Bytes>,
}

/// As much of a refusal is kept.
const LONGEST_DETAIL: usize = 300;

impl Ask for Http {
    async fn ask(&self, number: usize) -> Outcome {
        let body = self.bodies[number % self.bodies.len()].clone();
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        let mut outcome = Outcome::default();
        match request.send().await {
            Ok(response) => {
                outcome.status = Some(response.status().as_u16());
                outcome.failure = read(response, &mut outcome).await.err();
            }
            Err(error) => outcome.failure = Some(Failure::of_sending(&error)),
        }
        outcome
    }
}

/// Reads a response to its end, in whichever form the server answers.
async fn read(response: Response, outcome: &mut Outcome) -> Result<(), Failure> {
    let status = response.status();
    if !status.is_success() {
        let text = response.text().await.unwrap_or_default();
        let detail: String = text.chars().take(LONGEST_DETAIL).collect();
        return Err(Failure::new(FailureKind::Status(status.as_u16()), detail));
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("text/event-stream") {
        return read_events(response, outcome).await;
    }
    let body = response.bytes().await.map_err(|error| Failure::of_reading(&error))?;
    outcome.tokens = tokens(&body);
    Ok(())
}

/// Reads events. Only `done` is the end of an answer: a stream that just stops has been cut off.
async fn read_events(response: Response, outcome: &mut Outcome) -> Result<(), Failure> {
    let mut events = Events::default();
    let mut bytes = response.bytes_stream();
    let mut done = false;
    while let Some(chunk) = bytes.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(_) if done => break,
            Err(error) => return Err(Failure::of_reading(&error)),
        };
        for (name, data) in events.push(&chunk) {
            match name.as_str() {
                "token" => {
                    outcome.first_token.get_or_insert_with(Instant::now);
                }
                "error" => {
                    return Err(Failure::new(
                        FailureKind::ErrorEvent,
                        data.chars().take(LONGEST_DETAIL).collect::<String>(),
                    ));
                }
                "done" => {
                    outcome.tokens = tokens(data.as_bytes());
                    done = true;
                }
                _ => {}
            }
        }
    }
    // The body is read to its end even after `done`; only then can the connection be used again.
    if done { Ok(()) } else { Err(Failure::new(FailureKind::Cut, "the events stopped before `done`")) }
}

/// The tokens of an answer, where it tells them. Other services may answer otherwise.
fn tokens(answer: &[u8]) -> u64 {
    serde_json::from_slice::<Value>(answer).ok().and_then(|answer| answer["tokens"].as_u64()).unwrap_or(0)
}
