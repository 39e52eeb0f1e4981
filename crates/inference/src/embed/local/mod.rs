//! Embedders computed here, from a sentence-transformers directory.

mod config;
mod counter;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use qanda_core::ports::{EmbedderIdentity, TokenCounter};
use qanda_core::{Embedder, ModelError, RequestContext};
use tokenizers::{Tokenizer, TruncationParams};

use self::config::{Config, Pooling};
use self::counter::Counter;
use crate::batcher::{Batcher, Class, Limits};
use crate::bert::{Checkpoint, Sequence, add, normalise};

/// A BERT encoder (MiniLM, BGE, E5, …) in this process.
pub struct LocalEmbedder {
    identity: EmbedderIdentity,
    relevance_floor: f32,
    model: Arc<Model>,
    batcher: Batcher<String, Vec<f32>>,
}

struct Model {
    config: Config,
    /// Cuts texts at the model's limit.
    tokenizer: Tokenizer,
    counter: Counter,
    checkpoint: Checkpoint,
}

/// Size of a batch in bytes of text: about 1,000 tokens, enough for the matrix kernel to run at full speed, and little
/// enough (some 0.4 s on one core at the rate of docs/benchmarks.md) that nobody waits long behind it.
const LIMITS: Limits<String> = Limits { name: "embed", batch: 4096, size: String::len };

impl LocalEmbedder {
    /// Loads the model in `directory` and starts `threads` threads for it.
    ///
    /// The directory is laid out as sentence-transformers saves it: `config.json`, `model.safetensors`,
    /// `tokenizer.json`, and where they exist `1_Pooling/config.json`, `sentence_bert_config.json`,
    /// `config_sentence_transformers.json`.
    ///
    /// # Errors
    /// When a file is missing or does not describe a BERT encoder.
    pub fn load(directory: &Path, threads: usize) -> Result<Self, ModelError> {
        let checkpoint = Checkpoint::load(directory)?;
        let shape = checkpoint.encoder.shape();
        let config = Config::read(directory, shape.positions)?;
        let identity = EmbedderIdentity { name: checkpoint.identity(), dimension: shape.hidden };
        let tokenizer = cutting(&checkpoint.tokenizer, config.max_tokens)?;
        let counter = Counter::new(Tokenizer::clone(&checkpoint.tokenizer));
        let model = Arc::new(Model { config, tokenizer, counter, checkpoint });
        let relevance_floor = relevance_floor(&model);
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

    async fn embed_query(&self, context: &RequestContext, text: &str) -> Result<Vec<f32>, ModelError> {
        let mut vectors = self.embed_queries(context, &[text.to_owned()]).await?;
        vectors.pop().ok_or(ModelError::Stopped)
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
        packed.texts().map(|text| self.pool(text)).collect()
    }

    /// One vector of length 1 from the token vectors of a text.
    fn pool(&self, text: &[f32]) -> Vec<f32> {
        let hidden = self.checkpoint.encoder.shape().hidden;
        let mut vector = vec![0.0; hidden];
        match self.config.pooling {
            Pooling::Mean => text.chunks_exact(hidden).for_each(|token| add(&mut vector, token)),
            Pooling::Cls => vector.copy_from_slice(&text[..hidden]),
        }
        // The mean's division is undone by bringing it to length 1.
        normalise(&mut vector);
        vector
    }

    /// Token ids with the special ones. A tokenizer fails only on a broken vocabulary; the text is then unknown
    /// as a whole, which embeds to something far from everything.
    fn tokens(&self, text: &str) -> Sequence {
        let ids = match self.tokenizer.encode_fast(text, true) {
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
        self.config.max_tokens - 2
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

/// Texts that have nothing to do with each other.
const UNRELATED: [&str; 8] = [
    "How long does it take to boil an egg?",
    "The treaty was signed by both kings in the spring of 1648.",
    "Replace the brake pads when they are thinner than three millimetres.",
    "Which medicine is given for high blood pressure?",
    "Her second novel tells the story of a lighthouse keeper.",
    "Interest on the loan is due on the first day of each quarter.",
    "What is the fastest way to sort a list of numbers?",
    "Penguins huddle together to keep warm during the polar night.",
];

/// A passage is taken to be about a question from three tenths of the way between what unrelated texts score
/// with this model and a perfect match.
fn relevance_floor(model: &Model) -> f32 {
    let vectors = model.embed(&UNRELATED.map(str::to_owned));
    let pairs = vectors.iter().enumerate().flat_map(|(n, a)| vectors[n + 1..].iter().map(move |b| (a, b)));
    let cosines: Vec<f32> = pairs.map(|(a, b)| a.iter().zip(b).map(|(x, y)| x * y).sum()).collect();
    let unrelated = cosines.iter().sum::<f32>() / cosines.len() as f32;
    unrelated + 0.3 * (1.0 - unrelated)
}
