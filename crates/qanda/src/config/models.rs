use std::path::PathBuf;
use std::thread::available_parallelism;

use clap::Args;
use qanda_core::citation::Grounding;
use qanda_core::pipeline::Generation;
use qanda_inference::llm::local::LocalOptions;

use super::File;
use crate::models;

/// Which embedder makes the vectors.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Models")]
pub(crate) struct EmbedderArgs {
    /// Embedder: `local`, or `local:DIR` with a sentence-transformers directory (BERT) [default: local]
    #[arg(long, value_name = "local[:DIR]", env = "QANDA_EMBEDDER")]
    embedder: Option<String>,
    /// Threads of the embedder [default: the cores]
    #[arg(long, value_name = "N", env = "QANDA_MODEL_THREADS")]
    model_threads: Option<usize>,
}

/// Which language model answers, and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Models")]
pub(crate) struct LlmArgs {
    /// Language model: `local`, or `local:FILE.gguf` [default: local]
    #[arg(long, value_name = "local[:FILE.gguf]", env = "QANDA_LLM")]
    llm: Option<String>,
    /// Answers that the local model writes at the same time [default: 8]
    #[arg(long, value_name = "N", env = "QANDA_LLM_SLOTS")]
    llm_slots: Option<usize>,
    /// Tokens of a prompt and its answer together, at most what the model allows [default: 2048]
    #[arg(long, value_name = "N", env = "QANDA_LLM_CONTEXT")]
    llm_context: Option<usize>,
    /// Questions that may wait for the local model; more get a 503 [default: 256]
    #[arg(long, value_name = "N", env = "QANDA_LLM_QUEUE")]
    llm_queue: Option<usize>,
    /// Threads of the local language model. They wait for each other all the time, so one that has to share its
    /// core with a busy program slows all of them: take fewer there [default: the cores]
    #[arg(long, value_name = "N", env = "QANDA_LLM_THREADS")]
    llm_threads: Option<usize>,
    /// Tokens of passages in a prompt: the sentences nearest to the question are chosen [default: 256]
    #[arg(long, value_name = "N", env = "QANDA_CONTEXT_TOKENS")]
    context_tokens: Option<usize>,
    /// What becomes of statements that no passage clearly backs: `strict` leaves them out, which small models
    /// need; `marked` keeps them without a citation [default: strict]
    #[arg(long, value_name = "strict|marked", env = "QANDA_GROUNDING", value_parser = grounding)]
    grounding: Option<Grounding>,
    /// Most tokens of an answer [default: 256]
    #[arg(long, value_name = "N", env = "QANDA_MAX_TOKENS")]
    max_tokens: Option<usize>,
    /// How freely the model chooses words; 0 makes answers repeatable [default: 0]
    #[arg(long, value_name = "T", env = "QANDA_TEMPERATURE")]
    temperature: Option<f32>,
}

/// The embedder, resolved.
#[derive(Debug, Clone)]
pub(crate) struct EmbedderSettings {
    /// A sentence-transformers directory.
    pub(crate) directory: PathBuf,
    /// Threads that compute.
    pub(crate) threads: usize,
}

/// The language model, resolved.
#[derive(Debug, Clone)]
pub(crate) struct LlmSettings {
    /// A GGUF file.
    pub(crate) file: PathBuf,
    /// How it runs.
    pub(crate) local: LocalOptions,
    /// How it writes.
    pub(crate) generation: Generation,
}

impl EmbedderArgs {
    /// Resolves the arguments.
    ///
    /// # Errors
    /// When a value cannot be used, or the default model is not installed.
    pub(crate) fn resolve(&self, file: &File) -> anyhow::Result<EmbedderSettings> {
        let given = local_path("embedder", self.embedder.as_ref().or(file.embedder.as_ref()))?;
        let directory = given.map_or_else(models::default_embedder, Ok)?;
        let threads = at_least("model-threads", self.model_threads.or(file.model_threads).unwrap_or_else(cores), 1)?;
        Ok(EmbedderSettings { directory, threads })
    }
}

impl LlmArgs {
    /// Resolves the arguments.
    ///
    /// # Errors
    /// When a value cannot be used, or the default model is not installed.
    pub(crate) fn resolve(&self, file: &File) -> anyhow::Result<LlmSettings> {
        let local = LocalOptions {
            slots: at_least("llm-slots", self.llm_slots.or(file.llm_slots).unwrap_or(8), 1)?,
            context: at_least("llm-context", self.llm_context.or(file.llm_context).unwrap_or(2048), 256)?,
            queue: at_least("llm-queue", self.llm_queue.or(file.llm_queue).unwrap_or(256), 1)?,
            threads: at_least("llm-threads", self.llm_threads.or(file.llm_threads).unwrap_or_else(cores), 1)?,
        };
        let from_file =
            file.grounding.as_deref().map(grounding).transpose().map_err(|why| anyhow::anyhow!("grounding {why}"))?;
        let generation = Generation {
            context_tokens: at_least("context-tokens", self.context_tokens.or(file.context_tokens).unwrap_or(256), 32)?,
            grounding: self.grounding.or(from_file).unwrap_or(Grounding::Strict),
            max_tokens: at_least("max-tokens", self.max_tokens.or(file.max_tokens).unwrap_or(256), 1)?,
            temperature: self.temperature.or(file.temperature).unwrap_or(0.0),
        };
        let t = generation.temperature;
        anyhow::ensure!((0.0..=2.0).contains(&t), "--temperature is {t}; it must be from 0 to 2");
        let given = local_path("llm", self.llm.as_ref().or(file.llm.as_ref()))?;
        Ok(LlmSettings { file: given.map_or_else(models::default_llm, Ok)?, local, generation })
    }
}

fn grounding(given: &str) -> Result<Grounding, String> {
    match given {
        "strict" => Ok(Grounding::Strict),
        "marked" => Ok(Grounding::Marked),
        other => Err(format!("is \"{other}\"; it must be strict or marked")),
    }
}

fn cores() -> usize {
    available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

fn at_least(flag: &str, value: usize, least: usize) -> anyhow::Result<usize> {
    anyhow::ensure!(value >= least, "--{flag} is {value}; it must be at least {least}");
    Ok(value)
}

/// The path in `local:PATH`; `None` for `local`.
fn local_path(flag: &str, given: Option<&String>) -> anyhow::Result<Option<PathBuf>> {
    match given.map(String::as_str) {
        None | Some("local") => Ok(None),
        Some(given) => match given.strip_prefix("local:") {
            Some(path) if !path.is_empty() => Ok(Some(PathBuf::from(path))),
            _ => anyhow::bail!("--{flag} is \"{given}\"; it must be local or local:PATH"),
        },
    }
}
