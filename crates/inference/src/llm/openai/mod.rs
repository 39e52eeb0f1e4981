//! A language model behind any OpenAI-compatible endpoint: chat completions, streamed.
//!
//! Endpoints speak dialects. What one refuses is asked for in a plainer form (`dialect`), what it sends is read in
//! every shape that is known (`chunk`, `events`), and what it has shown of itself is kept (`profile`).

mod answer;
mod chunk;
mod dialect;
mod events;
mod frames;
mod profile;
mod request;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use qanda_core::ports::{GenerationStream, Prompt};
use qanda_core::{LanguageModel, ModelError, RequestContext};
use tokio::time::Instant;

use self::answer::Answer;
use self::profile::Profile;
use self::request::ChatRequest;
use crate::llm::thoughts::Opening;
use crate::openai::{Deadline, Endpoint, Failure, OpenAiSettings, end_of, estimate_tokens};

/// Fewest tokens for reasoning that are worth a second try.
const LEAST_REASONING: usize = 64;

/// A model at an OpenAI-compatible endpoint.
pub struct OpenAiModel {
    endpoint: Arc<Endpoint>,
    context_window: usize,
    reasoning_tokens: usize,
    first_token_timeout: Duration,
    idle_timeout: Duration,
    shared: SharedProfile,
}

/// Keeps what is known of an endpoint, for all answers.
#[derive(Debug, Clone)]
struct SharedProfile(Arc<Mutex<Profile>>);

impl SharedProfile {
    fn profile(&self) -> Profile {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, seen: Profile) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).learn(seen);
    }
}

/// How long an answer under way is waited for.
#[derive(Debug, Clone, Copy)]
struct TimeLimits {
    /// Between two pieces.
    idle: Duration,
    /// In all.
    request: Option<Instant>,
}

impl OpenAiModel {
    /// Sets up the connection pool; nothing is sent yet, so an endpoint may start after this.
    ///
    /// # Errors
    /// When the address is none, or the key cannot be sent in a header.
    pub fn new(settings: &OpenAiSettings) -> Result<Self, ModelError> {
        let endpoint = Arc::new(Endpoint::new(settings)?);
        let mut profile = Profile::of(endpoint.host());
        if settings.reasoning_tokens == 0 {
            // Whoever runs this says that the model does not reason, so that nothing has to be held.
            profile.opening = Opening::Answer;
        }
        let shared = SharedProfile(Arc::new(Mutex::new(profile)));
        Ok(Self {
            endpoint,
            context_window: settings.context_window,
            reasoning_tokens: settings.reasoning_tokens,
            first_token_timeout: settings.first_token_timeout,
            idle_timeout: settings.idle_timeout,
            shared,
        })
    }

    fn error(&self, failure: Failure, prompt: &Prompt) -> ModelError {
        let tokens = estimate(prompt);
        match &failure {
            Failure::Rejected(rejection) if rejection.is_about_length() => {
                let (sent, limit) = rejection.report.lengths();
                let tokens = sent.unwrap_or(tokens);
                // An estimate below the limit would contradict what the endpoint says.
                ModelError::PromptTooLong { tokens, limit: limit.filter(|limit| *limit < tokens) }
            }
            // Some servers die of a prompt that is too long without a word.
            Failure::Connection(_) if tokens > self.context_window => {
                ModelError::PromptTooLong { tokens, limit: Some(self.context_window) }
            }
            _ => self.endpoint.error(failure),
        }
    }

    /// Asks in the richest form that the endpoint is not known to refuse, and in plainer ones as it refuses them; with
    /// more tokens where the model used up those of its answer for thoughts. Returns when the answer's text begins.
    async fn ask(&self, context: &RequestContext, prompt: &Prompt) -> Result<Answer, Failure> {
        let request = end_of(context);
        let mut asked = self.shared.profile();
        let mut deadline = Deadline::within(self.first_token_timeout, request);
        let mut most_reasoning = self.reasoning_tokens;
        loop {
            let room = self.room_to_reason(prompt, asked).min(most_reasoning);
            let reasoning = if asked.reasons { room } else { 0 };
            let failure = match self.try_to_ask(prompt, asked, reasoning, request, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match &failure {
                Failure::Rejected(rejection) if rejection.is_about_length() && reasoning > 0 => {
                    // It is the room for thoughts that does not fit.
                    let limit = rejection.report.lengths().1;
                    match limit.filter(|limit| *limit < self.window(asked)) {
                        Some(limit) => asked.window = Some(limit),
                        None => most_reasoning = 0,
                    }
                }
                Failure::Rejected(rejection) => {
                    let Some(plainer) = asked.dialect.after(rejection, prompt) else { return Err(failure) };
                    asked.dialect = plainer;
                    let words = self.endpoint.without_key(&rejection.report.shown());
                    tracing::debug!(words, dialect = ?plainer, "the endpoint refuses this form, trying another");
                }
                Failure::OnlyReasoning { truncated: true } if !asked.reasons && room > 0 => {
                    // What worked so far is kept, whatever becomes of this try.
                    self.shared.learn(Profile { reasons: true, ..asked });
                    asked = self.shared.profile();
                    deadline = Deadline::within(self.first_token_timeout, request);
                    tracing::debug!("the model used up its tokens for thoughts, asking with more");
                }
                _ => return Err(failure),
            }
        }
    }

    async fn try_to_ask(
        &self,
        prompt: &Prompt,
        asked: Profile,
        reasoning: usize,
        request: Option<Instant>,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        let body = ChatRequest::new(self.endpoint.model(), prompt, asked.dialect, reasoning);
        let limits = TimeLimits { idle: self.idle_timeout, request };
        // All that fails before the model shows itself can be tried again.
        let attempt = || async {
            let reply = self.endpoint.post(&["chat", "completions"], &body, deadline).await?;
            let (endpoint, shared) = (Arc::clone(&self.endpoint), self.shared.clone());
            Answer::begin(reply, endpoint, body.most_bytes(), limits, shared, asked, deadline).await
        };
        let mut answer = self.endpoint.retrying(deadline, attempt).await?;
        // Only what worked is remembered: a refusal may have had another reason.
        self.shared.learn(asked);
        answer.until_text().await?;
        Ok(answer)
    }

    /// Tokens that a prompt and its answer may take together.
    fn window(&self, asked: Profile) -> usize {
        asked.window.map_or(self.context_window, |window| window.min(self.context_window))
    }

    /// Tokens that the model may take for thoughts.
    fn room_to_reason(&self, prompt: &Prompt, asked: Profile) -> usize {
        let room = self.window(asked).saturating_sub(estimate(prompt) + prompt.max_tokens);
        let room = room.min(self.reasoning_tokens);
        if room < LEAST_REASONING { 0 } else { room }
    }
}

fn estimate(prompt: &Prompt) -> usize {
    prompt.messages.iter().map(|message| estimate_tokens(&message.content)).sum()
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

    /// Returns when the first token of the answer is here. Dropping the future or the stream closes the connection.
    async fn generate(&self, context: &RequestContext, prompt: Prompt) -> Result<GenerationStream, ModelError> {
        let answer = self.ask(context, &prompt).await.map_err(|failure| self.error(failure, &prompt))?;
        Ok(answer.into_stream().boxed())
    }
}
