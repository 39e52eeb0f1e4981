use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use qanda_core::answering::Pipeline;
use qanda_core::{Answer, Question, RequestContext};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use super::body;
use crate::wire::{self, Form, Piece};
use crate::{Problem, Slot};

/// Answers a question, in the form that the caller wants.
pub(crate) async fn question(
    State(services): State<Slot>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let json = body::json(body).await?;
    let services = services.get()?;
    let names: Vec<&str> = services.pipelines.keys().copied().collect();
    let asked = wire::parse_question(&json, &names)?;
    let name = asked.pipeline.as_deref().unwrap_or(services.default_pipeline);
    let pipeline = services.pipelines.get(name).ok_or_else(|| Problem::internal("the default pipeline is missing"))?;
    let form = Form::wanted(&headers, asked.stream);
    let mut running = Running::start(Arc::clone(pipeline), asked.question, form);
    Ok(match form {
        Form::Json => wire::json_response(&running.answer().await?),
        Form::Text => running.answer().await?.text.into_response(),
        Form::Events => {
            // What fails before its first word can still fail with a status of its own.
            let first = match running.next().await {
                Some(Piece::Done(ended)) => Piece::Done(Box::new(Ok((*ended)?))),
                Some(text) => text,
                None => return Err(Problem::internal("the answer has ended already")),
            };
            let rest = futures::stream::unfold(running, |mut running| async { Some((running.next().await?, running)) });
            wire::events(futures::stream::once(async { first }).chain(rest))
        }
    })
}

/// An answer under way, on a task of its own: a panic there is an error here, and dropping this (the caller went
/// away) cancels it.
struct Running {
    pieces: UnboundedReceiver<Piece>,
    task: JoinHandle<()>,
    ended: bool,
}

impl Running {
    /// Starts it; its pieces come only where they are read one by one, as each one wakes the reader.
    fn start(pipeline: Arc<dyn Pipeline>, question: Question, form: Form) -> Self {
        // Bounded by the most tokens of an answer.
        let (sender, pieces) = unbounded_channel();
        let task = tokio::spawn(async move {
            // Nobody receives any more when the caller went away; this task is then being cancelled.
            let mut tell = |text: &str| {
                if form == Form::Events {
                    let _ = sender.send(Piece::Text(text.to_owned()));
                }
            };
            let answer = pipeline.answer(&RequestContext::local(), question, &mut tell).await;
            let _ = sender.send(Piece::Done(Box::new(answer.map_err(Problem::from))));
        });
        Self { pieces, task, ended: false }
    }

    /// The next piece; none after the end.
    async fn next(&mut self) -> Option<Piece> {
        if self.ended {
            return None;
        }
        let piece = self.pieces.recv().await.unwrap_or_else(|| {
            // Without an end the task has panicked.
            Piece::Done(Box::new(Err(Problem::internal("answering the question panicked"))))
        });
        self.ended = matches!(piece, Piece::Done(_));
        Some(piece)
    }

    async fn answer(mut self) -> Result<Answer, Problem> {
        loop {
            match self.next().await {
                Some(Piece::Text(_)) => {}
                Some(Piece::Done(answer)) => return *answer,
                None => return Err(Problem::internal("the answer has ended already")),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
