//! Embedders in GGUF files, computed by llama.cpp: every architecture that it can pool.

mod prefixes;
mod tokens;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use llama_cpp_2::token::LlamaToken;
use qanda_core::ports::{EmbedderIdentity, TokenCounter};
use qanda_core::{Embedder, ModelError, RequestContext};

pub use self::prefixes::{GivenPrefixes, Prefixes};
use self::tokens::Tokens;
use super::floor::{UNRELATED, relevance_floor};
use crate::batcher::Class;
use crate::bert::normalise;
use crate::llama::{Llama, Pooled, Size, fingerprint, name};

/// An embedder that llama.cpp computes. Texts are pooled as the file says (mean, first or last token), and vectors brought
/// to length 1.
pub struct GgufEmbedder {
    identity: EmbedderIdentity,
    relevance_floor: f32,
    prefixes: Prefixes,
    tokens: Arc<Tokens>,
    pooled: Pooled,
}

/// Most tokens of a text, also where the model could read more: passages are shorter, and memory for the longest text is
/// taken at the start.
const MOST: usize = 2048;

impl GgufEmbedder {
    /// Loads a GGUF file, for `threads` threads.
    ///
    /// # Errors
    /// When llama.cpp cannot load it, it does not say how to pool, or its context does not fit in memory.
    pub fn load(file: &Path, given: GivenPrefixes, threads: usize) -> Result<Self, ModelError> {
        let doing = || format!("loading the embedder {}", file.display());
        let refuse = |what: String| ModelError::failed(doing(), what);
        let llama = Llama::load(file).map_err(refuse)?;
        poolable(&llama).map_err(|what| refuse(what.to_owned()))?;
        let names = ["general.name", "general.basename"].into_iter().filter_map(|key| llama.meta(key));
        let names: Vec<String> = names.chain([name(file)]).collect();
        let prefixes = Prefixes::of(&names, &llama.architecture(), given);
        let window = MOST.min(llama.model.n_ctx_train() as usize);
        let unknown = llama.meta("tokenizer.ggml.unknown_token_id").and_then(|id| id.parse().ok()).map(LlamaToken);
        let tokens = Tokens::new(Arc::clone(&llama.model), window, unknown, prefixes.passage.clone());
        // What goes before every passage is part of what makes the vectors.
        let hash = fingerprint(file, &prefixes.passage).map_err(|cause| ModelError::failed(doing(), cause))?;
        let probes = UNRELATED.iter().map(|text| tokens.of(text)).collect();
        let (pooled, mut probed) = Pooled::start("embed", llama, Size { window, threads }, probes)?;
        probed.iter_mut().for_each(|vector| normalise(vector));
        let dimension = probed.first().map_or(0, Vec::len);
        let identity = EmbedderIdentity { name: format!("{}@{}", name(file), &hash[..8]), dimension };
        Ok(Self { identity, relevance_floor: relevance_floor(&probed), prefixes, tokens: Arc::new(tokens), pooled })
    }

    /// Uses another floor than the measured one (see [`Embedder::relevance_floor`]).
    pub fn set_relevance_floor(&mut self, floor: f32) {
        self.relevance_floor = floor;
    }

    /// The words that go before each text.
    #[must_use]
    pub const fn prefixes(&self) -> &Prefixes {
        &self.prefixes
    }

    /// Counts tokens as this model does, for cutting documents.
    #[must_use]
    pub fn token_counter(&self) -> Arc<dyn TokenCounter> {
        Arc::clone(&self.tokens) as _
    }

    async fn embed(&self, texts: Vec<String>, class: Class) -> Result<Vec<Vec<f32>>, ModelError> {
        let tokens = Arc::clone(&self.tokens);
        let sequences = tokio::task::spawn_blocking(move || texts.iter().map(|text| tokens.of(text)).collect());
        let sequences = sequences.await.map_err(|_| ModelError::Stopped)?;
        let mut vectors = self.pooled.compute(sequences, class).await?;
        vectors.iter_mut().for_each(|vector| normalise(vector));
        Ok(vectors)
    }
}

/// Whether a model makes one vector of a text.
///
/// # Errors
/// When it does not; says what it is.
fn poolable(llama: &Llama) -> Result<(), &'static str> {
    match llama.meta_of_architecture("pooling_type").as_deref() {
        // `llama_pooling_type`: mean, cls, last.
        Some("1" | "2" | "3") => Ok(()),
        Some("4") => Err("it scores pairs of texts: it is a reranker, no embedder"),
        _ => Err("its file does not say how to make one vector of a text (pooling_type), so it is no embedder"),
    }
}

#[async_trait]
impl Embedder for GgufEmbedder {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    fn relevance_floor(&self) -> f32 {
        self.relevance_floor
    }

    async fn embed_queries(&self, _: &RequestContext, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        let texts = texts.iter().map(|text| format!("{}{text}", self.prefixes.query)).collect();
        self.embed(texts, Class::Question).await
    }

    async fn embed_passages(&self, _: &RequestContext, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        let texts = texts.into_iter().map(|text| format!("{}{text}", self.prefixes.passage)).collect();
        self.embed(texts, Class::Passage).await
    }
}
