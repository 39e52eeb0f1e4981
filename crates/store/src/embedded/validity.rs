//! Which documents do not hold at a moment. Few documents state anything about that; what they state is read once after
//! each commit.

use std::collections::HashMap;
use std::sync::Arc;

use qanda_core::validity::{SUPERSEDES, VALID_FROM, VALID_UNTIL};
use qanda_core::{Metadata, Moment, StoreError};
use roaring::RoaringTreemap;
use rusqlite::{Connection, OptionalExtension};

use super::entries;
use super::failure::failed;
use super::settings;
use crate::validity::{Statement, Successors};

/// What documents state, by their rows.
#[derive(Default)]
pub(super) struct Statements(HashMap<i64, Statement>);

impl Statements {
    /// Reads them.
    pub(super) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let read = || -> rusqlite::Result<Self> {
            let sql =
                "SELECT d.id, d.path, m.name, m.value FROM document_metadata m JOIN documents d ON d.id = m.document_id
                       WHERE m.name IN (?1, ?2, ?3)";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([VALID_FROM, VALID_UNTIL, SUPERSEDES])?;
            let mut facts: HashMap<i64, (String, Metadata)> = HashMap::new();
            while let Some(row) = rows.next()? {
                let (_, stated) = facts.entry(row.get(0)?).or_insert((row.get(1)?, Metadata::new()));
                stated.insert(row.get(2)?, row.get(3)?);
            }
            Ok(Self(facts.into_iter().map(|(row, (path, facts))| (row, Statement::of(path, &facts))).collect()))
        };
        read().map_err(failed("reading which documents hold"))
    }

    /// Whether the document of a row states anything.
    pub(super) fn is_of(&self, row: i64) -> bool {
        self.0.contains_key(&row)
    }

    /// Documents whose place others have taken at a moment.
    pub(super) fn successors(&self, at: Moment) -> Successors<'_> {
        Successors::at(self.0.values(), at)
    }

    /// Rows of the documents that do not hold at a moment, sorted.
    fn without_force(&self, connection: &Connection, at: Moment) -> rusqlite::Result<Vec<i64>> {
        let outside = self.0.iter().filter(|(_, stated)| !stated.period.includes(at));
        let mut rows: Vec<i64> = outside.map(|(row, _)| *row).collect();
        for path in self.successors(at).superseded() {
            let mut statement = connection.prepare_cached("SELECT id FROM documents WHERE path = ?1")?;
            rows.extend(statement.query_row([path], |row| row.get::<_, i64>(0)).optional()?);
        }
        rows.sort_unstable();
        rows.dedup();
        Ok(rows)
    }
}

/// Entries that searches pass over, remembered from one to the next.
#[derive(Default)]
pub(super) struct HeldBack {
    /// The store and the commit that this was read after.
    version: Option<(String, u64)>,
    statements: Arc<Statements>,
    /// Documents that were held back last, and their entries.
    last: (Vec<i64>, Arc<RoaringTreemap>),
}

impl HeldBack {
    /// The entries of documents that do not hold at a moment, and what documents state.
    pub(super) fn at(
        &mut self,
        connection: &Connection,
        moment: Moment,
    ) -> Result<(Arc<RoaringTreemap>, Arc<Statements>), StoreError> {
        let version = Some((settings::state(connection)?.store, settings::version(connection)?));
        if self.version != version {
            let statements = Arc::new(Statements::load(connection)?);
            *self = Self { version, statements, last: (Vec::new(), Arc::default()) };
        }
        if !self.statements.0.is_empty() {
            let fail = failed("reading which documents hold");
            let rows = self.statements.without_force(connection, moment).map_err(&fail)?;
            if rows != self.last.0 {
                let found = entries_of(connection, &rows).map_err(&fail)?;
                self.last = (rows, Arc::new(found));
            }
        }
        Ok((Arc::clone(&self.last.1), Arc::clone(&self.statements)))
    }
}

fn entries_of(connection: &Connection, documents: &[i64]) -> rusqlite::Result<RoaringTreemap> {
    let mut found = RoaringTreemap::new();
    let mut statement = connection.prepare_cached("SELECT id FROM entries WHERE document_id = ?1")?;
    for document in documents {
        for id in statement.query_map([document], |row| row.get(0))? {
            found.insert(entries::id(id?));
        }
    }
    Ok(found)
}
