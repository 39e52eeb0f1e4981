//! Documents and the passages they are searched by.

use std::collections::BTreeMap;
use std::fmt;

/// Free-form facts about a document (front matter, file facts): key to text.
pub type Metadata = BTreeMap<String, String>;

/// Identity of a passage or a pair within one store; never used again after the entry is gone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(String);

impl EntryId {
    /// The id as the store spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<u64> for EntryId {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl From<String> for EntryId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A half-open range of **bytes** in a document's extracted text, always on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// A span from `start` to `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether it covers nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.end == self.start
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn cover(self, other: Self) -> Self {
        Self::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// This span moved to the right by `bytes`.
    #[must_use]
    pub const fn shifted(self, bytes: usize) -> Self {
        Self::new(self.start + bytes, self.end + bytes)
    }
}

/// What a reader makes of one file and the store keeps of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Where the file lives, absolute: the document's identity.
    pub location: String,
    /// The path that people see and citations name.
    pub path: String,
    /// Title: front matter, `<title>`, first heading or the file's name.
    pub title: String,
    /// The extracted text. Spans of passages and citations count its bytes.
    pub text: String,
    /// Metadata that a `filter` can ask for.
    pub metadata: Metadata,
    /// Hash of the file's bytes and of everything else that decides what its passages are; a file whose
    /// fingerprint is stored is not read again.
    pub fingerprint: String,
}

/// A passage on its way into the store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPassage {
    /// Where it stands in the document's text.
    pub span: Span,
    /// Headings above it, outermost first.
    pub headings: Vec<String>,
    /// Its embedding: unit length, as many numbers as the embedder's dimension.
    pub vector: Vec<f32>,
}

/// A document with its passages, stored whole or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDocument {
    /// The document.
    pub document: Document,
    /// Its passages in the order of the text.
    pub passages: Vec<NewPassage>,
}

/// A passage as a search finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Which entry of the store it is.
    pub id: EntryId,
    /// Path of its document.
    pub document: String,
    /// Title of its document.
    pub title: String,
    /// Headings above it, outermost first.
    pub headings: Vec<String>,
    /// Its words.
    pub text: String,
    /// Where those words stand in the document's text.
    pub span: Span,
    /// Metadata of its document.
    pub metadata: Metadata,
}

impl Passage {
    /// The text that is embedded and searched: the passage under its headings, so that "Dose" under
    /// "Metformin" is found by someone who asks for the dose of metformin.
    #[must_use]
    pub fn with_context(&self) -> String {
        with_context(&self.title, &self.headings, &self.text)
    }
}

/// A passage's text under its document's title and headings. A heading that only repeats the one above it, as a
/// document's first heading often repeats its title, is left out.
#[must_use]
pub fn with_context(title: &str, headings: &[String], text: &str) -> String {
    let mut context = heading_path(title, headings);
    context.push('\n');
    context.push_str(text);
    context
}

/// `Title > Heading > Subheading`, without repetitions.
#[must_use]
pub fn heading_path(title: &str, headings: &[String]) -> String {
    let mut path = vec![title];
    for heading in headings {
        if path.last() != Some(&heading.as_str()) {
            path.push(heading);
        }
    }
    path.join(" > ")
}
