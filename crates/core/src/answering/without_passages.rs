//! Answers without passages: by the model alone, or that there are none.

use super::AnswerEvent;
use super::budget::Budget;
use super::prompt::Draft;
use super::run::Run;
use super::writing::Writing;
use crate::verification::Written;
use crate::{Answer, AnswerError};

/// The answer when the documents have nothing to say.
pub const NOTHING_FOUND: &str = "I found nothing about this in the documents.";

/// Asks the model alone.
pub(super) async fn model_alone(run: Run<'_>) -> Result<Answer, AnswerError> {
    let draft = run.draft(|with, question| {
        let (model, instructions) = (&*with.model, &with.prompts.model_alone);
        Budget::check_without_passages(model, with.generation, instructions, question)?;
        Ok(Draft::new(model, instructions, &question.history, question.content.clone(), with.generation))
    });
    let draft = draft.await?;
    let mut writing = Writing::over(&run, &[]);
    writing.write(draft).await?;
    let written = writing.finish();
    run.finish(written)
}

/// Says that the documents have nothing to say.
pub(super) async fn nothing_found(run: Run<'_>) -> Result<Answer, AnswerError> {
    run.tell(AnswerEvent::Text(NOTHING_FOUND.to_owned())).await;
    run.finish(Written { text: NOTHING_FOUND.to_owned(), ..Written::default() })
}
