//! Which documents do not hold at a moment. Few documents state anything about that; what they state is read once after
//! each commit.

use std::collections::HashMap;
use std::sync::Arc;

use qanda_core::validity::{self, Period, SUPERSEDES, VALID_FROM, VALID_UNTIL};
use qanda_core::{Metadata, Moment, StoreError};
use roaring::RoaringTreemap;
use rusqlite::{Connection, OptionalExtension};

use super::entries;
use super::failure::failed;
use super::settings;

/// A document that states when it holds, or whose place it takes.
struct Stating {
    row: i64,
    path: String,
    period: Period,
    /// Paths that it may mean by the names that it states.
    supersedes: Vec<String>,
}

/// All documents that do.
#[derive(Default)]
pub(super) struct Validities(Vec<Stating>);

impl Validities {
    /// Reads what documents state.
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
            let stating = facts.into_iter().map(|(row, (path, facts))| Stating {
                row,
                period: Period::of(&facts),
                supersedes: validity::supersedes(&facts).flat_map(|name| validity::meant_by(&path, name)).collect(),
                path,
            });
            Ok(Self(stating.collect()))
        };
        read().map_err(failed("reading which documents hold"))
    }

    /// Path of the document that has taken the place of each, at a moment, by its path.
    pub(super) fn successors(&self, at: Moment) -> HashMap<&str, &str> {
        let begun = self.0.iter().filter(|new| new.period.has_begun(at));
        let pairs = begun.flat_map(|new| new.supersedes.iter().map(move |old| (old.as_str(), new.path.as_str())));
        pairs.filter(|(old, new)| old != new).collect()
    }

    /// Rows of the documents that do not hold at a moment, sorted.
    fn without_force(&self, connection: &Connection, at: Moment) -> rusqlite::Result<Vec<i64>> {
        let mut rows: Vec<i64> =
            self.0.iter().filter(|stated| !stated.period.includes(at)).map(|stated| stated.row).collect();
        for old in self.successors(at).keys() {
            let mut statement = connection.prepare_cached("SELECT id FROM documents WHERE path = ?1")?;
            rows.extend(statement.query_row([old], |row| row.get::<_, i64>(0)).optional()?);
        }
        rows.sort_unstable();
        rows.dedup();
        Ok(rows)
    }
}

/// Entries that searches pass over, remembered from one to the next.
#[derive(Default)]
pub(super) struct HeldBack {
    /// The commit that this was read after.
    version: Option<u64>,
    validities: Arc<Validities>,
    /// Documents that were held back last, and their entries.
    last: (Vec<i64>, Arc<RoaringTreemap>),
}

impl HeldBack {
    /// The entries of documents that do not hold at a moment, and what documents state.
    pub(super) fn at(
        &mut self,
        connection: &Connection,
        moment: Moment,
    ) -> Result<(Arc<RoaringTreemap>, Arc<Validities>), StoreError> {
        let version = settings::version(connection)?;
        if self.version != Some(version) {
            *self = Self {
                version: Some(version),
                validities: Arc::new(Validities::load(connection)?),
                last: (Vec::new(), Arc::default()),
            };
        }
        if !self.validities.0.is_empty() {
            let fail = failed("reading which documents hold");
            let rows = self.validities.without_force(connection, moment).map_err(&fail)?;
            if rows != self.last.0 {
                let found = entries_of(connection, &rows).map_err(&fail)?;
                self.last = (rows, Arc::new(found));
            }
        }
        Ok((Arc::clone(&self.last.1), Arc::clone(&self.validities)))
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
