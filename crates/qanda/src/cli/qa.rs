//! `qanda qa`: question/answer pairs.

mod generate;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use qanda_ingest::pairs::{self, Format};
use serde_json::json;

use crate::config::SearchArgs;
use crate::hints::WithHint;
use crate::terminal::{self, BOLD, Bar, Text, grouped};
use crate::wiring::{Patience, Search};
use crate::{logging, wiring};

/// Question/answer pairs written beforehand: let the model write them, import, export
///
/// Pairs are found by their question. A question over HTTP or with `qanda ask` searches them with the source QA
/// (pairs) or all (passages and pairs); the classic pipeline also uses those that were written for the passages that
/// it finds.
#[derive(Debug, Args)]
pub(crate) struct Qa {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Generate(Box<generate::Generate>),
    Import(Box<Import>),
    Export(Export),
}

impl Qa {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        logging::start("warn");
        match self.command {
            Command::Generate(command) => command.run(),
            Command::Import(command) => command.run(),
            Command::Export(command) => command.run(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FileFormat {
    /// One JSON object a line
    Jsonl,
    /// Comma-separated values below a line of headings
    Csv,
}

/// The format that was asked for, else the one that the file's name says.
fn format(given: Option<FileFormat>, path: &Path) -> anyhow::Result<Format> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match (given, ending.as_str()) {
        (Some(FileFormat::Jsonl), _) | (None, "jsonl" | "ndjson") => Ok(Format::JsonLines),
        (Some(FileFormat::Csv), _) | (None, "csv") => Ok(Format::Csv),
        (None, _) => {
            let unknown = anyhow::anyhow!("{} ends neither in .jsonl nor in .csv", path.display());
            Err(unknown).hint("say which it is with --format")
        }
    }
}

/// Store the pairs of a file
///
/// Each line has "question" and "answer", and may have "id", "document" (the path of the document that it is
/// about, as `qanda status` and citations show it; the embedded store also takes the end of a path). In the embedded
/// store an answer that stands word for word in its document is cited from there. Pairs that are stored
/// already are left alone; one with a known id is replaced.
#[derive(Debug, Args)]
struct Import {
    /// File with pairs: .jsonl or .csv
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Format, where the file's name does not say
    #[arg(long, value_enum)]
    format: Option<FileFormat>,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    search: SearchArgs,
}

impl Import {
    fn run(self) -> anyhow::Result<ExitCode> {
        let name = self.file.display().to_string();
        let file = File::open(&self.file).with_context(|| format!("cannot read {name}"))?;
        let records = pairs::read(file, format(self.format, &self.file)?).with_context(|| format!("in {name}"))?;
        let settings = self.search.resolve()?;
        let bar = Bar::new("{bar:30.cyan} {pos}/{len} pairs  {elapsed}", self.json);
        bar.set_length(records.len());
        let report = super::runtime()?.block_on(async {
            let Search { store, embedder, .. } = wiring::search(settings, Patience::None).await?;
            store.claim(embedder.identity().clone()).await?;
            anyhow::Ok(pairs::import(store, embedder, records, |done| bar.set_position(done)).await?)
        });
        bar.clear();
        let pairs::ImportReport { stored, unchanged, repeated } = report?;
        if self.json {
            terminal::json(&json!({"stored": stored, "unchanged": unchanged, "repeated": repeated}))?;
        } else {
            let (stored, unchanged, repeated) = (grouped(stored), grouped(unchanged), grouped(repeated));
            let bold = Text::styled(BOLD, format!("{stored} pairs stored"));
            terminal::line(bold.and(format!(", {unchanged} unchanged, {repeated} repeated")));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Write all stored pairs to a file
#[derive(Debug, Args)]
struct Export {
    /// File to write: .jsonl or .csv; standard output without one
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Format, where the file's name does not say [default: jsonl on standard output]
    #[arg(long, value_enum)]
    format: Option<FileFormat>,
    #[command(flatten)]
    storage: crate::config::StorageArgs,
}

impl Export {
    fn run(self) -> anyhow::Result<ExitCode> {
        let format = match &self.file {
            Some(path) => format(self.format, path)?,
            None => format(self.format.or(Some(FileFormat::Jsonl)), Path::new(""))?,
        };
        let settings = self.storage.resolve()?;
        let records = super::runtime()?.block_on(async {
            let store = wiring::store(&settings, None)?;
            anyhow::Ok(pairs::export(&*store).await?)
        })?;
        let count = records.len();
        match &self.file {
            None => pairs::write(terminal::export(), format, records.into_iter())?,
            Some(path) => {
                let doing = || format!("cannot write {}", path.display());
                let file = File::create(path).with_context(doing)?;
                pairs::write(file, format, records.into_iter()).with_context(doing)?;
                let pairs = Text::styled(BOLD, format!("{} pairs", grouped(count)));
                terminal::line(pairs.and(format!(" in {}", path.display())));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
