//! An embedder behind any OpenAI-compatible endpoint.

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use qanda_core::ports::{EmbedderIdentity, TokenCounter};
use qanda_core::{Embedder, ModelError, RequestContext};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::openai::{Endpoint, Failure, OpenAiSettings, Reply, estimate_tokens, fitting_start};

/// Most texts of one call. OpenAI takes 2048; smaller servers less.
const BATCH_TEXTS: usize = 256;
/// Most text of one call, in bytes: about 25,000 tokens.
const BATCH_BYTES: usize = 100_000;
/// Calls for passages at the same time. Questions do not wait for them.
const CALLS: usize = 4;
/// Connections for calls of all kinds. Vectors come fast, so many questions can share them.
const CONNECTIONS: usize = 256;
/// Longest answer that is read, in bytes: 256 vectors of 4096 numbers in full precision are 25 MB.
const LONGEST_ANSWER: usize = 64 << 20;

/// Where questions and passages are embedded.
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
        let mut embedder = Self {
            endpoint: Endpoint::new(&endpoint, "OPENAI_EMBEDDING_MODEL")?,
            timeout: settings.endpoint.first_token_timeout,
            identity: EmbedderIdentity { name, dimension: 0 },
            relevance_floor,
            counter: EstimatingCounter::new(settings.max_tokens.max(1)),
            calls: Semaphore::new(CALLS),
        };
        embedder.identity.dimension = embedder.embed_query(&RequestContext::local(), "dimension").await?.len();
        Ok(embedder)
    }

    /// How long texts may be for this model.
    #[must_use]
    pub fn token_counter(&self) -> EstimatingCounter {
        self.counter
    }

    /// One call. Shape of the result: `[texts.len()][dimension]`.
    async fn call(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        let deadline = Instant::now() + self.timeout;
        let input = texts.iter().map(|text| self.readable(text)).collect();
        // The form of the numbers is left out: plain ones are the default everywhere, and some servers know no other.
        let request = EmbeddingRequest { model: self.endpoint.model(), input };
        let answer = self.endpoint.retrying(deadline, || self.attempt(&request, deadline)).await;
        answer.map_err(|failure| self.endpoint.error(failure))
    }

    async fn attempt(&self, request: &EmbeddingRequest<'_>, deadline: Instant) -> Result<Vec<Vec<f32>>, Failure> {
        let Reply { response, turn } = self.endpoint.post(&["embeddings"], request, deadline).await?;
        let body = self.endpoint.body(response, LONGEST_ANSWER, deadline).await?;
        drop(turn);
        vectors(&body, request.input.len(), self.identity.dimension).map_err(Failure::Nonsense)
    }

    /// What the model can read of a text. OpenAI refuses empty ones.
    fn readable<'t>(&self, text: &'t str) -> &'t str {
        if text.is_empty() { " " } else { fitting_start(text, self.counter.max_tokens) }
    }
}

#[async_trait]
impl Embedder for OpenAiEmbedder {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    fn relevance_floor(&self) -> f32 {
        self.relevance_floor
    }

    async fn embed_query(&self, _: &RequestContext, text: &str) -> Result<Vec<f32>, ModelError> {
        self.call(&[text.to_owned()]).await?.pop().ok_or(ModelError::Stopped)
    }

    async fn embed_passages(&self, _: &RequestContext, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        let calls = batches(texts).into_iter().map(|batch| async move {
            let _permit = self.calls.acquire().await.map_err(|_| ModelError::Stopped)?;
            self.call(&batch).await
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

#[derive(Deserialize)]
struct EmbeddingAnswer {
    data: Vec<Embedding>,
}

#[derive(Deserialize)]
struct Embedding {
    index: Option<usize>,
    embedding: Vec<f32>,
}

/// Cosines of unrelated texts are near 0.7 for ada-002 and near 0.1 for what came later.
fn known_floor(model: &str) -> f32 {
    if model.contains("ada-002") { 0.75 } else { 0.2 }
}

/// Texts in calls of bounded size, in order.
fn batches(texts: Vec<String>) -> Vec<Vec<String>> {
    let mut batches: Vec<Vec<String>> = Vec::new();
    let mut bytes = 0;
    for text in texts {
        bytes += text.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_TEXTS && bytes <= BATCH_BYTES => batch.push(text),
            _ => {
                bytes = text.len();
                batches.push(vec![text]);
            }
        }
    }
    batches
}

/// Reads an answer: one vector for each text, in the order of the texts, of unit length, all of one dimension
/// (`dimension` unless it is 0, not known yet). Anything else is a sentence.
fn vectors(body: &[u8], count: usize, dimension: usize) -> Result<Vec<Vec<f32>>, String> {
    let answer: EmbeddingAnswer =
        serde_json::from_slice(body).map_err(|cause| format!("its answer holds no embeddings: {cause}"))?;
    if answer.data.len() != count {
        return Err(format!("it sent {} embeddings for {count} texts", answer.data.len()));
    }
    let mut vectors = vec![Vec::new(); count];
    for (position, embedding) in answer.data.into_iter().enumerate() {
        let index = embedding.index.unwrap_or(position);
        let place = vectors.get_mut(index).filter(|place| place.is_empty());
        *place.ok_or_else(|| format!("its embeddings have no or two vectors for text {index}"))? =
            unit(embedding.embedding).ok_or("an embedding has no direction: it is empty, zero or not a number")?;
    }
    let dimension = if dimension == 0 { vectors.first().map_or(0, Vec::len) } else { dimension };
    match vectors.iter().find(|vector| vector.len() != dimension) {
        Some(other) => Err(format!("its embeddings have {} numbers now, before they had {dimension}", other.len())),
        None => Ok(vectors),
    }
}

/// Scaled to length 1; none if it has no direction.
fn unit(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    // In double precision: squares of large numbers overflow.
    let length = vector.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
    if !length.is_finite() || length == 0.0 {
        return None;
    }
    for number in &mut vector {
        #[expect(clippy::cast_possible_truncation, reason = "at most 1")]
        let scaled = (f64::from(*number) / length) as f32;
        *number = scaled;
    }
    Some(vector)
}

#[cfg(test)]
mod tests {
    use super::{BATCH_TEXTS, batches, unit};

    #[test]
    fn batches_are_bounded_and_keep_the_order() {
        let texts: Vec<String> =
            (0..700).map(|n| format!("{n}")).chain([" ".repeat(99_999), "x".repeat(200_000), "y".into()]).collect();
        let cut = batches(texts.clone());
        assert_eq!(cut.concat(), texts);
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [BATCH_TEXTS, BATCH_TEXTS, 188, 1, 1, 1]);
        assert!(batches(Vec::new()).is_empty());
    }

    #[test]
    fn vectors_without_direction_are_refused() {
        assert_eq!(unit(vec![3.0, 4.0]), Some(vec![0.6, 0.8]));
        assert_eq!(unit(vec![3e38, 0.0]), Some(vec![1.0, 0.0]));
        for wrong in [vec![], vec![0.0, 0.0], vec![f32::INFINITY]] {
            assert_eq!(unit(wrong), None);
        }
    }
}
