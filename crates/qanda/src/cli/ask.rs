use std::process::ExitCode;

use async_trait::async_trait;
use clap::Args;
use qanda_core::answering::{AnswerEvent, AnswerSink};
use qanda_core::document::heading_path;
use qanda_core::{Answer, Citation, Question, Related, RequestContext, Source, Span};
use qanda_server::answer_json;

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
    /// Passages to retrieve
    #[arg(long, value_name = "N", default_value_t = Question::DEFAULT_RESULTS, value_parser = n_results)]
    n_results: usize,
    /// Search in: context (passages), QA (question/answer pairs) or all
    #[arg(long, default_value = "context")]
    source: Source,
    /// Search only documents with this metadata; can be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_value)]
    filter: Vec<(String, String)>,
    #[command(flatten)]
    answers: AnswerArgs,
}

fn n_results(given: &str) -> Result<usize, String> {
    let number = given.parse().ok().filter(|number| (1..=Question::MOST_RESULTS).contains(number));
    number.ok_or_else(|| format!("it must be a whole number from 1 to {}", Question::MOST_RESULTS))
}

fn name_value(given: &str) -> Result<(String, String), String> {
    let (name, value) = given.split_once('=').ok_or("it must look like topic=diabetes")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Ask {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        logging::start("warn");
        let question = Question {
            search: !self.no_documents,
            n_results: self.n_results,
            source: self.source,
            filter: self.filter.into_iter().collect(),
            ..Question::new(self.question)
        };
        question.validate()?;
        let settings = self.answers.resolve()?;
        let shown = Shown { text: !self.json };
        let answer = super::runtime()?.block_on(async {
            let parts = wiring::parts(settings, Patience::None).await?;
            anyhow::Ok(parts.default_pipeline().answer(&RequestContext::local(), question, &shown).await?)
        })?;
        if self.json {
            terminal::pretty_json(&answer_json(&answer))?;
        } else {
            terminal::line("");
            list_sources(&answer);
        }
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
fn list_sources(answer: &Answer) {
    if !answer.citations.is_empty() {
        terminal::line(Text::from("\n").and_styled(BOLD, "Sources"));
    }
    for citation in &answer.citations {
        let marker = Text::styled(CYAN, format!("[{}]", citation.marker));
        let Citation { document, title, headings, span, text, .. } = citation;
        list(marker, document, title, headings, *span, text);
    }
    if !answer.related.is_empty() {
        terminal::line(Text::from("\n").and_styled(BOLD, "Nearest passages"));
    }
    for related in &answer.related {
        let Related { document, title, headings, span, text, .. } = related;
        list(Text::styled(CYAN, "-"), document, title, headings, *span, text);
    }
    let seconds = answer.timings.get("total").unwrap_or_default() / 1e3;
    let confidence = answer.confidence.map(|share| format!(" · {:.0} % sure", share * 100.0)).unwrap_or_default();
    // No model has a part in an answer that is quoted, nor in a refusal.
    let by = if answer.calls == 0 { "no model asked".to_owned() } else { one_line(&answer.model) };
    terminal::note(Text::styled(DIM, format!("{by} · {seconds:.1} s{confidence}")));
}

/// Most characters of a place's words that are shown.
const MOST_SHOWN: usize = 400;

/// A place in a document, as people name it, and its words.
fn list(mark: Text, document: &str, title: &str, headings: &[String], span: Span, text: &str) {
    let heading = one_line(&heading_path(title, headings));
    let place = format!("{}, bytes {}-{}", one_line(document), span.start, span.end);
    terminal::line(mark.and(format!(" {heading}  ")).and_styled(DIM, place));
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = words.chars().take(MOST_SHOWN).collect();
    let more = if shown.len() < words.len() { " …" } else { "" };
    terminal::line(format!("    {shown}{more}"));
}
