//! The derived indexes against what they are made of.

use std::collections::HashSet;
use std::path::Path;

use qanda_core::StoreError;
use rusqlite::Connection;

use super::{CheckReport, Part};
use crate::embedded::dense::{Graph, GraphFolder};
use crate::embedded::entries::{after, id, removed_in};
use crate::embedded::failure::failed;
use crate::embedded::lexical::LexicalIndex;
use crate::embedded::settings;

/// The indexes that can be compared.
pub(super) struct Opened {
    lexical: Option<LexicalIndex>,
    graph: Option<Graph>,
}

/// Opens the indexes. One that is not there is no problem: it is made when it is worth it.
pub(super) fn open(directory: &Path, connection: &Connection, report: &mut CheckReport) -> Result<Opened, StoreError> {
    let mut lexical = LexicalIndex::open(directory)?;
    match &lexical {
        None if LexicalIndex::is_there(directory) => report.add(Part::LexicalIndex, "it cannot be read"),
        Some(index) => {
            let damaged = index.damaged_files();
            if damaged > 0 {
                report.add(Part::LexicalIndex, format!("{damaged} of its files are damaged"));
                lexical = None;
            }
        }
        None => {}
    }
    let folder = GraphFolder::new(directory, settings::vectors_epoch(connection)?);
    let graph = Graph::open_newest(&folder, connection)?;
    if graph.is_none() && folder.newest_sequence(connection)?.is_some() {
        report.add(Part::VectorIndex, "it is damaged");
    }
    Ok(Opened { lexical, graph })
}

/// Compares the indexes with a snapshot that was begun after they were opened.
pub(super) fn check(opened: &Opened, snapshot: &Connection, report: &mut CheckReport) -> Result<(), StoreError> {
    if let Some(index) = &opened.lexical {
        match index.origin() {
            Some(origin) if origin.is_of(snapshot)? => {
                let ids = index.ids();
                let known: HashSet<u64> = ids.iter().copied().collect();
                if known.len() < ids.len() {
                    report.add(Part::LexicalIndex, format!("it has {} entries twice", ids.len() - known.len()));
                }
                compare(Part::LexicalIndex, origin.sequence, &|id, _| known.contains(&id), snapshot, report)?;
                let strangers = strangers(&known, origin.sequence, snapshot)?;
                if strangers > 0 {
                    report.add(Part::LexicalIndex, format!("it has {strangers} entries that are not stored"));
                }
            }
            _ => report.add(Part::LexicalIndex, "it was made of another state of the store; searches pass it over"),
        }
    }
    if let Some(graph) = &opened.graph
        && graph.origin().is_of(snapshot)?
    {
        compare(Part::VectorIndex, graph.origin().sequence, &|id, kind| graph.contains(id, kind), snapshot, report)?;
    }
    Ok(())
}

/// Looks for entries that an index should have.
fn compare(
    part: Part,
    sequence: i64,
    has: &dyn Fn(u64, i64) -> bool,
    snapshot: &Connection,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    let read = || -> rusqlite::Result<u64> {
        let sql = "SELECT e.id, e.kind FROM changes c JOIN entries e ON e.id = c.entry_id
                   WHERE c.sequence <= ?1 AND c.added = 1";
        let mut statement = snapshot.prepare(sql)?;
        let mut rows = statement.query([sequence])?;
        let mut missing = 0;
        while let Some(row) = rows.next()? {
            missing += u64::from(!has(id(row.get(0)?), row.get(1)?));
        }
        Ok(missing)
    };
    let missing = read().map_err(failed("checking an index"))?;
    if missing > 0 {
        report.add(part, format!("{missing} entries are missing in it"));
    }
    Ok(())
}

/// Number of entries that an index has, and the store neither has nor has removed since.
fn strangers(known: &HashSet<u64>, sequence: i64, snapshot: &Connection) -> Result<usize, StoreError> {
    let removed: HashSet<u64> = removed_in(snapshot, &after(sequence))?.into_iter().collect();
    let read = || -> rusqlite::Result<HashSet<u64>> {
        let mut statement = snapshot.prepare("SELECT id FROM entries")?;
        statement.query_map([], |row| Ok(id(row.get(0)?)))?.collect()
    };
    let stored = read().map_err(failed("checking an index"))?;
    Ok(known.iter().filter(|id| !stored.contains(id) && !removed.contains(id)).count())
}
