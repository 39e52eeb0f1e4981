//! Search by words: BM25 (Robertson and Zaragoza, 2009) in a tantivy index, and the same computed exactly for
//! what is newer than it.

mod builder;
mod index;
mod tail;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use qanda_core::StoreError;
use qanda_core::language::{Language, terms_of_question};
use rusqlite::Connection;

pub(super) use self::builder::IndexBuilder;
#[cfg(test)]
pub(super) use self::builder::make_as_before;
pub(super) use self::index::LexicalIndex;
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
    /// Takes the index, if it is the store's own, and reads the entries that are newer.
    pub(super) fn load(opened: Option<LexicalIndex>, connection: &Connection) -> Result<Self, StoreError> {
        let own = match opened.as_ref().and_then(LexicalIndex::origin) {
            Some(origin) => origin.is_of(connection)?,
            None => false,
        };
        let index = opened.filter(|_| own).map(Arc::new);
        let since = index.as_deref().and_then(LexicalIndex::origin).map_or(0, |origin| origin.sequence);
        Ok(Self::new(index, Tail::default().extended(connection, since)?))
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
        self.index.as_ref()?.origin().map(|origin| origin.sequence)
    }

    /// The `limit` entries that match the words of `text` best, with their BM25 scores.
    pub(super) fn search(&self, text: &str, limit: usize, wanted: &Wanted) -> Result<Vec<(u64, f32)>, StoreError> {
        let terms = terms_of_question(text, &self.languages);
        let statistics = Statistics::gather(&terms, self.index.as_deref(), &self.tail)?;
        let mut found = self.tail.search(&statistics, wanted);
        if let Some(index) = &self.index {
            let newer: HashSet<u64> = found.iter().map(|(id, _)| *id).collect();
            let older = index.search(&terms, &statistics, limit, wanted)?;
            found.extend(older.into_iter().filter(|(id, _)| !newer.contains(id)));
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
