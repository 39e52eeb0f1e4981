//! STUB
#![allow(missing_docs)]
use async_trait::async_trait;
use qanda_core::ports::{EmbedderIdentity, TokenCounter};
use qanda_core::{Embedder, ModelError};
pub struct OpenAiEmbedder;
#[derive(Default)]
pub struct OpenAiTokenCounter;
impl TokenCounter for OpenAiTokenCounter {
    fn count_tokens(&self, _: &str) -> usize {
        0
    }
    fn max_tokens(&self) -> usize {
        0
    }
}
impl OpenAiEmbedder {
    pub async fn connect(_: crate::llm::openai::OpenAiSettings, _: Option<f32>) -> Result<Self, ModelError> {
        Err(ModelError::Stopped)
    }
}
#[async_trait]
impl Embedder for OpenAiEmbedder {
    fn identity(&self) -> &EmbedderIdentity {
        unimplemented!()
    }
    fn relevance_floor(&self) -> f32 {
        0.0
    }
    async fn embed_query(&self, _: &str) -> Result<Vec<f32>, ModelError> {
        Err(ModelError::Stopped)
    }
    async fn embed_passages(&self, _: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        Err(ModelError::Stopped)
    }
}
