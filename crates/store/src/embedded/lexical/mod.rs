//! Search by words: BM25 (Robertson and Zaragoza, 2009) in a tantivy index, and the same computed exactly for
//! what is newer than it.

mod index;
mod tail;

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use qanda_core::language::{Language, terms_of_question};
use qanda_core::{Filter, StoreError};
use rusqlite::Connection;

pub(super) use self::index::IndexBuilder;
use self::index::LexicalIndex;
#[cfg(test)]
pub(super) use self::index::make_as_before;
use self::tail::{Statistics, Tail};
use super::wanted::Wanted;
use crate::fusion::sort;

/// The lexical side of a view.
pub(super) struct LexicalView {
    index: Option<Arc<LexicalIndex>>,
    tail: Tail,
    /// Languages of all entries: a question is looked for by the stems of each.
    languages: Vec<Language>,
}

impl LexicalView {
    /// Opens the index, if there is a usable one, and reads the entries that are newer.
    pub(super) fn load(directory: &Path, connection: &Connection) -> Result<Self, StoreError> {
        let index = LexicalIndex::open(directory).map(Arc::new);
        let tail = Tail::default().extended(connection, index.as_ref().map_or(0, |index| index.sequence()))?;
        Ok(Self::new(index, tail))
    }

    fn new(index: Option<Arc<LexicalIndex>>, tail: Tail) -> Self {
        let indexed = index.iter().flat_map(|index| index.languages().iter().copied());
        let languages: BTreeSet<Language> = indexed.chain(tail.languages()).collect();
        Self { index, tail, languages: languages.into_iter().collect() }
    }

    /// The same with the entries committed since `sequence`.
    pub(super) fn refreshed(&self, connection: &Connection, sequence: i64) -> Result<Self, StoreError> {
        Ok(Self::new(self.index.clone(), self.tail.extended(connection, sequence)?))
    }

    /// The last change that the index includes, if there is one.
    pub(super) fn sequence(&self) -> Option<i64> {
        self.index.as_ref().map(|index| index.sequence())
    }

    /// The `limit` entries that match the words of `text` best, with their BM25 scores.
    pub(super) fn search(
        &self,
        text: &str,
        limit: usize,
        filter: &Filter,
        wanted: Wanted<'_>,
    ) -> Result<Vec<(u64, f32)>, StoreError> {
        let terms = terms_of_question(text, &self.languages);
        let statistics = Statistics::gather(&terms, self.index.as_deref(), &self.tail)?;
        let mut found = self.tail.search(&statistics, wanted);
        if let Some(index) = &self.index {
            let newer: HashSet<u64> = found.iter().map(|(id, _)| *id).collect();
            let older = index.search(&terms, limit, wanted.kind, filter)?;
            found.extend(older.into_iter().filter(|(id, _)| !wanted.removed.contains(id) && !newer.contains(id)));
        }
        sort(&mut found);
        found.truncate(limit);
        Ok(found)
    }

    /// Entries in the index.
    pub(super) fn indexed(&self) -> u64 {
        self.index.as_ref().map_or(0, |index| index.size())
    }

    /// Entries that are scanned.
    pub(super) fn behind(&self) -> u64 {
        self.tail.len()
    }
}
