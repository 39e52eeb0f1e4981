//! Settings: flag, else environment, else `qanda.toml`, else default.
//!
//! Each concern has a struct of optional arguments, as given, and a method that resolves them with the file.

mod file;
mod models;

use std::path::PathBuf;

use clap::Args;

pub(crate) use self::file::File;
pub(crate) use self::models::{EmbedderArgs, EmbedderSettings, LlmArgs, LlmSettings};

/// Where things are stored.
#[derive(Debug, Clone, Args)]
pub(crate) struct StorageArgs {
    /// Directory of the store [default: ./data]
    #[arg(long, value_name = "DIR", env = "QANDA_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

impl StorageArgs {
    /// The directory of the store.
    pub(crate) fn data_dir(&self, file: &File) -> PathBuf {
        self.data_dir.clone().or_else(|| file.data_dir.clone()).unwrap_or_else(|| PathBuf::from("./data"))
    }
}
