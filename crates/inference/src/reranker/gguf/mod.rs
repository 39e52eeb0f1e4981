//! Rerankers in GGUF files, computed by llama.cpp: encoders with a classification head (BGE, Jina, MiniLM), and Qwen3
//! Reranker, which is asked for a yes or a no.

mod pairs;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use qanda_core::{ModelError, RequestContext, Reranker};

use self::pairs::Pairs;
use crate::batcher::Class;
use crate::llama::{Llama, Pooled, Size, fingerprint, name};

/// A reranker that llama.cpp computes.
///
/// llama.cpp has no token types: of a BERT cross-encoder that was trained with two of them (`ms-marco-MiniLM`), it reads
/// both parts as the first one.
pub struct GgufReranker {
    name: String,
    pairs: Arc<Pairs>,
    pooled: Pooled,
}

/// Most tokens of question and text, also where the model could read more.
const MOST: usize = 1024;

impl GgufReranker {
    /// Loads a GGUF file, for `threads` threads.
    ///
    /// # Errors
    /// When llama.cpp cannot load it, it has no head that scores, or its context does not fit in memory.
    pub fn load(file: &Path, threads: usize) -> Result<Self, ModelError> {
        let doing = || format!("loading the reranker {}", file.display());
        let refuse = |what: String| ModelError::failed(doing(), what);
        let llama = Llama::load(file).map_err(refuse)?;
        // `llama_pooling_type`: rank.
        if llama.meta_of_architecture("pooling_type").as_deref() != Some("4") {
            return Err(refuse(
                "its file has no head that scores (pooling_type rank), so it is no reranker".to_owned(),
            ));
        }
        let (outputs, architecture) = (llama.model.n_cls_out(), llama.architecture());
        // The probabilities of yes and no.
        let says_yes = outputs == 2 && architecture.starts_with("qwen3");
        if outputs != 1 && !says_yes {
            return Err(refuse(format!("its head has {outputs} outputs; a reranker has one")));
        }
        let window = MOST.min(llama.model.n_ctx_train() as usize);
        let pairs = Pairs::of(&llama, window).map_err(refuse)?;
        let hash = fingerprint(file, "").map_err(|cause| ModelError::failed(doing(), cause))?;
        let probes = pairs.of_texts("?", &["!".to_owned()]);
        let (pooled, _) = Pooled::start("rerank", llama, Size { window, threads }, probes)?;
        Ok(Self { name: format!("{}@{}", name(file), &hash[..8]), pairs: Arc::new(pairs), pooled })
    }
}

#[async_trait]
impl Reranker for GgufReranker {
    fn name(&self) -> &str {
        &self.name
    }

    async fn score(&self, _: &RequestContext, question: &str, texts: Vec<String>) -> Result<Vec<f32>, ModelError> {
        let (pairs, question) = (Arc::clone(&self.pairs), question.to_owned());
        let sequences = tokio::task::spawn_blocking(move || pairs.of_texts(&question, &texts));
        let sequences = sequences.await.map_err(|_| ModelError::Stopped)?;
        let scores = self.pooled.compute(sequences, Class::Question).await?;
        // Of yes and no, yes comes first.
        scores.iter().map(|score| score.first().copied().ok_or(ModelError::Stopped)).collect()
    }
}
