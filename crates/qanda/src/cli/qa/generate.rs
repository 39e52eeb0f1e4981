use std::process::ExitCode;

use clap::Args;
use qanda_ingest::pairs::{self, GenerateEvent, GenerateReport};
use serde_json::json;

use crate::config::AnswerArgs;
use crate::terminal::{self, BOLD, Bar, DIM, RED, Text, grouped, one_line};
use crate::wiring;
use crate::wiring::{Parts, Patience};

/// Exit code when the model returned nothing usable for some passages.
const SOME_FAILED: u8 = 3;

/// Let the language model write pairs for stored passages
///
/// Passages that have pairs already are passed over, so a run that was stopped goes on where it was. When a document
/// changes, the pairs of its changed passages go, and the next run writes them anew.
#[derive(Debug, Args)]
pub(super) struct Generate {
    /// Pairs for each passage
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=20))]
    pairs: u8,
    /// Only documents whose path contains this; can be given several times
    #[arg(long, value_name = "TEXT")]
    document: Vec<String>,
    /// Most passages in this run
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Passages that the model is asked about at the same time
    #[arg(long, value_name = "N", default_value_t = 8)]
    at_once: usize,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    answers: AnswerArgs,
}

impl Generate {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let settings = self.answers.resolve()?;
        let temperature = settings.llm.generation.temperature;
        let bar = Bar::new("{bar:30.cyan} {pos}/{len} passages  {elapsed}, {eta} left  {wide_msg}", self.json);
        let mut tokens = 0;
        let mut show = |event: GenerateEvent| match event {
            GenerateEvent::Planned { passages, .. } => bar.set_length(passages),
            GenerateEvent::Written { document, tokens: new, .. } => {
                tokens += new;
                bar.advance(1);
                bar.set_message(&format!("{} tokens  {document}", grouped(tokens)));
            }
            GenerateEvent::Failed { document, reason } => {
                bar.advance(1);
                let (document, reason) = (one_line(&document), one_line(&reason));
                bar.note(Text::styled(RED, "failed").and(format!(" {document}: {reason}")));
            }
        };
        let report = super::super::runtime()?.block_on(async {
            let Parts { search, resources, .. } = wiring::parts(settings, Patience::None).await?;
            search.store.claim(resources.embedder.identity().clone()).await?;
            let job = pairs::Generate {
                store: search.store,
                embedder: resources.embedder,
                model: resources.model,
                prompts: resources.prompts,
                pairs: usize::from(self.pairs),
                at_once: self.at_once,
                temperature,
            };
            let wanted = |path: &str| self.document.is_empty() || self.document.iter().any(|part| path.contains(part));
            anyhow::Ok(job.run(wanted, self.limit.unwrap_or(usize::MAX), &mut show).await?)
        });
        bar.clear();
        let report = report?;
        if self.json {
            terminal::json(&to_json(&report))?;
        } else {
            close(&report);
        }
        Ok(if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOME_FAILED) })
    }
}

fn close(report: &GenerateReport) {
    let pairs = format!("{} pairs for {} passages", grouped(report.pairs), grouped(report.passages));
    let rest = format!(
        ", {} repetitions left out, {} passages had pairs already, {} failures",
        grouped(report.dropped),
        grouped(report.done),
        grouped(report.failed)
    );
    terminal::line(Text::styled(BOLD, pairs).and(rest));
    let rate = report.tokens as f64 / report.seconds.max(f64::MIN_POSITIVE);
    let note = format!("{} tokens in {:.1} s, {rate:.0} tokens/s", grouped(report.tokens), report.seconds);
    terminal::line(Text::styled(DIM, note));
}

fn to_json(report: &GenerateReport) -> serde_json::Value {
    json!({
        "pairs": report.pairs, "passages": report.passages, "dropped": report.dropped, "already": report.done,
        "failed": report.failed, "tokens": report.tokens, "seconds": report.seconds,
    })
}
