use std::path::{Path, PathBuf};

use clap::Args;

use crate::models;

/// The reranker, which puts what was found into a better order.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Models")]
pub(crate) struct RerankerArgs {
    /// Reranker, which reads the question with each of up to forty passages found, and chooses among them: `none`; a
    /// directory with a BERT cross-encoder; a GGUF file; or the name of a pulled model
    #[arg(long, value_name = "none|DIR|FILE.gguf", env = "QANDA_RERANKER", default_value = "none")]
    reranker: String,
}

/// The reranker, resolved.
#[derive(Debug, Clone)]
pub(crate) struct RerankerSettings {
    pub(crate) source: RerankerSource,
    /// Threads that compute.
    pub(crate) threads: usize,
}

/// Origin of the reranker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RerankerSource {
    /// There is none.
    None,
    /// A directory.
    Directory(PathBuf),
    /// A GGUF file.
    File(PathBuf),
}

impl RerankerArgs {
    /// Resolves the arguments, for `threads` threads.
    ///
    /// # Errors
    /// When the reranker is named by nothing, or by a model that was not pulled.
    pub(crate) fn resolve(&self, threads: usize) -> anyhow::Result<RerankerSettings> {
        Ok(RerankerSettings { source: self.source()?, threads })
    }

    /// Where the reranker is.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn source(&self) -> anyhow::Result<RerankerSource> {
        Ok(match self.reranker.as_str() {
            "" => anyhow::bail!("--reranker is empty; it must be none, a directory, a GGUF file or a model's name"),
            "none" => RerankerSource::None,
            given => match models::place(Path::new(given))? {
                file if models::is_gguf(&file) => RerankerSource::File(file),
                directory => RerankerSource::Directory(directory),
            },
        })
    }
}

impl RerankerSource {
    /// The place of the model, where there is one.
    pub(crate) fn place(&self) -> Option<&Path> {
        match self {
            Self::None => None,
            Self::Directory(place) | Self::File(place) => Some(place),
        }
    }
}
