use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use qanda_core::Upkeep;
use qanda_store::embedded::{self, BackupReport, EmbeddedStore};
use serde_json::json;

use crate::config::{StorageArgs, StoreSettings};
use crate::hints::WithHint;
use crate::terminal::{self, BOLD, Text, counted, grouped};

/// Write everything that is stored into one file
///
/// The file holds documents, passages, pairs, vectors and the originals of uploads, as they are at one moment; the
/// server and an ingest may go on meanwhile. It appears when it is complete, in place of one of that name.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// File to write
    file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    storage: StorageArgs,
}

impl Backup {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let directory = own_directory(&self.storage, "backed up")?;
        let report = embedded::back_up(&directory, &self.file)?;
        say("backed up", &report, self.json)
    }
}

/// Put a backup in place of what is stored
///
/// A server that uses the store answers from the backup as soon as it is in place, all at once; if it cannot be put in
/// place, everything stays as it was. The indexes are made anew at the end.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// File that `qanda backup` wrote
    file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    storage: StorageArgs,
}

impl Restore {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let directory = embedded_directory(&self.storage, "restored")?;
        anyhow::ensure!(self.file.is_file(), "there is no backup {}", self.file.display());
        let report = embedded::restore(&directory, &self.file)?;
        super::runtime()?.block_on(async {
            let store = EmbeddedStore::open(&directory, None, embedded::Fusion::default())?;
            store.optimise().await
        })?;
        say("restored", &report, self.json)
    }
}

/// The directory of an embedded store that is there.
pub(super) fn own_directory(storage: &StorageArgs, done: &str) -> anyhow::Result<PathBuf> {
    let directory = embedded_directory(storage, done)?;
    // To look must not make: a mistyped directory would become an empty store.
    let there = directory.join("qanda.sqlite").exists();
    anyhow::ensure!(there, "there is no store in {}", directory.display());
    Ok(directory)
}

fn embedded_directory(storage: &StorageArgs, done: &str) -> anyhow::Result<PathBuf> {
    match storage.resolve()? {
        StoreSettings::Embedded { directory, .. } => Ok(directory),
        StoreSettings::Chroma(chroma) => Err(anyhow::anyhow!(
            "collection {} is kept by the Chroma server at {}:{}, and cannot be {done} from here",
            chroma.collection,
            chroma.host,
            chroma.port
        ))
        .hint(
            "use the server's own means: copy its persist directory while it is stopped, or `chroma copy`; \
             `qanda ingest` heals documents that are not stored whole",
        ),
    }
}

fn say(done: &str, report: &BackupReport, as_json: bool) -> anyhow::Result<ExitCode> {
    let BackupReport { documents, passages, pairs, originals, bytes } = *report;
    if as_json {
        terminal::json(&json!({
            "documents": documents, "passages": passages, "pairs": pairs, "originals": originals, "bytes": bytes,
        }))?;
    } else {
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let parts = [(documents, "document"), (passages, "passage"), (pairs, "pair"), (originals, "original")];
        let parts = parts.map(|(count, name)| counted(size(count), name)).join(", ");
        terminal::line(Text::styled(BOLD, done).and(format!(": {parts}; {} bytes", grouped(bytes))));
    }
    Ok(ExitCode::SUCCESS)
}
