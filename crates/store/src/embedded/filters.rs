//! Entries by the facts of their documents, kept from search to search.
//!
//! A filter would otherwise read the ids of all that match from SQLite with each question. Ids only grow, so a set is kept
//! by adding what is newer. Entries that are gone stay in it, which does no harm: nothing finds them any more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use qanda_core::{Filter, StoreError};
use roaring::RoaringTreemap;
use rusqlite::{Connection, params};

use super::entries::id;
use super::failure::failed;
use super::settings::State;

/// Facts whose entries are kept. When there are more, all are forgotten, and those in use come back.
const MOST_FACTS: usize = 1_000;

/// Fact that every document has: its path, as in the collections of the original service.
const GUIDELINE: &str = "guideline";

/// Sets of entries by fact.
#[derive(Default)]
pub(super) struct Filters(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// State of the indexes that they were kept for; entries that are gone are forgotten with it.
    of: Option<(String, i64)>,
    sets: HashMap<(String, String), Set>,
}

#[derive(Clone)]
struct Set {
    entries: Arc<RoaringTreemap>,
    /// The last entry that was looked at.
    until: u64,
}

impl Filters {
    /// The entries whose document has all facts of a filter.
    pub(super) fn matching(
        &self,
        connection: &Connection,
        state: &State,
        filter: &Filter,
    ) -> Result<Arc<RoaringTreemap>, StoreError> {
        let last = last_entry(connection)?;
        let mut sets = Vec::with_capacity(filter.len());
        for (name, value) in filter {
            sets.push(self.with_fact(connection, state, name, value, last)?);
        }
        // The smallest first, so that the work is that of the smallest.
        sets.sort_by_key(|set| set.len());
        let all = sets.into_iter().reduce(|all, set| Arc::new(&*all & &*set));
        Ok(all.unwrap_or_default())
    }

    fn with_fact(
        &self,
        connection: &Connection,
        state: &State,
        name: &str,
        value: &str,
        last: u64,
    ) -> Result<Arc<RoaringTreemap>, StoreError> {
        let key = (name.to_owned(), value.to_owned());
        let kept = self.kept(state).sets.get(&key).cloned();
        let mut set = kept.unwrap_or_else(|| Set { entries: Arc::default(), until: 0 });
        if set.until < last {
            let newer = with_metadata(connection, name, value, set.until)?;
            if !newer.is_empty() {
                Arc::make_mut(&mut set.entries).extend(newer);
            }
            set.until = last;
            let mut kept = self.kept(state);
            if kept.sets.len() >= MOST_FACTS {
                kept.sets.clear();
            }
            kept.sets.insert(key, set.clone());
        }
        if name == GUIDELINE {
            // Not kept: a document may get another path without a change of its entries.
            let of_path = of_path(connection, value)?;
            if !of_path.is_empty() {
                Arc::make_mut(&mut set.entries).extend(of_path);
            }
        }
        Ok(set.entries)
    }

    fn kept(&self, state: &State) -> std::sync::MutexGuard<'_, Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = kept
            .of
            .as_ref()
            .is_some_and(|(store, generation)| *store == state.store && *generation == state.generation);
        if !same {
            *kept = Kept { of: Some((state.store.clone(), state.generation)), sets: HashMap::new() };
        }
        kept
    }
}

fn last_entry(connection: &Connection) -> Result<u64, StoreError> {
    let read = || -> rusqlite::Result<u64> {
        let mut statement = connection.prepare_cached("SELECT coalesce(max(id), 0) FROM entries")?;
        statement.query_row([], |row| Ok(id(row.get(0)?)))
    };
    read().map_err(failed("reading metadata"))
}

/// Entries after one whose document has a fact, or a list that has it as an item: lists have separators between their
/// items, so with one before and after it each item stands between two.
fn with_metadata(connection: &Connection, name: &str, value: &str, after: u64) -> Result<Vec<u64>, StoreError> {
    let sql = "SELECT e.id FROM document_metadata m JOIN entries e ON e.document_id = m.document_id
               WHERE m.name = ?1 AND instr(char(31) || m.value || char(31), char(31) || ?2 || char(31)) > 0 AND e.id > ?3";
    let read = || -> rusqlite::Result<Vec<u64>> {
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_map(params![name, value, after.cast_signed()], |row| Ok(id(row.get(0)?)))?.collect()
    };
    read().map_err(failed("reading metadata"))
}

/// Entries of the document with a path.
fn of_path(connection: &Connection, path: &str) -> Result<Vec<u64>, StoreError> {
    let sql = "SELECT e.id FROM documents d JOIN entries e ON e.document_id = d.id WHERE d.path = ?1";
    let read = || -> rusqlite::Result<Vec<u64>> {
        connection.prepare_cached(sql)?.query_map([path], |row| Ok(id(row.get(0)?)))?.collect()
    };
    read().map_err(failed("reading metadata"))
}
