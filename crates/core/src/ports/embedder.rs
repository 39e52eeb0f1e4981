use async_trait::async_trait;

use crate::{ModelError, RequestContext};

/// Which model made a vector. Vectors of different identities cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedderIdentity {
    /// Name of the model, with a hash of its weights for a local one.
    pub name: String,
    /// Numbers in a vector.
    pub dimension: usize,
}

/// Turns text into vectors of unit length, so that a dot product is the cosine.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// Which model this is.
    fn identity(&self) -> &EmbedderIdentity;

    /// Cosine from which on a passage has something to do with a question. It differs widely between models:
    /// unrelated texts are near 0 for MiniLM and near 0.75 for E5.
    fn relevance_floor(&self) -> f32;

    /// Embeds what is asked. Shape of the result: `[dimension]`.
    async fn embed_query(&self, context: &RequestContext, text: &str) -> Result<Vec<f32>, ModelError> {
        let mut vectors = self.embed_queries(context, &[text.to_owned()]).await?;
        vectors.pop().ok_or(ModelError::Stopped)
    }

    /// Embeds several texts that are asked together, in the order given. Shape of the result:
    /// `[texts.len()][dimension]`.
    async fn embed_queries(&self, context: &RequestContext, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError>;

    /// Embeds what is searched, in the order given. Shape of the result: `[texts.len()][dimension]`.
    async fn embed_passages(&self, context: &RequestContext, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError>;
}

/// Counts tokens as an embedder does, for cutting documents into passages that it can read whole.
pub trait TokenCounter: Send + Sync {
    /// Tokens of `text`, without the special ones at its ends.
    fn count_tokens(&self, text: &str) -> usize;

    /// Most tokens that the model reads; it ignores what comes after them.
    fn max_tokens(&self) -> usize;
}
