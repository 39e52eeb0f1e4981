//! Entries that the index does not hold yet, in memory.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use qanda_core::StoreError;
use qanda_core::document::with_context;
use qanda_core::language::{Language, each_term};
use rusqlite::Connection;

use super::index::LexicalIndex;
use crate::bm25;
use crate::embedded::entries;
use crate::embedded::failure::failed;
use crate::embedded::wanted::Wanted;

/// Entries in the order in which they were stored. What is there is shared between states, not copied.
#[derive(Default)]
pub(super) struct Tail {
    chunks: Vec<Arc<Chunk>>,
}

#[derive(Default)]
struct Chunk {
    entries: Vec<Entry>,
    /// Entry and number of occurrences, by term.
    postings: HashMap<String, Vec<(u32, u32)>>,
    terms: u64,
    /// Languages of the entries.
    languages: BTreeSet<Language>,
}

struct Entry {
    id: u64,
    kind: i64,
    length: u32,
}

impl Tail {
    /// This tail and the entries added after a change.
    pub(super) fn extended(&self, connection: &Connection, sequence: i64) -> Result<Self, StoreError> {
        let mut chunk = Chunk::default();
        let read: rusqlite::Result<()> = entries::each_entry_in(connection, &entries::after(sequence), |entry| {
            let row = u32::try_from(chunk.entries.len()).unwrap_or(u32::MAX);
            let mut length = 0;
            chunk.languages.insert(entry.language);
            each_term(&with_context(&entry.title, &entry.headings, &entry.text), entry.language, |term| {
                length += 1;
                // Look up before insert: most terms are known, and need no allocation.
                if !chunk.postings.contains_key(term) {
                    chunk.postings.insert(term.to_owned(), Vec::new());
                }
                let Some(postings) = chunk.postings.get_mut(term) else { return };
                match postings.last_mut().filter(|(last, _)| *last == row) {
                    Some((_, count)) => *count += 1,
                    None => postings.push((row, 1)),
                }
            });
            chunk.terms += u64::from(length);
            chunk.entries.push(Entry { id: entry.id, kind: entry.kind, length });
            Ok(())
        });
        read.map_err(failed("reading new passages"))?;
        let mut chunks = self.chunks.clone();
        if !chunk.entries.is_empty() {
            chunks.push(Arc::new(chunk));
        }
        Ok(Self { chunks })
    }

    pub(super) fn len(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.entries.len() as u64).sum()
    }

    /// All entries with at least one of the terms, scored.
    pub(super) fn search(&self, statistics: &Statistics, wanted: &Wanted) -> Vec<(u64, f32)> {
        let mut found = Vec::new();
        for chunk in &self.chunks {
            let mut scores: HashMap<u32, f32> = HashMap::new();
            for (term, idf) in &statistics.terms {
                for (row, count) in chunk.postings.get(term).into_iter().flatten() {
                    let entry = &chunk.entries[*row as usize];
                    if wanted.allows(entry.id, entry.kind) {
                        *scores.entry(*row).or_default() +=
                            idf * bm25::saturation(*count, entry.length, statistics.average_length);
                    }
                }
            }
            found.extend(scores.into_iter().map(|(row, score)| (chunk.entries[row as usize].id, score)));
        }
        found
    }

    /// Languages of its entries.
    pub(super) fn languages(&self) -> impl Iterator<Item = Language> {
        self.chunks.iter().flat_map(|chunk| chunk.languages.iter().copied())
    }

    fn terms(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.terms).sum()
    }

    fn entries_with(&self, term: &str) -> u64 {
        self.chunks.iter().filter_map(|chunk| chunk.postings.get(term)).map(|postings| postings.len() as u64).sum()
    }
}

/// Statistics that BM25 needs of the whole collection, so that old and new entries are scored alike. Entries that are gone
/// and still in the index count everywhere.
pub(super) struct Statistics {
    /// Terms of the question with the number of entries that have them.
    frequencies: HashMap<String, u64>,
    /// Terms of the question with their inverse document frequencies.
    terms: Vec<(String, f32)>,
    /// All entries.
    pub(super) entries: u64,
    /// Terms of all entries together.
    pub(super) tokens: u64,
    average_length: f32,
}

impl Statistics {
    pub(super) fn gather(terms: &[String], index: Option<&LexicalIndex>, tail: &Tail) -> Result<Self, StoreError> {
        let (indexed, indexed_terms) = index.map_or((0, 0), |index| (index.written(), index.terms()));
        let (entries, tokens) = (indexed + tail.len(), indexed_terms + tail.terms());
        let mut frequencies = HashMap::new();
        for term in terms {
            let older = match index {
                Some(index) => index.entries_with(term)?,
                None => 0,
            };
            frequencies.insert(term.clone(), older + tail.entries_with(term));
        }
        let number = entries.max(1) as f32;
        let idf = |term: &String| (term.clone(), bm25::idf(number, frequencies[term] as f32));
        let terms = terms.iter().map(idf).collect();
        Ok(Self { frequencies, terms, entries, tokens, average_length: tokens.max(1) as f32 / number })
    }

    /// Number of entries that have a term of the question.
    pub(super) fn entries_with(&self, term: &str) -> Option<u64> {
        self.frequencies.get(term).copied()
    }
}
