//! Documents and the passages they are searched by.

use std::collections::BTreeMap;
use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use crate::Moment;
use crate::validity::Period;

/// Free-form facts about a document (front matter, file facts): key to text, or to a list of texts as
/// [`crate::metadata`] makes it.
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

/// Identity of a document within one store. It stays the same when the document changes or moves.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentId(String);

impl DocumentId {
    /// The id as the store spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for DocumentId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Recipe that a document's passages and vectors were made by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Recipe {
    /// Version of readers and chunker.
    pub chunker: u32,
    /// Most tokens of a passage under its headings.
    pub passage_tokens: usize,
    /// Name of the embedder that made the vectors.
    pub embedder: String,
}

/// Fingerprint of a document: two that are equal have the same passages and vectors.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Fingerprint {
    /// Hash of the bytes that the document was read from, in hexadecimal digits.
    pub content: String,
    /// Recipe that its passages were made by.
    pub recipe: Recipe,
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recipe { chunker, passage_tokens, embedder } = &self.recipe;
        write!(f, "{} {chunker} {passage_tokens} {embedder}", self.content)
    }
}

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let mut parts = text.splitn(4, ' ');
        let mut part = || parts.next().ok_or(NoFingerprint);
        let content = part()?.to_owned();
        let chunker = part()?.parse().map_err(|_| NoFingerprint)?;
        let passage_tokens = part()?.parse().map_err(|_| NoFingerprint)?;
        Ok(Self { content, recipe: Recipe { chunker, passage_tokens, embedder: part()?.to_owned() } })
    }
}

/// Text that is no [`Fingerprint`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no fingerprint of a document")]
pub struct NoFingerprint;

/// Facts about a document that have a meaning for qanda, unlike its free-form metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// Media type of the bytes that it was read from.
    pub media_type: Option<String>,
    /// Language of the text, as a BCP 47 tag.
    pub language: Option<String>,
    /// First moment at which it holds.
    pub valid_from: Option<Moment>,
    /// Last moment at which it holds.
    pub valid_until: Option<Moment>,
    /// Path of the document that takes its place now. A store finds it in the other document.
    pub superseded_by: Option<String>,
    /// First byte of each page in the text; empty for a document without pages.
    pub pages: Vec<usize>,
}

impl Details {
    /// The state at a moment; whether another document takes its place is known for now only.
    #[must_use]
    pub fn state_at(&self, moment: Moment) -> DocumentState {
        if self.valid_until.is_some_and(|until| until < moment) {
            DocumentState::Expired
        } else if self.superseded_by.is_some() {
            DocumentState::Superseded
        } else if self.valid_from.is_some_and(|from| from > moment) {
            DocumentState::Upcoming
        } else {
            DocumentState::Current
        }
    }
}

/// Whether a document holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentState {
    /// It holds.
    Current,
    /// It does not hold yet.
    Upcoming,
    /// It does not hold any more.
    Expired,
    /// Another document has taken its place.
    Superseded,
}

impl DocumentState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Current, Self::Upcoming, Self::Expired, Self::Superseded];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Upcoming => "upcoming",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
        }
    }
}

/// Document as a reader makes it and a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// Place that it comes from, unique within a store: the absolute path of a file, or the name of an upload.
    pub location: String,
    /// Path that people see and citations name, unique within a store.
    pub path: String,
    /// Title: front matter, `<title>`, first heading or the file's name.
    pub title: String,
    /// The extracted text. Spans of passages and citations count its bytes.
    pub text: String,
    /// Metadata that a `filter` can ask for.
    pub metadata: Metadata,
    /// Facts with a meaning for qanda.
    pub details: Details,
    /// Bytes and recipe that it was made of; a file whose fingerprint is stored is not read again.
    pub fingerprint: Fingerprint,
}

/// Document as a store lists it, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// Its identity.
    pub id: DocumentId,
    /// Place that it comes from.
    pub location: String,
    /// Path that citations name.
    pub path: String,
    /// Title.
    pub title: String,
    /// Metadata.
    pub metadata: Metadata,
    /// Facts with a meaning for qanda.
    pub details: Details,
    /// Bytes and recipe that it was made of; none where the store does not know them, or has a part of it only.
    pub fingerprint: Option<Fingerprint>,
    /// Passages that it has.
    pub passages: u64,
    /// Question/answer pairs that belong to it.
    pub pairs: u64,
}

impl StoredDocument {
    /// The same with what its facts say about when it holds.
    #[must_use]
    pub fn dated(mut self) -> Self {
        let Period { from, until } = Period::of(&self.metadata);
        self.details.valid_from = from;
        self.details.valid_until = until;
        self
    }
}

/// Version of a document that is stored, as much as an ingest needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredVersion {
    /// Path that citations name.
    pub path: String,
    /// Title.
    pub title: String,
    /// Bytes and recipe that it was made of; none where it has to be read again.
    pub fingerprint: Option<Fingerprint>,
}

/// Move of a stored document to another place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relocation {
    /// Location that it is stored with.
    pub from: String,
    /// Location that it has now.
    pub to: String,
    /// Path that it has now.
    pub path: String,
}

/// Pages that a piece of a document stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// Number of the page on which it begins, from 1.
    first: u32,
    /// Bytes of the document's text at which the next pages begin, within the piece.
    turns: Vec<usize>,
}

impl Pages {
    /// The pages of a span, from the bytes at which all pages begin; none for a document without pages.
    #[must_use]
    pub fn of(starts: &[usize], span: Span) -> Option<Self> {
        let begun = starts.partition_point(|&start| start <= span.start);
        let first = u32::try_from(begun.max(1)).ok().filter(|_| !starts.is_empty())?;
        let turns = starts[begun..].iter().copied().take_while(|&start| start < span.end).collect();
        Some(Self { first, turns })
    }

    /// Number of the page on which a byte of the document's text stands, from 1.
    #[must_use]
    pub fn page_at(&self, byte: usize) -> u32 {
        let turned = self.turns.iter().take_while(|&&turn| turn <= byte).count();
        self.first.saturating_add(u32::try_from(turned).unwrap_or(u32::MAX))
    }
}

/// `7 1200 2400`: the first page, then where the next ones begin.
impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        self.turns.iter().try_for_each(|turn| write!(f, " {turn}"))
    }
}

impl FromStr for Pages {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (first, turns) = text.split_once(' ').unwrap_or((text, ""));
        let turns = turns.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { first: first.parse()?, turns })
    }
}

/// Passage on its way into the store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPassage {
    /// Place where it stands in the document's text.
    pub span: Span,
    /// Headings above it, outermost first.
    pub headings: Vec<String>,
    /// Its embedding: unit length, as many numbers as the embedder's dimension.
    pub vector: Vec<f32>,
}

/// Document with its passages, stored whole or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDocument {
    /// The document.
    pub document: Document,
    /// Its passages in the order of the text.
    pub passages: Vec<NewPassage>,
}

/// Passage as a search finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Identity of its entry in the store.
    pub id: EntryId,
    /// Path of its document.
    pub document: String,
    /// Title of its document.
    pub title: String,
    /// Headings above it, outermost first; below them, for a part of a long table or list, its header
    /// (`| Name | Dose |`) or the sentence that announces it.
    pub headings: Vec<String>,
    /// Its words.
    pub text: String,
    /// Place where those words stand in the document's text.
    pub span: Span,
    /// Metadata of its document.
    pub metadata: Metadata,
    /// Pages that it stands on, for a document that has pages.
    pub pages: Option<Pages>,
}

impl Passage {
    /// The text that is embedded and searched: the passage under its headings, so that "Dose" under
    /// "Metformin" is found by someone who asks for the dose of metformin.
    #[must_use]
    pub fn with_context(&self) -> String {
        with_context(&self.title, &self.headings, &self.text)
    }
}

/// Text of a passage under its document's title and headings. A heading that only repeats the one above it, as a
/// document's first heading often repeats its title, is left out.
#[must_use]
pub fn with_context(title: &str, headings: &[String], text: &str) -> String {
    let mut context = heading_path(title, headings);
    context.push('\n');
    context.push_str(text);
    context
}

/// `Title > Heading > Subheading`, without repetitions. The header of a table that a passage is a part of stands in a
/// line of its own below them.
#[must_use]
pub fn heading_path(title: &str, headings: &[String]) -> String {
    let mut path = vec![title];
    let (headers, headings): (Vec<&String>, Vec<&String>) =
        headings.iter().partition(|heading| is_table_header(heading));
    for heading in headings {
        if path.last() != Some(&heading.as_str()) {
            path.push(heading);
        }
    }
    let mut shown = path.join(" > ");
    for header in headers {
        shown.push('\n');
        shown.push_str(header);
    }
    shown
}

/// Whether a heading is the header of a table that is carried along for a part of it: `| Name | Dose |`.
#[must_use]
pub fn is_table_header(heading: &str) -> bool {
    heading.len() > 2 && heading.starts_with('|') && heading.ends_with('|')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_a_table_stands_directly_above_its_rows() {
        let headings = ["Stock", "Stock", "Washers", "| Part | Level |"].map(str::to_owned);
        assert_eq!(with_context("Stock", &headings, "| W-4 | 12 |"), "Stock > Washers\n| Part | Level |\n| W-4 | 12 |");
    }

    #[test]
    fn a_byte_stands_on_the_last_page_that_begins_before_it() {
        let starts = [0, 100, 100, 250];
        let pages = |start, end| Pages::of(&starts, Span::new(start, end)).unwrap();
        assert_eq!(pages(0, 99).page_at(98), 1);
        // The second page has no text.
        assert_eq!(pages(100, 120).page_at(100), 3);
        let over = pages(90, 300);
        assert_eq!([90, 99, 100, 249, 250].map(|byte| over.page_at(byte)), [1, 1, 3, 3, 4]);
        assert_eq!(over.to_string().parse(), Ok(over.clone()));
        assert_eq!(Pages::of(&[], Span::new(0, 9)), None);
    }

    #[test]
    fn fingerprints_survive_as_text() {
        let recipe = Recipe { chunker: 2, passage_tokens: 180, embedder: "a model with spaces".to_owned() };
        let fingerprint = Fingerprint { content: "00ff".to_owned(), recipe };
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        for old in ["", "00ff", "00ff 2 many model", "00ff 2 180"] {
            assert_eq!(old.parse::<Fingerprint>(), Err(NoFingerprint), "{old:?}");
        }
    }
}
