use async_trait::async_trait;

use crate::{ModelError, RequestContext};

/// Reads a question together with each of several texts, and says how well they go together.
///
/// It sees more than a search does, which compares two summaries made apart, and takes a forward pass for each text.
#[async_trait]
pub trait Reranker: Send + Sync {
    /// Name of the model, with a hash of its weights.
    fn name(&self) -> &str;

    /// Scores of the texts for a question, in their order: the higher, the better, on the model's own scale. Of what is
    /// longer than the model reads, the start counts.
    async fn score(&self, context: &RequestContext, question: &str, texts: Vec<String>)
    -> Result<Vec<f32>, ModelError>;
}
