use std::process::ExitCode;

use async_trait::async_trait;
use clap::Args;
use qanda_core::answering::{AnswerEvent, AnswerSink};
use qanda_core::document::heading_path;
use qanda_core::{Answer, Place, Question, RequestContext, Source, Store};
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

/// Most characters of a place's words that are shown.
const MOST_SHOWN: usize = 400;

/// A place in a document, as people name it, and its words.
async fn list(mark: Text, place: &Place, store: &dyn Store) -> anyhow::Result<()> {
    let heading = one_line(&heading_path(&place.title, &place.headings));
    let spot = spot(place, store).await?;
    terminal::line(mark.and(format!(" {heading}  ")).and_styled(DIM, format!("{}, {spot}", one_line(&place.document))));
    let words = place.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = words.chars().take(MOST_SHOWN).collect();
    let more = if shown.len() < words.len() { " …" } else { "" };
    terminal::line(format!("    {shown}{more}"));
    Ok(())
}

/// Where in its document a place is: its page or its line, and for a document with neither the bytes of its text.
async fn spot(place: &Place, store: &dyn Store) -> anyhow::Result<String> {
    if let Some(page) = place.page {
        return Ok(format!("page {page}"));
    }
    let line = store.line(&RequestContext::local(), &place.document, place.span.start).await?;
    Ok(line.map_or_else(|| format!("bytes {}-{}", place.span.start, place.span.end), |line| format!("line {line}")))
}
