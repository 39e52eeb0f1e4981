use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use futures::StreamExt;

use super::prompt::{Generation, model_alone, over_passages};
use super::relevance::relevant;
use super::{OnText, Pipeline};
use crate::citation::{CitationWriter, Evidence};
use crate::ports::{Hit, Mode, Prompt, SearchQuery};
use crate::{Answer, AnswerError, Embedder, LanguageModel, Question, Store, Timings};

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
        let mut run = Run { started: Instant::now(), timings: Timings::default(), tokens: 0 };
        let (prompt, passages) = if question.search {
            let hits = self.retrieve(&question, &mut run.timings).await?;
            let (prompt, used) =
                over_passages(&question.content, &question.history, hits, &*self.model, self.generation);
            if used.is_empty() {
                on_text(NOTHING_FOUND);
                return Ok(self.finish(run, NOTHING_FOUND.to_owned(), Vec::new()));
            }
            (prompt, used)
        } else {
            (model_alone(&question.content, &question.history, self.generation), Vec::new())
        };
        let mut writer = CitationWriter::new(passages.into_iter().map(Evidence::new).collect());
        self.generate(prompt, &mut writer, &mut run, on_text).await?;
        back_with_quotation(&mut writer, &question.content, on_text);
        let (text, citations) = writer.finish();
        Ok(self.finish(run, text, citations))
    }
}

/// The state of one answer under way.
struct Run {
    started: Instant,
    timings: Timings,
    tokens: usize,
}

impl Direct {
    /// Embeds the question, searches with it, and keeps what is relevant.
    async fn retrieve(&self, question: &Question, timings: &mut Timings) -> Result<Vec<Hit>, AnswerError> {
        let at = Instant::now();
        let vector = self.embedder.embed_query(&question.content).await?;
        timings.record("embed", at.elapsed());
        let at = Instant::now();
        let query = SearchQuery {
            text: question.content.clone(),
            vector,
            mode: Mode::Hybrid,
            source: question.source,
            filter: question.filter.clone(),
            limit: question.n_results,
        };
        let hits = self.store.search(query).await?;
        timings.record("search", at.elapsed());
        Ok(relevant(&question.content, hits, self.embedder.relevance_floor()))
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
        let mut tokens = self.model.generate(prompt).await?;
        while let Some(token) = tokens.next().await {
            let token = token?;
            if run.tokens == 0 {
                run.timings.record("first_token", at.elapsed());
            }
            run.tokens += 1;
            tell(&writer.push(&token.text), on_text);
        }
        tell(&writer.end(), on_text);
        run.timings.record("generate", at.elapsed());
        Ok(())
    }

    fn finish(&self, mut run: Run, text: String, citations: Vec<crate::Citation>) -> Answer {
        run.timings.record("total", run.started.elapsed());
        Answer {
            text,
            reasoning: None,
            citations,
            timings: run.timings,
            tokens: run.tokens,
            model: self.model.name().to_owned(),
            pipeline: self.name(),
            cached: false,
        }
    }
}

/// An answer that no passage clearly backs is followed by the words of the documents that come closest to the
/// question, so that the reader can judge it: small models paraphrase freely and forget their markers.
fn back_with_quotation(writer: &mut CitationWriter, question: &str, on_text: OnText<'_>) {
    if !writer.is_uncited() {
        return;
    }
    if let Some((index, words)) = writer.closest(question) {
        let before = if writer.text().is_empty() { "" } else { "\n\n" };
        tell(&writer.quote(&format!("{before}The documents say: "), index, words), on_text);
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
