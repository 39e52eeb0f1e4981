//! The default pipeline.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;

use super::quoting::{Quotation, quotations};
use super::reading::{Amount, Reading, nearest};
use super::run::{Found, Resources, Run, Verdict};
use super::without_passages::{model_alone, nearest_places, not_answered, nothing_found};
use super::writing::Writing;
use super::{AnswerEvent, AnswerSink, Pipeline, PipelineName, Step};
use crate::ports::Hit;
use crate::retrieval::found_pairs::backed_by_passages;
use crate::retrieval::judgement::Judgement;
use crate::verification::{Grounding, is_refusal};
use crate::{Answer, AnswerError, Question, RequestContext, Source};

/// The default pipeline: hybrid search on the question itself, a reader's judgement, and an answer of the documents' words
/// or of one streamed model call, with checked citations.
pub struct Direct(pub Resources);

#[async_trait]
impl Pipeline for Direct {
    async fn answer(
        &self,
        context: &RequestContext,
        question: Question,
        events: &dyn AnswerSink,
    ) -> Result<Answer, AnswerError> {
        let run = Run::start(&self.0, PipelineName::Direct, context, question, events);
        if !run.question.search {
            return model_alone(run).await;
        }
        let mut found = run.search(None).await?;
        if run.question.source != Source::Context {
            let backed = backed_by_passages(&*self.0.search, context, found.hits);
            found.hits = run.step(Step::Contexts, backed).await?;
        }
        if found.hits.is_empty() {
            return nothing_found(run, &found.nearest).await;
        }
        let hits: Arc<[Hit]> = found.hits.clone().into();
        let judgement = run.judge(&found.sought, &hits).await?;
        if judgement.confidence < self.0.generation.min_confidence {
            return not_answered(run, judgement.confidence, &hits).await;
        }
        let quotations = quotations(&run, &hits, &judgement.found).await;
        if self.0.generation.grounding == Grounding::Quoted && !quotations.is_empty() {
            return quoted(run, &hits, quotations, judgement.confidence).await;
        }
        written(run, &found, &judgement, quotations).await
    }
}

/// The answer in the documents' words alone.
async fn quoted(
    run: Run<'_>,
    hits: &[Hit],
    mut quotations: Vec<Quotation>,
    confidence: f32,
) -> Result<Answer, AnswerError> {
    // What is quoted comes first, so that its number is 1.
    let first = quotations.iter().map(|quotation| quotation.hit);
    let mut order: Vec<usize> = first.chain(0..hits.len()).collect();
    let mut seen = HashSet::new();
    order.retain(|hit| seen.insert(*hit));
    for quotation in &mut quotations {
        quotation.hit = order.iter().position(|hit| *hit == quotation.hit).unwrap_or_default();
    }
    let passages: Vec<Hit> = order.into_iter().map(|hit| hits[hit].clone()).collect();
    run.tell(AnswerEvent::Sources(passages.clone())).await;
    let mut writing = Writing::over(&run, &passages);
    writing.quote(&quotations).await;
    run.record_since_start("first_text");
    let written = writing.finish();
    run.finish(written, Verdict::Answered { confidence })
}

/// The answer in the model's words, with those of the documents before them where the model is only let through as far
/// as the documents back it: they are there at once, and right when it is not. A model that is trusted is helped out
/// only when it cites nothing, unless that is because it says itself that the documents do not answer, or the reader
/// finds that they hardly do.
async fn written(
    run: Run<'_>,
    found: &Found,
    judgement: &Judgement,
    quotations: Vec<Quotation>,
) -> Result<Answer, AnswerError> {
    let generation = run.with.generation;
    let strict = generation.grounding != Grounding::Marked;
    let amount = Amount { tokens: generation.context_tokens, whole_if_possible: !strict };
    let reading = Reading::of(&run, found, &judgement.found, |prompts| &prompts.direct, amount).await?;
    let quotations = match quotations.is_empty() {
        true => reading.nearest.iter().map(|(at, words)| Quotation::around(&reading.passages, *at, *words)).collect(),
        false => reading.placed(&found.hits, quotations),
    };
    let mut writing = Writing::over(&run, &reading.passages);
    if strict {
        writing.quote(&quotations).await;
        run.record_since_start("first_text");
    }
    writing.write(reading.draft).await?;
    let confidence = judgement.confidence;
    let mut verdict = Verdict::Answered { confidence };
    if writing.is_uncited() {
        if is_refusal(writing.text()) {
            verdict = Verdict::Refused { confidence, related: nearest_places(&found.hits) };
        } else if judgement.is_likely() {
            let quotations = match quotations.is_empty() {
                true => nearest(&run, &found.sought, &reading.passages).await?.into_iter().collect(),
                false => quotations,
            };
            writing.quote(&quotations).await;
        }
    }
    let written = writing.finish();
    run.finish(written, verdict)
}

#[cfg(test)]
#[path = "direct_tests.rs"]
mod tests;
