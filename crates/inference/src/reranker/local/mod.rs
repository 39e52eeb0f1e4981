//! Rerankers computed here, from a directory: a BERT encoder with a head that gives question and text one score.

mod model;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use qanda_core::{ModelError, RequestContext, Reranker};

use self::model::Model;
use crate::batcher::{Batcher, Class, Limits};
use crate::bert::Sequence;

/// A cross-encoder in this process.
///
/// It reads `[CLS] question [SEP] text [SEP]`; the vector of `[CLS]` goes through BERT's pooler, a layer with tanh, and a
/// linear head with one output (Nogueira and Cho, "Passage Re-ranking with BERT", 2019).
pub struct LocalReranker {
    model: Arc<Model>,
    batcher: Batcher<Sequence, f32>,
}

/// Size of a batch in tokens: about one passage, so that a few of them keep all threads busy.
const LIMITS: Limits<Sequence> = Limits { name: "rerank", batch: 384, size: |pair| pair.ids.len() };

impl LocalReranker {
    /// Loads the model in `directory` and starts `threads` threads for it.
    ///
    /// The directory is a BERT checkpoint for sequence classification as transformers and sentence-transformers' class
    /// `CrossEncoder` save it: `config.json`, `model.safetensors` with a pooler and a `classifier` of one output,
    /// `tokenizer.json`.
    ///
    /// # Errors
    /// When a file is missing, or is not what it should be.
    pub fn load(directory: &Path, threads: usize) -> Result<Self, ModelError> {
        let model = Arc::new(Model::load(directory)?);
        let compute = Arc::clone(&model);
        let batcher = Batcher::start(threads, LIMITS, Arc::new(move |pairs: &[Sequence]| compute.scores(pairs)))
            .map_err(|cause| ModelError::failed("starting the reranker's threads", cause))?;
        Ok(Self { model, batcher })
    }
}

#[async_trait]
impl Reranker for LocalReranker {
    fn name(&self) -> &str {
        &self.model.name
    }

    async fn score(&self, _: &RequestContext, question: &str, texts: Vec<String>) -> Result<Vec<f32>, ModelError> {
        let (model, question) = (Arc::clone(&self.model), question.to_owned());
        let pairs = tokio::task::spawn_blocking(move || model.pairs(&question, &texts));
        let pairs = pairs.await.map_err(|_| ModelError::Stopped)??;
        self.batcher.compute(pairs, Class::Question).await
    }
}
