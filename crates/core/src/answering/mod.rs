//! From a question to a cited answer: plain code over ports.

mod classic;
mod direct;
#[cfg(test)]
mod fakes;
mod json_answer;
mod prompt;
mod prompts;
mod run;

use async_trait::async_trait;
pub use classic::Classic;
pub use direct::Direct;
pub use prompt::Generation;
pub use prompts::Prompts;
pub use run::Resources;

use crate::{Answer, AnswerError, Question, RequestContext};

/// Told each piece of an answer's text as soon as it is settled. The pieces together are [`Answer::text`].
pub type OnText<'a> = &'a mut (dyn FnMut(&str) + Send);

/// A way of answering. Dropping the future cancels everything it started.
#[async_trait]
pub trait Pipeline: Send + Sync {
    /// Its name in settings and answers.
    fn name(&self) -> &'static str;

    /// Answers a question.
    ///
    /// # Errors
    /// When the store or a model fails; text told so far is then part of an unfinished answer.
    async fn answer(
        &self,
        context: &RequestContext,
        question: Question,
        on_text: OnText<'_>,
    ) -> Result<Answer, AnswerError>;
}
