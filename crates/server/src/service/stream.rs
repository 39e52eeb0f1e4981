use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures::Stream;
use qanda_core::answering::{AnswerEvent, AnswerSink, Pipeline};
use qanda_core::{Question, RequestContext};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::Failure;
use super::task::{Task, in_time};

/// Events that wait for a caller who reads slowly; more of them hold the answer up.
const MOST_WAITING: usize = 64;

/// Events of an answer under way. The last one is [`AnswerEvent::Done`] or a failure. Dropping it cancels the answer.
pub(crate) struct AnswerStream {
    events: Receiver<AnswerEvent>,
    /// Taken once its end was told.
    task: Option<Task<AnswerEvent>>,
}

impl AnswerStream {
    pub(super) fn start(pipeline: Arc<dyn Pipeline>, context: RequestContext, question: Question) -> Self {
        let (sender, events) = channel(MOST_WAITING);
        let answering = async move {
            let sink = Told(sender);
            let answer = in_time(&context, pipeline.answer(&context, question, &sink)).await?;
            Ok(AnswerEvent::Done(Box::new(answer)))
        };
        Self { events, task: Some(Task::spawn(answering)) }
    }
}

impl Stream for AnswerStream {
    type Item = Result<AnswerEvent, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.events.poll_recv(context) {
            Poll::Ready(Some(event)) => return Poll::Ready(Some(Ok(event))),
            Poll::Pending => return Poll::Pending,
            // The task has dropped its end: it has ended, or is about to.
            Poll::Ready(None) => {}
        }
        let Some(task) = &mut self.task else { return Poll::Ready(None) };
        let ended = std::task::ready!(task.poll_join(context));
        self.task = None;
        Poll::Ready(Some(ended))
    }
}

struct Told(Sender<AnswerEvent>);

#[async_trait]
impl AnswerSink for Told {
    async fn tell(&self, event: AnswerEvent) {
        // Nobody receives any more when the caller went away; this answer is then being cancelled.
        let _ = self.0.send(event).await;
    }
}
