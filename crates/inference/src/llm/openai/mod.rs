//! A language model behind any OpenAI-compatible endpoint: chat completions, streamed.

mod dialect;
mod request;
mod stream;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use qanda_core::ports::{GenerationStream, Prompt};
use qanda_core::{LanguageModel, ModelError, RequestContext};
use tokio::time::Instant;

use self::dialect::Dialect;
use self::request::ChatRequest;
use self::stream::Answer;
use crate::openai::{Endpoint, Failure, OpenAiSettings, estimate_tokens};

/// A model at an OpenAI-compatible endpoint.
pub struct OpenAiModel {
    endpoint: Arc<Endpoint>,
    context_window: usize,
    first_token_timeout: Duration,
    idle_timeout: Duration,
    /// What the endpoint has been found to understand.
    dialect: Mutex<Dialect>,
}

impl OpenAiModel {
    /// Sets up the connection pool; nothing is sent yet, so an endpoint may start after this.
    ///
    /// # Errors
    /// When the address is none, or the key cannot be sent in a header.
    pub fn new(settings: &OpenAiSettings) -> Result<Self, ModelError> {
        Ok(Self {
            endpoint: Arc::new(Endpoint::new(settings, "OPENAI_MODEL")?),
            context_window: settings.context_window,
            first_token_timeout: settings.first_token_timeout,
            idle_timeout: settings.idle_timeout,
            dialect: Mutex::new(Dialect::default()),
        })
    }

    /// Some servers die of a prompt that is too long without a word.
    fn error(&self, failure: Failure, prompt: &Prompt) -> ModelError {
        let tokens: usize = prompt.messages.iter().map(|message| estimate_tokens(&message.content)).sum();
        if matches!(failure, Failure::Connection(_)) && tokens > self.context_window {
            return ModelError::PromptTooLong { tokens, limit: self.context_window };
        }
        self.endpoint.error(failure)
    }

    fn dialect(&self) -> MutexGuard<'_, Dialect> {
        self.dialect.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks in the richest form that the endpoint is not known to refuse, and in plainer ones as it refuses them.
    async fn ask(&self, prompt: &Prompt, deadline: Instant) -> Result<Answer, Failure> {
        let mut dialect = *self.dialect();
        loop {
            let request = ChatRequest::new(self.endpoint.model(), prompt, dialect);
            let failure = match self.endpoint.retrying(deadline, || self.begin(&request, deadline)).await {
                Ok(answer) => {
                    // Only what worked is remembered: a refusal may have had another reason.
                    self.dialect().learn(dialect);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            let Failure::Rejected(rejection) = &failure else { return Err(failure) };
            match dialect.after(rejection, prompt) {
                Some(plainer) => dialect = plainer,
                None => return Err(failure),
            }
            tracing::debug!(status = rejection.status, ?dialect, "the endpoint refuses a field, asking without it");
        }
    }

    /// One try: sends the request and waits for the first token, so that all that fails before it can be retried.
    async fn begin(&self, request: &ChatRequest<'_>, deadline: Instant) -> Result<Answer, Failure> {
        let reply = self.endpoint.post(&["chat", "completions"], request, deadline).await?;
        Answer::begin(reply, Arc::clone(&self.endpoint), request.most_bytes(), self.idle_timeout, deadline).await
    }
}

#[async_trait]
impl LanguageModel for OpenAiModel {
    fn name(&self) -> &str {
        self.endpoint.model()
    }

    fn context_window(&self) -> usize {
        self.context_window
    }

    /// Estimated; see [`estimate_tokens`].
    fn count_tokens(&self, text: &str) -> usize {
        estimate_tokens(text)
    }

    /// Returns when the first token is here. Dropping the future or the stream closes the connection.
    async fn generate(&self, _: &RequestContext, prompt: Prompt) -> Result<GenerationStream, ModelError> {
        let deadline = Instant::now() + self.first_token_timeout;
        let answer = self.ask(&prompt, deadline).await.map_err(|failure| self.error(failure, &prompt))?;
        Ok(answer.into_stream().boxed())
    }
}
