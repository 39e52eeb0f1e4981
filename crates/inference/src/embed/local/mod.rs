//! Embedders computed here, from a sentence-transformers directory.

mod bert;
mod config;
mod counter;
mod matmul;
mod ops;
mod weights;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use qanda_core::ports::{EmbedderIdentity, TokenCounter};
use qanda_core::{Embedder, ModelError, RequestContext};
use tokenizers::{Tokenizer, TruncationParams};

use self::bert::Bert;
use self::config::Config;
use self::counter::Counter;
use self::weights::Weights;
use super::batcher::{Batcher, Class};

/// A BERT encoder (MiniLM, BGE, E5, …) in this process.
pub struct LocalEmbedder {
    identity: EmbedderIdentity,
    relevance_floor: f32,
    model: Arc<Model>,
    batcher: Batcher,
}

struct Model {
    /// Cuts texts at the model's limit.
    tokenizer: Tokenizer,
    counter: Counter,
    bert: Bert,
}

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
        let config = Config::read(directory)?;
        let bytes = weights::read(directory)?;
        let name = directory.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy());
        let identity =
            EmbedderIdentity { name: format!("{name}@{}", weights::fingerprint(&bytes)), dimension: config.hidden };
        let (tokenizer, counter) = load_tokenizer(directory, config.max_tokens)?;
        let counter = Counter::new(counter);
        let bert = Bert::new(config, &Weights::parse(&bytes)?)?;
        drop(bytes);
        let model = Arc::new(Model { tokenizer, counter, bert });
        let relevance_floor = relevance_floor(&model);
        let compute = Arc::clone(&model);
        let batcher = Batcher::start(threads, Arc::new(move |texts: &[String]| compute.embed(texts)))
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
}

#[async_trait]
impl Embedder for LocalEmbedder {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    fn relevance_floor(&self) -> f32 {
        self.relevance_floor
    }

    async fn embed_query(&self, _: &RequestContext, text: &str) -> Result<Vec<f32>, ModelError> {
        let text = format!("{}{text}", self.model.bert.config().prompts.query);
        let mut vectors = self.batcher.embed(vec![text], Class::Question).await?;
        vectors.pop().ok_or(ModelError::Stopped)
    }

    async fn embed_passages(&self, _: &RequestContext, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        let prompt = &self.model.bert.config().prompts.passage;
        let texts = texts.into_iter().map(|text| format!("{prompt}{text}")).collect();
        self.batcher.embed(texts, Class::Passage).await
    }
}

impl Model {
    fn embed(&self, texts: &[String]) -> Vec<Vec<f32>> {
        let tokens: Vec<Vec<u32>> = texts.iter().map(|text| self.tokens(text)).collect();
        self.bert.embed(&tokens)
    }

    /// Token ids with the special ones. A tokenizer fails only on a broken vocabulary; the text is then unknown
    /// as a whole, which embeds to something far from everything.
    fn tokens(&self, text: &str) -> Vec<u32> {
        match self.tokenizer.encode_fast(text, true) {
            Ok(encoding) => encoding.get_ids().to_vec(),
            Err(error) => {
                tracing::warn!(%error, "a text could not be tokenised");
                vec![0]
            }
        }
    }
}

impl TokenCounter for Model {
    fn count_tokens(&self, text: &str) -> usize {
        self.counter.count(text)
    }

    fn max_tokens(&self) -> usize {
        self.bert.config().max_tokens - 2
    }
}

/// The tokenizer, once cutting at `max_tokens` and once not. Padding is switched off: batches are packed.
fn load_tokenizer(directory: &Path, max_tokens: usize) -> Result<(Tokenizer, Tokenizer), ModelError> {
    let path = directory.join("tokenizer.json");
    let failed = |cause| ModelError::failed(format!("reading {}", path.display()), cause);
    let mut counter = Tokenizer::from_file(&path).map_err(failed)?;
    counter.with_padding(None);
    counter.with_truncation(None).map_err(failed)?;
    let mut tokenizer = counter.clone();
    let truncation = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(failed)?;
    Ok((tokenizer, counter))
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
