use std::process::ExitCode;

use async_trait::async_trait;
use clap::Args;
use qanda_core::answering::{AnswerEvent, AnswerSink};
use qanda_core::{Answer, Question, RequestContext, Store};
use qanda_server::answer_json;

use super::place::list;
use super::scope::ScopeArgs;
use crate::config::AnswerArgs;
use crate::terminal::{self, BOLD, CYAN, DIM, Text, one_line};
use crate::wiring::Patience;
use crate::{logging, wiring};

/// Ask a question and see the answer with its sources
#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// The question
    question: String,
    /// Print one JSON object, the same as over HTTP
    #[arg(long)]
    json: bool,
    /// Ask the model alone, without the documents
    #[arg(long)]
    no_documents: bool,
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    answers: AnswerArgs,
}

impl Ask {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        logging::start("warn");
        let question = Question { search: !self.no_documents, ..self.scope.question(self.question) };
        question.validate()?;
        let settings = self.answers.resolve()?;
        let shown = Shown { text: !self.json };
        super::runtime()?.block_on(async {
            let parts = wiring::parts(settings, Patience::None).await?;
            let answer = parts.default_pipeline().answer(&RequestContext::local(), question, &shown).await?;
            if self.json {
                return terminal::pretty_json(&answer_json(&answer));
            }
            terminal::line("");
            list_sources(&answer, parts.search.store.as_ref()).await
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Shows an answer as it is written.
struct Shown {
    text: bool,
}

#[async_trait]
impl AnswerSink for Shown {
    async fn tell(&self, event: AnswerEvent) {
        if let AnswerEvent::Text(text) = event
            && self.text
        {
            terminal::piece(&text);
        }
    }
}

/// The citations below an answer, or the nearest passages below a refusal: where they are and what they say.
async fn list_sources(answer: &Answer, store: &dyn Store) -> anyhow::Result<()> {
    if !answer.citations.is_empty() {
        terminal::line(Text::from("\n").and_styled(BOLD, "Sources"));
    }
    for citation in &answer.citations {
        let marker = Text::styled(CYAN, format!("[{}]", citation.marker));
        list(marker, &citation.place, store).await?;
    }
    if !answer.related.is_empty() {
        terminal::line(Text::from("\n").and_styled(BOLD, "Nearest passages"));
    }
    for related in &answer.related {
        list(Text::styled(CYAN, "-"), related, store).await?;
    }
    let seconds = answer.timings.get("total").unwrap_or_default() / 1e3;
    let confidence = answer.confidence.map(|share| format!(" · {:.0} % sure", share * 100.0)).unwrap_or_default();
    // No model has a part in an answer that is quoted, nor in a refusal.
    let by = if answer.calls == 0 { "no model asked".to_owned() } else { one_line(&answer.model) };
    terminal::note(Text::styled(DIM, format!("{by} · {seconds:.1} s{confidence}")));
    Ok(())
}
