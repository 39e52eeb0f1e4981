//! Events of an answer under way, for everything that shows or logs how it comes about.

use std::time::Duration;

use async_trait::async_trait;

use crate::ports::Hit;
use crate::{Answer, Citation};

/// Step of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A search term is made of the question.
    Condense,
    /// The words to search with are embedded.
    Embed,
    /// Passages are searched.
    Search,
    /// A reranker puts what was found into its order.
    Rerank,
    /// The passages of found pairs are fetched.
    Contexts,
    /// The pairs of found passages are fetched.
    Pairs,
    /// A reader looks for the answer in the passages.
    Read,
    /// The sentences nearest to the question are chosen.
    Focus,
    /// The model summarises the passages.
    Summarise,
    /// The model writes the answer, in the pipeline `direct`.
    Generate,
    /// The model writes the answer as JSON, in the pipeline `classic`.
    Answer,
}

impl Step {
    /// The name that timings carry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Condense => "condense",
            Self::Embed => "embed",
            Self::Search => "search",
            Self::Rerank => "rerank",
            Self::Contexts => "contexts",
            Self::Pairs => "pairs",
            Self::Read => "read",
            Self::Focus => "focus",
            Self::Summarise => "summarise",
            Self::Generate => "generate",
            Self::Answer => "answer",
        }
    }
}

/// Event of an answer under way.
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerEvent {
    /// A step has begun.
    StepBegun(Step),
    /// A step has ended well.
    StepEnded {
        /// The step.
        step: Step,
        /// Its time.
        took: Duration,
    },
    /// The passages that the model reads: `[n]` in the answer means the one at `n - 1`.
    Sources(Vec<Hit>),
    /// More of the answer's text, settled for good. These texts together are [`Answer::text`].
    Text(String),
    /// A passage is cited for the first time. More of its words may be cited by the end of the answer.
    Citation(Citation),
    /// The end: the finished answer. Whoever runs the pipeline adds this to its events.
    Done(Box<Answer>),
}

/// Receiver of the events of an answer. A slow one holds the answer up.
#[async_trait]
pub trait AnswerSink: Send + Sync {
    /// Takes an event.
    async fn tell(&self, event: AnswerEvent);
}

/// Sink for callers who want the finished answer only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unheard;

#[async_trait]
impl AnswerSink for Unheard {
    async fn tell(&self, _: AnswerEvent) {}
}
