//! An embedder behind any OpenAI-compatible endpoint.

mod answer;
mod limits;

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use qanda_core::ports::{EmbedderIdentity, TokenCounter};
use qanda_core::{Embedder, ModelError, RequestContext};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Semaphore;

use self::answer::vectors;
use self::limits::{Limits, SharedLimits};
use crate::openai::{
    Deadline, Endpoint, ErrorReport, Failure, OpenAiSettings, Rejection, Reply, end_of, estimate_tokens, fitting_start,
};

/// Calls for passages at the same time. Questions do not wait for them.
const CALLS: usize = 4;
/// Connections for calls of all kinds. Vectors come fast, so many questions can share them.
const CONNECTIONS: usize = 256;
/// Longest answer that is read, in bytes: 256 vectors of 4096 numbers in full precision are 25 MB.
const LONGEST_ANSWER: usize = 64 << 20;
/// Text in the place of an empty one, which OpenAI and others refuse, some even if it is a space.
const NOTHING: &str = ".";

/// Endpoint where questions and passages are embedded.
#[derive(Debug, Clone)]
pub struct OpenAiEmbedderSettings {
    /// The endpoint; `model` names the embedding model. Each call has `first_token_timeout` in all.
    pub endpoint: OpenAiSettings,
    /// See [`Embedder::relevance_floor`]. None takes what is known of the model.
    pub relevance_floor: Option<f32>,
    /// Tokens of a text that the model reads; what comes after them is cut off.
    pub max_tokens: usize,
}

impl OpenAiEmbedderSettings {
    /// Defaults for an endpoint: 8191 tokens, as OpenAI's models read.
    #[must_use]
    pub fn new(endpoint: OpenAiSettings) -> Self {
        Self { endpoint, relevance_floor: None, max_tokens: 8191 }
    }
}

/// A model at an OpenAI-compatible endpoint.
pub struct OpenAiEmbedder {
    endpoint: Endpoint,
    timeout: Duration,
    identity: EmbedderIdentity,
    relevance_floor: f32,
    counter: EstimatingCounter,
    calls: Semaphore,
    limits: SharedLimits,
}

/// Counts tokens by estimate, for models whose tokenizer is not known; see [`estimate_tokens`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EstimatingCounter {
    max_tokens: usize,
}

impl EstimatingCounter {
    /// For a model that reads this many tokens.
    #[must_use]
    pub const fn new(max_tokens: usize) -> Self {
        Self { max_tokens }
    }
}

impl TokenCounter for EstimatingCounter {
    fn count_tokens(&self, text: &str) -> usize {
        estimate_tokens(text)
    }

    fn max_tokens(&self) -> usize {
        self.max_tokens
    }
}

impl OpenAiEmbedder {
    /// Embeds one text to learn the dimension of the model's vectors.
    ///
    /// # Errors
    /// When the settings cannot be used, or the endpoint does not embed.
    pub async fn connect(settings: OpenAiEmbedderSettings) -> Result<Self, ModelError> {
        let name = settings.endpoint.model.clone();
        let relevance_floor = settings.relevance_floor.unwrap_or_else(|| known_floor(&name));
        let endpoint = OpenAiSettings {
            max_connections: settings.endpoint.max_connections.min(CONNECTIONS),
            ..settings.endpoint.clone()
        };
        let limits = Limits::new(settings.max_tokens);
        let mut embedder = Self {
            endpoint: Endpoint::new(&endpoint)?,
            timeout: settings.endpoint.first_token_timeout,
            identity: EmbedderIdentity { name, dimension: 0 },
            relevance_floor,
            counter: EstimatingCounter::new(limits.tokens),
            calls: Semaphore::new(CALLS),
            limits: SharedLimits::new(limits),
        };
        embedder.identity.dimension = embedder.embed_query(&RequestContext::local(), "dimension").await?.len();
        Ok(embedder)
    }

    /// Length that texts may have for this model.
    #[must_use]
    pub fn token_counter(&self) -> EstimatingCounter {
        self.counter
    }

    /// Vectors of some texts, in one call or, where the endpoint takes less than that, in several. Shape of the result:
    /// `[texts.len()][dimension]`.
    async fn embed(&self, context: &RequestContext, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut limits = self.limits.get();
        let mut vectors = Vec::with_capacity(texts.len());
        while vectors.len() < texts.len() {
            let rest = &texts[vectors.len()..];
            let batch = &rest[..rest.len().min(limits.texts)];
            let rejection = match self.call(context, batch, limits.tokens).await {
                Ok(more) => {
                    // Only limits that helped are kept: a refusal may have had another reason.
                    self.limits.narrow(limits);
                    vectors.extend(more);
                    continue;
                }
                Err(Failure::Rejected(rejection)) => rejection,
                Err(failure) => return Err(self.endpoint.error(failure)),
            };
            let longest = batch.iter().map(|text| estimate_tokens(text)).max().unwrap_or(0);
            match limits.after(&rejection, batch.len(), longest) {
                Some(narrower) => limits = narrower,
                None => return Err(self.endpoint.error(Failure::Rejected(rejection))),
            }
            tracing::debug!(?limits, status = rejection.status, "the endpoint takes less in one call");
        }
        Ok(vectors)
    }

    async fn call(&self, context: &RequestContext, texts: &[String], tokens: usize) -> Result<Vec<Vec<f32>>, Failure> {
        let deadline = Deadline::within(self.timeout, end_of(context));
        let input = texts.iter().map(|text| readable(text, tokens)).collect();
        // The form of the numbers is left out: plain ones are the default everywhere, and some servers know no other.
        let request = EmbeddingRequest { model: self.endpoint.model(), input };
        self.endpoint.retrying(deadline, || self.attempt(&request, deadline)).await
    }

    async fn attempt(&self, request: &EmbeddingRequest<'_>, deadline: Deadline) -> Result<Vec<Vec<f32>>, Failure> {
        let Reply { response, permit } = self.endpoint.post(&["embeddings"], request, deadline).await?;
        let body = self.endpoint.body(response, LONGEST_ANSWER, deadline).await?;
        drop(permit);
        let answer: Value = serde_json::from_slice(&body).map_err(|cause| {
            Failure::Unreadable(format!(
                "its answer holds no embeddings: {cause} ({})",
                ErrorReport::read(&body).shown()
            ))
        })?;
        if let Some(report) = ErrorReport::in_answer(&answer) {
            return Err(Rejection::in_answer(report).into());
        }
        vectors(&answer, request.input.len(), self.identity.dimension).map_err(Failure::Unreadable)
    }
}

/// The part of a text that the model can read.
fn readable(text: &str, tokens: usize) -> &str {
    if text.trim().is_empty() { NOTHING } else { fitting_start(text, tokens) }
}

#[async_trait]
impl Embedder for OpenAiEmbedder {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    fn relevance_floor(&self) -> f32 {
        self.relevance_floor
    }

    async fn embed_queries(&self, context: &RequestContext, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        self.embed(context, texts).await
    }

    async fn embed_passages(&self, context: &RequestContext, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        let calls = self.limits.get().batches(texts).into_iter().map(|batch| async move {
            let _permit = self.calls.acquire().await.map_err(|_| ModelError::Stopped)?;
            self.embed(context, &batch).await
        });
        let batches: Vec<_> = futures::stream::iter(calls).buffered(CALLS).try_collect().await?;
        Ok(batches.into_iter().flatten().collect())
    }
}

#[derive(Serialize)]
struct EmbeddingRequest<'a> {
    model: &'a str,
    input: Vec<&'a str>,
}

/// Cosines of unrelated texts are near 0.7 for ada-002 and near 0.1 for what came later.
fn known_floor(model: &str) -> f32 {
    if model.contains("ada-002") { 0.75 } else { 0.2 }
}
