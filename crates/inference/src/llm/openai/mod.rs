//! STUB
#![allow(missing_docs)]
use async_trait::async_trait;
use qanda_core::ports::{Prompt, TokenStream};
use qanda_core::{LanguageModel, ModelError};
use std::time::Duration;
#[derive(Debug, Clone, Default)]
pub struct OpenAiSettings {
    pub base_url: String,
    pub api_key: Option<String>,
    pub organisation: Option<String>,
    pub project: Option<String>,
    pub model: String,
    pub context_window: usize,
    pub max_retries: u32,
    pub first_token_timeout: Duration,
    pub idle_timeout: Duration,
}
pub struct OpenAiModel;
impl OpenAiModel {
    pub fn new(_: OpenAiSettings) -> Result<Self, ModelError> {
        Ok(Self)
    }
}
#[async_trait]
impl LanguageModel for OpenAiModel {
    fn name(&self) -> &str {
        ""
    }
    fn context_window(&self) -> usize {
        0
    }
    fn count_tokens(&self, _: &str) -> usize {
        0
    }
    async fn generate(&self, _: Prompt) -> Result<TokenStream, ModelError> {
        Err(ModelError::Stopped)
    }
}
