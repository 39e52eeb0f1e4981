//! The default pipeline.

use std::time::Instant;

use async_trait::async_trait;

use super::prompt::over_passages;
use super::run::{Resources, Run, tell};
use super::{OnText, Pipeline};
use crate::ports::Hit;
use crate::retrieval::focus::{best, excerpts, flat, nearest, score};
use crate::retrieval::found_pairs::backed_by_passages;
use crate::verification::{CitationWriter, Evidence, Grounding};
use crate::{Answer, AnswerError, EntryId, Question, RequestContext, Source, Span};

/// The default pipeline: hybrid search on the question itself, one streamed model call, checked citations.
pub struct Direct(pub Resources);

const NAME: &str = "direct";

#[async_trait]
impl Pipeline for Direct {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn answer(
        &self,
        context: &RequestContext,
        question: Question,
        on_text: OnText<'_>,
    ) -> Result<Answer, AnswerError> {
        let mut run = Run::start(&self.0, context);
        if !question.search {
            return run.model_alone(&question, NAME, on_text).await;
        }
        let (mut hits, vector) = run.search(&question.content, &question).await?;
        if question.source != Source::Context {
            let at = Instant::now();
            hits = backed_by_passages(&*self.0.search, context, hits).await?;
            run.timings.record("contexts", at.elapsed());
        }
        if hits.is_empty() {
            return Ok(run.nothing_found(NAME, on_text));
        }
        let Resources { model, generation, prompts, .. } = &self.0;
        let (numbered, best) = self.choose(&question, &vector, hits, &mut run).await?;
        let (prompt, used) = over_passages(&prompts.direct, &question, numbered, &**model, *generation);
        if used.is_empty() {
            return Err(run.no_room(&question));
        }
        let place = |(id, span)| Some((used.iter().position(|hit| hit.passage.id == id)?, span));
        let best = best.and_then(place);
        let mut writer = CitationWriter::new(evidence(&used), generation.grounding, &question.content);
        // A model that is only let through where the documents back it has the nearest words of the documents put
        // before its own: they are there at once, and right when it is not. One that is trusted is helped out
        // only when it cites nothing.
        if generation.grounding == Grounding::Strict {
            quote(&mut writer, best, on_text);
            run.timings.record("first_text", run.started.elapsed());
        }
        run.write(prompt, &mut writer, on_text).await?;
        if writer.is_uncited() {
            let best = match best {
                Some(best) => Some(best),
                None => nearest(&question.content, &vector, &used, context, &*self.0.embedder).await?,
            };
            quote(&mut writer, best, on_text);
        }
        Ok(run.finish(writer, NAME))
    }
}

/// Passages as what an answer may cite.
pub(super) fn evidence(hits: &[Hit]) -> Vec<Evidence> {
    hits.iter().cloned().map(Evidence::new).collect()
}

/// Adds the best words of the documents to an answer, if there are any.
pub(super) fn quote(writer: &mut CitationWriter, best: Option<(usize, Span)>, on_text: OnText<'_>) {
    if let Some((index, words)) = best {
        let before = if writer.text().is_empty() { "" } else { "\n\n" };
        tell(&writer.quote(&format!("{before}The documents say: "), index, words), on_text);
    }
}

/// Hits with what of them goes into the prompt.
type Numbered = Vec<(Hit, String)>;
/// A sentence of a passage: its id, and bytes of its text.
type Place = (EntryId, Span);

impl Direct {
    /// What the model reads of the passages, and the sentence nearest to the question. A model that is trusted reads
    /// them whole where they fit: to embed their sentences costs more than all else here, and the nearest one is
    /// needed only if the model cites nothing.
    async fn choose(
        &self,
        question: &Question,
        vector: &[f32],
        hits: Vec<Hit>,
        run: &mut Run<'_>,
    ) -> Result<(Numbered, Option<Place>), AnswerError> {
        let Resources { embedder, model, generation, .. } = &self.0;
        let tokens: usize = hits.iter().map(|hit| model.count_tokens(&hit.passage.text)).sum();
        if generation.grounding == Grounding::Marked && tokens <= generation.context_tokens {
            let whole = |hit: Hit| (flat(&hit.passage.text), hit);
            return Ok((hits.into_iter().map(whole).map(|(text, hit)| (hit, text)).collect(), None));
        }
        let at = Instant::now();
        let sentences = score(&question.content, vector, &hits, run.context, &**embedder).await?;
        run.timings.record("focus", at.elapsed());
        let excerpts = excerpts(&hits, &sentences, generation.context_tokens, &**model);
        let best = best(&hits, &sentences).map(|sentence| (hits[sentence.hit].passage.id.clone(), sentence.span));
        Ok((hits.into_iter().zip(excerpts).collect(), best))
    }
}

#[cfg(test)]
#[path = "direct_tests.rs"]
mod tests;
