use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use futures::StreamExt;

use super::focus::{Sentence, best, excerpts, score};
use super::prompt::{Generation, model_alone, over_passages};
use super::relevance::relevant;
use super::{OnText, Pipeline};
use crate::citation::{CitationWriter, Evidence, Grounding};
use crate::ports::{Hit, Mode, Prompt, SearchQuery};
use crate::{Answer, AnswerError, Embedder, LanguageModel, ModelError, Question, Store, Timings};

/// What is answered when the documents have nothing to say.
pub(super) const NOTHING_FOUND: &str = "I found nothing about this in the documents.";

/// The default pipeline: hybrid search on the question itself, one streamed model call, checked citations.
pub struct Direct {
    /// Where passages are found.
    pub store: Arc<dyn Store>,
    /// Embeds the question; the model that embedded the passages.
    pub embedder: Arc<dyn Embedder>,
    /// Writes the answer.
    pub model: Arc<dyn LanguageModel>,
    /// How it writes.
    pub generation: Generation,
}

#[async_trait]
impl Pipeline for Direct {
    fn name(&self) -> &'static str {
        "direct"
    }

    async fn answer(&self, question: Question, on_text: OnText<'_>) -> Result<Answer, AnswerError> {
        let mut run =
            Run { started: Instant::now(), timings: Timings::default(), calls: 0, prompt_tokens: 0, tokens: 0 };
        if !question.search {
            let prompt = model_alone(&question.content, &question.history, self.generation);
            let mut writer = CitationWriter::new(Vec::new(), self.generation.grounding, &question.content);
            self.generate(prompt, &mut writer, &mut run, on_text).await?;
            return Ok(self.finish(run, writer));
        }
        let Found { hits, sentences } = self.retrieve(&question, &mut run.timings).await?;
        if hits.is_empty() {
            let mut writer = CitationWriter::new(Vec::new(), Grounding::Marked, &question.content);
            tell(&writer.push(NOTHING_FOUND), on_text);
            tell(&writer.end(), on_text);
            return Ok(self.finish(run, writer));
        }
        let excerpts = excerpts(&hits, &sentences, self.generation.context_tokens, &*self.model);
        let best = best(&hits, &sentences).map(|sentence| (hits[sentence.hit].passage.id.clone(), sentence.span));
        let numbered = hits.into_iter().zip(excerpts).collect();
        let (prompt, used) =
            over_passages(&question.content, &question.history, numbered, &*self.model, self.generation);
        if used.is_empty() {
            // Without passages the model would invent.
            let said = question.history.iter().map(|turn| &turn.content).chain([&question.content]);
            let tokens = said.map(|text| self.model.count_tokens(text)).sum();
            let limit = self.model.context_window().saturating_sub(self.generation.max_tokens) / 2;
            return Err(ModelError::PromptTooLong { tokens, limit }.into());
        }
        let best = best.and_then(|(id, span)| Some((used.iter().position(|hit| hit.passage.id == id)?, span)));
        let evidence = used.into_iter().map(Evidence::new).collect();
        let mut writer = CitationWriter::new(evidence, self.generation.grounding, &question.content);
        let quote = |writer: &mut CitationWriter, on_text: OnText<'_>| {
            if let Some((index, words)) = best {
                let before = if writer.text().is_empty() { "" } else { "\n\n" };
                tell(&writer.quote(&format!("{before}The documents say: "), index, words), on_text);
            }
        };
        // A model that is only let through where the documents back it has the nearest words of the documents put
        // before its own: they are there at once, and right when it is not. One that is trusted is helped out
        // only when it cites nothing.
        if self.generation.grounding == Grounding::Strict {
            quote(&mut writer, on_text);
            run.timings.record("first_text", run.started.elapsed());
        }
        self.generate(prompt, &mut writer, &mut run, on_text).await?;
        if writer.is_uncited() {
            quote(&mut writer, on_text);
        }
        Ok(self.finish(run, writer))
    }
}

/// What retrieval brings.
struct Found {
    /// Relevant passages, best first.
    hits: Vec<Hit>,
    /// Their sentences, scored against the question.
    sentences: Vec<Sentence>,
}

/// The state of one answer under way.
struct Run {
    started: Instant,
    timings: Timings,
    calls: usize,
    prompt_tokens: usize,
    tokens: usize,
}

impl Direct {
    /// Embeds the question, searches with it, and keeps what is relevant.
    async fn retrieve(&self, question: &Question, timings: &mut Timings) -> Result<Found, AnswerError> {
        let at = Instant::now();
        let vector = self.embedder.embed_query(&question.content).await?;
        timings.record("embed", at.elapsed());
        let at = Instant::now();
        let query = SearchQuery {
            text: question.content.clone(),
            vector: vector.clone(),
            mode: Mode::Hybrid,
            source: question.source,
            filter: question.filter.clone(),
            limit: question.n_results,
        };
        let hits = self.store.search(query).await?;
        timings.record("search", at.elapsed());
        let hits = relevant(&question.content, hits, self.embedder.relevance_floor());
        let at = Instant::now();
        let sentences = score(&question.content, &vector, &hits, &*self.embedder).await?;
        timings.record("focus", at.elapsed());
        Ok(Found { hits, sentences })
    }

    /// Streams the model's answer through the citation check.
    async fn generate(
        &self,
        prompt: Prompt,
        writer: &mut CitationWriter,
        run: &mut Run,
        on_text: OnText<'_>,
    ) -> Result<(), AnswerError> {
        let at = Instant::now();
        run.calls += 1;
        run.prompt_tokens += prompt.messages.iter().map(|m| self.model.count_tokens(&m.content)).sum::<usize>();
        let mut tokens = self.model.generate(prompt).await?;
        while let Some(token) = tokens.next().await {
            let token = token?;
            if run.tokens == 0 {
                run.timings.record("first_token", at.elapsed());
            }
            run.tokens += 1;
            tell(&writer.push(&token.text), on_text);
            if writer.is_lost() {
                break;
            }
        }
        tell(&writer.end(), on_text);
        run.timings.record("generate", at.elapsed());
        Ok(())
    }

    fn finish(&self, mut run: Run, writer: CitationWriter) -> Answer {
        let (text, citations) = writer.finish();
        run.timings.record("total", run.started.elapsed());
        Answer {
            text,
            reasoning: None,
            citations,
            timings: run.timings,
            calls: run.calls,
            prompt_tokens: run.prompt_tokens,
            tokens: run.tokens,
            model: self.model.name().to_owned(),
            pipeline: self.name(),
            cached: false,
        }
    }
}

fn tell(text: &str, on_text: OnText<'_>) {
    if !text.is_empty() {
        on_text(text);
    }
}

#[cfg(test)]
#[path = "direct_tests.rs"]
mod tests;
