//! Tokens out of server-sent events.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt};
use qanda_core::ModelError;
use qanda_core::ports::{Finish, Generated};
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use sse_stream::{Sse, SseByteStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};

use crate::openai::{Complaint, Endpoint, Failure, Reply};

/// How long the end of a finished answer is waited for, so that its connection can be used again.
const TAIL: Duration = Duration::from_secs(1);

/// Why the bytes stopped.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Transport(reqwest::Error),
    #[error("too long")]
    TooLong,
}

/// An answer under way.
pub(super) struct Answer {
    events: BoxStream<'static, Result<Sse, sse_stream::Error>>,
    /// Its connection is in use as long as this is here.
    turn: OwnedSemaphorePermit,
    endpoint: Arc<Endpoint>,
    idle: Duration,
    /// Known before the caller asks for it.
    known: Option<Step>,
    /// Whether there was any text.
    said: bool,
}

/// What an event says.
#[derive(Debug)]
enum Step {
    Text(String),
    /// Text, and nothing after it.
    Last(String),
    /// The model reasons; there is nothing to show yet.
    Reasoning,
    /// Nothing about the progress: the role, usage, fields of a server's own.
    Nothing,
    Finished,
    /// The limit of tokens is reached, without a word in this piece.
    OutOfTokens,
}

impl Answer {
    /// Reads until the first token. What fails before it can still be retried.
    pub(super) async fn begin(
        reply: Reply,
        endpoint: Arc<Endpoint>,
        most_bytes: usize,
        idle: Duration,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let Reply { response, turn } = reply;
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.is_empty() && !kind.to_ascii_lowercase().contains("event-stream") {
            let kind = kind.to_owned();
            let body = endpoint.body(response, 64 << 10, deadline).await.unwrap_or_default();
            let said = Complaint::read(&body).message;
            return Err(Failure::Nonsense(format!(
                "it answered with {kind} instead of a stream of events; check OPENAI_BASE_URL ({said})"
            )));
        }
        let events = events(response, most_bytes);
        let mut answer = Self { events, turn, endpoint, idle, known: None, said: false };
        loop {
            let step = timeout_at(deadline, answer.step()).await.map_err(|_| answer.endpoint.silence())??;
            match step {
                Step::Nothing => {}
                Step::Finished => return Err(answer.wordless()),
                step => {
                    answer.known = Some(step);
                    return Ok(answer);
                }
            }
        }
    }

    /// The tokens. It ends after a complete answer or after one error.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Generated, ModelError>> + Send + 'static {
        futures::stream::unfold(Some(self), |answer| async {
            let mut answer = answer?;
            match answer.next().await {
                Ok(Generated::Text(text)) => Some((Ok(Generated::Text(text)), Some(answer))),
                Ok(end) => {
                    answer.release();
                    Some((Ok(end), None))
                }
                Err(failure) => Some((Err(answer.endpoint.error(failure)), None)),
            }
        })
    }

    /// The next piece of text, or the end of a complete answer.
    async fn next(&mut self) -> Result<Generated, Failure> {
        loop {
            let step = match self.known.take() {
                Some(step) => step,
                None => timeout(self.idle, self.step()).await.map_err(|_| self.stalled())??,
            };
            match step {
                Step::Text(text) => {
                    self.said = true;
                    return Ok(Generated::Text(text));
                }
                Step::Last(text) => {
                    self.said = true;
                    self.known = Some(Step::Finished);
                    return Ok(Generated::Text(text));
                }
                Step::OutOfTokens => return Ok(Generated::End(Finish::Length)),
                Step::Finished if self.said => return Ok(Generated::End(Finish::Stop)),
                Step::Finished => return Err(self.wordless()),
                Step::Reasoning | Step::Nothing => {}
            }
        }
    }

    async fn step(&mut self) -> Result<Step, Failure> {
        let event = match self.events.next().await {
            Some(Ok(event)) => event,
            Some(Err(error)) => return Err(self.unreadable(error)),
            None => return Err(self.cut()),
        };
        match event.data.as_deref().map(str::trim) {
            // A finished answer ends with the reason, before this. Without one it may be cut: llama-cpp-python sends
            // it when it drops one answer for the next.
            Some("[DONE]") => Err(self.cut()),
            Some(data) => read(event.event.as_deref(), data),
            None => Ok(Step::Nothing),
        }
    }

    fn unreadable(&self, error: sse_stream::Error) -> Failure {
        let cause = match error {
            sse_stream::Error::Body(cause) => cause.downcast::<Broken>(),
            error => return Failure::Nonsense(format!("its stream is no text: {error}")),
        };
        match cause.map(|broken| *broken) {
            Ok(Broken::Transport(cause)) => self.endpoint.broken(cause),
            Ok(Broken::TooLong) => Failure::Nonsense("its stream is far longer than the answer can be".to_owned()),
            Err(other) => Failure::Connection(format!("the connection to {} broke ({other})", self.endpoint.address())),
        }
    }

    fn cut(&self) -> Failure {
        Failure::Connection(format!("{} stopped before the answer was complete", self.endpoint.address()))
    }

    /// LiteLLM makes a proper end of a failure behind it.
    fn wordless(&self) -> Failure {
        Failure::Connection(format!("{} finished without a word", self.endpoint.address()))
    }

    fn stalled(&self) -> Failure {
        let address = self.endpoint.address();
        Failure::Silence(format!("{address} went silent in the middle of the answer for {:?}", self.idle))
    }

    /// Reads what follows the answer, which nobody needs, for the sake of the connection.
    fn release(self) {
        let Self { mut events, turn, .. } = self;
        let rest = async move {
            let _ = timeout(TAIL, async { while events.next().await.is_some() {} }).await;
            // Until here its connection is in use.
            drop((events, turn));
        };
        let mut rest = Box::pin(rest);
        // Mostly it has come with the last word, and needs no task.
        if rest.as_mut().now_or_never().is_none() {
            tokio::spawn(rest);
        }
    }
}

/// The events of an answer, up to a number of bytes that only a broken endpoint reaches.
fn events(response: Response, most: usize) -> BoxStream<'static, Result<Sse, sse_stream::Error>> {
    let mut left = most;
    let pieces = response.bytes_stream().map(move |piece| {
        let piece = piece.map_err(Broken::Transport)?;
        left = left.checked_sub(piece.len()).ok_or(Broken::TooLong)?;
        Ok::<_, Broken>(piece)
    });
    SseByteStream::new(pieces).boxed()
}

/// A chunk, as leniently as servers write them.
#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
    /// A model's own words when it declines to write JSON of the shape asked for.
    refusal: Option<String>,
    /// vLLM, DeepSeek, llama.cpp.
    reasoning_content: Option<IgnoredAny>,
    /// OpenRouter, Ollama.
    reasoning: Option<IgnoredAny>,
}

fn read(kind: Option<&str>, data: &str) -> Result<Step, Failure> {
    if kind == Some("error") {
        return Err(Failure::Reported(Complaint::read(data.as_bytes())));
    }
    let chunk: Chunk = serde_json::from_str(data)
        .map_err(|cause| Failure::Nonsense(format!("a piece of its stream cannot be read: {cause}")))?;
    if let Some(error) = chunk.error {
        return Err(Failure::Reported(Complaint::of(&error)));
    }
    let Some(choice) = chunk.choices.into_iter().flatten().next() else { return Ok(Step::Nothing) };
    step_of(choice)
}

fn step_of(choice: Choice) -> Result<Step, Failure> {
    let finish = choice.finish_reason.filter(|reason| !reason.is_empty());
    let (mut text, mut reasons) = (String::new(), false);
    if let Some(delta) = choice.delta {
        text = delta.content.into_iter().chain(delta.refusal).collect();
        reasons = delta.reasoning_content.is_some() || delta.reasoning.is_some();
    }
    match finish.as_deref() {
        Some("content_filter") => {
            return Err(Failure::Refused("its content filter stopped the answer".to_owned()));
        }
        Some("error") => return Err(Failure::Nonsense("it gave up in the middle of the answer".to_owned())),
        _ => {}
    }
    Ok(match (text.is_empty(), finish) {
        (false, None) => Step::Text(text),
        (false, Some(_)) => Step::Last(text),
        // Reasoning can use up all tokens. That is the limit that was asked for, and would be so again.
        (true, Some(reason)) if reason == "length" => Step::OutOfTokens,
        (true, Some(_)) => Step::Finished,
        (true, None) if reasons => Step::Reasoning,
        (true, None) => Step::Nothing,
    })
}
