use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use qanda_bench::{Load, Summary};

use crate::terminal::{self, BOLD, RED};

/// Put load on a running server and measure it
///
/// Sends questions and reads the answers as they stream.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Address of the server, such as http://127.0.0.1:8000
    #[arg(long, value_name = "URL")]
    url: String,
    /// Questions to send
    #[arg(long, value_name = "N", default_value_t = 8)]
    tasks: usize,
    /// Seconds between the starts of two questions
    #[arg(long, value_name = "S", default_value_t = 0.0)]
    interval: f64,
    /// Questions under way at the same time
    #[arg(long, value_name = "C", default_value_t = 8)]
    concurrency: usize,
    /// A question; several take turns
    #[arg(long, value_name = "TEXT", default_value = "What is the blood pressure target for most adults?")]
    question: Vec<String>,
    /// Ask the model alone, without the documents
    #[arg(long)]
    model_alone: bool,
    /// Ask mock-q, which needs no model
    #[arg(long)]
    mock: bool,
    /// Write the figures to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Bench {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        anyhow::ensure!(self.tasks > 0 && self.concurrency > 0, "--tasks and --concurrency must be at least 1");
        anyhow::ensure!(
            (0.0..=3600.0).contains(&self.interval),
            "--interval is {}; it must be from 0 to 3600 seconds",
            self.interval
        );
        let load = Load {
            url: self.url,
            route: if self.mock { "/apis/q-and-a/mock-q" } else { "/apis/q-and-a/q" },
            questions: self.question,
            search: !self.model_alone,
            tasks: self.tasks,
            interval: Duration::from_secs_f64(self.interval),
            concurrency: self.concurrency,
        };
        let summary = super::runtime()?.block_on(qanda_bench::run(&load))?;
        show(&summary);
        if let Some(path) = self.json {
            std::fs::write(&path, serde_json::to_string_pretty(&summary)?)?;
        }
        Ok(if summary.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn show(summary: &Summary) {
    let row = |name: &str, value: String| terminal::line(&format!("{BOLD}{name:<20}{BOLD:#} {value}"));
    row("tasks completed", format!("{} / {}", summary.completed, summary.tasks));
    row("seconds", format!("{:.3}", summary.seconds));
    row(
        "time to first token",
        format!("median {:.3} s, slowest {:.3} s", summary.first_token.median, summary.first_token.slowest),
    );
    row("time to the end", format!("median {:.3} s, slowest {:.3} s", summary.total.median, summary.total.slowest));
    row("tokens/s, all", format!("{:.1}", summary.tokens_per_second));
    for failure in &summary.failures {
        terminal::note(&format!("{RED}failed{RED:#} {failure}"));
    }
}
