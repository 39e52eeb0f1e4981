use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use qanda_store::Fusion;
use qanda_store::chroma::{ChromaSettings, TokenHeader};

use super::Time;

/// The store that documents are kept in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Store")]
pub(crate) struct StorageArgs {
    /// Store: one directory of this machine, or a Chroma server
    #[arg(long, value_enum, env = "QANDA_STORE", default_value = "embedded")]
    store: StoreKind,
    /// Directory of the embedded store
    #[arg(long, value_name = "DIR", env = "QANDA_DATA_DIR", default_value = "./data")]
    pub(crate) data_dir: PathBuf,
    /// Host of the Chroma server
    #[arg(long, value_name = "HOST", env = "CHROMADB_HOST", default_value = "localhost")]
    chroma_host: String,
    /// Port of the Chroma server
    #[arg(long, value_name = "PORT", env = "CHROMADB_PORT", default_value_t = 17171)]
    chroma_port: u16,
    /// Collection of the Chroma server
    #[arg(long, value_name = "NAME", env = "CHROMADB_COL_NAME", default_value = "qanda")]
    chroma_collection: String,
    /// Tenant of the Chroma server
    #[arg(long, value_name = "NAME", env = "CHROMADB_TENANT", default_value = "default_tenant")]
    chroma_tenant: String,
    /// Database of the Chroma server
    #[arg(long, value_name = "NAME", env = "CHROMADB_DATABASE", default_value = "default_database")]
    chroma_database: String,
    /// Token that the Chroma server wants
    #[arg(long, value_name = "TOKEN", env = "CHROMADB_TOKEN", hide_env_values = true)]
    chroma_token: Option<String>,
    /// Header that carries the token
    #[arg(long, value_enum, env = "CHROMADB_TOKEN_HEADER", default_value = "authorization")]
    chroma_token_header: HeaderName,
    /// Talk to the Chroma server over TLS
    #[arg(long, env = "CHROMADB_SSL", value_parser = FalseyValueParser::new())]
    chroma_ssl: bool,
    /// Time that the Chroma server has for a request
    #[arg(long, value_name = "TIME", env = "QANDA_STORE_TIMEOUT", default_value = "5s")]
    store_timeout: Time,
    /// Requests to the Chroma server at the same time; others wait for their turn
    #[arg(long, value_name = "N", env = "QANDA_STORE_CONCURRENCY", default_value_t = 16)]
    store_concurrency: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StoreKind {
    Embedded,
    Chroma,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HeaderName {
    /// Authorization: Bearer TOKEN
    Authorization,
    /// X-Chroma-Token: TOKEN
    XChromaToken,
}

/// The store, resolved.
#[derive(Debug, Clone)]
pub(crate) enum StoreSettings {
    /// A directory.
    Embedded {
        directory: PathBuf,
        /// The way in which a hybrid search makes one ranking from two.
        fusion: Fusion,
    },
    /// A server.
    Chroma(ChromaSettings),
}

impl StorageArgs {
    /// Resolves the arguments.
    ///
    /// # Errors
    /// When a value cannot be used.
    pub(crate) fn resolve(&self) -> anyhow::Result<StoreSettings> {
        if self.store == StoreKind::Embedded {
            return Ok(StoreSettings::Embedded { directory: self.data_dir.clone(), fusion: Fusion::default() });
        }
        let timeout = self.store_timeout.to_wait("store-timeout")?;
        anyhow::ensure!(self.store_concurrency > 0, "--store-concurrency is 0; it must be at least 1");
        Ok(StoreSettings::Chroma(ChromaSettings {
            host: self.chroma_host.clone(),
            port: self.chroma_port,
            ssl: self.chroma_ssl,
            tenant: self.chroma_tenant.clone(),
            database: self.chroma_database.clone(),
            collection: self.chroma_collection.clone(),
            token: super::set(&self.chroma_token),
            token_header: match self.chroma_token_header {
                HeaderName::Authorization => TokenHeader::Authorization,
                HeaderName::XChromaToken => TokenHeader::ChromaToken,
            },
            timeout,
            concurrency: self.store_concurrency,
        }))
    }
}
