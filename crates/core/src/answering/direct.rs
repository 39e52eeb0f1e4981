//! The default pipeline.

use async_trait::async_trait;

use super::reading::{Amount, Reading, nearest};
use super::run::{Resources, Run};
use super::without_passages::{model_alone, nothing_found};
use super::writing::Writing;
use super::{AnswerSink, Pipeline, PipelineName, Step};
use crate::retrieval::found_pairs::backed_by_passages;
use crate::verification::Grounding;
use crate::{Answer, AnswerError, Question, RequestContext, Source};

/// The default pipeline: hybrid search on the question itself, one streamed model call, checked citations.
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
            return nothing_found(run).await;
        }
        // A model that is only let through where the documents back it has the nearest words of the documents put
        // before its own: they are there at once, and right when it is not. One that is trusted is helped out
        // only when it cites nothing.
        let strict = self.0.generation.grounding == Grounding::Strict;
        let amount = Amount { tokens: self.0.generation.context_tokens, whole_if_possible: !strict };
        let reading = Reading::of(&run, &found, |prompts| &prompts.direct, amount).await?;
        let mut writing = Writing::over(&run, &reading.passages);
        if strict {
            writing.quote(reading.nearest).await;
            run.record_since_start("first_text");
        }
        writing.write(reading.draft).await?;
        if writing.is_uncited() {
            let place = match reading.nearest {
                Some(place) => Some(place),
                None => nearest(&run, &found.sought, &reading.passages).await?,
            };
            writing.quote(place).await;
        }
        let written = writing.finish();
        run.finish(written)
    }
}

#[cfg(test)]
#[path = "direct_tests.rs"]
mod tests;
