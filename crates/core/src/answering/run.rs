//! What the pipelines have in common: what they work with, and the bookkeeping of one answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;

use super::prompt::{Generation, model_alone};
use super::{OnText, Prompts};
use crate::ports::{Finish, Generated, Hit, Mode, Prompt, SearchQuery};
use crate::retrieval::relevance::relevant;
use crate::verification::CitationWriter;
use crate::{Answer, AnswerError, Embedder, LanguageModel, ModelError, Question, RequestContext, Search, Timings};

/// What is answered when the documents have nothing to say.
pub(super) const NOTHING_FOUND: &str = "I found nothing about this in the documents.";

/// What a pipeline works with.
#[derive(Clone)]
pub struct Resources {
    /// Where passages are found.
    pub search: Arc<dyn Search>,
    /// Embeds the question; the model that embedded the passages.
    pub embedder: Arc<dyn Embedder>,
    /// Writes the answer.
    pub model: Arc<dyn LanguageModel>,
    /// How it writes.
    pub generation: Generation,
    /// What it is told.
    pub prompts: Arc<Prompts>,
}

/// One answer under way.
pub(super) struct Run<'a> {
    pub(super) with: &'a Resources,
    pub(super) context: &'a RequestContext,
    pub(super) started: Instant,
    pub(super) timings: Timings,
    calls: usize,
    prompt_tokens: usize,
    tokens: usize,
    finish: Finish,
}

/// Whether more of a model's text is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Go on.
    More,
    /// The rest is not worth waiting for.
    NoMore,
}

impl<'a> Run<'a> {
    pub(super) fn start(with: &'a Resources, context: &'a RequestContext) -> Self {
        let timings = Timings::default();
        Self {
            with,
            context,
            started: Instant::now(),
            timings,
            calls: 0,
            prompt_tokens: 0,
            tokens: 0,
            finish: Finish::Stop,
        }
    }

    /// Embeds a text, searches with it where the question says, and keeps what is relevant to it. Returns the text's
    /// vector as well.
    pub(super) async fn search(
        &mut self,
        text: &str,
        question: &Question,
    ) -> Result<(Vec<Hit>, Vec<f32>), AnswerError> {
        let Resources { search, embedder, .. } = self.with;
        let at = Instant::now();
        let vector = embedder.embed_query(self.context, text).await?;
        self.timings.record("embed", at.elapsed());
        let at = Instant::now();
        let query = SearchQuery {
            text: text.to_owned(),
            vector: vector.clone(),
            mode: Mode::Hybrid,
            source: question.source,
            filter: question.filter.clone(),
            limit: question.n_results,
        };
        let hits = search.search(self.context, query).await?;
        self.timings.record("search", at.elapsed());
        Ok((relevant(text, hits, embedder.relevance_floor()), vector))
    }

    /// Calls the model and hands its text on as it comes. Returns how long the first token took.
    pub(super) async fn stream(
        &mut self,
        step: &'static str,
        prompt: Prompt,
        mut take: impl FnMut(&str) -> Wanted + Send,
    ) -> Result<Duration, ModelError> {
        let at = Instant::now();
        let mut first = None;
        self.calls += 1;
        self.prompt_tokens += prompt.messages.iter().map(|m| self.with.model.count_tokens(&m.content)).sum::<usize>();
        let mut tokens = self.with.model.generate(self.context, prompt).await?;
        self.finish = loop {
            // A stream that runs dry without an end has lost its model.
            match tokens.next().await.unwrap_or(Err(ModelError::Stopped))? {
                Generated::End(finish) => break finish,
                Generated::Text(text) => {
                    first.get_or_insert_with(|| at.elapsed());
                    self.tokens += 1;
                    if take(&text) == Wanted::NoMore {
                        break Finish::Cancelled;
                    }
                }
            }
        };
        self.timings.record(step, at.elapsed());
        Ok(first.unwrap_or_else(|| at.elapsed()))
    }

    /// Calls the model and waits for its whole text.
    pub(super) async fn complete(&mut self, step: &'static str, prompt: Prompt) -> Result<String, ModelError> {
        let mut text = String::new();
        self.stream(step, prompt, |piece| {
            text.push_str(piece);
            Wanted::More
        })
        .await?;
        Ok(text)
    }

    /// Streams the model's answer through the citation check.
    pub(super) async fn write(
        &mut self,
        prompt: Prompt,
        writer: &mut CitationWriter,
        on_text: OnText<'_>,
    ) -> Result<(), ModelError> {
        let take = |piece: &str| {
            tell(&writer.push(piece), on_text);
            if writer.is_lost() { Wanted::NoMore } else { Wanted::More }
        };
        let first = self.stream("generate", prompt, take).await?;
        self.timings.record("first_token", first);
        tell(&writer.end(), on_text);
        Ok(())
    }

    /// Answers without the documents.
    pub(super) async fn model_alone(
        mut self,
        question: &Question,
        pipeline: &'static str,
        on_text: OnText<'_>,
    ) -> Result<Answer, AnswerError> {
        let prompt =
            model_alone(&self.with.prompts.model_alone, &question.content, &question.history, self.with.generation);
        let mut writer = CitationWriter::new(Vec::new(), self.with.generation.grounding, &question.content);
        self.write(prompt, &mut writer, on_text).await?;
        Ok(self.finish(writer, pipeline))
    }

    /// Says that the documents have nothing to say.
    pub(super) fn nothing_found(self, pipeline: &'static str, on_text: OnText<'_>) -> Answer {
        let mut writer = CitationWriter::new(Vec::new(), self.with.generation.grounding, "");
        tell(&writer.push(NOTHING_FOUND), on_text);
        tell(&writer.end(), on_text);
        self.finish(writer, pipeline)
    }

    /// The question leaves no room for passages; without them the model would invent.
    pub(super) fn no_room(&self, question: &Question) -> AnswerError {
        let model = &self.with.model;
        let said = question.history.iter().map(|turn| &turn.content).chain([&question.content]);
        let tokens = said.map(|text| model.count_tokens(text)).sum();
        let limit = model.context_window().saturating_sub(self.with.generation.max_tokens) / 2;
        ModelError::PromptTooLong { tokens, limit: Some(limit) }.into()
    }

    pub(super) fn finish(mut self, writer: CitationWriter, pipeline: &'static str) -> Answer {
        let (text, citations) = writer.finish();
        self.timings.record("total", self.started.elapsed());
        Answer {
            text,
            reasoning: None,
            citations,
            timings: self.timings,
            calls: self.calls,
            prompt_tokens: self.prompt_tokens,
            tokens: self.tokens,
            model: self.with.model.name().to_owned(),
            pipeline,
            finish: self.finish,
            cached: false,
        }
    }
}

pub(super) fn tell(text: &str, on_text: OnText<'_>) {
    if !text.is_empty() {
        on_text(text);
    }
}
