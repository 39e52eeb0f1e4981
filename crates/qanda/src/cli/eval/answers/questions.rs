//! Questions whose answers are known, one JSON object a line. evaluation/README.md explains the fields.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, ensure};
use qanda_core::question::Turn;
use serde::{Deserialize, Serialize};

use super::wording::{Accepted, Wording};
use crate::cli::eval::beir;
use crate::cli::eval::turns::{KnownTurn, turns};

/// A question with what is known about its answer.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct KnownQuestion {
    pub(crate) id: String,
    /// Sort of question; figures are given by kind.
    #[serde(default)]
    pub(crate) kind: String,
    /// Name of the questions that are kept in the same part of the set.
    #[serde(default)]
    group: Option<String>,
    pub(crate) question: String,
    #[serde(default)]
    pub(crate) history: Vec<KnownTurn>,
    /// Whether the documents answer it.
    #[serde(default = "yes")]
    pub(crate) answerable: bool,
    /// Any of them is right. Where there are none, an answer is right when it cites the right place.
    #[serde(default)]
    pub(crate) answers: Vec<Accepted>,
    /// Words that make an answer wrong whatever else it says.
    #[serde(default)]
    pub(crate) rejected: Vec<Wording>,
    /// A whole answer in somebody's words, to compare words with where `answers` has none.
    #[serde(default)]
    pub(crate) reference: Option<String>,
    #[serde(flatten)]
    place: PartialPlace,
    /// Further places, where one is not enough or several answer it.
    #[serde(default)]
    more: Vec<Place>,
}

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Path of the document, or the end of it.
    pub(crate) document: String,
    /// First byte in the document's extracted text.
    pub(crate) start: usize,
    /// One past the last.
    pub(crate) end: usize,
    /// The words there, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct PartialPlace {
    document: Option<String>,
    start: Option<usize>,
    end: Option<usize>,
    text: Option<String>,
}

const fn yes() -> bool {
    true
}

impl KnownQuestion {
    /// Places where the documents answer it; none for questions that they do not answer.
    pub(crate) fn places(&self) -> Vec<Place> {
        let PartialPlace { document: Some(document), start: Some(start), end: Some(end), text } = &self.place else {
            return self.more.clone();
        };
        if !self.answerable {
            return Vec::new();
        }
        let first = Place { document: document.clone(), start: *start, end: *end, text: text.clone() };
        [first].into_iter().chain(self.more.iter().cloned()).collect()
    }

    /// Key that decides which part of the set it is of.
    pub(crate) fn key(&self) -> &str {
        self.group.as_deref().unwrap_or(&self.id)
    }

    /// The conversation before it.
    pub(crate) fn turns(&self) -> Vec<Turn> {
        turns(&self.history)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.question.trim().is_empty(), "the question is empty");
        let places = self.places();
        ensure!(
            !self.answerable || !self.answers.is_empty() || !places.is_empty(),
            "it is answerable, so it needs \"answers\", or a place with \"document\", \"start\" and \"end\""
        );
        ensure!(self.answerable || self.answers.is_empty(), "it has answers and is not answerable");
        ensure!(places.iter().all(|place| place.start < place.end), "a place ends before it starts");
        Ok(())
    }
}

impl Place {
    /// Whether some of these bytes of this document are in it. A document may be named by the end of its path.
    pub(crate) fn touches(&self, document: &str, start: usize, end: usize) -> bool {
        let named = document == self.document
            || document.strip_suffix(&self.document).is_some_and(|folders| folders.ends_with('/'));
        named && start < self.end && self.start < end
    }
}

/// Reads questions.
///
/// # Errors
/// When a line is not right, which is named; when there are none; when two have the same id.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<KnownQuestion>> {
    let questions: Vec<KnownQuestion> = beir::lines(path)?;
    ensure!(!questions.is_empty(), "{} has no questions", path.display());
    let mut ids = HashSet::new();
    for question in &questions {
        question.check().with_context(|| format!("{}, question {}", path.display(), question.id))?;
        ensure!(ids.insert(&question.id), "{} has the question {} twice", path.display(), question.id);
    }
    Ok(questions)
}

#[cfg(test)]
#[path = "questions_tests.rs"]
mod tests;
