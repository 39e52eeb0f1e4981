use std::process::ExitCode;

use clap::Args;
use qanda_core::Upkeep;
use qanda_ingest::ReembedReport;
use serde_json::json;

use crate::config::SearchArgs;
use crate::terminal::{self, BOLD, Bar, DIM, Text, grouped, one_line};
use crate::wiring::Reembedder;
use crate::{logging, wiring};

/// Make all vectors anew, with another embedder
///
/// Name the new embedder with --embedder, and give it to the other commands and to the server from then on. Documents
/// are not read again: passages and question/answer pairs stay as they are. The old vectors stay in use until all new
/// ones are there; a run that was stopped goes on where it was. A server that uses the store answers no more questions
/// after the change, until it is started with the new embedder.
#[derive(Debug, Args)]
pub(crate) struct Reembed {
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    search: SearchArgs,
}

impl Reembed {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        logging::start("warn");
        super::ingest::step_back();
        let settings = self.search.resolve()?;
        let bar = Bar::new("{bar:30.cyan} {pos}/{len} vectors  {elapsed}, {eta} left", self.json);
        let report = super::runtime()?.block_on(async {
            let Reembedder { store, embedder, counter } = wiring::reembedder(settings).await?;
            let report = qanda_ingest::reembed(&*store, &*embedder, &*counter, |progress| {
                bar.set_length(usize::try_from(progress.total).unwrap_or(usize::MAX));
                bar.set_position(usize::try_from(progress.done).unwrap_or(usize::MAX));
            })
            .await?;
            store.optimise().await?;
            anyhow::Ok((report, embedder.identity().name.clone()))
        });
        bar.clear();
        let (report, embedder) = report?;
        if self.json {
            terminal::json(&to_json(&report, &embedder))?;
        } else {
            close(&report, &embedder);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn close(report: &ReembedReport, embedder: &str) {
    let embedder = one_line(embedder);
    if report.already {
        let why = format!(": the vectors are by {embedder} already");
        return terminal::line(Text::styled(BOLD, "nothing to do").and(why));
    }
    let vectors = format!("{} vectors", grouped(report.embedded + report.resumed));
    terminal::line(Text::styled(BOLD, vectors).and(format!(" by {embedder} in {:.1} s", report.seconds)));
    if report.resumed > 0 {
        terminal::line(Text::styled(DIM, format!("{} of them by an earlier run", grouped(report.resumed))));
    }
    if report.too_long > 0 {
        terminal::note(format!(
            "{} passages are longer than this embedder reads; qanda ingest cuts them anew",
            grouped(report.too_long)
        ));
    }
}

fn to_json(report: &ReembedReport, embedder: &str) -> serde_json::Value {
    json!({
        "embedder": embedder,
        "already": report.already,
        "embedded": report.embedded,
        "resumed": report.resumed,
        "too_long": report.too_long,
        "seconds": report.seconds,
    })
}
