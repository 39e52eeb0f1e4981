//! `qanda eval answers`: questions whose answers are known.

mod asking;
pub(super) mod figures;
pub(super) mod goal;
mod html;
pub(super) mod judge;
pub(super) mod questions;
mod reply;
pub(super) mod report;
mod wording;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use self::asking::Service;
use self::goal::{Goal, lookup};
use self::questions::KnownQuestion;
use self::report::{About, Report};
use super::parts::Selection;
use crate::config::AnswerArgs;
use crate::terminal::{self, GREEN, RED, Text};
use crate::wiring::Patience;
use crate::{logging, wiring};

/// Ask questions whose answers are known: right and false answers, refusals, citations, time
///
/// The documents must be in the store already. Without --url the questions are answered in this process, with the
/// same settings as qanda ask. evaluation/README.md says what a line of the file looks like, docs/quality.md what the
/// figures mean.
#[derive(Debug, Args)]
pub(super) struct Answers {
    /// Questions: one JSON object a line
    #[arg(long, value_name = "FILE")]
    questions: PathBuf,
    /// Ask a running server, such as http://127.0.0.1:8000
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Write figures, answers and verdicts to a file, which qanda eval compare reads
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a page that shows each question, the worst first
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Exit with 4 if this comes true, such as right<0.8, false_answers>30% or, of one kind, table.right<0.5
    #[arg(long, value_name = "GOAL")]
    fail_if: Vec<Goal>,
    /// Questions under way at the same time
    #[arg(long, value_name = "C", default_value_t = 1)]
    concurrency: usize,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    answers: AnswerArgs,
}

/// Exit code when a goal was missed.
pub(super) const MISSED: u8 = 4;

impl Answers {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        logging::start("warn");
        // After minutes of asking it would be late to learn this.
        for path in self.json.iter().chain(&self.html) {
            File::options().create(true).append(true).open(path).with_context(|| cannot_write(path))?;
        }
        let known = questions::read(&self.questions)?;
        let known = self.selection.of(known, |question| &question.id, KnownQuestion::key)?;
        let report = super::super::runtime()?.block_on(async {
            let (service, name) = self.service().await?;
            let judged = service.ask_all(&known, self.concurrency.max(1)).await;
            anyhow::Ok(Report::new(self.about(name), judged))
        })?;
        report.show();
        if let Some(path) = &self.json {
            std::fs::write(path, report.json().to_string() + "\n").with_context(|| cannot_write(path))?;
        }
        if let Some(path) = &self.html {
            std::fs::write(path, html::page(&report)).with_context(|| cannot_write(path))?;
        }
        let failed = report.all.get("failed").is_some_and(|share| share > 0.0);
        let allowed = self.fail_if.iter().any(Goal::is_about_failures);
        Ok(match goals_missed(&self.fail_if, lookup(&report.all, &report.kinds)) {
            true => ExitCode::from(MISSED),
            false if failed && !allowed => ExitCode::FAILURE,
            false => ExitCode::SUCCESS,
        })
    }

    async fn service(&self) -> anyhow::Result<(Service, String)> {
        if let Some(url) = &self.url {
            return Ok((Service::at(url)?, url.clone()));
        }
        let parts = wiring::parts(self.answers.resolve()?, Patience::None).await?;
        let stored = parts.search.store.status().await?.documents;
        anyhow::ensure!(stored > 0, "the store has no documents; run qanda ingest first");
        let name = format!("{}, {}", parts.pipeline.as_str(), parts.resources.model.name());
        Ok((Service::Pipeline(parts.default_pipeline()), name))
    }

    fn about(&self, service: String) -> About {
        let name = self.questions.file_name().unwrap_or_default().to_string_lossy().into_owned();
        About { questions: name, part: self.selection.part.name().to_owned(), service }
    }
}

/// Says of each goal whether it was reached; whether one was missed.
pub(super) fn goals_missed(goals: &[Goal], value: impl Fn(Option<&str>, &str) -> Option<f64>) -> bool {
    let mut any = false;
    for goal in goals {
        let (value, missed) = goal.judge(&value);
        let found = value.map_or_else(|| "nothing was measured".to_owned(), |value| format!("it is {value:.3}"));
        terminal::note(match missed {
            true => Text::styled(RED, "missed").and(format!(" {found}, and {goal} is a failure")),
            false => Text::styled(GREEN, "reached").and(format!(" {found}, not {goal}")),
        });
        any |= missed;
    }
    any
}

pub(super) fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
