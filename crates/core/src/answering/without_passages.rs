//! Answers without passages: by the model alone, or that the documents do not answer.

use super::AnswerEvent;
use super::budget::Budget;
use super::prompt::Draft;
use super::run::{Run, Verdict};
use super::writing::Writing;
use crate::answer::Place;
use crate::ports::Hit;
use crate::verification::Written;
use crate::{Answer, AnswerError};

/// The answer when the documents have nothing to say.
pub const NOTHING_FOUND: &str = "I found nothing about this in the documents.";

/// The answer when the documents are about the subject, but leave the question open.
pub const NOT_ANSWERED: &str = "I found no answer to this in the documents.";

/// Most passages that are named beside a refusal.
const MOST_RELATED: usize = 3;

/// Asks the model alone.
pub(super) async fn model_alone(run: Run<'_>) -> Result<Answer, AnswerError> {
    let draft = run.draft(|with, question| {
        let (model, instructions) = (&*with.model, &with.prompts.model_alone);
        Budget::check_without_passages(model, with.generation, instructions, question)?;
        let instructions = question.instructed(instructions);
        Ok(Draft::new(model, &instructions, &question.history, question.content.clone(), with.generation))
    });
    let draft = draft.await?;
    let mut writing = Writing::over(&run, &[]);
    writing.write(draft).await?;
    let written = writing.finish();
    run.finish(written, Verdict::Unsearched)
}

/// Says that nothing in the documents has to do with the question.
pub(super) async fn nothing_found(run: Run<'_>, nearest: &[Hit]) -> Result<Answer, AnswerError> {
    refuse(run, NOTHING_FOUND, 0.0, nearest).await
}

/// Says that the documents are about the subject, but do not answer.
pub(super) async fn not_answered(run: Run<'_>, confidence: f32, nearest: &[Hit]) -> Result<Answer, AnswerError> {
    refuse(run, NOT_ANSWERED, confidence, nearest).await
}

/// Says that there is no answer, and which passages are nearest.
async fn refuse(run: Run<'_>, text: &str, confidence: f32, nearest: &[Hit]) -> Result<Answer, AnswerError> {
    run.tell(AnswerEvent::Text(text.to_owned())).await;
    let verdict = Verdict::Refused { confidence, related: nearest_places(nearest) };
    run.finish(Written { text: text.to_owned(), ..Written::default() }, verdict)
}

/// Passages as places to look.
pub(super) fn nearest_places(hits: &[Hit]) -> Vec<Place> {
    hits.iter().take(MOST_RELATED).map(Place::whole).collect()
}
