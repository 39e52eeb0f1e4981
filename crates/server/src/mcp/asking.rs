//! The tools that answer and search.

use std::fmt::Write as _;

use futures::StreamExt as _;
use qanda_core::answering::{AnswerEvent, Step};
use qanda_core::{Answer, RequestContext};
use rmcp::RoleServer;
use rmcp::model::{CallToolResult, JsonObject, ProgressNotificationParam, ProgressToken};
use rmcp::service::RequestContext as Call;
use serde_json::{Value, json};

use super::documents::uri;
use super::result;
use crate::openai::sources;
use crate::wire::{self, QuestionRequest};
use crate::{Problem, Service, service};

/// Answers a question: in words with their sources below, and in the fields that it has over HTTP.
pub(super) async fn ask(
    service: &Service,
    context: &RequestContext,
    arguments: JsonObject,
    call: &Call<RoleServer>,
) -> Result<CallToolResult, Problem> {
    let QuestionRequest { question, pipeline, .. } = read(arguments)?;
    let pipeline = service.pipeline(pipeline)?;
    let answer = match call.meta.get_progress_token() {
        Some(token) => {
            let mut events = service::stream(pipeline, context.clone(), question);
            let mut progress = Progress { call, token, steps: 0 };
            loop {
                match events.next().await {
                    Some(Ok(AnswerEvent::Done(answer))) => break *answer,
                    Some(Ok(AnswerEvent::StepBegun(step))) => progress.tell(step).await,
                    Some(Ok(_)) => {}
                    Some(Err(failure)) => return Err(failure.into()),
                    None => return Err(Problem::internal("the answer ended without an end")),
                }
            }
        }
        None => service::answer(pipeline, context.clone(), question).await?,
    };
    Ok(result(in_words(&answer), with_addresses(wire::answer_json(&answer), &["citations", "related"])))
}

/// Finds passages without answering.
pub(super) async fn search(
    service: &Service,
    context: &RequestContext,
    arguments: JsonObject,
) -> Result<CallToolResult, Problem> {
    let question = read(arguments)?.question;
    let hits = service::search(service.finder()?, context.clone(), question).await?;
    let mut text = String::new();
    for (number, hit) in (1..).zip(&hits) {
        let place = &hit.place;
        // Writing to a string does not fail.
        let _ = writeln!(text, "[{number}] {} ({})\n{}\n", place.title, place.document, place.text);
    }
    if hits.is_empty() {
        text.push_str("Nothing was found.");
    }
    Ok(result(text, with_addresses(wire::hits_json(&hits), &["hits"])))
}

/// The arguments are the fields of a question over HTTP, but that the question itself is called `question` here.
fn read(mut arguments: JsonObject) -> Result<QuestionRequest, Problem> {
    arguments.remove("stream");
    arguments.remove("content");
    if let Some(question) = arguments.remove("question") {
        arguments.insert("content".to_owned(), question);
    }
    wire::read_question(Value::Object(arguments).to_string().as_bytes())
}

/// An answer with its sources below it; below a refusal, the nearest passages.
fn in_words(answer: &Answer) -> String {
    let mut text = format!("{}{}", answer.text, sources(answer));
    if !answer.related.is_empty() {
        text.push_str("\n\nNearest passages:");
    }
    for place in &answer.related {
        let _ = write!(text, "\n- {} ({}): {}", place.title, place.document, place.text);
    }
    text
}

/// Gives each place in these lists the address of its document as a resource.
fn with_addresses(mut fields: Value, lists: &[&str]) -> Value {
    for list in lists {
        for place in fields[*list].as_array_mut().into_iter().flatten() {
            let address = place["document"].as_str().map(uri);
            place["uri"] = json!(address);
        }
    }
    fields
}

/// Tells the caller of each step of an answer.
struct Progress<'a> {
    call: &'a Call<RoleServer>,
    token: ProgressToken,
    steps: u32,
}

impl Progress<'_> {
    async fn tell(&mut self, step: Step) {
        self.steps += 1;
        let news = ProgressNotificationParam::new(self.token.clone(), f64::from(self.steps)).with_message(words(step));
        // A caller that is gone is noticed elsewhere.
        let _ = self.call.peer.notify_progress(news).await;
    }
}

const fn words(step: Step) -> &'static str {
    match step {
        Step::Condense => "Making a search term of the question",
        Step::Embed => "Reading the question",
        Step::Search => "Searching the documents",
        Step::Rerank => "Ordering what was found",
        Step::Contexts | Step::Pairs => "Fetching question/answer pairs",
        Step::Read => "Looking for the answer in the passages",
        Step::Focus => "Choosing sentences",
        Step::Summarise => "Summarising the passages",
        Step::Generate | Step::Answer => "Writing the answer",
    }
}
