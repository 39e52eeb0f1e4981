//! Tasks that end with whoever waits for them, and at their deadline.

use std::pin::Pin;
use std::task::{Context, Poll};

use qanda_core::{AnswerError, RequestContext};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::Failure;

/// A task that is cancelled when this is dropped. A panic in it is a failure here.
pub(super) struct Task<T>(JoinHandle<Result<T, Failure>>);

impl<T: Send + 'static> Task<T> {
    pub(super) fn spawn(work: impl Future<Output = Result<T, Failure>> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    /// Waits for its end.
    pub(super) async fn join(mut self) -> Result<T, Failure> {
        std::future::poll_fn(|context| self.poll_join(context)).await
    }

    pub(super) fn poll_join(&mut self, context: &mut Context<'_>) -> Poll<Result<T, Failure>> {
        // It is cancelled by nobody else, so that any error is a panic.
        Pin::new(&mut self.0).poll(context).map(|ended| ended.unwrap_or(Err(Failure::Panicked)))
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Ends work at the deadline of its request, by dropping it; work that would begin behind it does not.
pub(super) async fn in_time<T>(
    context: &RequestContext,
    work: impl Future<Output = Result<T, AnswerError>>,
) -> Result<T, Failure> {
    if context.is_late() {
        return Err(Failure::Late);
    }
    let done = match context.deadline {
        Some(deadline) => timeout_at(Instant::from_std(deadline), work).await.map_err(|_| Failure::Late)?,
        None => work.await,
    };
    done.map_err(Failure::Answer)
}
