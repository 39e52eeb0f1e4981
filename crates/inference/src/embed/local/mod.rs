//! Embedders computed here, from a sentence-transformers directory.

mod config;
mod counter;
mod modules;
mod pooling;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use qanda_core::ports::{EmbedderIdentity, TokenCounter};
use qanda_core::{Embedder, ModelError, RequestContext};
use tokenizers::{Tokenizer, TruncationParams};

use self::config::Config;
use self::counter::Counter;
use self::modules::Modules;
use super::floor::{UNRELATED, relevance_floor};
use crate::batcher::{Batcher, Class, Limits};
use crate::bert::{Checkpoint, Sequence, sha256};

/// A BERT encoder (MiniLM, BGE, E5, …) in this process.
pub struct LocalEmbedder {
    identity: EmbedderIdentity,
    relevance_floor: f32,
    model: Arc<Model>,
    batcher: Batcher<String, Vec<f32>>,
}

struct Model {
    config: Config,
    modules: Modules,
    /// Cuts texts at the model's limit.
    tokenizer: Tokenizer,
    counter: Counter,
    checkpoint: Checkpoint,
}

/// Size of a batch in bytes of text: about 1,000 tokens, enough for the matrix kernel to run at full speed, and little
/// enough (some 0.25 s on one core, docs/models.md) that nobody waits long behind it.
const LIMITS: Limits<String> = Limits { name: "embed", batch: 4096, size: String::len };

impl LocalEmbedder {
    /// Loads the model in `directory` and starts `threads` threads for it.
    ///
    /// The directory is laid out as sentence-transformers saves it: `config.json`, `model.safetensors`,
    /// `tokenizer.json`, and where they exist `modules.json` with the folders of its modules, `sentence_bert_config.json`,
    /// `config_sentence_transformers.json`.
    ///
    /// # Errors
    /// When a file is missing, does not describe a BERT encoder, or asks for something that cannot be computed here.
    pub fn load(directory: &Path, threads: usize) -> Result<Self, ModelError> {
        let checkpoint = Checkpoint::load(directory)?;
        let shape = checkpoint.encoder.shape();
        let config = Config::read(directory, shape.positions)?;
        let modules = Modules::read(directory, shape.hidden)?;
        if let Some(measure) =
            config.similarity.as_deref().filter(|measure| *measure != "cosine" && !modules.normalises)
        {
            let what = format!("it compares vectors by \"{measure}\", but only cosine can be used");
            return Err(ModelError::failed(format!("reading {}", directory.display()), what));
        }
        let identity = EmbedderIdentity { name: identity(&checkpoint, &modules), dimension: modules.dimension };
        let tokenizer = cutting(&checkpoint.tokenizer, config.max_tokens)?;
        let counter = Counter::new(Tokenizer::clone(&checkpoint.tokenizer));
        let model = Arc::new(Model { config, modules, tokenizer, counter, checkpoint });
        let relevance_floor = relevance_floor(&model.embed(&UNRELATED.map(str::to_owned)));
        let compute = Arc::clone(&model);
        let batcher = Batcher::start(threads, LIMITS, Arc::new(move |texts: &[String]| compute.embed(texts)))
            .map_err(|cause| ModelError::failed("starting the embedder's threads", cause))?;
        Ok(Self { identity, relevance_floor, model, batcher })
    }

    /// Uses another floor than the measured one (see [`Embedder::relevance_floor`]).
    pub fn set_relevance_floor(&mut self, floor: f32) {
        self.relevance_floor = floor;
    }

    /// Counts tokens as this model does, for cutting documents.
    #[must_use]
    pub fn token_counter(&self) -> Arc<dyn TokenCounter> {
        Arc::clone(&self.model) as Arc<dyn TokenCounter>
    }

    /// The encoder, for others that stand on it.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        self.model.checkpoint.clone()
    }
}

#[async_trait]
impl Embedder for LocalEmbedder {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    fn relevance_floor(&self) -> f32 {
        self.relevance_floor
    }

    async fn embed_queries(&self, _: &RequestContext, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        let prompt = &self.model.config.prompts.query;
        let texts = texts.iter().map(|text| format!("{prompt}{text}")).collect();
        self.batcher.compute(texts, Class::Question).await
    }

    async fn embed_passages(&self, _: &RequestContext, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        let prompt = &self.model.config.prompts.passage;
        let texts = texts.into_iter().map(|text| format!("{prompt}{text}")).collect();
        self.batcher.compute(texts, Class::Passage).await
    }
}

impl Model {
    fn embed(&self, texts: &[String]) -> Vec<Vec<f32>> {
        let tokens: Vec<Sequence> = texts.iter().map(|text| self.tokens(text)).collect();
        let mut packed = self.checkpoint.encoder.look_up(tokens.iter());
        packed.run(self.checkpoint.encoder.layers());
        let hidden = self.checkpoint.encoder.shape().hidden;
        packed.texts().map(|text| self.modules.vector(text, hidden)).collect()
    }

    /// Token ids with the special ones. A tokenizer fails only on a broken vocabulary; the text is then unknown
    /// as a whole, which embeds to something far from everything.
    fn tokens(&self, text: &str) -> Sequence {
        let lowered = self.config.lowercase.then(|| text.to_lowercase());
        let ids = match self.tokenizer.encode_fast(lowered.as_deref().unwrap_or(text), true) {
            Ok(encoding) => encoding.get_ids().to_vec(),
            Err(error) => {
                tracing::warn!(%error, "a text could not be tokenised");
                vec![0]
            }
        };
        Sequence { second: ids.len(), ids }
    }
}

impl TokenCounter for Model {
    fn count_tokens(&self, text: &str) -> usize {
        self.counter.count(text)
    }

    fn max_tokens(&self) -> usize {
        let prompt = self.counter.count(&self.config.prompts.passage);
        self.config.max_tokens.saturating_sub(2 + prompt)
    }
}

/// Name of the directory with the first digits of a hash of all that makes its vectors.
fn identity(checkpoint: &Checkpoint, modules: &Modules) -> String {
    match &modules.fingerprint {
        None => checkpoint.identity(),
        Some(fingerprint) => {
            let both = sha256(format!("{}{fingerprint}", checkpoint.sha256()).as_bytes());
            let name = checkpoint.identity();
            format!("{}@{}", name.rsplit_once('@').map_or(name.as_str(), |(name, _)| name), &both[..8])
        }
    }
}

/// The tokenizer, cutting at `max_tokens`.
fn cutting(tokenizer: &Tokenizer, max_tokens: usize) -> Result<Tokenizer, ModelError> {
    let mut tokenizer = tokenizer.clone();
    let truncation = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
    tokenizer
        .with_truncation(Some(truncation))
        .map_err(|cause| ModelError::failed(format!("cutting texts at {max_tokens} tokens"), cause))?;
    Ok(tokenizer)
}
