use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use qanda_core::RequestContext;
use qanda_ingest::{Doubt, Event, FolderSync, Prune, Report, Watch, Watched};

use crate::config::{PassageArgs, PassageSettings, SearchArgs, SearchSettings};
use crate::hints::WithHint;
use crate::terminal::{self, BOLD, Bar, DIM, RED, Text, counted, grouped, one_line, sentence};
use crate::wiring::Patience;
use crate::{logging, wiring};

/// Exit code when some files could not be read.
const SOME_FAILED: u8 = 3;

/// Read documents into the store, or update what has changed
///
/// Files that have not changed since they were last ingested are not read again. A server that uses the same
/// store finds new documents at once.
#[derive(Debug, Args)]
pub(crate) struct Ingest {
    /// Files and folders: PDF, office files, HTML, Markdown, e-mail and more
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Remove documents that the given folders have no more: files that are gone, or named in a .qandaignore
    ///
    /// A folder that is empty, or that lacks more than half (and more than 20) of its documents, may not be mounted:
    /// nothing of it is removed, unless this is `force`.
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "safe")]
    prune: Option<Pruning>,
    /// Say what would be stored, moved and removed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on, and keep the store in step with the folders as they change, as with --prune; Ctrl-C ends it
    #[arg(long, conflicts_with_all = ["prune", "dry_run", "json"])]
    watch: bool,
    /// Pass over what a .gitignore names, as what a .qandaignore names always is
    #[arg(long)]
    gitignore: bool,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    passages: PassageArgs,
    #[command(flatten)]
    search: SearchArgs,
}

/// How careful pruning is.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Pruning {
    /// Not where so much is missing that the folder itself may be
    Safe,
    /// Whatever is missing
    Force,
}

impl Ingest {
    fn sync(&self) -> FolderSync {
        let prune = match self.prune {
            None => Prune::Keep,
            Some(Pruning::Safe) => Prune::Checked,
            Some(Pruning::Force) => Prune::Forced,
        };
        FolderSync { prune, gitignore: self.gitignore, dry_run: self.dry_run }
    }

    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        logging::start("warn");
        step_back();
        let passages = self.passages.resolve()?;
        let extractor = passages.extractor();
        let settings = self.search.resolve()?;
        if self.watch {
            return self.keep_in_step(settings, &passages);
        }
        let progress = Progress::new(self.json, self.dry_run);
        let report = super::runtime()?.block_on(async {
            let search = wiring::search(settings, Patience::None).await?;
            let ingestion = passages.ingestion(&search, extractor)?;
            let sync = self.sync();
            if !sync.dry_run {
                search.store.claim(search.embedder.identity().clone()).await?;
            }
            let here = RequestContext::local();
            anyhow::Ok(ingestion.run(&here, &self.paths, sync, |event| progress.show(&event)).await?)
        });
        progress.clear();
        let report = report?;
        if self.json {
            terminal::json(&to_json(&report))?;
        } else {
            close(&report, self.dry_run);
        }
        if let Some(doubt) = report.doubts.first() {
            return Err(doubted(doubt))
                .hint("mount it and run this again, or say --prune=force if its documents are to go");
        }
        Ok(if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(SOME_FAILED) })
    }
}

impl Ingest {
    /// Follows the folders until the process is told to end.
    fn keep_in_step(self, settings: SearchSettings, passages: &PassageSettings) -> anyhow::Result<ExitCode> {
        for path in &self.paths {
            anyhow::ensure!(path.is_dir(), "{} is no folder; --watch follows folders", path.display());
        }
        let extractor = passages.extractor();
        super::runtime()?.block_on(async {
            let search = wiring::search(settings, Patience::None).await?;
            let watch = Watch::new(passages.ingestion(&search, extractor)?, self.paths, self.gitignore);
            let (mut progress, mut is_first) = (Progress::new(false, false), true);
            let tell = |watched| match watched {
                Watched::Event(event) => progress.show(&event),
                Watched::InStep(report) => {
                    progress.clear();
                    if is_first || report.documents + report.moved + report.removed > 0 {
                        close(&report, false);
                    }
                    for doubt in &report.doubts {
                        terminal::note(sentence(&doubted(doubt)));
                    }
                    if std::mem::take(&mut is_first) {
                        terminal::note("watching; stop with Ctrl-C");
                    }
                    progress = Progress::new(false, false);
                }
                Watched::Failed(error) => {
                    progress.clear();
                    terminal::note(format!("{}; trying again", sentence(&error.into())));
                    progress = Progress::new(false, false);
                }
                Watched::Deaf { folder, reason } => {
                    let folder = folder.display();
                    terminal::note(format!(
                        "changes in {folder} cannot be heard of ({reason}): looking every half a minute"
                    ));
                }
            };
            watch.run(tell).await;
            anyhow::Ok(())
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// An ingest computes for minutes on all cores, and a server beside it has people waiting: the system is asked to
/// serve those first. Where it refuses, all is merely slower.
pub(super) fn step_back() {
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(%error, "the priority could not be lowered");
    }
}

fn doubted(doubt: &Doubt) -> anyhow::Error {
    let Doubt { folder, missing, stored } = doubt;
    anyhow::anyhow!(
        "{} of the {} stored of {} are missing there, so nothing of it was removed",
        grouped(*missing),
        counted(*stored, "document"),
        folder.display()
    )
}

/// A bar on a terminal, plain lines otherwise.
struct Progress {
    bar: Bar,
    plain: bool,
    /// Whether all is only told, so that each document has a line.
    rehearsal: bool,
}

impl Progress {
    fn new(quiet: bool, rehearsal: bool) -> Self {
        let bar = Bar::new("{bar:30.cyan} {pos}/{len} documents  {elapsed}  {wide_msg}", quiet);
        let plain = !bar.is_shown() && !quiet;
        Self { bar, plain, rehearsal: rehearsal && !quiet }
    }

    fn show(&self, event: &Event) {
        match event {
            Event::Planned { files } => {
                self.bar.set_length(*files);
                self.plain_line(&format!("{} to look at", counted(*files, "file")));
            }
            Event::Skipped { reason, files } => {
                let reason = one_line(&reason.to_string());
                self.bar.note(format!("skipped {}: {reason}", counted(*files, "file")));
            }
            Event::Found { files } => self.bar.lengthen(*files),
            Event::Unchanged { .. } => self.bar.advance(1),
            Event::Moved { path } if self.rehearsal => self.bar.note(format!("would move {}", one_line(path))),
            Event::Moved { path } => {
                self.bar.advance(1);
                self.plain_line(&format!("moved {}", one_line(path)));
            }
            Event::Read { path, .. } if self.rehearsal => self.bar.note(format!("would store {}", one_line(path))),
            Event::Read { path, .. } => self.bar.set_message(path),
            Event::Empty { path, reason } => {
                self.bar.advance(1);
                self.bar.note(format!("passed over {}: {}", one_line(path), one_line(reason)));
            }
            Event::Gone { path } if self.rehearsal => self.bar.note(format!("would remove {}", one_line(path))),
            // The error at the end says it.
            Event::Gone { .. } | Event::Doubted(_) => {}
            Event::Failed { path, reason } => {
                self.bar.advance(1);
                let (path, reason) = (one_line(path), one_line(reason));
                self.bar.note(Text::styled(RED, "failed").and(format!(" {path}: {reason}")));
            }
            Event::Embedded { .. } => {}
            Event::Stored { documents, passages } => {
                self.bar.advance(*documents);
                let (documents, passages) = (counted(*documents, "document"), counted(*passages, "passage"));
                self.plain_line(&format!("stored {documents}, {passages}"));
            }
            Event::Removed { documents } if !self.rehearsal && *documents > 0 => {
                self.bar.note(format!("removed {} whose files are gone", counted(*documents, "document")));
            }
            Event::Removed { .. } => {}
            Event::Indexing => {
                self.bar.set_message("bringing the indexes up to date");
                self.plain_line("bringing the indexes up to date");
            }
        }
    }

    /// Says in a line what a bar would show.
    fn plain_line(&self, text: &str) {
        if self.plain {
            terminal::note(text);
        }
    }

    fn clear(&self) {
        self.bar.clear();
    }
}

fn close(report: &Report, rehearsal: bool) {
    let mut parts = vec![counted(report.documents, "document"), counted(report.passages, "passage")];
    if rehearsal {
        parts = vec!["nothing changed".to_owned()];
    }
    for (number, name) in [
        (report.unchanged, "unchanged"),
        (report.moved, "moved"),
        (report.removed, "removed"),
        (report.skipped, "skipped"),
        (report.empty.len(), "empty"),
    ] {
        if number > 0 {
            parts.push(format!("{} {name}", grouped(number)));
        }
    }
    parts.push(counted(report.failures.len(), "failure"));
    terminal::line(Text::styled(BOLD, parts.join(", ")).and(format!(" in {:.1} s", report.seconds)));
    if report.passages > 0 {
        let t = &report.timings;
        let busy = format!(
            "busy: reading {:.1} s, embedding {:.1} s, storing {:.1} s, indexing {:.1} s; {:.0} passages/s",
            t.reading,
            t.embedding,
            t.storing,
            t.indexing,
            report.passages as f64 / report.seconds
        );
        terminal::line(Text::styled(DIM, busy));
    }
}

fn to_json(report: &Report) -> serde_json::Value {
    let failure = |(path, reason): &(String, String)| serde_json::json!({"path": path, "reason": reason});
    serde_json::json!({
        "documents": report.documents,
        "unchanged": report.unchanged,
        "moved": report.moved,
        "removed": report.removed,
        "passages": report.passages,
        "skipped": report.skipped,
        "failures": report.failures.iter().map(failure).collect::<Vec<_>>(),
        "empty": report.empty.iter().map(failure).collect::<Vec<_>>(),
        "seconds": report.seconds,
        "busy_seconds": {
            "reading": report.timings.reading, "embedding": report.timings.embedding,
            "storing": report.timings.storing, "indexing": report.timings.indexing,
        },
    })
}
