use std::path::PathBuf;
use std::thread::available_parallelism;

use clap::Args;
use qanda_core::answering::Generation;
use qanda_core::verification::Grounding;
use qanda_inference::embed::gguf::GivenPrefixes;
use qanda_inference::embed::openai::OpenAiEmbedderSettings;
use qanda_inference::llm::local::LocalOptions;
use qanda_inference::openai::OpenAiSettings;

use super::endpoint::EndpointArgs;
use super::{at_least, set};
use crate::models;

/// The embedder, which makes the vectors.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Models")]
pub(crate) struct EmbedderArgs {
    /// Embedder: `local`, `local:DIR` with a sentence-transformers directory (BERT), `local:FILE.gguf`, either also by the
    /// name of a pulled model, or `openai`
    #[arg(long, value_name = "local[:DIR|:FILE.gguf]|openai", env = "QANDA_EMBEDDER", default_value = "local")]
    embedder: String,
    /// Threads of the local embedder, and as many of the reader
    #[arg(long, value_name = "N", env = "QANDA_MODEL_THREADS")]
    model_threads: Option<usize>,
    /// Words that a GGUF embedder reads before each question, in the place of those that its model is known to want
    #[arg(long, value_name = "TEXT", env = "QANDA_QUERY_PREFIX")]
    query_prefix: Option<String>,
    /// The same before each passage. Another prefix makes other vectors: they count as those of another embedder
    #[arg(long, value_name = "TEXT", env = "QANDA_PASSAGE_PREFIX")]
    passage_prefix: Option<String>,
    /// Model that embeds, for `--embedder openai`
    #[arg(long, value_name = "NAME", env = "OPENAI_EMBEDDING_MODEL")]
    openai_embedding_model: Option<String>,
    /// The same, under the name that the original service used
    #[arg(long, value_name = "NAME", env = "EMBEDDING_MODEL")]
    embedding_model: Option<String>,
    /// Cosine from which on a passage counts as being about a question
    #[arg(long, value_name = "C", env = "QANDA_RELEVANCE_FLOOR")]
    relevance_floor: Option<f32>,
}

/// The language model, which answers.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Models")]
pub(crate) struct LlmArgs {
    /// Language model: `local`, `local:FILE.gguf` with a file or the name of a pulled model, or `openai`
    #[arg(long, value_name = "local[:FILE.gguf]|openai", env = "QANDA_LLM", default_value = "local")]
    llm: String,
    /// Model that answers, for `--llm openai`
    #[arg(long, value_name = "NAME", env = "OPENAI_MODEL", default_value = "gpt-4o-mini")]
    openai_model: String,
    /// Answers that the local model writes at the same time
    #[arg(long, value_name = "N", env = "QANDA_LLM_SLOTS", default_value_t = 8)]
    llm_slots: usize,
    /// Tokens of a prompt and its answer together, at most what the model allows
    #[arg(long, value_name = "N", env = "QANDA_LLM_CONTEXT")]
    llm_context: Option<usize>,
    /// Questions that may wait for the local model; more get a 503
    #[arg(long, value_name = "N", env = "QANDA_LLM_QUEUE", default_value_t = 256)]
    llm_queue: usize,
    /// Threads of the local language model
    #[arg(long, value_name = "N", env = "QANDA_LLM_THREADS")]
    llm_threads: Option<usize>,
    /// Tokens of passages in a prompt: the sentences nearest to the question are chosen
    #[arg(long, value_name = "N", env = "QANDA_CONTEXT_TOKENS")]
    context_tokens: Option<usize>,
    /// How close an answer stays to the documents: `quoted` quotes the words that the reader found and asks no model;
    /// `strict` quotes them, and lets through of the model's statements what a passage clearly backs, which small models
    /// need; `marked` keeps the others as well, without a citation
    #[arg(long, value_name = "quoted|strict|marked", env = "QANDA_GROUNDING", value_parser = grounding)]
    grounding: Option<Grounding>,
    /// Confidence from 0 to 1 below which a question is not answered from the documents; 0 answers whatever is asked
    /// about their subject
    #[arg(long, value_name = "P", env = "QANDA_MIN_CONFIDENCE")]
    min_confidence: Option<f32>,
    /// Most tokens of an answer
    #[arg(long, value_name = "N", env = "QANDA_MAX_TOKENS")]
    max_tokens: Option<usize>,
    /// How freely the model chooses words; 0 makes answers repeatable
    #[arg(long, value_name = "T", env = "QANDA_TEMPERATURE", default_value_t = 0.0)]
    temperature: f32,
}

/// The embedder, resolved.
#[derive(Debug, Clone)]
pub(crate) enum EmbedderSettings {
    /// In this process.
    Local {
        /// A sentence-transformers directory.
        directory: PathBuf,
        /// Threads that compute.
        threads: usize,
        /// In the place of the measured one.
        relevance_floor: Option<f32>,
    },
    /// In this process, by llama.cpp.
    Gguf {
        file: PathBuf,
        /// Threads that compute.
        threads: usize,
        prefixes: GivenPrefixes,
        /// In the place of the measured one.
        relevance_floor: Option<f32>,
    },
    /// Over HTTP.
    OpenAi(Box<OpenAiEmbedderSettings>),
}

/// The language model, resolved.
#[derive(Debug, Clone)]
pub(crate) struct LlmSettings {
    /// The model.
    pub(crate) model: ModelSettings,
    /// Limits and freedom of its answers.
    pub(crate) generation: Generation,
}

/// A language model, in this process or elsewhere.
#[derive(Debug, Clone)]
pub(crate) enum ModelSettings {
    /// In this process: a GGUF file.
    Local(PathBuf, LocalOptions),
    /// Over HTTP.
    OpenAi(Box<OpenAiSettings>),
}

impl ModelSettings {
    /// Its name, for people.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Local(file, _) => file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            Self::OpenAi(endpoint) => endpoint.model.clone(),
        }
    }

    /// Its place, for people.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Local(file, _) => file.display().to_string(),
            Self::OpenAi(endpoint) => format!("{} at {}", endpoint.model, endpoint.address()),
        }
    }
}

impl EmbedderArgs {
    /// Threads of each small model.
    ///
    /// # Errors
    /// When there are none.
    pub(crate) fn threads(&self) -> anyhow::Result<usize> {
        at_least("model-threads", self.model_threads.unwrap_or_else(cores), 1)
    }

    /// Resolves the arguments.
    ///
    /// # Errors
    /// When a value cannot be used, or the default model is not installed.
    pub(crate) fn resolve(&self, endpoint: &EndpointArgs) -> anyhow::Result<EmbedderSettings> {
        let relevance_floor = self.relevance_floor;
        if let Some(floor) = relevance_floor {
            anyhow::ensure!((-1.0..=1.0).contains(&floor), "--relevance-floor is {floor}; it must be from -1 to 1");
        }
        let threads = self.threads()?;
        let prefixes = GivenPrefixes { query: self.query_prefix.clone(), passage: self.passage_prefix.clone() };
        let embedder = match kind("embedder", &self.embedder)? {
            Kind::Local(Some(given)) => Kind::Local(Some(models::place(&given)?)),
            other => other,
        };
        let is_gguf = matches!(&embedder, Kind::Local(Some(place)) if models::is_gguf(place));
        anyhow::ensure!(
            is_gguf || prefixes == GivenPrefixes::default(),
            "--query-prefix and --passage-prefix are for GGUF embedders; a directory says itself what it reads before a text"
        );
        Ok(match embedder {
            Kind::OpenAi => {
                let named = set(&self.openai_embedding_model).or_else(|| set(&self.embedding_model));
                let model = named.as_deref().unwrap_or("text-embedding-3-small");
                let endpoint = endpoint.embedding(model, 8_191)?;
                let settings = OpenAiEmbedderSettings { relevance_floor, ..OpenAiEmbedderSettings::new(endpoint) };
                EmbedderSettings::OpenAi(Box::new(settings))
            }
            Kind::Local(given) => {
                let place = given.map_or_else(models::default_embedder, Ok)?;
                match is_gguf {
                    true => EmbedderSettings::Gguf { file: place, threads, prefixes, relevance_floor },
                    false => EmbedderSettings::Local { directory: place, threads, relevance_floor },
                }
            }
        })
    }
}

/// Confidence below which the documents are likelier not to answer.
const UNLIKELY: f32 = 0.5;
/// Confidence below which a question is about something else. Above it a capable model decides: it knows what the
/// reader does not, that two words mean the same. Of the questions in words that the documents do not use ten of
/// fourteen in the development part of `own` are above it, none is above [`UNLIKELY`] but one (docs/quality.md).
const ELSEWHERE: f32 = 0.03;

impl LlmArgs {
    /// Resolves the arguments.
    ///
    /// # Errors
    /// When a value cannot be used, or the default model is not installed.
    pub(crate) fn resolve(&self, endpoint: &EndpointArgs) -> anyhow::Result<LlmSettings> {
        let kind = kind("llm", &self.llm)?;
        let remote = matches!(kind, Kind::OpenAi);
        // A model that is paid for by its owner reads more, writes more, and can be trusted to paraphrase. The small one that
        // is inside adds nothing to the words that the reader finds (docs/quality.md), and takes ten times as long.
        let (context, passages, answer, grounding) =
            if remote { (8192, 2048, 512, Grounding::Marked) } else { (2048, 256, 256, Grounding::Quoted) };
        let local = LocalOptions {
            slots: at_least("llm-slots", self.llm_slots, 1)?,
            context: at_least("llm-context", self.llm_context.unwrap_or(context), 256)?,
            queue: at_least("llm-queue", self.llm_queue, 1)?,
            threads: at_least("llm-threads", self.llm_threads.unwrap_or_else(cores), 1)?,
        };
        let grounding = self.grounding.unwrap_or(grounding);
        let asks_a_capable_model = remote && grounding == Grounding::Marked;
        let doubt = if asks_a_capable_model { ELSEWHERE } else { UNLIKELY };
        let generation = Generation {
            context_tokens: at_least("context-tokens", self.context_tokens.unwrap_or(passages), 32)?,
            grounding,
            min_confidence: self.min_confidence.unwrap_or(doubt),
            max_tokens: at_least("max-tokens", self.max_tokens.unwrap_or(answer), 1)?,
            temperature: self.temperature,
        };
        let t = generation.temperature;
        anyhow::ensure!((0.0..=2.0).contains(&t), "--temperature is {t}; it must be from 0 to 2");
        let p = generation.min_confidence;
        anyhow::ensure!((0.0..=1.0).contains(&p), "--min-confidence is {p}; it must be from 0 to 1");
        let model = match kind {
            Kind::OpenAi => ModelSettings::OpenAi(Box::new(endpoint.answering(&self.openai_model, local.context)?)),
            Kind::Local(given) => {
                let file = given.map_or_else(models::default_llm, |given| models::place(&given))?;
                ModelSettings::Local(file, local)
            }
        };
        Ok(LlmSettings { model, generation })
    }
}

fn grounding(given: &str) -> Result<Grounding, String> {
    match given {
        "quoted" => Ok(Grounding::Quoted),
        "strict" => Ok(Grounding::Strict),
        "marked" => Ok(Grounding::Marked),
        other => Err(format!("is \"{other}\"; it must be quoted, strict or marked")),
    }
}

/// Cores that this process may keep busy: those of its CPU mask, within the quota of its control group.
fn cores() -> usize {
    available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// A place where models run.
enum Kind {
    /// Here; the default one without a path.
    Local(Option<PathBuf>),
    OpenAi,
}

fn kind(flag: &str, given: &str) -> anyhow::Result<Kind> {
    match given {
        "local" => Ok(Kind::Local(None)),
        "openai" => Ok(Kind::OpenAi),
        given => match given.strip_prefix("local:") {
            Some(path) if !path.is_empty() => Ok(Kind::Local(Some(PathBuf::from(path)))),
            _ => anyhow::bail!("--{flag} is \"{given}\"; it must be local, local:PATH or openai"),
        },
    }
}
