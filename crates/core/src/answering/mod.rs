//! From a question to a cited answer: plain code over ports.

mod budget;
mod call;
mod classic;
mod direct;
mod event;
#[cfg(test)]
mod fakes;
mod json_answer;
mod prompt;
mod prompts;
mod quoting;
mod reading;
mod run;
mod without_passages;
mod writing;

use std::str::FromStr;

use async_trait::async_trait;
pub use classic::Classic;
pub use direct::Direct;
pub use event::{AnswerEvent, AnswerSink, Step, Unheard};
pub use prompt::Generation;
pub use prompts::Prompts;
pub use run::Resources;
pub use without_passages::{NOT_ANSWERED, NOTHING_FOUND};

use crate::{Answer, AnswerError, Question, RequestContext};

/// Name of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum PipelineName {
    /// The chain of the original service: three calls of the model.
    Classic,
    /// One call of the model.
    #[default]
    Direct,
}

impl PipelineName {
    /// All of them, by name.
    pub const ALL: [Self; 2] = [Self::Classic, Self::Direct];

    /// The name in settings, questions and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Direct => "direct",
        }
    }
}

impl FromStr for PipelineName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == name);
        known.ok_or_else(|| format!("\"{name}\"; it must be one of \"classic\", \"direct\""))
    }
}

/// A way of answering. Dropping the future cancels everything it started.
#[async_trait]
pub trait Pipeline: Send + Sync {
    /// Answers a question and reports how it goes.
    ///
    /// # Errors
    /// When the store or a model fails, or the question cannot be answered with this model; text told so far is then
    /// part of an unfinished answer.
    async fn answer(
        &self,
        context: &RequestContext,
        question: Question,
        events: &dyn AnswerSink,
    ) -> Result<Answer, AnswerError>;
}
