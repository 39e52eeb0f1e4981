//! A request on its way to the engine, and the answer on its way back.

use std::time::Instant;

use futures::{StreamExt, stream};
use llama_cpp_2::token::LlamaToken;
use qanda_core::ModelError;
use qanda_core::ports::{Finish, Generated, GenerationStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A request for the engine. `S` chooses the tokens of its answer.
pub(super) struct Request<S> {
    /// The prompt.
    pub(super) tokens: Vec<LlamaToken>,
    /// Most tokens to generate.
    pub(super) max_tokens: usize,
    pub(super) sampler: S,
    /// Moment from which on nobody wants the answer.
    pub(super) deadline: Option<Instant>,
    pub(super) reply: Reply,
}

/// The engine's side of an answer. Dropping it without [`Reply::end`] or [`Reply::fail`], as a panic does, is a failure
/// for the caller.
pub(super) struct Reply(UnboundedSender<Result<Generated, ModelError>>);

/// Both sides of an answer.
pub(super) fn answer() -> (Reply, GenerationStream) {
    let (reply, receiver) = unbounded_channel();
    (Reply(reply), stream::unfold(Some(receiver), next).boxed())
}

type Incoming = UnboundedReceiver<Result<Generated, ModelError>>;

/// The next item; the state is none once the answer has ended or failed.
async fn next(state: Option<Incoming>) -> Option<(Result<Generated, ModelError>, Option<Incoming>)> {
    let mut receiver = state?;
    match receiver.recv().await {
        Some(Ok(Generated::Text(text))) => Some((Ok(Generated::Text(text)), Some(receiver))),
        Some(last) => Some((last, None)),
        None => Some((Err(ModelError::Stopped), None)),
    }
}

impl Reply {
    /// Whether the caller went away.
    pub(super) fn is_abandoned(&self) -> bool {
        self.0.is_closed()
    }

    /// Passes text on. A caller who went away does not need it, and neither what the other methods send.
    pub(super) fn text(&self, text: String) {
        let _ = self.0.send(Ok(Generated::Text(text)));
    }

    /// Says that the answer is complete, and why.
    pub(super) fn end(self, finish: Finish) {
        let _ = self.0.send(Ok(Generated::End(finish)));
    }

    /// Says that there will be no more.
    pub(super) fn fail(self, error: ModelError) {
        let _ = self.0.send(Err(error));
    }
}
