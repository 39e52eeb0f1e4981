//! What stands in a record, and what is read from one, whoever wrote it.
//!
//! `source`, `guideline`, `answer` and `context_id` are the original service's; a collection that has only these can
//! be read. The other names are ours.

use std::collections::HashMap;

use qanda_core::document::{Pages, Span, StoredVersion};
use qanda_core::ports::PairLink;
use qanda_core::{Document, EntryId, NewPair, NewPassage, Pair, Passage, metadata, validity};
use sha2::{Digest, Sha256};

use super::values::{Metadata, MetadataChanges, Value};

/// Kind of a record: [`CONTEXT`], [`QA`] or [`EMPTY`].
pub(super) const SOURCE: &str = "source";
/// A passage of a document.
pub(super) const CONTEXT: &str = "context";
/// A question/answer pair.
pub(super) const QA: &str = "QA";
/// Stands for a document without passages, so that it is known, and not read again.
pub(super) const EMPTY: &str = "empty";

/// Path of the document.
pub(super) const GUIDELINE: &str = "guideline";
/// Place where the document lives: its identity.
pub(super) const LOCATION: &str = "location";
/// Number of the passage in its document, from 0.
pub(super) const PART: &str = "part";
/// The document's fingerprint. Part 0 alone has it, and only when the document is stored whole.
pub(super) const FINGERPRINT: &str = "fingerprint";
/// Set on the first part of a document that takes the place of others.
pub(super) const SUPERSEDING: &str = "superseding";
/// Id of the passage that a pair was written for.
pub(super) const CONTEXT_ID: &str = "context_id";
const TITLE: &str = "title";
/// Headings above the passage as a JSON list, outermost first.
const HEADINGS: &str = "headings";
/// First byte of the passage in the document's text.
const START: &str = "start";
/// One past its last byte.
const END: &str = "end";
/// Pages that the passage stands on, for a document with pages: [`Pages`] in words.
const PAGES: &str = "pages";
const ANSWER: &str = "answer";
const WRITTEN_BY: &str = "written_by";

const OURS: [&str; 15] = [
    SOURCE,
    GUIDELINE,
    LOCATION,
    PART,
    FINGERPRINT,
    SUPERSEDING,
    CONTEXT_ID,
    TITLE,
    HEADINGS,
    START,
    END,
    PAGES,
    ANSWER,
    WRITTEN_BY,
    "path",
];
/// Before the name of a fact that Chroma or we use for something else.
const PREFIX: &str = "meta_";

/// Before the name of a fact whose value is a list: Chroma finds an item by a flag of its own.
const ITEM: &str = "item_";

/// A record as it comes from Chroma.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    pub(super) id: String,
    /// The text, where it was asked for.
    pub(super) text: String,
    pub(super) metadata: Metadata,
}

/// A record on its way to Chroma.
#[derive(Debug, Clone)]
pub(super) struct NewRecord {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) vector: Vec<f32>,
    pub(super) metadata: Metadata,
}

impl Record {
    /// A value in words.
    pub(super) fn value(&self, key: &str) -> Option<String> {
        self.metadata.get(key).and_then(Value::in_words)
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        matches!(self.metadata.get(SOURCE), Some(Value::Text(source)) if source == kind)
    }

    pub(super) fn is_first_part(&self) -> bool {
        matches!(self.metadata.get(PART), Some(Value::Int(0)))
    }

    pub(super) fn written_by(&self) -> Option<String> {
        self.value(WRITTEN_BY)
    }

    pub(super) fn answer(&self) -> String {
        self.value(ANSWER).unwrap_or_default()
    }

    /// Version of its document, of which this is the first part.
    pub(super) fn version(&self) -> StoredVersion {
        StoredVersion {
            path: self.value(GUIDELINE).unwrap_or_default(),
            title: self.value(TITLE).unwrap_or_default(),
            fingerprint: self.value(FINGERPRINT).and_then(|text| text.parse().ok()),
        }
    }

    /// Metadata of its document.
    pub(super) fn facts(&self) -> qanda_core::Metadata {
        let item = |key: &str, value: &Value| key.starts_with(ITEM) && *value == Value::Bool(true);
        let theirs = self.metadata.iter().filter(|(key, value)| !OURS.contains(&key.as_str()) && !item(key, value));
        let fact = |(key, value): (&String, &Value)| {
            let value = match value {
                Value::Texts(texts) => metadata::list(texts),
                value => value.in_words()?,
            };
            Some((key.strip_prefix(PREFIX).unwrap_or(key).to_owned(), value))
        };
        theirs.filter_map(fact).collect()
    }

    /// A passage. Another client's has no place in a document that we know, so its text is all there is.
    pub(super) fn into_passage(self) -> Passage {
        let offset = |key| match self.metadata.get(key) {
            Some(Value::Int(offset)) => usize::try_from(*offset).ok(),
            _ => None,
        };
        let whole = Span::new(0, self.text.len());
        let span = match (offset(START), offset(END)) {
            (Some(start), Some(end)) if end.checked_sub(start) == Some(self.text.len()) => Span::new(start, end),
            _ => whole,
        };
        let document = self.value(GUIDELINE).unwrap_or_else(|| self.id.clone());
        let headings = self.value(HEADINGS).and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        Passage {
            title: self.value(TITLE).unwrap_or_else(|| document.clone()),
            document,
            headings,
            span,
            metadata: self.facts(),
            pages: self.value(PAGES).and_then(|pages| pages.parse().ok()),
            id: EntryId::from(self.id),
            text: self.text,
        }
    }

    /// A pair.
    pub(super) fn into_pair(self) -> Pair {
        Pair {
            answer: self.answer(),
            context: self.value(CONTEXT_ID).map(EntryId::from),
            document: self.value(GUIDELINE),
            written_by: self.written_by(),
            metadata: self.facts(),
            key: self.id,
            question: self.text,
        }
    }

    /// A pair as a passage that can be cited: its answer, in a document of its own.
    pub(super) fn into_pair_hit(self) -> (Passage, PairLink) {
        let pair = self.into_pair();
        let passage = Passage {
            document: format!("qa:{}", pair.key),
            id: EntryId::from(pair.key),
            title: pair.question.clone(),
            headings: Vec::new(),
            span: Span::new(0, pair.answer.len()),
            text: pair.answer,
            metadata: pair.metadata,
            pages: None,
        };
        (passage, PairLink { question: pair.question, context: pair.context })
    }
}

/// Keys under which a fact may stand. A name that we use ourselves is the other clients' plain key, too.
pub(super) fn fact_keys(name: &str) -> Vec<String> {
    let key = fact_key(name);
    if OURS.contains(&name) { vec![key, name.to_owned()] } else { vec![key] }
}

/// The key under which we store a fact.
fn fact_key(name: &str) -> String {
    let taken = OURS.contains(&name) || name.starts_with(PREFIX) || name.starts_with(['#', '$']) || name.contains(':');
    if taken || name.is_empty() { format!("{PREFIX}{name}") } else { name.to_owned() }
}

/// The key of the flag that says that a list has this item.
pub(super) fn item_key(name: &str, item: &str) -> String {
    format!("{ITEM}{name}={item}")
}

/// A document's facts under their keys, and the items of lists under theirs.
pub(super) fn facts_of(facts: &qanda_core::Metadata) -> Metadata {
    let whole = facts.iter().map(|(name, value)| (fact_key(name), Value::Text(value.clone())));
    let lists = facts.iter().filter(|(_, value)| metadata::is_list(value));
    let items = lists.flat_map(|(name, value)| metadata::items(value).map(|item| item_key(name, item)));
    whole.chain(items.map(|key| (key, Value::Bool(true)))).collect()
}

/// The records of a document's passages, in order, without the fingerprint. `dimension` is for the record of a
/// document without passages, which needs a vector like any other.
pub(super) fn passages(document: &Document, passages: Vec<NewPassage>, dimension: Option<usize>) -> Vec<NewRecord> {
    let mut facts = facts_of(&document.metadata);
    facts.insert(GUIDELINE.to_owned(), document.path.as_str().into());
    facts.insert(LOCATION.to_owned(), document.location.as_str().into());
    facts.insert(TITLE.to_owned(), document.title.as_str().into());
    let is_superseding = validity::supersedes(&document.metadata).next().is_some();
    let with = |source: &str, part: usize, span: Span, more: Vec<(&str, Value)>| {
        let numbers = [(PART, part), (START, span.start), (END, span.end)];
        let numbers = numbers.map(|(key, number)| (key, Value::from(number)));
        let mark = (part == 0 && is_superseding).then_some((SUPERSEDING, Value::Bool(true)));
        let own = [(SOURCE, source.into())].into_iter().chain(numbers).chain(mark).chain(more);
        facts.clone().into_iter().chain(own.map(|(key, value)| (key.to_owned(), value))).collect::<Metadata>()
    };
    if passages.is_empty() {
        // Any direction will do: searches leave it out.
        let vector =
            dimension.map(|dimension| (0..dimension).map(|place| if place == 0 { 1.0 } else { 0.0 }).collect());
        let metadata = with(EMPTY, 0, Span::new(0, 0), Vec::new());
        let id = id_of(&[&document.location], 0);
        let record = |vector| NewRecord { id, text: String::new(), vector, metadata };
        return vector.map(record).into_iter().collect();
    }
    let mut equals: HashMap<String, usize> = HashMap::new();
    let record = |(part, NewPassage { span, headings, vector }): (usize, NewPassage)| {
        let text = &document.text[span.start..span.end];
        let headings = serde_json::Value::from(headings).to_string();
        let content = id_of(&[&document.location, &headings, text], 0);
        let ordinal = equals.entry(content.clone()).or_default();
        let id = if *ordinal == 0 { content } else { id_of(&[&document.location, &headings, text], *ordinal) };
        *ordinal += 1;
        let pages = Pages::of(&document.details.pages, span).map(|pages| (PAGES, pages.to_string().into()));
        let more = [(HEADINGS, headings.into())].into_iter().chain(pages).collect();
        let metadata = with(CONTEXT, part, span, more);
        NewRecord { id, text: text.to_owned(), vector, metadata }
    };
    passages.into_iter().enumerate().map(record).collect()
}

/// An id made of the content, so that what does not change keeps it.
pub(super) fn id_of(parts: &[&str], ordinal: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps "ab", "c" and "a", "bc" apart.
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.update(ordinal.to_le_bytes());
    hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A pair's record. `about` is the record of its passage, if that is stored, and `document` one of its document,
/// whose facts the pair has, too.
pub(super) fn pair(new: NewPair, about: Option<&Record>, document: Option<&Record>) -> NewRecord {
    let mut metadata = document.map(|record| facts_of(&record.facts())).unwrap_or_default();
    let mut set = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            metadata.insert(key.to_owned(), value.into());
        }
    };
    set(SOURCE, Some(QA.to_owned()));
    set(ANSWER, Some(new.answer));
    set(CONTEXT_ID, about.map(|record| record.id.clone()));
    set(GUIDELINE, document.and_then(|record| record.value(GUIDELINE)).or(new.document));
    set(WRITTEN_BY, new.written_by);
    NewRecord { id: new.key, text: new.question, vector: new.vector, metadata }
}

/// Changes that turn the metadata of a record into `new`. Chroma keeps what is not named, so what is to go is named.
pub(super) fn changes(old: Option<&Metadata>, new: Metadata) -> MetadataChanges {
    let gone = old.into_iter().flat_map(HashMap::keys).filter(|key| !new.contains_key(*key));
    let gone: Vec<_> = gone.map(|key| (key.clone(), None)).collect();
    new.into_iter().map(|(key, value)| (key, Some(value))).chain(gone).collect()
}
