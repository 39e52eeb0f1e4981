use std::process::ExitCode;

use async_trait::async_trait;
use clap::Args;
use qanda_core::answering::{AnswerEvent, AnswerSink};
use qanda_core::{Answer, Question, RequestContext, Store};
use qanda_server::answer_json;

use super::chat::chat;
use super::place::list;
use super::scope::ScopeArgs;
use crate::config::AnswerArgs;
use crate::terminal::{self, BOLD, CYAN, DIM, Text, one_line};
use crate::wiring::{Parts, Patience};
use crate::{logging, wiring};

/// Ask a question and see the answer with its sources
///
/// Without a question it is a conversation: each line that is typed, or comes from a pipe, is a question that may refer to
/// those before it.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// The question
    question: Option<String>,
    /// Print one JSON object for each answer, the same as over HTTP
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
        let Self { question, json, no_documents, scope, answers } = self;
        let asked = |content| Question { search: !no_documents, ..scope.clone().question(content) };
        let question = question.map(asked);
        if let Some(question) = &question {
            question.validate()?;
        }
        let settings = answers.resolve()?;
        super::runtime()?.block_on(async {
            let asker = Asker { parts: wiring::parts(settings, Patience::None).await?, json };
            match question {
                Some(question) => asker.answer(question).await.map(|_| ExitCode::SUCCESS),
                None => chat(&asker, asked).await,
            }
        })
    }
}

/// Answers questions and prints the answers.
pub(super) struct Asker {
    parts: Parts,
    /// Whether each is one JSON object.
    pub(super) json: bool,
}

impl Asker {
    pub(super) async fn answer(&self, question: Question) -> anyhow::Result<Answer> {
        let shown = Shown { text: !self.json };
        let answer = self.parts.default_pipeline().answer(&RequestContext::local(), question, &shown).await?;
        if self.json {
            terminal::pretty_json(&answer_json(&answer))?;
        } else {
            terminal::line("");
            list_sources(&answer, self.parts.search.store.as_ref()).await?;
        }
        Ok(answer)
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
