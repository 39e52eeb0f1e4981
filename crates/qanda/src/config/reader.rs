use std::path::PathBuf;

use clap::Args;

use crate::models;

/// The reader, which finds the words that answer.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Models")]
pub(crate) struct ReaderArgs {
    /// Reader, which says where in a passage the answer stands and how sure it is that it does: `default`, the one that
    /// is built in; `none`; or a directory with a BERT model for extractive question answering
    #[arg(long, value_name = "default|none|DIR", env = "QANDA_READER", default_value = "default")]
    reader: String,
}

/// The reader, resolved.
#[derive(Debug, Clone)]
pub(crate) struct ReaderSettings {
    pub(crate) source: ReaderSource,
    /// Threads that compute.
    pub(crate) threads: usize,
    /// Directory of the encoder that readers of our own stand on, where it is installed.
    pub(crate) base: Option<PathBuf>,
}

/// Origin of the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReaderSource {
    /// There is none.
    None,
    /// The program; none where its encoder is not installed.
    BuiltIn,
    /// A directory.
    Directory(PathBuf),
}

impl ReaderArgs {
    /// Resolves the arguments, for `threads` threads.
    ///
    /// # Errors
    /// When the reader is named by nothing.
    pub(crate) fn resolve(&self, threads: usize) -> anyhow::Result<ReaderSettings> {
        let source = match self.reader.as_str() {
            "" => anyhow::bail!("--reader is empty; it must be default, none or a directory"),
            "default" => ReaderSource::BuiltIn,
            "none" => ReaderSource::None,
            directory => ReaderSource::Directory(PathBuf::from(directory)),
        };
        Ok(ReaderSettings { source, threads, base: models::default_embedder().ok() })
    }
}
