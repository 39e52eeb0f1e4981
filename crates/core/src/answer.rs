//! Answers and their citations.

use crate::document::{Details, DocumentState, EntryId, Span};
use crate::ports::{Finish, Hit};
use crate::{Metadata, Moment, validity};

/// Words of a passage and where they stand in their document.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The passage that was retrieved.
    pub passage_id: EntryId,
    /// Path of the document.
    pub document: String,
    /// Title of the document.
    pub title: String,
    /// Headings that the words stand under, outermost first.
    pub headings: Vec<String>,
    /// The words: exactly the document's text at `span`.
    pub text: String,
    /// Retrieval score of the passage, higher is better; comparable within one answer only.
    pub score: f32,
    /// Place of the words in the document's extracted text, in bytes.
    pub span: Span,
    /// Page that the words begin on, from 1, for documents that have pages.
    pub page: Option<u32>,
    /// When the document holds, if it states anything about that.
    pub validity: Option<Box<Validity>>,
}

impl Place {
    /// Words of a hit; `words` counts the bytes of the passage's text.
    pub(crate) fn within(hit: &Hit, words: Span) -> Self {
        let passage = &hit.passage;
        let span = words.shifted(passage.span.start);
        Self {
            passage_id: passage.id.clone(),
            document: passage.document.clone(),
            title: passage.title.clone(),
            headings: passage.headings.clone(),
            text: passage.text[words.start..words.end].to_owned(),
            score: hit.score,
            span,
            page: passage.pages.as_ref().map(|pages| pages.page_at(span.start)),
            validity: Validity::of(&passage.metadata).map(Box::new),
        }
    }

    /// Whether its document holds now.
    #[must_use]
    pub fn state(&self) -> DocumentState {
        self.validity.as_ref().map_or(DocumentState::Current, |validity| validity.state_at(Moment::now()))
    }

    /// The whole passage of a hit.
    pub(crate) fn whole(hit: &Hit) -> Self {
        Self::within(hit, Span::new(0, hit.passage.text.len()))
    }
}

/// What is stated about when a document holds, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validity {
    /// First day on which it holds.
    pub valid_from: Option<String>,
    /// Last day on which it holds.
    pub valid_until: Option<String>,
    /// Path of the document that has taken its place by now.
    pub superseded_by: Option<String>,
}

impl Validity {
    /// What the facts about a passage's document state; none if they state nothing.
    fn of(facts: &Metadata) -> Option<Self> {
        let stated = |name: &str| facts.get(name).cloned();
        let validity = Self {
            valid_from: stated(validity::VALID_FROM),
            valid_until: stated(validity::VALID_UNTIL),
            superseded_by: stated(validity::SUPERSEDED_BY),
        };
        (validity != Self::default()).then_some(validity)
    }

    fn state_at(&self, now: Moment) -> DocumentState {
        let details = Details {
            valid_from: self.valid_from.as_deref().and_then(|date| Moment::first_of(date).ok()),
            valid_until: self.valid_until.as_deref().and_then(|date| Moment::last_of(date).ok()),
            superseded_by: self.superseded_by.clone(),
            ..Details::default()
        };
        details.state_at(now)
    }
}

/// A place in a document that backs a statement of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Citation {
    /// The number in brackets in the answer.
    pub marker: usize,
    /// The words pointed at.
    pub place: Place,
}

/// Milliseconds by step, in the order in which the steps ended, with the total last.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timings(pub Vec<(&'static str, f64)>);

impl Timings {
    /// Records how long a step took, added to what it took before.
    pub fn record(&mut self, step: &'static str, took: std::time::Duration) {
        let took = took.as_secs_f64() * 1e3;
        match self.0.iter_mut().find(|(name, _)| *name == step) {
            Some((_, ms)) => *ms += took,
            None => self.0.push((step, took)),
        }
    }

    /// Milliseconds of a step.
    #[must_use]
    pub fn get(&self, step: &str) -> Option<f64> {
        self.0.iter().find(|(name, _)| *name == step).map(|(_, ms)| *ms)
    }
}

/// A finished answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The words. Every `[n]` in them is the marker of one of `citations`, but for code, indices and links.
    pub text: String,
    /// Whether it answers; false where it says that the documents do not.
    pub answered: bool,
    /// Probability that the documents answer the question, from 0 to 1; none where nothing was searched.
    pub confidence: Option<f32>,
    /// Nearest passages, for a question that is not answered: places to look, no citations; at most three.
    pub related: Vec<Place>,
    /// The model's reasons, where the pipeline asks for them.
    pub reasoning: Option<String>,
    /// Places in documents that back it, by marker.
    pub citations: Vec<Citation>,
    /// Statements that no passage backs, in bytes of `text`.
    pub unsupported: Vec<Span>,
    /// Time of each step.
    pub timings: Timings,
    /// Calls of the language model.
    pub calls: usize,
    /// Tokens of their prompts; an estimate for models that do not tell.
    pub prompt_tokens: usize,
    /// Tokens that the model generated.
    pub tokens: usize,
    /// Name of the model that answered.
    pub model: String,
    /// Name of the pipeline that asked it.
    pub pipeline: &'static str,
    /// Why the last call of the model ended.
    pub finish: Finish,
    /// Whether it was remembered instead of generated.
    pub cached: bool,
}
