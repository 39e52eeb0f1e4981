use async_trait::async_trait;

use crate::{ModelError, RequestContext, Span};

/// A passage for a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    /// The titles above the passage, outermost first: `Title > Heading`. Empty where there are none.
    pub heading: String,
    /// The passage.
    pub text: String,
}

/// Words of a passage that answer a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FoundSpan {
    /// Bytes of the passage's text: whole words.
    pub span: Span,
    /// Score above that of "the answer is not here", in logits; below 0 where the latter is likelier.
    pub score: f32,
}

/// Judgement of a reader on one passage.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The best answers, best first: at most five, none of which overlap. There are some even where the reader
    /// thinks that none is right; there are none where the passage has no words.
    pub spans: Vec<FoundSpan>,
    /// Score of "the passage answers", in logits. Reader's own scale: only `confidence` can be compared between readers.
    pub here: f32,
    /// Calibrated probability that the passage answers, from 0 to 1, where half of all passages do.
    pub confidence: f32,
}

impl Reading {
    /// The best answer, whether or not it is a likely one.
    #[must_use]
    pub fn best(&self) -> Option<FoundSpan> {
        self.spans.first().copied()
    }
}

/// Reads a question together with passages, and says where the answer stands and how sure it is that it does.
///
/// Unlike a language model it can only point at words that are there.
#[async_trait]
pub trait Reader: Send + Sync {
    /// Name of the model, with a hash of its weights.
    fn name(&self) -> &str;

    /// Reads each passage. The readings come in the order of the passages; passages too long for the model are read
    /// in overlapping parts, of a question that is too long the start.
    async fn read(
        &self,
        context: &RequestContext,
        question: &str,
        passages: Vec<Readable>,
    ) -> Result<Vec<Reading>, ModelError>;
}
