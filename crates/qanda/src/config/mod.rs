//! Settings: flag, else environment (with `.env`), else `qanda.toml`, else default.
//!
//! Each concern has a struct of arguments, in which clap has settled that order already, and a method that resolves
//! them into what the rooms below take. Every argument with an environment variable is a setting: it can stand in
//! the file, and `qanda config` shows it.

pub(crate) mod defaults;
mod endpoint;
mod environment;
mod file;
mod models;
mod passages;
mod pipelines;
mod reader;
#[cfg(test)]
mod reference;
mod reranker;
mod storage;
mod time;

use std::sync::Arc;

use clap::Args;
use qanda_core::answering::{PipelineName, Prompts};

pub(crate) use self::endpoint::EndpointArgs;
pub(crate) use self::environment::EnvFile;
pub(crate) use self::file::File;
pub(crate) use self::models::{EmbedderArgs, EmbedderSettings, LlmArgs, LlmSettings, ModelSettings};
pub(crate) use self::passages::{PassageArgs, PassageSettings};
pub(crate) use self::pipelines::PipelineArgs;
pub(crate) use self::reader::{ReaderArgs, ReaderSettings, ReaderSource};
pub(crate) use self::reranker::{RerankerArgs, RerankerSettings, RerankerSource};
pub(crate) use self::storage::{StorageArgs, StoreSettings};
pub(crate) use self::time::Time;

/// A variable that is set to nothing is not set: `export CHROMADB_TOKEN=` is how a template leaves it out.
fn set(value: &Option<String>) -> Option<String> {
    value.clone().filter(|value| !value.is_empty())
}

/// A number that is large enough.
pub(crate) fn at_least(flag: &str, value: usize, least: usize) -> anyhow::Result<usize> {
    anyhow::ensure!(value >= least, "--{flag} is {value}; it must be at least {least}");
    Ok(value)
}

/// Arguments of everything that finds passages.
#[derive(Debug, Clone, Args)]
pub(crate) struct SearchArgs {
    #[command(flatten)]
    pub(crate) storage: StorageArgs,
    #[command(flatten)]
    pub(crate) embedder: EmbedderArgs,
    #[command(flatten)]
    pub(crate) endpoint: EndpointArgs,
}

/// Settings of everything that finds passages.
#[derive(Debug, Clone)]
pub(crate) struct SearchSettings {
    pub(crate) store: StoreSettings,
    pub(crate) embedder: EmbedderSettings,
}

impl SearchArgs {
    /// Resolves the arguments.
    ///
    /// # Errors
    /// When a value cannot be used, or the default model is not installed.
    pub(crate) fn resolve(&self) -> anyhow::Result<SearchSettings> {
        Ok(SearchSettings { store: self.storage.resolve()?, embedder: self.embedder.resolve(&self.endpoint)? })
    }
}

/// Arguments of everything that answers questions.
#[derive(Debug, Clone, Args)]
pub(crate) struct AnswerArgs {
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    #[command(flatten)]
    pub(crate) reranker: RerankerArgs,
    #[command(flatten)]
    pub(crate) reader: ReaderArgs,
    #[command(flatten)]
    pub(crate) llm: LlmArgs,
    #[command(flatten)]
    pub(crate) pipelines: PipelineArgs,
}

/// Settings of everything that answers questions.
#[derive(Debug, Clone)]
pub(crate) struct AnswerSettings {
    pub(crate) search: SearchSettings,
    pub(crate) reranker: RerankerSettings,
    pub(crate) reader: ReaderSettings,
    pub(crate) llm: LlmSettings,
    pub(crate) prompts: Arc<Prompts>,
    /// The pipeline for questions that name none.
    pub(crate) pipeline: PipelineName,
}

impl AnswerArgs {
    /// Resolves the arguments.
    ///
    /// # Errors
    /// When a value cannot be used, or a default model is not installed.
    pub(crate) fn resolve(&self) -> anyhow::Result<AnswerSettings> {
        let threads = self.search.embedder.threads()?;
        Ok(AnswerSettings {
            search: self.search.resolve()?,
            reranker: self.reranker.resolve(threads)?,
            reader: self.reader.resolve(threads)?,
            llm: self.llm.resolve(&self.search.endpoint)?,
            prompts: self.pipelines.prompts()?,
            pipeline: self.pipelines.default_pipeline(),
        })
    }
}
